"""A case: one run whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe

Half = Literal["development", "reporting"]
"""Rules are made by looking at the one half; figures are those of the other."""

HEALTHY = "healthy"
IMAGES = 36_000
"""Planned length of a run, in real images seen."""
RECORDS, SHEETS = 60, 8
"""Records and sheets of samples of a run."""
FACES = ("portraits", "celeba")
"""Datasets that faults are planted on."""
SEEDS: dict[Half, tuple[int, ...]] = {"development": (10,), "reporting": (20, 21, 22)}


@dataclass(frozen=True)
class Subject:
    """What is to be trained; a fault makes another one of it."""

    recipe: Recipe
    dataset: Dataset


Spoil = Callable[[Subject], Subject]


@dataclass(frozen=True)
class Fault:
    """One way in which something goes wrong, or, of kind `healthy`, one way in which nothing does.

    Args:
        kind: What the doctor is to say.
        name: Of this variation of the kind.
        half: Development or reporting; no variation is in both.
        base: Name of the sound recipe that it spoils.
        spoil: Plants it.
        where: `generator`, `discriminator`, or empty.
        onset: Share of the planned length at which it begins.
        mendable: Whether a change of the recipe's options mends it.
        images: Planned length; shorter where a step takes few images or much time.
        datasets: Names of the datasets that it is planted on.
        seeds: Of its runs; those of its half by default.
    """

    kind: str
    name: str
    half: Half
    base: str
    spoil: Spoil
    where: str = ""
    onset: float = 0.0
    mendable: bool = False
    images: int = IMAGES
    datasets: tuple[str, ...] = FACES
    seeds: tuple[int, ...] = ()

    def cases(self) -> list[Case]:
        """Give its runs, one for each dataset and seed."""
        return [
            Case(self, dataset, seed)
            for seed in self.seeds or SEEDS[self.half]
            for dataset in self.datasets
        ]


@dataclass(frozen=True)
class Case:
    """One run of a fault."""

    fault: Fault
    dataset: str
    seed: int

    @property
    def id(self) -> str:
        """Its folder below the runs."""
        fault = self.fault
        kind = f"{fault.kind}-{fault.where}" if fault.where else fault.kind
        return f"{fault.half}/{kind}/{fault.name}-{self.dataset}-{self.seed}"

    def truth(self) -> dict[str, Any]:
        """Say what was planted, for case.json."""
        fault = self.fault
        return {
            "id": self.id,
            "kind": fault.kind,
            "where": fault.where,
            "variation": fault.name,
            "half": fault.half,
            "base": fault.base,
            "dataset": self.dataset,
            "seed": self.seed,
            "onset": fault.onset,
            "mendable": fault.mendable,
            "images": fault.images,
        }


def sound(
    half: Half,
    base: str,
    *datasets: str,
    name: str = "",
    how: Spoil = lambda subject: subject,
    seeds: tuple[int, ...],
    images: int = IMAGES,
) -> Fault:
    """Give runs without a fault.

    Args:
        half: Development or reporting.
        base: Name of the recipe.
        datasets: Names of the datasets.
        name: Of these runs; that of the recipe by default.
        how: What is different, and does no harm.
        seeds: Of the runs.
        images: Planned length.

    Returns:
        What the doctor is to call healthy.
    """
    return Fault(
        HEALTHY, name or base, half, base, how, images=images, datasets=datasets, seeds=seeds
    )
