"""MNIST and its relatives: images and labels in idx files, packed with gzip or not."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from facesmith.base.errors import DataError, UsageError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources.contract import Entry, Item, Side, Source, of_both_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGES = re.compile(r"(?P<set>.*?)-?images[-.]idx3-ubyte(\.gz)?")
TEST_WORDS = ("t10k", "test")
MAGIC = {1: b"\0\0\x08\x01", 3: b"\0\0\x08\x03"}
"""Two zeros, 8 for unsigned bytes, the number of dimensions."""
MAX_BYTES = 4 * 2**30


def is_source(path: Path) -> bool:
    """Say whether a path is, or directly holds, idx images.

    Args:
        path: An existing file or folder.

    Returns:
        True when a name ends like `train-images-idx3-ubyte`, with `.gz` or without.
    """
    if path.is_file():
        return IMAGES.fullmatch(path.name) is not None
    try:
        # Names first: a folder may hold 200,000 photos.
        return any(IMAGES.fullmatch(child.name) and child.is_file() for child in path.iterdir())
    except OSError:  # the listing that follows explains it
        return False


def source(path: Path, limit: int | None = None) -> Source:
    """List the images of idx files, with labels when these lie beside them.

    Files named `train` become training images, files named `t10k` or `test` are held out. A set
    that stands alone is split like any other source.

    Args:
        path: A folder, or the file of training images.
        limit: Take at most so many images, of both files in proportion.

    Returns:
        The source; its label is called `label`.

    Raises:
        DataError: A file is damaged, or labels and images do not match.
        UsageError: A folder holds several data sets.
    """
    files = _pair(path)
    both = len(files) == 2
    labels = [_labels_beside(file) for file in files]
    labelled = all(labels)
    parts: list[Part] = []
    entries: list[Entry] = []
    total, checksum = 0, 0
    for file, label_file in zip(files, labels, strict=True):
        images = _read(str(file), 3)
        checksum = zlib.crc32(images.data, checksum)
        if labelled and (number := len(_read(str(label_file), 1))) != len(images):
            raise DataError(
                f"{file.name} holds {len(images):,} images, its label file {number:,} labels.",
                needed="one label for every image",
                todo="download both files again",
            )
        side: Side = "held-out" if both and file is files[1] else "train"
        label_path = str(label_file) if labelled else None
        if label_path is not None:
            checksum = zlib.crc32(_read(label_path, 1).data, checksum)
        parts.append(Part(str(file), label_path, total, side if both else None))
        size = images.shape[1] * images.shape[2]
        entries += [Entry(f"{side}/{i:06d}", size, total + i) for i in range(len(images))]
        total += len(images)
    if both and limit is not None:
        held_out = [index >= parts[1].start for index in range(total)]
        entries = of_both_sides(entries, held_out, limit)
    return Source(
        path.resolve().name,
        entries,
        IdxReader(tuple(parts)),
        label_names=("label",) if labelled else (),
        curated=True,
        own_split=both,
        revision=f"{checksum:08x}",  # Fashion-MNIST has MNIST's names and sizes
    )


@dataclass(frozen=True)
class Part:
    """One file of images among those of the source."""

    images: str
    labels: str | None
    start: int
    """Index of its first image in the source."""
    side: Side | None


@dataclass(frozen=True)
class IdxReader:
    """Takes images out of idx files."""

    parts: tuple[Part, ...]

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        for entry in entries:
            part = next(p for p in reversed(self.parts) if p.start <= entry.index)
            row = entry.index - part.start
            labels = () if part.labels is None else (int(_read(part.labels, 1)[row]),)
            yield Item(_read(part.images, 3)[row], part.side, labels)


def _pair(path: Path) -> list[Path]:
    """Find the training file and, if there is one, its test file."""
    folder = path if path.is_dir() else path.parent
    # The unpacked file wins where both exist.
    known = {f.name.removesuffix(".gz"): f for f in sorted(folder.iterdir(), reverse=True)}
    files = sorted(f for f in known.values() if f.is_file() and IMAGES.fullmatch(f.name))
    tests = [f for f in files if any(word in _set_name(f) for word in TEST_WORDS)]
    trains = [f for f in files if f not in tests]
    if path.is_file():
        if path.name in {f.name for f in tests}:
            return [path]
        trains = [path]
        tests = [t for t in tests if _family(t) == _family(path)]
    if len(trains) > 1 or len(tests) > 1:
        raise UsageError(
            f"{path} holds several data sets: {', '.join(f.name for f in files)}.",
            needed="one file of training images and at most one of test images",
            todo=f"pass one file, such as {trains[0] if trains else tests[0]}",
        )
    return trains + tests


def _set_name(file: Path) -> str:
    match = IMAGES.fullmatch(file.name)
    return match["set"].lower() if match else ""


def _family(file: Path) -> str:
    return re.sub(r"train|t10k|test", "", _set_name(file))


def _labels_beside(images: Path) -> Path | None:
    name = re.sub(r"images([-.])idx3", r"labels\1idx1", images.name.removesuffix(".gz"))
    candidates = (images.with_name(name), images.with_name(f"{name}.gz"))
    return next((file for file in candidates if file.is_file()), None)


def _read(path: str, dimensions: int) -> NDArray[np.uint8]:
    status = Path(path).stat()
    return _read_version(path, dimensions, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=4)
def _read_version(path: str, dimensions: int, version: tuple[int, int]) -> NDArray[np.uint8]:
    file = Path(path)
    try:
        with _unpacked(file) as stream:
            header = stream.read(4 + 4 * dimensions)
            if len(header) != 4 + 4 * dimensions or not header.startswith(MAGIC[dimensions]):
                raise _damaged(file, f"it begins with {header[:4].hex(' ') or 'nothing'}")
            shape = tuple(np.frombuffer(header, ">u4", offset=4).tolist())
            size = int(np.prod(shape, dtype=object))
            if not 0 < size <= MAX_BYTES:
                raise _damaged(file, f"its header promises {shape}")
            # One byte more than promised shows a file that is too long, and bounds a gzip bomb.
            data = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(file, str(error)) from error
    if len(data) != size:
        raise _damaged(file, f"its header promises {size:,} bytes, it holds {len(data):,} or more")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _unpacked(file: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(file)) if file.suffix == ".gz" else file.open("rb")


def _damaged(file: Path, detail: str) -> DataError:
    return DataError(
        f"{file} is not a whole idx file: {detail}.",
        needed="a file as MNIST's authors publish them, packed with gzip or not",
        todo="download it again",
    )
