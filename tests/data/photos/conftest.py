"""Scenes of drawn people, whose eyes are where their attributes say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facesmith.data.portraits import portraits
from facesmith.data.portraits.anatomy import eye_place
from facesmith.data.portraits.canvas import PIVOT, Sitters

UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how a camera that was held so stores an upright picture."""
SITTERS = (12, 14, 15, 17)
"""Drawn people whom the Haar cascades find with their eyes."""
DARK_GLASSES = 11
"""One of whom they find the face alone."""


class Placed(NamedTuple):
    """Where a portrait stands in a scene."""

    sitter: int
    x: float
    y: float
    side: float
    turn: float = 0.0
    """Degrees clockwise."""


class Scene(NamedTuple):
    """A picture, and the left and right eye of each person in it, (N, 2, 2)."""

    image: Image.Image
    eyes: NDArray[np.float64]


Paint = Callable[..., Scene]


def eyes_of(sitter: int, side: float) -> NDArray[np.float64]:
    """Say where the eyes of an unturned portrait are, from its upper left corner."""
    _, attributes = portraits([sitter], 16)
    one = Sitters({k: v.astype(np.float32).reshape(-1, 1, 1) for k, v in attributes.items()})
    roll, scale = float(attributes["roll"][0]), float(attributes["scale"][0])
    shift = np.array([attributes["shift_x"][0], attributes["shift_y"][0]])
    places = np.array([[float(v.item()) for v in eye_place(one, s)] for s in (-1, 1)])
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    pivot = np.array([0, float(PIVOT)])
    rolled = (places - pivot) @ turn.T + pivot
    return np.asarray((rolled * scale + shift + 1) / 2 * side)


@pytest.fixture(scope="session")
def paint() -> Paint:
    """Paint portraits onto a plain background."""

    def make(width: int, height: int, people: Sequence[Placed]) -> Scene:
        canvas = Image.new("RGB", (width, height), (104, 118, 130))
        eyes = []
        for sitter, x, y, side, degrees in people:
            [pixels], _ = portraits([sitter], 256)
            large = Image.fromarray(pixels).resize(
                (round(side), round(side)), Image.Resampling.LANCZOS
            )
            # Pillow turns the other way.
            turned = large.convert("RGBA").rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
            left, top = round(x - turned.width / 2), round(y - turned.height / 2)
            canvas.paste(turned, (left, top), turned)
            angle = np.radians(degrees)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            middle = np.array([left + turned.width / 2, top + turned.height / 2])
            eyes.append((eyes_of(sitter, side) - side / 2) @ turn.T + middle)
        return Scene(canvas, np.array(eyes).reshape(-1, 2, 2))

    return make


@pytest.fixture(scope="session")
def as_held() -> Callable[[Image.Image, int], Image.Image]:
    """Lay an upright picture as a camera would that was held in one of the eight ways."""
    return lambda upright, held: upright.transpose(UNDO[held]) if held > 1 else upright
