"""Saving a run and going on with it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from facesmith import checkpoint
from facesmith.base.errors import DataError, UsageError
from facesmith.base.records import forget_after
from facesmith.base.registry import flat, to_dict
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.training import compute
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
        "data": describe_data(view.dataset),
    }
    tensors = {**state.tensors(), "snapshot": view.snapshot_generator().state_dict()}
    checkpoint.save(target, tensors, description)
    checkpoint.prune(view.folder.checkpoints, keep=view.run.keep)
    log.debug("saved %s", target)


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """Say which photos a run saw, so that it can be told whether they are still the same.

    Args:
        dataset: The photos.

    Returns:
        Folder, number of training images, and the settings and fingerprint they were prepared with.
    """
    return {
        "folder": str(dataset.folder),
        "count": dataset.count,
        "settings": dataset.manifest["settings"],
    }


def resume(recipe: Recipe, run: Run, dataset: Dataset, folder: RunFolder) -> TrainingState | None:
    """Restore the state of the newest whole checkpoint of a run.

    Args:
        recipe: Must be the one that the run was begun with.
        run: Its seed must be that of the run; its length may grow.
        dataset: Must hold the same photos.
        folder: The run folder.

    Returns:
        The state; None where nothing was saved yet.

    Raises:
        UsageError: The run was begun with another recipe or seed.
        DataError: The photos have changed.
        StorageError: All checkpoints are damaged.
    """
    found = folder.find_checkpoint()
    if found is None:
        _forget_after(folder, 0)
        return None
    tensors, saved = checkpoint.load(found)
    _refuse_other_recipe(
        {"seed": saved["seed"], **saved["recipe"]},
        {"seed": run.seed, **to_dict(recipe)},
        run.folder,
    )
    _refuse_other_data(saved["data"], describe_data(dataset), run.folder)
    compute.find_device(saved["compute"]["device"].partition(":")[0])
    chosen = compute.from_dict(saved["compute"])
    if (run.device, run.precision) != ("auto", "auto"):
        log.info("it goes on as it began: %s", chosen)
    state = TrainingState.begin(recipe, chosen, run.seed)
    state.restore(tensors, saved)
    _forget_after(folder, state.images_seen)
    log.info("continuing %s at %s images", run.folder, f"{state.images_seen:,}")
    return state


def _forget_after(folder: RunFolder, images_seen: int) -> None:
    try:
        forget_after(folder.metrics, images_seen)
    except OSError as error:  # as for writing records: no reason to lose the training
        log.warning("metrics.jsonl could not be cut back to %d images: %s", images_seen, error)


def _refuse_other_recipe(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    old, new = flat(before), flat(now)
    changed = [
        f"{key} {old.get(key)} -> {new.get(key)}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if changed:
        shown = "; ".join(changed[:6]) + ("; ..." if len(changed) > 6 else "")
        raise UsageError(
            f"The run in {folder} was begun with another recipe: {shown}.",
            needed="the same recipe, or a folder of its own",
            todo="repeat the first command, or add --run ANOTHER-DIR",
        )


def _refuse_other_data(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    if before["settings"] != now["settings"]:
        raise DataError(
            f"The photos have changed since the run in {folder} was begun "
            f"({before['count']} then, {now['count']} now).",
            needed="the same photos: the order of images follows from their number",
            todo="restore the photos, or begin anew with --run ANOTHER-DIR",
        )
