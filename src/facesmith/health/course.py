"""The course of a run: its records as curves, and the questions that rules ask of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np
from numpy.typing import NDArray

from facesmith.base.records import Record

Curve = NDArray[np.float64]
PROBED = "reals.std"
"""A signal that each probe measures."""
RECENT = 5
"""Records that "now" means: single ones are noisy."""


@dataclass(frozen=True)
class Course:
    """Records in order, looked at signal by signal.

    Args:
        records: Of one run, oldest first.
    """

    records: Sequence[Record]

    @cached_property
    def images(self) -> Curve:
        """Images seen at each record."""
        return np.array([record.images_seen for record in self.records], float)

    @cached_property
    def probed(self) -> Course:
        """The course of those records at which the networks were probed: long runs probe one in four.

        Rules that count how often something was seen in samples or in D's other verdicts count these.
        """
        return Course([record for record in self.records if PROBED in record.signals])

    @cached_property
    def _curves(self) -> dict[str, Curve]:
        return {}

    def curve(self, name: str) -> Curve:
        """Give a signal through time.

        Args:
            name: A field of Record, a name of `Record.signals`, or `learning_rates.generator` and the like.

        Returns:
            One value a record; NaN where it was not measured.
        """
        if name not in self._curves:
            values = [_value(record, name) for record in self.records]
            self._curves[name] = np.array(values, float)
        return self._curves[name]

    def knows(self, name: str) -> bool:
        """Say whether a signal was measured at least once."""
        return bool(np.isfinite(self.curve(name)).any())

    def now(self, name: str, count: int = RECENT) -> float:
        """Give the recent level of a signal: the median of its last few measurements; NaN without any."""
        values = _finite(self.curve(name))[-count:]
        return median(values.tolist()) if len(values) else math.nan

    def mean(self, name: str, count: int) -> float:
        """Give the mean of the last measurements of a signal, in which rare ones count; NaN without any."""
        values = _finite(self.curve(name))[-count:]
        return float(values.mean()) if len(values) else math.nan

    def start(self, name: str, count: int = RECENT) -> float:
        """Give the level that a signal began at: the median of its first few measurements."""
        values = _finite(self.curve(name))[:count]
        return median(values.tolist()) if len(values) else math.nan

    def highest(self, name: str) -> float:
        """Give the highest measurement of a signal; NaN without any."""
        values = _finite(self.curve(name))
        return float(values.max()) if len(values) else math.nan

    def lowest(self, name: str) -> float:
        """Give the lowest measurement of a signal; NaN without any."""
        values = _finite(self.curve(name))
        return float(values.min()) if len(values) else math.nan

    def layers(self, player: str, what: str) -> dict[str, Curve]:
        """Give a number of each layer of a network through time.

        Args:
            player: `generator` or `discriminator`.
            what: Such as `update_to_weight` or `dead`.

        Returns:
            Curves by layer, from the latent or the image onwards.
        """
        names: dict[str, None] = {}
        for record in self.records:
            names.update(
                dict.fromkeys(
                    name
                    for name, values in record.layers.items()
                    if name.startswith(f"{player}/") and what in values
                )
            )
        return {
            name: np.array([r.layers.get(name, {}).get(what, math.nan) for r in self.records])
            for name in names
        }

    def since(self, name: str, holds: Callable[[Curve], NDArray[np.bool_]], least: int = 3) -> int:
        """Say since when something has held of a signal, whose single outliers do not count.

        Args:
            name: The signal.
            holds: Whether it holds, for each value of the running median.
            least: Values in a row that it takes.

        Returns:
            Images seen at the first of them; -1 if it does not hold now or not long enough.
        """
        values = self.curve(name)
        measured = np.isfinite(values)
        return self.unbroken(holds(smooth(values[measured])), self.images[measured], least)

    @staticmethod
    def unbroken(holds: NDArray[np.bool_], images: Curve, least: int) -> int:
        """Say since when something has held, -1 if it does not hold at the end, or not long enough."""
        breaks = np.flatnonzero(~holds)
        first = int(breaks[-1]) + 1 if len(breaks) else 0
        return int(images[first]) if len(holds) - first >= least else -1


def smooth(values: Curve, count: int = RECENT) -> Curve:
    """Give the running median of the last few values: one bad record is no trend.

    Args:
        values: A curve; NaN is passed over.
        count: Values that are looked at.

    Returns:
        A curve of the same length.
    """
    if not len(values):
        return np.array([])
    # All windows at once, what is not finite at their ends: a live diagnosis must cost next to nothing.
    padded = np.concatenate([np.full(count - 1, math.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, count)
    measured = np.isfinite(windows)
    ordered = np.sort(np.where(measured, windows, np.inf), axis=1)
    many = measured.sum(axis=1, keepdims=True)
    middle = np.concatenate(
        [np.maximum(many - 1, 0) // 2, np.minimum(many // 2, count - 1)], axis=1
    )
    medians = np.take_along_axis(ordered, middle, axis=1).sum(axis=1) / 2
    return np.where(many[:, 0] > 0, medians, math.nan)


def _finite(values: Curve) -> Curve:
    return values[np.isfinite(values)]


def _value(record: Record, name: str) -> float:
    if name in record.signals:
        return record.signals[name]
    group, _, rest = name.partition(".")
    found = getattr(record, group, None)
    if isinstance(found, dict):
        return float(found.get(rest, math.nan))
    return float(found) if isinstance(found, int | float) and not rest else math.nan
