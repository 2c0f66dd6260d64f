"""What is known of a run beside its records: the recipe, the networks, the data, the plan."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facesmith.base.errors import DataError
from facesmith.base.registry import flat, from_dict
from facesmith.base.schedules import Schedule


@dataclass(frozen=True)
class RunFacts:
    """Plain values; what is unknown is absent, and rules that need it stay silent.

    A run of facesmith writes them to run.json. A monitor in somebody else's loop fills in what it sees.
    """

    planned: int = 0
    """Images that the run is to see in all; 0 where unknown."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """The recipe as nested plain values; empty for a loop that is not ours."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """The recipe of this name as it is published, likewise; empty where there is none."""
    networks: Mapping[str, Any] = field(default_factory=dict)
    """By player, what `measuring.networks.describe` says of it."""
    loss: Mapping[str, float] = field(default_factory=dict)
    """The loss at a few logits, such as `discriminator_at_zero`."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Counts and statistics of the images: `count`, `held_out`, `pictures`."""
    batch: int = 0
    """Real images in a discriminator update; 0 where unknown."""
    low: float = -1.0
    """The lowest value of the generator's range."""
    high: float = 1.0
    """The highest value of the generator's range."""

    def number(self, name: str, images_seen: int = 0) -> float:
        """Look a number of the recipe up.

        Args:
            name: Dotted, such as `optimizers.generator.beta1`.
            images_seen: When; schedules are asked for their value then.

        Returns:
            The number; NaN where there is none of this name.
        """
        return _number(self.recipe, name, images_seen)

    def usual_number(self, name: str, images_seen: int = 0) -> float:
        """Look a number up in the published recipe; NaN where there is none."""
        return _number(self.usual, name, images_seen)

    def word(self, name: str) -> str:
        """Look a word of the recipe up: an option, or the name of a part.

        Args:
            name: Dotted, such as `loss` or `generator.upsampling`.

        Returns:
            The word; empty where there is none of this name.
        """
        found = flat(self.recipe)
        value = found.get(name, found.get(f"{name}.part", ""))
        return value if isinstance(value, str) else ""

    def network(self, player: str, name: str, default: Any = None) -> Any:
        """Look a fact about a network up."""
        return self.networks.get(player, {}).get(name, default)

    @property
    def has_recipe(self) -> bool:
        """Whether remedies may be given as options of a recipe."""
        return bool(self.recipe)


def read(folder: Path, published: Callable[[str], Mapping[str, Any]] = lambda name: {}) -> RunFacts:
    """Read the facts of a run folder.

    Args:
        folder: Made by a training; a folder without run.json has no facts but its records.
        published: Gives the recipe of a name as it is published, `recipes.published`.

    Returns:
        The facts.

    Raises:
        DataError: run.json is there and cannot be understood.
    """
    path = folder / "run.json"
    if not path.exists():
        return RunFacts()
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        recipe, run, facts = tree.get("recipe", {}), tree.get("run", {}), tree.get("facts", {})
        return RunFacts(
            planned=int(run.get("images", 0)),
            recipe=recipe,
            usual=published(str(recipe.get("name", ""))),
            networks=facts.get("networks", {}),
            loss=facts.get("loss", {}),
            data={**tree.get("data", {}), **facts.get("data", {})},
            batch=int(facts.get("batch", recipe.get("batch", 0))),
            low=float(facts.get("low", -1.0)),
            high=float(facts.get("high", 1.0)),
        )
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} cannot be understood: {error}.",
            needed="the file as a training wrote it",
            todo="restore it from a copy, or diagnose the metrics.jsonl alone by its path",
        ) from error


def _number(tree: Mapping[str, Any], name: str, images_seen: int) -> float:
    value: Any = tree
    for key in name.split("."):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list | tuple) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return math.nan
    if isinstance(value, Mapping) and "part" in value:
        part = from_dict(dict(value))
        return part(images_seen) if isinstance(part, Schedule) else math.nan
    return float(value) if isinstance(value, int | float) else math.nan
