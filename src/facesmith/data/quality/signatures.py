"""Perceptual signatures: small enough to keep for each image, rich enough to tell copies from likenesses.

Faces that are aligned all look alike: among 20,000 of them the common hashes of 64 bits find hundreds
of pairs that are no copies. A signature is therefore what is left of the image itself, its 16 x 16
lowest frequencies, and likely pairs are laid over each other before they are called near.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.quality.lookalikes import lookalikes
from facesmith.data.quality.measures import luma
from facesmith.data.quality.registration import differences
from facesmith.data.quality.spectra import resampling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from facesmith.data.quality.lookalikes import Pairs

    Signatures = NDArray[np.uint64]

SIDE = 16
"""Pixels along each side of a signature."""
WORDS = SIDE * SIDE // 8
BATCH = 128
"""Pairs that are laid over each other at once."""
NEAR = 0.04
"""How much two near duplicates differ at most: beyond most copies, and below different photographs."""
CERTAIN, FEW = 8, 10
"""At an eighth of the distance two images are copies, whatever set they are of; and ten images more or
less say nothing about a set."""


def sign(images: NDArray[np.uint8]) -> Signatures:
    """Give each image its signature.

    Args:
        images: Array (N, H, W, C), C of 1 or 3.

    Returns:
        Array (N, WORDS): the bytes are a grey image of 16 x 16 pixels that holds the lowest
        frequencies and no others.
    """
    down = resampling(images.shape[1], SIDE)
    across = resampling(images.shape[2], SIDE)
    small = np.rint(down @ luma(images) @ across.T).clip(0, 255).astype(np.uint8)
    return small.reshape(len(images), SIDE * SIDE).view(np.uint64)


def groups(signatures: Signatures, distance: float) -> NDArray[np.int64]:
    """Find groups in which each image is a near duplicate of another one of the group.

    Crops by some per cent, slight turns, mirroring, other sizes, brightness, compression and greyness do
    not hide a duplicate. Where a set's images are so alike that likenesses come as close as copies, as
    in drawings and digits, the distance is narrowed.

    Args:
        signatures: Array (N, WORDS).
        distance: How much two near duplicates differ at most, as `differences` measures it; 0.04 is
            beyond most copies, and below different photographs.

    Returns:
        Array (N,): the index of the first image of each image's group, its own when it is alone.
    """
    bytewise = np.ascontiguousarray(signatures).view(f"V{WORDS * 8}")[:, 0]
    _, first, position = np.unique(bytewise, return_index=True, return_inverse=True)
    order = np.argsort(first)  # equal signatures count once, in the order of their first images
    leads = _joined(thumbnails(signatures[first[order]]), distance)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    found: NDArray[np.int64] = first[order[_leaders(leads, rank[position])]]
    return found


def _joined(small: NDArray[np.uint8], distance: float) -> NDArray[np.int64]:
    """Join what is near; the result leads each image to an earlier one of its group, or to itself."""
    leads = np.arange(len(small))
    nearest = np.full(len(small), np.inf, np.float32)
    uncertain = []
    for one, other, mirrored in _batches(lookalikes(small)):
        apart = _leaders(leads, one) != _leaders(leads, other)
        left, right = one[apart], other[apart]
        turned = np.where(mirrored[apart, None, None], small[right, :, ::-1], small[right])
        differ = differences(small[left], turned)
        for side in (left, right):
            np.minimum.at(nearest, side, differ)
        certain = differ <= distance / CERTAIN
        _join(leads, left[certain], right[certain])
        maybe = (differ <= distance) & ~certain
        uncertain.append((left[maybe], right[maybe], differ[maybe]))
    trusted = _trusted(nearest, distance)
    for left, right, differ in uncertain:
        _join(leads, left[differ <= trusted], right[differ <= trusted])
    return leads


def _batches(blocks: Iterable[Pairs]) -> Iterator[Pairs]:
    """Cut pairs into batches that are worth their start and stay in the processor's cache."""
    waiting: list[Pairs] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block[0])
        if count < BATCH:
            continue
        one, other, mirrored = (np.concatenate(part) for part in zip(*waiting, strict=True))
        whole = count - count % BATCH
        for begin in range(0, whole, BATCH):
            batch = slice(begin, begin + BATCH)
            yield one[batch], other[batch], mirrored[batch]
        waiting, count = [(one[whole:], other[whole:], mirrored[whole:])], count % BATCH
    yield from waiting


def _trusted(nearest: NDArray[np.float32], distance: float) -> float:
    """Narrow the distance while the images that it reaches increase steadily within it and beyond."""
    floor = distance / CERTAIN
    while distance > floor:
        steps = (distance / 2, distance, distance * 2)
        inner, reached, outer = (np.count_nonzero(nearest <= step) for step in steps)
        if reached - inner <= max(FEW, inner / 2) or outer - reached <= max(FEW, reached / 2):
            break  # copies end here, or lie far inside
        distance /= 2
    return distance


def _join(leads: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    for pair in zip(one, other, strict=True):
        low, high = np.sort(_leaders(leads, np.array(pair)))
        leads[high] = low


def thumbnails(signatures: Signatures) -> NDArray[np.uint8]:
    """Give the images that signatures are.

    Args:
        signatures: Array (N, WORDS).

    Returns:
        Array (N, SIDE, SIDE).
    """
    return np.ascontiguousarray(signatures).view(np.uint8).reshape(-1, SIDE, SIDE)


def _leaders(leads: NDArray[np.int64], indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow images to the first of their group."""
    while (leads[indices] != indices).any():
        indices = leads[indices]
    return indices
