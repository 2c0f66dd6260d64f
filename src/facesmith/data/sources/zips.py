"""Photos in a zip, read in memory: nothing is ever extracted, so no name in it can reach the disk."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from facesmith.base.errors import DataError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.strangers import PEEK_BYTES, what_it_is
from facesmith.data.sources.contract import Entry, Item, Source
from facesmith.data.sources.limits import (
    HARMLESS_BYTES,
    MAX_FILE_BYTES,
    bomb,
    gone,
    is_photo,
    is_system,
    most_bytes,
    title,
    too_many_bytes,
)

MAX_MEMBER_RATIO = 100
"""Times that one member may grow, unless it stays small."""


@dataclass(frozen=True)
class ZipReader:
    """Reads members of a zip into memory, one at a time; nothing is ever extracted."""

    path: str

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        try:
            status = Path(self.path).stat()
            archive, members = _opened(self.path, (status.st_mtime_ns, status.st_size))
        except (OSError, zipfile.BadZipFile) as error:
            raise gone(self.path) from error
        for entry in entries:
            if entry.index >= len(members) or _entry(members[entry.index], entry.index) != entry:
                raise gone(self.path)  # another zip of the same name
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
    return too_many_bytes(len(data)) or Item(data)


def source(path: Path) -> Source:
    """List the members of a zip.

    Args:
        path: The file.

    Returns:
        The source, sorted by name; folders, links and system files are left out.

    Raises:
        DataError: The file is no zip, damaged, or a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # hostile bytes make zipfile raise nearly anything
        raise _no_zip(path, error) from error
    total = sum(member.file_size for member in members)
    packed = path.stat().st_size
    if total > most_bytes(packed):
        raise bomb(path, packed, f"{total:,}")
    entries = [
        _entry(member, index)
        for index, member in enumerate(members)
        if not member.is_dir()
        and not stat.S_ISLNK(member.external_attr >> 16)
        and not any(map(is_system, PurePosixPath(member.filename.replace("\\", "/")).parts))
    ]
    entries.sort(key=lambda entry: (entry.name, entry.size, entry.index))
    return Source(title(path), entries, ZipReader(str(path)))


def _no_zip(path: Path, error: Exception) -> DataError:
    if is_photo(path.name):
        found, todo = "is one photo", f"pass its folder, {path.parent}"
    elif what_it_is(_beginning(path)).kind == "web page":
        found, todo = "is a web page that calls itself a zip", "download it again with a browser"
    else:
        found = f"is not a zip file that can be read: {error}"
        todo = "check that the download is complete; unpack other archives and pass the folder"
    return DataError(
        f"{path} {found}.",
        needed="a folder, a whole zip, tar or parquet file, or MNIST's idx files",
        todo=todo,
    )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PEEK_BYTES)
    except OSError:
        return b""
