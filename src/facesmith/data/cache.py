"""Photos straight to training: the dataset is made once and found again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from facesmith.base.errors import UsageError
from facesmith.data.crops import Crop
from facesmith.data.dataset import Dataset
from facesmith.data.files import JOURNAL, MANIFEST
from facesmith.data.prepare import Progress, framing_of, prepare, settings_of
from facesmith.data.sources import open_source

HASH_DIGITS = 16


def cached(
    source: str | Path,
    *,
    resolution: int,
    crop: Crop | str = "center",
    channels: int = 3,
    held_out: float = 0.1,
    resampling: str = "lanczos",
    workers: int | None = None,
    limit: int | None = None,
    cache_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Open a dataset, or prepare photos in the cache and open that.

    The place in the cache is named after the photos' path, names and sizes and after the settings,
    so a change of any makes another dataset.

    Args:
        source: A folder made by `prepare`, or whatever `prepare` takes.
        resolution: Side of the square training images in pixels.
        crop: As for `prepare`; a prepared dataset keeps its own.
        channels: 3 for colour, 1 for grey.
        held_out: As for `prepare`; a prepared dataset keeps its own.
        resampling: As for `prepare`; a prepared dataset keeps its own.
        workers: Processes that decode.
        limit: Use at most so many images; a prepared dataset is used whole.
        cache_dir: Where datasets are kept; `$XDG_CACHE_HOME/facesmith/datasets` or
            `~/.cache/facesmith/datasets` by default.
        progress: Called with images done and images found.

    Returns:
        The dataset.

    Raises:
        DataError: As `prepare`.
        UsageError: A prepared dataset has another resolution or number of channels, or an argument
            is out of range.
        StorageError: The cache cannot be written or the disk is full.
    """
    path = Path(source)
    if (path / MANIFEST).is_file() or (path / JOURNAL).is_file():
        return _matching(Dataset.open(path), resolution, channels)
    framing = framing_of(resolution, crop, channels, resampling)
    listed = open_source(source, resolution=resolution, limit=limit)
    where = str(source) if not path.exists() else str(path.resolve())
    settings = settings_of(listed, framing, held_out)
    identity = json.dumps([where, settings], sort_keys=True)
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
    stem = re.sub(r"[^\w.-]+", "-", Path(listed.title).stem) or "photos"
    return prepare(
        source,
        (Path(cache_dir) if cache_dir else default_cache()) / f"{stem}-{resolution}-{digest}",
        resolution=resolution,
        crop=crop,
        channels=channels,
        held_out=held_out,
        resampling=resampling,
        workers=workers,
        limit=limit,
        progress=progress,
    )


def default_cache() -> Path:
    """Say where datasets are kept that nobody gave a place.

    Returns:
        A folder that may not exist yet.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "facesmith" / "datasets"


def _matching(dataset: Dataset, resolution: int, channels: int) -> Dataset:
    for name, theirs, ours in (
        ("resolution", dataset.resolution, resolution),
        ("channels", dataset.channels, channels),
    ):
        if theirs != ours:
            raise UsageError(
                f"The dataset {dataset.folder} was prepared with {name} {theirs}.",
                needed=f"{name} {ours}, as the training asks for",
                todo=f"train with {name} {theirs}, or prepare the photos again with {name} {ours}",
            )
    return dataset
