"""One file from the network: continued, checked, and only then under its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from facesmith.base.errors import DownloadError
from facesmith.data.downloads.catalogue import File
from facesmith.data.downloads.part import Part, Progress
from facesmith.data.downloads.transport import PATIENT, Patience, RefusedError, persist
from facesmith.data.packing.files import explained


def download(
    file: File,
    folder: Path,
    *,
    headers: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    patience: Patience = PATIENT,
    instead: str = "",
) -> Path:
    """Fetch one file, going on where an earlier try stopped.

    What has come lies in `NAME.part`. It gets its name once its length and checksum are those that
    are known of it, and the disk holds it. A part that turns out to be something else is removed.

    Args:
        file: Where it is, and what is known of it.
        folder: Where to put it; it exists.
        headers: More to say to the server, such as a token.
        progress: Called after each block with bytes done and bytes in all, 0 where nobody knows.
        patience: How much of a bad server is borne.
        instead: What else could be done, for the message of a failure.

    Returns:
        The finished file.

    Raises:
        DownloadError: No server gives it, or what they give is something else.
        StorageError: The disk is full, the folder cannot be written, or another process downloads
            the same file.
    """
    refusals: list[str] = []
    with explained(folder), Part(file, folder, progress or _silent) as part:
        for url in file.urls:
            try:
                receive = partial(part.receive, url, headers or {}, patience)
                persist(receive, patience, reached=lambda: part.furthest)
                part.check(url)
            except RefusedError as refused:
                refusals.append(str(refused))
            else:
                return part.finish()
    size = f", {file.bytes:,} bytes" if file.bytes is not None else ""
    checksum = f", {file.checksum}" if file.checksum is not None else ""
    raise DownloadError(
        f"{file.name} could not be downloaded: {'; '.join(refusals)}.",
        needed=f"the file as it was published{size}{checksum}",
        todo=f"try again later; or open {file.page or file.urls[0]} in a browser, save the file as "
        f"{folder / file.name} and run the same command again: it checks and takes that file"
        + (f"; or {instead}" if instead else ""),
    )


def _silent(done: int, total: int) -> None:
    pass
