"""A data set by its name: all its files in one folder, each checked."""

from __future__ import annotations

import logging
from pathlib import Path

from facesmith.base.errors import DownloadError
from facesmith.data.downloads import hub, receipt
from facesmith.data.downloads.catalogue import DETECTOR, File, find_by_name
from facesmith.data.downloads.checks import check_room, mismatch
from facesmith.data.downloads.download import download
from facesmith.data.downloads.part import PART, Progress
from facesmith.data.downloads.transport import PATIENT, Patience
from facesmith.data.packing.files import explained
from facesmith.data.places import cache_folder

ELSEWHERE = (
    "set the environment variable XDG_CACHE_HOME to a folder that can be written, "
    "or choose one with `facesmith download NAME --folder FOLDER`"
)

log = logging.getLogger(__name__)


def fetch(
    name: str,
    folder: str | Path | None = None,
    *,
    progress: Progress | None = None,
    patience: Patience = PATIENT,
) -> Path:
    """Have the files of a data set, downloading what is missing.

    Files that are there already are checked and taken, whoever put them there. `download.json` says
    where each file came from and how it was checked; what it knows is not read again. A dataset of
    Hugging Face stays at the commit that its first download found.

    Args:
        name: A name of the catalogue, or `hf:owner/name`.
        folder: Where the files are to lie; `$XDG_CACHE_HOME/facesmith/downloads/NAME` by default.
        progress: Called with bytes done and bytes in all, 0 where nobody knows.
        patience: How much of a bad server is borne.

    Returns:
        The folder.

    Raises:
        DownloadError: A file cannot be had, or one that is there is not the published one.
        DataError: A dataset of Hugging Face has no parquet files.
        UsageError: There is no data set of that name.
        StorageError: The folder cannot be written, or has no room.
    """
    published = find_by_name(name)
    where = Path(folder) if folder else cache_folder("downloads") / published.folder
    known = receipt.read(where, published) or receipt.begin(where, published, patience)
    missing = [file for file in known.files if not known.knows(file)]
    if not missing:
        return where
    log.info("%s: %s", published.title, known.licence)
    with explained(where, ELSEWHERE):
        where.mkdir(parents=True, exist_ok=True)
        known.write()
        check_room(where, sum(file.bytes or 0 for file in missing) - _there(where, missing))
    counted = _Sum(known.files, missing, progress)
    for file in missing:
        if (where / file.name).exists():
            _check(where / file.name, file)
        else:
            log.info("downloading %s to %s", file.name, where)
            download(
                file,
                where,
                headers=hub.headers(file.urls[0]) if published.repository else None,
                progress=counted.add,
                patience=patience,
                instead=published.instead,
            )
        with explained(where):
            known.enter(file)
        counted.next(file)
    return where


def fetch_photos(name: str) -> Path:
    """Have a data set and say what of it holds the photos, with progress in the log.

    Args:
        name: A name of the catalogue, or `hf:owner/name`.

    Returns:
        A file or folder that can be opened as a source.

    Raises:
        FacesmithError: As `fetch`.
    """
    return fetch(name, progress=_Tenths(name).show) / find_by_name(name).photos


def fetch_detector(progress: Progress | None = None, *, patience: Patience = PATIENT) -> Path:
    """Have YuNet, the face detector of OpenCV's model zoo (MIT), downloading it where it is missing.

    Args:
        progress: Called with bytes done and bytes in all.
        patience: How much of a bad server is borne.

    Returns:
        The file, of 232,589 bytes, in `$XDG_CACHE_HOME/facesmith/models`.

    Raises:
        DownloadError: It cannot be had, or the file that is there is another one.
        StorageError: The folder cannot be written.
    """
    folder = cache_folder("models")
    with explained(folder, ELSEWHERE):
        folder.mkdir(parents=True, exist_ok=True)
    if (folder / DETECTOR.name).exists():
        _check(folder / DETECTOR.name, DETECTOR)
        return folder / DETECTOR.name
    return download(DETECTOR, folder, progress=progress, patience=patience)


def _there(folder: Path, files: list[File]) -> int:
    """Count the bytes that need not come any more."""
    paths = [folder / name for file in files for name in (file.name, file.name + PART)]
    return sum(path.stat().st_size for path in paths if path.exists())


def _check(path: Path, file: File) -> None:
    with explained(path.parent):
        wrong = mismatch(path, file)
    if wrong is not None:
        raise DownloadError(
            f"{path} {wrong}.",
            needed="the file as it was published",
            todo="move it away, then run the same command again, or get it from "
            f"{file.page or file.urls[0]}",
        )


class _Sum:
    """Progress over all files of a set."""

    def __init__(
        self, files: tuple[File, ...], missing: list[File], progress: Progress | None
    ) -> None:
        sizes = [file.bytes for file in files]
        self.total = 0 if None in sizes else sum(size or 0 for size in sizes)
        self.before = sum(file.bytes or 0 for file in files if file not in missing)
        self.progress = progress

    def add(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(self.before + done, self.total)

    def next(self, file: File) -> None:
        self.before += file.bytes or 0
        self.add(0, 0)


class _Tenths:
    """Progress where no line can be redrawn: a word at each tenth."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.last = 0

    def show(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 0
        if tenth > self.last:
            self.last = tenth
            log.info("%s: %d of %d MB", self.title, done // 10**6, total // 10**6)
