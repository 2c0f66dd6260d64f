"""What do the samples look like, beside the data?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course, smooth
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Evidence, Finding
from facesmith.health.kinds import found
from facesmith.health.remedies import PLAYERS, change, rate, with_r1

SAME = 0.2
"""Distance of two samples over that of two real images: less is one picture."""
ALIKE = 0.55
TWINS = 0.5
"""Of the samples: so many have a fellow as near as only 2 % of real images have."""
GROWING = 1.15
"""Diversity that still grows by this factor is a beginning, no collapse."""
COPIED = 0.55
"""Distance to the nearest training image, of samples over that of held-out images."""


def collapse(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is there variety?"""
    if len(course.records) < 6:
        return
    diversity, features = course.curve("batch.diversity"), course.now("fakes.features_diversity")
    name = "batch.diversity" if np.isfinite(diversity).any() else "fakes.diversity"
    values = smooth(course.curve(name))
    now = float(values[-1])
    half = values[len(values) // 2] if len(values) > 8 else values[0]
    growing = now > GROWING * half
    remedy = change(
        facts,
        "Go back to where it was well, and go on with a zero-centred penalty and half the learning rates; "
        "larger batches help too.",
        *with_r1(facts, int(course.images[-1])),
        *(
            rate(facts, player, course.now(f"learning_rates.{player}") / 2)
            for player in PLAYERS
            if course.now(f"learning_rates.{player}") > 0
        ),
    )
    since = course.since(name, lambda v: v < SAME, least=6)
    if since >= 0 and not growing:
        yield found(
            "total-collapse",
            "ill",
            since,
            f"All samples are nearly the same picture: they differ {now:.0%} as much as photographs do.",
            remedy,
            Evidence(
                f"distance of two samples over that of two real images: {now:.2f}", name, now, SAME
            ),
        )
        return
    twins = course.now("batch.twins")
    alike = course.since("batch.twins", lambda v: v > TWINS, least=6)
    few = course.since("fakes.features_diversity", lambda v: v < ALIKE, least=6)
    if (alike >= 0 or few >= 0) and not growing:
        yield found(
            "partial-collapse",
            "ill",
            alike if alike >= 0 else few,
            f"Samples repeat themselves: {twins:.0%} have a twin, their variety is {features:.0%} of the "
            "data's.",
            remedy,
            Evidence(f"{twins:.0%} of the samples have a twin", "batch.twins", twins, TWINS),
            Evidence(
                f"variety {features:.2f} of the data's", "fakes.features_diversity", features, ALIKE
            ),
        )


def memory(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Are samples copies of training images?"""
    since = course.since("nearest", lambda v: v < COPIED, least=2)
    if since < 0:
        return
    now = course.now("nearest")
    yield found(
        "memorised",
        "ill",
        since,
        f"Samples are {now:.2f} times as far from their nearest training image as other photographs are.",
        change(
            facts,
            "Do not publish these samples. Add photos, augment, train shorter.",
            trusted=False,
        ),
        Evidence(
            f"distance to the nearest training image: {now:.2f} of that of held-out images",
            "nearest",
            now,
            COPIED,
        ),
    )


RULES = (collapse, memory)
