"""What is good and what is bad about an attempt, in a line each: the pros and cons of a diary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facesmith.applications.compare.figures import ALIKE, Figure
from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.scales import images, percent
from facesmith.health.course import Course

FAR = 1.25
"""Times the best figure beyond which a run is said to be worse."""
RISEN = 0.1
"""Of the distance, since its best: less is noise."""
POOR = 0.7
"""Of the data's diversity."""
SHOWN = 3
"""Findings that are named; the report of the run has all."""
WORDS = {
    "distance": ("nearest to the data at its end", "{:.2g} times as far from the data as the best"),
    "distance_at_images_seen": ("nearest to the data after as many images", ""),
    "distance_at_seconds": ("nearest to the data after as much time", ""),
    "spectrum": ("detail most like the data's", ""),
    "speed": ("fastest", "{:.2g} times as slow as the fastest"),
}


@dataclass(frozen=True)
class Judgement:
    """Sentences about one attempt."""

    good: tuple[str, ...]
    bad: tuple[str, ...]

    def lines(self) -> list[str]:
        """Write it as a diary has it."""
        return [*(f"+ {said}" for said in self.good), *(f"- {said}" for said in self.bad)]


def judge(attempt: Attempt, place: int, figures: Sequence[Figure]) -> Judgement:
    """Judge an attempt beside others.

    Args:
        attempt: The run.
        place: Its place among the values of the figures.
        figures: Of all runs that are compared.

    Returns:
        What is good and what is bad; either may be empty.
    """
    good, bad = _health(attempt)
    for figure in figures:
        best, worse = WORDS.get(figure.name, ("", ""))
        if best and figure.winner == place:
            good.append(best)
        value, other = figure.values[place], figure.best
        if figure.name == "diversity" and value < POOR:
            bad.append(f"samples have {percent(value)} of the data's diversity")
        if worse and math.isfinite(value) and min(value, other) > 0:
            times = other / value if figure.better == "high" else value / other
            if times > FAR:
                bad.append(worse.format(times))
    now, risen = trend(attempt.course)
    if now < -ALIKE:
        good.append("still coming nearer to the data")
    if risen > RISEN:
        bad.append(f"was nearer to the data before: the distance has risen by {percent(risen)}")
    if attempt.is_short:
        share = percent(attempt.images_seen / attempt.facts.planned)
        ended = f" ({attempt.ending})" if attempt.ending else ""
        bad.append(f"stands at {share} of the plan{ended}")
    return Judgement(tuple(good), tuple(bad))


def trend(course: Course) -> tuple[float, float]:
    """Say where the distance to the data goes.

    Args:
        course: Of a run.

    Returns:
        Its change over the last third of the measurements, and its rise since the best one, both as shares;
        0 where there are too few.
    """
    distances = course.curve("distance")
    distances = distances[np.isfinite(distances)]
    if len(distances) < 4:
        return 0.0, 0.0
    before = distances[-1 - math.ceil(len(distances) / 3)]
    return float(distances[-1] / before - 1), float(distances[-1] / distances.min() - 1)


def _health(attempt: Attempt) -> tuple[list[str], list[str]]:
    if attempt.severity == "well":
        return ["healthy"], []
    faults = [f for f in attempt.findings if f.severity in ("ill", "warning")]
    said = [
        f.title.rstrip(".") + (f" (since {images(f.since)} images)" if f.since > 0 else "")
        for f in faults
    ]
    more = [f"and {len(said) - SHOWN} more findings"] if len(said) > SHOWN else []
    return [], said[:SHOWN] + more
