"""Does the run get anywhere, at what pace, and is it at its end?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from facesmith.health.course import Course, smooth
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Evidence, Finding, Remedy
from facesmith.health.kinds import found
from facesmith.health.remedies import PLAYERS, began_at, change, rate
from facesmith.health.rules.gain import FADED, has_faded

WILD = 0.45
"""Movement of the mean sample between records, in distances of real images."""
UPPER, LOWER, SWINGS = 0.8, 0.3, 3
"""Shares of pairs that D ranks rightly, and how often it goes from one to the other."""
MOSTLY = 0.5
"""Of the probes: one player alone has learned at so many."""
RISEN = 1.35
"""Distance over the least one before it."""
LAG = 1.5
"""Distance of the average from the trained generator, over what that moves between records."""
APART = 0.45
STILL = 0.12
"""Movement of the average over that of the trained generator."""
STALLS = 20
"""Records over which waiting is summed up: it may come in fits."""
WAITING = 0.12
"""Share of the time that is spent waiting for images."""
STEADY = 0.03
"""Gain over the last part of a run that is none."""


def oscillation(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Do samples or verdicts go from one extreme to the other, again and again?"""
    if len(course.records) < 10:
        return
    for shown_by in (circles, swings, turns):
        since, title, evidence = shown_by(course, facts)
        if since < 0:
            continue
        yield found(
            "oscillation",
            "ill",
            since,
            title,
            change(
                facts,
                "Lower both learning rates and the momentum, update both players in each round; a "
                "zero-centred penalty damps the circles.",
                *(
                    rate(facts, player, began_at(course, player) / 3)
                    for player in PLAYERS
                    if began_at(course, player) > 0
                ),
            ),
            *evidence,
        )
        return


def circles(course: Course, facts: RunFacts) -> tuple[int, str, tuple[Evidence, ...]]:
    """Say since when the mean sample has moved far and back; -1 if it does not."""
    course = course.probed
    if len(course.records) < 10:
        return -1, "", ()
    values = smooth(course.curve("movement.mean"), 7)
    turn = course.now("movement.turn", 12)
    later = course.images > 0.15 * max(facts.planned, course.images[-1] * 0.6)
    wild = (values > WILD) & later
    now = float(values[-1])
    return (
        course.unbroken(wild, course.images, 7) if turn < 0 else -1,
        f"The mean sample moves by {now:.0%} of the distance of two photographs from one record to the next, "
        "back and forth.",
        (
            Evidence(f"movement {now:.2f}", "movement.mean", now, WILD),
            Evidence(
                f"each move turns back on the last (cosine {turn:.2f})", "movement.turn", turn, 0.0
            ),
        ),
    )


def swings(course: Course, facts: RunFacts) -> tuple[int, str, tuple[Evidence, ...]]:
    """Say since when D has been right and wrong in turns; -1 if it has not."""
    values = course.curve("separation")
    measured = np.flatnonzero(np.isfinite(values) & ((values > UPPER) | (values < LOWER)))
    sides = values[measured] > UPPER
    turns = np.flatnonzero(np.diff(sides.astype(int)))
    if len(turns) < SWINGS or measured[turns[-1]] < len(values) // 2:
        return -1, "", ()
    return (
        int(course.images[measured[turns[0]]]),
        f"The discriminator is right and wrong in turns: {len(turns)} times from one to the other.",
        (
            Evidence(
                f"{len(turns)} swings between below {LOWER:.0%} and above {UPPER:.0%}", "separation"
            ),
        ),
    )


def turns(course: Course, facts: RunFacts) -> tuple[int, str, tuple[Evidence, ...]]:
    """Say since when one player has stood still while the other learned, in turns; -1 if none has."""
    updates = np.array([course.curve(f"{player}.update") for player in PLAYERS])
    moves = updates[:, np.isfinite(updates).all(axis=0)] > 0
    if moves.shape[1] < 10:
        return -1, "", ()
    alone = moves[0] ^ moves[1]
    changes = np.flatnonzero(np.diff(moves.astype(int), axis=1).any(axis=0))
    if course.highest("non_finite") > 0 or alone.mean() < MOSTLY or len(changes) < SWINGS:
        return -1, "", ()
    return (
        int(course.images[0]),
        f"The players learn in turns: {alone.mean():.0%} of the time one of them stands still.",
        (
            Evidence(
                f"{len(changes)} times a player has stopped or begun to move", "generator.update"
            ),
        ),
    )


