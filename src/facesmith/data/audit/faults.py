"""Findings about the pictures: too few, copies, blurred, dark, grey among colour, one background."""

from __future__ import annotations

from collections.abc import Iterator

from facesmith.data.audit.advice import Finding, beside, level, number_of, percent
from facesmith.data.audit.contents import Audit
from facesmith.data.packing.files import FILES, REJECTED

FEW, VERY_FEW = 5_000, 1_000
"""Training images below which a discriminator learns them by heart, sooner or at once; "Training generative
adversarial networks with limited data", Karras et al., 2020."""


def few_images(audit: Audit) -> Iterator[Finding]:
    """Too few photos to learn what a face is."""
    if audit.counts is None or audit.counts.train >= FEW:
        return
    count = audit.counts.train
    yield Finding(
        "few images",
        "serious" if count < VERY_FEW else "warning",
        f"{count:,} training images are few",
        f"{count:,} training images; several thousand carry a small model, tens of thousands a good one.",
        "The discriminator learns the photos by heart, and the generator ends up with copies of them or "
        "with a handful of faces ([arXiv 2006.06676](https://arxiv.org/abs/2006.06676)).",
        "Add photos. Until then a lower resolution needs fewer, and shorter training is better training: "
        "compare the sheets of samples.",
        f"facesmith prepare PHOTOS --out {beside(audit, '32')} --resolution 32",
    )


def nothing_held_out(audit: Audit) -> Iterator[Finding]:
    """No image is kept away from training."""
    if audit.counts is None or audit.counts.held_out:
        return
    yield Finding(
        "nothing held out",
        "note",
        "No image is held out",
        f"All {audit.counts.train:,} images train.",
        "Whether the generator invents faces or repeats its photos can only be told with photos that it "
        "never saw.",
        "Prepare again and hold a tenth out.",
        f"facesmith prepare PHOTOS --out {beside(audit, 'split')} --held-out 0.1",
    )


def rejected(audit: Audit) -> Iterator[Finding]:
    """Many photos were not usable."""
    if audit.counts is None:
        return
    number = sum(audit.counts.rejected.values())
    total = max(audit.counts.found + audit.counts.extra, 1)
    severity = level(number / total, 0.02, 0.10, 0.30)
    if severity is None:
        return
    reasons = sorted(audit.counts.rejected.items(), key=lambda item: -item[1])
    most = ", ".join(f"{count:,} x {reason}" for reason, count in reasons[:4])
    yield Finding(
        "rejected",
        severity,
        f"{percent(number / total)} of the photos were rejected",
        f"{number_of(number, total, 'photos')} were not used: {most}.",
        "What was rejected is missing, and it may be one kind of person or picture that is.",
        f"{FILES} names each of them with its reason, {REJECTED}/ shows them. Look before you accept "
        "the loss.",
    )


def copies(audit: Audit) -> Iterator[Finding]:
    """Photos that are there more than once."""
    found = audit.copies
    severity = level(found.surplus / max(found.compared, 1), 0.01, 0.05, 0.20)
    if severity is None:
        return
    made = audit.counts is None
    yield Finding(
        "duplicates",
        severity,
        f"{percent(found.surplus / found.compared)} of the images are copies of others",
        f"{number_of(found.surplus, found.compared)} look like another one; "
        f"{found.groups:,} groups, the largest of {found.largest:,}.",
        "The generator has collapsed onto a few faces."
        if made
        else "A face that is there ten times is learned ten times: the generator repeats it, and what "
        "looks like quality is memory.",
        "Train with more data, or stop earlier: an older checkpoint may have more variety."
        if made
        else "Remove the copies; audit.json names the largest groups. Cleaning does it while preparing.",
        "" if made else f"facesmith prepare PHOTOS --out {beside(audit, 'clean')} --clean standard",
    )


def leak(audit: Audit) -> Iterator[Finding]:
    """Held-out photos that are training photos, too."""
    found = audit.copies
    severity = level(found.leaked / max(found.held_out, 1), 0.001, 0.01, 0.05)
    if severity is None or found.leaked < 2:
        return
    yield Finding(
        "leak",
        severity,
        f"{found.leaked:,} held-out images look like training images",
        f"{number_of(found.leaked, found.held_out, 'held-out images')} are nearly the same picture as one "
        "that trains.",
        "They are no test: a model that learned its photos by heart looks as if it could invent them.",
        "Remove one of each pair from the photos and prepare again.",
        f"facesmith prepare PHOTOS --out {beside(audit, 'clean')} --clean standard",
    )


