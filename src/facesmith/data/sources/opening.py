"""Where images come from: whatever was named is found out and listed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.downloads.catalogue import is_name, meant
from facesmith.data.sources import drawn, folders, idx, zips
from facesmith.data.sources.contract import Source


def open_source(source: str | Path, *, resolution: int, limit: int | None = None) -> Source:
    """List the images of a source.

    Args:
        source: A folder of photos, a zip of photos, a folder or file of MNIST's idx files,
            `portraits` or `portraits:5000` for built-in drawings, or the name of a data set that
            is downloaded if it is not there; a path of that name comes first.
        resolution: Side in pixels at which portraits are drawn.
        limit: Take at most so many images, the first by name.

    Returns:
        The source, sorted by name, with at least one entry.

    Raises:
        DataError: Nothing is there, it holds no files, or it is damaged.
        UsageError: The number of portraits is not a number.
        DownloadError: A data set cannot be had.
    """
    word, _, count = str(source).partition(":")
    path = Path(source)
    published = is_name(str(source)) and not path.exists()
    if published:
        from facesmith.data.downloads.fetching import fetch_photos  # HTTP and TLS: few need them

        path = fetch_photos(str(source))
    if word == "portraits" and not path.exists():
        found = drawn.source(count, resolution)
    elif path.is_dir():
        found = idx.source(path, limit) if idx.is_source(path) else folders.source(path)
    elif path.is_file():
        found = idx.source(path, limit) if idx.is_source(path) else zips.source(path)
    else:
        raise DataError(
            f"There is nothing at {source}{meant(str(source))}.",
            needed="a folder or zip of photos, MNIST's idx files, the word portraits, or a data set's name",
            todo="check the path, try the built-in portraits, or see `facesmith download`",
        )
    if not found.entries:
        raise DataError(
            f"{source} holds no files.",
            needed="at least one photo; hidden files do not count",
            todo="put photos there, or pass another folder or zip",
        )
    # Figures on a published set compare only where each of its images stays.
    found = replace(found, curated=found.curated or published)
    return found if limit is None else replace(found, entries=found.entries[:limit])
