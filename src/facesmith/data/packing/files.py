"""The files of a dataset folder: their names, and writing that a kill cannot leave half done."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from facesmith.base.errors import StorageError, is_full
from facesmith.data.sources.contract import Side

try:
    import fcntl
except ImportError:  # Windows: two writers are not noticed there
    fcntl = None  # type: ignore[assignment]

MANIFEST = "dataset.json"
FILES = "files.csv"
REJECTED = "rejected"
"""Folder of pictures of what was rejected."""
FILE_COLUMNS = ("name", "face", "fate", "row", "reason", "sha256")
"""Of files.csv; what was measured stands in further ones."""
LABELS = "labels.csv"
JOURNAL = "journal.partial"
ROWS: dict[Side, str] = {"train": "train.npy", "held-out": "held-out.npy"}
REJECTED_ROWS = "rejected.npy"
"""Only while a dataset is written: what is shown of photos that are not used."""
PARTIAL = ".partial"
HEADER_BYTES = 128
"""Of the .npy header, which is written last because it holds the number of rows."""


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Make the first bytes of a .npy file of uint8 numbers.

    Args:
        shape: Of the array.

    Returns:
        `HEADER_BYTES` bytes.
    """
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    assert stream.tell() == HEADER_BYTES
    return stream.getvalue()


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it is there whole or not at all, even after a power cut.

    Args:
        path: Where to write.
        text: Its content; what UTF-8 cannot hold is escaped.
    """
    temporary = path.with_name(f"{path.name}{PARTIAL}")
    with temporary.open("wb") as file:
        file.write(text.encode("utf-8", "backslashreplace"))
        sync(file)
    temporary.replace(path)
    sync_folder(path.parent)


def sync(file: IO[Any]) -> None:
    """Have the disk hold what was written.

    Args:
        file: Open for writing.
    """
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the disk hold the names in a folder.

    Args:
        folder: Whose files were renamed.
    """
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partials(folder: Path) -> None:
    """Remove what a dataset folder needs only while it is written.

    Args:
        folder: A finished dataset, or one of no use.
    """
    for name in (*(f"{rows}{PARTIAL}" for rows in (*ROWS.values(), REJECTED_ROWS)), JOURNAL):
        if (folder / name).exists():  # a disk that is read-only refuses to remove even nothing
            (folder / name).unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Hash a file.

    Args:
        path: Of any length.

    Returns:
        The SHA-256 in hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock(file: IO[Any], folder: Path) -> None:
    """Make sure that no other process writes the same dataset; closing the file unlocks.

    Args:
        file: The open journal.
        folder: Its folder.

    Raises:
        StorageError: Another process writes it, or has just finished it.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return  # a file system without locks
        raise StorageError(
            f"Another process is writing the dataset {folder}.",
            needed="one writer at a time",
            todo="wait until it is finished, then run the same command again",
        ) from error
    if (folder / MANIFEST).exists():
        # Its writer finished, and removed this journal, between our look and our lock.
        raise StorageError(
            f"Another process has just finished the dataset {folder}.",
            needed="nothing more",
            todo="run the same command again: it takes that dataset",
        )


@contextmanager
def explained(
    folder: Path, todo: str = "choose another folder, or change its permissions"
) -> Iterator[None]:
    """Turn what the operating system says about a folder into an error of three parts.

    Args:
        folder: Which is being written.
        todo: What helps when it cannot be.

    Yields:
        Nothing.

    Raises:
        StorageError: For any OSError inside.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StorageError(
                f"The disk filled up while {folder} was written.",
                needed="room for the rest; what was written stays valid",
                todo="free some space, then run the same command again: it continues",
            ) from error
        raise StorageError(
            f"{folder} cannot be written: {error.strerror or error}.",
            needed="a folder that can be made and written",
            todo=todo,
        ) from error
