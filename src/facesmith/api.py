"""The command line's words as Python calls."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from facesmith.applications.sample import Model, load
from facesmith.base import registry
from facesmith.base.errors import UsageError
from facesmith.data.cache import cached
from facesmith.data.dataset import Dataset
from facesmith.data.plan import Preparation
from facesmith.data.streaming.streamed import Streamed, TrainingSet, streamed
from facesmith.recipe import Recipe
from facesmith.recipes import find_recipe
from facesmith.training import autopilot as pilots
from facesmith.training import continuation, loop, observers
from facesmith.training.folder import RunFolder
from facesmith.training.observers import Observer
from facesmith.training.progress import Plain, Remaining, counter, say
from facesmith.training.run import Cache, Run
from facesmith.training.watch import Health

IMAGES = "200k"
"""Length of a run that was given none."""


def train(
    recipe: str | Recipe,
    *,
    data: str | Path | TrainingSet,
    images: int | str | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    run: str | Path | None = None,
    resolution: int | None = None,
    channels: Literal[1, 3] | None = None,
    crop: str = "center",
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    balance: str | Sequence[str] | None = None,
    cache: Cache = "auto",
    record_every: int | str = "1k",
    sample_every: int | str = "10k",
    checkpoint_every: int | str | None = None,
    keep: int | None = None,
    autopilot: bool = False,
    progress: bool = True,
    watch: Sequence[Observer] = (),
) -> Model:
    """Train a recipe on photos and give back the model.

    Args:
        recipe: A name such as `"face"`, `"mine.py:function"`, or a Recipe.
        data: A folder, zip or tar of photos, parquet files, a prepared dataset, `"portraits"`, a name that
            `facesmith download` lists, or an open Dataset.
        images: Real images to see in all, such as 500_000 or `"500k"`; 200k by default.
        epochs: Length in passes over the photos, instead of images.
        minutes: Stop earlier if training has taken so long, over all sittings.
        run: The run folder; `runs/RECIPE-RESOLUTION` by default. Calling again with the same one continues.
        resolution: Height and width in pixels; the recipe's own by default.
        channels: 3 for colour, 1 for grey; the recipe's own by default.
        crop: How photos become squares: `face`, `face-celeba`, `center`, `center:SIZE`, `x,y,width,height` or
            `none`.
        seed: Every random number follows from it.
        device: Where to compute.
        precision: Arithmetic of the networks; auto measures.
        balance: Labels whose groups of images are drawn equally often, such as `"male"` or `"male,young"`.
        cache: Where the images are kept: on `disk`, in `ram`, on the `device`, or `none`, not even on disk.
        record_every: Images between two lines of metrics.jsonl.
        sample_every: Images between two sheets of samples.
        checkpoint_every: Images between two checkpoints; 50k by default, with the autopilot a tenth of the
            run at most.
        keep: Checkpoints that are kept; 3 by default, 6 with the autopilot.
        autopilot: At a fault whose remedy is trusted, go back to where the run was well, change the recipe,
            and go on.
        progress: Print a line now and then.
        watch: Observers beside the usual ones.

    Returns:
        The trained model.

    Raises:
        FacesmithError: Something cannot work; the message says what to do.
        KeyboardInterrupt: Ctrl-C was pressed; everything is saved, and the same call continues.

    Example:
        >>> model = facesmith.train("face", data="photos/", images="500k")
        >>> pixels = model.generate(seeds=range(16))
    """
    chosen = find_recipe(recipe) if isinstance(recipe, str) else recipe
    if resolution is not None:
        chosen = dataclasses.replace(chosen, resolution=resolution)
    if channels is not None:
        chosen = dataclasses.replace(chosen, channels=channels)
    every = None if checkpoint_every is None else count(checkpoint_every)
    settings = Run(
        folder=Path(run) if run is not None else default_folder(chosen),
        images=first_length(images, epochs),
        minutes=minutes,
        seed=seed,
        device=device,
        precision=precision,
        balance=columns(balance),
        cache="none" if isinstance(data, Streamed) else cache,
        record_every=count(record_every),
        sample_every=count(sample_every),
        checkpoint_every=Run.checkpoint_every if every is None else every,
        keep=Run.keep if keep is None else keep,
    )
    chosen.check()
    check_start(chosen, settings)
    dataset: TrainingSet
    if isinstance(data, TrainingSet):
        dataset = data
    else:
        shown = counter("preparing photos") if progress else None
        dataset = open_data(data, chosen, crop=crop, cache=cache, progress=shown)
        if progress and isinstance(dataset, Dataset) and dataset.summary.rejected:
            say("\n".join([*dataset.summary.lines(), f"prepared in {dataset.folder}"]))
    settings = with_epochs(settings, epochs, dataset)
    display = [Plain(Remaining(settings))] if progress else []
    health = Health()
    watching = observers.standard(*display, *watch, health=health)
    if autopilot:
        settings = pilots.with_checkpoints(settings, every, keep)
        outcome = pilots.train(chosen, settings, dataset, watching, health)
    else:
        outcome = loop.train(chosen, settings, dataset, watching)
    if outcome.signal_number is not None:
        if progress:
            say(f"stopped by {outcome.reason} at {outcome.images_seen:,} images; all is saved")
        # It was meant for the whole program, which now hears it as if nobody had been in between:
        # SIGINT becomes KeyboardInterrupt, SIGTERM ends the process.
        signal.raise_signal(outcome.signal_number)
    return load(settings.folder)


def open_data(
    data: str | Path,
    recipe: Recipe,
    *,
    crop: str = "center",
    cache: Cache = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> TrainingSet:
    """Open photos for a recipe, preparing them on first use.

    Args:
        data: Whatever `train` takes, but an open Dataset.
        recipe: Gives resolution and channels.
        crop: How photos become squares.
        cache: With `none`, nothing is prepared.
        progress: Called with photos done and photos found.

    Returns:
        The dataset.
    """
    how = Preparation(recipe.resolution, crop, recipe.channels)
    if cache == "none":
        return streamed(data, how)
    return cached(data, how, progress=progress)


def check_start(recipe: Recipe, run: Run) -> None:
    """Refuse at once what training would refuse after the photos are prepared, which may take hours.

    Args:
        recipe: Must be that of the run folder, if one was begun there.
        run: Its folder must be writable and free, its device present.

    Raises:
        UsageError: The device is missing, or the run was begun with another recipe or seed.
        StorageError: The folder is in use or cannot be written, or all its checkpoints are damaged.
    """
    with RunFolder(run.folder) as folder:
        try:
            continuation.check_start(recipe, run, folder)
        finally:
            folder.discard()  # while it is ours: where nothing has begun, a refusal leaves nothing behind


def default_folder(recipe: Recipe) -> Path:
    """Name the folder of a run that was given none."""
    return Path("runs") / f"{recipe.name}-{recipe.resolution}"


def count(images: int | str) -> int:
    """Read a number of images that may be a text such as `"5k"`."""
    return registry.count(images) if isinstance(images, str) else images


def columns(balance: str | Sequence[str] | None) -> tuple[str, ...]:
    """Read names of labels that may be a text such as `"male,young"`."""
    names = balance.split(",") if isinstance(balance, str) else balance or ()
    return tuple(dict.fromkeys(name.strip() for name in names))


def first_length(images: int | str | None, epochs: int | None) -> int:
    """Read the length of a run as far as it is known before the photos are counted.

    Args:
        images: Real images to see in all.
        epochs: Passes over the photos, instead.

    Returns:
        Images; those of `with_epochs` take their place where epochs are given.

    Raises:
        UsageError: Both were given, or less than one epoch.
    """
    if epochs is not None and images is not None:
        raise UsageError(
            f"Two lengths were given: {images} images and {epochs} epochs.",
            needed="one of them",
            todo="leave out images or epochs",
        )
    if epochs is not None and epochs < 1:
        raise UsageError(
            f"epochs was given {epochs}.",
            needed="1 pass over the photos, or more",
            todo="give --epochs 20, or a length such as --images 200k",
        )
    return count(IMAGES if images is None else images)


def with_epochs(run: Run, epochs: int | None, dataset: TrainingSet) -> Run:
    """Give a run the length of so many passes over its photos, where that was asked for."""
    if epochs is None:
        return run
    return dataclasses.replace(run, images=max(1, epochs * dataset.count))
