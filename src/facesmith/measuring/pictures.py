"""Statistics of a batch of pictures: light, colour, texture, and how much they differ from each other.

Pictures are arrays (N, H, W, C) in which 0 is the generator's lowest value and 1 its highest. Real ones may
lie outside: that is what some of these numbers are for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]

EDGE = 0.004
"""Of the range: a value this near to an end is at the end, one this far beyond is outside."""
FLAT = 0.01
"""A picture that varies less than this is one even colour."""
CELLS = 8
"""Height and width of the small picture whose values describe composition and colour."""
COPY = 1.5 / 255
"""Two pictures whose pixels differ less than this on average are the same one."""
SAVED_AGAIN = 5 / 255
"""Two photographs that differ less are one, saved or scaled twice; others were never nearer than 11 / 255."""


def describe(pictures: Pictures) -> dict[str, float]:
    """Measure a batch.

    Args:
        pictures: Shape (N, H, W, C).

    Returns:
        `mean`, `std`, `low`, `high`, `channel_spread`; `outside` and `saturated`, shares of values; `flat`, a
        share of pictures; `high_frequency`, `grid`. Where there is colour also `chroma`, `grey` and `cold`,
        shares of pictures, and `red`, `green`, `blue` of their middle.
    """
    values = pictures.astype(np.float32, copy=False)
    measured = {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "low": float(values.min()),
        "high": float(values.max()),
        "outside": float(((values < -EDGE) | (values > 1 + EDGE)).mean()),
        "saturated": float(((values < EDGE) | (values > 1 - EDGE)).mean()),
        "flat": float(is_flat(values).mean()),
        "channel_spread": float(values.std(axis=(0, 1, 2)).max()),
    }
    if values.shape[3] == 3:
        chroma = np.abs(values - values.mean(axis=3, keepdims=True)).mean(axis=(1, 2, 3))
        measured["chroma"] = float(chroma.mean())
        measured["grey"] = float((chroma < COPY).mean())
        middle = _middle(values).mean(axis=(1, 2))
        measured |= dict(
            zip(("red", "green", "blue"), map(float, middle.mean(axis=0)), strict=True)
        )
        # Skin of any tone reflects more red than blue.
        measured["cold"] = float((middle[:, 0] < middle[:, 2] - FLAT).mean())
    power = spectrum(values)
    measured["high_frequency"] = high_frequency(power)
    measured["grid"] = grid(power)
    return measured


def is_flat(pictures: Pictures) -> NDArray[np.bool_]:
    """Say of each picture whether it is one even colour, whatever colour.

    Args:
        pictures: Shape (N, H, W, C).

    Returns:
        Shape (N,).
    """
    return np.asarray(pictures.std(axis=(1, 2)).max(axis=1) < FLAT)


def describe_each(pictures: Pictures) -> NDArray[np.float64]:
    """Measure each picture by itself, to find those that are unlike the others.

    Args:
        pictures: Shape (N, H, W, C).

    Returns:
        Shape (N, 4): share of fine detail, share of rows without any variation, logarithm of the variation,
        logarithm of the detail from row to row over that within rows, which lost bytes raise.
    """
    luma = pictures.mean(axis=3)
    down = np.abs(np.diff(luma, axis=1)).mean(axis=(1, 2))
    across = np.abs(np.diff(luma, axis=2)).mean(axis=(1, 2))
    spread = luma.std(axis=(1, 2))
    bare = (pictures.std(axis=2).max(axis=2) < EDGE / 4).mean(axis=1)
    measured = (
        (down + across) / (spread + FLAT),
        bare,
        np.log(spread + FLAT),
        np.log((down + EDGE / 2) / (across + EDGE / 2)),
    )
    return np.stack(measured, axis=1).astype(np.float64)


def spectrum(pictures: Pictures) -> NDArray[np.float64]:
    """Give the mean power spectrum of brightness, without its constant.

    Args:
        pictures: Shape (N, H, W, C).

    Returns:
        Shape (H, W // 2 + 1).
    """
    luma = pictures.mean(axis=3, dtype=np.float64)
    luma = luma - luma.mean(axis=(1, 2), keepdims=True)
    # A window keeps the picture's border, which is no texture, out of the high frequencies.
    height, width = luma.shape[1:]
    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[None, 1:-1]
    power: NDArray[np.float64] = (np.abs(np.fft.rfft2(luma * window)) ** 2).mean(axis=0)
    power[0, 0] = 0.0
    return power


def high_frequency(power: NDArray[np.float64]) -> float:
    """Give the share of power in the upper half of the frequencies.

    Args:
        power: As `spectrum` gives it.

    Returns:
        From 0 to 1; photographs have little.
    """
    rows = np.abs(np.fft.fftfreq(power.shape[0]))[:, None]
    columns = np.arange(power.shape[1])[None, :] / (2 * (power.shape[1] - 1))
    upper = np.maximum(rows, columns) > 0.25
    # Each column stands for itself and its mirror image, but for the first and the last.
    whole = power * np.where((columns == 0) | (columns == 0.5), 1, 2)
    total = float(whole.sum())
    return float(whole[upper].sum()) / total if total > 0 else 0.0


def grid(power: NDArray[np.float64]) -> float:
    """Say how far the frequencies of a checkerboard stand out (Odena, "Deconvolution and Checkerboards").

    A stride of 2 leaves a pattern of period 2, stages before it one of 4: peaks in the spectrum where
    photographs fall off smoothly.

    Args:
        power: As `spectrum` gives it.

    Returns:
        Common logarithm of the peak's power over that of its neighbours; about 0 without a pattern.
    """
    height, width = power.shape[0], 2 * (power.shape[1] - 1)
    logs = np.log10(power + 1e-12)
    stands_out = [0.0]
    for period in (2, 4):
        row, column = height // period, width // period
        if min(row, column) < 4:
            continue
        for y, x in ((row, 0), (0, column), (row, column)):
            near = [
                logs[(y + dy) % height, x + dx]
                for dy in (-3, -2, 2, 3)
                for dx in (-1, 0, 1)
                if 0 <= x + dx < power.shape[1]
            ]
            near += [
                logs[(y + dy) % height, x + dx]
                for dx in (-3, -2, 2, 3)
                for dy in (-1, 0, 1)
                if 0 <= x + dx < power.shape[1]
            ]
            stands_out.append(float(logs[y, x] - np.median(near)))
    return max(stands_out)


def features(pictures: Pictures) -> NDArray[np.float64]:
    """Describe each picture by composition, colour and the directions of its edges.

    Args:
        pictures: Shape (N, H, W, C), H and W of 8 or more.

    Returns:
        Shape (N, F): an 8x8 picture, and energies of edges in four directions in 4x4 places.
    """
    small = shrink(pictures, CELLS)
    luma = pictures.mean(axis=3)
    across, down = np.diff(luma, axis=2)[:, :-1], np.diff(luma, axis=1)[:, :, :-1]
    edges = np.stack(
        [np.abs(across), np.abs(down), np.abs(across + down), np.abs(across - down)], axis=3
    )
    places = shrink(edges, CELLS // 2)
    # Edges are a tenth as strong as light: both kinds are to count.
    return np.concatenate(
        [small.reshape(len(small), -1), 4 * places.reshape(len(places), -1)], axis=1
    ).astype(np.float64)


def shrink(pictures: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Average pictures over a coarse grid.

    Args:
        pictures: Shape (N, H, W, C), H and W of `cells` or more.
        cells: Height and width of what is left.

    Returns:
        Shape (N, cells, cells, C).
    """
    height, width = pictures.shape[1:3]
    rows = np.arange(cells) * height // cells
    columns = np.arange(cells) * width // cells
    sums = np.add.reduceat(np.add.reduceat(pictures, rows, axis=1), columns, axis=2)
    area = np.diff([*rows, height])[:, None] * np.diff([*columns, width])[None, :]
    return np.asarray(sums / area[None, :, :, None], np.float32)


def distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give root mean squared differences between all pairs.

    Args:
        first: Rows (N, F).
        second: Rows (M, F).

    Returns:
        Shape (N, M).
    """
    squares = (
        (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None, :] - 2 * first @ second.T
    )
    return np.asarray(np.sqrt(np.maximum(squares, 0) / first.shape[1]))


def pairs(between: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take each pair once out of a square of distances, shape (N (N - 1) / 2,)."""
    return between[np.triu_indices(len(between), 1)]


def nearest(between: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each picture's distance to its nearest fellow, shape (N,).

    Args:
        between: Distances within one set, shape (N, N).
    """
    return np.asarray(np.where(np.eye(len(between), dtype=bool), np.inf, between).min(axis=1))


def dimension(rows: NDArray[np.float64]) -> float:
    """Count the directions in which rows vary: the participation ratio of their covariance.

    Args:
        rows: Shape (N, F).

    Returns:
        From 1, all on a line, to N - 1.
    """
    centred = rows - rows.mean(axis=0)
    gram = centred @ centred.T
    total = float(np.trace(gram))
    return total**2 / float((gram**2).sum()) if total > 0 else 1.0


def flatten(pictures: Pictures) -> NDArray[np.float64]:
    """Turn pictures (N, H, W, C) into rows (N, H W C)."""
    return pictures.reshape(len(pictures), math.prod(pictures.shape[1:])).astype(np.float64)


def _middle(pictures: Pictures) -> Pictures:
    height, width = pictures.shape[1:3]
    return pictures[:, height // 4 : height - height // 4, width // 4 : width - width // 4]
