"""Images that look alike, and held-out images that look like training images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.audit.contents import Copies
from facesmith.data.quality.signatures import NEAR, groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Groups = list[NDArray[np.int64]]

EXAMPLES = 50
"""Groups that are named."""


def find(signatures: NDArray[np.uint64], train: int) -> tuple[Groups, NDArray[np.int64]]:
    """Group images that look alike.

    Args:
        signatures: Of the training images, then of the held-out ones.
        train: How many of them are training images.

    Returns:
        Rows of each group of two or more training images, largest first; and pairs (held-out row,
        training row) of those that look alike across the split.
    """
    first = groups(signatures, NEAR)
    order = np.argsort(first, kind="stable")
    starts = np.flatnonzero(np.diff(first[order], prepend=-1))
    found, leaked = [], []
    for members in np.split(order, starts[1:]):
        if len(members) == 1:
            continue
        inside = members[members < train]
        if len(inside) > 1:
            found.append(inside)
        if len(inside):
            leaked += [(row - train, inside[0]) for row in members[members >= train]]
    found.sort(key=lambda rows: (-len(rows), rows[0]))
    return found, np.array(leaked, np.int64).reshape(-1, 2)


def sum_up(
    found: Groups,
    leaked: NDArray[np.int64],
    train: int,
    held_out: int,
    name: Callable[[int], str],
) -> Copies:
    """Count copies.

    Args:
        found: Groups of training images.
        leaked: Pairs across the split.
        train: Training images that were compared.
        held_out: Held-out images that were compared.
        name: Of a training image, by its row.

    Returns:
        The counts.
    """
    sizes = [len(rows) for rows in found]
    return Copies(
        compared=train,
        distance=NEAR,
        groups=len(found),
        surplus=sum(sizes) - len(found),
        largest=max(sizes, default=1),
        held_out=held_out,
        leaked=len(leaked),
        examples=tuple(tuple(name(int(row)) for row in rows) for rows in found[:EXAMPLES]),
    )
