"""Labels that lie beside photos, in little memory: columns of values, found by a photo's name.

A label that a photo does not have is a missing value, `None`; nothing is guessed.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.sources.contract import Entry, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_TEXT = 1000
"""Characters of a label that are kept; captions may be longer."""
INTEGER = re.compile(r"-?[0-9]{1,19}")
SIDES: dict[Side, int] = {"train": 1, "held-out": 2}
"""How sides are stored; 0 leaves a photo to the split."""
SIDE_OF = {code: side for side, code in SIDES.items()}
RESERVED = ("split", "row")
"""Columns that `labels.csv` has of its own."""

log = logging.getLogger(__name__)


# ---- columns


@dataclass(frozen=True, eq=False)
class Column:
    """The values of one label.

    Whole numbers are as small as their range allows, and their lowest is the missing value; of
    other numbers it is NaN; text is a number into its distinct words.
    """

    values: NDArray[Any]
    words: tuple[str, ...] = ()

    @cached_property
    def missing(self) -> float:
        """What stands for a missing value."""
        return _missing(self.values.dtype)

    @cached_property
    def cells(self) -> list[int | float | str | None]:
        """All values as Python has them, numbers or texts; None where one is missing."""
        known = (self.values != self.missing) & (self.values == self.values)
        values = zip(self.values.tolist(), known.tolist(), strict=True)
        if self.words:
            return [self.words[value] if here else None for value, here in values]
        return [value if here else None for value, here in values]

    def array(self) -> NDArray[Any]:
        """Give all values as numpy has them.

        Returns:
            Array (N,) of int64; of float64 where numbers are broken or some are missing, as NaN; of
            text where words are not numbers, empty where it is missing.
        """
        if self.values.dtype.kind == "f":
            return self.values.astype(np.float64)
        missing = self.values == self.missing
        if self.words:
            return np.array([*self.words, ""])[np.where(missing, len(self.words), self.values)]
        if missing.any():
            return np.where(missing, np.nan, self.values)
        return self.values.astype(np.int64)

    def take(self, rows: NDArray[np.int32]) -> Column:
        """Rearrange the values.

        Args:
            rows: Array (N,) of rows; -1 gives a missing value.

        Returns:
            A column of N values.
        """
        values = self.values[rows]
        values[rows < 0] = self.missing
        return Column(values, self.words)


def _missing(kind: np.dtype[Any]) -> float:
    return float("nan") if kind.kind == "f" else int(np.iinfo(kind).min)


class Cells:
    """The cells of one column while they are read: each is a number into the distinct texts."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._words: defaultdict[str, int] = defaultdict()
        self._words.default_factory = self._words.__len__

    def __len__(self) -> int:
        return len(self._codes)

    def extend(self, cells: Iterable[str]) -> None:
        """Append cells.

        Args:
            cells: Their texts; an empty one is a missing value.
        """
        self._codes.extend(map(self._words.__getitem__, cells))

    def column(self) -> Column:
        """Find out what the texts are.

        Returns:
            Whole numbers if all texts are, else numbers, else words.
        """
        words = [word.strip()[:MAX_TEXT] for word in self._words]
        known = [word for word in words if word]
        missing = np.array([not word for word in words], dtype=bool)
        codes = np.array(self._codes, dtype=np.int32)
        if (numbers := _numbers(known)) is None:
            distinct = {word: code for code, word in enumerate(dict.fromkeys(known))}
            numbers, known = np.array([distinct[word] for word in known], np.int32), list(distinct)
        else:
            known = []
        table = np.empty(len(words), numbers.dtype)
        table[~missing], table[missing] = numbers, _missing(numbers.dtype)
        return Column(table[codes] if len(words) else numbers, tuple(known))


def _numbers(words: Sequence[str]) -> NDArray[Any] | None:
    """Read all words as numbers; None where one is no number."""
    if words and all(map(INTEGER.fullmatch, words)):
        whole = [int(word) for word in words]
        for kind in (np.int8, np.int16, np.int32, np.int64):
            if np.iinfo(kind).min < min(whole) and max(whole) <= np.iinfo(kind).max:
                return np.array(whole, dtype=kind)
    try:
        # Python reads 1_000 as a number; people do not.
        return np.array([float(word.replace("_", "?")) for word in words], dtype=np.float64)
    except ValueError:
        return None


# ---- tables and what they tell about the photos of a source


@dataclass(frozen=True, eq=False)
class Table:
    """One annotation file as it was read."""

    origin: str
    """Which file, for people."""
    files: Sequence[str]
    """What its rows are about: names of photos, with folders or without."""
    columns: dict[str, Column]
    sides: NDArray[np.int8] | None = None
    """Of each row, a value of `SIDES` or 0."""
    revision: str = ""
    """Changes with its content."""


