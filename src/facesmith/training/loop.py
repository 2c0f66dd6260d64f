"""The training loop. Every method of facesmith trains through it; they differ by their parts."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import torch

from facesmith.base.allocator import keep_large_blocks
from facesmith.base.errors import DataError, DivergedError
from facesmith.base.records import Record
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.training import compute as computing
from facesmith.training.continuation import describe_data, resume, save_checkpoint
from facesmith.training.draws import Draws
from facesmith.training.folder import RunFolder
from facesmith.training.interruption import Interruption
from facesmith.training.meter import Meter
from facesmith.training.observers import Observer
from facesmith.training.run import Run
from facesmith.training.state import TrainingState
from facesmith.training.step import update_discriminator, update_generator
from facesmith.training.view import View

log = logging.getLogger(__name__)
MOSTLY = 0.5  # share of updates of a record that may be skipped before it counts as bad


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Args:
        images_seen: Real images seen in all.
        reason: Why it stopped, as words: `finished`, `SIGTERM`, or what an observer asked.
        signal_number: The signal that stopped it, if one did.
    """

    images_seen: int
    reason: str
    signal_number: int | None = None


def train(
    recipe: Recipe, run: Run, dataset: Dataset, observers: Sequence[Observer] = ()
) -> Outcome:
    """Train a recipe on a dataset, from the beginning or from where its folder stands.

    Args:
        recipe: What is learned and how.
        run: Where, how long, with which seed.
        dataset: Prepared photos of the recipe's resolution.
        observers: What watches; `observers.standard` gives the usual ones.

    Returns:
        How it ended. A checkpoint of that moment is in the run folder.

    Raises:
        UsageError: The recipe cannot work, or is not that of the folder.
        DataError: The dataset does not fit the recipe.
        StorageError: The folder is in use, full or not writable.
        DivergedError: Three records in a row held updates that were not finite.
    """
    recipe.check()
    fit_dataset(recipe, dataset)
    pixels = recipe.scaling.fit(dataset.mean, dataset.std)
    keep_large_blocks()
    with RunFolder(run.folder) as folder, torch.random.fork_rng(), Interruption() as interruption:
        state = resume(recipe, run, dataset, folder) or TrainingState.begin(
            recipe, computing.choose(recipe, device=run.device, precision=run.precision), run.seed
        )
        folder.describe(recipe, run, describe_data(dataset))
        view = View(recipe, run, folder, state, pixels, dataset)
        return _train(view, observers, interruption)


def _train(view: View, observers: Sequence[Observer], interruption: Interruption) -> Outcome:
    recipe, run, state = view.recipe, view.run, view.state
    draws = Draws(recipe, view.dataset, view.pixels, state.compute, run.seed)
    meter, stopwatch = Meter(), Stopwatch(state)
    view.folder.log_event("started", images_seen=state.images_seen, compute=str(state.compute))
    log.debug("training %s on %s, %s", recipe.name, view.dataset.folder, state.compute)
    for observer in observers:
        observer.started(view)
    reason, signal_number, bad_records = "finished", None, 0

    while state.images_seen < run.images:
        before = state.images_seen
        state.apply_schedules()
        with state.finite_statistics():
            for discriminator_step in range(recipe.discriminator_steps):
                draws.seed_layers(state.images_seen)
                real = draws.reals(state.images_seen)
                latents = draws.latents(state.images_seen)
                # The last fakes serve both players, so only they keep their graph.
                with torch.set_grad_enabled(discriminator_step == recipe.discriminator_steps - 1):
                    fake = state.generator(latents)
                update_discriminator(state, real, fake, meter)
                state.images_seen += recipe.batch
            update_generator(state, real, fake, meter)
        state.steps += 1
        state.update_average(state.images_seen - before)

        if run.has_occasion(before, state.images_seen):
            record = make_record(state, meter, stopwatch)
            bad_records = bad_records + 1 if record.non_finite > MOSTLY else 0
            if bad_records == 3:
                view.folder.log_event("diverged", images_seen=state.images_seen)
                raise diverged(record)
            for observer in observers:
                if (asked := observer.stepped(view, record)) is not None:
                    reason = asked
        if (signal_number := interruption.signal_number) is not None:
            reason = signal.Signals(signal_number).name
        if reason != "finished":
            break

    stopwatch.read()
    save_checkpoint(view)
    for observer in observers:
        observer.finished(view, reason)
    view.folder.log_event("stopped", images_seen=state.images_seen, reason=reason)
    log.debug("%s at %d images after %.0f s", reason, state.images_seen, state.seconds)
    return Outcome(state.images_seen, reason, signal_number)


