"""Photos straight to training: the dataset is made once and found again."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import shlex
from pathlib import Path

from facesmith.base.errors import DataError
from facesmith.data.dataset import Dataset
from facesmith.data.packing.files import JOURNAL, explained
from facesmith.data.packing.manifest import is_dataset
from facesmith.data.places import cache_folder
from facesmith.data.plan import Preparation, check_count, refuse_inside
from facesmith.data.prepare import Progress, carry_out
from facesmith.data.sources import idx
from facesmith.data.sources.contract import Source

HASH_DIGITS = 16
STEM_LENGTH = 40
"""Letters of the photos' name that are kept: no file system takes names of any length."""
MNIST = (28, 1)
"""Resolution and channels of most idx files, and of the recipe `mlp`."""
ELSEWHERE = (
    "set the environment variable XDG_CACHE_HOME to a folder that can be written, "
    "or choose one with `facesmith prepare PHOTOS --out DATASET` and train with --data DATASET"
)

log = logging.getLogger(__name__)


def cached(
    source: str | Path,
    how: Preparation,
    *,
    workers: int | None = None,
    cache_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Open a dataset, or prepare photos in the cache and open that.

    The place in the cache is named after the settings and after the photos' path, names, sizes and
    times of writing (in a zip, checksums), so a change of any makes another dataset.

    Args:
        source: A folder made by `prepare`, or whatever `prepare` takes.
        how: As for `prepare`. A prepared dataset must have this resolution and these channels, and keeps
            everything else as it is.
        workers: Processes that decode.
        cache_dir: Where datasets are kept; `$XDG_CACHE_HOME/facesmith/datasets` or
            `~/.cache/facesmith/datasets` by default.
        progress: Called with images done and images found.

    Returns:
        The dataset.

    Raises:
        DataError: As `prepare`; or a prepared dataset has another resolution or number of channels.
        UsageError: An argument is out of range.
        StorageError: The cache cannot be written or the disk is full.
    """
    path = Path(source)
    if is_dataset(path) or (path / JOURNAL).is_file():
        dataset = _matching(Dataset.open(path), how.resolution, how.channels)
        asked = str(how.framing().crop)
        made = dataset.manifest["settings"]["crop"]
        if asked not in ("center", made):  # center is what nobody asked for
            raise DataError(
                f"The dataset {path} was prepared with --crop {made}.",
                needed=f"photos, of which --crop {asked} can keep another square",
                todo="leave --crop out, or prepare the photos again with it",
            )
        return dataset
    check_count("workers", workers)
    plan = how.plan(source)
    where = str(source) if not path.exists() else str(path.resolve())
    identity = json.dumps([where, plan.settings], sort_keys=True)
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
    stem = re.sub(r"[^\w.-]+", "-", Path(plan.source.title).stem)[:STEM_LENGTH] or "photos"
    folder = Path(cache_dir) if cache_dir else default_cache()
    folder /= f"{stem}-{how.resolution}-{digest}"
    if not is_dataset(folder):
        refuse_inside(source, folder)
        _make(folder)
        _advise(source, plan.source, how.resolution, how.channels)
    return carry_out(plan, folder, workers=workers, progress=progress)


def default_cache() -> Path:
    """Say where datasets are kept that nobody gave a place.

    Returns:
        A folder that may not exist yet.

    Raises:
        StorageError: Nobody says where this user's files are.
    """
    return cache_folder("datasets")


def _make(folder: Path) -> None:
    with explained(folder, ELSEWHERE):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _advise(source: str | Path, listed: Source, resolution: int, channels: int) -> None:
    pixels = MNIST[0] ** 2 * MNIST[1]
    if (
        isinstance(listed.reader, idx.IdxReader)
        and listed.entries[0].size == pixels
        and (resolution, channels) != MNIST
    ):
        log.warning(
            "MNIST's 28x28 grey images become %dx%d %s ones; `%s` takes them as they are",
            resolution,
            resolution,
            "grey" if channels == 1 else "colour",
            _mlp(source),
        )


def _mlp(data: str | Path) -> str:
    return f"facesmith train mlp --data {shlex.quote(str(data))}"


def _matching(dataset: Dataset, resolution: int, channels: int) -> Dataset:
    theirs = {"resolution": dataset.resolution, "channels": dataset.channels}
    ours = {"resolution": resolution, "channels": channels}
    other = [name for name in ours if ours[name] != theirs[name]]
    if not other:
        return dataset
    train = "train with " + _options(theirs, other)
    if (dataset.resolution, dataset.channels) == MNIST:
        train = f"run `{_mlp(dataset.folder)}`"
    raise DataError(
        f"The dataset {dataset.folder} was prepared with {_options(theirs, other)}.",
        needed=f"{_options(ours, other)}, as the recipe says",
        todo=f"{train}, or prepare the photos again with {_options(ours, other)}",
    )


def _options(values: dict[str, int], names: list[str]) -> str:
    return " ".join(f"--{name} {values[name]}" for name in names)
