"""Where images come from: whatever was named is found out and listed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.downloads.catalogue import is_name, meant
from facesmith.data.sources import drawn, folders, idx, parquet, shards, tars, zips
from facesmith.data.sources.contract import Source, of_both_sides
from facesmith.data.sources.finding import annotated
from facesmith.data.sources.limits import is_document, is_photo, title

ARCHIVE = re.compile(rf".+\.zip|{tars.PACKED.pattern}", re.IGNORECASE | re.DOTALL)


def open_source(
    source: str | Path,
    *,
    resolution: int,
    limit: int | None = None,
    labels: str | Path | None = None,
) -> Source:
    """List the images of a source.

    Args:
        source: A folder of photos, a zip or tar of photos, WebDataset's shards (a folder or a
            pattern such as `data/{000000..000146}.tar`), parquet files or a folder of them, a
            folder or file of MNIST's idx files, a folder with one archive in it, `portraits` or
            `portraits:5000` for built-in drawings, or the name of a data set that is downloaded if it
            is not there; a path of that name comes first.
        resolution: Side in pixels at which portraits are drawn.
        limit: Take at most so many images, the first by name; where a source has a split of its
            own, of both sides in proportion.
        labels: A file of labels, or a folder of such files; `none` for no labels but those that the
            source itself has. By default well-known files in the source or beside it are found.

    Returns:
        The source, with at least one entry, and with its labels.

    Raises:
        DataError: Nothing is there, it holds no files, or it is damaged; or so are the labels.
        MissingExtraError: Parquet files need pyarrow.
        UsageError: The number of portraits is not a number, or a range of shards is none.
        DownloadError: A data set cannot be had.
    """
    published = is_name(str(source)) and not Path(source).exists()
    if published:
        from facesmith.data.downloads.fetching import fetch_photos  # HTTP and TLS: few need them

        source = fetch_photos(str(source))
    found, path = _listed(source, resolution, limit)
    # Figures on a published set compare only where each of its images stays.
    found = replace(found, curated=found.curated or published)
    if found.entries:
        found = annotated(found, path, labels)
    if not found.entries:
        raise DataError(
            f"{source} holds no files.",
            needed="at least one photo; hidden files do not count",
            todo="put photos there, or pass another folder or file",
        )
    if limit is None or limit >= len(found.entries):
        return found
    told = found.annotations
    held_out = [told is not None and told.side(e.name) == "held-out" for e in found.entries]
    return replace(found, entries=of_both_sides(found.entries, held_out, limit))


def _listed(source: str | Path, resolution: int, limit: int | None) -> tuple[Source, Path]:
    """List what was named, and say where it is: what is packed in a folder counts as its place."""
    word, _, count = str(source).partition(":")
    path = Path(source)
    if word == "portraits" and not path.exists():
        return drawn.source(count, resolution), path
    if path.is_dir():
        if idx.is_source(path):
            return idx.source(path, limit), path
        found = folders.source(path)
        return _packed(found, path, limit) or (found, path)
    if path.is_file():
        return _file(path, limit), path
    if shards.is_pattern(str(source)):
        return tars.source(shards.expand(str(source)), title(path)), path
    raise DataError(
        f"There is nothing at {source}{meant(str(source))}.",
        needed="a folder, zip, tar or parquet file of photos, MNIST's idx files, "
        "the word portraits, or a data set's name",
        todo="check the path, try the built-in portraits, or see `facesmith download`",
    )


def _file(path: Path, limit: int | None) -> Source:
    if idx.is_source(path):
        return idx.source(path, limit)
    if parquet.is_source(path):
        return parquet.source([path], title(path), limit)
    if tars.is_source(path):
        return tars.source([path], title(path))
    return zips.source(path)


def _packed(found: Source, folder: Path, limit: int | None) -> tuple[Source, Path] | None:
    """Look into a folder that holds no photo, but what photos are packed in, and documents."""
    names = [entry.name for entry in found.entries if not is_document(entry.name)]
    if any(map(is_photo, names)):
        return None
    paths = [folder / name for name in names]
    plain = [path for path in paths if tars.PLAIN.fullmatch(path.name)]
    tables = [path for path in paths if path.name.lower().endswith(parquet.SUFFIX)]
    if plain and len(plain) + len(tables) == len(paths):  # img2dataset has a table beside each tar
        return tars.source(plain, title(folder)), folder
    if tables and len(tables) == len(paths):
        return parquet.source(tables, title(folder), limit), folder
    if len(paths) == 1 and ARCHIVE.fullmatch(paths[0].name):
        return _file(paths[0], limit), paths[0]
    return None