class Stopwatch:
    """Adds the time of this sitting to the state's."""

    def __init__(self, state: TrainingState) -> None:
        self.state, self.images = state, state.images_seen
        self.last = time.perf_counter()

    def read(self) -> float:
        """Bring the state's clock up to date.

        Returns:
            Images a second since the last reading.
        """
        now = time.perf_counter()
        elapsed, images = now - self.last, self.state.images_seen - self.images
        self.state.seconds += elapsed
        self.last, self.images = now, self.state.images_seen
        return images / elapsed if elapsed > 0 else 0.0


def make_record(state: TrainingState, meter: Meter, stopwatch: Stopwatch) -> Record:
    """Turn the meter's means into a record and begin them anew.

    Args:
        state: Gives counters and learning rates.
        meter: Gives the means; waits for the device.
        stopwatch: Gives the speed.

    Returns:
        The record.
    """
    means = meter.read()
    penalties = {k.partition("/")[2]: v for k, v in means.items() if k.startswith("penalty/")}
    rates = state.recipe.optimizers
    return Record(
        images_seen=state.images_seen,
        steps=state.steps,
        images_per_second=stopwatch.read(),
        seconds=state.seconds,
        memory_bytes=psutil.Process().memory_info().rss,
        non_finite=1 - means.pop("finite"),
        penalties=penalties,
        learning_rates={
            "generator": rates.generator.learning_rate(state.images_seen),
            "discriminator": rates.discriminator.learning_rate(state.images_seen),
        },
        **{name: value for name, value in means.items() if not name.startswith("penalty/")},
    )


def fit_dataset(recipe: Recipe, dataset: Dataset) -> None:
    """Refuse a dataset that the recipe cannot be trained on.

    Args:
        recipe: Gives resolution and channels.
        dataset: The photos.

    Raises:
        DataError: Resolution or channels differ, or there are too few photos.
    """
    height, channels = dataset.resolution, dataset.channels
    if (height, channels) != (recipe.resolution, recipe.channels):
        raise DataError(
            f"The dataset holds {height}x{height} images of {channels} channels.",
            needed=f"{recipe.resolution}x{recipe.resolution} of {recipe.channels}, as the recipe says",
            todo=f"add --resolution {height} --channels {channels}, or prepare the photos again",
        )
    if dataset.count < 2:
        raise DataError(
            f"The dataset holds {dataset.count} photo to train on.",
            needed="two at the very least; hundreds for faces, thousands for good ones",
            todo="add photos to the folder, and run the command again",
        )
    if dataset.count < recipe.batch:
        log.warning(
            "%d photos are fewer than a batch of %d: photos repeat within it, and the discriminator "
            "will know them by heart",
            dataset.count,
            recipe.batch,
        )


def diverged(record: Record) -> DivergedError:
    """Explain that training cannot go on."""
    halved = " ".join(
        f"--optimizers.{player}.learning-rate {rate / 2:g}"
        for player, rate in record.learning_rates.items()
    )
    return DivergedError(
        f"Updates have not been finite for three records, up to {record.images_seen:,} images.",
        needed="finite losses and gradients; weights of the last checkpoint still are",
        todo=f"begin anew in another --run DIR with half the learning rates: {halved}",
    )
