"""WebDataset's samples: what shares its name with a photo, up to a dot, tells its labels."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import repeat

from facesmith.data.sources.annotations import MAX_TEXT, Cells, Table
from facesmith.data.sources.contract import Entry
from facesmith.data.sources.tables import cell

ENDINGS = (".cls", ".json", ".txt")
"""A class becomes the label `label`, a text `text`, and each plain field of JSON one of its name."""
MAX_LABEL_BYTES = 2**20


def may_be_label(name: str, size: int) -> bool:
    """Say whether a member can be the labels of a photo beside it.

    Args:
        name: Of the member.
        size: Its bytes.

    Returns:
        Whether it should be given to `Samples.add`.
    """
    return name.lower().endswith(ENDINGS) and size <= MAX_LABEL_BYTES


class Samples:
    """Collects labels, one tar after another."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._columns: defaultdict[str, Cells] = defaultdict(Cells)
        self._identity = hashlib.sha256()
        self._waiting: defaultdict[str, list[tuple[Entry, dict[str, str]]]] = defaultdict(list)

    def add(self, entry: Entry, member: str, data: bytes) -> bool:
        """Take a member that may be labels; its photo may come before it or after it.

        Args:
            entry: The member as an entry of the source.
            member: Its name in the tar.
            data: Its content.

        Returns:
            Whether it can be read as labels.
        """
        stem, _, ending = member.rpartition(".")
        try:
            fields = dict(_fields(ending.lower(), data))
        except (ValueError, RecursionError):
            return False
        self._waiting[stem].append((entry, fields))
        return True

    def match(self, photos: Iterable[tuple[str, str]]) -> list[Entry]:
        """Bring the labels of one tar to its photos.

        Args:
            photos: Name in the tar and name of the entry of each.

        Returns:
            What was taken for labels, but has no photo.
        """
        used = set()
        for member, name in dict(photos).items():
            folder, slash, base = member.rpartition("/")
            stem, first = base.rpartition(".")[0], base.partition(".")[0]
            keys = (f"{folder}{slash}{stem}", f"{folder}{slash}{first}")
            if (key := next((key for key in keys if key in self._waiting), None)) is not None:
                used.add(key)
                self._append(name, self._waiting[key])
        left = [e for key, found in self._waiting.items() if key not in used for e, _ in found]
        self._waiting.clear()
        return left

    def table(self) -> Table | None:
        """Give all labels that were matched.

        Returns:
            A row for each photo that has some; None where none has.
        """
        if not self._files:
            return None
        for cells in self._columns.values():
            cells.extend(repeat("", len(self._files) - len(cells)))
        columns = {name: self._columns[name].column() for name in sorted(self._columns)}
        return Table("the samples", self._files, columns, revision=self._identity.hexdigest())

    def _append(self, name: str, found: list[tuple[Entry, dict[str, str]]]) -> None:
        fields = {label: text for _, each in found for label, text in each.items()}
        for label, text in fields.items():
            cells = self._columns[label]
            cells.extend(repeat("", len(self._files) - len(cells)))
            cells.extend([text])
        self._files.append(name)
        told = f"{name}\0{sorted(fields.items())}\0"
        self._identity.update(told.encode("utf-8", "backslashreplace"))


def _fields(ending: str, data: bytes) -> Iterator[tuple[str, str]]:
    if ending == "json":
        content = json.loads(data)
        if not isinstance(content, dict):
            raise ValueError("no fields")
        for name, value in content.items():
            if value is None or isinstance(value, (str, int, float)):
                yield name, cell(value)[:MAX_TEXT]
    else:
        text = data.decode("utf-8").strip()
        yield ("label" if ending == "cls" else "text"), text[:MAX_TEXT]
