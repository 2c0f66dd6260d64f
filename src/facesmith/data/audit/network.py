"""What the network will see of the pixels: the range of numbers, and whether the way back is exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.scaling import PixelMap, Rescale, Standardize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Range = tuple[float, float]

SCALINGS = {"rescale": Rescale(), "standardize": Standardize()}


def maps(mean: Sequence[float], std: Sequence[float]) -> dict[str, PixelMap]:
    """Fit every scaling that the images allow.

    Args:
        mean: Of each channel, in [0, 1].
        std: Of each channel.

    Returns:
        For the name of each scaling its map; a channel that does not vary cannot be standardised.
    """
    found = {}
    for name, scaling in SCALINGS.items():
        try:
            found[name] = scaling.fit(mean, std)
        except DataError:
            continue
    return found


def ranges(pixels: PixelMap) -> tuple[Range, ...]:
    """Give the numbers of the darkest and the brightest pixel of each channel.

    Args:
        pixels: How pixels become numbers.

    Returns:
        One range a channel.
    """
    lines = zip(pixels.gain, pixels.offset, strict=True)
    return tuple((offset, offset + gain) for gain, offset in lines)


def there_and_back(pixels: PixelMap, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn pixels into the network's numbers, in its precision, and back.

    Args:
        pixels: How pixels become numbers.
        images: Array (N, H, W, C).

    Returns:
        Pixels of the same shape, and the same unless numbers of this precision cannot tell them apart.
    """
    gain, offset = np.array([pixels.gain, pixels.offset], np.float32)
    seen = images.astype(np.float32) / np.float32(255) * gain + offset
    shown = np.rint((seen - offset) / gain * np.float32(255))
    back: NDArray[np.uint8] = np.clip(shown, 0, 255).astype(np.uint8)
    return back
