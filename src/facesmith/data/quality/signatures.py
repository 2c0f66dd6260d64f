"""Perceptual signatures: images that look alike have signatures that differ in few bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.quality.measures import luma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Signatures = NDArray[np.uint64]

SIDE = 16
"""Gradients along each side of an image; each is one bit."""
WORDS = SIDE * SIDE // 64
BLOCK = 512
"""Signatures that are compared at once with all before them."""


def sign(images: NDArray[np.uint8]) -> Signatures:
    """Give each image its signature.

    Args:
        images: Array (N, H, W, C), C of 1 or 3.

    Returns:
        Array (N, WORDS).
    """
    grey = luma(images)
    rows, columns = _averaging(grey.shape[1], SIDE), _averaging(grey.shape[2], SIDE + 1)
    thumbnails = rows @ grey @ columns.T
    bits = (thumbnails[:, :, 1:] > thumbnails[:, :, :-1]).reshape(len(images), -1)
    return np.packbits(bits, axis=1).view(np.uint64)


def distances(one: Signatures, others: Signatures) -> NDArray[np.int64]:
    """Count the bits in which signatures differ.

    Args:
        one: Array (..., WORDS).
        others: Array of a shape that broadcasts with it.

    Returns:
        The counts, 0 to 64 x WORDS.
    """
    return np.bitwise_count(one ^ others).sum(-1, dtype=np.int64)


def groups(signatures: Signatures, distance: int) -> NDArray[np.int64]:
    """Find groups in which each image is near another one of the group.

    Args:
        signatures: Array (N, WORDS).
        distance: Bits in which two near ones differ at most.

    Returns:
        Array (N,): the index of the first image of each image's group, its own when it is alone.
    """
    first = np.arange(len(signatures))
    for begin in range(0, len(signatures), BLOCK):
        block = signatures[begin : begin + BLOCK]
        near = distances(block[:, None], signatures[None, : begin + len(block)]) <= distance
        for one, other in zip(*np.nonzero(near), strict=True):
            low, high = sorted((_root(first, begin + one), _root(first, other)))
            first[high] = low
    return np.array([_root(first, index) for index in range(len(first))], np.int64)


def _root(first: NDArray[np.int64], index: int) -> int:
    while first[index] != index:
        first[index] = first[first[index]]
        index = int(first[index])
    return index


def _averaging(pixels: int, parts: int) -> NDArray[np.float32]:
    """Make the matrix (parts, pixels) that averages pixels over equal parts of their length."""
    edges = np.linspace(0, pixels, parts + 1)
    low = np.maximum(edges[:-1, None], np.arange(pixels))
    high = np.minimum(edges[1:, None], np.arange(1, pixels + 1))
    shares: NDArray[np.float32] = np.maximum(high - low, 0).astype(np.float32)
    return shares * np.float32(parts / pixels)
