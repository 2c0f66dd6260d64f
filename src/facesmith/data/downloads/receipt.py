"""The record of a download, `download.json`: what each file is, where from, and how it was checked."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesmith.data.downloads import hub
from facesmith.data.downloads.catalogue import File, Published
from facesmith.data.downloads.checks import digest
from facesmith.data.downloads.transport import Patience
from facesmith.data.packing.files import write_whole

NAME = "download.json"
VERSION = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Receipt:
    """What is known of a folder's download; `content` is what JSON holds of it."""

    folder: Path
    content: dict[str, Any]
    files: tuple[File, ...]
    """All that belong to the set."""

    @property
    def licence(self) -> str:
        """Licence and terms, in one line."""
        return str(self.content["licence"])

    def knows(self, file: File) -> bool:
        """Say whether a file is the very one that was checked, without reading it.

        Args:
            file: Of the set.

        Returns:
            True where its size and time of writing are those of then.
        """
        entry = self.content["files"].get(file.name, {})
        try:
            status = (self.folder / file.name).stat()
        except OSError:
            return False
        same = (entry.get("bytes"), entry.get("modified_ns")) == (
            status.st_size,
            status.st_mtime_ns,
        )
        return same and file.checksum in (None, entry.get("checksum"))

    def enter(self, file: File) -> None:
        """Note a file that was checked.

        Args:
            file: Of the set, and in the folder.
        """
        if file.checksum is None:
            log.info("%s: no checksum is published; size and transport only", file.name)
        path = self.folder / file.name
        status = path.stat()
        kind, _, published = (file.checksum or "").partition(":")
        self.content["files"][file.name] = _listed(file) | {
            "bytes": status.st_size,
            "sha256": published if kind == "sha256" else digest(path, "sha256"),
            "modified_ns": status.st_mtime_ns,
            "checked": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        self.write()

    def write(self) -> None:
        """Write it to its folder."""
        write_whole(self.folder / NAME, json.dumps(self.content, indent=2) + "\n")


def read(folder: Path, published: Published) -> Receipt | None:
    """Read what an earlier download of the same set left.

    Args:
        folder: Where the set lies.
        published: The set.

    Returns:
        The receipt, or None where there is none of this set that can be read.
    """
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if (content["facesmith_download"], content["name"]) != (VERSION, published.name):
            return None
        listed = tuple(
            File(name, (entry["url"],), entry["bytes"], entry["checksum"], entry["page"])
            for name, entry in content["files"].items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # the files themselves are checked again
    return Receipt(folder, content, published.files or listed)


def begin(folder: Path, published: Published, patience: Patience) -> Receipt:
    """Find out what there is to download.

    Args:
        folder: Where the set will lie.
        published: The set; a repository of Hugging Face is asked for its files.
        patience: How much of a bad server is borne.

    Returns:
        A receipt without any file checked.

    Raises:
        DataError: The repository has no parquet files.
        DownloadError: It is not to be had.
    """
    content: dict[str, Any] = {
        "facesmith_download": VERSION,
        "name": published.name,
        "title": published.title,
        "homepage": published.homepage,
        "licence": published.licence,
        "revision": None,
        "files": {},
    }
    files = published.files
    if published.repository:
        listed = hub.listing(published, patience)
        content["revision"] = listed.revision
        if listed.licence:
            content["licence"] += f" (its card says: {listed.licence})"
        files = listed.files
        content["files"] = {file.name: _listed(file) for file in files}
    return Receipt(folder, content, files)


def _listed(file: File) -> dict[str, Any]:
    return {
        "url": file.urls[0],
        "page": file.page,
        "bytes": file.bytes,
        "checksum": file.checksum,
    }
