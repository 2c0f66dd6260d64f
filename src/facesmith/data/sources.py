"""Where images come from: a folder, a zip, MNIST's idx files, or the built-in portraits."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from facesmith.base.errors import DataError, UsageError
from facesmith.base.version import VERSION
from facesmith.data import idx
from facesmith.data.crops import PhotoError
from facesmith.data.entries import Entry, Item, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_FILE_BYTES = 256 * 2**20
"""A larger file is not read: it would be no single photo."""
MAX_MEMBER_RATIO = 100
MAX_ARCHIVE_RATIO = 100
"""Times that a zip may grow; photos hardly shrink, bombs are at 1,000 and more."""
HARMLESS_BYTES = 4 * 2**20
"""A member up to this size may shrink as well as it likes: flat BMP files do."""

DEFAULT_PORTRAITS = 10_000
PORTRAITS_SEED = 0

SYSTEM_FILES = {"__MACOSX", "Thumbs.db", "desktop.ini"}


def open_source(source: str | Path, *, resolution: int, limit: int | None = None) -> Source:
    """List the images of a source.

    Args:
        source: A folder of photos, a zip of photos, a folder or file of MNIST's idx files, or
            `portraits` or `portraits:5000` for built-in drawings.
        resolution: Side in pixels at which portraits are drawn.
        limit: Take at most so many images, the first by name.

    Returns:
        The source, sorted by name, with at least one entry.

    Raises:
        DataError: Nothing is there, it holds no files, or it is damaged.
        UsageError: The number of portraits is not a number.
    """
    word, _, count = str(source).partition(":")
    path = Path(source)
    if word == "portraits" and not path.exists():
        found = _portraits(count, resolution)
    elif path.is_dir():
        found = idx.source(path, limit) if idx.is_source(path) else _folder(path)
    elif path.is_file():
        found = idx.source(path, limit) if idx.is_source(path) else _zip(path)
    else:
        raise DataError(
            f"There is nothing at {source}.",
            needed="a folder or zip of photos, MNIST's idx files, or the word portraits",
            todo="check the path, or try the built-in portraits",
        )
    if not found.entries:
        raise DataError(
            f"{source} holds no files.",
            needed="at least one photo; hidden files do not count",
            todo="put photos there, or pass another folder or zip",
        )
    return found if limit is None else replace(found, entries=found.entries[:limit])


# ---- folders


@dataclass(frozen=True)
class FolderReader:
    """Reads files below a folder."""

    root: str

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        for entry in entries:
            try:
                with Path(self.root, entry.name).open("rb") as file:
                    data = file.read(MAX_FILE_BYTES + 1)
            except OSError as error:
                self._check_root()
                yield PhotoError("unreadable", error.strerror or str(error))
            else:
                yield _too_many_bytes(len(data)) or Item(data)

    def _check_root(self) -> None:
        """Stop when a disk is gone: its photos would be rejected although they will be back."""
        try:
            with os.scandir(self.root) as children:
                if any(children):
                    return
        except OSError:
            pass
        raise _gone(self.root)


def _folder(root: Path) -> Source:
    found = sorted(_walk(root, "", frozenset()))
    entries = [Entry(name, size, index, at) for index, (name, size, at) in enumerate(found)]
    return Source(_title(root), entries, FolderReader(str(root)))


def _walk(
    root: Path, below: str, above: frozenset[tuple[int, int]]
) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of regular files; `above` holds the folders around, against loops."""
    folder = root / below
    try:
        status = folder.stat()
        children = list(os.scandir(folder))
    except OSError as error:
        if below and isinstance(error, FileNotFoundError):
            return  # just removed
        raise DataError(
            f"The folder {folder} cannot be listed: {error.strerror}.",
            needed="the right to read every folder of the source",
            todo="change its permissions, or move it away",
        ) from error
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return
    for child in children:
        if _is_system(child.name):
            continue
        name = f"{below}{child.name}"
        try:
            found = child.stat()
        except OSError:  # a link to nowhere or to itself, or just removed: the reader will say so
            yield name, 0, 0
            continue
        if stat.S_ISDIR(found.st_mode):
            yield from _walk(root, f"{name}/", above | {identity})
        elif stat.S_ISREG(found.st_mode):
            yield name, found.st_size, found.st_mtime_ns


# ---- zip files


@dataclass(frozen=True)
class ZipReader:
    """Reads members of a zip into memory, one at a time; nothing is ever extracted."""

    path: str

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        try:
            status = Path(self.path).stat()
            archive, members = _opened(self.path, (status.st_mtime_ns, status.st_size))
        except (OSError, zipfile.BadZipFile) as error:
            raise _gone(self.path) from error
        for entry in entries:
            if entry.index >= len(members) or _entry(members[entry.index], entry.index) != entry:
                raise _gone(self.path)  # another zip of the same name
            yield _member(archive, members[entry.index])


