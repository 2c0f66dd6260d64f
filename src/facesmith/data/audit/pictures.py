"""Which images a page shows: at random, the worst of each flaw, copies, outliers, each tone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.randomness import permutation
from facesmith.data.audit import background, pose, skin
from facesmith.data.audit.collection import Collection
from facesmith.data.audit.contents import Picture, Sheet
from facesmith.data.audit.measuring import Measured, reduced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Groups = list[NDArray[np.int64]]

SIDE = 64
"""Pixels of a picture on the page, or up to twice as many."""
RANDOM = 24
OUTLIERS = 24
EACH = 8
"""Of each flaw, tone and background."""
GROUPS = 8
MEMBERS = 4
WORST = {
    "darkest": ("brightness", 1),
    "brightest": ("brightness", -1),
    "least contrast": ("contrast", 1),
    "least detail": ("detail", 1),
    "least colour": ("colour", 1),
    "most clipped": ("clipped", -1),
}
"""Measure, and whether the low (1) or the high (-1) end of it is shown."""


def preview(count: int, rows: Rows) -> Rows:
    """Choose images at random, always the same.

    Args:
        count: Images to choose from.
        rows: Array (count,).

    Returns:
        Some of the rows.
    """
    return rows[permutation(0, "audit/preview", count)[:RANDOM]]


def choose(
    images: Collection,
    rows: Rows,
    measured: Measured,
    apart: NDArray[np.float32],
    alike: Groups,
    leaked: Rows,
) -> dict[str, tuple[Sheet, ...]]:
    """Choose what each section of a page shows.

    Args:
        images: All.
        rows: Of those that were measured.
        measured: What was measured on them.
        apart: Their distances from the others.
        alike: Groups of rows that look alike.
        leaked: Pairs of a held-out and a training row that look alike.

    Returns:
        For each section its sheets.
    """
    degrees = skin.angles(measured.skin)
    angles = _degrees(degrees)
    far = np.argsort(-apart, kind="stable")[:OUTLIERS]
    yaw = np.asarray(images.facts.get("yaw", ()), np.float64)
    every = np.arange(len(yaw))
    turns = _degrees(yaw)
    sheets = {
        "pixels": [
            _sheet(images, "at random", preview(len(rows), rows)),
            _average(measured),
        ],
        "state": [_worst(images, rows, measured, title) for title in WORST],
        "copies": [_sheet(images, f"{len(g):,} alike", g[:MEMBERS]) for g in alike[:GROUPS]],
        "leaked": [_pair(images, held, train) for held, train in leaked[:GROUPS].tolist()],
        "outliers": [
            _sheet(images, "farthest first", rows[far], [f"{d:.2f}" for d in apart[far].tolist()])
        ],
        "skin": _classes(images, rows, skin.tones(degrees), skin.TONES, angles),
        "background": _classes(images, rows, measured.kinds, background.KINDS, [""] * len(rows)),
        "pose": _classes(images, every, pose.turns(yaw), pose.TURNS, turns),
    }
    return {name: tuple(s for s in found if s.pictures) for name, found in sheets.items()}


def _degrees(angles: NDArray[np.float64]) -> list[str]:
    return [f"{round(angle)}°" if np.isfinite(angle) else "" for angle in angles.tolist()]


def _sheet(images: Collection, title: str, rows: Rows, notes: Sequence[str] = ()) -> Sheet:
    pixels = reduced(images.read(rows), SIDE)
    named = zip(pixels, rows.tolist(), notes or [""] * len(rows), strict=True)
    return Sheet(title, tuple(Picture(image, images.name(row), note) for image, row, note in named))


def _worst(images: Collection, rows: Rows, measured: Measured, title: str) -> Sheet:
    name, sign = WORST[title]
    values = measured.measures[name]
    places = np.argsort(sign * values, kind="stable")[:EACH]
    return _sheet(images, title, rows[places], [f"{v:.2f}" for v in values[places].tolist()])


def _classes(
    images: Collection, rows: Rows, classes: Rows, names: Sequence[str], notes: Sequence[str]
) -> list[Sheet]:
    """Show a few images of each class, spread evenly over all of it."""
    sheets = []
    for number, name in enumerate(names):
        members = np.flatnonzero(classes == number)
        kept = min(len(members), EACH)
        places = members[(np.arange(kept) * len(members) + len(members) // 2) // max(kept, 1)]
        sheets.append(_sheet(images, name, rows[places], [notes[at] for at in places]))
    return sheets


def _average(measured: Measured) -> Sheet:
    strongest = max(float(measured.deviation.max()), 1e-6)
    mean = np.rint(measured.mean)
    spread = np.rint(measured.deviation * (255 / strongest))
    both = reduced(np.stack([mean, spread]).astype(np.uint8), SIDE)
    return Sheet(
        "all of them at once",
        (
            Picture(both[0], "the mean of all images", "mean"),
            Picture(both[1], "how much each pixel varies, bright is much", "variation"),
        ),
    )


def _pair(images: Collection, held_out: int, train: int) -> Sheet:
    pixels = reduced(images.held_out(np.array([held_out])), SIDE)
    copy = _sheet(images, "", np.array([train]), ["trains"]).pictures[0]
    return Sheet("", (Picture(pixels[0], f"held out, row {held_out}", "held out"), copy))