@dataclass(frozen=True, eq=False)
class Annotations:
    """Labels for the photos of a source, and where its authors put them; made by `join`."""

    names: tuple[str, ...]
    """Of the labels."""
    origins: tuple[str, ...]
    """Where they come from, for people."""
    revision: str
    """Changes with any of the labels."""
    rows: dict[str, int]
    """Name of each photo -> its row."""
    columns: tuple[Column, ...]
    sides: NDArray[np.int8] | None = None

    def labels(self, name: str) -> tuple[int | float | str | None, ...]:
        """Give the labels of one photo.

        Args:
            name: Of its entry.

        Returns:
            One value a label; None where it is missing.
        """
        row = self.rows.get(name)
        if row is None:
            return (None,) * len(self.columns)
        return tuple(column.cells[row] for column in self.columns)

    def side(self, name: str) -> Side | None:
        """Say where the authors put a photo.

        Args:
            name: Of its entry.

        Returns:
            The side, or None where they do not say.
        """
        row = self.rows.get(name)
        if self.sides is None or row is None:
            return None
        return SIDE_OF.get(int(self.sides[row]))


def join(
    photos: Photos, tables: Sequence[Table], taken: Collection[str] = ()
) -> Annotations | None:
    """Bring what several tables tell to the photos of a source.

    Args:
        photos: Of the source.
        tables: Where two have a label of one name, the first counts.
        taken: Labels that the source has already.

    Returns:
        Labels and sides of all photos; None where no table names one of them.

    Raises:
        DataError: A table names a photo twice.
    """
    columns: dict[str, Column] = {}
    sides: NDArray[np.int8] | None = None
    origins, identity = [], hashlib.sha256()
    for table in tables:
        rows = photos.rows(table)
        if not (rows >= 0).any():
            continue
        origins.append(table.origin)
        told = f"{table.revision}\0{list(table.columns)}\0"
        identity.update(told.encode("utf-8", "backslashreplace"))
        for name, column in table.columns.items():
            name = label_name(name)
            if name in taken or name in columns:
                log.warning("%s: its label %s is there already", table.origin, name)
            else:
                columns[name] = column.take(rows)
        if table.sides is not None and sides is None:
            sides = np.where(rows < 0, 0, table.sides[rows]).astype(np.int8)
    if sides is not None and not (sides == SIDES["train"]).any():
        log.warning("the split that %s give leaves nothing to train on", ", ".join(origins))
        sides = None
    if not columns and sides is None:
        return None
    return Annotations(
        tuple(columns),
        tuple(origins),
        identity.hexdigest(),
        {name: row for row, name in enumerate(photos.names)},
        tuple(columns.values()),
        sides,
    )


def sides_alone(entries: Sequence[Entry], held_out: Sequence[bool]) -> Annotations:
    """Tell where the authors put each image, and nothing else.

    Args:
        entries: Of a source.
        held_out: Whether each is held out.

    Returns:
        What is known without reading the images.
    """
    rows = {entry.name: row for row, entry in enumerate(entries)}
    held = np.array([held_out[entry.index] for entry in entries], dtype=bool)
    sides = np.where(held, SIDES["held-out"], SIDES["train"]).astype(np.int8)
    return Annotations((), (), "", rows, (), sides)


def label_name(name: str) -> str:
    """Keep a label from being called like a column that `labels.csv` has of its own.

    Args:
        name: As its author wrote it.

    Returns:
        The name, with a line behind it where it is taken.
    """
    return f"{name}_" if name in RESERVED else name


class Photos:
    """The names of photos, to be found in tables.

    Args:
        names: Of a source's entries.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._plain = list(map(_plain, names))
        self._found: list[tuple[Sequence[str], NDArray[np.int32]]] = []

    def rows(self, table: Table) -> NDArray[np.int32]:
        """Find each photo's row in a table.

        A row belongs to the photo of its full name; else to the one whose path ends so; else to the
        one of its base name. Where that leaves several photos to one row, or several rows to one
        photo, nobody knows which is meant: they get none.

        Args:
            table: What to look in.

        Returns:
            Array (photos,) of rows; -1 where there is none.

        Raises:
            DataError: The table names a photo twice.
        """
        for files, found in self._found:
            if files == table.files:  # CelebA's files have the same rows
                return found
        found = self._search(table)
        self._found.append((table.files, found))
        return found

    def _search(self, table: Table) -> NDArray[np.int32]:
        rows: dict[str, int] = {}
        for row, file in enumerate(map(_plain, table.files)):
            if rows.setdefault(file, row) != row:
                raise DataError(
                    f"{table.origin} has two rows for {file}.",
                    needed="one row a photo",
                    todo="remove one of them",
                )
        bases = _unique_bases(rows)
        found = np.full(len(self.names), -1, dtype=np.int32)
        shortened = np.zeros(len(self.names), dtype=bool)
        for place, name in enumerate(self._plain):
            end = name
            while end not in rows and "/" in end:
                end = end.partition("/")[2]
            found[place] = rows[end] if end in rows else bases.get(end, -1)
            shortened[place] = end != name or end not in rows
        claims = np.bincount(found[found >= 0], minlength=len(rows) + 1)
        found[shortened & (claims[found] > 1)] = -1
        return found


def _unique_bases(rows: dict[str, int]) -> dict[str, int]:
    """Map base names to rows, where one base name is one row; -1 where it is several."""
    bases: dict[str, int] = {}
    for file, row in rows.items():
        if "/" in file:
            base = file.rpartition("/")[2]
            bases[base] = -1 if base in bases else row
    return bases


def _plain(name: str) -> str:
    """Write a name in one way, whatever system wrote it: macOS takes accents from their letters."""
    name = name.replace("\\", "/").removeprefix("./")
    return name if name.isascii() else unicodedata.normalize("NFC", name)
