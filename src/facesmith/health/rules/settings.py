"""Are the hyper-parameters within what works?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course, Curve
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Evidence, Finding, Player
from facesmith.health.kinds import found
from facesmith.health.remedies import PLAYERS, change, rate, usual_rate
from facesmith.health.rules.networks import penalties as penalties_of

LARGE_MOVE, SMALL_MOVE = 0.06, 2e-4
"""Part of itself that a layer's weights change by in one step: 0.002 to 0.03 is usual."""
HIGHEST = {"Adam": 1.9e-3, "RMSprop": 1.9e-3, "SGD": 0.5}
LOWEST = {"Adam": 9e-6, "RMSprop": 2e-6, "SGD": 1e-4}
"""Learning rates beyond which hardly any GAN has been trained, by optimiser."""
FAR_FROM_USUAL = 10.0
"""Times the rate of the recipe as it is published, or this part of it."""
HIGH_MOMENTUM = 0.8
SMALL_BATCH = 8
NOISE = 0.2
"""Of the images' range: stronger noise hides faces."""
LAYER_NOISE = 0.4
"""Of the normalised signals inside the generator."""
DROPOUT = 0.6
FREE = 10.0
"""Reward of a critic that is surely right: a loss that ends somewhere gives none."""
LARGE_LOGITS = 100.0
FLAT = 0.05
"""Spread of all logits together: less is the same answer to every image."""
FELT = 1e-2
"""Strength of a penalty, below which it is one in name only."""
STRONG_PENALTY = {"R1": 50.0, "R2": 50.0, "GradientPenalty": 200.0, "Drift": 1.0}


