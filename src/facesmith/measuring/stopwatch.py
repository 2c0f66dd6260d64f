"""How fast a training goes, and what its time is spent on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """What counts a training."""

    images_seen: int
    seconds: float
    """Spent in training, over all sittings."""


class Stopwatch:
    """Adds the time of this sitting to a training's, and says what it was spent on.

    Args:
        progress: Its `seconds` are brought up to date at each reading.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress, self.images = progress, progress.images_seen
        self.last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def seconds(self) -> float:
        """Give the time spent in training so far, over all sittings."""
        return self.progress.seconds + self.since_reading()

    def since_reading(self) -> float:
        """Give the seconds since the last reading."""
        return time.perf_counter() - self.last

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Count the time of a piece of work apart.

        Args:
            name: `data`, `signals` or `observers`.
        """
        begin = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - begin)

    def add(self, name: str, seconds: float) -> None:
        """Count some time as that of a piece of work.

        Args:
            name: `data`, `signals` or `observers`.
            seconds: That it took.
        """
        self._laps[name] = self._laps.get(name, 0.0) + seconds

    def read(self) -> tuple[float, dict[str, float]]:
        """Bring the training's clock up to date.

        Returns:
            Images a second since the last reading; share of the time that each kind of work took, such as
            `time.data`, and `time.compute` for the rest.
        """
        now = time.perf_counter()
        elapsed, images = now - self.last, self.progress.images_seen - self.images
        self.progress.seconds += elapsed
        self.last, self.images = now, self.progress.images_seen
        if elapsed <= 0:
            return 0.0, {}
        shares = {f"time.{name}": spent / elapsed for name, spent in self._laps.items()}
        shares["time.compute"] = 1 - sum(shares.values())
        self._laps = {}
        return images / elapsed, shares
