"""What is checked of a downloaded file: room for it, and whether it is the one that was published."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from facesmith.base.errors import StorageError
from facesmith.data.downloads.catalogue import File
from facesmith.data.downloads.transport import PAGE_BYTES, is_page, page_title


def mismatch(path: Path, file: File) -> str | None:
    """Say in what a file on the disk differs from the published one.

    Args:
        path: The file.
        file: What is known of it.

    Returns:
        A clause such as `has 3 bytes instead of 4`, or None where nothing differs.
    """
    with path.open("rb") as stream:
        beginning = stream.read(PAGE_BYTES)
    if is_page(beginning):
        return f"is a web page{page_title(beginning)}"
    size = path.stat().st_size
    if size == 0 or size != (file.bytes or size):
        return f"has {size:,} bytes" + (f" instead of {file.bytes:,}" if file.bytes else "")
    if file.checksum is not None:
        kind, _, expected = file.checksum.partition(":")
        found = digest(path, kind)
        if found != expected:
            return f"has the {kind.upper()} {found} instead of {expected}"
    return None


def digest(path: Path, kind: str) -> str:
    """Hash a file.

    Args:
        path: Of any length.
        kind: `md5` or `sha256`.

    Returns:
        The digest in hexadecimal.
    """
    with path.open("rb") as stream:
        # Against damage, not malice: systems that forbid MD5 for security allow it for this.
        return hashlib.file_digest(
            stream, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def check_room(folder: Path, size: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Args:
        folder: Where it would lie.
        size: Bytes that are still to come.

    Raises:
        StorageError: There is less room.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise StorageError(
            f"The disk of {folder} has {free / 1e6:,.0f} MB left.",
            needed=f"{size / 1e6:,.0f} MB for the rest of the download",
            todo="free some space, or move the cache to another disk with XDG_CACHE_HOME; "
            "then run the same command again: it continues",
        )
