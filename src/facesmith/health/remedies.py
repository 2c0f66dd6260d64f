"""Remedies as changes of the run's own recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from facesmith.base.errors import UsageError
from facesmith.base.schedules import schedule
from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Player, Remedy

PLAYERS: tuple[Player, ...] = ("generator", "discriminator")
SAFE_RATES = {"Adam": 2e-4, "RMSprop": 5e-5, "SGD": 1e-2}
"""Learning rates that a GAN can begin with, by optimiser."""
R1_PART = "r1(gamma=0.3, every=8, share=0.5)"
"""The penalty of our own default recipe."""


def change(facts: RunFacts, advice: str, *changes: Change, trusted: bool = True) -> Remedy:
    """Give a remedy, whose changes are options only where there is a recipe to change.

    Args:
        facts: Of the run.
        advice: In words.
        *changes: Of the recipe.
        trusted: Whether the autopilot may make them.

    Returns:
        The remedy.
    """
    if not facts.has_recipe:
        return Remedy(advice)
    return Remedy(advice, tuple(each for each in changes if would_change(facts, each)), trusted)


def would_change(facts: RunFacts, wanted: Change) -> bool:
    """Say whether an option exists in this recipe and has another value; others mend nothing."""
    *path, last = wanted.option.split(".")
    place: Any = facts.recipe
    for name in path:
        if isinstance(place, Mapping):
            place = place.get(name)
        elif isinstance(place, list | tuple) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            return False
    if not isinstance(place, Mapping) or last not in place:
        return False
    if last == "width" and place.get("widths"):
        return False  # which are in force in its stead
    now = place[last]
    if isinstance(now, Mapping) and now.get("part") == "Constant":
        now = now.get("value")
    if isinstance(now, int | float):
        try:
            return bool(schedule(wanted.value)(0) != now)
        except UsageError:
            return True
    return bool(now != wanted.value)


def another_width(facts: RunFacts, player: Player, factor: float) -> list[Change]:
    """Make a network wider or narrower than it is, if its recipe has a width."""
    width = facts.number(f"{player}.width")
    if not math.isfinite(width):
        return []
    return [Change(f"{player}.width", str(max(1, round(width * factor))))]


def began_at(course: Course, player: Player) -> float:
    """Give the learning rate that a player began with, its highest where it began with none."""
    start = course.start(f"learning_rates.{player}")
    return start if start > 0 else course.highest(f"learning_rates.{player}")


def rate(facts: RunFacts, player: Player, value: float) -> Change:
    """Set the learning rate of a player."""
    assert facts is not None
    return Change(f"optimizers.{player}.learning_rate", f"{value:.3g}")


def usual_rate(facts: RunFacts, player: Player) -> float:
    """Give a learning rate that suits a player: the published recipe's, if its optimiser is the same."""
    usual = facts.usual_number(f"optimizers.{player}.learning_rate")
    same = facts.usual.get("optimizers", {}).get(player, {}).get("part")
    if math.isfinite(usual) and same == facts.word(f"optimizers.{player}"):
        return usual
    return SAFE_RATES.get(facts.word(f"optimizers.{player}"), SAFE_RATES["Adam"])


def players(where: Player) -> Iterable[Player]:
    """Give the players that a finding is about: one, or both."""
    return (where,) if where else PLAYERS


def with_r1(facts: RunFacts, images_seen: int) -> list[Change]:
    """Add a zero-centred penalty, or make the one that there is, of any kind, three times as strong."""
    for number, part in enumerate(facts.recipe.get("penalties", ())):
        if part.get("part") in ("R1", "R2"):
            gamma = facts.number(f"penalties.{number}.gamma", images_seen)
            value = 3 * gamma if math.isfinite(gamma) and gamma > 0 else 1.0
            return [Change(f"penalties.{number}.gamma", f"{value:.3g}")]
        if part.get("part") == "GradientPenalty":  # what holds a critic is not to be taken from it
            strength = facts.number(f"penalties.{number}.strength", images_seen)
            value = 3 * strength if math.isfinite(strength) and strength > 0 else 10.0
            return [Change(f"penalties.{number}.strength", f"{value:.3g}")]
    changes = [Change("penalties", R1_PART)]
    if facts.word("discriminator.normalization") == "batch":
        # Batch norm and penalties of single images do not go together.
        changes.append(Change("discriminator.normalization", "none"))
        changes.append(Change("discriminator.initialization", "kaiming"))
    return changes
