"""What was rejected, as pictures: a sheet for each reason, and each of them where they are to be kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.images import sheet, write_png
from facesmith.data.packing.files import REJECTED
from facesmith.data.packing.ledger import Ledger
from facesmith.data.packing.pack import FATES, Pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHEET = 100
"""Pictures on a sheet; an even number, since copies stand in pairs."""
NAME_LENGTH = 100


def has_kept(folder: Path) -> bool:
    """Say whether a dataset's rejected images were kept, each as a picture.

    Args:
        folder: Of the dataset.
    """
    rejected = folder / REJECTED
    return rejected.is_dir() and any(path.is_dir() for path in rejected.iterdir())


def show_rejects(pack: Pack, ledger: Ledger, *, keep: bool) -> None:
    """Write `rejected/REASON.png` for each reason that there are pictures of.

    Copies stand to the right of what is kept.

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
        shown = [each for place in places for each in _beside(ledger, place)][:SHEET]
        columns = max(2, round(len(shown) ** 0.5 / 2) * 2)  # even, so that no pair is torn apart
        drawn = sheet(np.stack([pixels(each) for each in shown]), columns=columns)
        write_png(folder / f"{stem}.png", drawn)
        if keep:
            (folder / stem).mkdir()
            for place in places:
                write_png(folder / stem / _file_name(ledger, place), pixels(place))


def _beside(ledger: Ledger, place: int) -> list[int]:
    """Show a copy to the right of what it is a copy of, so that it can be judged; others alone."""
    kind, _, detail = ledger.reasons[place].partition(": of ")
    if not kind.endswith("duplicate"):
        return [place]
    # A near one also says how far apart they are.
    original = detail.rsplit(", ", 1)[0] if kind != "duplicate" else detail
    return [ledger.titled[original], place]


def _file_name(ledger: Ledger, place: int) -> str:
    """Name a picture after its photo, which may lie in folders and be called anything."""
    name = re.sub(r"[^\w.-]+", "_", ledger.names[place])[-NAME_LENGTH:].lstrip(".")
    face = f"-face{ledger.faces[place]}" if ledger.faces[place] else ""
    # The place first: names that differ only in what was replaced must not collide.
    return f"{place:07d}-{name}{face}.png"
