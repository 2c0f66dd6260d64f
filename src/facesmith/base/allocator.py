"""Tell glibc to keep large blocks, which a training step frees and takes again hundreds of times.

By default glibc hands each block over 32 MB back to the kernel, which must zero its pages again at
the next step; a quarter of a CPU training step goes there.
"""

from __future__ import annotations

import ctypes
import sys

# The constants of glibc's <malloc.h>.
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_MAX = -4


def keep_large_blocks() -> bool:
    """Make the C allocator reuse large blocks in this process; call it before the first large tensor.

    Returns:
        Whether the allocator took the settings: only Linux with glibc does.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl and others
        return False
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 64 * 2**20))
    return all([mallopt(name, value) == 1 for name, value in settings])
