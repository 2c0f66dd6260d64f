"""Distances between two sets of pictures that need no network: sliced Wasserstein and spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZES = (32, 16, 8)
"""Heights of the pictures that are compared: texture, parts, composition."""
DIRECTIONS = 128
QUANTILES = 100


def sliced_wasserstein(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    *,
    directions: int = DIRECTIONS,
    seed: int = 0,
) -> float:
    """Give the sliced Wasserstein distance of two sets of pictures (Rabin, 2011), averaged over scales.

    At each scale only what the next coarser one does not show is compared, as in ProGAN (1710.10196), but of
    whole pictures instead of patches, so that composition counts.

    Args:
        first: Shape (N, H, W, C), values from 0 to 1.
        second: Shape (M, H, W, C); N and M may differ.
        directions: Random directions at each scale.
        seed: Of the directions.

    Returns:
        0 for equal sets; in units of a hundredth of the range. Finite sets of one law differ too: compare
        with two sets of real pictures.
    """
    slices = [slice_pictures(each, directions=directions, seed=seed) for each in (first, second)]
    return between_slices(*slices)


def slice_pictures(
    pictures: NDArray[np.float32], *, directions: int = DIRECTIONS, seed: int = 0
) -> NDArray[np.float64]:
    """Describe a set of pictures by the laws of its projections, to compare it with many others.

    Args:
        pictures: Shape (N, H, W, C), values from 0 to 1.
        directions: Random directions at each scale.
        seed: Of the directions.

    Returns:
        Shape (scales, QUANTILES, directions).
    """
    generator = np.random.default_rng(seed)
    laws = []
    for band in _bands(pictures):
        axes = generator.standard_normal((band.shape[1], directions), np.float32)
        axes /= np.linalg.norm(axes, axis=0)
        laws.append(_quantiles(band @ axes))
    return np.stack(laws)


def between_slices(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Give the distance of two sets of pictures that `slice_pictures` described.

    Args:
        first: Of one set.
        second: Of the other, of the same resolution, directions and seed.

    Returns:
        As `sliced_wasserstein`.
    """
    # The distance in one dimension is the area between the quantile functions.
    return float(100 * np.abs(first - second).mean())


def spectrum_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Give the root mean squared difference of two power spectra, ring by ring, in decibels.

    Args:
        first: Mean power spectrum (H, W // 2 + 1) of one set of pictures.
        second: Of the other, of the same shape.

    Returns:
        0 for equal spectra; 3 is a factor of two in power.
    """
    one, other = radial(first), radial(second)
    return float(np.sqrt(np.mean((10 * np.log10((one + 1e-9) / (other + 1e-9))) ** 2)))


def radial(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average a power spectrum over rings of equal frequency.

    Args:
        power: Shape (H, W // 2 + 1), the constant at [0, 0].

    Returns:
        Mean power at frequencies 1, 2, ... H // 2 cycles a picture.
    """
    height = power.shape[0]
    rows = np.fft.fftfreq(height)[:, None] * height
    columns = np.arange(power.shape[1])[None, :]
    ring = np.rint(np.hypot(rows, columns)).astype(int)
    sums = np.bincount(ring.ravel(), power.ravel())
    counts = np.bincount(ring.ravel())
    return np.asarray(sums[1 : height // 2 + 1] / counts[1 : height // 2 + 1])


def _bands(pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    size = pictures.shape[1]
    levels = [
        _resized(pictures, min(size, wanted)) for wanted in SIZES if wanted <= max(size, SIZES[-1])
    ]
    bands = []
    for fine, coarse in zip(levels, [*levels[1:], None], strict=True):
        band = fine if coarse is None else fine - _enlarged(coarse, fine.shape[1])
        bands.append(band.reshape(len(band), -1))
    return bands


def _resized(pictures: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    edges = np.arange(size) * pictures.shape[1] // size
    sums = np.add.reduceat(np.add.reduceat(pictures, edges, axis=1), edges, axis=2)
    lengths = np.diff([*edges, pictures.shape[1]])
    area = (lengths[:, None] * lengths[None, :])[None, :, :, None]
    return np.asarray(sums / area, np.float32)


def _enlarged(pictures: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    places = np.arange(size) * pictures.shape[1] // size
    return pictures[:, places][:, :, places]


def _quantiles(values: NDArray[np.float32]) -> NDArray[np.float64]:
    ordered = np.sort(values, axis=0).astype(np.float64)
    places = np.linspace(0.005, 0.995, QUANTILES) * (len(values) - 1)
    below = np.minimum(places.astype(int), len(values) - 2)
    way = (places - below)[:, None]
    return np.asarray((1 - way) * ordered[below] + way * ordered[below + 1])
