"""Photos become a dataset: decoded in parallel, written in order, resumable at any point."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from facesmith.base.errors import UsageError
from facesmith.data.dataset import Dataset
from facesmith.data.packing.files import remove_partials
from facesmith.data.packing.finish import finish, record
from facesmith.data.packing.manifest import is_dataset
from facesmith.data.packing.pack import Pack, other_settings
from facesmith.data.packing.processing import process
from facesmith.data.packing.rejects import has_kept
from facesmith.data.photos.crops import Crop
from facesmith.data.plan import Plan, Preparation, check_count, refuse_inside
from facesmith.data.quality.cleaning import NONE, Cleaning

CHUNK_IMAGES = 64
CHUNK_BYTES = 16 * 2**20
"""A chunk holds fewer images when they are large, so that memory stays bounded."""

Progress = Callable[[int, int], None]
"""Called with photos done and photos found."""


def prepare(
    source: str | Path,
    out: str | Path,
    *,
    resolution: int,
    crop: Crop | str = "center",
    channels: int = 3,
    held_out: float | None = None,
    resampling: str = "lanczos",
    clean: Cleaning | str | None = None,
    limit: int | None = None,
    labels: str | Path | None = None,
    detector_model: str | Path | None = None,
    keep_rejects: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Decode, crop, clean and pack photos into a dataset folder; run again after a kill, it continues.

    Whether a photo is held out depends on the hash of its file alone, so photos that are added later
    move no other, and copies of one photo land on one side. Of ten or more usable photos at least
    one is held out; of fewer, none. About 10,000 are held out at most, so beyond 100,000 photos the
    share falls, and some go back to training as more are added. Sources whose authors split them, such
    as MNIST's files, keep that split. Sources that are pixels already, such as portraits, are hashed as
    pixels.

    Args:
        source: A folder, zip or tar of photos, shards, parquet files, MNIST's idx files, `portraits`,
            `portraits:5000`, or a name that `facesmith download` lists.
        out: The dataset folder to make; it must be new, empty, or begun by the same command.
        resolution: Side of the square training images in pixels, 4 to 4096.
        crop: Which square of a photo is kept; text is read by `parse_crop`.
        channels: 3 for colour, 1 for grey.
        held_out: Share of images kept away from training, 0 to 0.5; None keeps the split of the
            source's authors, or holds out a tenth where there is none.
        resampling: `lanczos` for photos, `nearest` for pixel art.
        clean: What is rejected though it can be decoded; text is read by `parse_cleaning`. None cleans
            photos, and leaves published sets and drawings as they are.
        limit: Use at most so many photos, the first by name.
        labels: A file of labels, such as a table whose first column names the photos, or a folder of such
            files; `none` for none. By default well-known files beside the photos are found.
        detector_model: The YuNet model that finds faces, for a crop that looks for them; None for the one
            that `facesmith download yunet` fetched.
        keep_rejects: Write each image that is rejected as a picture, too; not once it is finished.
        workers: Processes that decode; by default as many as there are processors. It does not
            change the result.
        progress: Called after each chunk with photos done and photos found.

    Returns:
        The finished dataset; its `summary` says what was used and what was rejected.

    Raises:
        DataError: The source is missing, empty, damaged, or without a usable photo.
        UsageError: An argument is out of range, or `out` holds something else.
        StorageError: `out` cannot be written or the disk is full.
    """
    out = Path(out)
    how = Preparation(
        resolution, crop, channels, held_out, resampling, clean, limit, labels, detector_model
    )
    check_count("workers", workers)
    refuse_inside(source, out)
    plan = how.plan(source)
    return carry_out(plan, out, keep_rejects=keep_rejects, workers=workers, progress=progress)


def carry_out(
    plan: Plan,
    out: Path,
    *,
    keep_rejects: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Do what a plan says.

    Args:
        plan: The listed photos and how they become a dataset.
        out: The dataset folder.
        keep_rejects: Write each image that is rejected as a picture, too.
        workers: Processes that decode.
        progress: Called after each chunk with photos done and photos found.

    Returns:
        The finished dataset.

    Raises:
        DataError: No image is usable.
        UsageError: `out` holds something else, or was begun with other settings.
        StorageError: `out` cannot be written or the disk is full.
    """
    started = time.perf_counter()
    settings = plan.settings
    if is_dataset(out):
        finished = Dataset.open(out)
        if finished.manifest["settings"] != settings:
            raise other_settings(out, finished.manifest["settings"], settings)
        remove_partials(out)
        if keep_rejects and finished.summary.rejected and not has_kept(out):
            raise UsageError(
                f"The dataset {out} is finished, and its rejected images were not kept.",
                needed="a new folder: what was rejected is no longer there",
                todo="prepare into another folder with keep_rejects, or look at the sheets in rejected",
            )
        return finished

    framing, entries = plan.framing, plan.source.entries
    with Pack(out, settings, (framing.resolution, framing.resolution, framing.channels)) as pack:
        size = max(1, min(CHUNK_IMAGES, CHUNK_BYTES // pack.row_bytes))
        done = pack.done
        pack.check_space(len(entries) - done, copies=1 if plan.cleaning == NONE else 2)
        chunks = [entries[i : i + size] for i in range(done, len(entries), size)]
        # Closed at once, whatever happens: Ctrl-C must not wait for what workers do ahead.
        with closing(process(plan.source.reader, chunks, framing, workers)) as processed:
            for chunk in processed:
                records = [record(o, plan) for o in chunk.outcomes]
                pack.append(chunk.photos, records, chunk.pixels)
                if progress is not None:
                    progress(pack.done, len(entries))
        finish(pack, plan, keep_rejects=keep_rejects)
    dataset = Dataset.open(out)
    dataset.summary = replace(dataset.summary, seconds=time.perf_counter() - started)
    return dataset
