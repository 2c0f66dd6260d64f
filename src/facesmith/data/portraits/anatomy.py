"""Where the parts of a portrait's face lie, in the head's coordinates, and the head's outline.

Every part has a depth in front of the neck's axis, by which yaw moves it.
"""

from __future__ import annotations

import numpy as np

from facesmith.data.portraits.canvas import Array, Patch, Sitters

HEAD_HEIGHT = 0.60
"""From the head's origin down to the chin."""

CROWN_HEIGHT = 0.56
"""From the head's origin up to the top of the skull."""

NOSE_DEPTH = 0.15
EYE_DEPTH = 0.095
MOUTH_DEPTH = 0.105


def head_width(sitters: Sitters) -> Array:
    """Return half the width of the head at the height of its middle."""
    return 0.43 + 0.065 * sitters["head_width"]


def eye_place(sitters: Sitters, side: float) -> tuple[Array, Array]:
    """Return where the middle of the left (side -1) or the right (side 1) eye lies."""
    apart = head_width(sitters) * (0.435 + 0.035 * sitters["eye_spacing"])
    return side * apart + sitters.turned(EYE_DEPTH), np.zeros_like(apart) + np.float32(0.02)


def eye_half_width(sitters: Sitters, side: float) -> Array:
    """Return half the width of an eye, less on the side that the yaw turns away."""
    turned_away = np.maximum(side * sitters["yaw"], 0)
    width: Array = (0.098 + 0.026 * sitters["eye_size"]) * (1 - 0.16 * turned_away)
    return width


def nose_tip(sitters: Sitters) -> tuple[Array, Array]:
    """Return where the tip of the nose lies."""
    return sitters.turned(NOSE_DEPTH), 0.175 + 0.06 * sitters["nose_length"]


def mouth_place(sitters: Sitters) -> tuple[Array, Array]:
    """Return where the middle of the mouth lies."""
    x = sitters.turned(MOUTH_DEPTH)
    return x, np.zeros_like(x) + np.float32(0.365)


def egg(patch: Patch) -> tuple[Array, Array, Array]:
    """Return the head's coordinates, within -1..1, and the signed distance to its outline."""
    sitters = patch.sitters
    width, jaw = head_width(sitters), sitters["jaw"]
    height = np.where(patch.y < 0, np.float32(CROWN_HEIGHT), np.float32(HEAD_HEIGHT))
    down = patch.y / height
    below = np.clip(down, 0, 1)
    narrow = 1 - (0.27 - 0.15 * jaw) * below * below * (3 - 2 * below)
    across = (patch.x - sitters.turned(0.055) * below) / (width * narrow)
    # A squircle (Fernandez-Guasti): u^2 + v^2 - s u^2 v^2 = 1, squarer for larger s.
    square_x, square_y = across * across, down * down
    square = 0.30 + 0.30 * jaw
    inner = np.minimum(square_x, 1) * np.minimum(square_y, 1)
    radius = np.sqrt(np.maximum(square_x + square_y - square * inner, 0))
    slope = np.sqrt(square_x / (width * width) + square_y / (height * height))
    distance = radius * (radius - 1) / np.maximum(slope, np.float32(1e-3))
    return across, down, distance
