"""What an intervention consists of: the mended recipe, what differs, and the moment to go back to."""

from __future__ import annotations

import contextlib
import logging
import warnings
from itertools import takewhile
from pathlib import Path

from facesmith import checkpoint
from facesmith.base import records, settings
from facesmith.base.errors import DivergedError, StorageError
from facesmith.health.finding import Change, Finding, Remedy
from facesmith.recipe import Recipe
from facesmith.training.interventions import Changed
from facesmith.training.view import View

log = logging.getLogger(__name__)
ANEW = {"generator", "discriminator", "latent", "scaling"}
"""Parts of a recipe whose change makes the weights that were learned useless."""
FIXED = {"resolution", "channels", "name"}
"""Settings that go with the data or the folder, and stay."""


def mended(recipe: Recipe, remedy: Remedy) -> Recipe | None:
    """Apply a remedy.

    Args:
        recipe: In force.
        remedy: Its changes are options and values as they are typed.

    Returns:
        The changed recipe; None where nothing would change, or the change does not fit.
    """
    if any(change.option in FIXED for change in remedy.changes):
        return None
    after = recipe
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice about recipes is for those who write them
            for change in remedy.changes:
                after = settings.put_text(after, change.option, change.value)
            after.check()
    except Exception as error:  # a remedy that cannot be applied must not end what it should mend
        log.debug("%s cannot be applied: %s", remedy.options(), error)
        return None
    return None if after == recipe else after


def differences(before: Recipe, after: Recipe, remedy: Remedy) -> tuple[Changed, ...]:
    """Write down what a remedy changed.

    Args:
        before: Without it.
        after: With it.
        remedy: Names the settings.

    Returns:
        Each as it was and is; a setting of a part that was exchanged has no value before.
    """
    return tuple(
        Changed(change.option, _text(before, change.option), _text(after, change.option))
        for change in remedy.changes
    )


def moment(checkpoints: Path, finding: Finding) -> int:
    """Choose the moment to go back to.

    Args:
        checkpoints: The folder that holds them.
        finding: To be mended.

    Returns:
        Images seen at the last whole checkpoint before the fault; 0, the beginning, where there is none or
        the remedy changes what was learned with.
    """
    if any(_begins_anew(change) for change in finding.remedy.changes):
        return 0
    for folder in reversed(checkpoint.complete(checkpoints)):
        # At the moment since which a fault is known, it is there.
        if int(folder.name) < finding.since:
            with contextlib.suppress(StorageError):
                checkpoint.verify(folder)
                return int(folder.name)
    return 0


def non_finite(view: View, error: DivergedError) -> Finding:
    """Make a finding of numbers that are not finite.

    Args:
        view: The run.
        error: What ended it.

    Returns:
        The finding, since the first of the records without a finite one after it; half of both learning
        rates mends it.
    """
    since = view.state.images_seen
    if view.folder.metrics.exists():
        newest_first = reversed(list(records.read(view.folder.metrics)))
        for record in takewhile(lambda record: record.non_finite > 0, newest_first):
            since = record.images_seen
    chosen = view.recipe.optimizers
    changes = tuple(
        Change(f"optimizers.{player}.learning_rate", str(optimizer.learning_rate.scaled(0.5)))
        for player, optimizer in (
            ("generator", chosen.generator),
            ("discriminator", chosen.discriminator),
        )
    )
    remedy = Remedy("Halve both learning rates.", changes, trusted=True)
    return Finding("non-finite", "ill", error.given, since, error.needed, remedy)


def _begins_anew(change: Change) -> bool:
    first, *rest = change.option.split(".")
    # Another optimiser cannot go on with the moments of the one before.
    return first in ANEW or (first == "optimizers" and len(rest) < 2)


def _text(recipe: Recipe, option: str) -> str:
    try:
        return settings.written(settings.look_up(recipe, option))
    except (AttributeError, IndexError, ValueError):
        return ""
