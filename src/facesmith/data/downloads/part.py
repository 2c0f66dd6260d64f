"""What has come of a file: held by one process, continued where it can be, begun anew where not."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from facesmith.base.errors import StorageError
from facesmith.data.downloads.catalogue import File
from facesmith.data.downloads.checks import check_room, mismatch
from facesmith.data.downloads.transport import (
    NOT_SATISFIABLE,
    PARTIAL,
    PassingError,
    Patience,
    RefusedError,
    ask,
    host,
    is_page,
    page_title,
    unreached,
)
from facesmith.data.packing.files import sync, sync_folder

try:
    import fcntl
except ImportError:  # Windows: two downloads of one file are not noticed there
    fcntl = None  # type: ignore[assignment]

PART = ".part"
STATE = ".part.etag"
"""Beside the part: what tells one state of the server's file from another."""
BLOCK = 2**20

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all; 0 in all where nobody knows."""


class Part:
    """The beginning of a file, `NAME.part`.

    Args:
        file: What is known of the whole.
        folder: Where it lies.
        progress: Called after each block.
    """

    def __init__(self, file: File, folder: Path, progress: Progress) -> None:
        self.file = file
        self.folder = folder
        self.path = folder / (file.name + PART)
        self.state = folder / (file.name + STATE)
        self.progress = progress
        self.furthest = 0
        """Most bytes that there have been: a server that starts over and over brings nothing new."""

    def __enter__(self) -> Part:
        self.stream = self.path.open("ab", buffering=0)  # a kill loses nothing that has come
        try:
            self._lock()
        except StorageError:
            self.stream.close()
            raise
        self.furthest = self.done
        return self

    def __exit__(self, *_: object) -> None:
        if self.stream.closed:
            return
        empty = not self.done
        if fcntl is None:
            self.stream.close()  # Windows removes no open file, and there is no lock to keep
        if empty:
            self.path.unlink(missing_ok=True)
            self.state.unlink(missing_ok=True)
        self.stream.close()  # which releases the lock; so does the death of the process

    @property
    def done(self) -> int:
        """Bytes that have come."""
        return self.stream.tell()

    def receive(self, url: str, headers: Mapping[str, str], patience: Patience) -> None:
        """Ask for what is missing and take what comes.

        Args:
            url: Where the file is.
            headers: More to say.
            patience: How long to wait for each byte.

        Raises:
            PassingError: The rest may come with another try.
            RefusedError: This server does not give the file.
        """
        known = self.file.bytes
        if known is not None and self.done > known:
            self._restart()
        if known is not None and self.done == known:
            return  # stopped between the last byte and the check
        validator = self._validator()
        if not validator and self.file.checksum is None:
            self._restart()  # nothing could tell whether two halves belong together
        wanted = dict(headers)
        if self.done:
            wanted["Range"] = f"bytes={self.done}-"
            if validator:
                wanted["If-Range"] = validator
        with ask(url, wanted, patience) as response:
            if response.status == NOT_SATISFIABLE:
                self._check_end(url, response)
                return
            goes_on = response.status == PARTIAL
            total = self._check_range(url, response) if goes_on else _length(response)
            block = self._read(url, response)
            if not goes_on:
                self._check_beginning(url, block, response)
                # Only now: a web page must not cost what was there.
                self._restart()
                self.state.write_text(_validator_of(response), encoding="utf-8")
            if total is not None:
                check_room(self.folder, total - self.done)
            while block and (known is None or self.done <= known):
                self._write(block)
                self.furthest = max(self.furthest, self.done)
                self.progress(self.done, total or known or 0)
                block = self._read(url, response)
        end = known if total is None else total
        if end is not None and self.done < end:
            raise _hung_up(url, self.done, end)

    def check(self, url: str) -> None:
        """Compare what came with what is known, and drop it where it differs.

        Args:
            url: Where it came from.

        Raises:
            RefusedError: It differs.
        """
        wrong = mismatch(self.path, self.file)
        if wrong is not None:
            self._restart()
            raise RefusedError(f"what {host(url)} sent {wrong}")

    def finish(self) -> Path:
        """Give it its name, once the disk holds it.

        Returns:
            The whole file.
        """
        sync(self.stream)
        if fcntl is None:
            self.stream.close()  # as above
        target = self.path.replace(self.folder / self.file.name)
        self.state.unlink(missing_ok=True)
        sync_folder(self.folder)
        return target

    def _check_end(self, url: str, response: HTTPResponse) -> None:
        """See whether there is nothing after the part because it is whole."""
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
        if self.file.bytes is not None or total != str(self.done):
            self._restart()
            raise PassingError(f"{host(url)} has another file than before")

    def _check_range(self, url: str, response: HTTPResponse) -> int | None:
        """See whether the answer goes on where the part ends, and how long the whole file is."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        ours, theirs = self._validator(), _validator_of(response)
        if not found or int(found[1]) != self.done or (ours and theirs and ours != theirs):
            self._restart()
            raise PassingError(f"{host(url)} sent another part than it was asked for")
        return None if found[2] == "*" else int(found[2])

    def _check_beginning(self, url: str, block: bytes, response: HTTPResponse) -> None:
        """See whether the answer can be the file before anything is given up for it."""
        total, known = _length(response), self.file.bytes
        if is_page(block):
            raise RefusedError(f"{host(url)} sent a web page{page_title(block)}")
        if not block and total:
            raise _hung_up(url, 0, total)
        packing = response.headers.get("Content-Encoding", "identity")
        packed = "" if packing == "identity" else f", packed with {packing} on the way"
        if known is not None and total is not None and total != known:
            raise RefusedError(f"{host(url)} sends {total:,} bytes{packed}, instead of {known:,}")
        if self.file.checksum is None and packed:
            raise RefusedError(f"{host(url)} sends something{packed}")
        if self.file.checksum is None and total is known is None and not response.chunked:
            raise RefusedError(f"{host(url)} does not say how long the file is")

    def _read(self, url: str, response: HTTPResponse) -> bytes:
        try:
            return response.read1(BLOCK)  # what is there, so that a broken connection costs nothing
        except (OSError, HTTPException) as error:
            raise unreached(url, error) from error

    def _write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:  # a disk that is nearly full takes a part
            rest = rest[self.stream.write(rest) :]

    def _restart(self) -> None:
        self.stream.truncate(0)
        self.stream.seek(0)
        self.state.unlink(missing_ok=True)

    def _validator(self) -> str:
        try:
            return self.state.read_text(encoding="utf-8") if self.done else ""
        except (OSError, ValueError):
            return ""

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self.stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return  # a file system without locks
        else:
            # Its holder may have given it its name between our look and our lock.
            if self.path.exists() and os.path.samestat(
                self.path.stat(), os.fstat(self.stream.fileno())
            ):
                return
        raise StorageError(
            f"Another process is downloading {self.folder / self.file.name}.",
            needed="one download of a file at a time",
            todo="wait until it is finished, then run the same command again: it takes that file",
        )


def _length(response: HTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _validator_of(response: HTTPResponse) -> str:
    """Take what HTTP lets stand for the state of a file: a strong ETag, or its date."""
    tag = str(response.headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(response.headers.get("Last-Modified", ""))


def _hung_up(url: str, done: int, end: int) -> PassingError:
    return PassingError(f"{host(url)} hung up after {done:,} of {end:,} bytes")
