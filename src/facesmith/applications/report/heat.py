"""Layers by time as heat maps: where gradients vanish or explode, and which layer stands still."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from facesmith.applications.report.scales import Values, images, number, tick
from facesmith.data.audit.charts import text
from facesmith.health.course import Course

COLUMNS = 48
"""Moments at most; each shows the median of its stretch."""
DECADES = 5
# Dark to light at an even pace for every eye, printed in grey too: the stops of the magma map.
STOPS = ("#0b0724", "#3b0f70", "#8c2981", "#de4968", "#fe9f6d", "#fcfdbf")
WHAT = {
    "gradient_to_weight": "Gradient to weight",
    "update_to_weight": "Update to weight",
}
PLAYERS = {"generator": "G, from the latent to the image", "discriminator": "D, from the image on"}


def heat_maps(course: Course) -> str:
    """Draw both ratios of both networks.

    Args:
        course: The run's records.

    Returns:
        HTML; empty where no layers were measured.
    """
    parts = []
    for what, title in WHAT.items():
        found = {player: course.layers(player, what) for player in PLAYERS}
        values = [curve for layers in found.values() for curve in layers.values()]
        if not values:
            continue
        low, high = decades(np.concatenate(values))
        maps = "".join(
            _map(title, player, layers, course, low, high)
            for player, layers in found.items()
            if layers
        )
        parts.append(f"<h3>{title}</h3>{_legend(low, high)}<div class='plots two'>{maps}</div>")
    return "".join(parts)


def decades(values: Values) -> tuple[int, int]:
    """Choose the decades that colours stand for: those in which most values lie.

    Args:
        values: Any; zeros and what is not finite have no decade.

    Returns:
        Powers of ten, the low end and the high one.
    """
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return -4, 0
    high = math.ceil(math.log10(float(np.quantile(values, 0.98))))
    low = math.floor(math.log10(float(np.quantile(values, 0.02))))
    return max(min(low, high - 1), high - DECADES), high


def shrink(curve: Values, columns: int) -> Values:
    """Give the median of each of some even stretches of a curve; NaN where none was measured."""
    parts = np.array_split(curve, columns)
    measured = [part[np.isfinite(part)] for part in parts]
    return np.array([np.median(part) if len(part) else math.nan for part in measured])


def colour(value: float, low: int, high: int) -> str:
    """Choose the colour of a value on a logarithmic scale."""
    if value <= 0:
        return STOPS[0]
    place = (math.log10(value) - low) / (high - low)
    place = min(max(place, 0.0), 1.0) * (len(STOPS) - 1)
    first = min(int(place), len(STOPS) - 2)
    one, other = _rgb(STOPS[first]), _rgb(STOPS[first + 1])
    mixed = one + (other - one) * (place - first)
    return "#" + "".join(f"{round(part):02x}" for part in mixed)


def _map(
    title: str, player: str, layers: dict[str, Values], course: Course, low: int, high: int
) -> str:
    count = min(COLUMNS, len(course.images))
    # A cell stands from the record before its stretch to its last one.
    ends = [part[-1] for part in np.array_split(course.images, count)]
    begins = [0.0, *ends[:-1]]
    rows = ""
    for name, curve in layers.items():
        layer = name.partition("/")[2]
        cells = "".join(
            _cell(begin, end, value, ends[-1], low, high, layer)
            for begin, end, value in zip(begins, ends, shrink(curve, count), strict=True)
        )
        rows += (
            f'<span title="{text(layer)}">{text(layer)}</span><div class=row>'
            f'<svg viewBox="0 0 1000 1" preserveAspectRatio="none" shape-rendering="crispEdges">'
            f"{cells}</svg><i class=now></i></div>"
        )
    axis = "".join(
        f"<span style='left:{100 * share:.0f}%'>{images(share * ends[-1])}</span>"
        for share in (0.0, 0.5, 1.0)
    )
    said = f"{title} of {PLAYERS[player]}"
    return (
        f'<figure class=heat role="img" aria-label="{text(said)}"><figcaption>{text(PLAYERS[player])}'
        f"</figcaption><div class=cells>{rows}<span></span><div class=xs style='grid-column:auto'>{axis}"
        "</div></div></figure>"
    )


def _cell(
    begin: float, end: float, value: float, until: float, low: int, high: int, layer: str
) -> str:
    if not math.isfinite(value):
        return ""
    left, width = 1000 * begin / (until or 1), 1000 * (end - begin) / (until or 1)
    return (
        f'<rect x="{left:.1f}" width="{width + 0.6:.1f}" height="1" fill="{colour(value, low, high)}">'
        f"<title>{text(layer)}, {images(end)} images: {number(value)}</title></rect>"
    )


def _legend(low: int, high: int) -> str:
    stops = ", ".join(STOPS)
    return (
        f"<div class=scale><span>{tick(10.0**low)} and less</span>"
        f"<i style='background:linear-gradient(90deg, {stops})'></i><span>{tick(10.0**high)} and more"
        "</span></div>"
    )


def _rgb(code: str) -> NDArray[np.float64]:
    return np.array([int(code[at : at + 2], 16) for at in (1, 3, 5)], float)
