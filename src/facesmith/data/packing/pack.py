"""A dataset folder while it is written: rows of pixels, a journal, and the finish.

Each chunk's pixels are appended to the row files first and then described by one line of the
journal, which carries their checksums. What a killed process leaves is therefore a valid beginning:
opening the folder again checks it, cuts off what is not whole, and goes on from there.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self, cast

import numpy as np

from facesmith.base.errors import StorageError, UsageError
from facesmith.data.packing.files import (
    HEADER_BYTES,
    JOURNAL,
    MANIFEST,
    PARTIAL,
    ROWS,
    explained,
    lock,
    npy_header,
    remove_partials,
    sync,
    write_whole,
)
from facesmith.data.sources.contract import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTES_PER_RECORD = 256
"""Upper estimate of what the journal and the lists need for one image."""
Fate = Literal["train", "held-out", "rejected"]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one image of the source."""

    name: str
    fate: Fate
    reason: str
    """Why it was rejected, as `kind: detail`; empty otherwise."""
    sha256: str
    """Of the source bytes; empty when they could not be read."""
    enlarged: bool
    labels: tuple[Any, ...]

    def as_list(self) -> list[Any]:
        """Give the fields as JSON can hold them."""
        return [self.name, self.fate, self.reason, self.sha256, self.enlarged, list(self.labels)]

    def on_other_side(self) -> Record:
        """Exchange training and held-out; what is rejected stays so."""
        others: dict[Fate, Fate] = {"train": "held-out", "held-out": "train"}
        return replace(self, fate=others.get(self.fate, self.fate))

    @classmethod
    def from_list(cls, fields: list[Any]) -> Record:
        """Undo `as_list`.

        Args:
            fields: Its output.

        Returns:
            The record.
        """
        name, fate, reason, sha256, enlarged, labels = fields
        return cls(name, fate, reason, sha256, enlarged, tuple(labels))


