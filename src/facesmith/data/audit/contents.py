"""What an audit holds: numbers that go into JSON, and the pictures that a page shows beside them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

BINS = 40
QUANTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Spread:
    """How a number is distributed over images."""

    count: int
    """Images on which it is known."""
    missing: int
    """Images on which it is not."""
    mean: float
    std: float
    quantiles: dict[str, float]
    """Of `QUANTILES` per cent of the images it is lower."""
    edges: tuple[float, ...]
    """Of the histogram's bins; what lies outside is counted in the first or the last."""
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: ArrayLike, low: float, high: float, bins: int = BINS) -> Self:
        """Sum up numbers.

        Args:
            values: Any shape; NaN where unknown.
            low: Left end of the histogram.
            high: Right end.
            bins: Of the histogram.

        Returns:
            The distribution; its mean, deviation and quantiles are NaN where nothing is known.
        """
        numbers = np.asarray(values, np.float64).ravel()
        known = numbers[np.isfinite(numbers)]
        edges = np.linspace(low, high, bins + 1)
        counts, _ = np.histogram(np.clip(known, low, high), edges)
        at = np.percentile(known, QUANTILES) if len(known) else np.full(len(QUANTILES), np.nan)
        return cls(
            count=len(known),
            missing=len(numbers) - len(known),
            mean=float(known.mean()) if len(known) else math.nan,
            std=float(known.std()) if len(known) else math.nan,
            quantiles={str(q): float(value) for q, value in zip(QUANTILES, at, strict=True)},
            edges=tuple(edges.tolist()),
            counts=tuple(counts.tolist()),
        )

    @property
    def median(self) -> float:
        """The number in the middle."""
        return self.quantiles["50"]


@dataclass(frozen=True)
class Shares:
    """How images divide into classes."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    missing: int = 0
    """Images that belong to none because it could not be told."""

    @classmethod
    def of(cls, classes: NDArray[np.int64], names: Sequence[str]) -> Self:
        """Count classes.

        Args:
            classes: Array (N,) of numbers of names; below 0 where unknown.
            names: One a class.

        Returns:
            The counts.
        """
        known = classes[classes >= 0]
        counts = np.bincount(known, minlength=len(names))
        return cls(tuple(names), tuple(counts.tolist()), len(classes) - len(known))

    @property
    def count(self) -> int:
        """Images that belong to a class."""
        return sum(self.counts)

    def share(self, *names: str) -> float:
        """Give the part of the images that belong to one of some classes.

        Args:
            names: The classes.

        Returns:
            From 0 to 1, of those that belong to any; 0 where none does.
        """
        return self.number(*names) / self.count if self.count else 0.0

    def number(self, *names: str) -> int:
        """Count the images that belong to one of some classes.

        Args:
            names: The classes.

        Returns:
            Images.
        """
        return sum(n for name, n in zip(self.names, self.counts, strict=True) if name in names)


@dataclass(frozen=True)
class Counts:
    """What became of the photos."""

    found: int
    """Photos."""
    extra: int
    """Images beyond one a photo: faces of groups."""
    train: int
    held_out: int
    rejected: dict[str, int]
    """Images by the kind of reason."""
    enlarged: int


@dataclass(frozen=True)
class Pixels:
    """What the network sees."""

    measured: int
    """Images that were looked at, spread evenly over all of them."""
    of: int
    resolution: int
    channels: int
    mean: tuple[float, ...]
    """Of each channel, in [0, 1]."""
    std: tuple[float, ...]
    ranges: dict[str, tuple[tuple[float, float], ...]]
    """For each scaling the lowest and the highest network value of each channel."""
    exact: bool
    """Whether scaling and its inverse gave every pixel of the preview back."""


@dataclass(frozen=True)
class State:
    """In what state the pictures are."""

    spreads: dict[str, Spread]
    flaws: dict[str, int]
    """Images with a flaw that can be seen; one image may have several."""


@dataclass(frozen=True)
class Copies:
    """Images that look alike."""

    compared: int
    distance: float
    """Of two signatures that count as alike, at most."""
    groups: int
    surplus: int
    """Images beyond the first of each group."""
    largest: int
    held_out: int
    leaked: int
    """Held-out images that look like a training image."""
    examples: tuple[tuple[str, ...], ...]
    """Names of the members of the largest groups."""


@dataclass(frozen=True)
class Outlier:
    """An image far from all others."""

    name: str
    distance: float
    """In units of the median image's."""


@dataclass(frozen=True)
class Skin:
    """Skin as it appears in the pictures; light and camera are part of it."""

    angle: Spread
    """Individual typology angle in degrees; light is high."""
    tones: Shares
    """By the angle."""
    monk: Shares
    """By the nearest of ten colours."""


@dataclass(frozen=True)
class Pose:
    """Where the heads are turned."""

    yaw: Spread
    """Degrees from straight ahead."""
    turned: Shares
    roll: Spread


@dataclass(frozen=True)
class Background:
    """What surrounds the faces."""

    kinds: Shares
    colour: str
    """The commonest colour of plain backgrounds, as #rrggbb; empty where there is none."""
    alike: int
    """Images whose plain background has about that colour."""


@dataclass(frozen=True)
class Column:
    """One label of the training images."""

    name: str
    kind: str
    """`yes or no`, `classes`, `numbers` or `identities`."""
    values: int
    """Different ones."""
    shares: Shares
    """Images of each class, or the commonest; for numbers, of each range."""
    spread: Spread | None
    """For numbers, and for the images of each identity."""


@dataclass(frozen=True)
class Pair:
    """Two labels that go together or avoid each other."""

    first: str
    second: str
    table: tuple[tuple[int, int], tuple[int, int]]
    """Images by first (no, yes) and second (no, yes)."""
    rarest: tuple[str, str]
    """The combination that lacks most, as no or yes of first and second."""
    images: int
    """Of it."""
    expected: float
    """Images of it if the two had nothing to do with each other."""


@dataclass(frozen=True)
class Picture:
    """An image to be shown."""

    pixels: NDArray[np.uint8]
    """Array (H, W, C)."""
    name: str
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """Images that show one thing."""

    title: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Audit:
    """Who is in a collection of faces, and in what state the pictures are."""

    title: str
    folder: str
    """Of the dataset; empty for images that have none."""
    counts: Counts | None
    pixels: Pixels
    state: State
    copies: Copies
    outliers: tuple[Outlier, ...]
    skin: Skin
    pose: Pose | None
    background: Background
    labels: tuple[Column, ...]
    pairs: tuple[Pair, ...]
    sheets: dict[str, tuple[Sheet, ...]] = field(default_factory=dict, repr=False, compare=False)
    """Pictures of each section, which are for the page alone."""

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as JSON can hold them.

        Returns:
            Everything but the pictures; what is not finite is None.
        """
        numbers = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "sheets"}
        storable = {name: _storable(value) for name, value in numbers.items()}
        return {key: value for key, value in storable.items()}


def _storable(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    # JSON has no NaN: a number that is not finite becomes null.
    return None if isinstance(value, float) and not math.isfinite(value) else value
