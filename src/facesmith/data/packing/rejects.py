"""What was rejected, as pictures: a sheet for each reason, and each of them where they are to be kept."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.images import sheet, write_png
from facesmith.data.packing.files import REJECTED
from facesmith.data.packing.ledger import Ledger
from facesmith.data.packing.pack import FATES, Pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHEET = 100
"""Pictures on a sheet."""
NAME_LENGTH = 100


def show_rejects(pack: Pack, ledger: Ledger, *, keep: bool) -> None:
    """Write `rejected/REASON.png` for each reason that there are pictures of.

    Args:
        pack: Whose rows are not closed yet.
        ledger: With its final fates.
        keep: Whether each picture is written, too, as `rejected/REASON/NAME.png`.

    Raises:
        OSError: The disk is full or refuses.
    """
    folder = pack.folder / REJECTED
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed here
    numbers = ledger.rows(ledger.written)

    def pixels(place: int) -> NDArray[np.uint8]:
        row = pack.row(FATES[ledger.written[place]], int(numbers[place]))
        return np.frombuffer(row, np.uint8).reshape(pack.shape)

    for kind, places in ledger.by_kind():
        folder.mkdir(exist_ok=True)
        stem = kind.replace(" ", "-")
        write_png(folder / f"{stem}.png", sheet(np.stack([pixels(p) for p in places[:SHEET]])))
        if keep:
            (folder / stem).mkdir()
            for place in places:
                write_png(folder / stem / _file_name(ledger, place), pixels(place))


def _file_name(ledger: Ledger, place: int) -> str:
    """Name a picture after its photo, which may lie in folders and be called anything."""
    name = re.sub(r"[^\w.-]+", "_", ledger.names[place])[-NAME_LENGTH:].lstrip(".")
    face = f"-face{ledger.faces[place]}" if ledger.faces[place] else ""
    # The place first: names that differ only in what was replaced must not collide.
    return f"{place:07d}-{name}{face}.png"
