"""Mean and standard deviation of the channels of images, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.packing.files import HEADER_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_BYTES = 2**22
"""Read at once when a whole file is gone through."""


def channel_statistics(path: Path) -> tuple[list[float], list[float]]:
    """Measure the mean and the standard deviation of each channel, exactly.

    Args:
        path: A .npy file of uint8 images (N, H, W, C), N above 0.

    Returns:
        Means and deviations of pixel values in [0, 1].
    """
    channels = np.load(path, mmap_mode="r").shape[-1]
    histogram = np.zeros((channels, 256), dtype=np.int64)
    block = BLOCK_BYTES - BLOCK_BYTES % channels
    with path.open("rb") as file:
        file.seek(HEADER_BYTES)
        while data := file.read(block):
            histogram += channel_histogram(np.frombuffer(data, np.uint8).reshape(-1, channels))
    return moments(histogram)


def channel_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the values of each channel.

    Args:
        pixels: Array (..., C).

    Returns:
        Array (C, 256).
    """
    values = pixels.reshape(-1, pixels.shape[-1])
    counts = [np.bincount(values[:, channel], minlength=256) for channel in range(values.shape[1])]
    return np.stack(counts)


def moments(histogram: NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """Give the mean and the standard deviation of counted values.

    Args:
        histogram: Array (C, 256); no channel is empty.

    Returns:
        Means and deviations of values in [0, 1].
    """
    means, deviations = [], []
    for counts in histogram.tolist():
        # Python's integers: the same bits on any machine, at any number of pixels.
        total = sum(counts)
        first = sum(value * count for value, count in enumerate(counts))
        second = sum(value * value * count for value, count in enumerate(counts))
        means.append(first / (255 * total))
        deviations.append(((total * second - first * first) / (255 * total) ** 2) ** 0.5)
    return means, deviations
