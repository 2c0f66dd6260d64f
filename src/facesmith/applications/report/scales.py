"""Axes: where a value lies, which ticks are round, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
DECADES = 6
"""Of a logarithmic axis at most; what is below is as good as nothing."""
FAR = 3.0
"""A few values that would stretch an axis beyond this factor are cut off, and said in words."""
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """From low to high, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Say where a value lies, 0 at the low end and 1 at the high one; it may lie outside."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        floor = math.log10(self.low)
        # Zero has no logarithm: it lies at the bottom.
        return (math.log10(max(value, self.low)) - floor) / (math.log10(self.high) - floor)

    def ticks(self, most: int = 4) -> list[float]:
        """Give round values within, `most` + 1 of them at the very most."""
        if self.log:
            return self._powers(most)
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in ROUND if power * factor >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]

    def _powers(self, most: int) -> list[float]:
        first = math.ceil(math.log10(self.low) - 1e-9)
        last = math.floor(math.log10(self.high) + 1e-9)
        if last - first >= 1:
            step = math.ceil((last - first) / most)
            return [10.0**power for power in range(first, last + 1, step)]
        fine = [factor * 10.0**power for power in (first - 1, first) for factor in (1, 2, 5)]
        within = [value for value in fine if self.low <= value <= self.high]
        return within if len(within) > 1 else Axis(self.low, self.high).ticks(most)


def linear(curves: Sequence[Values], include: Sequence[float] = ()) -> Axis:
    """Make an axis on which curves can be read although a few of their values lie far out.

    Args:
        curves: Any number of them; what is not finite is passed over.
        include: Values that are to be seen in any case.

    Returns:
        The axis, with some air.
    """
    values = finite(curves)
    if len(values):
        low, high = float(values.min()), float(values.max())
        inner = float(np.quantile(values, 0.03)), float(np.quantile(values, 0.97))
        width = inner[1] - inner[0]
        if width > 0 and high - low > FAR * width:
            low, high = max(low, inner[0] - 0.5 * width), min(high, inner[1] + 0.5 * width)
    else:
        low, high = math.inf, -math.inf
    low, high = min([low, *include]), max([high, *include])
    if not low <= high:
        return Axis(0.0, 1.0)
    air = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    bottom = 0.0 if 0 <= low < 3 * air else low - air
    return Axis(bottom, high + air)


def logarithmic(curves: Sequence[Values], include: Sequence[float] = ()) -> Axis:
    """Make a logarithmic axis.

    Args:
        curves: What is not above zero is passed over.
        include: Values that are to be seen in any case.

    Returns:
        The axis, of six decades at most, with some air.
    """
    values = finite(curves)
    seen = [float(value) for value in values if value > 0] + [v for v in include if v > 0]
    if not seen:
        return Axis(0.1, 1.0, log=True)
    low, high = max(min(seen), max(seen) / 10**DECADES), max(seen)
    air = max((high / low) ** 0.08, 1.2)
    return Axis(low / air, high * air, log=True)


def finite(curves: Sequence[Values]) -> Values:
    """Join the finite values of curves."""
    joined = np.concatenate([np.asarray(curve, float) for curve in curves] or [np.empty(0)])
    return np.asarray(joined[np.isfinite(joined)])


def thin(values: Values, most: int = 400) -> NDArray[np.int_]:
    """Choose the points of a curve that show its shape: the lowest and the highest of each stretch.

    Args:
        values: The curve; NaN is a gap.
        most: Points that are kept at most.

    Returns:
        Their places, rising. Gaps between measured values are kept as well, so that they stay visible.
    """
    if len(values) <= most:
        return np.arange(len(values))
    kept: set[int] = set()
    for part in np.array_split(np.arange(len(values)), most // 2):
        measured = part[np.isfinite(values[part])]
        if len(measured):
            kept |= {int(measured[np.argmin(values[measured])])}
            kept |= {int(measured[np.argmax(values[measured])])}
        else:
            kept.add(int(part[0]))
    return np.array(sorted(kept))


def number(value: float) -> str:
    """Write a number with the digits that one can use."""
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 10_000:
        return f"{value:,.0f}"
    if size < 0.001:
        digits, _, power = f"{value:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(power)}"
    return f"{value:.3g}" if size < 1000 else f"{value:,.0f}"


def tick(value: float) -> str:
    """Write a round number as short as it can be: `0.5`, `20k`, `1e-4`."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:g}M"
    if size >= 1e4:
        return f"{value / 1e3:g}k"
    if 0 < size < 0.001:
        return number(value)
    return f"{round(value, 6):g}"


def images(count: float) -> str:
    """Write a number of images as one says it: `800`, `12k`, `1.25M`."""
    if count >= 1e6:
        return f"{count / 1e6:.3g}M"
    return f"{count / 1e3:.3g}k" if count >= 1e4 else f"{count:,.0f}"


def percent(share: float) -> str:
    """Write a share: `28 %`, `0.6 %`."""
    return f"{100 * share:.0f} %" if abs(share) >= 0.1 else f"{100 * share:.2g} %"


def duration(seconds: float) -> str:
    """Write a time: `48 s`, `12 min`, `3 h 05 min`; a table of another program may tell none."""
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
