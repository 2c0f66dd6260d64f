import ctypes
import platform
import subprocess
import sys

import pytest

from facesmith.base.allocator import keep_large_blocks

# glibc tells how many bytes of living blocks came straight from the kernel, to go back when freed.
PROGRAM = """
import ctypes
from facesmith.base.allocator import keep_large_blocks

class Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

libc = ctypes.CDLL("libc.so.6")
libc.mallinfo2.restype = Counts
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
size = 64 * 2**20

def measure():
    before = libc.mallinfo2()
    block = libc.malloc(ctypes.c_size_t(size))
    mapped = libc.mallinfo2().hblkhd - before.hblkhd
    libc.free(block)
    kept = libc.mallinfo2().arena - before.arena
    return mapped >= size, kept >= size

print(measure(), keep_large_blocks(), measure())
"""


def has_mallinfo2() -> bool:
    is_glibc = sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
    return is_glibc and hasattr(ctypes.CDLL("libc.so.6"), "mallinfo2")


@pytest.mark.skipif(not has_mallinfo2(), reason="counts of glibc 2.33 or newer")
def test_a_freed_large_block_stays_with_the_process():
    # In a process of its own: the setting cannot be taken back.
    words = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    # First straight from the kernel and back; afterwards from the heap, which keeps it.
    assert said.strip() == "(True, False) True (False, True)"


class Libc:
    """Notes what it is asked to set."""

    def __init__(self, answer=1):
        self.settings = {}
        self.answer = answer

    def mallopt(self, name, value):
        self.settings[name] = value
        return self.answer


def use(monkeypatch, libc, system="linux"):
    def open_library(name):
        if isinstance(libc, OSError):
            raise libc
        return libc

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", open_library)


def test_glibc_is_asked_for_all_three_settings(monkeypatch):
    use(monkeypatch, libc := Libc())
    assert keep_large_blocks()
    no_mapped_blocks, never_trim, grow_by = -4, -1, -2  # <malloc.h>
    assert libc.settings == {no_mapped_blocks: 0, never_trim: 2**31 - 1, grow_by: 2**26}


def test_a_refusal_is_told(monkeypatch):
    use(monkeypatch, libc := Libc(answer=0))
    assert not keep_large_blocks()
    assert len(libc.settings) == 3, "what can be set is set"


@pytest.mark.parametrize("libc", [OSError("no libc.so.6"), object()], ids=["musl", "no mallopt"])
def test_another_c_library_is_left_alone(libc, monkeypatch):
    use(monkeypatch, libc)
    assert not keep_large_blocks()


def test_another_system_is_left_alone(monkeypatch):
    use(monkeypatch, libc := Libc(), system="darwin")
    assert not keep_large_blocks()
    assert libc.settings == {}
