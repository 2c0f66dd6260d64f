"""Where the heads are turned, as far as a detector said so when the photos were prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.audit.contents import Pose, Shares, Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

TURNS = ("straight ahead", "half turned", "profile")
HALF, PROFILE = 15.0, 45.0
"""Degrees of yaw where a turn begins."""


def turns(yaw: NDArray[np.floating]) -> NDArray[np.int64]:
    """Name turns of the head.

    Args:
        yaw: Degrees (N,); NaN where unknown.

    Returns:
        Numbers of `TURNS`; -1 where the yaw is NaN.
    """
    known = np.isfinite(yaw)
    away = np.abs(np.where(known, yaw, 0))
    number = (away >= HALF).astype(np.int64) + (away >= PROFILE)
    return np.where(known, number, -1)


def sum_up(facts: Mapping[str, NDArray[np.floating]]) -> Pose | None:
    """Say where the heads are turned.

    Args:
        facts: Arrays (N,) in degrees; `yaw` and `roll` are looked for.

    Returns:
        Distributions, or None where no yaw is known.
    """
    yaw = np.asarray(facts.get("yaw", ()), np.float64)
    if not np.isfinite(yaw).any():
        return None
    roll = facts.get("roll", np.full(len(yaw), np.nan))
    return Pose(
        yaw=Spread.of(yaw, -90, 90, 36),
        turned=Shares.of(turns(yaw), TURNS),
        roll=Spread.of(roll, -45, 45, 36),
    )
