"""Runs side by side: the settings that differ, and which run is the one to go on with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from facesmith.applications.compare.figures import Figure, figures
from facesmith.applications.compare.judgement import Judgement, judge
from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.command import next_command
from facesmith.applications.report.settings import spoken, written

RUN = ("images", "minutes", "seed", "balance", "device", "precision")
"""Settings of a run that change what is learned."""
RANKS = {"well": 0, "note": 0, None: 0, "warning": 1, "ill": 2}


@dataclass(frozen=True)
class Comparison:
    """Attempts with what a reader wants to know of all of them."""

    attempts: tuple[Attempt, ...]
    names: tuple[str, ...]
    """What each is called; no two alike."""

    @cached_property
    def settings(self) -> dict[str, tuple[str, ...]]:
        """Settings that are not the same everywhere, one value an attempt; empty where there is none.

        A run without a recipe says nothing of its settings, and takes no part.
        """
        known = [settings(attempt) for attempt in self.attempts]
        telling = [
            found
            for found, attempt in zip(known, self.attempts, strict=True)
            if attempt.facts.has_recipe
        ]
        names = in_groups(dict.fromkeys(name for found in telling for name in found))
        return {
            name: tuple(found.get(name, "") for found in known)
            for name in names
            if len({found.get(name, "") for found in telling}) > 1
        }

    @cached_property
    def caution(self) -> str:
        """What must not be compared although it looks alike; empty where nothing stands against it."""
        data = {
            (
                str(attempt.facts.data.get("sha256", attempt.facts.data.get("folder", ""))),
                attempt.facts.recipe.get("resolution"),
            )
            for attempt in self.attempts
        }
        # Each run is measured against its own images.
        return (
            ""
            if len(data) == 1
            else "Their data differ, so distances say nothing about which is better."
        )

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """What came of each attempt, in numbers."""
        found = tuple(figures(self.attempts))
        if not self.caution:
            return found
        return tuple(replace(figure, better="") if figure.to_data else figure for figure in found)

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """What is good and what is bad about each attempt."""
        return tuple(
            judge(attempt, place, self.figures) for place, attempt in enumerate(self.attempts)
        )

    @cached_property
    def best(self) -> int:
        """Place of the attempt to go on with: the healthiest, and of these the nearest to the data."""
        nearest = next(f for f in self.figures if f.name == "distance_best").values
        return min(
            range(len(self.attempts)),
            key=lambda place: (
                RANKS[self.attempts[place].severity],
                nearest[place] if math.isfinite(nearest[place]) and not self.caution else math.inf,
            ),
        )

    @property
    def next_command(self) -> str:
        """What to type next."""
        return next_command(self.attempts[self.best])


def compare(folders: Sequence[Path]) -> Comparison:
    """Read runs and put them side by side.

    Args:
        folders: Run folders, of any recipes and lengths, finished or not.

    Returns:
        The comparison.

    Raises:
        DataError: One of them is no run.
    """
    names = [folder.resolve().name for folder in folders]
    unlike = len(set(names)) == len(names)
    return Comparison(
        tuple(Attempt.read(folder) for folder in folders),
        tuple(names) if unlike else tuple(map(str, folders)),
    )


def in_groups(names: Iterable[str]) -> list[str]:
    """Bring names together that begin alike: `loss.noise` of one recipe after `loss` of another."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition(".")[0], []).append(name)
    return [name for group in groups.values() for name in group]


def settings(attempt: Attempt) -> dict[str, str]:
    """Give what was set for an attempt: the recipe, the data, the run.

    Args:
        attempt: The run.

    Returns:
        Text by name, as it is typed.
    """
    recipe = dict(attempt.facts.recipe)
    found = {"recipe": str(recipe.pop("name", ""))} if recipe else {}
    found |= {name: value for name, value in spoken(recipe).items() if name}
    folder = attempt.facts.data.get("folder")
    if isinstance(folder, str):
        found["data"] = folder
    count = attempt.facts.data.get("count")
    if isinstance(count, int):
        found["training images"] = f"{count:,}"
    return found | _of_run(attempt.settings)


def _of_run(tree: Mapping[str, object]) -> dict[str, str]:
    return {name: written(tree[name]) for name in RUN if name in tree}
