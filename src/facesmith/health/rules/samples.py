"""What do the samples look like, beside the data?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course, Curve, smooth
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Evidence, Finding, Remedy
from facesmith.health.kinds import found
from facesmith.health.remedies import PLAYERS, change, rate, with_r1
from facesmith.health.rules.gain import age, is_improving

SAME = 0.2
"""Distance of two samples over that of two real images: less is one picture."""
ALIKE = 0.55
LOST = 1.4
"""Highest variety so far over the present one: it was there, and has gone."""
YOUNG, GROWN, RIPE = 0.15, 0.33, 0.55
"""Shares of the plan after which samples should differ at all, and as much as the data; until the last of
them slow runs have found their variety after all."""
COPIES = 0.02
"""Of all pairs of samples: equal ones do not happen by chance."""
ALL_EQUAL = 0.5
CONTRAST = 0.7
"""Contrast of the samples over the data's, from which on pictures can be told apart by their features."""
TWINS = 0.5
"""Of the samples: so many have a fellow as near as only 2 % of real images have."""
GROWING = 1.15
"""Diversity that still grows by this factor is a beginning, no collapse."""
GROWN_BY = 0.03
COPIED = 0.75
"""Distance to the nearest training image, of samples over that of held-out images."""

FAR = 3.0
"""Distance to the data over that of the data to themselves: half-way through, healthy runs are below."""
NEARER = 0.7
"""Least distance over the first one measured: healthy runs come down to a third."""
LEARNED = 5_000
"""Images before which no generator has learned much, however short its plan."""
HALF = 0.5


def collapse(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is there variety?"""
    course = course.probed
    if len(course.records) < 8:
        return
    variety = smooth(variety_of(course, facts))
    # In features: a network that knows nothing yet makes noise, which differs in pixels.
    known = smooth(course.curve("fakes.features_diversity"))
    best = float(np.nanmax(known, initial=0.0))
    lost = best > ALIKE and best > LOST * known[-1]
    passed = 1.0 if lost else age(course, facts)  # what was there and went needs no patience
    now, features = float(variety[-1]), course.now("fakes.features_diversity")
    earlier = variety[len(variety) * 2 // 3]
    growing = now > GROWING * earlier and now - earlier > GROWN_BY
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
    since = course.unbroken(variety < SAME, course.images, 6)
    equal = course.now("batch.copies") > ALL_EQUAL
    if since >= 0 and (equal or (not growing and passed > YOUNG)):
        yield found(
            "total-collapse",
            "ill" if equal or passed > GROWN else "warning",
            since,
            f"All samples are nearly the same picture: they differ {now:.0%} as much as photographs do.",
            remedy,
            Evidence(
                f"distance of two samples over that of two real images, at equal contrast: {now:.2f}",
                "batch.diversity",
                course.now("batch.diversity"),
                SAME,
            ),
        )
        return
    twins, copies = course.now("batch.twins"), course.now("batch.copies")
    repeated = course.since("batch.copies", lambda v: v > COPIES, least=6)
    contrast = contrast_of(course, facts)
    alike = course.since("batch.twins", lambda v: v > TWINS, least=6) if contrast > CONTRAST else -1
    few = course.unbroken(variety < ALIKE, course.images, 6)
    first = max(repeated, alike, few)
    if repeated >= 0 or (first >= 0 and not growing and passed > GROWN):
        yield found(
            "partial-collapse",
            "ill" if repeated >= 0 or passed > RIPE else "warning",
            first,
            f"Samples repeat themselves: {twins:.0%} have a twin, their variety is {now:.0%} of the data's.",
            remedy,
            Evidence(f"{twins:.0%} of the samples have a twin", "batch.twins", twins, TWINS),
            Evidence(
                f"{copies:.1%} of all pairs of samples are equal", "batch.copies", copies, COPIES
            ),
            Evidence(
                f"variety {features:.2f} of the data's", "fakes.features_diversity", features, ALIKE
            ),
        )


def contrast_of(course: Course, facts: RunFacts) -> float:
    """Give the contrast of the samples over that of the data."""
    data = facts.data.get("seen", {}).get("std", course.now("reals.std"))
    return float(course.now("fakes.std") / max(data, 1e-6))  # empty pictures have none


def variety_of(course: Course, facts: RunFacts) -> Curve:
    """Give the diversity of samples at equal contrast.

    A young generator makes faint pictures, which are near each other because they are faint.

    Args:
        course: Of the run.
        facts: The data's contrast.

    Returns:
        A curve; 1 is the data's variety.
    """
    diversity = course.curve("batch.diversity")
    if not np.isfinite(diversity).any():
        diversity = course.curve("fakes.diversity")
    data = facts.data.get("seen", {}).get("std", course.now("reals.std"))
    with np.errstate(invalid="ignore", over="ignore"):  # a diverged run has infinities
        return np.asarray(diversity * data / np.maximum(course.curve("fakes.std"), 1e-6))


def memory(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Are samples copies of training images?"""
    since = course.since("nearest", lambda v: v < COPIED, least=2)
    if since < 0 or contrast_of(course, facts) < CONTRAST:
        return  # faint pictures are near to everything
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


def unexplained(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Do samples stay far from the data? Asked last: where any fault is known, it is the reason."""
    distance = course.curve("distance")
    measured = np.flatnonzero(np.isfinite(distance))
    if not len(measured) or course.images[-1] < LEARNED:
        return
    if len(measured) < 2 or age(course, facts) < HALF or is_improving(course):
        return
    now, first = course.now("distance", 2), float(distance[measured[0]])
    off = now / max(course.now("distance.floor"), 1e-9)
    if not (off > FAR and np.min(distance[measured]) > NEARER * first):
        return  # what was near and left again drifts
    yield found(
        "not-learning",
        "ill",
        int(course.images[measured[0]]),
        f"Samples stay {off:.1f} times as far from the data as the data are from themselves.",
        Remedy(
            "Go back to the recipe as it is published, or to an attempt that learned, and change one setting "
            "at a time."
        ),
        Evidence(
            f"distance {now:.2f}, when first measured {first:.2f}",
            "distance",
            now,
            FAR * course.now("distance.floor"),
        ),
    )


RULES = (collapse, memory)
