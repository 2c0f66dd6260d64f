"""A prepared dataset: opened in a moment, read in batches, never loaded into memory."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from facesmith.base.errors import DataError, StorageError
from facesmith.base.randomness import permutation, uniforms
from facesmith.data.packing.files import (
    FILE_COLUMNS,
    FILES,
    HEADER_BYTES,
    JOURNAL,
    LABELS,
    MANIFEST,
    ROWS,
    file_sha256,
)
from facesmith.data.summary import Summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
"""Version of the dataset folder; a newer one is refused."""
BLOCK_BYTES = 2**22
"""Read at once when a whole file is gone through."""


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
        self.count: int = counts["train"]
        self.resolution: int = manifest["settings"]["resolution"]
        self.channels: int = manifest["settings"]["channels"]
        self.mean: tuple[float, ...] = tuple(manifest["mean"])
        """Of each channel of the training images, in [0, 1]."""
        self.std: tuple[float, ...] = tuple(manifest["std"])
        self._descriptor: int | None = None
        self._orders: dict[tuple[int, int], NDArray[np.int64]] = {}
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
        manifest = _read_manifest(folder)
        for name, expected in manifest["files"].items():
            path = folder / name
            actual = path.stat().st_size if path.is_file() else None
            if actual != expected["bytes"]:
                found = "missing" if actual is None else f"{actual:,} bytes long"
                raise _damaged(path, found, expected["bytes"])
        return cls(folder, manifest)

    # ---- the whole of it

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
        """One array (N,) a label for the training images; whole numbers, numbers or text."""
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
        names = [""] * self.count
        with (self.folder / FILES).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            known = [name for name in rows.fieldnames or () if name not in FILE_COLUMNS]
            facts = {name: np.full(self.count, np.nan, np.float32) for name in known}
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

    # ---- the endless stream of training images

    def batch(
        self, start: int, count: int, *, seed: int, flip: float | bool = 0.0
    ) -> NDArray[np.uint8]:
        """Read consecutive samples of an endless, shuffled stream.

        Sample i is a function of the seed and i alone: batches of any size cut the same stream.
        Each epoch holds every image once, in an order of its own.

        Args:
            start: Number of the first sample, counted from the beginning of the run.
            count: Samples to read.
            seed: Of the run.
            flip: Probability that a sample is mirrored left to right.

        Returns:
            Array (count, H, W, C), the caller's own.
        """
        indices = self.batch_indices(start, count, seed=seed)
        images = self.read(indices)
        if flip:
            mirrored = uniforms(seed, "flips", start=start, count=count, width=1)[:, 0] < flip
            for place in np.flatnonzero(mirrored):
                _mirror(images[place])
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
        positions = np.arange(start, start + count, dtype=np.int64)
        epochs = positions // self.count
        indices = np.empty(count, dtype=np.int64)
        for epoch in range(start // self.count, (start + count - 1) // self.count + 1):
            here = epochs == epoch
            indices[here] = self._order(seed, epoch)[positions[here] % self.count]
        return indices

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read training images by row.

        Args:
            indices: Rows, in any order.

        Returns:
            Array (len(indices), H, W, C), the caller's own.
        """
        images = np.empty((len(indices), *self.manifest["shape"]), dtype=np.uint8)
        for image, row in zip(images, indices.tolist(), strict=True):
            self._read_into(image.data.cast("B"), row * image.nbytes)
        return images

    # ---- inside

    def _order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        if (seed, epoch) not in self._orders:
            self._orders = {(seed, epoch): permutation(seed, f"order/{epoch}", self.count)}
        return self._orders[seed, epoch]

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
        return {**self.__dict__, "_descriptor": None, "_orders": {}, "_labels": None}

    def __del__(self) -> None:
        if getattr(self, "_descriptor", None) is not None:
            os.close(self._descriptor)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.count


