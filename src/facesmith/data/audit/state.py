"""In what state pictures are: dark, flat, blurred, without colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.audit.contents import Spread, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = Mapping[str, NDArray[np.float32]]

AXES = {
    "brightness": (0.0, 1.0),
    "contrast": (0.0, 0.5),
    "detail": (0.2, 1.2),
    "colour": (0.0, 0.6),
    "clipped": (0.0, 0.5),
}
"""Ends of the histogram of each measure."""
FLAWS: dict[str, Callable[[Values], NDArray[np.bool_]]] = {
    "dark": lambda m: m["brightness"] < 0.2,
    "overexposed": lambda m: m["brightness"] > 0.85,
    "flat": lambda m: m["contrast"] < 0.08,
    "blurred": lambda m: m["detail"] < 0.45,
    "grey": lambda m: m["colour"] < 0.02,
    "clipped": lambda m: m["clipped"] > 0.3,
}
"""What can be seen with the naked eye, and where it begins."""


def sum_up(measures: Values) -> State:
    """Say in what state the pictures are.

    Args:
        measures: Of `measure`, arrays (N,).

    Returns:
        Distributions, and the number of pictures with each flaw.
    """
    return State(
        spreads={name: Spread.of(measures[name], *ends) for name, ends in AXES.items()},
        flaws={name: _count(found(measures)) for name, found in FLAWS.items()},
    )


def _count(found: NDArray[Any]) -> int:
    return int(np.count_nonzero(found))
