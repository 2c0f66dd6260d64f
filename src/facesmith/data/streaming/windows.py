"""An order that reads a source mostly forwards: short stretches from anywhere, many of them mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.randomness import permutation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

MIXED = 64
"""Windows of a pool. Where a source lies in no order, a pool is as good as any shuffle. Where it lies
sorted, say all women before all men, a pool is no worse than 64 draws: a share of one half varies by 0.06
from pool to pool."""


@dataclass(frozen=True)
class Window:
    """Rows that are read in one go."""

    rows: range
    pool: int = -1
    """Whose window it is, by the pool's first sample: each pool decodes anew."""


@dataclass(frozen=True)
class Pool:
    """Windows whose rows are mixed."""

    start: int
    """Number of its first sample in the stream."""
    windows: tuple[Window, ...]
    """Rising."""
    rows: Rows
    """All their rows, mixed: the pool's samples in their order."""

    @property
    def end(self) -> int:
        """Number of the first sample behind it."""
        return self.start + len(self.rows)

    def holds(self, sample: int) -> bool:
        """Say whether a sample comes from it."""
        return self.start <= sample < self.end


class Windowed:
    """Every row once an epoch: its windows are taken in an order of their own, some at a time.

    Args:
        count: Rows.
        window: Rows that are read in one go; the last window may have fewer.
        mixed: Windows of a pool.
    """

    def __init__(self, count: int, window: int, mixed: int = MIXED) -> None:
        self.count, self.window, self.mixed = count, window, mixed
        self.windows = -(-count // window)
        """How many there are."""
        self._latest: tuple[tuple[int, int], tuple[Rows, Rows]] | None = None

    def range(self, window: int) -> range:
        """Give the rows of a window by its number."""
        return range(window * self.window, min((window + 1) * self.window, self.count))

    def pool(self, sample: int, *, seed: int) -> Pool:
        """Find the pool that a sample comes from, a function of sample and seed alone.

        Args:
            sample: Its number, counted from the beginning of the run.
            seed: Of the run.

        Returns:
            The pool.
        """
        epoch, place = divmod(sample, self.count)
        order, ends = self._epoch(seed, epoch)
        number = int(np.searchsorted(ends, place, side="right"))
        begin = int(ends[number - 1]) if number else 0
        mine = np.sort(order[number * self.mixed : (number + 1) * self.mixed])
        start = epoch * self.count + begin
        windows = tuple(Window(self.range(window), start) for window in mine.tolist())
        rows = np.concatenate([np.array(window.rows) for window in windows])
        shuffle = permutation(seed, f"pool/{epoch}/{number}", len(rows))
        return Pool(start, windows, rows[shuffle])

    def rows(self, start: int, count: int, *, seed: int) -> Rows:
        """Say which rows are consecutive samples.

        Args:
            start: Number of the first sample.
            count: Samples.
            seed: Of the run.

        Returns:
            Array (count,).
        """
        parts = [np.empty(0, np.int64)]
        end = start + count
        while start < end:
            pool = self.pool(start, seed=seed)
            parts.append(pool.rows[start - pool.start : end - pool.start])
            start = pool.end
        return np.concatenate(parts)

    def _epoch(self, seed: int, epoch: int) -> tuple[Rows, Rows]:
        """Give the windows of an epoch in their order, and where in it each pool ends."""
        if self._latest is None or self._latest[0] != (seed, epoch):
            order = permutation(seed, f"windows/{epoch}", self.windows)
            lengths = np.full(self.windows, self.window)
            lengths[order == self.windows - 1] = len(self.range(self.windows - 1))
            pools = np.add.reduceat(lengths, np.arange(0, self.windows, self.mixed))
            self._latest = (seed, epoch), (order, pools.cumsum())
        return self._latest[1]