def learning_rates(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Are the steps of both networks of a sensible size?"""
    if 0 < len(course.records) < 3:
        return
    high = {player: too_high(course, facts, player) for player in PLAYERS}
    low = {player: too_low(course, facts, player) for player in PLAYERS}
    for kind, suspects in (("learning-rate-too-high", high), ("learning-rate-too-low", low)):
        known = {player: said for player, said in suspects.items() if said}
        if not known:
            continue
        since = min(since for since, _ in known.values())
        where: Player = "" if len(known) == len(PLAYERS) else next(iter(known))
        who = "Both learning rates are" if not where else f"The {where}'s learning rate is"
        how = "high" if kind.endswith("high") else "low"
        rates = {player: last(in_force(course, facts, player)) for player in known}
        said = ", ".join(f"{value:.3g}" for value in rates.values() if math.isfinite(value))
        better = {p: better_rate(facts, p, value, how) for p, value in rates.items()}
        proven = all(value == usual_rate(facts, player) for player, value in better.items())
        why = ", a value that this optimiser is known to work with" if proven else ""
        yield found(
            kind,
            "warning",
            since,
            f"{who} too {how}: {said}." if said else f"{who} too {how}.",
            change(
                facts,
                f"Set it to {' and '.join(f'{value:.3g}' for value in better.values())}{why}; then change "
                "it by factors of two.",
                *(rate(facts, player, value) for player, value in better.items()),
            ),
            *(evidence for _, evidence in known.values()),
            where=where,
        )


def better_rate(facts: RunFacts, player: Player, now: float, how: str) -> float:
    """Give a rate to go on with: one that is known to work, else a third of it or thrice as much."""
    known = usual_rate(facts, player)
    if how == "high":
        return now / 3 if 0 < now <= known else known
    return 3 * now if now >= known else known


def last(rates: Curve) -> float:
    """Give the rate in force, NaN where it is unknown."""
    return float(rates[-1]) if len(rates) else math.nan


def too_high(course: Course, facts: RunFacts, player: Player) -> tuple[int, Evidence] | None:
    """Say since when, and by what, a player's steps are too large."""
    kind = facts.word(f"optimizers.{player}") or "Adam"
    rates = in_force(course, facts, player)
    usual = facts.usual_number(f"optimizers.{player}.learning_rate")
    same = facts.usual.get("optimizers", {}).get(player, {}).get("part") == kind
    bound = min(HIGHEST.get(kind, math.inf), FAR_FROM_USUAL * usual if same else math.inf)
    over = rates > bound
    if len(over) and over[-1]:
        first = int(np.flatnonzero(~over)[-1]) + 1 if (~over).any() else 0
        return int(course.images[first]) if first else 0, Evidence(
            f"the {player}'s learning rate is {rates[-1]:.3g}; with {kind} {bound:.2g} is much already",
            f"learning_rates.{player}",
            float(rates[-1]),
            bound,
        )
    now = course.now(f"{player}.update")
    since = course.since(f"{player}.update", lambda values: values > LARGE_MOVE)
    if since >= 0:
        return since, Evidence(
            f"each step changes the {player}'s weights by {now:.1%} of themselves; 0.2 % to 3 % is usual",
            f"{player}.update",
            now,
            LARGE_MOVE,
        )
    return None


def in_force(course: Course, facts: RunFacts, player: Player) -> Curve:
    """Give a player's learning rates, those of the recipe's beginning where there is no record yet."""
    if course.records:
        return course.curve(f"learning_rates.{player}")
    planned = facts.number(f"optimizers.{player}.learning_rate")
    return np.array([planned]) if math.isfinite(planned) else np.empty(0)


def too_low(course: Course, facts: RunFacts, player: Player) -> tuple[int, Evidence] | None:
    """Say since when, and by what, steps are too small; a rate that only ends low has done its work."""
    kind = facts.word(f"optimizers.{player}") or "Adam"
    rates = in_force(course, facts, player)
    began = float(np.nanmax(rates)) if np.isfinite(rates).any() else math.nan
    usual = facts.usual_number(f"optimizers.{player}.learning_rate")
    same = facts.usual.get("optimizers", {}).get(player, {}).get("part") == kind
    bound = max(LOWEST.get(kind, 0.0), usual / FAR_FROM_USUAL if same else 0.0)
    if 0 < began < bound:
        return 0, Evidence(
            f"the {player}'s learning rate is {began:.3g}; with {kind} {bound:.2g} is little already",
            f"learning_rates.{player}",
            began,
            bound,
        )
    highest = course.highest(f"{player}.update")
    if same and began > usual / 2:
        return None  # with weights that are far too wide the usual steps look small
    if 0 < highest < SMALL_MOVE:
        return 0, Evidence(
            f"each step changes the {player}'s weights by {highest:.2g} of themselves; 0.002 to 0.03 is "
            "usual",
            f"{player}.update",
            highest,
            SMALL_MOVE,
        )
    return None


def momentum(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is the momentum one for games?"""
    high = {player: momentum_of(course, facts, player) for player in PLAYERS}
    high = {player: value for player, value in high.items() if value >= HIGH_MOMENTUM}
    if not high:
        return
    options = [calmer(facts, player) for player in high]
    yield found(
        "beta1-too-high",
        "warning",
        0,
        f"The momentum (beta1) of the {' and the '.join(high)} is {max(high.values()):g}.",
        change(facts, "Use 0.5 as in the DCGAN paper, or 0 with a zero-centred penalty.", *options),
        *(
            Evidence(f"{player}: beta1 {value:g}", f"{player}.beta1", value, HIGH_MOMENTUM)
            for player, value in high.items()
        ),
    )


def calmer(facts: RunFacts, player: Player) -> Change:
    """Give a player the momentum of its published recipe, 0.5 where there is none."""
    name = "momentum" if facts.word(f"optimizers.{player}") == "SGD" else "beta1"
    usual = facts.usual_number(f"optimizers.{player}.{name}")
    value = usual if usual < HIGH_MOMENTUM else 0.5
    return Change(f"optimizers.{player}.{name}", f"{value:g}")


def momentum_of(course: Course, facts: RunFacts, player: Player) -> float:
    """Give the momentum of a player, that of the recipe where there is no record yet; NaN without any."""
    if course.knows(f"{player}.beta1"):
        return course.now(f"{player}.beta1")
    names = (f"optimizers.{player}.beta1", f"optimizers.{player}.momentum")
    return max(
        (facts.number(name) for name in names), key=lambda value: -1 if math.isnan(value) else value
    )


def batch(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is a batch large enough to say something?"""
    batch_norm = any(facts.network(player, "batch_norm", False) for player in PLAYERS)
    if 0 < facts.batch < SMALL_BATCH and not batch_norm:
        yield found(
            "batch-too-small",
            "warning",
            0,
            f"A batch has only {facts.batch} images.",
            change(facts, "Use 16 to 64.", Change("batch", "32")),
            Evidence(f"{facts.batch} images a batch", value=facts.batch, bound=16),
        )


def noise(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Can D still see faces, and do signals get through?"""
    now = int(course.images[-1]) if len(course.images) else 0
    strength = facts.number("input_noise", now) / (facts.high - facts.low)
    if strength > NOISE:
        yield found(
            "noise-too-strong",
            "warning",
            0,
            f"The noise on the discriminator's images is {strength:.0%} of their range.",
            change(
                facts,
                "Use at most a tenth of the range, fading out, or none.",
                Change("input_noise", "0"),
            ),
            Evidence(
                f"standard deviation {strength:.2f} of the range", value=strength, bound=NOISE
            ),
        )
    layer = facts.number("layer_noise", now)
    if layer > LAYER_NOISE:
        yield found(
            "noise-too-strong",
            "warning",
            0,
            f"The noise inside the generator is {layer:g} times as strong as its normalised signals.",
            change(facts, "Use 0.1 at most, or none.", Change("layer_noise", "0")),
            Evidence(
                f"standard deviation {layer:g} after each layer", value=layer, bound=LAYER_NOISE
            ),
        )
    for player in PLAYERS:
        dropout = facts.network(player, "dropout", 0.0)
        if dropout >= DROPOUT:
            yield found(
                "dropout-too-strong",
                "warning",
                0,
                f"Dropout switches off {dropout:.0%} of the {player}'s units at each step.",
                change(
                    facts,
                    "Use 0.1 to 0.3 in the discriminator, or none.",
                    Change(f"{player}.dropout", "0.1" if player == "discriminator" else "0"),
                ),
                Evidence(f"dropout {dropout:g}", value=dropout, bound=DROPOUT),
                where=player,
            )


def critic(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does anything hold a critic whose reward has no end?"""
    loss = facts.loss
    if not loss or -loss["discriminator_right"] < FREE or not loss["discriminator_wrong"] > FREE:
        return
    if holds(course, facts) or facts.network("discriminator", "spectral_norm", False):
        return
    largest = max(abs(course.now("logits.low")), abs(course.now("logits.high")))
    yield found(
        "unconstrained-critic",
        "ill" if largest > LARGE_LOGITS else "warning",
        0,
        "A Wasserstein critic runs without a penalty or a bound on its weights.",
        change(
            facts,
            "Add a gradient penalty, with a norm in the critic that looks at one image at a time.",
            Change("penalties", "gradient-penalty(strength=10)"),
            *(
                [Change("discriminator.normalization", "layer")]
                if facts.network("discriminator", "batch_norm", False)
                else []
            ),
        ),
        Evidence(f"logits reach {largest:.3g}", "logits.high", largest, LARGE_LOGITS),
    )


def holds(course: Course, facts: RunFacts) -> bool:
    """Say whether there is a penalty that is strong enough to be felt."""
    now = int(course.images[-1]) if len(course.images) else 0
    parts = facts.recipe.get("penalties", ())
    if not parts:
        return bool(penalties_of(course, facts))
    strengths = [
        facts.number(f"penalties.{number}.{name}", now)
        for number in range(len(parts))
        for name in ("gamma", "strength")
    ]
    return any(strength > FELT for strength in strengths if math.isfinite(strength))


def penalties(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is a penalty so strong that nothing else counts?"""
    now = int(course.images[-1]) if len(course.images) else 0
    flat = max(course.now("real_logits.spread"), course.now("fake_logits.spread")) < FLAT
    for number, part in enumerate(facts.recipe.get("penalties", ())):
        name = str(part.get("part"))
        option = f"penalties.{number}.{'gamma' if name in ('R1', 'R2') else 'strength'}"
        strength = facts.number(option, now)
        if strength >= STRONG_PENALTY.get(name, math.inf):
            published = facts.usual_number(option, now)
            usual = {"R1": "0.3", "R2": "0.3", "GradientPenalty": "10", "Drift": "1e-3"}[name]
            usual = f"{published:g}" if published < strength else usual
            yield found(
                "penalty-too-strong",
                "ill" if flat else "warning",
                0,
                f"The penalty {name} has a strength of {strength:g}.",
                change(facts, f"Weaken it; {usual} is usual.", Change(option, usual)),
                Evidence(
                    f"logits spread by {course.now('real_logits.spread'):.2g} over all real images",
                    "real_logits.spread",
                    course.now("real_logits.spread"),
                    FLAT,
                ),
            )


RULES = (learning_rates, momentum, batch, noise, critic, penalties)
