"""Saving a run and going on with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facesmith import checkpoint
from facesmith.base.errors import DataError, FacesmithError, StorageError, UsageError
from facesmith.base.records import forget_after
from facesmith.base.registry import flat, from_dict, to_dict
from facesmith.data.streaming.streamed import TrainingSet
from facesmith.recipe import Recipe
from facesmith.training import compute, interventions
from facesmith.training.folder import RunFolder
from facesmith.training.run import Run
from facesmith.training.state import TrainingState
from facesmith.training.view import View

log = logging.getLogger(__name__)


def save_checkpoint(view: View) -> None:
    """Save the state of this moment, unless it is saved already.

    Args:
        view: The run.

    Raises:
        DivergedError: A weight is not finite; nothing is written.
        StorageError: The disk is full or refuses; older checkpoints are untouched.
    """
    state, target = view.state, view.folder.checkpoint_at(view.state.images_seen)
    if target.exists():
        return
    description = {
        "images_seen": state.images_seen,
        "steps": state.steps,
        "seconds": state.seconds,
        "seed": view.run.seed,
        "recipe": to_dict(view.recipe),
        "pixels": to_dict(view.pixels),
        "compute": state.compute.to_dict(),
        "threads": torch.get_num_threads(),
        "balance": list(view.run.balance),
        "data": view.dataset.describe(),
    }
    tensors = {**state.tensors(), "snapshot": view.snapshot_generator().state_dict()}
    checkpoint.save(target, tensors, description)
    checkpoint.prune(view.folder.checkpoints, keep=view.run.keep)
    log.debug("saved %s", target)


def resume(
    recipe: Recipe, run: Run, dataset: TrainingSet, folder: RunFolder
) -> TrainingState | None:
    """Restore the state of the newest whole checkpoint of a run.

    Args:
        recipe: Must be the one in force: that which the run was begun with, and what was changed since.
        run: Its seed must be that of the run; its length may grow.
        dataset: Must hold the same photos.
        folder: The run folder.

    Returns:
        The state; None where nothing was saved yet.

    Raises:
        UsageError: The run was begun with another recipe or seed, or on a device that is not here.
        DataError: The photos have changed.
        StorageError: All checkpoints are damaged.
    """
    found = folder.load_checkpoint()
    if found is None:
        _forget_after(folder, 0)
        return None
    tensors, saved = found
    with _understood(run):
        state = _restored(recipe, run, dataset, tensors, saved)
    _forget_after(folder, state.images_seen)
    log.info("continuing %s at %s images", run.folder, f"{state.images_seen:,}")
    return state


def _restored(
    recipe: Recipe,
    run: Run,
    dataset: TrainingSet,
    tensors: dict[str, dict[str, Tensor]],
    saved: dict[str, Any],
) -> TrainingState:
    _refuse_other_recipe(recipe, run, saved)
    _refuse_other_data(saved["data"], dataset.describe(), run.folder)
    began = compute.from_dict(saved["compute"])
    chosen = _go_on_as(began, run)
    if chosen != began:
        log.warning("it was begun on %s and goes on on %s: bits will differ", began, chosen)
    threads = saved.get("threads", torch.get_num_threads())
    if chosen.device.type == "cpu" and threads != torch.get_num_threads():
        log.warning(
            "it was begun with %d threads and goes on with %d: sums are added in another order, so it "
            "will not equal an uninterrupted run to the last bit",
            threads,
            torch.get_num_threads(),
        )
    state = TrainingState.begin(recipe, chosen, run.seed)
    state.restore(tensors, saved)
    return state


@contextmanager
def _understood(run: Run) -> Iterator[None]:
    """Say in words that a whole checkpoint holds something else than a training's state."""
    try:
        yield
    except FacesmithError:
        raise
    except checkpoint.MALFORMED as error:
        raise StorageError(
            f"The newest checkpoint of {run.folder} does not fit its own recipe "
            f"({type(error).__name__}: {error}).",
            needed="state and weights as one training wrote them",
            todo="move it away, and the run goes on from the one before",
        ) from error


def check_start(recipe: Recipe, run: Run, folder: RunFolder) -> None:
    """Refuse what would be refused later, when the photos have been prepared, which may take hours.

    Args:
        recipe: Must be that of the run, if one was begun.
        run: Its device must be there.
        folder: The run folder.

    Raises:
        UsageError: The device is missing, or the run was begun with another recipe or seed.
        StorageError: All checkpoints are damaged.
    """
    recipe = interventions.read(folder.path).in_force(recipe, run.folder)
    found = folder.load_checkpoint(only=())
    if found is None:
        compute.find_device(run.device)
        return
    with _understood(run):
        _refuse_other_recipe(recipe, run, found[1])
        _go_on_as(compute.from_dict(found[1]["compute"]), run)


def _go_on_as(began: compute.Compute, run: Run) -> compute.Compute:
    """Choose how a run goes on: as it began, unless its user or the machine demands something else."""
    device = began.device.type if run.device == "auto" else run.device
    try:
        place = compute.find_device(device)
    except UsageError as error:
        if run.device != "auto":
            raise
        raise UsageError(
            f"The run in {run.folder} was begun on {began.device}, which is not here.",
            needed=f"{began.device}, or your consent to go on elsewhere",
            todo="add --device cpu; it will then not equal an uninterrupted run to the bit",
        ) from error
    precision = began.precision if run.precision == "auto" else run.precision
    if run.precision == "auto" and precision == "bf16" and not compute.has_bf16(place):
        precision = "fp32"  # emulated bf16 is hundreds of times slower
    return compute.with_precision(place, precision)


def _forget_after(folder: RunFolder, images_seen: int) -> None:
    try:
        forget_after(folder.metrics, images_seen)
    except OSError as error:  # as for writing records: no reason to lose the training
        log.warning("metrics.jsonl could not be cut back to %d images: %s", images_seen, error)


def _refuse_other_recipe(recipe: Recipe, run: Run, saved: dict[str, Any]) -> None:
    treatment = interventions.read(run.folder)
    # What went on from this checkpoint since may have been changed; the interventions know to what.
    begun = treatment.made[-1].recipe if treatment.made else saved["recipe"]
    # Read and written again, a recipe of an older version has the defaults of what it did not know.
    old = flat(
        {
            "seed": saved["seed"],
            "balance": ",".join(saved.get("balance", ())) or None,
            "cache": "none" if "streamed" in saved["data"]["settings"] else "a pack",
            **to_dict(from_dict(begun)),
        }
    )
    new = flat(
        {
            "seed": run.seed,
            "balance": ",".join(run.balance) or None,
            "cache": "none" if run.cache == "none" else "a pack",
            **to_dict(recipe),
        }
    )
    interventions.refuse_other_settings(old, new, run.folder)


def _refuse_other_data(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    # The pictures count, not the times and places of the files that they were made from.
    key = "sha256" if "sha256" in before else "settings"
    if before[key] != now[key]:
        raise DataError(
            f"The photos have changed since the run in {folder} was begun "
            f"({before['count']} then, {now['count']} now).",
            needed="the same photos: the order of images follows from their number",
            todo="restore the photos, or begin anew with --run ANOTHER-DIR",
        )
    if before.get("order", "") != now.get("order", ""):
        raise DataError(
            f"The labels have changed since the run in {folder} was begun.",
            needed="the same labels: the order of images follows from them",
            todo="restore the labels, or begin anew with --run ANOTHER-DIR",
        )
