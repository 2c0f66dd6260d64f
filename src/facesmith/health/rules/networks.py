"""Are the networks built, begun and updated as they should be?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Evidence, Finding, Remedy
from facesmith.health.kinds import found
from facesmith.health.remedies import PLAYERS, change
from facesmith.health.rules.gain import age

DEPENDS = 0.05
"""Spreads of the logits by which an answer changes if half of the batch is left out."""
DEAD, SATURATED = 0.95, 0.9
SMALL_BATCH, TINY_BATCH = 8, 4
LOUD, MUTE = 8.0, 1e-3
"""Factors by which a layer enlarges what comes in, beyond which first weights are wrong."""
LOUD_ALL, MUTE_ALL = 300.0, 1e-4
"""The same for all layers of a network without norms together."""
FEW_LATENTS, VERY_FEW_LATENTS = 8, 4
GROWN = 0.4
"""Share of the plan after which the grid of a young generator should have gone."""
GRID = 1.4
"""Common logarithm of a grid's power over its surroundings, above that of the data."""


def updates(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does every layer move?"""
    for player in PLAYERS:
        if not course.records and will_stand_still(facts, player):
            yield found(
                "net-not-updated",
                "ill",
                0,
                f"The {player} will never be updated.",
                change(
                    facts,
                    "Give it a learning rate above 0.",
                    Change(f"optimizers.{player}.learning_rate", "2e-4"),
                ),
                Evidence("its learning rate is 0 from the beginning to the end", value=0.0),
                where=player,
            )
        moves = course.layers(player, "update_to_weight")
        if not moves or len(course.records) < 3:
            continue
        still = [
            name
            for name, curve in moves.items()
            if np.isfinite(curve).sum() >= 3 and np.nanmax(curve) == 0
        ]
        if not still or course.now(f"{player}.dead") >= DEAD:
            continue
        if course.highest("non_finite") > 0 or course.now("fakes.saturated") > SATURATED:
            continue  # updates are skipped, or no gradient passes an output at its ends: another matter
        whole = len(still) == len(moves)
        rate = course.now(f"learning_rates.{player}")
        why = (
            f"its learning rate is {rate:g}"
            if rate == 0
            else "its optimiser does not know it, or its gradient is cut off"
        )
        what = f"The {player}" if whole else f"{len(still)} of {len(moves)} layers of the {player}"
        first = still[0].partition("/")[2]
        options = (
            (Change(f"optimizers.{player}.learning_rate", "2e-4"),) if whole and rate == 0 else ()
        )
        yield found(
            "net-not-updated",
            "ill",
            int(course.images[0]),
            f"{what} {'is' if whole or len(still) == 1 else 'are'} never updated.",
            change(
                facts,
                f"Check that the {player}'s optimiser was given network.parameters(), that nothing has "
                "requires_grad=False, and that no detach() or no_grad() lies between the loss and these "
                "weights.",
                *options,
                trusted=bool(options),
            ),
            Evidence(
                f"the weights of {first or 'the layer'} have not moved at all: {why}",
                f"{player}.update_least",
                0.0,
            ),
            where=player,
        )


def will_stand_still(facts: RunFacts, player: str) -> bool:
    """Say whether the recipe gives a player no learning rate at any of many moments of the plan."""
    option = f"optimizers.{player}.learning_rate"
    moments = range(0, facts.planned + 1, max(1, facts.planned // 64))
    return all(facts.number(option, moment) == 0 for moment in moments)


def norms(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does batch norm get what it needs?"""
    batch_norm = [player for player in PLAYERS if facts.network(player, "batch_norm", False)]
    if batch_norm and 0 < facts.batch < SMALL_BATCH:
        yield found(
            "batch-norm-small-batch",
            "ill" if facts.batch <= TINY_BATCH else "warning",
            0,
            f"Batch norm works on batches of {facts.batch} images.",
            change(
                facts,
                "Use batches of 16 or more, or a norm that looks at one image at a time.",
                Change("batch", "32"),
            ),
            Evidence(
                f"{facts.batch} images a batch; batch norm in the {' and the '.join(batch_norm)}",
                value=facts.batch,
                bound=16,
            ),
        )
    of_gradients = [
        name for name in penalties(course, facts) if name in ("R1", "R2", "GradientPenalty")
    ]
    depends = course.now("dependence")
    if of_gradients and (facts.network("discriminator", "batch_norm", False) or depends > DEPENDS):
        yield found(
            "batch-norm-gradient-penalty",
            "ill" if "GradientPenalty" in of_gradients else "warning",
            0,
            f"A gradient penalty ({', '.join(of_gradients)}) meets batch norm in the discriminator.",
            change(
                facts,
                "Leave out the discriminator's norm, or take one that looks at one image at a time.",
                Change("discriminator.normalization", "none"),
                Change("discriminator.initialization", "kaiming"),
            ),
            Evidence(
                "the discriminator's answer to one image changes with the others of its batch"
            ),
        )


def penalties(course: Course, facts: RunFacts) -> list[str]:
    """Name the penalties that are in force, by the records, or by the recipe before there is one."""
    named = [name.rpartition(".")[2] for record in course.records for name in record.penalties]
    planned = [str(part.get("part")) for part in facts.recipe.get("penalties", ())]
    return sorted({*named, *planned})


def first_weights(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Do the first weights carry signals through?"""
    for player in PLAYERS:
        gains = facts.network(player, "gains", {})
        equal = facts.network(player, "equal_weights", [])
        if not gains:
            continue
        normed = facts.network(player, "batch_norm", False) or facts.network(
            player, "normed", False
        )
        loudest = max(gains, key=lambda name: gains[name])
        faintest = min(gains, key=lambda name: gains[name])
        product = math.prod(gains.values())
        if equal:
            what = f"all weights of {equal[0]} are the same"
        elif gains[loudest] > LOUD:
            what = f"{loudest} makes what comes in {gains[loudest]:.3g} times as large"
        elif gains[faintest] < MUTE:
            what = f"{faintest} makes what comes in {1 / max(gains[faintest], 1e-30):.3g} times as small"
        elif not normed and not MUTE_ALL < product < LOUD_ALL:
            what = f"all layers together make what comes in {product:.3g} times as large"
        else:
            continue
        yield found(
            "bad-initialization",
            "ill",
            0,
            f"The {player}'s first weights are wrong: {what}.",
            change(
                facts,
                "Begin with N(0, 0.02) where norms follow, and with kaiming where none does.",
                Change(f"{player}.initialization", "normal" if normed else "kaiming"),
                *([Change(f"{player}.spread", "0.02")] if normed else []),
            ),
            Evidence(what),
            where=player,
        )


def latents(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Are there enough latent numbers?"""
    size = facts.network("generator", "latent", 0)
    if not 0 < size <= FEW_LATENTS:
        return
    known = [Evidence(f"{size} latent numbers", value=size, bound=FEW_LATENTS)]
    if course.knows("fakes.dimension"):
        now = course.now("fakes.dimension")
        known.append(
            Evidence(f"samples vary in about {now:.1f} directions", "fakes.dimension", now)
        )
    yield found(
        "latent-too-small",
        "ill" if size <= VERY_FEW_LATENTS else "warning",
        0,
        f"A latent has only {size} number{'s' if size > 1 else ''}.",
        change(facts, "Use 64 to 128.", Change("latent.size", "100")),
        *known,
    )


def checkerboards(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is there a grid in the samples, and do the kernels make one?"""
    transposed = facts.network("generator", "transposed", [])
    # Kernels no larger than the stride do not overlap at all: each pixel of the input becomes a block.
    uneven = [
        (kernel, stride) for kernel, stride in transposed if kernel % stride or kernel <= stride
    ]
    data = facts.data.get("seen", {}).get("grid", 0.0)
    grid = course.now("fakes.grid") - data
    learned = course.now("fakes.features_diversity") > 0.5 and age(course, facts) > GROWN
    seen = (
        learned
        and grid > GRID
        and course.since("fakes.grid", lambda v: v > data + GRID, least=5) >= 0
    )
    if not (uneven or seen):
        return
    evidence = []
    if uneven:
        kernel, stride = uneven[0]
        evidence.append(
            Evidence(f"kernels of {kernel} pixels at a stride of {stride}", value=kernel)
        )
    if course.knows("fakes.grid"):
        evidence.append(
            Evidence(
                f"the grid's frequency is {10 ** max(grid, 0):.1f} times as strong as in the data",
                "fakes.grid",
                course.now("fakes.grid"),
                data + GRID,
            )
        )
    yield found(
        "checkerboard",
        "warning",
        0 if uneven else course.since("fakes.grid", lambda v: v > data + GRID, least=5),
        "The generator's kernels leave a grid in the samples."
        if uneven
        else "There is a grid in the samples, though its kernels overlap evenly.",
        change(
            facts,
            "Use kernels that are a multiple of the stride.",
            Change("generator.kernel", str(2 * uneven[0][1])),
            trusted=False,
        )
        if uneven
        else Remedy(  # bilinear enlargement in their place made the distance to CelebA worse
            "Train on: the grid of a young generator fades. If it stays, try a lower learning rate of the "
            "discriminator in a folder of its own, and compare the two runs."
        ),
        *evidence,
    )


RULES = (updates, norms, first_weights, latents, checkerboards)
