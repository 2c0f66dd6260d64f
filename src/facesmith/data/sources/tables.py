"""Annotation files as people publish them become tables.

CelebA's text files, tables with commas, and StyleGAN's `dataset.json`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.sources.annotations import SIDES, Cells, Column, Table
from facesmith.data.sources.contract import Side
from facesmith.data.sources.limits import is_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE_COLUMNS = {
    *("file", "files", "file_name", "filename", "filepath", "file_path", "name", "path"),
    *("image", "image_id", "image_name", "image_path", "img", "img_name", "photo"),
}
"""What a column that names photos is called, in any case of letters."""
SIDE_WORDS: dict[str, Side] = {
    **dict.fromkeys(("0", "train", "training"), "train"),
    **dict.fromkeys(("1", "val", "valid", "validation", "dev"), "held-out"),
    **dict.fromkeys(("2", "test", "testing", "held-out"), "held-out"),
}
"""CelebA's numbers and everybody's words; what is not for training is held out."""
HEADLESS = {"identity_celeba": ["identity"], "list_eval_partition": ["partition"]}
"""Columns of CelebA's text files that have no first line of names."""
BLOCK_ROWS = 4096

log = logging.getLogger(__name__)


def read_table(origin: str, data: bytes) -> Table:
    """Read an annotation file.

    Args:
        origin: Its name; the end says which kind it is: .csv, .tsv, .json, or CelebA's text.
        data: Its content.

    Returns:
        Names of photos, and columns of labels; a column `partition` or `split` of train,
        validation and test becomes sides.

    Raises:
        DataError: It is damaged, or names no photos.
    """
    kind = PurePath(origin).suffix.lower()
    head = data[:200].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        raise _unusable(origin, "it is a web page; a download quota page?")
    try:
        if kind == ".json":
            files, columns = _stylegan(origin, data)
        else:
            # Names that are no UTF-8 are kept as the file system would give them.
            text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "surrogateescape", newline="")
            rows = _commas if kind in (".csv", ".tsv") else _celeba
            files, columns = rows(origin, text)
    except (csv.Error, ValueError, RecursionError) as error:
        raise _unusable(origin, str(error)) from error
    if "attr" in PurePath(origin).name.lower():
        columns = _from_signs(columns)
    sides = _take_sides(columns)
    return Table(origin, files, columns, sides, hashlib.sha256(data).hexdigest())


def _celeba(origin: str, text: Iterable[str]) -> tuple[list[str], dict[str, Column]]:
    """Read a count, names of columns, and rows `file value value ...`; or the rows alone."""
    rows = (line.split() for line in text if not line.isspace())
    first = next(rows, [])
    promised, names = None, HEADLESS.get(PurePath(origin).stem.lower(), [])
    if len(first) == 1 and first[0].isdecimal():
        promised, names, first = int(first[0]), next(rows, []), next(rows, [])
        if len(names) == len(first):  # the list of boxes names its first column too
            names = names[1:]
    if not names:
        names = ["label"] if len(first) == 2 else [f"label_{i}" for i in range(len(first) - 1)]
    files, columns = _columns(origin, ["", *names], chain([first] if first else [], rows), key=0)
    if promised is not None and promised != len(files):
        log.warning("%s promises %d rows and holds %d", origin, promised, len(files))
    return files, columns


def _commas(origin: str, text: Iterable[str]) -> tuple[list[str], dict[str, Column]]:
    lines = iter(text)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    rows = (row for row in csv.reader(chain([first], lines), delimiter=delimiter) if row)
    header = [name.strip() for name in next(rows, [])]
    key = next((i for i, name in enumerate(header) if name.lower() in FILE_COLUMNS), None)
    if key is None:
        row = next(rows, [])
        if not header or is_photo(header[0]) or not (row and is_photo(row[0])):
            raise _unusable(origin, f"none of its columns names photos: {', '.join(header)[:200]}")
        key, rows = 0, chain([row], rows)  # type: ignore[assignment]
    return _columns(origin, header, rows, key)


def _stylegan(origin: str, data: bytes) -> tuple[list[str], dict[str, Column]]:
    """Read `{"labels": [["00000/img00000000.png", 6], ...]}`; a label may be a list of numbers."""

    def as_list(value: object) -> list[object]:
        return value if isinstance(value, list) else [value]

    content = json.loads(data)
    try:
        pairs = [(str(file), as_list(value)) for file, value in content["labels"]]
        width = len(pairs[0][1])
    except (KeyError, IndexError, TypeError, ValueError):
        raise _unusable(origin, "it holds no list of files with their labels") from None
    rows = ([file, *map(cell, value)] for file, value in pairs)
    names = ["label"] if width == 1 else [f"label_{i}" for i in range(width)]
    return _columns(origin, ["", *names], rows, key=0)


def cell(value: object) -> str:
    """Write a value of JSON as a table would.

    Args:
        value: A number, a text, true, false, or null for a missing value.

    Returns:
        Its text; 1 and 0 for true and false.
    """
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def _columns(
    origin: str, header: list[str], rows: Iterator[list[str]], key: int
) -> tuple[list[str], dict[str, Column]]:
    """Sort cells into columns, a block of rows at a time."""
    files: list[str] = []
    cells = [Cells() for _ in header]
    while block := list(islice(rows, BLOCK_ROWS)):
        if {len(header)} != set(map(len, block)):
            place, odd = next((i, r) for i, r in enumerate(block) if len(r) != len(header))
            where = f"row {len(files) + place + 1:,}"
            raise _unusable(origin, f"{where} has {len(odd)} values instead of {len(header)}")
        for index, (column, values) in enumerate(zip(cells, zip(*block, strict=True), strict=True)):
            if index == key:
                files.extend(value.strip() for value in values)
            else:
                column.extend(values)
    if not files:
        raise _unusable(origin, "it has no rows")
    # A column without a name is the numbering that pandas adds.
    named = [(n, c) for i, (n, c) in enumerate(zip(header, cells, strict=True)) if n and i != key]
    columns = {name: column.column() for name, column in named}
    if len(columns) != len(named):
        raise _unusable(origin, "two of its columns have one name")
    return files, columns


def _from_signs(columns: dict[str, Column]) -> dict[str, Column]:
    """Turn CelebA's -1 and 1 into 0 and 1."""
    signs = [column.values for column in columns.values()]
    if not all(values.dtype == np.int8 and np.isin(values, (-1, 1)).all() for values in signs):
        return columns
    return {name: Column(np.maximum(column.values, 0)) for name, column in columns.items()}


def _take_sides(columns: dict[str, Column]) -> NDArray[np.int8] | None:
    """Remove the column that is a split, if there is one, and read it."""
    for name in [name for name in columns if name.lower() in ("partition", "split")]:
        column = columns[name]
        values = column.cells
        words = [str(value).lower() for value in values if value is not None]
        if words and SIDE_WORDS.keys() >= set(words):
            del columns[name]
            codes = {word: SIDES[side] for word, side in SIDE_WORDS.items()}
            return np.array([codes.get(str(value).lower(), 0) for value in values], dtype=np.int8)
    return None


def _unusable(origin: str, detail: str) -> DataError:
    return DataError(
        f"{origin} cannot be used for labels: {detail}.",
        needed="CelebA's text files, a table with commas whose first line names its columns and "
        "one of them (file, image, image_id ...) the photos, or StyleGAN's dataset.json",
        todo="correct or download it again",
    )
