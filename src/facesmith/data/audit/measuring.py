"""One look at each image: everything that an audit measures, block by block, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.audit import background, outliers, skin
from facesmith.data.quality.measures import MEASURES, measure
from facesmith.data.quality.signatures import WORDS, sign

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Images = NDArray[np.uint8]
    Read = Callable[[NDArray[np.int64]], Images]

BLOCK_BYTES = 6 * 2**20
"""Of images that are measured at once; what is computed from them takes ten times as much."""
SMALL = 64
"""Pixels a side; larger images are reduced before skin and background are looked at."""


@dataclass(frozen=True)
class Measured:
    """What was measured on N images, row by row."""

    measures: dict[str, NDArray[np.float32]]
    skin: NDArray[np.float64]
    """CIELAB (N, 3); NaN where it could not be told."""
    kinds: NDArray[np.int64]
    """Of background."""
    borders: NDArray[np.float32]
    """Colours (N, 3)."""
    thumbnails: NDArray[np.float32]
    """(N, pixels)"""
    mean: NDArray[np.float64]
    """The mean image (H, W, C), 0 to 255."""
    deviation: NDArray[np.float64]
    """Of each pixel, over the images."""
    channel_mean: tuple[float, ...]
    """In [0, 1]."""
    channel_std: tuple[float, ...]


def look(read: Read, rows: NDArray[np.int64], shape: tuple[int, ...]) -> Measured:
    """Measure images.

    Args:
        read: Gives images by row.
        rows: Which, one or more.
        shape: Of an image.

    Returns:
        What was measured, in the order of the rows.
    """
    parts = []
    first, second = np.zeros(shape), np.zeros(shape)
    for block in _blocks(rows, shape):
        images = read(block)
        small = reduced(images, SMALL)
        measures = measure(images)
        kinds, borders = background.borders(small)
        parts.append(
            (
                np.stack([measures[name] for name in MEASURES]),
                skin.skin_colours(small).T,
                kinds[None],
                borders.T,
                _thumbnails(small).T,
            )
        )
        pixels = images.astype(np.float32)
        first += pixels.sum(0)
        second += np.square(pixels, out=pixels).sum(0)
    values, colours, kinds, borders, thumbnails = (
        np.concatenate(column, axis=1) for column in zip(*parts, strict=True)
    )
    mean, square = first / len(rows), second / len(rows)
    channel, channel_square = mean.mean((0, 1)), square.mean((0, 1))
    spread = np.sqrt(np.maximum(channel_square - channel**2, 0))
    return Measured(
        measures=dict(zip(MEASURES, values, strict=True)),
        skin=colours.T,
        kinds=kinds[0],
        borders=borders.T,
        thumbnails=np.ascontiguousarray(thumbnails.T),
        mean=mean,
        deviation=np.sqrt(np.maximum(square - mean**2, 0)),
        channel_mean=tuple((channel / 255).tolist()),
        channel_std=tuple((spread / 255).tolist()),
    )


def signatures(read: Read, count: int, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """Sign images.

    Args:
        read: Gives images by row.
        count: Rows 0 to count - 1.
        shape: Of an image.

    Returns:
        Signatures (count, words).
    """
    rows = np.arange(count)
    parts = [sign(read(block)) for block in _blocks(rows, shape)]
    return np.concatenate([np.empty((0, WORDS), np.uint64), *parts])


def reduced(images: Images, side: int) -> Images:
    """Average blocks of pixels until a side is at most twice what is wanted.

    Args:
        images: Array (N, H, W, C).
        side: Wanted; smaller images stay as they are.

    Returns:
        Images of `side` or more, below twice as many, pixels a side.
    """
    count, height, width, channels = images.shape
    factor = height // side
    if factor < 2:
        return images
    high, wide = height // factor, width // factor
    cut = images[:, : high * factor, : wide * factor]
    blocks = cut.reshape(count, high, factor, wide, factor, channels)
    averaged: Images = np.rint(blocks.mean((2, 4), dtype=np.float32)).astype(np.uint8)
    return averaged


def _thumbnails(images: Images) -> NDArray[np.float32]:
    count, height, width, channels = images.shape
    side = min(outliers.SIDE, height)
    high, wide = height // side, width // side
    cut = images[:, : side * high, : side * wide]
    blocks = cut.reshape(count, side, high, side, wide, channels)
    averaged: NDArray[np.float32] = blocks.mean((2, 4), dtype=np.float32)
    return averaged.reshape(count, -1)


def _blocks(rows: NDArray[np.int64], shape: tuple[int, ...]) -> Iterator[NDArray[np.int64]]:
    size = max(1, BLOCK_BYTES // int(np.prod(shape)))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
