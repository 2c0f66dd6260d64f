"""What holds for every source: limits against hostile files, and what is no photo."""

from __future__ import annotations

from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.photos.crops import PhotoError

MAX_FILE_BYTES = 256 * 2**20
"""A larger file is not read: it would be no single photo."""
SYSTEM_FILES = {"__MACOSX", "Thumbs.db", "desktop.ini"}


def title(path: Path) -> str:
    """Name a source for people, without the folders above it."""
    return path.resolve().name or str(path)


def is_system(part: str) -> bool:
    """Say whether a file or folder of this name is hidden or a leftover of an operating system."""
    return part in SYSTEM_FILES or (part.startswith(".") and part not in (".", ".."))


def gone(source: str) -> DataError:
    """Explain that a source is no longer what it was when it was listed."""
    return DataError(
        f"{source} has changed or vanished while it was read.",
        needed="photos that stay where they are until the dataset is finished",
        todo="bring them back and run the same command again: it continues",
    )


def too_many_bytes(size: int) -> PhotoError | None:
    """Reject a file that is longer than any photo; None where it is not."""
    if size > MAX_FILE_BYTES:
        return PhotoError("too large", f"more than {MAX_FILE_BYTES:,} bytes")
    return None
