"""Data against samples: light, colour and detail, side by side and through time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.scales import Values, linear, number, percent, thin
from facesmith.data.audit.charts import text


@dataclass(frozen=True)
class Statistic:
    """A number of a batch of pictures, measured on real ones and on samples."""

    name: str
    """As `measuring.pictures.describe` has it."""
    title: str
    kind: Literal["ratio", "share", "plain"] = "ratio"
    """How the difference is said: in per cent, in points, or as it is."""
    is_telling: bool = True
    """Worth a line although it is zero on both sides."""


STATISTICS = (
    Statistic("mean", "brightness, 0 to 1"),
    Statistic("std", "contrast"),
    Statistic("chroma", "colourfulness"),
    Statistic("saturated", "quite black or white", "share"),
    Statistic("high_frequency", "fine detail"),
    Statistic("grid", "checkerboard peak", "plain"),
    Statistic("flat", "empty pictures", "share", is_telling=False),
    Statistic("grey", "grey pictures", "share", is_telling=False),
    Statistic("cold", "more blue than red", "share", is_telling=False),
    Statistic("outside", "beyond the range", "share", is_telling=False),
)
COLOURS = ("red", "green", "blue")


def statistics(attempt: Attempt) -> str:
    """Compare what the networks were shown with what the generator makes.

    Args:
        attempt: The run.

    Returns:
        A table in HTML; empty where samples were not measured.
    """
    course = attempt.course
    rows = [_colours(attempt)]
    for wanted in STATISTICS:
        real, fake = _real(attempt, wanted.name), course.now(f"fakes.{wanted.name}")
        if math.isfinite(fake) and (wanted.is_telling or real > 0 or fake > 0):
            rows.append(_row(wanted, real, fake, course.curve(f"fakes.{wanted.name}")))
    if not any(rows):
        return ""
    return (
        "<div class=wrap><table class=plain><tr><th></th><th>data</th><th>samples</th><th>difference</th>"
        "<th class=text>samples through time, the data as a line</th></tr>"
        f"{''.join(rows)}</table></div>"
    )


def difference(kind: str, real: float, fake: float) -> str:
    """Say how far samples are from the data.

    Args:
        kind: Of the statistic.
        real: Of the data.
        fake: Of samples.

    Returns:
        Such as `+12 %`, `-3.1 points`; empty where there is nothing to compare with.
    """
    if not (math.isfinite(real) and math.isfinite(fake)):
        return ""
    if kind == "share":
        return f"{100 * (fake - real):+.1f} points"
    if kind == "plain" or real == 0:
        return f"{fake - real:+.2f}"
    ratio = fake / real
    return f"{ratio:.1f} times" if ratio >= 3 else f"{100 * (ratio - 1):+.0f} %"


def _row(wanted: Statistic, real: float, fake: float, curve: Values) -> str:
    cells = [
        ""
        if not math.isfinite(value)
        else percent(value)
        if wanted.kind == "share"
        else number(value)
        for value in (real, fake)
    ]
    return (
        f"<tr><th>{text(wanted.title)}</th><td>{cells[0]}</td><td>{cells[1]}</td>"
        f"<td>{difference(wanted.kind, real, fake)}</td><td class=figure>{_spark(curve, real)}</td></tr>"
    )


def _colours(attempt: Attempt) -> str:
    sides = []
    for values in (
        [_real(attempt, name) for name in COLOURS],
        [attempt.course.now(f"fakes.{name}") for name in COLOURS],
    ):
        if not all(map(math.isfinite, values)):
            return ""
        code = ", ".join(f"{255 * min(max(value, 0), 1):.0f}" for value in values)
        sides.append(f'<td><i class=swatch style="background:rgb({code})" title="{code}"></i></td>')
    return f"<tr><th>colour of the middle</th>{''.join(sides)}<td></td><td></td></tr>"


def _real(attempt: Attempt, name: str) -> float:
    pictures = attempt.facts.data.get("pictures", {})
    found = pictures.get(name) if isinstance(pictures, dict) else None
    return float(found) if isinstance(found, int | float) else attempt.course.now(f"reals.{name}")


def _spark(curve: Values, real: float) -> str:
    known = [real] if math.isfinite(real) else []
    axis = linear([curve], known)
    kept = thin(curve, 120)
    width = max(len(curve) - 1, 1)
    points = "L".join(
        f"{1000 * at / width:.0f} {1000 * (1 - axis.place(curve[at])):.0f}"
        for at in kept
        if np.isfinite(curve[at])
    )
    line = "".join(
        f'<path style="stroke:var(--data)" d="M0 {1000 * (1 - axis.place(v)):.0f}H1000"/>'
        for v in known
    )
    return (
        '<svg class=spark viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        f'{line}<path style="stroke:var(--made)" d="M{points}"/></svg>'
    )
