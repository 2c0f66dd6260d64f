"""Photos become a dataset: decoded in parallel, written in order, resumable at any point."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from facesmith.base.errors import UsageError
from facesmith.data.dataset import Dataset, is_dataset
from facesmith.data.packing.files import remove_partials
from facesmith.data.packing.finish import finish, record
from facesmith.data.packing.pack import Pack, other_settings
from facesmith.data.packing.processing import process
from facesmith.data.photos.crops import Crop, parse_crop
from facesmith.data.photos.decoding import RESAMPLING, Framing
from facesmith.data.sources.contract import Source
from facesmith.data.sources.opening import open_source

CHUNK_IMAGES = 64
CHUNK_BYTES = 16 * 2**20
"""A chunk holds fewer images when they are large, so that memory stays bounded."""
MIN_RESOLUTION, MAX_RESOLUTION = 4, 4096

Progress = Callable[[int, int], None]
"""Called with images done and images found."""


def prepare(
    source: str | Path,
    out: str | Path,
    *,
    resolution: int,
    crop: Crop | str = "center",
    channels: int = 3,
    held_out: float = 0.1,
    resampling: str = "lanczos",
    workers: int | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Decode, crop and pack photos into a dataset folder; run again after a kill, it continues.

    Whether a photo is held out depends on the hash of its file alone, so photos that are added later
    move no other, and copies of one photo land on one side. Of ten or more usable photos at least
    one is held out; of fewer, none. About 10,000 are held out at most, so beyond 100,000 photos the
    share falls, and some go back to training as more are added. MNIST's files keep their authors'
    split. Sources that are pixels already, such as portraits, are hashed as pixels.

    Args:
        source: A folder or zip of photos, MNIST's idx files, or `portraits`, `portraits:5000`.
        out: The dataset folder to make; it must be new, empty, or begun by the same command.
        resolution: Side of the square training images in pixels, 4 to 4096.
        crop: Which square of a photo is kept; text is read by `parse_crop`.
        channels: 3 for colour, 1 for grey.
        held_out: Share of images kept away from training, 0 to 0.5.
        resampling: `lanczos` for photos, `nearest` for pixel art.
        workers: Processes that decode; by default as many as there are processors. It does not
            change the result.
        limit: Use at most so many images, the first by name.
        progress: Called after each chunk with images done and images found.

    Returns:
        The finished dataset; its `summary` says what was used and what was rejected.

    Raises:
        DataError: The source is missing, empty, damaged, or without a usable photo.
        UsageError: An argument is out of range, or `out` holds something else.
        StorageError: `out` cannot be written or the disk is full.
    """
    out = Path(out)
    framing = framing_of(resolution, crop, channels, resampling)
    check_numbers(held_out, workers, limit)
    refuse_inside(source, out)
    found = open_source(source, resolution=resolution, limit=limit)
    return pack_source(found, out, framing, held_out=held_out, workers=workers, progress=progress)


