"""What became of each image, in columns: for decisions that need all of them at once."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.packing.pack import FATES, Record
from facesmith.data.quality.signatures import WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_FOR_HELD_OUT = 10
"""Usable photos; with fewer, all are for training."""
TRAIN, HELD_OUT, REJECTED = range(len(FATES))


@dataclass
class Ledger:
    """All records of a pack; rows stay in their order, fates may still change."""

    names: list[str]
    digests: list[str]
    """SHA-256 of the photo; several faces of one photo share it."""
    faces: NDArray[np.int32]
    shown: NDArray[np.bool_]
    """Whether there are pixels."""
    written: NDArray[np.uint8]
    """Fate under which the pixels were written, as a place in FATES."""
    columns: dict[str, NDArray[np.float32]]
    """Each fact that is known of some image; NaN where it is not."""
    signatures: NDArray[np.uint64]
    """Array (N, WORDS); zeros where there are no pixels."""
    reasons: dict[int, str]
    """Of the rejected."""
    fates: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self.fates = self.written.copy()

    @classmethod
    def read(cls, records: Iterable[Record]) -> Ledger:
        """Collect records.

        Args:
            records: All of a pack, in order.

        Returns:
            The ledger.
        """
        names, digests, faces, shown, fates = [], [], [], [], []
        signatures = bytearray()
        facts: dict[str, dict[int, float]] = {}
        reasons: dict[int, str] = {}
        for index, record in enumerate(records):
            names.append(record.name)
            digests.append(record.sha256)
            signatures += base64.b64decode(record.signature) or bytes(8 * WORDS)
            faces.append(record.face)
            shown.append(record.shown)
            fates.append(FATES.index(record.fate))
            for key, value in record.facts.items():
                facts.setdefault(key, {})[index] = value
            if record.reason:
                reasons[index] = record.reason
        return cls(
            names,
            digests,
            np.array(faces, np.int32),
            np.array(shown, np.bool_),
            np.array(fates, np.uint8),
            {key: _column(values, len(names)) for key, values in facts.items()},
            np.frombuffer(signatures, np.uint64).reshape(-1, WORDS),
            reasons,
        )

    @property
    def used(self) -> NDArray[np.int64]:
        """Places of the images that train or are held out."""
        return np.flatnonzero(self.fates != REJECTED)

    def title(self, place: int) -> str:
        """Name an image for people: its photo, and which face of it."""
        face = self.faces[place]
        return f"{self.names[place]}, face {face}" if face else self.names[place]

    @cached_property
    def titled(self) -> dict[str, int]:
        """Where each image is, by its title."""
        return {self.title(place): place for place in range(len(self.names))}

    def reject(self, places: Sequence[int] | NDArray[np.int64], reasons: Sequence[str]) -> None:
        """Reject images.

        Args:
            places: Among all.
            reasons: One each; what has none is kept.
        """
        for place, reason in zip(np.asarray(places).tolist(), reasons, strict=True):
            if reason:
                self.fates[place] = REJECTED
                self.reasons[place] = reason

    def settle(self, share: float) -> None:
        """Mend a split whose one side was left empty by chance.

        Args:
            share: The part of the images that should be held out.
        """
        side = {self.digests[place]: int(self.fates[place]) for place in self.used.tolist()}
        moved = _moved(side, share, len(self.used))
        for place in self.used.tolist():
            if self.digests[place] in moved:
                self.fates[place] = TRAIN + HELD_OUT - self.fates[place]

    def rows(self, fates: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Number the shown images of each fate.

        Args:
            fates: `written`, or `fates` as they are now.

        Returns:
            Array (N,): the row of each image among those of its fate; -1 where it is not shown.
        """
        rows = np.full(len(self.names), -1, np.int64)
        for fate in range(len(FATES)):
            mine = self.shown & (fates == fate)
            rows[mine] = np.arange(np.count_nonzero(mine))
        return rows

    def counts(self, photos: int, resolution: int) -> dict[str, Any]:
        """Give the manifest's counts.

        Args:
            photos: In the source.
            resolution: Of the training images.

        Returns:
            What adds up: found + extra = train + held_out + all rejected.
        """
        kinds = Counter(reason.partition(":")[0] for reason in self.reasons.values())
        used = self.used
        different = {(self.digests[place], int(self.faces[place])) for place in used.tolist()}
        sides = self.columns.get("side", np.zeros(len(self.names), np.float32))
        return {
            "found": photos,
            "extra": len(self.names) - photos,
            "train": int(np.count_nonzero(self.fates == TRAIN)),
            "held_out": int(np.count_nonzero(self.fates == HELD_OUT)),
            "rejected": dict(sorted(kinds.items())),
            "duplicates": len(used) - len(different),
            "enlarged": int(np.count_nonzero(sides[used] < resolution)),
        }

    def by_kind(self) -> Iterator[tuple[str, list[int]]]:
        """Give the rejected that there are pixels of, one kind of reason after the other.

        Yields:
            The kind, and places among all.
        """
        places: dict[str, list[int]] = {}
        for place in sorted(self.reasons):
            if self.shown[place]:
                places.setdefault(self.reasons[place].partition(":")[0], []).append(place)
        yield from sorted(places.items())


def _column(values: Mapping[int, float], length: int) -> NDArray[np.float32]:
    column = np.full(length, np.nan, np.float32)
    column[list(values)] = list(values.values())
    return column


def _moved(side: Mapping[str, int], share: float, used: int) -> frozenset[str]:
    held_out = frozenset(digest for digest, fate in side.items() if fate == HELD_OUT)
    if share == 0 or used < MIN_FOR_HELD_OUT or len(side) == 1:
        return held_out
    lowest = min(side, default="")
    if not held_out:
        return frozenset({lowest})
    return held_out - {lowest} if len(held_out) == len(side) else frozenset()
