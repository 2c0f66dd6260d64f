"""Photos in a folder and all folders below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources.contract import Entry, Item, Source
from facesmith.data.sources.limits import MAX_FILE_BYTES, gone, is_system, title, too_many_bytes


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
                yield too_many_bytes(len(data)) or Item(data)

    def _check_root(self) -> None:
        """Stop when a disk is gone: its photos would be rejected although they will be back."""
        try:
            with os.scandir(self.root) as children:
                if any(children):
                    return
        except OSError:
            pass
        raise gone(self.root)


def source(root: Path) -> Source:
    """List the files below a folder.

    Args:
        root: The folder.

    Returns:
        The source, sorted by name; it may hold nothing.

    Raises:
        DataError: A folder cannot be listed.
    """
    found = sorted(_walk(root, "", frozenset()))
    entries = [Entry(name, size, index, at) for index, (name, size, at) in enumerate(found)]
    return Source(title(root), entries, FolderReader(str(root)))


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
        if is_system(child.name):
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
