"""Are the images those that the owner means to train on?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Evidence, Finding, Remedy
from facesmith.health.kinds import found

ALL = 0.4
"""Of all pairs: so many equal ones mean one picture; half of its copies may be mirrored."""
PAIRS = 32_640
"""Of the sample of 256 images that pairs are taken from."""
HITS = 8
"""Equal pairs among these that are no chance and no single double."""
FEW, VERY_FEW = 1_000, 300
"""Images below which a discriminator learns them by heart sooner or later, and soon."""
ODD = 0.03
"""Of the pictures: more that are unlike the others are damage, not variety."""
MIXED = (0.02, 0.98)
COLD = 0.15
"""Of face pictures: so many whose middle is more blue than red have their channels exchanged."""
NEAR = 0.85
"""Distance of consecutive images to that of any two: shuffled ones have 1."""
SHIFT, SHIFT_OF_MANY = 1.6, 1.22
"""Standard errors that batches lie off the data, by a few records and by many; shuffled ones have 1."""
ENOUGH, MANY = 6, 24
"""Records whose batches are looked at before anything is said of their order."""
BIAS = 3.0
"""Standard errors that all batches together lie off the data in mean or spread; true images have 1."""
LASTING = 1.2
"""Bias over shift: a lasting difference grows with the number of batches, a passing one averages out."""


def contents(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Look at the pictures themselves."""
    begin = int(course.images[0]) if len(course.images) else 0
    pixels: dict[str, Any] = dict(facts.data.get("pixels", {}))
    for name in ("copies", "odd", "grey", "cold", "flat"):
        # Somebody else's loop shows only what passes by.
        pixels.setdefault(name, course.now(f"reals.{name}", len(course.records) or 1))
    if pixels["copies"] > ALL or pixels["flat"] > ALL:
        yield found(
            "data-constant",
            "ill",
            begin,
            "Most of the images are the same picture."
            if pixels["copies"] > ALL
            else f"{pixels['flat']:.0%} of the images are of one even colour.",
            Remedy(
                "Look at reals.png: find out what happened to the photos when they were read, and prepare "
                "them again."
            ),
            Evidence(
                f"{pixels['copies']:.0%} of all pairs are equal, {pixels['flat']:.0%} of the images are flat"
            ),
        )
        return
    hits = pixels["copies"] * PAIRS
    if hits >= HITS:
        distinct = round(1 / pixels["copies"])
        yield found(
            "data-duplicated",
            "ill" if distinct < FEW else "warning",
            begin,
            f"The images are copies of about {distinct:,} pictures.",
            Remedy(
                "Prepare the photos with facesmith prepare, which leaves out copies, and add others."
            ),
            Evidence(
                f"{pixels['copies']:.2%} of all pairs of images are equal",
                "reals.copies",
                pixels["copies"],
            ),
        )
    if pixels["odd"] > ODD:
        yield found(
            "data-corrupted",
            "ill" if pixels["odd"] > 3 * ODD else "warning",
            begin,
            f"{pixels['odd']:.0%} of the images are unlike all others: noise, or large bare parts.",
            Remedy(
                "Run facesmith audit on the dataset: it shows them. Prepare the photos again from whole "
                "files."
            ),
            Evidence(
                f"{pixels['odd']:.1%} of the images are outliers", "reals.odd", pixels["odd"], ODD
            ),
        )
    if np.isfinite(pixels["grey"]) and MIXED[0] < pixels["grey"] < MIXED[1]:
        yield found(
            "grey-mixed",
            "warning",
            begin,
            f"{pixels['grey']:.0%} of the images are grey, the others coloured.",
            Remedy(
                "facesmith prepare leaves out grey photos among coloured ones; or train on all of them in "
                "grey with --channels 1."
            ),
            Evidence(
                f"{pixels['grey']:.1%} of the images have no colour",
                "reals.grey",
                pixels["grey"],
                MIXED[0],
            ),
        )
    if np.isfinite(pixels["cold"]) and pixels["cold"] > COLD:
        yield found(
            "channels-swapped",
            "warning",
            begin,
            f"{pixels['cold']:.0%} of the images are more blue than red in the middle, where a face would "
            "be.",
            Remedy(
                "If these are faces, their channels are exchanged: read them as RGB (OpenCV: "
                "cv2.cvtColor(image, cv2.COLOR_BGR2RGB)), and prepare them again."
            ),
            Evidence(
                f"{pixels['cold']:.0%} of the images have a cold middle",
                "reals.cold",
                pixels["cold"],
                COLD,
            ),
        )


def count(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Ask whether there are enough images."""
    images = int(facts.data.get("train", 0))
    if 0 < images < FEW:
        yield found(
            "too-few-images",
            "warning" if images < VERY_FEW else "note",
            0,
            f"There are only {images} images to learn from.",
            Remedy(
                "Add photos; thousands make good faces. Until then train shorter and with a zero-centred "
                "penalty, and watch the gap to held-out images."
            ),
            Evidence(f"{images} training images", value=images, bound=FEW),
        )


def order(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Compare batches with the whole of the data: passing differences are an order, lasting ones a change."""
    course = course.probed
    if not course.knows("reals.shift"):
        return
    count = len(course.records)
    begin = int(course.images[0])
    shift, near = course.mean("reals.shift", count), course.now("reals.order", count)
    bound = SHIFT_OF_MANY if count >= MANY else SHIFT
    bias = course.now("reals.bias", 8)
    spread = course.now("reals.spread_bias", 8)
    lasting = max(bias, spread)
    if count >= ENOUGH and (near < NEAR or (shift > bound and bias < LASTING * shift)):
        yield found(
            "data-sorted",
            "ill",
            begin,
            "Images come in an order, similar ones together.",
            Remedy(
                "Shuffle: DataLoader(..., shuffle=True), anew in each epoch. facesmith's own datasets "
                "always do."
            ),
            Evidence(
                f"consecutive images are {near:.2f} times as far apart as any two",
                "reals.order",
                near,
                NEAR,
            ),
            Evidence(
                f"batches lie {shift:.1f} standard errors off the data", "reals.shift", shift, bound
            ),
        )
    elif count >= ENOUGH and lasting > BIAS and facts.data.get("pixels") is not None:
        yield found(
            "augmentation-leaks",
            "ill",
            begin,
            "The images that the discriminator sees as real are not those of the dataset.",
            Remedy(
                "Apply augmentations to real and generated images alike, differentiably, in both players' "
                "steps (DiffAugment, 2006.10738), or leave out those that you do not want to see in the "
                "samples."
            ),
            Evidence(f"their mean is {bias:.1f} standard errors off", "reals.bias", bias, BIAS),
            Evidence(
                f"their spread is {spread:.1f} standard errors off",
                "reals.spread_bias",
                spread,
                BIAS,
            ),
        )


RULES = (contents, count, order)
