"""What varies over a run: a schedule maps images seen to a number."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from facesmith.base.errors import UsageError
from facesmith.base.registry import parse, register

VALUES = {"value", "start", "end", "floor", "before", "after", "low", "high"}
"""Fields that are numbers of the kind that a schedule gives, and not images or factors."""


class Schedule:
    """A pure function of the number of real images seen; subclasses are frozen dataclasses."""

    def __call__(self, images_seen: int) -> float:
        """Give the value in force.

        Args:
            images_seen: Real images drawn since the start of training.

        Returns:
            A finite number.
        """
        raise TypeError(f"{type(self).__name__} must define __call__")

    def bounds(self) -> tuple[float, float]:
        """Give numbers between which it always stays.

        Returns:
            The lowest and the highest; what it is at the start, unless a schedule says more.
        """
        return (self(0), self(0))

    def __str__(self) -> str:
        """Write the schedule as the command line reads it."""
        values = ", ".join(str(getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__.lower()}({values})"

    def scaled(self, factor: float) -> Schedule:
        """Give the schedule that is always so many times this one.

        Args:
            factor: Such as 0.5.

        Returns:
            One of the same kind.
        """
        names = [f.name for f in fields(self) if f.name in VALUES]  # type: ignore[arg-type]
        # Six digits: what is written down and read again must be the same number.
        values = {name: float(f"{factor * getattr(self, name):.6g}") for name in names}
        return replace(self, **values)  # type: ignore[type-var]

    @classmethod
    def from_number(cls, value: float) -> Schedule:
        """Give the schedule that a plain number stands for."""
        return Constant(float(value))

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = {"over": 0, "begin": 0, "at": 0, "every": 1, "period": 1}.get(name, -math.inf)
            if isinstance(value, int | float) and not (value >= least and abs(value) < math.inf):
                needed = "a finite number" + (f", {least} or more" if least >= 0 else "")
                raise _unusable(self, name, value, needed)


@register
@dataclass(frozen=True)
class Constant(Schedule):
    """Always the same."""

    value: float

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        return self.value

    def __str__(self) -> str:
        short = f"{self.value:g}"
        return short if float(short) == self.value else repr(self.value)


@register
@dataclass(frozen=True)
class Linear(Schedule):
    """From start to end in a straight line, then end."""

    start: float
    end: float
    over: int
    """Images it takes."""
    begin: int = 0
    """Images seen before it leaves start."""

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        return self.start + (self.end - self.start) * _progress(images_seen, self.begin, self.over)

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return _span(self.start, self.end)


@register
@dataclass(frozen=True)
class Cosine(Schedule):
    """From start to end along half a cosine, slow at both ends, then end."""

    start: float
    end: float
    over: int
    """Images it takes."""
    begin: int = 0
    """Images seen before it leaves start."""

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        way = (1 - math.cos(math.pi * _progress(images_seen, self.begin, self.over))) / 2
        return self.start + (self.end - self.start) * way

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return _span(self.start, self.end)


@register
@dataclass(frozen=True)
class Decay(Schedule):
    """Multiplied by a factor every so many images, in steps: x0.95 an epoch, as the founding diaries did."""

    start: float
    factor: float = 0.95
    every: int = 100_000
    """Images between two steps."""
    floor: float = 0.0
    """Never below this."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.factor <= 1:
            raise _unusable(self, "factor", self.factor, "a number from 0 to 1")

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        return max(self.floor, self.start * self.factor ** (images_seen // self.every))

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        # It moves from start towards zero, and never below the floor.
        low, high = _span(self.start, 0.0)
        return (max(self.floor, low), max(self.floor, high))


@register
@dataclass(frozen=True)
class Switch(Schedule):
    """One value before a point, another after it: 2e-4, then 2e-5 late in the run."""

    before: float
    after: float
    at: int
    """Images seen when it switches."""

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        return self.before if images_seen < self.at else self.after

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return _span(self.before, self.after)


@register
@dataclass(frozen=True)
class Cyclic(Schedule):
    """Up and down in a triangle between two values."""

    low: float
    high: float
    period: int
    """Images from one low to the next."""

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        phase = (images_seen % self.period) / self.period
        return self.low + (self.high - self.low) * (1 - abs(2 * phase - 1))

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return _span(self.low, self.high)


@register
@dataclass(frozen=True)
class Warmup(Schedule):
    """Grows from zero in a straight line, then follows another schedule."""

    over: int
    """Images it takes."""
    then: Schedule

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        return self.then(images_seen) * _progress(images_seen, 0, self.over)

    def scaled(self, factor: float) -> Schedule:  # noqa: D102
        return Warmup(self.over, self.then.scaled(factor))

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        low, high = self.then.bounds()
        return (min(0.0, low), max(0.0, high))


def schedule(text: str) -> Schedule:
    """Read a schedule as the command line writes it.

    Args:
        text: A number, or a call such as `cosine(4e-4, 1e-5, 500k)`.

    Returns:
        The schedule; a number is a constant.

    Raises:
        UsageError: The text is something else.
    """
    try:
        number = float(text)
    except ValueError:
        found = parse(text)
    else:
        return Constant(number)
    if isinstance(found, int) and not isinstance(found, bool):  # 44k
        return Constant(float(found))
    if isinstance(found, Schedule):
        return found
    raise UsageError(
        f"{text!r} is not a schedule.",
        needed="a number, or one of constant, linear, cosine, decay, switch, cyclic, warmup",
        todo="write it as 2e-4, or as decay(2e-4, 0.95, 100k)",
    )


def _span(one: float, other: float) -> tuple[float, float]:
    return (min(one, other), max(one, other))


def _progress(images_seen: int, begin: int, over: int) -> float:
    if over == 0:
        return float(images_seen >= begin)
    return min(1.0, max(0.0, (images_seen - begin) / over))


def _unusable(what: Schedule, name: str, value: float, needed: str) -> UsageError:
    kind = type(what).__name__
    return UsageError(
        f"{kind}.{name} was given {value}.",
        needed=needed,
        todo=f"correct {name}; numbers of images may be written as 500k or 2M",
    )