def is_dataset(folder: Path) -> bool:
    """Say whether a folder was finished by `prepare`, even if it was damaged since.

    Other programs have a `dataset.json` too: StyleGAN2's lies among its photos.

    Args:
        folder: Any path.

    Returns:
        Whether `Dataset.open` should take it, or say what is wrong with it.
    """
    try:
        return _is_ours(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except ValueError:  # damaged; the rows beside it tell whose it was
        return (folder / ROWS["train"]).is_file()
    except OSError:
        return False


def channel_statistics(path: Path) -> tuple[list[float], list[float]]:
    """Measure the mean and the standard deviation of each channel, exactly.

    Args:
        path: A .npy file of uint8 images (N, H, W, C), N above 0.

    Returns:
        Means and deviations of pixel values in [0, 1].
    """
    channels = _mapped(path).shape[-1]
    histogram = np.zeros((channels, 256), dtype=np.int64)
    block = BLOCK_BYTES - BLOCK_BYTES % channels
    with path.open("rb") as file:
        file.seek(HEADER_BYTES)
        while data := file.read(block):
            pixels = np.frombuffer(data, np.uint8).reshape(-1, channels)
            for channel in range(channels):
                histogram[channel] += np.bincount(pixels[:, channel], minlength=256)
    means, deviations = [], []
    for counts in histogram.tolist():
        # Python's integers: the same bits on any machine, at any number of pixels.
        total = sum(counts)
        first = sum(value * count for value, count in enumerate(counts))
        second = sum(value * value * count for value, count in enumerate(counts))
        means.append(first / (255 * total))
        deviations.append(((total * second - first * first) / (255 * total) ** 2) ** 0.5)
    return means, deviations


def _mirror(image: NDArray[np.uint8]) -> None:
    """Mirror one image in place, a channel at a time: six times faster than whole pixels."""
    before = image.copy()
    for channel in range(image.shape[2]):
        image[:, :, channel] = before[:, ::-1, channel]


def _mapped(path: Path) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return array


def _is_ours(manifest: Any) -> bool:
    if not isinstance(manifest, dict) or "format" not in manifest:
        return False
    files = manifest.get("files")
    return isinstance(files, dict) and ROWS["train"] in files


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        begun = (folder / JOURNAL).exists()
        raise DataError(
            f"{folder} {'is an unfinished dataset' if begun else 'holds no dataset'}.",
            needed=f"a folder with {MANIFEST}, as `facesmith prepare` leaves it",
            todo="run the same prepare command again: it continues"
            if begun
            else "run facesmith prepare PHOTOS --out DATASET first",
        ) from error
    except ValueError as error:
        raise StorageError(
            f"{folder / MANIFEST} is damaged: {error}.",
            needed="the file as it was written",
            todo="delete the dataset folder and prepare it again",
        ) from error
    if not _is_ours(manifest):
        raise DataError(
            f"{folder} holds no dataset: its {MANIFEST} is another program's.",
            needed="a folder as `facesmith prepare` leaves it",
            todo="run facesmith prepare PHOTOS --out DATASET first",
        )
    if manifest["format"] != FORMAT:
        raise DataError(
            f"{folder} is a dataset of format {manifest['format']}.",
            needed=f"format {FORMAT}, the one this version reads",
            todo="install the facesmith that made it, or prepare the photos again",
        )
    return dict(manifest)


def _read_labels(path: Path, names: list[str]) -> dict[str, dict[str, NDArray[Any]]]:
    columns: dict[str, dict[str, list[str]]] = {side: {name: [] for name in names} for side in ROWS}
    if names:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for name in names:
                    columns[row["split"]][name].append(row[name])
    return {
        side: {name: _typed(values) for name, values in by_name.items()}
        for side, by_name in columns.items()
    }


def _typed(values: list[str]) -> NDArray[Any]:
    for kind in (np.int64, np.float64):
        try:
            return np.array(values, dtype=kind)
        except ValueError:
            continue
    return np.array(values, dtype=np.str_)


def _damaged(path: Path, found: str, expected: int) -> StorageError:
    return StorageError(
        f"{path} is {found}.",
        needed=f"{expected:,} bytes, as its dataset says",
        todo="delete the dataset folder and prepare it again",
    )
