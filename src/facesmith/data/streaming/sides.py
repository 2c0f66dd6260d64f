"""Which photos are trained on, decided before any of them is read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.packing.finish import MAX_HELD_OUT
from facesmith.data.plan import HELD_OUT
from facesmith.data.sources.contract import Entry, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


def split(source: Source, held_out: float | None) -> tuple[Places, Places]:
    """Part the entries of a source, in the order in which their reader finds them.

    Args:
        source: The photos.
        held_out: Share of photos to hold out, by the hash of their names; None keeps the split of the
            source's authors.

    Returns:
        Places of the entries to train on, and of those held out.

    Raises:
        DataError: The authors' split is told with each photo, when it is read.
    """
    told = source.annotations if held_out is None else None
    if source.own_split and held_out is None and (told is None or told.sides is None):
        raise DataError(
            f"{source.title} says with each image whether it is held out, which is known too late.",
            needed="photos that are split by their names, or by a list",
            todo="leave out --cache none",
        )
    share = min(HELD_OUT if held_out is None else held_out, MAX_HELD_OUT / len(source.entries))

    def is_held_out(entry: Entry) -> bool:
        if told is not None and (side := told.side(entry.name)) is not None:
            return side == "held-out"
        digest = hashlib.sha256(entry.name.encode("utf-8", "surrogateescape")).hexdigest()
        return int(digest[:16], 16) < share * 2**64

    places = np.argsort([entry.index for entry in source.entries], kind="stable")
    held = np.array([is_held_out(source.entries[place]) for place in places])
    return places[~held], places[held]
