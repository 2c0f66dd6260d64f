"""Images far from all others: no face, a face turned or cropped otherwise, an unusual picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SIDE = 8
"""Of the thumbnails that are compared."""
COMPONENTS = 64
NEIGHBOURS = 5
REFERENCES = 4000
"""Images to which all are compared, spread evenly."""
FAINT = 0.02
"""Contrast below which it is no longer stretched, as a share of white."""
BLOCK = 500
FEWEST = 64
"""Images; fewer have no outliers."""


def distances(thumbnails: Floats) -> Floats:
    """Measure how far each image is from those that are nearest to it.

    Thumbnails are brought to one brightness and one contrast, which `State` looks at; their principal
    components are brought to one variance, so that rare patterns count as much as common ones. The
    distance is that to the nearest few images, not to the mean: a set of two kinds has no outliers.

    Args:
        thumbnails: Array (N, pixels), 0 to 255.

    Returns:
        Distances (N,) in units of the median; ones where there are too few images.
    """
    count, pixels = thumbnails.shape
    if count < FEWEST:
        return np.ones(count, np.float32)
    values = thumbnails / np.float32(255)
    values = values - values.mean(1, keepdims=True)
    values = values / np.maximum(values.std(1, keepdims=True), np.float32(FAINT))
    whitened = _whitened(values, min(COMPONENTS, pixels - 1, count // NEIGHBOURS))
    references = np.arange(0, count, -(-count // REFERENCES))
    squares = (whitened * whitened).sum(1)
    found = np.empty(count, np.float32)
    for start in range(0, count, BLOCK):
        block = slice(start, min(start + BLOCK, count))
        apart = squares[block, None] + squares[references]
        apart -= 2 * whitened[block] @ whitened[references].T
        # An image is no neighbour of itself.
        own = references[(references >= start) & (references < block.stop)]
        apart[own - start, np.searchsorted(references, own)] = np.inf
        nearest = np.partition(apart, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        found[block] = np.sqrt(np.maximum(nearest, 0)).mean(1)
    return found / max(float(np.median(found)), 1e-6)


def _whitened(values: Floats, components: int) -> Floats:
    """Give the first principal components, each with variance 1."""
    centred = values - values.mean(0)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(values))
    kept = slice(-components, None)
    scale = np.sqrt(np.maximum(variances[kept], 1e-6 * max(float(variances[-1]), 1e-12)))
    whitened: Floats = (centred @ directions[:, kept] / scale).astype(np.float32)
    return whitened