class Pack:
    """A dataset folder that is open for writing; a context manager.

    Args:
        folder: Where to write; it is made when missing.
        settings: Everything that decides the pixels; a folder begun with other settings is refused.
        shape: Height, width and channels of a row.

    Raises:
        StorageError: The folder cannot be written, or another process writes it.
        UsageError: The folder holds something else, or was begun with other settings.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], shape: tuple[int, int, int]) -> None:
        self.folder = folder
        self.shape = shape
        self.row_bytes = int(np.prod(shape))
        self.rows: dict[Side, int] = {"train": 0, "held-out": 0}
        self.done = 0
        """Images of the source that are written or rejected."""
        self._settings = settings
        self._files: dict[Side, BinaryIO] = {}
        with explained(folder):
            _make(folder)
            self._journal: BinaryIO = _open(folder / JOURNAL, "a+b")
            try:
                lock(self._journal, folder)
                self._begin()
            except BaseException:
                self.__exit__(None, None, None)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in (*self._files.values(), self._journal):
            file.close()

    def check_space(self, images: int) -> None:
        """Refuse to begin what the disk cannot hold.

        Args:
            images: Images still to be written.

        Raises:
            StorageError: There is less free space than they need.
        """
        needed = images * (self.row_bytes + BYTES_PER_RECORD)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise StorageError(
                f"{self.folder} has {free / 1e6:,.0f} MB free.",
                needed=f"{needed / 1e6:,.0f} MB for {images:,} images of {self.shape[0]} pixels",
                todo="free some space, run `facesmith prepare PHOTOS --out DATASET` for another disk, "
                "or choose a lower --resolution",
            )

    def append(self, records: Sequence[Record], pixels: NDArray[np.uint8]) -> None:
        """Write one chunk.

        Args:
            records: What became of each of its images.
            pixels: Array (used images, H, W, C): those not rejected, in the same order.

        Raises:
            StorageError: The disk is full or failing; what was written before stays valid.
        """
        used = [record.fate for record in records if record.fate != "rejected"]
        checksums = {}
        with explained(self.folder):
            for side, file in self._files.items():
                rows = pixels[[fate == side for fate in used]]
                data = rows.tobytes()
                _write(file, data)
                self.rows[side] += len(rows)
                checksums[side] = zlib.crc32(data)
            line = {"checksums": checksums, "records": [record.as_list() for record in records]}
            self._write_line(line)
        self.done += len(records)

    def records(self, moved: AbstractSet[str] = frozenset()) -> Iterator[Record]:
        """Read back everything that was appended.

        Args:
            moved: Content hashes of the images that change sides.

        Yields:
            One record an image of the source, in order.
        """
        for line, _ in self._lines():
            for fields in line.get("records", ()):
                record = Record.from_list(fields)
                yield record.on_other_side() if record.sha256 in moved else record

    def close_rows(self, moved: AbstractSet[str]) -> None:
        """Turn the rows written so far into finished .npy files.

        Args:
            moved: Content hashes of the images that belong to the other side than the one they were
                written to.
        """
        counts: dict[Side, int] = {}
        for side, name in ROWS.items():
            final = self.folder / name
            if not moved:
                counts[side] = self.rows[side]
                _finish_rows(self._files[side], (counts[side], *self.shape))
                self._partial(side).replace(final)
                continue
            with final.open("w+b") as file:
                file.write(bytes(HEADER_BYTES))
                counts[side] = 0
                for row in self._rearranged(side, moved):
                    file.write(row)
                    counts[side] += 1
                _finish_rows(file, (counts[side], *self.shape))
        self.rows = counts

    def complete(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, which makes the folder a dataset, and remove the journal.

        Args:
            manifest: What `dataset.json` will hold.
        """
        write_whole(self.folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")
        remove_partials(self.folder)

    # ---- resuming

    def _begin(self) -> None:
        for side in ROWS:
            final, partial = self.folder / ROWS[side], self._partial(side)
            if final.exists() and not partial.exists():  # killed while finishing
                final.replace(partial)
            partial.touch()
            self._files[side] = _open(partial, "r+b")

        valid = self._check_journal()
        self._journal.truncate(valid)
        if valid == 0:
            self._write_line({"settings": self._settings})
        for side, file in self._files.items():
            file.truncate(HEADER_BYTES + self.rows[side] * self.row_bytes)
            file.seek(0, os.SEEK_END)

    def _check_journal(self) -> int:
        """Count the rows that the journal vouches for; return where its valid lines end."""
        end = 0
        for file in self._files.values():
            file.seek(HEADER_BYTES)
        for line, position in self._lines():
            if "settings" in line:
                if line["settings"] != self._settings:
                    raise other_settings(self.folder, line["settings"], self._settings)
            elif not self._has_rows(line):
                break
            end = position
        return end

    def _has_rows(self, line: dict[str, Any]) -> bool:
        fates = [record[1] for record in line["records"]]
        for side, file in self._files.items():
            data = file.read(fates.count(side) * self.row_bytes)
            if len(data) != fates.count(side) * self.row_bytes:
                return False
            if zlib.crc32(data) != line["checksums"][side]:
                return False
        for side in self.rows:
            self.rows[side] += fates.count(side)
        self.done += len(fates)
        return True

    def _lines(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield the journal's lines up to the first that is not whole, each with its end."""
        end = 0
        with (self.folder / JOURNAL).open("rb") as journal:
            for line in journal:
                checksum, _, text = line.partition(b" ")
                if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
                    return
                end += len(line)
                yield json.loads(text), end

    def _write_line(self, content: dict[str, Any]) -> None:
        text = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        _write(self._journal, b"%08x %b" % (zlib.crc32(text), text))

    def _rearranged(self, side: Side, moved: AbstractSet[str]) -> Iterator[bytes]:
        for file in self._files.values():
            file.seek(HEADER_BYTES)
        for before, after in zip(self.records(), self.records(moved), strict=True):
            if before.fate != "rejected":
                row = self._files[before.fate].read(self.row_bytes)
                if after.fate == side:
                    yield row

    def _partial(self, side: Side) -> Path:
        return self.folder / f"{ROWS[side]}{PARTIAL}"


def _open(path: Path, mode: Literal["a+b", "r+b"]) -> BinaryIO:
    # Unbuffered: after a full disk no forgotten bytes may be written when the file is closed.
    return cast("BinaryIO", path.open(mode, buffering=0))


def _write(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _finish_rows(file: BinaryIO, shape: tuple[int, ...]) -> None:
    file.seek(0)
    file.write(npy_header(shape))
    sync(file)


def other_settings(folder: Path, theirs: dict[str, Any], ours: dict[str, Any]) -> UsageError:
    """Explain that a folder was made, or begun, with other settings.

    Args:
        folder: The dataset's folder.
        theirs: Its settings.
        ours: Those asked for.

    Returns:
        The error to raise.
    """
    names = {"fingerprint": "photos (added, removed, renamed or written since)"}
    changed = [key for key in ours if theirs.get(key) != ours[key]]
    described = [
        names.get(key) or f"{key} {theirs.get(key)} instead of {ours[key]}" for key in changed
    ]
    return UsageError(
        f"{folder} was made with other settings: other {', other '.join(described)}.",
        needed="one folder for one dataset",
        todo="write to another folder, or delete this one first",
    )


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    inside = {path.name for path in folder.iterdir()}
    if (inside and JOURNAL not in inside) or MANIFEST in inside:
        raise UsageError(
            f"{folder} is not empty: it holds {min(inside)}.",
            needed="a new or an empty folder for the dataset",
            todo="choose another folder, or delete what is in it",
        )
