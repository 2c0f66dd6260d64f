"""The training loop. Every method of facesmith trains through it; they differ by their parts."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from facesmith.base.allocator import keep_large_blocks
from facesmith.base.errors import DataError, DivergedError
from facesmith.data.streaming.streamed import TrainingSet
from facesmith.measuring.meter import Meter
from facesmith.measuring.stopwatch import Stopwatch
from facesmith.recipe import Recipe
from facesmith.training import compute as computing
from facesmith.training.continuation import resume, save_checkpoint
from facesmith.training.divergence import Divergence
from facesmith.training.draws import Draws
from facesmith.training.folder import RunFolder
from facesmith.training.interruption import Interruption
from facesmith.training.interventions import settle
from facesmith.training.keeping import Batches, keep
from facesmith.training.observers import FAILED, Observer
from facesmith.training.recording import make_record
from facesmith.training.run import Run
from facesmith.training.signals import Signals
from facesmith.training.state import TrainingState
from facesmith.training.step import update_discriminator, update_generator
from facesmith.training.view import View

log = logging.getLogger(__name__)


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
    recipe: Recipe, run: Run, dataset: TrainingSet, observers: Sequence[Observer] = ()
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
        UsageError: The recipe cannot work, or is not that of the folder; there is no label to balance by,
            or no memory for the images where they are to be kept.
        DataError: The dataset does not fit the recipe.
        StorageError: The folder is in use, full or not writable.
        DivergedError: Too many of a player's updates were not finite, for three records or at the end.
    """
    recipe.check()
    fit_dataset(recipe, dataset)
    dataset = dataset.balanced(*run.balance) if run.balance else dataset
    keep_large_blocks()
    with (
        RunFolder(run.folder) as folder,
        contextlib.closing(dataset),
        torch.random.fork_rng(),
        Interruption() as interruption,
    ):
        treatment = settle(folder)
        recipe = treatment.in_force(recipe, run.folder)
        pixels = recipe.scaling.fit(dataset.mean, dataset.std)
        state = resume(recipe, run, dataset, folder) or TrainingState.begin(
            recipe, computing.choose(recipe, device=run.device, precision=run.precision), run.seed
        )
        state.seconds = max(state.seconds, treatment.seconds)  # what was given up took its time
        images = keep(dataset, run.cache, state.compute.device)
        view = View(recipe, run, folder, state, pixels, dataset)
        signals = Signals(view)
        folder.describe(recipe, run, dataset.describe(), folder.facts() or signals.facts())
        try:
            return _train(view, images, signals, observers, interruption)
        except BaseException as error:
            kind = "diverged" if isinstance(error, DivergedError) else FAILED
            folder.log_event(kind, images_seen=state.images_seen, error=str(error))
            for observer in observers:
                # Whatever an observer meets now: the error that ended the run is the one to show.
                with contextlib.suppress(Exception):
                    observer.finished(view, f"{FAILED}: {error}")
            raise


def _train(
    view: View,
    images: Batches,
    signals: Signals,
    observers: Sequence[Observer],
    interruption: Interruption,
) -> Outcome:
    recipe, run, state = view.recipe, view.run, view.state
    draws = Draws(recipe, images, view.pixels, state.compute, run.seed)
    meter, stopwatch = Meter(), Stopwatch(state)
    divergence = Divergence(view.folder.last_record())
    view.folder.log_event("started", images_seen=state.images_seen, compute=str(state.compute))
    log.debug(
        "training %s on %s, %s", recipe.name, view.dataset.describe()["folder"], state.compute
    )
    reason, signal_number = None, None
    for observer in observers:
        reason = observer.started(view) or reason

    def report() -> str | None:
        with stopwatch.lap("signals"):
            found, layers = signals.look(meter)
        record, asked = make_record(state, meter.read(), found, layers, stopwatch), None
        with stopwatch.lap("observers"):
            for observer in observers:
                asked = observer.stepped(view, record) or asked
        divergence.examine(record)
        return asked

    while state.images_seen < run.images and reason is None:
        if run.minutes is not None and stopwatch.seconds() >= 60 * run.minutes:
            reason = f"time is up after {run.minutes:g} min"
            break
        before, after = state.images_seen, state.images_seen + recipe.images_a_round
        state.apply_schedules()
        meter.begin()
        with state.finite_statistics(), signals.examine(due=run.is_probed(before, after)):
            for discriminator_step in range(recipe.discriminator_steps):
                draws.seed_layers(state.images_seen)
                with stopwatch.lap("data"):
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
            reason = report()
        if (signal_number := interruption.signal_number) is not None:
            reason = signal.Signals(signal_number).name

    if not meter.is_empty:  # what was measured since the last record is neither lost nor overlooked
        report()
    stopwatch.read()
    save_checkpoint(view)
    if signal_number is None:
        divergence.conclude()
    reason = reason or "finished"
    for observer in observers:
        observer.finished(view, reason)
    view.folder.log_event("stopped", images_seen=state.images_seen, reason=reason)
    log.debug("%s at %d images after %.0f s", reason, state.images_seen, state.seconds)
    return Outcome(state.images_seen, reason, signal_number)


def fit_dataset(recipe: Recipe, dataset: TrainingSet) -> None:
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
