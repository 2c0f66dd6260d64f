"""Annotation files are found: those that were named, or well-known ones in or beside the photos."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.sources.annotations import Photos, Table, join
from facesmith.data.sources.contract import Entry, Item, Source
from facesmith.data.sources.limits import MAX_FILE_BYTES, is_photo
from facesmith.data.sources.naming import tables_of_names
from facesmith.data.sources.tables import read_table

NO_LABELS = "none"
CELEBA = (
    *("list_attr_celeba", "identity_CelebA", "list_eval_partition"),
    "list_landmarks_align_celeba",
)
"""The boxes are not among them: they belong to the pictures before they were cropped."""
CELEBA_FILES = {f"{name.lower()}{suffix}" for name in CELEBA for suffix in (".txt", ".csv")}
CELEBA_PHOTO = re.compile(r"(.*/)?\d{6}\.\w+", re.ASCII | re.DOTALL)
LABELS = "labels.csv"
STYLEGAN = "dataset.json"
KNOWN = {*CELEBA_FILES, LABELS, STYLEGAN}
SUFFIXES = (".csv", ".tsv", ".txt", ".json")
MAX_FILES = 50
"""Annotation files in one folder; more would be captions of single photos."""

Candidate = tuple[str, Callable[[], Table]]
"""A file that may hold labels, by name, and what reads it."""

log = logging.getLogger(__name__)


def annotated(source: Source, path: Path, labels: str | Path | None) -> Source:
    """Give a source the labels that lie in it, beside it, or where the user says.

    Without a word of the user only well-known names count, and only where they name at least half
    of the photos: CelebA's files, in the layouts of its authors and of Kaggle; a `labels.csv` among
    the photos or beside them; StyleGAN's `dataset.json` among them. Names of photos and of folders
    tell labels too.

    Args:
        source: The listed source.
        path: Where it is.
        labels: An annotation file, or a folder of them; `none` for no labels; None to look around.

    Returns:
        The source with its annotations; files that are used as such are no longer among its photos.

    Raises:
        DataError: What the user named cannot be read, or names none of the photos.
    """
    if labels is not None and str(labels) == NO_LABELS:
        return replace(source, annotations=None)
    photos = Photos([entry.name for entry in source.entries])
    if labels is not None:
        found = _named_by_user(photos, Path(labels))
        tables, used = list(found.values()), _inside(path, found)
    elif source.annotations is not None or source.label_names or source.own_split:
        return source
    else:
        found = _looked_up(source, path, photos)
        named = tables_of_names([name for name in photos.names if name not in found])
        tables, used = [*found.values(), *named], set(found)
    annotations = join(photos, tables, taken=source.label_names)
    return replace(
        source,
        entries=[entry for entry in source.entries if entry.name not in used],
        annotations=annotations,
        own_split=source.own_split or (annotations is not None and annotations.sides is not None),
    )


def _readable(candidates: Iterable[Candidate]) -> dict[str, Table]:
    """Read what can be read; the rest is no reason to stop, since nobody asked for it."""
    tables = {}
    for name, read in candidates:
        try:
            tables[name] = read()
        except DataError as error:
            log.warning("%s", error.given)
        except OSError as error:
            log.warning("%s cannot be read: %s", name, error.strerror)
    return tables


def _read(file: Path) -> Table:
    with file.open("rb") as stream:
        data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise DataError(
            f"{file} is longer than {MAX_FILE_BYTES:,} bytes.",
            needed="a file of labels",
            todo="pass another file",
        )
    return read_table(f"{file.absolute().parent.name}/{file.name}", data)


# ---- named by the user


def _named_by_user(photos: Photos, labels: Path) -> dict[str, Table]:
    """Read the file, or the files of the folder, that name photos of the source."""
    try:
        if labels.is_dir():
            files = sorted(f for f in labels.iterdir() if f.suffix.lower() in SUFFIXES)
            if len(files) > MAX_FILES:
                raise DataError(
                    f"The folder {labels} holds {len(files):,} files that could be labels.",
                    needed=f"a file, or a folder of at most {MAX_FILES}, each with a row a photo",
                    todo="name one file",
                )
            tables = _readable((str(file), partial(_read, file)) for file in files)
        else:
            tables = {str(labels): _read(labels)}
    except OSError as error:
        raise DataError(
            f"The labels {labels} cannot be read: {error.strerror}.",
            needed="a file that names photos and their labels, or a folder of such files",
            todo=f"check the path; --labels {NO_LABELS} does without labels",
        ) from error
    useful = {name: table for name, table in tables.items() if (photos.rows(table) >= 0).any()}
    if not useful:
        theirs = [table.files[0] for table in tables.values()]
        raise DataError(
            f"The labels {labels} name none of the {len(photos.names):,} photos"
            + (f": they begin with {theirs[0]}." if theirs else "."),
            needed=f"names such as {photos.names[0]}",
            todo=f"check what belongs together; --labels {NO_LABELS} does without labels",
        )
    for name in sorted(tables.keys() - useful.keys()):
        log.warning("%s names none of the photos", name)
    return useful


def _inside(path: Path, files: Iterable[str]) -> set[str]:
    """Give the names, among a folder's entries, of those files that lie in the folder."""
    root = path.resolve()
    places = [file.parent.resolve() / file.name for file in map(Path, files)]
    return {place.relative_to(root).as_posix() for place in places if place.is_relative_to(root)}


