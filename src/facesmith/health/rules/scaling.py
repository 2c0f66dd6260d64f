"""Do real and generated images have the same range, and is it used?"""

from __future__ import annotations

from collections.abc import Iterator

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Evidence, Finding, Remedy
from facesmith.health.kinds import found

OUTSIDE = 0.01
"""Of the real values: more beyond the generator's range is no rounding."""
STANDARD = 0.08
"""How near mean 0 and deviation 1 standardised numbers are, in units of the deviation."""
SLIVER = 0.05
"""Of the range: real pictures that spread less are squeezed; photographs spread over 0.2 to 0.3."""
VARIED = 0.1
"""Of the pixels' range: pictures on disk that spread more are not flat themselves."""
HALF = 0.45
"""Where pixels from 0 to 1 begin, seen from a range of -1 to 1."""

RESCALE = Remedy(
    "Standardise first, if at all, and rescale last, to the generator's own range: for a tanh x / 127.5 - "
    "1. facesmith's --scaling rescale and --scaling standardize both do."
)


def scaling(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Compare the numbers that the discriminator gets as real with the generator's range."""
    if not course.knows("reals.std"):
        return
    begin = int(course.images[0])
    size = facts.high - facts.low
    middle = (facts.high + facts.low) / 2
    mean = facts.low + size * course.now("reals.mean")
    std = size * course.now("reals.std")
    low = facts.low + size * course.now("reals.low")
    high = facts.low + size * course.now("reals.high")
    outside = course.now("reals.outside")
    seen = Evidence(
        f"real values run from {low:.3g} to {high:.3g}, the generator's from {facts.low:g} to {facts.high:g}"
    )
    spread = Evidence(
        f"real values have mean {mean:.3g} and standard deviation {std:.3g}",
        "reals.std",
        std / size,
    )
    if outside > OUTSIDE:
        share = Evidence(
            f"{outside:.0%} of the real values lie outside", "reals.outside", outside, OUTSIDE
        )
        if abs(mean) < STANDARD and abs(std - 1) < STANDARD:
            yield found(
                "scaling-wrong",
                "ill",
                begin,
                f"Real images are standardised (mean {mean:.2f}, deviation {std:.2f}) after they were "
                "brought to the generator's range.",
                RESCALE,
                spread,
                share,
            )
        else:
            yield found(
                "range-mismatch",
                "ill",
                begin,
                f"Real images run from {low:.3g} to {high:.3g}, the generator makes {facts.low:g} to "
                f"{facts.high:g}.",
                RESCALE,
                seen,
                share,
            )
        return
    on_disk = facts.data.get("pixels", {}).get("std")
    if course.now("reals.std") < SLIVER and (on_disk is None or on_disk > VARIED):
        yield found(
            "scaling-wrong",
            "ill",
            begin,
            f"Real images use {std / size:.1%} of the generator's range: they are squeezed.",
            RESCALE,
            spread,
            seen,
        )
    elif course.lowest("reals.low") > HALF or course.highest("reals.high") < 1 - HALF:
        side = "upper" if mean > middle else "lower"
        yield found(
            "range-mismatch",
            "ill",
            begin,
            f"Real images fill only the {side} half of the generator's range, {low:.3g} to {high:.3g} of "
            f"{facts.low:g} to {facts.high:g}.",
            RESCALE,
            seen,
        )


RULES = (scaling,)
