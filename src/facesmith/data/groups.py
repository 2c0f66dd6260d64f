"""Which images belong together by their labels, to be drawn equally often or alone."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.base.errors import DataError, UsageError
from facesmith.base.registry import did_you_mean
from facesmith.data.streams import Balanced, Subset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = Mapping[str, NDArray[Any]]
    Rows = NDArray[np.int64]

MOST_VALUES = 12
"""A column of numbers that has more different ones is cut into ranges."""
RANGES = 5
REPEATS = 10
"""Times an epoch; an image that is drawn more often is known by heart."""
SHOWN = 8
"""Values or groups that a message names."""

log = logging.getLogger(__name__)


def balanced(labels: Labels, columns: Sequence[str], rows: Rows) -> Balanced:
    """Draw every group of images equally often.

    Args:
        labels: One array (N,) a column.
        columns: Which of them make the groups; of several, each combination that occurs is one.
        rows: Images to draw from.

    Returns:
        The order. Images without a label, NaN or empty text, are in no group.

    Raises:
        UsageError: There is no such column.
        DataError: There are fewer than two groups.
    """
    groups = grouped(labels, columns, rows)
    named = " and ".join(columns)
    if len(groups) < 2:
        only = f"one group: {next(iter(groups))}" if groups else "no group: all lack the label"
        raise DataError(
            f"By {named}, the {len(rows):,} images are {only}.",
            needed="two groups or more, to be drawn equally often",
            todo="choose another column, or leave out --balance",
        )
    order = Balanced(groups)
    if left := len(rows) - order.count:
        log.warning("%d of %d images lack %s, and are not drawn", left, len(rows), named)
    _warn_of_small(groups, order.count)
    return order


def subset(labels: Labels, name: str, value: Any, rows: Rows) -> Subset:
    """Draw only images that have a label.

    Args:
        labels: One array (N,) a column.
        name: Which of them.
        value: What it must be; for numbers, their text will do.
        rows: Images to draw from.

    Returns:
        The order.

    Raises:
        UsageError: There is no such column, or no image has this value.
    """
    values = column(labels, name)[rows]
    try:
        found = rows[values == (float(value) if _is_number(values) else str(value))]
    except ValueError:  # a word where numbers are
        found = rows[:0]
    if not len(found):
        known = [str(known) for known in np.unique(values).tolist()]
        raise UsageError(
            f"No image has {name} = {value}{did_you_mean(str(value), known)}.",
            needed=f"a value that occurs: {_listed(known)}",
            todo="correct the value",
        )
    return Subset(found)


def grouped(labels: Labels, columns: Sequence[str], rows: Rows) -> dict[str, Rows]:
    """Sort images into groups.

    A column of text, or of at most 12 different numbers, makes a group of each value. Other numbers
    are cut into five ranges of equal width between the lowest and the highest; ranges that hold as
    many images each would be balanced already, and leave the old and the young as rare as they are.

    Args:
        labels: One array (N,) a column.
        columns: Which of them make the groups.
        rows: Images to sort.

    Returns:
        Name of the group, such as `male=1, young=0` -> its rows; in the order of the values.

    Raises:
        UsageError: There is no such column.
    """
    codes, names = zip(
        *(_classes(name, column(labels, name)[rows]) for name in columns), strict=True
    )
    table = np.stack(codes, axis=1)
    known = (table >= 0).all(axis=1)
    kinds, group = np.unique(table[known], axis=0, return_inverse=True)
    group = group.ravel()
    in_order = rows[known][group.argsort(kind="stable")]
    ends = np.bincount(group, minlength=len(kinds)).cumsum().tolist()
    return {
        ", ".join(name[code] for name, code in zip(names, kind, strict=True)): in_order[begin:end]
        for kind, (begin, end) in zip(kinds.tolist(), itertools.pairwise([0, *ends]), strict=True)
    }


def column(labels: Labels, name: str) -> NDArray[Any]:
    """Look up one label.

    Args:
        labels: One array (N,) a column.
        name: Of the column.

    Returns:
        Its array.

    Raises:
        UsageError: There is no such column.
    """
    if name in labels:
        return labels[name]
    raise UsageError(
        f"The labels have no column {name!r}{did_you_mean(name, list(labels))}.",
        needed=f"one of {', '.join(labels)}" if labels else "photos with labels; these have none",
        todo="correct the name" if labels else "prepare the photos with their labels",
    )


def _classes(name: str, values: NDArray[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Number the classes of a column; -1 where the label is missing."""
    known = np.isfinite(values) if _is_number(values) else values != ""
    different = np.unique(values[known])
    if _is_number(values) and len(different) > MOST_VALUES:
        edges = np.linspace(different[0], different[-1], RANGES + 1)
        codes = np.searchsorted(edges[1:-1], values, side="right")
        pairs = itertools.pairwise(edges)
        names = [f"{name} {low:g} to {high:g}" for low, high in pairs]
    else:
        codes = np.searchsorted(different, values)
        names = [f"{name}={value}" for value in different.tolist()]
    return np.where(known, codes, -1), names


def _is_number(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iuf"


def _warn_of_small(groups: Mapping[str, Rows], count: int) -> None:
    often = {name: count / len(groups) / len(rows) for name, rows in groups.items()}
    small = sorted((name for name in often if often[name] > REPEATS), key=lambda n: -often[n])
    if small:
        log.warning(
            "balanced, an epoch repeats the few images of some groups so often that the discriminator "
            "will know them by heart: %s",
            _listed(
                [f"{name} ({len(groups[name])} images, {often[name]:.0f} times)" for name in small]
            ),
        )


def _listed(words: list[str]) -> str:
    return ", ".join(words[:SHOWN]) + (
        f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    )
