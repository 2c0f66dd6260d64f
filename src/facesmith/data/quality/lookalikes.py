"""Pairs of images that may be copies of each other, found among all pairs.

Each image becomes 69 numbers, its lowest frequencies. Faces share most of what these hold, so they are
whitened: the mean face and the directions in which faces vary most count no more than others
(Mahalanobis, On the generalised distance in statistics, 1936). A cosine then finds likely pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.quality.spectra import transform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]

REACH = 9
"""Frequencies below this radius are compared; higher ones move away with a slight crop."""
LIKELY = 0.62
"""Cosine above which a pair is looked at more closely. Of 20,000 aligned faces it leaves one pair in
20,000, and keeps 92 of 100 copies that lost 6 % of their sides, and all that lost 2 %."""
ALIKE, CLOSEST = 0.9, 5
"""Where images vary in few ways, as digits do, more than five pairs for each image exceed that: then the
closest five are looked at, besides all above 0.9, which copies exceed."""
PRIOR = 1000
"""Images that the spectrum of photographs counts for, beside that of the set: in a small set the
differences between copies would otherwise weigh as much as those between photographs."""
ROWS, COLUMNS = 256, 2048
"""Pairs that are compared at once."""
SAMPLE = 64
"""Images that stand for the set when it is asked how alike its images are."""


def lookalikes(small: NDArray[np.uint8]) -> Iterator[Pairs]:
    """Find pairs that may be copies, mirrored or not.

    Args:
        small: Array (N, SIDE, SIDE) of grey images that hold low frequencies.

    Yields:
        Indices of one and of a later other image, and whether the other one should be mirrored.
    """
    even, odd = _whitened(small)
    count = len(small)
    likely = _likely(even, odd)
    likeness, turning, size = np.empty((3, ROWS, COLUMNS), np.float32)
    for top in range(0, count, ROWS):
        bottom = min(top + ROWS, count)
        for left in range(top, count, COLUMNS):
            right = min(left + COLUMNS, count)
            block = (slice(bottom - top), slice(right - left))
            both, part = likeness[block], turning[block]
            np.matmul(even[top:bottom], even[left:right].T, out=both)
            np.matmul(odd[top:bottom], odd[left:right].T, out=part)
            # Mirrored, an image keeps its even part, and its odd part changes its sign.
            both += np.abs(part, out=size[block])
            row, column = np.divmod(np.flatnonzero(both > likely), right - left)
            later = row + top < column + left
            row, column = row[later], column[later]
            if len(row):
                yield row + top, column + left, part[row, column] < 0


def _likely(even: Floats, odd: Floats) -> float:
    """Find the cosine that few enough pairs exceed, from a sample of images against all."""
    sample = slice(None, None, max(1, len(even) // SAMPLE))
    likeness = even[sample] @ even.T + np.abs(odd[sample] @ odd.T)
    # Each pair is met from both of its sides.
    most = len(likeness) * 2 * CLOSEST
    open_pairs = np.sort(likeness[(likeness > LIKELY) & (likeness <= ALIKE)])
    return LIKELY if len(open_pairs) <= most else float(open_pairs[-most])


def _whitened(small: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Give vectors of length one, in two parts: what is even from left to right, and what is odd."""
    down, across = np.mgrid[:REACH, :REACH]
    radius = np.hypot(down, across)
    inside = (radius > 0) & (radius < REACH)
    spectra = _spectra(small, inside)
    power = radius[inside] ** -2.0
    power /= power.sum()
    total = len(small) + PRIOR
    parts = []
    for odd in (False, True):
        chosen = np.flatnonzero(across[inside] % 2 == odd)
        # What is odd is zero in the mean of a set and its mirror image.
        mean = 0 if odd else spectra[:, chosen].sum(0, dtype=np.float64) / total
        part = spectra[:, chosen] - np.float32(mean)
        spread = part.T @ part + PRIOR * np.diag(power[chosen])
        values, vectors = np.linalg.eigh(spread / total)
        parts.append(part @ (vectors / np.sqrt(values)).astype(np.float32))
    length = np.sqrt(sum(np.square(part).sum(1, keepdims=True) for part in parts))
    for part in parts:
        part /= np.maximum(length, np.float32(1e-6))
    return parts[0], parts[1]


def _spectra(small: NDArray[np.uint8], inside: NDArray[np.bool_]) -> Floats:
    matrix = transform(small.shape[1], REACH)
    spectra = np.empty((len(small), np.count_nonzero(inside)), np.float32)
    for begin in range(0, len(small), COLUMNS):
        some = slice(begin, begin + COLUMNS)
        spectra[some] = (matrix @ small[some] @ matrix.T)[:, inside]
    spectra /= np.maximum(np.sqrt(np.square(spectra).sum(1, keepdims=True)), 1)
    return spectra
