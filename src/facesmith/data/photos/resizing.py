"""A part of an image becomes a training image: Pillow's Lanczos filter, as matrix products.

Pillow's own resize has no vector instructions; products with short bands of the filter's matrix give the
same pixels up to rounding in less than half of the time, which is most of what preparing takes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from facesmith.data.photos.colours import flatten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Band = tuple[slice, slice, Floats]

REDUCING_GAP = 3.0
"""Large images may be averaged cheaply as long as the good filter still shrinks this much."""
LOBES = 3
"""Of the Lanczos filter, on each side."""
ROWS = 8
"""Results of one band: more would multiply more zeros, fewer would not fill the vector units."""
MOST = 6
"""Times that products shrink; beyond, Pillow's cheap average is faster."""


def resize(
    image: Image.Image,
    box: tuple[float, float, float, float],
    resolution: int,
    channels: int,
    *,
    nearest: bool,
) -> NDArray[np.uint8]:
    """Cut a box out of an image and bring it to the size of training.

    Args:
        image: In any mode.
        box: Left, top, right, bottom in pixels; fractions of pixels count.
        resolution: Side of the result.
        channels: 3 for colour, 1 for grey.
        nearest: Whether each pixel is one of the image, as pixel art needs it.

    Returns:
        Array (resolution, resolution, channels).
    """
    plain = flatten(image, channels)
    left, top, right, bottom = box
    shape = (resolution, resolution, channels)
    if nearest or max(right - left, bottom - top) > MOST * resolution:
        filter_ = Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
        square = plain.resize(shape[:2], filter_, box=box, reducing_gap=REDUCING_GAP)
        return np.array(square, np.uint8).reshape(shape)
    pixels = np.asarray(plain).reshape(plain.height, plain.width, channels)
    rows, down = bands(plain.height, top, bottom, resolution)
    columns, across = bands(plain.width, left, right, resolution)
    part = pixels[rows, columns].astype(np.float32)
    height, width = part.shape[:2]
    short = _product(down, part.reshape(height, -1), resolution)
    turned = short.reshape(resolution, width, channels).transpose(1, 0, 2)
    small = _product(across, turned.reshape(width, -1), resolution)
    whole = np.rint(small, out=small).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(whole.reshape(shape).transpose(1, 0, 2))


@lru_cache(maxsize=64)
def bands(size: int, low: float, high: float, count: int) -> tuple[slice, tuple[Band, ...]]:
    """Give the filter along one axis, as Pillow defines it.

    Args:
        size: Pixels of the image along the axis.
        low: Where the box begins.
        high: Where it ends.
        count: Pixels of the result.

    Returns:
        Which pixels of the image count at all; and, for some results each, which these are, on which of
        those pixels they depend, and the matrix (results, pixels) between them.
    """
    scale = (high - low) / count
    # A filter that enlarges looks as far as the image's own pixels; one that shrinks, farther.
    reach = LOBES * max(scale, 1)
    middles = low + (np.arange(count) + 0.5) * scale
    first = np.maximum(0, (middles - reach + 0.5).astype(int))
    last = np.minimum(size, (middles + reach + 0.5).astype(int))
    everything = slice(int(first.min()), int(last.max()))
    places = np.arange(everything.start, everything.stop)
    away = (places - middles[:, None] + 0.5) / max(scale, 1)
    inside = (places >= first[:, None]) & (places < last[:, None])
    matrix = np.where(inside, np.sinc(away) * np.sinc(away / LOBES), 0)
    matrix /= matrix.sum(1, keepdims=True)
    found = []
    for start in range(0, count, ROWS):
        results = slice(start, min(start + ROWS, count))
        used = np.flatnonzero(inside[results].any(0))
        span = slice(int(used[0]), int(used[-1]) + 1)
        found.append((results, span, np.ascontiguousarray(matrix[results, span], np.float32)))
    return everything, tuple(found)


def _product(filter_: tuple[Band, ...], values: Floats, count: int) -> Floats:
    result = np.empty((count, values.shape[1]), np.float32)
    for results, span, matrix in filter_:
        np.matmul(matrix, values[span], out=result[results])
    return result
