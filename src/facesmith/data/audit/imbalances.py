"""Findings about who is in the data: skin, pose, labels, identities."""

from __future__ import annotations

import re
from collections.abc import Iterator

from facesmith.data.audit import labels, skin
from facesmith.data.audit.advice import (
    REPRODUCED,
    Finding,
    Severity,
    beside,
    dataset,
    level,
    number_of,
    percent,
    training,
)
from facesmith.data.audit.contents import Audit, Column, Shares

GROUPS = frozenset(
    {
        *("age", "ethnicity", "female", "fitzpatrick", "gender", "male", "man", "monk"),
        *("race", "sex", "tone", "woman", "young"),
    }
)
"""Words in the name of a column that says what kind of person it is; of these even halves are expected."""
RARE = 0.03
"""Share of any other class below which it is mentioned."""
NAMED = 5
FEW_PEOPLE = 100


def narrow_skin(audit: Audit) -> Iterator[Finding]:
    """Lighter or darker tones are rare."""
    tones = audit.skin.tones
    lighter, darker = tones.share(*skin.LIGHTER), tones.share(*skin.DARKER)
    word, other, least = (
        ("darker", "lighter", darker) if darker < lighter else ("lighter", "darker", lighter)
    )
    severity = _rarity(least, 0.25, 0.12, 0.04)
    if severity is None or not tones.count:
        return
    number = tones.number(*(skin.DARKER if word == "darker" else skin.LIGHTER))
    yield Finding(
        "narrow skin-tone range",
        severity,
        f"{word.capitalize()} skin in {percent(least)} of the images, {other} in "
        f"{percent(max(lighter, darker))}",
        f"{number_of(number, tones.count)} show {word} skin, a typology angle "
        f"{'of 10° or less' if word == 'darker' else 'above 28°'}; what light and camera make of skin is "
        "part of it.",
        f"{REPRODUCED} Truncation below 1 thins it out further. Models trained on CelebA were found to "
        "make 75 to 85 % white faces ([arXiv 2302.11562](https://arxiv.org/abs/2302.11562)).",
        f"Add photos of people with {word} skin. After training look at what became of the shares.",
        f"facesmith audit {dataset(audit)} --samples RUN" if audit.folder else "",
    )


def skin_not_measured(audit: Audit) -> Iterator[Finding]:
    """Skin was not found in most pictures."""
    tones = audit.skin.tones
    if audit.pixels.channels == 1 or tones.missing < 0.5 * audit.pixels.measured:
        return
    yield Finding(
        "skin not measured",
        "note",
        "Skin was found in fewer than half of the images",
        f"{number_of(tones.missing, audit.pixels.measured)} show too little skin in the middle.",
        "Nothing can be said about skin tones; and faces may not be where a face should be.",
        "Look at the sheet of random images: the crop should put the face into the middle.",
        "facesmith prepare PHOTOS --out DATASET --crop center:SIZE",
    )


def one_pose(audit: Audit) -> Iterator[Finding]:
    """All faces look the same way."""
    if audit.pose is None:
        return
    straight = audit.pose.turned.share("straight ahead")
    severity = level(straight, 0.90, 0.98, 1.01)
    if severity is None:
        return
    yield Finding(
        "one pose",
        severity,
        f"{percent(straight)} of the faces look straight ahead",
        f"{number_of(audit.pose.turned.number('straight ahead'), audit.pose.turned.count)} are turned by "
        f"less than 15°; half of them by less than {_typical(audit):.0f}°.",
        "The generator makes faces from the front and no others; that is easier to learn, and all that "
        "it can do.",
        "Fine if that is wanted. Otherwise add photos of people who look to the side.",
    )


def groups(audit: Audit) -> Iterator[Finding]:
    """Kinds of people that are rare."""
    for column in audit.labels:
        if not _is_group(column.name) or column.kind == "identities":
            continue
        shares = column.shares
        if column.kind == "numbers":
            shares = _thirds(shares)
        elif column.kind == "classes" and column.values < 2:
            continue
        even, number = 1 / len(shares.names), min(shares.counts)
        # The ends of a scale are rarer than its middle anywhere.
        factors = (0.3, 0.1, 0) if column.kind == "numbers" else (0.6, 0.3, 0.1)
        severity = _rarity(number / max(shares.count, 1), *(even * factor for factor in factors))
        if severity is not None:
            yield _rare(audit, column, shares, severity)


def rare_classes(audit: Audit) -> Iterator[Finding]:
    """Everything else that is rare, in one finding."""
    rare = sorted(
        (number / column.shares.count, number, column.name, name)
        for column in audit.labels
        if not _is_group(column.name) and column.kind in (labels.BINARY, "classes")
        for name, number in zip(column.shares.names, column.shares.counts, strict=True)
        if 0 < number < RARE * column.shares.count and name != labels.OTHERS
    )
    if not rare:
        return
    listed = "; ".join(
        f"{label} = {name}: {number:,} ({percent(share)})"
        for share, number, label, name in rare[:NAMED]
    )
    more = f"; and {len(rare) - NAMED} more" if len(rare) > NAMED else ""
    yield Finding(
        "rare classes",
        "note",
        f"{len(rare)} {'class is' if len(rare) == 1 else 'classes are'} rarer than {percent(RARE)}",
        f"{listed}{more}.",
        REPRODUCED,
        "If one of them matters to you, draw it more often in training, or add photos.",
        training(audit, balance=rare[0][2]),
    )


