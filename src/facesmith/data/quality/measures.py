"""How an image looks, in numbers that mean the same at any resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MEASURES = ("brightness", "contrast", "detail", "colour", "clipped")
"""Names of the numbers that `measure` gives.

- `brightness`: mean luma, 0 black to 1 white.
- `contrast`: standard deviation of luma, 0 flat to 0.5.
- `detail`: what halving the image loses, over what halving the half loses. In photos each octave
  holds a little less than the one below, whatever they show: 0.6 to 0.9. Blur takes the finest
  octave first: below 0.45 it is visible, and about 0.3 is left of any smooth picture. Contrast and
  content cancel out, which a share of the whole contrast cannot claim.
- `colour`: mean chroma, which is the largest minus the smallest of red, green and blue, 0 to 1.
- `clipped`: share of pixels that are entirely black or white.
"""
LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue; ITU-R BT.601."""


def measure(images: NDArray[np.uint8]) -> dict[str, Floats]:
    """Measure images as the network will see them.

    Args:
        images: Array (N, H, W, C), C of 1 or 3, sides of 4 pixels or more.

    Returns:
        An array (N,) for each name of `MEASURES`.
    """
    grey = luma(images)
    return {
        "brightness": grey.mean((1, 2)) / np.float32(255),
        "contrast": grey.std((1, 2)) / np.float32(255),
        "detail": _detail(grey),
        "colour": _chroma(images),
        "clipped": ((grey < 0.5) | (grey > 254.5)).mean((1, 2), dtype=np.float32),
    }


def luma(images: NDArray[np.uint8]) -> Floats:
    """Give the brightness of each pixel.

    Args:
        images: Array (N, H, W, C), C of 1 or 3.

    Returns:
        Array (N, H, W) from 0 to 255.
    """
    values = images.astype(np.float32)
    if images.shape[3] == 1:
        return values[..., 0]
    return values @ np.array(LUMA, np.float32)


def halve(grey: Floats) -> Floats:
    """Average squares of two by two pixels.

    Args:
        grey: Array (N, H, W); an odd row or column at the end is left out.

    Returns:
        Array (N, H // 2, W // 2).
    """
    height, width = grey.shape[1] // 2 * 2, grey.shape[2] // 2 * 2
    rows = grey[:, 0:height:2, :width] + grey[:, 1:height:2, :width]
    return (rows[:, :, 0::2] + rows[:, :, 1::2]) * np.float32(0.25)


def _detail(grey: Floats) -> Floats:
    half = halve(grey)
    fine, coarse = _lost(grey, half), _lost(half, halve(half))
    return np.divide(fine, coarse, out=np.zeros_like(fine), where=coarse > 0)


def _lost(grey: Floats, half: Floats) -> Floats:
    """Give the standard deviation of an image minus its half enlarged again."""
    wide = _doubled(_doubled(half, 2), 1)
    spread: Floats = (grey[:, : wide.shape[1], : wide.shape[2]] - wide).std((1, 2))
    return spread


def _doubled(values: Floats, axis: int) -> Floats:
    """Enlarge twofold along an axis by linear interpolation; edges repeat."""
    shape = list(values.shape)
    shape[axis] *= 2
    out = np.empty(shape, np.float32)
    near, far = values * np.float32(0.75), values * np.float32(0.25)
    before = (slice(None),) * axis
    # Slices of the array as it lies: a moved axis would cost four times as long.
    inner, last = (*before, slice(None, -1)), (*before, slice(-1, None))
    outer, first = (*before, slice(1, None)), (*before, slice(None, 1))
    left, right = out[(*before, slice(0, None, 2))], out[(*before, slice(1, None, 2))]
    np.add(near[outer], far[inner], out=left[outer])
    np.add(near[inner], far[outer], out=right[inner])
    left[first], right[last] = values[first], values[last]
    return out


def _chroma(images: NDArray[np.uint8]) -> Floats:
    if images.shape[3] == 1:
        return np.zeros(len(images), np.float32)
    red, green, blue = (images[..., channel] for channel in range(3))
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    chroma: Floats = (high - low).mean((1, 2), dtype=np.float32) / np.float32(255)
    return chroma
