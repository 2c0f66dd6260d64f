"""Where the square lies that is cut out for a face: level eyes, at the same place in every image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from facesmith.data.photos.detection import Face

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

Preset = Literal["ffhq", "celeba"]

BOX_EYES_APART = 0.38
BOX_EYES_DOWN = 0.385
"""Where eyes lie in a box of the Haar cascade, over its width, if they must be guessed."""
EYES_TO_MOUTH = 1.03
"""From the eyes down to the mouth over the distance of the eyes, of a head seen from the front."""
CELEBA_SIDE = 178 / 39
CELEBA_DOWN = -2.5 / 39
"""In the middle square of CelebA's aligned 178x218 the eyes are 39 pixels apart, and its middle, at 89,
lies above their line, at 91.5; both over their distance."""
TINY = 1e-9
"""Landmarks may coincide where there is no face; that is no reason to divide by zero."""
GRID = 64
"""Points along a side by which it is told how much of a square lies outside."""


@dataclass(frozen=True)
class Square:
    """A square of a photo, which may be turned and may reach beyond the photo's edges."""

    x: float
    """Its middle, in pixels from the photo's left,"""
    y: float
    """and from its top."""
    side: float
    """In pixels."""
    roll: float = 0.0
    """Degrees by which its upper edge falls to the right."""

    def matrix(self, resolution: int) -> Vector:
        """Give the map from an image of the square to the photo.

        Args:
            resolution: Pixels along the image's side.

        Returns:
            Array (2, 3): `matrix @ (x, y, 1)` is the place in the photo of a place in the image,
            both counted from the upper left corner.
        """
        angle, scale = math.radians(self.roll), self.side / resolution
        turn = scale * np.array(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        )
        shift = np.array([self.x, self.y]) - turn @ np.full(2, resolution / 2)
        return np.column_stack([turn, shift])

    def beyond(self, width: int, height: int, resolution: int) -> Vector:
        """Measure how far beyond the photo's edge each pixel of an image of the square lies.

        Args:
            width: Of the photo in pixels.
            height: Of the photo in pixels.
            resolution: Pixels along the image's side.

        Returns:
            Array (resolution, resolution), as shares of the square's side; 0 inside the photo.
        """
        middles = np.arange(resolution) + 0.5
        grid = np.stack(np.meshgrid(middles, middles, [1.0]), axis=-1).squeeze(2)
        x, y = np.moveaxis(grid @ self.matrix(resolution).T, -1, 0)
        far = np.maximum(np.maximum(-x, x - width), np.maximum(-y, y - height))
        share: Vector = np.maximum(far, 0) / self.side
        return share

    def outside(self, width: int, height: int) -> float:
        """Tell how much of it the photo does not hold.

        Args:
            width: Of the photo in pixels.
            height: Of the photo in pixels.

        Returns:
            Share of the square's area, 0 to 1, to about a hundredth.
        """
        return float((self.beyond(width, height, GRID) > 0).mean())


def place(face: Face, preset: Preset, margin: float = 1.0) -> Square:
    """Place the square around a face.

    `ffhq` is the square of CelebA-HQ and FFHQ (Karras et al., 1710.10196, appendix C): as high as four
    times the eyes' distance, or 3.6 times the way down to the mouth, whichever is more, turned with both.
    `celeba` is the middle square of CelebA's aligned photos (Liu et al., ICCV 2015), turned with the
    eyes. A head that turns away brings its eyes together and seems to hold its mouth lower; the mean of
    both is the scale that CelebA has at any yaw up to 40 degrees.

    Args:
        face: What was found; where it has no eyes they are guessed from its box.
        preset: `ffhq` or `celeba`.
        margin: Its side over the preset's; more than 1 shows more.

    Returns:
        The square.
    """
    left, right = map(np.array, face.eyes or _guessed_eyes(face))
    across = right - left
    middle, down = (left + right) / 2, _quarter_turn(across)
    to_mouth = down * EYES_TO_MOUTH
    if face.mouth is not None:
        to_mouth = np.mean(face.mouth, axis=0) - middle
    if preset == "celeba":
        apart = np.hypot(*across)
        size = (apart + np.hypot(*to_mouth) / EYES_TO_MOUTH) / 2 / max(apart, TINY)
        return _square(middle + size * CELEBA_DOWN * down, size * CELEBA_SIDE * across, margin)
    # Rightwards by the eyes, and by what lies at a right angle to the way down to the mouth.
    direction = across - _quarter_turn(to_mouth)
    half = max(2.0 * np.hypot(*across), 1.8 * np.hypot(*to_mouth))
    edge = direction * (2 * half / max(np.hypot(*direction), TINY))
    return _square(middle + 0.1 * to_mouth, edge, margin)


def _guessed_eyes(face: Face) -> tuple[tuple[float, float], tuple[float, float]]:
    left, top, right, _ = face.box
    width, middle = right - left, (left + right) / 2
    half, down = BOX_EYES_APART / 2 * width, top + BOX_EYES_DOWN * width
    return (middle - half, down), (middle + half, down)


def _quarter_turn(vector: Vector) -> Vector:
    """Turn clockwise, as it looks where y counts down: right becomes down."""
    return np.array([-vector[1], vector[0]])


def _square(middle: Vector, edge: Vector, margin: float) -> Square:
    """Build a square from its middle and its upper edge from left to right."""
    roll = math.degrees(math.atan2(edge[1], edge[0]))
    side = max(1.0, float(np.hypot(*edge)) * margin)
    return Square(float(middle[0]), float(middle[1]), side, roll)
