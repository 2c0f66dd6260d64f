"""Images as sums of cosines: what each frequency holds, and resizing that keeps frequencies apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


def cosines(places: Floats, frequencies: int, pixels: int) -> Floats:
    """Give the cosines of the orthonormal discrete cosine transform, type II, at any places.

    Args:
        places: Array (...) of places between -0.5 and pixels - 0.5; beyond them images are mirrored.
        frequencies: How many cosines, the lowest first.
        pixels: Length of what is transformed.

    Returns:
        Array (..., frequencies).
    """
    angles: Floats = np.float32(np.pi / pixels) * (places[..., None] + np.float32(0.5))
    values = np.cos(angles * np.arange(frequencies, dtype=np.float32))
    values *= np.float32(np.sqrt(2 / pixels))
    values[..., 0] = np.float32(np.sqrt(1 / pixels))
    return values


def transform(pixels: int, frequencies: int) -> Floats:
    """Give the matrix that finds the lowest frequencies.

    Args:
        pixels: What it is applied to.
        frequencies: How many it gives, at most as many as pixels.

    Returns:
        Array (frequencies, pixels).
    """
    return cosines(np.arange(pixels, dtype=np.float32), frequencies, pixels).T


def resampling(pixels: int, wanted: int) -> Floats:
    """Give the matrix that resizes and keeps the frequencies that both sizes can hold.

    Unlike an average over areas it lets nothing fold into lower frequencies, and makes none up.

    Args:
        pixels: Of the side as it is.
        wanted: Of the side as it shall be.

    Returns:
        Array (wanted, pixels).
    """
    shared = min(pixels, wanted)
    gain = np.float32(np.sqrt(wanted / pixels))
    resized: Floats = transform(wanted, shared).T @ transform(pixels, shared) * gain
    return resized