def enlarged(audit: Audit) -> Iterator[Finding]:
    """Photos with fewer pixels than the training image."""
    if audit.counts is None:
        return
    used = audit.counts.train + audit.counts.held_out
    severity = level(audit.counts.enlarged / max(used, 1), 0.10, 0.30, 0.60)
    if severity is None:
        return
    half = audit.pixels.resolution // 2
    yield Finding(
        "enlarged",
        severity,
        f"{percent(audit.counts.enlarged / used)} of the images were enlarged",
        f"{number_of(audit.counts.enlarged, used)} had fewer than {audit.pixels.resolution} pixels a side.",
        "The generator learns the blur of enlarging as if faces looked like that, at the price of the full "
        "resolution.",
        "Use a resolution that most photos have, or larger photos.",
        f"facesmith prepare PHOTOS --out {beside(audit, str(half))} --resolution {half}",
    )


def blurred(audit: Audit) -> Iterator[Finding]:
    """Pictures without detail."""
    yield from _flaw(
        audit,
        "blurred",
        "have no fine detail",
        "Blur in, blur out: skin, hair and eyes come out soft, and the discriminator cannot object.",
        "Leave the blurred ones out, or use a lower resolution, at which they are sharp.",
        f"facesmith prepare PHOTOS --out {beside(audit, 'sharp')} --clean standard",
    )


def dark(audit: Audit) -> Iterator[Finding]:
    """Pictures in which little can be seen."""
    yield from _flaw(
        audit,
        "dark",
        "are dark",
        "A good part of what the generator makes will be dark, too; in dark pictures faces hide what it "
        "has not learned, and skin looks darker than it is.",
        "Look at the darkest below. Leave out what you could not recognise yourself.",
        f"facesmith prepare PHOTOS --out {beside(audit, 'clean')} --clean standard",
    )


def washed_out(audit: Audit) -> Iterator[Finding]:
    """Pictures that are too bright or have hardly any contrast."""
    for name, words in (("overexposed", "are overexposed"), ("flat", "have hardly any contrast")):
        yield from _flaw(
            audit,
            name,
            words,
            "What has no contours teaches none.",
            "Leave them out.",
            f"facesmith prepare PHOTOS --out {beside(audit, 'clean')} --clean standard",
        )


def grey_and_colour(audit: Audit) -> Iterator[Finding]:
    """Some pictures are grey, the others are not."""
    if audit.pixels.channels == 1:
        return
    grey = audit.state.flaws["grey"] / audit.pixels.measured
    severity = level(min(grey, 1 - grey), 0.01, 0.10, 1.0)
    if severity is None:
        return
    fewer = "grey" if grey < 0.5 else "in colour"
    yield Finding(
        "grey and colour",
        severity,
        f"{percent(min(grey, 1 - grey))} of the images are {fewer}, the others are not",
        f"{number_of(audit.state.flaws['grey'], audit.pixels.measured)} have no colour.",
        "The generator makes both kinds, and pale ones in between, which no photo is.",
        "Leave one kind out, or make all of them grey.",
        f"facesmith prepare PHOTOS --out {beside(audit, 'grey')} --channels 1",
    )


def one_background(audit: Audit) -> Iterator[Finding]:
    """All faces before the same wall."""
    alike = audit.background.alike / audit.pixels.measured
    severity = level(alike, 0.50, 0.75, 1.01)
    if severity is None:
        return
    yield Finding(
        "one background",
        severity,
        f"{percent(alike)} of the images have the same plain background",
        f"{number_of(audit.background.alike, audit.pixels.measured)} have a plain background of about "
        f"{audit.background.colour}.",
        "The generator will make this background and hardly another. Whatever else is used with it, an "
        "editor or a detector, has never seen a face elsewhere.",
        "Fine if that is wanted. Otherwise add photos from other places"
        + (", or crop tighter: --crop center:SIZE leaves less of it." if audit.folder else "."),
        f"facesmith prepare PHOTOS --out {beside(audit, 'tight')} --crop center:SIZE"
        if audit.folder
        else "",
    )


def _flaw(
    audit: Audit, name: str, words: str, effect: str, advice: str, command: str
) -> Iterator[Finding]:
    number = audit.state.flaws[name]
    share = number / audit.pixels.measured
    severity = level(share, 0.05, 0.20, 0.50)
    if severity is not None:
        yield Finding(
            name,
            severity,
            f"{percent(share)} of the images {words}",
            f"{number_of(number, audit.pixels.measured)} {words}.",
            effect,
            advice,
            command,
        )


RULES = (
    few_images,
    nothing_held_out,
    rejected,
    copies,
    leak,
    enlarged,
    blurred,
    dark,
    washed_out,
    grey_and_colour,
    one_background,
)
