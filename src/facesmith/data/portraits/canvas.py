"""The canvas of the portrait painter: placed patches, soft shapes, and three ways to lay colour.

Lengths are in units of half the picture's side, x to the right and y down. Only operations that
IEEE 754 defines exactly (+, -, *, /, sqrt, min, max) touch pixels, so that a portrait is the same
to the bit whatever batch it is painted in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# All are float32, but the type checker takes float32 times a Python number for float64.
Array = NDArray[np.floating[Any]]
Rows = NDArray[np.intp]
Window = tuple[Rows, slice, slice]


@dataclass(frozen=True)
class Sitters:
    """The people to be painted: each value of each is an array of shape (n, 1, 1)."""

    values: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def take(self, rows: Rows) -> Sitters:
        """Return the sitters at the given rows."""
        return Sitters({name: value[rows] for name, value in self.values.items()})

    def where(self, name: str, *codes: int) -> Rows:
        """Return the rows of the sitters whose categorical value is one of the codes."""
        return np.flatnonzero(np.isin(self.values[name].ravel(), codes))

    def turned(self, depth: float) -> Array:
        """Return how far the yaw carries a point that lies `depth` in front of the neck's axis."""
        return self["yaw"] * np.float32(depth)


@dataclass
class Patch:
    """A window of some portraits, with the sitter's own coordinates at each of its pixels.

    Args:
        sitters: the n people in this patch.
        x: positions to the right of the head's centre, shape (n, h, w).
        y: positions below the head's centre, shape (n, h, w).
        pixel: the width of a pixel in the units of x and y, shape (n, 1, 1).
        colours: RGB planes in 0..1, shape (n, 3, h, w); painting changes them.
        window: where the patch lies: its rows among all portraits, its lines, its columns.
    """

    sitters: Sitters
    x: Array
    y: Array
    pixel: Array
    colours: Array
    window: Window

    def cover(self, distance: Array) -> Array:
        """Return each pixel's coverage 0..1 by the shape with this signed distance."""
        return np.clip(0.5 - distance / self.pixel, 0, 1)

    def stroke(self, distance: Array, half_width: Array | float) -> Array:
        """Return each pixel's coverage 0..1 by a band about the line of zero distance."""
        # The difference of two half-planes stays right when the band is thinner than a pixel.
        outer = np.clip(0.5 + (half_width - distance) / self.pixel, 0, 1)
        return np.maximum(outer - np.clip(0.5 - (half_width + distance) / self.pixel, 0, 1), 0)

    def lay(self, coverage: Array, colour: Array) -> None:
        """Lay an opaque colour, shape (n or 1, 3, 1 or h, 1 or w), where coverage is 1."""
        self.colours += coverage[:, None] * (colour - self.colours)

    def shade(self, coverage: Array, colour: Array) -> None:
        """Multiply by a colour, as a transparent shadow does, where coverage is 1."""
        self.colours *= 1 - coverage[:, None] * (1 - colour)

    def glow(self, coverage: Array, colour: Array) -> None:
        """Add light of a colour, never beyond white, where coverage is 1."""
        self.colours += (coverage[:, None] * colour) * (1 - self.colours)


class Canvas:
    """Portraits under way: their sitters and RGB planes.

    Args:
        sitters: the N people.
        resolution: the side of each picture in pixels.
    """

    def __init__(self, sitters: Sitters, resolution: int) -> None:
        self.sitters = sitters
        self.resolution = resolution
        self.colours: Array = np.zeros((len(sitters), 3, resolution, resolution), np.float32)
        half_roll = sitters["roll"] / 2
        self._cosine = (1 - half_roll * half_roll) / (1 + half_roll * half_roll)
        self._sine = 2 * half_roll / (1 + half_roll * half_roll)
        self._everyone: Rows = np.arange(len(sitters))

    def frame_middles(self) -> Array:
        """Return the pixels' middles along a side, between -1 and 1, shape (resolution,)."""
        return (2 * np.arange(self.resolution, dtype=np.float32) + 1) / self.resolution - 1

    def upright(self, top: float = -9.0) -> Patch:
        """Return the picture below a height, in coordinates that do not roll with the head."""
        height = top * self.sitters["scale"] + self.sitters["shift_y"]
        lines = self._pixels(np.concatenate([height, np.full_like(height, 9)]))
        window = self._everyone, lines, slice(0, self.resolution)
        x, y = self._placed(self.sitters, window)
        return self._patch(self.sitters, x, y, window)

    def head(
        self,
        left: Array | float = -9.0,
        right: Array | float = 9.0,
        top: Array | float = -9.0,
        bottom: Array | float = 9.0,
        rows: Rows | None = None,
    ) -> Patch:
        """Return the window, in the rolled head's coordinates, that contains a box.

        Args:
            left: the box's left side, a number or one for each of the rows, shape (n, 1, 1).
            right: its right side.
            top: its upper side.
            bottom: its lower side.
            rows: the portraits wanted; all when None.

        Returns:
            A patch large enough for that box in every one of these portraits.
        """
        if rows is None:
            rows, sitters, cosine, sine = self._everyone, self.sitters, self._cosine, self._sine
        else:
            sitters = self.sitters.take(rows)
            cosine, sine = self._cosine[rows], self._sine[rows]
        corners_x, corners_y = [], []
        for corner_x in (left, right):
            for corner_y in (top, bottom):
                below = corner_y - PIVOT
                frame_x = cosine * corner_x - sine * below
                frame_y = sine * corner_x + cosine * below + PIVOT
                corners_x.append(frame_x * sitters["scale"] + sitters["shift_x"])
                corners_y.append(frame_y * sitters["scale"] + sitters["shift_y"])
        window = rows, self._pixels(np.stack(corners_y)), self._pixels(np.stack(corners_x))
        x, y = self._placed(sitters, window)
        y = y - PIVOT
        return self._patch(sitters, cosine * x + sine * y, cosine * y - sine * x + PIVOT, window)

    def put(self, patch: Patch) -> None:
        """Bring a painted patch back into the pictures."""
        rows, lines, columns = patch.window
        if len(rows) == len(self.sitters):
            self.colours[:, :, lines, columns] = patch.colours
        else:
            self.colours[rows, :, lines, columns] = patch.colours

    def _placed(self, sitters: Sitters, window: Window) -> tuple[Array, Array]:
        _, lines, columns = window
        middles = self.frame_middles()
        x = (middles[None, None, columns] - sitters["shift_x"]) / sitters["scale"]
        y = (middles[None, lines, None] - sitters["shift_y"]) / sitters["scale"]
        return x, y

    def _patch(self, sitters: Sitters, x: Array, y: Array, window: Window) -> Patch:
        pixel = np.float32(2 / self.resolution) / sitters["scale"]
        rows, lines, columns = window
        if len(rows) == len(self.sitters):
            colours = self.colours[:, :, lines, columns].copy()
        else:
            colours = self.colours[rows, :, lines, columns]
        return Patch(sitters, x, y, pixel, colours, window)

    def _pixels(self, corners: Array) -> slice:
        # Two pixels of margin: coverage reaches half a pixel beyond a shape's edge.
        first = int(np.floor((corners.min() + 1) / 2 * self.resolution)) - 2
        last = int(np.ceil((corners.max() + 1) / 2 * self.resolution)) + 2
        start = min(max(first, 0), self.resolution - 1)
        return slice(start, max(min(last, self.resolution), start + 1))


