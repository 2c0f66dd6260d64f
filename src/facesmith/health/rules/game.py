"""Is the game itself the right one: labels, losses, and what the discriminator gets to know?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Evidence, Finding, Remedy
from facesmith.health.kinds import found
from facesmith.health.remedies import change

REVERSED = 0.2
"""Share of pairs in which D ranks the real image higher: far below a half it means to rank them wrongly."""
TAUGHT = 100
"""Updates after which a discriminator says what it was taught; first weights rank by chance."""
CONTENT = 0.9
"""Loss over that of guessing, below which D does what it is asked."""
CERTAIN = 0.95
"""Share of pairs that D ranks rightly, from which on it is worth asking what it looks at."""
LATELY = 32
"""Records whose tests count."""
LOST = 0.25
"""Share of the gap between real and fake logits that is left once something trivial is taken away."""
LEAK = 1.0
"""Spreads of the logits by which D's verdict depends on the other half of its batch."""
FAINT_LEAK, MANY = 0.25, 6
"""Spreads that are no chance if each of so many tests in a row shows them, whatever noise there is."""
EXPLAINED = 0.5
"""Of that difference, that may be left when both are judged in one batch, if the mixture is its reason."""
MOSTLY_RANDOM = 0.55
"""Loss of a D that is right over that of one that is wrong: 0.24 without flips, 0.6 with 3 of 10."""
SURELY_WRONG = 5.0
"""Loss of a D that is surely wrong: 40 by cross entropy, below 1.4 with two sigmoids."""
BOUNDED = 2.0
"""How much more a loss that can grow asks of a D that is surely wrong; two sigmoids ask 0.8 at most."""


