"""Photos in parquet files, as the Hugging Face hub keeps them: an image column, labels beside it."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facesmith.base.errors import DataError, MissingExtraError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources.annotations import MAX_TEXT, label_name, sides_alone
from facesmith.data.sources.contract import Entry, Item, Side, Source, of_both_sides
from facesmith.data.sources.limits import bomb, gone, most_bytes, too_many_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SUFFIX = ".parquet"
MAGIC = b"PAR1"
TRAIN = re.compile(r"(.*[-_.])?train([-_.].*)?", re.IGNORECASE | re.DOTALL)
HELD_OUT = re.compile(r"(.*[-_.])?(valid|validation|val|test)([-_.].*)?", re.IGNORECASE | re.DOTALL)
BATCH_ROWS = 8
"""Rows in memory at once: all of them may name one large value that is stored once."""
BUFFER_BYTES = 2**20
"""Read ahead in a column; without it a whole row group would be read at once."""


def is_source(path: Path) -> bool:
    """Say whether a file is parquet.

    Args:
        path: A file.

    Returns:
        Whether its name or its first bytes say so.
    """
    if path.name.lower().endswith(SUFFIX):
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@dataclass(frozen=True)
class Part:
    """One file among those of the source."""

    path: str
    start: int
    """Number of its first row in the source."""
    version: int
    side: Side | None


@dataclass(frozen=True)
class ParquetReader:
    """Reads rows, a few at a time, however long a row group is."""

    parts: tuple[Part, ...]
    image: str
    labels: tuple[str, ...]

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        starts = [part.start for part in self.parts]
        for entry in entries:
            part = self.parts[bisect_right(starts, entry.index) - 1]
            try:
                version = Path(part.path).stat().st_mtime_ns
            except OSError as error:
                raise gone(part.path) from error
            if version != part.version:
                raise gone(part.path)
            rows = _rows(part.path, version, (self.image, *self.labels))
            try:
                row = rows.row(entry.index - part.start)
            except Exception as error:  # damaged pages make pyarrow raise many kinds
                _rows.cache_clear()
                detail = " ".join(str(error).split()) or type(error).__name__
                yield PhotoError("damaged", f"this part of {Path(part.path).name}: {detail}")
            else:
                yield self._item(row, part.side)

    def _item(self, row: dict[str, Any], side: Side | None) -> Item | PhotoError:
        image = row[self.image]
        content = image["bytes"] if isinstance(image, dict) else image
        if content is None:
            where = image.get("path") if isinstance(image, dict) else None
            return PhotoError(
                "no photo", f"the row only names {where}" if where else "an empty row"
            )
        labels = tuple(_label(row[name]) for name in self.labels)
        return too_many_bytes(len(content)) or Item(content, side, labels)


def _label(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return value[:MAX_TEXT]
    return None if value != value else value


class Rows:
    """Rows of one file, read forwards; going back begins again at the row's group.

    Args:
        path: The file.
        columns: What to read of it.
    """

    def __init__(self, path: str, columns: Sequence[str]) -> None:
        self._file = opened(Path(path))
        self._columns = list(columns)
        metadata = self._file.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(sizes)]
        """First row of each group, and of what would follow."""
        self._group = -1
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._batch: pa.RecordBatch | None = None
        self._first = self._end = 0
        """Rows of the batch."""

    def row(self, number: int) -> dict[str, Any]:
        """Read a row.

        Args:
            number: Of the row in the file.

        Returns:
            Its columns.
        """
        group = bisect_right(self._starts, number) - 1
        if group != self._group or number < self._first:
            self._group = group
            self._batches = self._file.iter_batches(
                BATCH_ROWS, row_groups=[group], columns=self._columns, use_threads=False
            )
            self._first = self._end = self._starts[group]
        while number >= self._end:
            self._batch = None  # memory holds one batch
            self._batch = next(self._batches)
            self._first, self._end = self._end, self._end + self._batch.num_rows
        assert self._batch is not None
        found: dict[str, Any] = self._batch.slice(number - self._first, 1).to_pylist()[0]
        return found


@lru_cache(maxsize=1)
def _rows(path: str, version: int, columns: tuple[str, ...]) -> Rows:
    return Rows(path, columns)


def opened(path: Path) -> pq.ParquetFile:
    """Open a parquet file.

    Args:
        path: The file.

    Returns:
        What reads it.

    Raises:
        DataError: It is damaged.
        MissingExtraError: pyarrow is not there.
    """
    try:
        import pyarrow.parquet as pq
    except Exception as error:  # a broken installation raises other errors than a missing one
        raise MissingExtraError(
            f"{path.name} is a parquet file, and pyarrow cannot be loaded: {error}.",
            needed="pyarrow, which reads parquet files",
            todo='pip install "facesmith[parquet]"',
        ) from error
    try:
        return pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)
    except Exception as error:  # hostile bytes make it raise many kinds
        raise DataError(
            f"{path} is not a whole parquet file: {' '.join(str(error).split()).rstrip('.')}.",
            needed="a file as the Hugging Face hub keeps them",
            todo="check that the download is complete, and download it again",
        ) from error


# ---- listing


def source(paths: Sequence[Path], name: str, limit: int | None = None) -> Source:
    """List the rows of parquet files.

    Files called `train` are trained on and those called `validation`, `valid`, `val` or `test` held
    out, where both are there; the hub may name the folder so instead of the file.

    Args:
        paths: The files.
        name: Of the source, for people.
        limit: Take at most so many rows, of both sides in proportion.

    Returns:
        The source; whole numbers, numbers, truth values and text beside the image are labels.

    Raises:
        DataError: A file is damaged, has no image column, or grows more than photos can.
        MissingExtraError: pyarrow is not there.
    """
    paths = sorted(paths)
    sides = [_side(path) for path in paths]
    own_split = {"train", "held-out"} <= set(sides)
    entries: list[Entry] = []
    held_out: list[bool] = []
    parts: list[Part] = []
    image, labels = "", None
    for path, side in zip(paths, sides, strict=True):
        file = opened(path)
        _check_growth(path, file.metadata)
        image, found = _columns(path, file.schema_arrow, image)
        labels = found if labels is None else [label for label in labels if label in found]
        version = path.stat().st_mtime_ns
        parts.append(Part(str(path), len(entries), version, side if own_split else None))
        stem = path.relative_to(_common(paths)).with_suffix("").as_posix()
        row = 0
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            size = group.total_byte_size // max(1, group.num_rows)
            for _ in range(group.num_rows):
                entries.append(Entry(f"{stem}/{row:07d}", size, len(entries), version))
                row += 1
        held_out += [own_split and side == "held-out"] * row
    names = tuple(labels or ())
    reader = ParquetReader(tuple(parts), image, names)
    if limit is not None:
        entries = of_both_sides(entries, held_out, limit)
    return Source(
        name,
        entries,
        reader,
        label_names=tuple(map(label_name, names)),
        own_split=own_split,
        annotations=sides_alone(entries, held_out) if own_split else None,
    )


def _check_growth(path: Path, metadata: pq.FileMetaData) -> None:
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    total = sum(group.total_byte_size for group in groups)
    packed = path.stat().st_size
    if total > most_bytes(packed):
        raise bomb(path, packed, f"{total:,}")


def _side(path: Path) -> Side | None:
    for name in (path.stem, path.parent.name):
        if TRAIN.fullmatch(name):
            return "train"
        if HELD_OUT.fullmatch(name):
            return "held-out"
    return None


def _common(paths: Sequence[Path]) -> str:
    return os.path.commonpath([path.parent for path in paths])


def _columns(path: Path, schema: pa.Schema, image: str) -> tuple[str, list[str]]:
    """Find the image column, the same in all files, and those that can be labels."""
    from pyarrow import types

    def is_image(kind: pa.DataType) -> bool:
        if types.is_struct(kind):
            return any(field.name == "bytes" and is_image(field.type) for field in kind)
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    def is_label(kind: pa.DataType) -> bool:
        if types.is_dictionary(kind):
            return is_label(kind.value_type)
        checks = (types.is_integer, types.is_floating, types.is_boolean)
        return any(check(kind) for check in (*checks, types.is_string, types.is_large_string))

    images = [field.name for field in schema if is_image(field.type)]
    # A mask or a depth map may stand before the photo.
    found = image or next((name for name in images if name == "image"), images[0] if images else "")
    if found not in images or not found:
        raise DataError(
            f"{path} has no column {image or 'of images'}, but {', '.join(schema.names)[:200]}.",
            needed="a column of files' bytes, as the Hugging Face hub keeps images",
            todo="pass files of one data set of images",
        )
    return found, [field.name for field in schema if is_label(field.type)]
