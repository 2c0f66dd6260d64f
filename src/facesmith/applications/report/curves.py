"""The charts of a report, drawn from the records of a run."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from facesmith.applications.report.charts import Chart, Curve
from facesmith.applications.report.plots import Area, Line, Mark, Plot
from facesmith.applications.report.scales import Axis, finite, linear, logarithmic
from facesmith.health.course import Course

SHARES = (
    ("time.compute", "computing", "data"),
    ("time.data", "waiting for data", "made"),
    ("time.signals", "measuring", "third"),
    ("time.observers", "writing", "soft"),
)


def plot(chart: Chart, course: Course, marks: dict[str, list[Mark]]) -> str:
    """Draw a chart of a run.

    Args:
        chart: What is wanted.
        course: The run's records.
        marks: Moments, by the signal that they are about; those at "" belong everywhere.

    Returns:
        HTML; empty where nothing of it was measured.
    """
    lines = [
        Line(
            curve.label,
            course.images,
            course.curve(curve.signal) * curve.scale,
            curve.colour,
            curve.dashed,
            course.curve(curve.spread) if curve.spread and course.knows(curve.spread) else None,
        )
        for curve in chart.curves
        if course.knows(curve.signal)
    ]
    curves = [line.values for line in lines]
    values = finite(curves)
    if not len(values) or not (chart.is_telling or values.any()):
        return ""
    make = logarithmic if chart.log else linear
    bounds = [value for value, _ in chart.bounds]
    names = ["", *(name for curve in chart.curves for name in (curve.signal, curve.spread) if name)]
    return Plot(
        chart.title,
        make(curves, [*chart.include, *bounds]),
        course.images[-1],
        lines,
        marks=distinct(mark for name in names for mark in marks.get(name, ())),
        bounds=chart.bounds,
        unit=chart.unit,
        note=chart.note,
    ).html()


def penalties(course: Course, marks: dict[str, list[Mark]]) -> str:
    """Draw the values of all penalties, whatever they are called."""
    names = dict.fromkeys(name for record in course.records for name in record.penalties)
    colours = ("data", "made", "third", "soft")
    curves = tuple(
        Curve(f"penalties.{name}", name.partition(".")[2] or name, colours[place % len(colours)])
        for place, name in enumerate(names)
    )
    return plot(Chart("Penalties", curves, include=(0.0,)), course, marks) if curves else ""


def time_shares(course: Course) -> str:
    """Draw what the time was spent on, stacked to the whole."""
    if not course.knows("time.compute"):
        return ""
    bottom, areas = np.zeros(len(course.images)), []
    for name, label, colour in SHARES:
        top = bottom + np.nan_to_num(np.maximum(course.curve(name), 0.0))
        areas.append(Area(label, course.images, bottom, top, colour, 0.75))
        bottom = top
    axis = Axis(0.0, 1.0)
    return Plot("Where the time goes", axis, course.images[-1], areas=areas, unit="share").html()


def logits(course: Course, marks: dict[str, list[Mark]]) -> str:
    """Draw how D's outputs are spread: medians, the middle half, and nine tenths."""
    areas, lines = [], []
    for name, label, colour in (
        ("real_logits", "real", "data"),
        ("fake_logits", "fake", "made"),
        ("held_out_logits", "unseen real", "third"),
    ):
        rows = [record.quantiles.get(name) or [np.nan] * 9 for record in course.records]
        quantiles = np.array([row if len(row) == 9 else [np.nan] * 9 for row in rows], float)
        if not np.isfinite(quantiles).any():
            continue
        held_out = name.startswith("held")
        lines.append(Line(label, course.images, quantiles[:, 4], colour, dashed=held_out))
        if not held_out:
            for low, high, strength in ((1, 7, 0.14), (3, 5, 0.28)):
                areas.append(
                    Area("", course.images, quantiles[:, low], quantiles[:, high], colour, strength)
                )
    if not lines:
        return ""
    edges = [edge for area in areas for edge in (area.low, area.high)]
    found = [mark for name in ("", "real_logits", "fake_logits") for mark in marks.get(name, ())]
    return Plot(
        "",
        linear([*edges, *(line.values for line in lines)]),
        course.images[-1],
        lines,
        areas,
        distinct(found),
        note="lines: medians; dark: the middle half of all outputs; light: nine tenths of them",
        size="tall",
    ).html()


def distinct(marks: Iterable[Mark]) -> list[Mark]:
    """Keep one of equal marks: a finding may speak of two curves of a chart."""
    return list(dict.fromkeys(marks))
