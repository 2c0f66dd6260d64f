"""Who is in the data, as far as labels say: each column, and combinations that hardly exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.audit.contents import Column, Pair, Shares, Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = Mapping[str, NDArray[Any]]

CLASSES = 20
"""Different values that are still shown one by one; whole numbers with more are a scale."""
SHOWN = 12
"""Bars of a column with more values."""
RANGES = 6
"""Into which a scale is cut to be counted."""
MOST_BINS = 24
"""Of the images that each person has."""
PAIRS = 6
SHORTFALL = 0.005
"""Of all images that a combination must lack before it is shown."""
CHANCE = 5.0
"""By how many standard deviations of chance it must be rarer; there may be hundreds of pairs."""
PEOPLE = ("identity", "person", "people", "subject", "celebrity", "individual")
"""Words in the name of a column that says who it is."""
BINARY = "yes or no"
OTHERS = "others"


def sum_up(labels: Labels) -> tuple[Column, ...]:
    """Describe each label.

    Args:
        labels: Arrays (N,) of numbers or text; NaN and empty text are unknown.

    Returns:
        The columns, in their order.
    """
    return tuple(_column(name, typed(values)) for name, values in labels.items())


def pairs(labels: Labels) -> tuple[Pair, ...]:
    """Find combinations of two yes-or-no labels that are rarer than chance would have them.

    Args:
        labels: Arrays (N,).

    Returns:
        Those that lack most images first.
    """
    binary = {name: yes for name, values in labels.items() if (yes := _yes(values)) is not None}
    found = []
    for first, second in combinations(binary, 2):
        one, two = binary[first], binary[second]
        known = (one >= 0) & (two >= 0)
        table = np.bincount(2 * one[known] + two[known], minlength=4).reshape(2, 2)
        if not (total := int(table.sum())):
            continue
        rows, columns = table.sum(1), table.sum(0)
        expected = np.outer(rows, columns) / total
        lacking = expected - table
        by_chance = float((rows.prod() / total * columns.prod() / total / total) ** 0.5)
        if lacking.max() < max(SHORTFALL * total, CHANCE * by_chance):
            continue
        # The shortfall is equal on a diagonal: the rarer of the two is the one to name.
        at = np.where(lacking >= lacking.max() - 1e-9, table, total + 1).argmin()
        row, column = divmod(int(at), 2)
        found.append(
            Pair(
                first,
                second,
                ((int(table[0, 0]), int(table[0, 1])), (int(table[1, 0]), int(table[1, 1]))),
                (("no", "yes")[row], ("no", "yes")[column]),
                int(table[row, column]),
                float(expected[row, column]),
            )
        )
    return tuple(sorted(found, key=lambda pair: pair.images - pair.expected)[:PAIRS])


def typed(values: NDArray[Any]) -> NDArray[Any]:
    """Read numbers that became text because some are missing.

    Args:
        values: Array (N,) of numbers or text.

    Returns:
        Numbers with NaN where text was empty, or the values as they are.
    """
    if values.dtype.kind not in "US":
        return values
    try:
        return np.array([float(text) if text.strip() else np.nan for text in values.tolist()])
    except ValueError:
        return values


def _column(name: str, values: NDArray[Any]) -> Column:
    if any(word in name.lower() for word in PEOPLE):
        return _identities(name, values)
    if values.dtype.kind in "US":
        counted = Counter(text for text in values.tolist() if text.strip())
        return _classes(name, "classes", counted, len(values), len(counted) > CLASSES)
    numbers = values.astype(np.float64)
    known = numbers[np.isfinite(numbers)]
    different = np.unique(known)
    if (yes := _yes(values)) is not None:
        return Column(name, BINARY, len(different), Shares.of(yes, ("no", "yes")), None)
    if len(different) <= CLASSES and (different == np.round(different)).all():
        counted = Counter(f"{number:g}" for number in known.tolist())
        ordered = Counter({f"{v:g}": counted[f"{v:g}"] for v in different.tolist()})
        return _classes(name, "classes", ordered, len(values), False)
    low, high = float(different[0]), float(different[-1])
    return Column(
        name,
        "numbers",
        len(different),
        _ranges(numbers, low, high),
        Spread.of(numbers, low, high),
    )


def _yes(values: NDArray[Any]) -> NDArray[np.int64] | None:
    """Read a column of yes and no, which is written as 0 and 1 or -1 and 1: 1, 0, or -1 for unknown."""
    values = typed(values)
    if values.dtype.kind in "US":
        return None
    numbers = values.astype(np.float64)
    known = np.isfinite(numbers)
    seen = set(np.unique(numbers[known]).tolist())
    if not seen or not (seen <= {0.0, 1.0} or seen <= {-1.0, 1.0}):
        return None
    return np.where(known, (numbers > 0).astype(np.int64), -1)


def _classes(name: str, kind: str, counted: Counter[str], total: int, many: bool) -> Column:
    entries = counted.most_common(SHOWN) if many else list(counted.items())
    rest = counted.total() - sum(number for _, number in entries)
    if rest:
        entries.append((OTHERS, rest))
    shares = Shares(
        tuple(text for text, _ in entries),
        tuple(number for _, number in entries),
        total - counted.total(),
    )
    return Column(name, kind, len(counted), shares, None)


def _identities(name: str, values: NDArray[Any]) -> Column:
    counted = Counter(_texts(values))
    column = _classes(name, "identities", counted, len(values), True)
    each = np.array(list(counted.values()), np.float64)
    most = int(each.max(initial=1))
    spread = Spread.of(each, 0, most + 1, min(most + 1, MOST_BINS))
    return Column(name, column.kind, column.values, column.shares, spread)


def _texts(values: NDArray[Any]) -> Iterator[str]:
    for value in values.tolist():
        if isinstance(value, str):
            if value.strip():
                yield value
        elif np.isfinite(value):
            yield f"{value:.0f}"


def _ranges(numbers: NDArray[np.float64], low: float, high: float) -> Shares:
    edges = np.linspace(low, high, RANGES + 1)
    if high - low >= RANGES:
        edges = np.round(edges)
    place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, RANGES - 1)
    names = [f"{a:.4g} to {b:.4g}" for a, b in pairwise(edges)]
    return Shares.of(np.where(np.isfinite(numbers), place, -1).astype(np.int64), names)
