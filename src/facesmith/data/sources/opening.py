"""Where images come from: whatever was named is found out and listed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.sources import drawn, folders, idx, zips
from facesmith.data.sources.contract import Source


def open_source(source: str | Path, *, resolution: int, limit: int | None = None) -> Source:
    """List the images of a source.

    Args:
        source: A folder of photos, a zip of photos, a folder or file of MNIST's idx files, or
            `portraits` or `portraits:5000` for built-in drawings.
        resolution: Side in pixels at which portraits are drawn.
        limit: Take at most so many images, the first by name.

    Returns:
        The source, sorted by name, with at least one entry.

    Raises:
        DataError: Nothing is there, it holds no files, or it is damaged.
        UsageError: The number of portraits is not a number.
    """
    word, _, count = str(source).partition(":")
    path = Path(source)
    if word == "portraits" and not path.exists():
        found = drawn.source(count, resolution)
    elif path.is_dir():
        found = idx.source(path, limit) if idx.is_source(path) else folders.source(path)
    elif path.is_file():
        found = idx.source(path, limit) if idx.is_source(path) else zips.source(path)
    else:
        raise DataError(
            f"There is nothing at {source}.",
            needed="a folder or zip of photos, MNIST's idx files, or the word portraits",
            todo="check the path, or try the built-in portraits",
        )
    if not found.entries:
        raise DataError(
            f"{source} holds no files.",
            needed="at least one photo; hidden files do not count",
            todo="put photos there, or pass another folder or zip",
        )
    return found if limit is None else replace(found, entries=found.entries[:limit])
