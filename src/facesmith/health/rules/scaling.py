"""Do real and generated images have the same range, and is it used?"""

from __future__ import annotations

from collections.abc import Iterator

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Evidence, Finding, Remedy
from facesmith.health.kinds import found
from facesmith.health.rules.gain import age

OUTSIDE = 0.01
"""Of the real values: more beyond the generator's range is no rounding."""
NEAR = 0.06
"""Of a range's width: how near the ends of the values are to those of a range that people use."""
RANGES = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (-0.5, 0.5), (-128.0, 127.0))
"""Ranges that pixels are brought to on purpose."""
SLIVER = 0.05
"""Of the range: real pictures that spread less are squeezed; photographs spread over 0.2 to 0.3."""
VARIED = 0.1
"""Of the pixels' range: pictures on disk that spread more are not flat themselves."""
UNUSED = 0.3
"""Of the range: real values that leave more of it unused at one end, or both, were given another one."""
HALF_GROWN, VIVID = 0.2, 0.5
"""Share of the plan, and contrast of the samples over the data's: a generator that has come so far and stays
within a part of the range at both ends cannot leave it; a faint one has not learned yet."""
LATE = 0.1
"""Share of the plan after which a generator shows what range it has."""

RESCALE = Remedy(
    "Standardise first, if at all, and rescale last, to the generator's own range: for a tanh x / 127.5 - 1. "
    "facesmith's --scaling rescale and --scaling standardize both do."
)


def scaling(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Compare the numbers that the discriminator gets as real with the generator's range."""
    pixels = facts.data.get("pixels", {})
    if (
        not course.knows("reals.std")
        or pixels.get("std", 1.0) < VARIED
        or pixels.get("flat", 0.0) > 0.5
    ):
        return  # pictures that are flat on disk have another fault
    size = facts.high - facts.low
    mean, std = facts.low + size * course.now("reals.mean"), size * course.now("reals.std")
    ends = (
        facts.low + size * course.lowest("reals.low"),
        facts.low + size * course.highest("reals.high"),
    )
    own = (facts.low, facts.high)
    begin = int(course.images[0])
    seen = Evidence(
        f"real values run from {ends[0]:.3g} to {ends[1]:.3g}, the generator's from {own[0]:g} to {own[1]:g}",
        "reals.high",
    )
    spread = Evidence(
        f"real values have mean {mean:.3g} and standard deviation {std:.3g}",
        "reals.std",
        std / size,
    )
    outside = course.now("reals.outside")
    used = (ends[1] - ends[0]) / size
    full = pixels.get("high", 1.0) - pixels.get("low", 0.0)
    if course.now("reals.std") < SLIVER:
        yield found(
            "scaling-wrong",
            "ill",
            begin,
            f"Real images use {std / size:.1%} of the generator's range: they are squeezed.",
            RESCALE,
            spread,
            seen,
        )
    elif outside > OUTSIDE or used < (1 - UNUSED) * full:
        known = next((span for span in RANGES if _is(ends, span)), None)
        kind = "range-mismatch" if known else "scaling-wrong"
        what = f"the range {known[0]:g} to {known[1]:g}" if known else "a range of their own"
        yield found(
            kind,
            "ill",
            begin,
            f"Real images have {what}, {ends[0]:.3g} to {ends[1]:.3g}; the generator makes {own[0]:g} to "
            f"{own[1]:g}.",
            RESCALE,
            seen,
            spread,
            Evidence(
                f"{outside:.0%} of the real values lie outside", "reals.outside", outside, OUTSIDE
            ),
        )


def generated(course: Course, facts: RunFacts) -> Iterator[Finding]:
    """Ask whether the generator can make the darkest and the brightest pixels at all."""
    course = course.probed
    if not course.knows("fakes.low") or course.images[-1] < LATE * (
        facts.planned or course.images[-1]
    ):
        return
    if len(course.records) < 6:
        return
    low, high = course.lowest("fakes.low"), course.highest("fakes.high")
    full = course.highest("reals.high") - course.lowest("reals.low")
    squeezed = age(course, facts) > HALF_GROWN and high - low < (1 - UNUSED) * full
    vivid = course.now("fakes.std") > VIVID * course.now("reals.std")
    if (
        low < UNUSED + course.lowest("reals.low")
        and high > course.highest("reals.high") - UNUSED
        and not (squeezed and vivid)
    ):
        return
    if course.highest("fakes.std") < SLIVER:
        return  # a generator that makes nothing yet shows no range
    size = facts.high - facts.low
    ends = (facts.low + size * low, facts.low + size * high)
    yield found(
        "range-mismatch",
        "ill",
        int(course.images[0]),
        f"The generator has never made a value below {ends[0]:.2g} or above {ends[1]:.2g}; real images "
        "have both.",
        Remedy(
            "Let the generator's output have the data's range: a tanh for -1 to 1, a sigmoid for 0 to 1. "
            "facesmith's own generators always match --scaling."
        ),
        Evidence(
            f"generated values run from {ends[0]:.3g} to {ends[1]:.3g}", "fakes.low", low, UNUSED
        ),
    )


def _is(ends: tuple[float, float], span: tuple[float, float]) -> bool:
    slack = NEAR * (span[1] - span[0])
    return abs(ends[0] - span[0]) < slack and abs(ends[1] - span[1]) < slack


RULES = (scaling, generated)
