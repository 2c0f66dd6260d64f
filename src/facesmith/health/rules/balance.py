"""Are the two players a match?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Evidence, Finding
from facesmith.health.kinds import found
from facesmith.health.remedies import another_width, change, rate, with_r1
from facesmith.health.rules.gain import age, has_faded, is_improving, is_near
from facesmith.health.rules.samples import contrast_of

ALWAYS = 0.985
"""Share of pairs that D ranks rightly, from which on it teaches little."""
YOUNG = 0.33
"""Share of the plan in which a generator may be behind."""
HALF, GROWN = 0.5, 0.66
"""Shares of the plan after which what a young generator might still get over is an illness."""
VANISHED = 0.05
"""Gradient of the generator over what it was in the beginning."""
TOLERABLE = 3.5
"""Distance to the data over that of the data to themselves, up to which a run is worth going on with."""
MOSTLY = 0.95
"""The same where the recipe itself favours D."""
BLIND = 0.56
"""Share of pairs that D ranks rightly, below which it is guessing."""
OFTEN_BLIND, FAR_OFF = 0.66, 2.5
"""The same where samples stay this many times as far from the data as the data are from themselves."""
FAR = 4.0
"""Standard errors that samples lie off the data: 1 is as near as data are to themselves."""
ROUGH = 3.0
"""Times the fine detail of the data, or this part of it: anybody could tell."""
GAP, WIDE_GAP = 0.62, 0.75
"""Share of pairs in which D ranks a training image above a held-out one; 0.5 if it generalises."""
COPIES = 0.02
"""Of all pairs of samples that are equal: the generator repeats itself."""
FAINT = 0.3
"""Contrast of the samples over the data's, below which they show next to nothing."""
MANY_STEPS = 3
FASTER = 3.0
"""Learning rate of D over that of G."""
LARGER = 20.0
"""Parameters of D over those of G."""


