"""A turned square of an image becomes an upright one of any size, without aliasing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from facesmith.data.photos.opencv import opencv
from facesmith.data.photos.resizing import REDUCING_GAP

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 4
"""Pixels around the square that interpolation reads."""


def warp(
    image: Image.Image, matrix: NDArray[np.float64], resolution: int, *, nearest: bool = False
) -> Image.Image:
    """Cut a square out of an image; what lies outside is what a mirror at the edge would show.

    Where the square has several pixels for each of the result, it is averaged by a whole factor first,
    then turned at the size that it has, which needs no filter, and then brought to the resolution by
    Lanczos, which is one.

    Args:
        image: Of mode RGB or L.
        matrix: Array (2, 3); takes a place in the result, counted in pixels from its upper left
            corner, to a place in the image.
        resolution: Side of the result in pixels.
        nearest: Take the nearest pixel, for pixel art.

    Returns:
        The square.
    """
    cv2 = opencv()
    corners = matrix @ [[0, resolution, 0, resolution], [0, 0, resolution, resolution], [1] * 4]
    low = np.clip(np.floor(corners.min(1)) - REACH, 0, np.array(image.size) - 1).astype(int)
    high = np.clip(np.ceil(corners.max(1)) + REACH, low + 1, image.size).astype(int)
    region = image.crop((*low.tolist(), *high.tolist()))
    matrix = matrix - np.column_stack([np.zeros((2, 2)), low])

    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    factor = 1 if nearest else max(1, int(scale / REDUCING_GAP))
    region, matrix = region.reduce(factor), matrix / factor
    side = resolution if nearest else max(resolution, math.ceil(scale / factor * resolution))
    turn = matrix[:, :2] * (resolution / side)
    # OpenCV counts from the middle of the first pixel.
    middles = matrix[:, 2] + (turn.sum(1) - 1) / 2
    square = cv2.warpAffine(
        np.asarray(region),
        np.column_stack([turn, middles]),
        (side, side),
        flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC),
        borderMode=cv2.BORDER_REFLECT,
    )
    return Image.fromarray(square).resize((resolution, resolution), Image.Resampling.LANCZOS)
