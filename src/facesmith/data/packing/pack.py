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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self, cast, get_args

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

BYTES_PER_RECORD = 1024
"""Upper estimate of what the journal and the lists need for one image."""
Fate = Literal["train", "held-out", "rejected"]
FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one image that was cut from a photo, as far as it is known of itself."""

    name: str
    """Of the photo in its source."""
    face: int
    """Which of the photo's faces, from 1; 0 where the photo gave one image."""
    fate: Fate
    reason: str
    """Why it was rejected, as `kind: detail`; empty otherwise."""
    sha256: str
    """Of the photo; empty when it could not be read."""
    shown: bool
    """Whether its pixels are written; some that are rejected have some."""
    labels: tuple[Any, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    """What was measured."""
    signature: str = ""
    """By which copies are found that are not equal to the bit."""

    def as_list(self) -> list[Any]:
        """Give the fields as JSON can hold them."""
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def from_list(cls, fields: list[Any]) -> Record:
        """Undo `as_list`.

        Args:
            fields: Its output.

        Returns:
            The record.
        """
        name, face, fate, reason, sha256, shown, labels, *rest = fields
        return cls(name, face, fate, reason, sha256, shown, tuple(labels), *rest)


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
        self.rows: dict[Fate, int] = dict.fromkeys(FATES, 0)
        """Images that there are pixels of."""
        self.done = 0
        """Photos of the source that are through."""
        self._settings = settings
        self._files: dict[Fate, BinaryIO] = {}
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

    def check_space(self, images: int, *, copies: int) -> None:
        """Refuse to begin what the disk cannot hold.

        Args:
            images: Images still to be written.
            copies: How often: twice where some will be sorted out at the end, for then the rows are
                written anew before the first ones go.

        Raises:
            StorageError: There is less free space than they need.
        """
        needed = images * (copies * self.row_bytes + BYTES_PER_RECORD)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise StorageError(
                f"{self.folder} has {free / 1e6:,.0f} MB free.",
                needed=f"{needed / 1e6:,.0f} MB for {images:,} images of {self.shape[0]} pixels",
                todo="free some space, run `facesmith prepare PHOTOS --out DATASET` for another disk, "
                "or choose a lower --resolution",
            )

    def append(self, photos: int, records: Sequence[Record], pixels: NDArray[np.uint8]) -> None:
        """Write one chunk.

        Args:
            photos: Of the source, in this chunk.
            records: What became of each image cut from them.
            pixels: Array (N, H, W, C): of the records that are shown, in the same order.

        Raises:
            StorageError: The disk is full or failing; what was written before stays valid.
        """
        fates = [record.fate for record in records if record.shown]
        checksums = {}
        with explained(self.folder):
            for fate, file in self._files.items():
                rows = pixels[[this == fate for this in fates]]
                data = rows.tobytes()
                _write(file, data)
                self.rows[fate] += len(rows)
                checksums[fate] = zlib.crc32(data)
            line = {
                "photos": photos,
                "checksums": checksums,
                "records": [record.as_list() for record in records],
            }
            self._write_line(line)
        self.done += photos

    def records(self) -> Iterator[Record]:
        """Read back everything that was appended.

        Yields:
            One record an image, in order.
        """
        for line, _ in self._lines():
            yield from map(Record.from_list, line.get("records", ()))

    def row(self, fate: Fate, number: int) -> bytes:
        """Read the pixels of one image.

        Args:
            fate: Under which it was written.
            number: Its place among those.

        Returns:
            The bytes of a row.
        """
        file = self._files[fate]
        file.seek(HEADER_BYTES + number * self.row_bytes)
        return file.read(self.row_bytes)

    def close_rows(self, side: Side, rows: Iterable[tuple[Fate, int]] | None) -> None:
        """Turn rows into a finished .npy file.

        Args:
            side: Whose file.
            rows: Fate and number of each of its images as they were written; None where the images
                are those that were written to this side, all and in order.
        """
        final = self.folder / ROWS[side]
        if rows is None:
            _finish_rows(self._files[side], (self.rows[side], *self.shape))
            self._partial(side).replace(final)
            return
        with final.open("w+b") as file:
            file.write(bytes(HEADER_BYTES))
            count = 0
            for count, (fate, number) in enumerate(rows, 1):  # noqa: B007
                file.write(self.row(fate, number))
            _finish_rows(file, (count, *self.shape))

    def complete(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, which makes the folder a dataset, and remove the journal.

        Args:
            manifest: What `dataset.json` will hold.
        """
        write_whole(self.folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")
        remove_partials(self.folder)

    # ---- resuming

    def _begin(self) -> None:
        for side, name in ROWS.items():
            final, partial = self.folder / name, self._partial(side)
            if final.exists() and not partial.exists():  # killed while finishing
                final.replace(partial)
        for fate in FATES:
            self._partial(fate).touch()
            self._files[fate] = _open(self._partial(fate), "r+b")

        valid = self._check_journal()
        self._journal.truncate(valid)
        if valid == 0:
            self._write_line({"settings": self._settings})
        for fate, file in self._files.items():
            file.truncate(HEADER_BYTES + self.rows[fate] * self.row_bytes)
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
        records = map(Record.from_list, line["records"])
        fates = [record.fate for record in records if record.shown]
        for fate, file in self._files.items():
            data = file.read(fates.count(fate) * self.row_bytes)
            if len(data) != fates.count(fate) * self.row_bytes:
                return False
            if zlib.crc32(data) != line["checksums"][fate]:
                return False
        for fate in self.rows:
            self.rows[fate] += fates.count(fate)
        self.done += line["photos"]
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

    def _partial(self, fate: Fate) -> Path:
        return self.folder / f"{fate}.npy{PARTIAL}"


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
