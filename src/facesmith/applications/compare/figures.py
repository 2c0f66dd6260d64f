"""What came of runs, in numbers that can be compared although one is longer than the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from facesmith.applications.report import scales
from facesmith.applications.report.attempt import Attempt

ALIKE = 0.05
"""Lengths that differ by less are the same, and so are figures."""


@dataclass(frozen=True)
class Figure:
    """One number of each run."""

    name: str
    title: str
    values: tuple[float, ...]
    """NaN where it was not measured."""
    better: Literal["low", "high", ""] = ""
    """Which end is good; empty where neither is."""
    write: Callable[[float], str] = scales.number

    def said(self, place: int) -> str:
        """Write the number of a run; empty where there is none."""
        value = self.values[place]
        return self.write(value) if math.isfinite(value) else ""

    @property
    def to_data(self) -> bool:
        """Whether it is measured against the run's own data."""
        return self.name.startswith(("distance", "spectrum"))

    @property
    def winner(self) -> int | None:
        """Place of the best run, if it is better than the next by more than chance."""
        order = self._ranked()
        if len(order) < 2:
            return None
        first, second = self.values[order[0]], self.values[order[1]]
        return order[0] if abs(first - second) > ALIKE * max(abs(first), abs(second)) else None

    @property
    def best(self) -> float:
        """The best value of all; NaN without any."""
        order = self._ranked()
        return self.values[order[0]] if order else math.nan

    def _ranked(self) -> list[int]:
        if not self.better:
            return []
        known = [place for place, value in enumerate(self.values) if math.isfinite(value)]
        return sorted(known, key=lambda place: self.values[place], reverse=self.better == "high")


def figures(attempts: Sequence[Attempt]) -> Iterator[Figure]:
    """Measure runs.

    Args:
        attempts: The runs.

    Yields:
        One figure after the other; those that no run has are there too.
    """

    def each(measure: Callable[[Attempt], float]) -> tuple[float, ...]:
        return tuple(measure(attempt) for attempt in attempts)

    def now(name: str) -> tuple[float, ...]:
        return each(lambda attempt: attempt.course.now(name))

    yield Figure("images", "images seen", each(lambda a: a.images_seen), write=scales.images)
    yield Figure("seconds", "time", each(lambda a: a.seconds), write=scales.duration)
    yield Figure(
        "speed",
        "images a second",
        each(lambda a: a.images_seen / a.seconds if a.seconds > 0 else math.nan),
        "high",
    )
    yield Figure(
        "distance_best", "distance, best", each(lambda a: a.course.lowest("distance")), "low"
    )
    yield Figure(
        "distance_best_at",
        "... after images",
        each(best_at),
        write=scales.images,
    )
    yield Figure("distance", "distance, last", each(lambda a: a.course.now("distance", 1)), "low")
    yield Figure(
        "floor", "... real against real", each(lambda a: a.course.now("distance.floor", 1))
    )
    yield from _at_equal_effort(attempts)
    yield Figure(
        "spectrum", "spectrum, dB", each(lambda a: a.course.now("spectrum_distance", 1)), "low"
    )
    yield Figure("diversity", "diversity", now("fakes.diversity"), write=scales.percent)
    yield Figure("twins", "twins", now("fakes.twins"), write=scales.percent)
    yield Figure("separation", "D right", now("separation"), write=scales.percent)
    yield Figure("discriminator_loss", "loss of D", now("discriminator_loss"))
    yield Figure("generator_loss", "loss of G", now("generator_loss"))


def best_at(attempt: Attempt) -> float:
    """Say after how many images a run was nearest to the data; NaN if that was not measured."""
    distances = attempt.course.curve("distance")
    if not np.isfinite(distances).any():
        return math.nan
    return float(attempt.course.images[np.nanargmin(distances)])


def _at_equal_effort(attempts: Sequence[Attempt]) -> Iterator[Figure]:
    """Compare after as many images, and after as much time, as all runs have had."""
    for name, title, write in (
        ("images_seen", "distance after {} images", scales.images),
        ("seconds", "distance after {}", scales.duration),
    ):
        ends = [float(a.course.curve(name)[-1]) if a.course.records else 0.0 for a in attempts]
        common = min(ends)
        if common > 0 and max(ends) > (1 + ALIKE) * common:
            values = tuple(_when(attempt, name, common) for attempt in attempts)
            yield Figure(f"distance_at_{name}", title.format(write(common)), values, "low")


def _when(attempt: Attempt, effort: str, until: float) -> float:
    """Read the distance off the curve at a moment; NaN before the first measurement."""
    spent, distances = attempt.course.curve(effort), attempt.course.curve("distance")
    measured = np.isfinite(spent) & np.isfinite(distances)
    spent, distances = spent[measured], distances[measured]
    if not len(spent) or until < spent[0]:
        return math.nan
    return float(np.interp(until, spent, distances))