def pack_source(
    source: Source,
    out: Path,
    framing: Framing,
    *,
    held_out: float = 0.1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Do what `prepare` does for a source that is listed already.

    Args:
        source: The listed source; its reader must be picklable for worker processes.
        out: The dataset folder.
        framing: How photos are cropped and resized.
        held_out: Share of images kept away from training, 0 to 0.5.
        workers: Processes that decode.
        progress: Called after each chunk with images done and images found.

    Returns:
        The finished dataset.

    Raises:
        DataError: No image is usable.
        UsageError: `out` holds something else, or was begun with other settings.
        StorageError: `out` cannot be written or the disk is full.
    """
    started = time.perf_counter()
    settings = settings_of(source, framing, held_out)
    if is_dataset(out):
        finished = Dataset.open(out)
        if finished.manifest["settings"] != settings:
            raise other_settings(out, finished.manifest["settings"], settings)
        remove_partials(out)
        return finished

    entries = source.entries
    with Pack(out, settings, (framing.resolution, framing.resolution, framing.channels)) as pack:
        size = max(1, min(CHUNK_IMAGES, CHUNK_BYTES // pack.row_bytes))
        done = pack.done
        pack.check_space(len(entries) - done)
        chunks = [entries[i : i + size] for i in range(done, len(entries), size)]
        # Closed at once, whatever happens: Ctrl-C must not wait for what workers do ahead.
        with closing(process(source.reader, chunks, framing, workers)) as processed:
            for chunk in processed:
                records = [record(o, held_out, len(entries)) for o in chunk.outcomes]
                pack.append(chunk.photos, records, chunk.pixels)
                if progress is not None:
                    progress(pack.done, len(entries))
        finish(pack, source, settings)
    dataset = Dataset.open(out)
    dataset.summary = replace(dataset.summary, seconds=time.perf_counter() - started)
    return dataset


def settings_of(source: Source, framing: Framing, held_out: float) -> dict[str, Any]:
    """Collect what decides a dataset's bytes.

    Args:
        source: The listed source.
        framing: How photos are cropped and resized.
        held_out: Share of images kept away from training.

    Returns:
        What JSON can hold; equal settings make equal datasets.
    """
    return {
        "fingerprint": source.fingerprint(),
        "resolution": framing.resolution,
        "crop": str(framing.crop),
        "channels": framing.channels,
        "resampling": framing.resampling,
        "held_out": held_out,
    }


# ---- arguments


def framing_of(resolution: int, crop: Crop | str, channels: int, resampling: str) -> Framing:
    """Check how photos should become training images.

    Args:
        resolution: Side in pixels.
        crop: A crop, or text for `parse_crop`.
        channels: 3 or 1.
        resampling: A name.

    Returns:
        The framing.

    Raises:
        UsageError: One of them is out of range.
    """
    if not MIN_RESOLUTION <= resolution <= MAX_RESOLUTION:
        raise UsageError(
            f"A resolution of {resolution} cannot be prepared.",
            needed=f"a side of {MIN_RESOLUTION} to {MAX_RESOLUTION} pixels",
            todo="choose 64 to begin with",
        )
    if channels not in (1, 3):
        raise UsageError(
            f"Images of {channels} channels cannot be prepared.",
            needed="3 for colour or 1 for grey",
            todo="choose 3",
        )
    if resampling not in RESAMPLING:
        raise UsageError(
            f"There is no resampling called {resampling!r}.",
            needed=f"one of {', '.join(RESAMPLING)}",
            todo="choose lanczos for photos",
        )
    crop = parse_crop(crop) if isinstance(crop, str) else crop
    return Framing(resolution, crop, channels, resampling)


def check_numbers(held_out: float, workers: int | None, limit: int | None) -> None:
    """Refuse numbers that cannot be.

    Args:
        held_out: Share of images, 0 to 0.5.
        workers: Processes, 1 or more.
        limit: Images, 1 or more.

    Raises:
        UsageError: One of them is out of range.
    """
    if not 0 <= held_out <= 0.5:
        raise UsageError(
            f"A held-out share of {held_out} is not possible.",
            needed="0 to 0.5",
            todo="choose 0.1",
        )
    for name, number in (("workers", workers), ("limit", limit)):
        if number is not None and number < 1:
            raise UsageError(
                f"{name} was given {number}.", needed="1 or more", todo=f"leave {name} away"
            )


def refuse_inside(source: str | Path, out: Path) -> None:
    """Refuse to write a dataset among the photos it is made of.

    Args:
        source: Any source.
        out: The dataset folder.

    Raises:
        UsageError: It would lie there.
    """
    photos, folder = Path(source).resolve(), out.resolve()
    if not photos.is_dir() or not folder.is_relative_to(photos):
        return
    hidden = any(part.startswith(".") for part in folder.relative_to(photos).parts)
    if not hidden:  # what is hidden is never taken for photos, such as ~/.cache
        raise UsageError(
            f"The dataset {out} would lie inside the photos {source}.",
            needed="a folder beside the photos, or the dataset would become photos at the next run",
            todo=f"write to {photos.with_name('dataset')}",
        )