def drift(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Do the best samples lie behind?"""
    values = course.curve("distance")
    measured = np.flatnonzero(np.isfinite(values))
    if len(measured) < 5:
        return
    distances = np.maximum(values[measured], 1e-9)
    best = int(np.argmin(distances))
    recent = float(np.median(distances[-2:]))
    if best >= len(distances) - 2 or recent < RISEN * distances[best]:
        return
    yield found(
        "late-drift",
        "warning",
        int(course.images[measured[best]]),
        f"Samples were best at {course.images[measured[best]]:,.0f} images; since then the distance to "
        f"the data has grown by {recent / distances[best] - 1:.0%}.",
        change(
            facts,
            "Use the checkpoint of that moment; go on from it with a fifth of the learning rates, or let "
            "them fade.",
            *(
                rate(facts, player, began_at(course, player) / 5)
                for player in PLAYERS
                if began_at(course, player) > 0
            ),
        ),
        Evidence(
            f"distance {recent:.2f}, at best {distances[best]:.2f}",
            "distance",
            recent,
            float(distances[best]),
        ),
    )


def average(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Does the averaged generator keep up with the trained one?"""
    course = course.probed
    if len(course.records) < 8:
        return
    apart, moves = course.now("average.distance"), course.now("average.movement")
    trained = course.now("movement")
    since = course.since("average.distance", lambda v: v > APART, least=4)
    if since < 0 or not moves < STILL * trained or not apart > LAG * trained:
        return
    yield found(
        "average-lags",
        "ill",
        since,
        "The averaged generator is far behind the one that is trained.",
        change(
            facts,
            "Shorten the average's half-life, and let it grow with the run.",
            Change("average.half_life", "44k"),
            Change("average.ramp", "0.08"),
        ),
        Evidence(
            f"they are {apart:.2f} distances of real images apart", "average.distance", apart, APART
        ),
        Evidence(f"it moves {moves / max(trained, 1e-9):.1%} as much", "average.movement", moves),
    )


def pace(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Do the networks wait for images, always or now and then?"""
    now = course.mean("time.data", STALLS)
    if len(course.records) < 4 or not now > WAITING:
        return
    yield found(
        "data-starves",
        "warning",
        waiting_since(course),
        f"{now:.0%} of the time is spent waiting for images.",
        Remedy(
            "Prepare the photos once (facesmith prepare), so that nothing is decoded while it trains; put "
            "them on a faster disk, or in memory with --cache ram."
        ),
        Evidence(f"{now:.0%} of the time", "time.data", now, WAITING),
    )


def waiting_since(course: Course) -> int:
    """Say since when the share of waiting, summed up over some records, has been too large."""
    shares = np.nan_to_num(course.curve("time.data"), posinf=0.0, neginf=0.0)
    sums = np.cumsum(shares)
    counts = np.minimum(np.arange(1, len(shares) + 1), STALLS)
    before = np.concatenate([np.zeros(STALLS), sums])[: len(sums)]
    return max(course.unbroken((sums - before) / counts > WAITING, course.images, 1), 0)


def left_behind(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Has one player stopped to learn while the other goes on?"""
    for player, other in (PLAYERS, PLAYERS[::-1]):
        rates, others = (course.curve(f"learning_rates.{each}") for each in (player, other))
        if not (np.isfinite(rates).any() and np.isfinite(others).any() and np.nanmax(rates) > 0):
            continue
        gone = (rates < FADED * np.nanmax(rates)) & (others > 10 * FADED * np.nanmax(others))
        since = course.unbroken(gone, course.images, 4)
        if since < 0 or since <= course.images[0]:
            continue
        yield found(
            "late-drift",
            "warning",
            since,
            f"The {player} has stopped to learn, and the {other} goes on: samples drift away.",
            change(
                facts,
                "Let both learning rates fade together, and go on from where samples were best.",
                rate(facts, player, began_at(course, player)),
            ),
            Evidence(
                f"the {player}'s learning rate is {rates[-1]:.2g}",
                f"learning_rates.{player}",
                float(rates[-1]),
            ),
        )
        return


def finished(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Is there any gain left?"""
    values = course.curve("distance")
    measured = np.flatnonzero(np.isfinite(values))
    if len(measured) < 6:
        return
    distances, images = np.maximum(values[measured], 1e-9), course.images[measured]
    part = max(3, len(distances) // 3)
    gain = 1 - float(np.min(distances[-part:]) / np.min(distances[:-part]))
    moved = course.now("movement")
    earlier = course.start("movement", 8)
    if gain > STEADY or not moved < 0.35 * earlier or math.isnan(gain):
        return
    why = (
        "the learning rates have faded"
        if has_faded(course)
        else "nothing is left to learn for this recipe"
    )
    yield found(
        "finished",
        "note",
        int(images[-part]),
        f"Samples have not come nearer to the data for a third of the run, and hardly change: {why}.",
        Remedy(
            "Stop here and use the best checkpoint; for better samples change the recipe or add photos."
        ),
        Evidence(
            f"the distance has {'fallen' if gain >= 0 else 'grown'} by {abs(gain):.1%}",
            "distance",
            float(distances[-1]),
        ),
        Evidence(f"movement {moved:.2f}, in the beginning {earlier:.2f}", "movement", moved),
    )


RULES = (oscillation, left_behind, drift, average, pace, finished)