def too_strong(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is D always right?"""
    reasons, changes = reasons_for_strength(course, facts)
    bound = MOSTLY if changes else ALWAYS
    since = course.since("separation", lambda v: v > bound, least=6)
    if repeats(course, facts):
        return  # such a generator is easily found out
    if since < 0 or is_near(course) or is_improving(course) or has_faded(course):
        return  # it may well be always right, as long as the generator learns from it
    now = course.now("separation")
    gradient = course.now("generator.gradient_to_weight") / max(
        course.start("generator.gradient_to_weight"), 1e-12
    )
    if age(course, facts) < YOUNG and not gradient < VANISHED:
        return  # samples begin as noise, which anybody can tell from photographs
    if not changes:
        changes = with_r1(facts, int(course.images[-1]))
        held = bool(facts.recipe.get("penalties"))
        reasons = [
            "its penalty is weak" if held else "a zero-centred gradient penalty keeps it smooth"
        ]
    off = course.now("distance", 2) / max(course.now("distance.floor"), 1e-9)
    lasting = age(course, facts) > GROWN or gradient < VANISHED or math.isnan(off)
    yield found(
        "discriminator-too-strong",
        "ill" if lasting and not off < TOLERABLE else "warning",
        since,
        f"The discriminator is right in {now:.1%} of all pairs of a real and a generated image.",
        change(facts, f"Hold it back: {'; '.join(reasons)}.", *changes),
        Evidence(f"{now:.1%} of all pairs are ranked rightly", "separation", now, bound),
        *([weaker(gradient, course)] if math.isfinite(gradient) else []),
    )


def weaker(gradient: float, course: Course) -> Evidence:
    """Say what is left of the generator's gradient, as a share of what it was in the beginning."""
    return Evidence(
        f"the generator's gradient is {gradient:.2g} times as strong as in the beginning",
        "generator.gradient_to_weight",
        course.now("generator.gradient_to_weight"),
    )


def repeats(course: Course, facts: RunFacts) -> bool:
    """Say whether the generator makes the same pictures over and over; faint ones are equal without that."""
    return course.now("batch.copies") > COPIES and contrast_of(course, facts) > FAINT


def reasons_for_strength(course: Course, facts: RunFacts) -> tuple[list[str], list[Change]]:
    """Say what in the recipe makes D strong."""
    reasons: list[str] = []
    changes: list[Change] = []
    steps = facts.number("discriminator_steps")
    if steps >= MANY_STEPS:
        reasons.append(f"it is updated {steps:.0f} times for each update of the generator")
        changes.append(Change("discriminator_steps", "1"))
    fast, slow = course.now("learning_rates.discriminator"), course.now("learning_rates.generator")
    if slow > 0 and fast / slow > FASTER:
        reasons.append(f"its learning rate is {fast / slow:.0f} times the generator's")
        changes.append(rate(facts, "discriminator", slow))
    sizes = [
        facts.network(player, "parameters", math.nan) for player in ("discriminator", "generator")
    ]
    if sizes[0] / max(sizes[1], 1) > LARGER:
        reasons.append(f"it has {sizes[0] / sizes[1]:.0f} times the generator's parameters")
        changes += another_width(facts, "discriminator", 0.5)
    if facts.word("loss") == "Minimax":
        reasons.append("the minimax loss gives a losing generator no gradient")
        changes.append(Change("loss", "non-saturating"))
    return reasons, changes


def too_weak(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Can D not tell samples from data that anybody could?"""
    detail = course.now("fakes.high_frequency") / max(course.now("reals.high_frequency"), 1e-9)
    off = course.now("distance", 2) / max(course.now("distance.floor"), 1e-9)
    far = course.now("fakes.shift") > FAR or detail > ROUGH or detail < 1 / ROUGH or off > FAR_OFF
    # Where the distance says that samples stay far away, even a discriminator that is often right is weak.
    bound = OFTEN_BLIND if off > FAR_OFF and not is_improving(course) else BLIND
    since = course.since("separation", lambda v: v < bound, least=6)
    if since < 0 or not far or is_improving(course) or has_faded(course):
        return
    if bound > BLIND:  # it is weak since samples no longer came nearer
        since = max(since, int(course.images[np.nanargmin(course.curve("distance"))]))
    if repeats(course, facts):
        return  # such a generator can always be one picture ahead
    now = course.now("separation")
    yield found(
        "discriminator-too-weak",
        "ill" if age(course, facts) > HALF else "warning",
        since,
        f"The discriminator is right in only {now:.0%} of all pairs, though samples are far from the data.",
        change(
            facts,
            "Make it stronger: a wider network, a higher learning rate, less dropout, noise and penalty.",
            *another_width(facts, "discriminator", 2),
            trusted=False,  # it may make the run several times slower
        ),
        Evidence(
            f"{now:.1%} of all pairs are ranked rightly; guessing gives 50 %",
            "separation",
            now,
            bound,
        ),
        Evidence(
            f"samples lie {course.now('fakes.shift'):.1f} standard errors off the data",
            "fakes.shift",
            course.now("fakes.shift"),
            FAR,
        ),
    )


def overfits(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does D know its training images by heart?"""
    course = course.probed
    count = 8
    if len(course.records) < count:
        return
    now = course.now("held_out_gap", count)
    if not now > GAP:
        return
    since = course.since("held_out_gap", lambda v: v > GAP - 0.06, least=4)
    few = int(facts.data.get("train", 0))
    yield found(
        "discriminator-overfits",
        "ill" if now > WIDE_GAP else "warning",
        since if since >= 0 else int(course.images[-count]),
        f"The discriminator finds training images more real than held-out ones in {now:.0%} of all pairs.",
        change(
            facts,
            "Add photos or augment real and generated images alike; until then a zero-centred penalty, "
            "and stop where the distance is least.",
            *with_r1(facts, int(course.images[-1])),
        ),
        Evidence(f"{now:.1%} of all pairs; 50 % if it generalises", "held_out_gap", now, GAP),
        *([Evidence(f"{few:,} training images", value=few)] if few else []),
    )


RULES = (too_strong, too_weak, overfits)