def pairs(audit: Audit) -> Iterator[Finding]:
    """Two labels of people that go together."""
    rare = [pair for pair in audit.pairs if pair.images <= 0.5 * pair.expected]
    named = [(_is_group(pair.first) + _is_group(pair.second), pair) for pair in rare]
    # Two kinds of people say more than a kind and what it wears; of equals the strongest comes first.
    kinds, pair = max(named, key=lambda item: item[0], default=(0, None))
    if pair is None or not kinds:
        return
    yield Finding(
        "rare combination",
        "note",
        f"{pair.first} = {pair.rarest[0]} with {pair.second} = {pair.rarest[1]} is rare",
        f"{number_of(pair.images, sum(map(sum, pair.table)))}; {pair.expected:,.0f} if the two had "
        "nothing to do with each other.",
        "The generator learns the two as one: changing the one in an edit changes the other.",
        "Add photos of this combination; balancing one of the columns does not bring it.",
    )


def no_labels(audit: Audit) -> Iterator[Finding]:
    """Nothing says who is in the photos."""
    if audit.labels or audit.counts is None:
        return
    yield Finding(
        "no labels",
        "note",
        "No labels say who is in the photos",
        "The dataset has no column of labels.",
        "Age, sex or anything else can be neither counted nor balanced; only what can be measured in the "
        "pictures is on this page.",
        "If there is a list with labels (CelebA's list_attr_celeba.txt, a CSV with a column of file "
        "names), put it beside the photos and prepare again.",
        f"facesmith prepare PHOTOS --out {beside(audit, 'labelled')}",
    )


def one_person(audit: Audit) -> Iterator[Finding]:
    """One person, or a few, make up much of the data."""
    for column in audit.labels:
        if column.kind != "identities" or not column.shares.count:
            continue
        named = [n for n in column.shares.names if n != labels.OTHERS]
        number = max((column.shares.number(name) for name in named), default=0)
        person = next((name for name in named if column.shares.number(name) == number), "")
        share = number / column.shares.count
        severity = level(share, 0.05, 0.10, 0.30)
        if severity is not None:
            yield Finding(
                "one person",
                severity,
                f"One person makes up {percent(share)} of the images",
                f"{number_of(number, column.shares.count)} show {column.name} {person}; "
                f"{column.values:,} people in all.",
                "This face comes back in what is generated, recognisably. Ask whether that person agreed.",
                "Keep a few photos of each person, or draw people equally often.",
                training(audit, balance=column.name),
            )
        elif column.values < FEW_PEOPLE:
            yield Finding(
                "few people",
                "note",
                f"{column.values:,} people are few",
                f"{column.shares.count:,} images of {column.values:,} people.",
                "The generator mixes these people rather than inventing others.",
                "More people are worth more than more photos of each.",
            )


def _rare(audit: Audit, column: Column, shares: Shares, severity: Severity) -> Finding:
    number, most = min(shares.counts), max(shares.counts)
    name, commonest = (shares.names[shares.counts.index(count)] for count in (number, most))
    share = percent(number / shares.count)
    can_balance = column.kind != "numbers" and number > 0
    return Finding(
        "under-represented group",
        severity,
        f"{column.name} = {name}: {share} of the images",
        f"At {share} of {shares.count:,} labelled photos, {number:,} images; "
        f"{column.name} = {commonest} has {most:,} ({percent(most / shares.count)}).",
        REPRODUCED,
        "Draw the rarer group more often in training. Photos of more people are better still, since "
        "balancing repeats the few."
        if can_balance
        else "Add photos of such people.",
        training(audit, balance=column.name) if can_balance else "",
    )


def _thirds(ranges: Shares) -> Shares:
    """Join the ranges of a scale in pairs."""
    first, last = ranges.names[::2], ranges.names[1::2]
    names = tuple(
        f"{a.split(' to ')[0]} to {b.split(' to ')[1]}" for a, b in zip(first, last, strict=True)
    )
    counts = zip(ranges.counts[::2], ranges.counts[1::2], strict=True)
    return Shares(names, tuple(a + b for a, b in counts), ranges.missing)


def _is_group(name: str) -> bool:
    return bool(GROUPS & set(re.split(r"[^a-z]+", name.lower())))


def _rarity(share: float, note: float, warning: float, serious: float) -> Severity | None:
    """Say how serious it is that a share is small."""
    return level(1 - share, 1 - note, 1 - warning, 1 - serious)


def _typical(audit: Audit) -> float:
    assert audit.pose is not None
    return max(abs(audit.pose.yaw.quantiles[q]) for q in ("25", "75"))


RULES = (
    narrow_skin,
    skin_not_measured,
    one_pose,
    groups,
    rare_classes,
    pairs,
    no_labels,
    one_person,
)
