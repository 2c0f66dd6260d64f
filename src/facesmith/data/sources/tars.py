"""Photos in tar files, packed or not: found by their place, never extracted.

What lies beside a photo and shares its name up to a dot tells labels, as in WebDataset's shards:
`000001.jpg`, `000001.cls`, `000001.json`, `000001.txt`.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, cast

from facesmith.base.errors import DataError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources.annotations import Photos, join
from facesmith.data.sources.contract import Entry, Item, Source
from facesmith.data.sources.limits import bomb, gone, is_system, most_bytes, too_many_bytes
from facesmith.data.sources.samples import Samples, may_be_label

PLAIN = re.compile(r".+\.tar", re.IGNORECASE | re.DOTALL)
PACKED = re.compile(r".+\.(tar\.(gz|bz2|xz)|tgz|tbz2?|txz)", re.IGNORECASE | re.DOTALL)
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}
"""First bytes -> the module that unpacks."""
HEAD_BYTES = 512
USTAR = slice(257, 262)
SPAN = 2**48
"""An entry's index is the number of its tar times this, plus the place of its first byte there."""
NO_FILE = 0
"""Place of what is no file; a file begins behind its header."""
BLOCK = 2**20
MAX_HEADER_BYTES = 2**20
"""Of what describes a member; a name of any length fits."""


def is_source(path: Path) -> bool:
    """Say whether a file is a tar, or packed as tars are.

    Args:
        path: A file.

    Returns:
        Whether its name or its first bytes say so.
    """
    if PLAIN.fullmatch(path.name) or PACKED.fullmatch(path.name):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return False
    return head[USTAR] == b"ustar" or head.startswith(tuple(MAGIC))


@dataclass(frozen=True)
class TarReader:
    """Reads the bytes of members at their places.

    A packed tar is read from its beginning; the stream stays open, so that the next chunk goes on
    from there. Each worker unpacks it once.
    """

    paths: tuple[str, ...]

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        for entry in entries:
            number, place = divmod(entry.index, SPAN)
            path = self.paths[number]
            if place == NO_FILE:
                yield PhotoError("no file", "a link, a device or a sparse file inside the tar")
            elif (reason := too_many_bytes(entry.size)) is not None:
                yield reason
            else:
                yield Item(_content(path, entry, place))


def _content(path: str, entry: Entry, place: int) -> bytes:
    try:
        version = Path(path).stat().st_mtime_ns
        file = _opened(path, version).file
        file.seek(place)
        data = file.read(entry.size)
    except Exception as error:  # each way of packing has errors of its own
        _opened.cache_clear()
        raise gone(path) from error
    if len(data) != entry.size or version != entry.version:
        raise gone(path)
    return data


class Opened:
    """A tar's bytes, unpacked, for as long as the object lives.

    Args:
        path: Of the tar.
    """

    def __init__(self, path: str) -> None:
        way = _packing(path)
        module = importlib.import_module(way) if way else io
        self.file: IO[bytes] = module.open(path, "rb")

    def __del__(self) -> None:
        if hasattr(self, "file"):
            self.file.close()


@lru_cache(maxsize=1)
def _opened(path: str, version: int) -> Opened:
    return Opened(path)


def _packing(path: str) -> str:
    with Path(path).open("rb") as file:
        head = file.read(HEAD_BYTES)
    return next((way for magic, way in MAGIC.items() if head.startswith(magic)), "")


# ---- listing


def source(paths: Sequence[Path], name: str) -> Source:
    """List the members of a tar, or of several that are shards of one set.

    Args:
        paths: The files.
        name: Of the source, for people.

    Returns:
        The source, by name; what is packed, in the order in which it lies there. Folders and system
        files are left out; links and devices are listed, and rejected when they are read.

    Raises:
        DataError: A file is no tar, is cut off, or a bomb.
    """
    samples = Samples()
    entries: list[Entry] = []
    common = os.path.commonpath([path.parent for path in paths])
    in_order = False
    for number, path in enumerate(paths):
        prefix = f"{path.relative_to(common).as_posix()}/" if len(paths) > 1 else ""
        photos: list[tuple[str, Entry]] = []
        version = path.stat().st_mtime_ns
        for member, place, data in _members(path):
            entry = Entry(f"{prefix}{member.name}", member.size, number * SPAN + place, version)
            if data is None or not samples.add(entry, member.name, data):
                photos.append((member.name, entry))
        entries += samples.match((name, entry.name) for name, entry in photos)
        entries += [entry for _, entry in photos]
        in_order |= _packing(str(path)) != ""
    entries.sort(key=_place if in_order else _name)
    table = samples.table()
    annotations = join(Photos([entry.name for entry in entries]), [table] if table else [])
    reader = TarReader(tuple(map(str, paths)))
    return Source(name, entries, reader, sequential=in_order, annotations=annotations)


def _name(entry: Entry) -> tuple[str | int, ...]:
    return entry.name, entry.size, entry.index


def _place(entry: Entry) -> tuple[str | int, ...]:
    return (entry.index,)


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, int, bytes | None]]:
    """Yield members, their places, and the content of those that may be labels."""
    packed = path.stat().st_size
    most = most_bytes(packed)
    try:
        opened = Opened(str(path))
        stream = Watched(opened.file, most)
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream),
            mode="r:",
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
                if member.size < 0:
                    raise ValueError("a member of less than no bytes")
                if member.isdir() or any(map(is_system, _parts(member.name))):
                    continue
                regular = member.isreg() and member.sparse is None
                place, data = member.offset_data if regular else NO_FILE, None
                if regular and may_be_label(member.name, member.size):
                    stream.seek(place)
                    data = stream.read(member.size)
                yield member, place, data
        _check_end(stream)
    except GrowthError:
        raise bomb(path, packed, f"more than {most:,}") from None
    except Exception as error:  # hostile bytes make tarfile raise nearly anything
        raise DataError(
            f"{path} is not a whole tar file that can be read: {error}.",
            needed="a tar as tar and WebDataset write it, packed with gzip, bzip2, xz or not",
            todo="check that the download is complete, and download it again",
        ) from error


def _check_end(stream: Watched) -> None:
    """Make sure that zeros end a tar, and nothing follows: tarfile takes any garbage for the end."""
    if not stream.last:
        raise EOFError("its end is missing")
    while stream.last:
        if any(stream.last):
            raise ValueError("something follows that is no member")
        stream.read(BLOCK)


class GrowthError(Exception):
    """An archive grows more than it may."""


class Watched:
    """A file that is read forwards, to a limit, and remembers what it read last.

    Args:
        file: To read.
        most: Bytes.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self.last = b""
        self._most = most
        self._file = file

    def read(self, size: int) -> bytes:
        """Read on.

        Args:
            size: Bytes.

        Returns:
            As many, or fewer at the end.

        Raises:
            GrowthError: That is beyond the limit.
            ValueError: No header and no label is so long.
        """
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise ValueError(f"a header of {size:,} bytes")
        if self.tell() + size > self._most:
            raise GrowthError
        self.last = self._file.read(size)
        return self.last

    def seek(self, place: int) -> None:
        """Go on to a place.

        Args:
            place: Bytes from the beginning.

        Raises:
            GrowthError: It is beyond the limit.
            ValueError: It lies behind.
        """
        if place > self._most:
            raise GrowthError
        if place < self.tell():
            raise ValueError("a member that lies behind")
        self._file.seek(place)

    def tell(self) -> int:
        """Say where it is, in bytes from the beginning."""
        return self._file.tell()
