"""Do samples come nearer to the data, and are they near already?"""

from __future__ import annotations

import numpy as np

from facesmith.health.course import Course, Curve, smooth
from facesmith.health.facts import RunFacts

UNPLANNED = 100_000
"""Images that a run of unknown length is taken to need."""
FADED = 0.03
"""Of its highest value: a learning rate that has fallen below does nothing any more."""
KNOWN = 4
"""Measurements of the distance that make a curve."""
GAIN, GAIN_OF_DISTANCE = 0.05, 0.02
"""Relative change over the last third of a run that is a gain, of noisy signals and of the distance."""
NEAR = 2.0
"""Distance to the data over the distance of the data to themselves."""
VARIED = 0.85
ALIKE = 2.5
"""Standard errors that samples lie off the data."""


def age(course: Course, facts: RunFacts) -> float:
    """Say how much of its plan a run has behind it.

    Args:
        course: Of the run.
        facts: The plan.

    Returns:
        A share; of 100,000 images where nobody planned anything.
    """
    seen = float(course.images[-1]) if len(course.images) else 0.0
    return seen / (facts.planned or UNPLANNED)


def is_improving(course: Course) -> bool:
    """Say whether samples come nearer to the data.

    Args:
        course: Of the run.

    Returns:
        Whether the distance fell over the last third; before it was measured often enough, whether samples
        became more varied, or less shifted.
    """
    distance = course.curve("distance")
    if np.isfinite(distance).sum() >= KNOWN:
        return _gain(distance) > GAIN_OF_DISTANCE
    variety = smooth(course.curve("fakes.features_diversity"))
    known = variety[np.isfinite(variety)]
    grown = known[-1] - known[-1 - max(1, len(known) // 3)] if len(known) > 2 else 0.0
    return bool(grown > GAIN or _gain(smooth(course.curve("fakes.shift"))) > GAIN)


def has_faded(course: Course) -> bool:
    """Say whether both learning rates have come to nothing, so that nothing can change any more."""
    rates = [course.curve(f"learning_rates.{player}") for player in ("generator", "discriminator")]
    return all(
        np.isfinite(rate).any() and rate[-1] < FADED * np.nanmax(rate, initial=0.0)
        for rate in rates
    )


def is_near(course: Course) -> bool:
    """Say whether samples are about as far from the data as the data from themselves, and as varied."""
    floor = course.now("distance.floor")
    distance = course.now("distance", 2)
    return bool(
        (distance < NEAR * floor or course.now("fakes.shift") < ALIKE)
        and course.now("fakes.features_diversity") > VARIED
    )


def _gain(values: Curve) -> float:
    """Give the relative fall of a curve over its last third; 0 where there are too few values."""
    known = values[np.isfinite(values)]
    if len(known) < 3:
        return 0.0
    before = known[-1 - max(1, len(known) // 3)]
    return float((before - known[-1]) / max(abs(before), 1e-9))