# ---- looked up


def _looked_up(source: Source, path: Path, photos: Photos) -> dict[str, Table]:
    """Read well-known files among the entries, or else beside the source."""
    for candidates in (_among(source), _beside(path.resolve(), photos.names)):
        # CelebA's files tell of one set together; any other file stands alone.
        groups: defaultdict[str, list[Candidate]] = defaultdict(list)
        for name, read in candidates:
            groups["CelebA" if _base(name) in CELEBA_FILES else name].append((name, read))
        found: dict[str, Table] = {}
        for group in groups.values():
            tables = _readable(group)
            if _names_half(photos, tables.values()):
                found |= tables
        if found:
            return found
    return {}


def _names_half(photos: Photos, tables: Iterable[Table]) -> bool:
    """Say whether tables name at least half of the photos, and none of them twice."""
    named = np.zeros(len(photos.names), dtype=bool)
    for table in tables:
        try:
            named |= photos.rows(table) >= 0
        except DataError as error:
            log.warning("%s", error.given)
            return False
    is_one = np.array([is_photo(name) for name in photos.names])
    return bool(2 * (named & is_one).sum() >= is_one.sum() > 0)


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].lower()


def _among(source: Source) -> Iterator[Candidate]:
    for entry in source.entries:
        if _base(entry.name) in KNOWN:
            yield entry.name, partial(_read_entry, source, entry)


def _read_entry(source: Source, entry: Entry) -> Table:
    item = next(source.reader.read([entry]))
    if isinstance(item, Item) and isinstance(item.content, bytes):
        return read_table(entry.name, item.content)
    raise DataError(f"{entry.name}: {item}", needed="a file of labels", todo="remove it")


def _beside(root: Path, names: Sequence[str]) -> Iterator[Candidate]:
    folder = root.parent
    if (file := folder / LABELS).is_file():
        yield str(file), partial(_read, file)
    # Others number their photos too, so that six digits are asked for before looking further.
    if 2 * sum(CELEBA_PHOTO.fullmatch(name) is not None for name in names) < len(names):
        return
    places = [folder, *_folders_of(folder), folder.parent]
    places += [folder.parent / name for name in ("Anno", "Eval")]
    for name in CELEBA:
        files = (place / f"{name}{end}" for place in places for end in (".txt", ".csv"))
        if (file := next((f for f in files if f.is_file()), None)) is not None:  # type: ignore[assignment]
            yield str(file), partial(_read, file)


def _folders_of(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:  # a folder above the photos is nobody's business
        return []
