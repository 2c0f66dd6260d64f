"""Do gradients arrive, everywhere and in a size that can be used?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course, smooth
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Evidence, Finding
from facesmith.health.kinds import found
from facesmith.health.remedies import PLAYERS, change, rate, with_r1

OFTEN = 0.1
"""Share of a player's updates that are skipped, from which on it hardly learns."""
HUNDRED = 100.0
"""Times its usual size, and absolutely: ganhacks 10 warns of gradient norms above 100."""
DEAD = 0.5
"""Of a layer's channels."""
SATURATED = 0.35
"""Of the pixels' values, above what the data have."""


def non_finite(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Were updates skipped because a number was not finite?"""
    share = course.curve("non_finite")
    finite = np.isfinite(course.curve("discriminator_loss"))
    finite &= np.isfinite(course.curve("generator_loss"))
    # Foreign loops do not skip: a loss that is not finite has spoiled the weights.
    broken = len(finite) > 0 and not finite[-1] and finite.any()
    highest = course.highest("non_finite")
    if not (highest > 0 or broken):
        return
    first = int(np.flatnonzero((share > 0) | ~finite)[0])
    recent = course.now("non_finite", 3)
    yield found(
        "non-finite",
        "ill" if recent > OFTEN or broken else "warning" if recent > 0 else "note",
        int(course.images[first]),
        f"{highest:.0%} of a player's updates were not finite at the worst."
        if highest > 0
        else "The losses are not finite any more.",
        change(
            facts,
            "Halve both learning rates, weaken penalties; compute in fp32 or bf16, never in fp16.",
            *(
                rate(facts, player, course.now(f"learning_rates.{player}") / 2)
                for player in PLAYERS
                if course.now(f"learning_rates.{player}") > 0
            ),
        ),
        Evidence(f"{recent:.0%} of the updates were skipped of late", "non_finite", recent, OFTEN)
        if np.isfinite(recent)
        else Evidence("the losses are not finite", "discriminator_loss"),
    )


def exploding(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Have gradients become a hundred times as large?"""
    for player in PLAYERS:
        name = f"{player}_gradient"
        values = smooth(course.curve(name), 3)
        if np.isfinite(values).sum() < 6:
            continue
        usual = float(np.nanmedian(values[: max(4, len(values) // 3)]))
        since = course.since(name, lambda v, usual=usual: v > max(HUNDRED, HUNDRED / 5 * usual))  # type: ignore[misc]
        if since < 0:
            continue
        now = course.now(name)
        yield found(
            "exploding-gradient",
            "ill",
            since,
            f"The {player}'s gradients are {now / max(usual, 1e-9):,.0f} times as large as they were.",
            change(
                facts,
                "Keep the discriminator smooth with a zero-centred gradient penalty, or lower its "
                "learning rate.",
                *with_r1(facts, int(course.images[-1])),
            ),
            Evidence(
                f"gradient norm {now:.3g}, in the beginning {usual:.3g}",
                name,
                now,
                max(HUNDRED, HUNDRED / 5 * usual),
            ),
        )
        return


def dead(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Are whole channels never above zero?"""
    for player in PLAYERS:
        since = course.since(f"{player}.dead", lambda v: v >= DEAD, least=4)
        if since < 0:
            continue
        now = course.now(f"{player}.dead")
        shares = course.layers(player, "dead")
        worst = (
            max(shares, key=lambda layer: float(np.nan_to_num(shares[layer][-1])))
            if shares
            else player
        )
        yield found(
            "dead-units",
            "ill" if now >= 0.75 else "warning",
            since,
            f"{now:.0%} of the units of a layer of the {player} are dead.",
            change(
                facts,
                "Use LeakyReLU, which passes gradients on both sides, or a lower learning rate, and begin "
                "anew.",
                Change(f"{player}.activation", "leaky-relu"),
            ),
            Evidence(
                f"in {worst.partition('/')[2] or worst} {now:.0%} are never above zero",
                f"{player}.dead",
                now,
                DEAD,
            ),
            where=player,
        )


def saturated(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does the generator's output sit at the ends of its range?"""
    data = facts.data.get("seen", {}).get("saturated", course.now("reals.saturated"))
    bound = min(0.98, data + SATURATED)
    since = course.since("fakes.saturated", lambda v: v > bound, least=4)
    if since < 0:
        return
    now = course.now("fakes.saturated")
    yield found(
        "saturated-output",
        "ill",
        since,
        f"{now:.0%} of the generated values are at the ends of the range; {data:.0%} are in the data.",
        change(
            facts,
            "Lower the generator's learning rate and begin with small weights; look whether real images "
            "fill the range.",
            *(
                [rate(facts, "generator", course.now("learning_rates.generator") / 2)]
                if course.now("learning_rates.generator") > 0
                else []
            ),
            Change("generator.spread", "0.02"),
        ),
        Evidence(f"{now:.0%} of the values", "fakes.saturated", now, bound),
    )


RULES = (non_finite, exploding, dead, saturated)
