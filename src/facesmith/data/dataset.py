"""A prepared dataset: opened in a moment, read in batches, never loaded into memory."""

from __future__ import annotations

import copy
import csv
import math
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from facesmith.base.errors import StorageError
from facesmith.data.groups import balanced, column, subset
from facesmith.data.packing.files import (
    FILE_COLUMNS,
    FILES,
    HEADER_BYTES,
    LABELS,
    ROWS,
    file_sha256,
)
from facesmith.data.packing.manifest import read_manifest
from facesmith.data.sources.annotations import Cells
from facesmith.data.streams import Order, Shuffled, mirror, mirrored
from facesmith.data.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCK_ROWS = 4096
"""Rows of labels that are read at once."""


class Dataset:
    """Training images and held-out images of one folder; made by `Dataset.open`.

    Reading uses plain file reads, not the memory map, so memory stays bounded while all images
    pass by. An object may be used by several processes, and travels to them.

    Args:
        folder: A folder made by `prepare`.
        manifest: Content of its `dataset.json`.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        counts = manifest["counts"]
        self.summary = Summary(**counts)
        self.order: Order = Shuffled(self.summary.train)
        self.resolution: int = manifest["settings"]["resolution"]
        self.channels: int = manifest["settings"]["channels"]
        self.mean: tuple[float, ...] = tuple(manifest["mean"])
        """Of each channel of the training images, in [0, 1]."""
        self.std: tuple[float, ...] = tuple(manifest["std"])
        self._descriptor: int | None = None
        self._labels: dict[str, dict[str, NDArray[Any]]] | None = None

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open a dataset folder.

        Args:
            folder: Made by `prepare`.

        Returns:
            The dataset; no image is read yet.

        Raises:
            DataError: There is no finished dataset, or it is of a newer format.
            StorageError: A file is missing or has the wrong length.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        for name, expected in manifest["files"].items():
            path = folder / name
            actual = path.stat().st_size if path.is_file() else None
            if actual != expected["bytes"]:
                found = "missing" if actual is None else f"{actual:,} bytes long"
                raise _damaged(path, found, expected["bytes"])
        return cls(folder, manifest)

    # ---- the whole of it

    @property
    def shape(self) -> tuple[int, ...]:
        """Of `images`."""
        return (self.summary.train, *self.manifest["shape"])

    @property
    def nbytes(self) -> int:
        """Bytes of all training images."""
        return math.prod(self.shape)

    @property
    def images(self) -> NDArray[np.uint8]:
        """Training images, a memory map (N, H, W, C)."""
        return _mapped(self.folder / ROWS["train"])

    @property
    def held_out(self) -> NDArray[np.uint8]:
        """Held-out images, a memory map (M, H, W, C); M may be 0."""
        return _mapped(self.folder / ROWS["held-out"])

    @property
    def labels(self) -> dict[str, NDArray[Any]]:
        """One array (N,) a label for the training images: whole numbers, numbers or text.

        Where some values are missing, numbers are floats and those are NaN; missing text is empty.
        """
        return self._all_labels()["train"]

    @property
    def held_out_labels(self) -> dict[str, NDArray[Any]]:
        """One array (M,) a label for the held-out images."""
        return self._all_labels()["held-out"]

    @property
    def facts(self) -> dict[str, NDArray[np.float32]]:
        """What was measured of the training images: one array (N,) a fact, NaN where unknown."""
        return self._read_files()[1]

    @property
    def names(self) -> list[str]:
        """The photo that each training image was cut from."""
        return self._read_files()[0]

    def _read_files(self) -> tuple[list[str], dict[str, NDArray[np.float32]]]:
        names = [""] * self.summary.train
        with (self.folder / FILES).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            known = [name for name in rows.fieldnames or () if name not in FILE_COLUMNS]
            facts = {name: np.full(len(names), np.nan, np.float32) for name in known}
            for row in rows:
                if row["fate"] == "train":
                    place = int(row["row"])
                    names[place] = row["name"]
                    for name in known:
                        facts[name][place] = float(row[name] or "nan")
        return names, facts

    def verify(self) -> None:
        """Read every file and compare it with its hash in the manifest.

        Raises:
            StorageError: A file has changed since it was written.
        """
        for name, expected in self.manifest["files"].items():
            found = file_sha256(self.folder / name)
            if found != expected["sha256"]:
                raise StorageError(
                    f"{self.folder / name} has changed: its SHA-256 is {found[:16]}...",
                    needed=f"the file as it was written, {expected['sha256'][:16]}...",
                    todo="delete the dataset folder and prepare it again; check the disk",
                )

    def describe(self) -> dict[str, Any]:
        """Say which photos these are, so that a run can tell whether they are still the same.

        Returns:
            Folder, number of training images, the settings and fingerprint they were prepared with, the
            SHA-256 of the images themselves, and which of them are drawn.
        """
        return {
            "folder": str(self.folder),
            "count": self.count,
            "settings": self.manifest["settings"],
            "sha256": self.manifest["files"][ROWS["train"]]["sha256"],
            "order": self.order.fingerprint(),
        }

    # ---- the endless stream of training images

    @property
    def count(self) -> int:
        """Training images that the stream draws from."""
        return self.order.count

    def balanced(self, *columns: str) -> Self:
        """Give a dataset whose stream holds groups of images equally often.

        Args:
            *columns: Labels that make the groups; see `groups.grouped`.

        Returns:
            The same images in another order; those without such a label are not drawn.

        Raises:
            UsageError: There is no such label.
            DataError: There are fewer than two groups.
        """
        return self._in_order(balanced(self.labels, columns, self.order.members))

    def subset(self, column: str, value: Any) -> Self:
        """Give a dataset whose stream holds only images with a label, such as one of two domains.

        Args:
            column: The label.
            value: What it must be.

        Returns:
            The same dataset, of which the other images are not drawn.

        Raises:
            UsageError: There is no such label, or no image has this value.
        """
        return self._in_order(subset(self.labels, column, value, self.order.members))

    def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> NDArray[np.uint8]:
        """Read consecutive samples of the endless stream.

        Sample i is a function of the seed and i alone: batches of any size cut the same stream.
        Unless it is balanced, each epoch holds every image once, in an order of its own.

        Args:
            start: Number of the first sample, counted from the beginning of the run.
            count: Samples to read.
            seed: Of the run.
            flip: Probability that a sample is mirrored left to right.

        Returns:
            Array (count, H, W, C), the caller's own.
        """
        images = self.read(self.batch_indices(start, count, seed=seed))
        if flip:
            mirror(images, mirrored(seed, start, count, flip))
        return images

    def batch_indices(self, start: int, count: int, *, seed: int) -> NDArray[np.int64]:
        """Say which training images are consecutive samples of the stream.

        Args:
            start: Number of the first sample.
            count: Samples.
            seed: Of the run.

        Returns:
            Array (count,) of rows of `images` and `labels`.
        """
        return self.order.rows(start, count, seed=seed)

    def batch_labels(
        self, start: int, count: int, *, seed: int, columns: Sequence[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Give the labels of a batch.

        Args:
            start: Number of the first sample.
            count: Samples.
            seed: Of the run.
            columns: Labels that are wanted; all by default.

        Returns:
            One array (count,) a label, in the order of the images of `batch`.

        Raises:
            UsageError: There is no such label.
        """
        rows = self.batch_indices(start, count, seed=seed)
        wanted = self.labels if columns is None else columns
        return {name: column(self.labels, name)[rows] for name in wanted}

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read training images by row.

        Args:
            indices: Rows, in any order.

        Returns:
            Array (len(indices), H, W, C), the caller's own.
        """
        images = np.empty((len(indices), *self.shape[1:]), dtype=np.uint8)
        for image, row in zip(images, indices.tolist(), strict=True):
            self._read_into(image.data.cast("B"), row * image.nbytes)
        return images

    def close(self) -> None:
        """Close the file of images; reading opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    # ---- inside

    def _in_order(self, order: Order) -> Self:
        other = copy.copy(self)
        other.order = order
        return other

    def _read_into(self, buffer: memoryview, offset: int) -> None:
        if self._descriptor is None:
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            self._descriptor = os.open(self.folder / ROWS["train"], flags)
        offset += HEADER_BYTES
        if hasattr(os, "preadv"):
            got = os.preadv(self._descriptor, [buffer], offset)
        else:  # macOS before 11 and Windows
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            data = os.read(self._descriptor, len(buffer))
            got = len(data)
            buffer[:got] = data
        if got != len(buffer):
            raise _damaged(self.folder / ROWS["train"], "cut off", offset + len(buffer))

    def _all_labels(self) -> dict[str, dict[str, NDArray[Any]]]:
        if self._labels is None:
            self._labels = _read_labels(self.folder / LABELS, self.manifest["labels"])
        return self._labels

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_descriptor": None, "_labels": None}

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.close()

    def __len__(self) -> int:
        return self.count


def _mapped(path: Path) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return array


def _read_labels(path: Path, names: list[str]) -> dict[str, dict[str, NDArray[Any]]]:
    sides: list[str] = []
    cells = [Cells() for _ in names]
    if names:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            while block := list(islice(rows, BLOCK_ROWS)):
                here, _, *columns = zip(*block, strict=True)
                sides += here
                for column, values in zip(cells, columns, strict=True):
                    column.extend(values)
    # The two sides of a label are of one type, so that it is found over both.
    arrays = {name: column.column().array() for name, column in zip(names, cells, strict=True)}
    of_side = {side: np.array([each == side for each in sides], dtype=bool) for side in ROWS}
    return {side: {name: arrays[name][of_side[side]] for name in names} for side in ROWS}


def _damaged(path: Path, found: str, expected: int) -> StorageError:
    return StorageError(
        f"{path} is {found}.",
        needed=f"{expected:,} bytes, as its dataset says",
        todo="delete the dataset folder and prepare it again",
    )