def labels(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is D taught to call real images real, and G to be called real?"""
    loss = facts.loss
    begin = int(course.images[0]) if len(course.images) else 0
    code = Remedy(
        "Look at the training step: D's target for real images is 1 and for fakes 0, G's target for its "
        "fakes is 1."
    )
    if loss and loss["discriminator_right"] > loss["discriminator_wrong"]:
        yield found(
            "labels-swapped",
            "ill",
            0,
            "The discriminator's loss is larger when it is right than when it is wrong.",
            code,
            Evidence(
                f"loss {loss['discriminator_right']:.3g} for a discriminator that is right, "
                f"{loss['discriminator_wrong']:.3g} for one that is wrong"
            ),
        )
    elif loss and loss["generator_caught"] < loss["generator_passed"]:
        yield found(
            "labels-swapped",
            "ill",
            0,
            "The generator's loss is smaller when its fakes are caught than when they pass.",
            code,
            Evidence(
                f"loss {loss['generator_caught']:.3g} for fakes that are caught, "
                f"{loss['generator_passed']:.3g} for fakes that pass"
            ),
        )
    elif (since := ranked_wrongly(course, facts)) >= 0:
        now = course.now("separation")
        yield found(
            "labels-swapped",
            "ill",
            since or begin,
            f"The discriminator gives fakes the higher logits in {1 - now:.0%} of all pairs.",
            code,
            Evidence(
                f"the real image has the higher logit in {now:.1%} of all pairs",
                "separation",
                now,
                REVERSED,
            ),
        )


def ranked_wrongly(course: Course, facts: RunFacts) -> int:
    """Say since when D has been content to rank fakes above real images; -1 if it is not.

    A discriminator that does not learn may rank wrongly too, but its loss says so.

    Args:
        course: Of the run.
        facts: The loss of a discriminator that is blind.

    Returns:
        Images seen.
    """
    if not course.records or course.records[-1].steps < TAUGHT:
        return -1
    blind = facts.loss.get("discriminator_at_zero", course.start("discriminator_loss"))
    if not course.now("discriminator_loss") < CONTENT * blind:
        return -1
    return course.since("separation", lambda v: v < REVERSED)


def trivial(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does D tell real from fake by something that has nothing to do with the picture?"""
    course = course.probed
    tests = np.isfinite(course.curve("trivial.grain")) & (course.curve("separation") > CERTAIN)
    tests[:-LATELY] = False  # what gave the reals away in the beginning may be gone
    places = np.flatnonzero(tests)
    if len(places) < 2 or not course.now("separation") > CERTAIN:
        return
    told = {
        "grain": (
            2,
            LOST,
            "a grain that nobody sees hides what it looks at: rounding, or an offset of a few levels",
        ),
        # What fakes do wrong at the border is a tell among others; a leak turns the verdict round.
        "ring": (3, -LOST, "its verdict follows the outermost pixels, whatever the picture inside"),
        # A young generator has the wrong brightness, too; one that learns gets over it.
        "level": (6, LOST, "its verdict follows the mean brightness or colour alone"),
    }
    for name, (least, bound, meaning) in told.items():
        values = course.curve(f"trivial.{name}")[places][-max(4, least) :]
        if len(values) >= least and float(np.median(values)) < bound:
            now = float(np.median(values))
            yield found(
                "labels-leaking",
                "ill",
                int(course.images[places[0]]),
                "The discriminator needs no face to tell real from fake: something trivial gives the real "
                "images away.",
                Remedy(
                    "Look for what is done to real images and not to fakes: borders, file formats, "
                    "rounding to 8 bits, normalisation; do it to both or to neither."
                ),
                Evidence(
                    f"real and fake are told apart in {course.now('separation'):.0%} of all pairs",
                    "separation",
                    course.now("separation"),
                    CERTAIN,
                ),
                Evidence(
                    f"the test leaves {now:.0%} of the gap between their logits: {meaning}",
                    f"trivial.{name}",
                    now,
                    bound,
                ),
            )
            return


def sigmoids(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Do logits pass one sigmoid, or two?"""
    loss = facts.loss
    low, high = course.lowest("logits.low"), course.highest("logits.high")
    evidence = None
    if course.now("loss.sigmoids") >= 2:
        evidence = Evidence(
            "the reported loss is that of a second sigmoid over the discriminator's outputs"
        )
    elif (
        loss
        and 0 < loss["discriminator_wrong"] - loss["discriminator_right"] < BOUNDED
        and loss["discriminator_wrong"] < SURELY_WRONG
    ):
        evidence = Evidence(
            f"a discriminator that is surely wrong has a loss of {loss['discriminator_wrong']:.2f}, one "
            f"that is surely right {loss['discriminator_right']:.2f}: hardly less"
        )
    elif len(course.records) >= 3 and low >= 0 and high <= 1 and high > low:
        evidence = Evidence(
            f"all logits ever seen lie between {low:.3f} and {high:.3f}", "logits.high", high, 1.0
        )
    if evidence is not None:
        yield found(
            "sigmoid-twice",
            "ill",
            0,
            "The discriminator's output passes two sigmoids.",
            Remedy(
                "Let the discriminator end without a sigmoid and use a loss of logits "
                "(BCEWithLogitsLoss), or keep its sigmoid and use BCELoss: one of the two."
            ),
            evidence,
        )


def random_labels(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Are so many labels flipped that being right hardly pays?"""
    right = facts.loss.get("discriminator_leaning_right", math.nan)
    wrong = facts.loss.get("discriminator_leaning_wrong", math.nan)
    if right / max(wrong, 1e-9) > MOSTLY_RANDOM and 0 < right <= wrong:
        yield found(
            "discriminator-too-weak",
            "ill",
            0,
            f"Labels are mostly chance: a discriminator that is right pays {right / wrong:.0%} of what one "
            "pays that is wrong.",
            change(
                facts,
                "Flip no more than a twentieth of the labels, or none.",
                Change("loss", "non-saturating"),
            ),
            Evidence(f"loss {right:.2f} when right, {wrong:.2f} when wrong"),
        )


def dependence(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is D's verdict in training the one that it gives on the same images by themselves?"""
    course = course.probed
    since = course.since("leak", lambda v: np.abs(v) > LEAK, least=2)
    now, mixed = course.now("leak"), course.now("leak.mixed")
    always = since < 0 and explained_always(course)
    if since < 0 and not always:
        return
    evidence = Evidence(
        f"judged by themselves, the same reals and fakes are {abs(now):.1f} spreads nearer to each other",
        "leak",
        now,
        LEAK,
    )
    if always or abs(mixed) < EXPLAINED * abs(now):
        yield found(
            "batch-statistics-leak",
            "warning" if always else "ill",
            max(since, 0),
            "The discriminator judges real and generated images together, and its verdict depends on the "
            "mixture.",
            Remedy(
                "Call the discriminator twice, once with real images and once with fakes, or use a norm "
                "that looks at one image at a time: --discriminator.normalization layer, or spectral."
            ),
            evidence,
            Evidence(
                f"in one mixed batch they are as far apart as in training ({mixed:.1f})",
                "leak.mixed",
                mixed,
            ),
        )
        return
    yield found(
        "labels-leaking",
        "ill",
        since,
        "The discriminator gets to know in training which images are real, by something that is not in them.",
        Remedy(
            "Look at the call of the discriminator: the label, or anything that depends on it, must not "
            "be among its inputs, its buffers or the order of its calls."
        ),
        evidence,
    )


def explained_always(course: Course) -> bool:
    """Say whether a small difference is there in each of many tests, and gone in a mixed batch: no chance."""
    leak, mixed = (course.curve(name) for name in ("leak", "leak.mixed"))
    places = np.flatnonzero(np.isfinite(leak))[-MANY:]
    return bool(
        len(places) == MANY
        and np.min(leak[places]) > FAINT_LEAK
        and abs(np.mean(mixed[places])) < EXPLAINED * np.mean(leak[places])
    )


RULES = (labels, trivial, sigmoids, random_labels, dependence)