@lru_cache(maxsize=1)
def _opened(path: str, version: tuple[int, int]) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    archive = zipfile.ZipFile(path)
    return archive, archive.infolist()


def _entry(member: zipfile.ZipInfo, index: int) -> Entry:
    return Entry(member.filename, member.file_size, index, member.CRC)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Item | PhotoError:
    encrypted = 0x1
    if member.flag_bits & encrypted:
        return PhotoError("encrypted", "this member of the zip needs a password")
    ratio = member.file_size / max(1, member.compress_size)
    if member.file_size > HARMLESS_BYTES and ratio > MAX_MEMBER_RATIO:
        return PhotoError("zip bomb", f"would grow {ratio:.0f} times")
    try:
        with archive.open(member) as stream:
            # The declared size may lie, so it does not decide how much is read.
            data = stream.read(min(MAX_FILE_BYTES, member.file_size) + 1)
    except Exception as error:  # each method of packing has errors of its own
        return PhotoError("damaged", f"cannot be unpacked: {str(error) or type(error).__name__}")
    return _too_many_bytes(len(data)) or Item(data)


def _zip(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # hostile bytes make zipfile raise nearly anything
        raise DataError(
            f"{path} is not a zip file that can be read: {error}.",
            needed="a folder, a whole zip file, or MNIST's idx files",
            todo="check that the download is complete; unpack other archives and pass the folder",
        ) from error
    total = sum(member.file_size for member in members)
    packed = path.stat().st_size
    if total > HARMLESS_BYTES and total > packed * MAX_ARCHIVE_RATIO:
        raise DataError(
            f"{path} would grow from {packed:,} to {total:,} bytes.",
            needed=f"a zip of photos, which grows less than {MAX_ARCHIVE_RATIO} times",
            todo="do not trust this file; pass the photos as a folder if they are real",
        )
    entries = [
        _entry(member, index)
        for index, member in enumerate(members)
        if not member.is_dir()
        and not stat.S_ISLNK(member.external_attr >> 16)
        and not any(map(_is_system, PurePosixPath(member.filename.replace("\\", "/")).parts))
    ]
    entries.sort(key=lambda entry: (entry.name, entry.size, entry.index))
    return Source(_title(path), entries, ZipReader(str(path)))


# ---- built-in portraits


@dataclass(frozen=True)
class PortraitsReader:
    """Draws portraits."""

    resolution: int

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        images, columns = _draw([entry.index for entry in entries], self.resolution)
        for row, image in enumerate(images):
            yield Item(image, labels=tuple(values[row].item() for values in columns.values()))


def _portraits(count: str, resolution: int) -> Source:
    if count and not (count.isdecimal() and int(count)):
        raise UsageError(
            f"portraits:{count} does not say how many portraits.",
            needed="a number above zero",
            todo=f"write portraits:{DEFAULT_PORTRAITS}",
        )
    number = int(count or DEFAULT_PORTRAITS)
    size = resolution * resolution * 3
    entries = [Entry(f"portrait-{index:07d}", size, index) for index in range(number)]
    _, columns = _draw([0], resolution)
    reader = PortraitsReader(resolution)
    return Source("portraits", entries, reader, label_names=tuple(columns), revision=VERSION)


def _draw(
    indices: Sequence[int], resolution: int
) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
    from facesmith.data.portraits import portraits

    images, attributes = portraits(indices, resolution, seed=PORTRAITS_SEED)
    columns: dict[str, NDArray[Any]] = {}
    for name, values in attributes.items():
        if values.ndim == 1:
            columns[name] = values
        else:  # a colour or a position: one column a number
            flat = values.reshape(len(values), -1)
            columns |= {f"{name}_{i}": flat[:, i] for i in range(flat.shape[1])}
    return images, columns


# ---- shared


def _title(path: Path) -> str:
    return path.resolve().name or str(path)


def _is_system(part: str) -> bool:
    return part in SYSTEM_FILES or (part.startswith(".") and part not in (".", ".."))


def _gone(source: str) -> DataError:
    return DataError(
        f"{source} has changed or vanished while it was read.",
        needed="photos that stay where they are until the dataset is finished",
        todo="bring them back and run the same command again: it continues",
    )


def _too_many_bytes(size: int) -> PhotoError | None:
    if size > MAX_FILE_BYTES:
        return PhotoError("too large", f"more than {MAX_FILE_BYTES:,} bytes")
    return None
