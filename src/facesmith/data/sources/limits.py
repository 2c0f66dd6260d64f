"""What holds for every source: limits against hostile files, and what is a photo by its name."""

from __future__ import annotations

from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.photos.crops import PhotoError

MAX_FILE_BYTES = 256 * 2**20
"""A larger file is not read: it would be no single photo."""
MAX_ARCHIVE_RATIO = 100
"""Times that an archive may grow; photos hardly shrink, bombs are at 1,000 and more."""
HARMLESS_BYTES = 4 * 2**20
"""What grows to no more than this may shrink as well as it likes: flat BMP files do."""
SYSTEM_FILES = {"__MACOSX", "Thumbs.db", "desktop.ini"}
PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
)
DOCUMENT_SUFFIXES = (
    *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".pdf", ".html", ".xml", ".yaml", ".yml"),
    *(".sha256", ".md5", "readme", "license"),
)
"""Of files that explain photos or describe them."""


def title(path: Path) -> str:
    """Name a source for people, without the folders above it."""
    return path.resolve().name or str(path)


def is_system(part: str) -> bool:
    """Say whether a file or folder of this name is hidden or a leftover of an operating system."""
    return part in SYSTEM_FILES or (part.startswith(".") and part not in (".", ".."))


def is_photo(name: str) -> bool:
    """Say whether a file has a photo's name; what it holds is found out when it is read."""
    return name.lower().endswith(PHOTO_SUFFIXES)


def is_document(name: str) -> bool:
    """Say whether a file has the name of a text that goes with photos."""
    return name.lower().endswith(DOCUMENT_SUFFIXES)


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


def most_bytes(packed: int) -> int:
    """Say to how many bytes an archive of so many may grow."""
    return max(HARMLESS_BYTES, packed * MAX_ARCHIVE_RATIO)


def bomb(path: Path, packed: int, total: str) -> DataError:
    """Explain that an archive grows more than photos can."""
    return DataError(
        f"{path} would grow from {packed:,} to {total} bytes.",
        needed=f"an archive of photos, which grows less than {MAX_ARCHIVE_RATIO} times",
        todo="do not trust this file; pass the photos as a folder if they are real",
    )
