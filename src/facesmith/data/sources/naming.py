"""What the names of photos tell by themselves: UTKFace's labels, FFHQ's split, folders as classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from facesmith.data.sources.annotations import SIDES, Cells, Table
from facesmith.data.sources.limits import is_photo

UTKFACE = re.compile(r"(?P<age>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_\d{14,20}\D.*", re.ASCII)
"""Age in years, gender 0 male or 1 female, race as the set's authors number it, date and time."""
FFHQ_IMAGES, FFHQ_TRAIN = 70_000, 60_000
SHARD = re.compile(r"\d{5}")
"""Folders that are only there to hold some thousand files each, as in FFHQ and StyleGAN's sets."""
MAX_FOLDERS = 20_000
"""More are no classes; LFW has 5,749 people."""


def tables_of_names(names: Sequence[str]) -> list[Table]:
    """Find out what the names of photos tell.

    Args:
        names: Of a source's entries.

    Returns:
        Tables with a row for each photo whose name tells something; there may be none.
    """
    photos = list(dict.fromkeys(filter(is_photo, names)))
    found = _utkface(photos) or _ffhq(photos) or _folders(photos)
    return [found] if found else []


def _utkface(photos: Sequence[str]) -> Table | None:
    """Read `[age]_[gender]_[race]_[datetime].jpg.chip.jpg`; a few names lack a part: no labels."""
    matches = [UTKFACE.fullmatch(photo.rpartition("/")[2]) for photo in photos]
    named = [(photo, match) for photo, match in zip(photos, matches, strict=True) if match]
    if not photos or 2 * len(named) < len(photos):
        return None
    columns = {name: Cells() for name in ("age", "gender", "race")}
    for name, cells in columns.items():
        cells.extend(match[name] for _, match in named)
    return Table(
        "UTKFace's names",
        [photo for photo, _ in named],
        {name: cells.column() for name, cells in columns.items()},
        revision="utkface",
    )


def _ffhq(photos: Sequence[str]) -> Table | None:
    """Split FFHQ as its authors do; only the whole set, 00000 to 69999, is known for it."""
    if len(photos) != FFHQ_IMAGES:
        return None
    stems = [PurePosixPath(photo).stem for photo in photos]
    if sorted(stems) != [f"{number:05d}" for number in range(FFHQ_IMAGES)]:
        return None
    train = np.array([int(stem) < FFHQ_TRAIN for stem in stems])
    sides = np.where(train, SIDES["train"], SIDES["held-out"]).astype(np.int8)
    return Table("FFHQ's split", photos, {}, sides, revision="ffhq")


def _folders(photos: Sequence[str]) -> Table | None:
    """Take the folder as a label where all photos lie in folders side by side."""
    parents = [photo.rpartition("/")[0] for photo in photos]
    around = {parent.rpartition("/")[0] if "/" in parent else "" for parent in parents}
    folders = {parent.rpartition("/")[2] for parent in parents}
    if len(around) != 1 or "" in folders or not 2 <= len(folders) <= MAX_FOLDERS:
        return None
    if all(map(SHARD.fullmatch, folders)):
        return None
    cells = Cells()
    cells.extend(parent.rpartition("/")[2] for parent in parents)
    return Table("folders", photos, {"folder": cells.column()}, revision="folders")