PIVOT = np.float32(0.5)
"""The head rolls about this height, where it meets the neck."""


def rgb(code: str) -> Array:
    """Return the colour of a six-digit hexadecimal code, shape (1, 3, 1, 1), in 0..1."""
    parts = [int(code[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    return np.array(parts, np.float32).reshape(1, 3, 1, 1)


def pick(palette: Array, code: Array) -> Array:
    """Return the palette's colour for each code.

    Args:
        palette: colours of shape (count, 3, 1, 1).
        code: the number of a colour for each sitter, shape (n, 1, 1); between two whole
            numbers, the mixture of the neighbours.

    Returns:
        Colours of shape (n, 3, 1, 1).
    """
    lower = np.minimum(code.ravel().astype(np.intp), max(len(palette) - 2, 0))
    share = (code.ravel() - lower.astype(np.float32)).reshape(-1, 1, 1, 1)
    colours: Array = palette[lower] * (1 - share) + palette[lower + 1] * share
    return colours


def blend(first: Array, second: Array, share: Array | float) -> Array:
    """Return first where share is 0 and second where it is 1."""
    return first + (second - first) * share


def plane(value: Array) -> Array:
    """Return per-sitter or per-pixel values, shape (n, h, w), ready to meet colour planes."""
    return value[:, None]


def fade(value: Array, start: Array | float, end: Array | float) -> Array:
    """Return the smooth step from 0 at start to 1 at end (which may lie below start)."""
    share = np.clip((value - start) / (end - start), 0, 1)
    step: Array = share * share * (3 - 2 * share)
    return step


def ellipse(x: Array, y: Array, width: Array | float, height: Array | float) -> Array:
    """Return the approximate signed distance to an ellipse about the origin."""
    across, down = x / width, y / height
    radius = np.sqrt(across * across + down * down)
    across /= width
    down /= height
    slope = np.sqrt(across * across + down * down)
    distance: Array = radius * (radius - 1) / np.maximum(slope, np.float32(1e-3))
    return distance


def arch(x: Array, y: Array, width: Array | float, height: Array | float) -> Array:
    """Return the signed distance to half an ellipse above the origin, endless below it."""
    return ellipse(x, np.minimum(y, 0), width, height)


def curve(x: Array, y: Array, height: Array | float, bend: Array | float) -> Array:
    """Return the signed distance below (positive) the parabola y = height + bend x^2."""
    slope = 2 * bend * x
    return (y - height - bend * x * x) / np.sqrt(1 + slope * slope)


def box(x: Array, y: Array, width: Array | float, height: Array | float, corner: float) -> Array:
    """Return the signed distance to a rectangle with rounded corners about the origin."""
    across = np.abs(x) - (width - corner)
    down = np.abs(y) - (height - corner)
    outside_x, outside_y = np.maximum(across, 0), np.maximum(down, 0)
    outside = np.sqrt(outside_x * outside_x + outside_y * outside_y)
    distance: Array = outside + np.minimum(np.maximum(across, down), 0) - corner
    return distance


def both(first: Array, second: Array, soft: float) -> Array:
    """Return the distance to what lies in both shapes, its corners rounded."""
    near = np.maximum(soft - np.abs(first - second), 0)
    return np.maximum(first, second) + near * near / (4 * soft)


def either(first: Array, second: Array, soft: float) -> Array:
    """Return the distance to what lies in either shape, the joint rounded."""
    return -both(-first, -second, soft)


def ripple(value: Array) -> Array:
    """Return a smooth wave of period 1 between -1 and 1 (parabolas in place of a sine)."""
    phase = value - np.floor(value)
    twice = 2 * phase - 1
    wave: Array = 4 * twice * (np.abs(twice) - 1)
    return wave


def hump(x: Array, y: Array, width: Array | float, height: Array | float) -> Array:
    """Return a soft spot: 1 at the origin and 0 from the ellipse outwards."""
    across, down = x / width, y / height
    inside = np.maximum(1 - across * across - down * down, 0)
    spot: Array = inside * inside
    return spot
