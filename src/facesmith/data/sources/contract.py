"""What a source is: a list of entries, and a reader of them.

A source lists its entries at once and reads them later, in other processes: what a worker gets is
the source's reader, which is small, and some of the entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesmith.data.photos.crops import PhotoError
    from facesmith.data.sources.annotations import Annotations

Side = Literal["train", "held-out"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a source, not read yet."""

    name: str
    size: int
    """Bytes of the file, or of the pixels where there is no file."""
    index: int
    """Where the reader finds it."""
    version: int = 0
    """Tells content of one name and size apart: when a file was last written (in ns), or the CRC of
    a zip's member; both are known without reading it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source as it was read."""

    content: bytes | NDArray[np.uint8]
    """A file to decode, or pixels (H, W, 3) or (H, W)."""
    side: Side | None = None
    """Where the source's authors put it; None leaves it to the split."""
    labels: tuple[Any, ...] = ()


class Reader(Protocol):
    """Reads entries, in any process."""

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:
        """Read some entries in order.

        Args:
            entries: A part of the source's list.

        Returns:
            An item for each entry, or the reason why it could not be read.
        """
        ...


@dataclass(frozen=True)
class Source:
    """A list of images and what reads them."""

    title: str
    """A short name for people, without the folders above it."""
    entries: Sequence[Entry]
    """Sorted by name; or as they lie in a file that can only be read from its beginning."""
    reader: Reader
    label_names: tuple[str, ...] = ()
    """Of the labels that the reader gives."""
    curated: bool = False
    """Whether others chose and cleaned these images before: drawings, published sets."""
    own_split: bool = False
    """Whether the source says itself what is held out."""
    sequential: bool = False
    """Whether it can only be read from its beginning: to go back costs all that lies before."""
    revision: str = ""
    """Changes when the same entries would give other images, as drawings of a new version do."""
    annotations: Annotations | None = None
    """Labels and sides that are known without reading the images."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all labels: the reader's, then those of the annotations."""
        return self.label_names + (self.annotations.names if self.annotations else ())

    def fingerprint(self) -> dict[str, Any]:
        """Describe the source so that any change of its files, or of its labels, shows.

        Returns:
            The number of images, their bytes, and a hash of all names, sizes and versions.
        """
        identity = hashlib.sha256(self.revision.encode())
        if self.annotations is not None:
            identity.update(f"\0{self.annotations.revision}\0".encode())
        for entry in self.entries:
            line = f"{entry.name}\0{entry.size}\0{entry.version}\0"
            identity.update(line.encode("utf-8", "surrogateescape"))
        return {
            "count": len(self.entries),
            "bytes": sum(entry.size for entry in self.entries),
            "names_sizes_versions": identity.hexdigest(),
        }


def of_both_sides(entries: Sequence[Entry], held_out: Sequence[bool], limit: int) -> list[Entry]:
    """Take the first entries of each side, in proportion: the first of all may be of one side.

    Args:
        entries: Of a source.
        held_out: Whether each is held out by the source's authors.
        limit: How many to take, 1 or more.

    Returns:
        The entries in their order; a single one is for training where that is possible.
    """
    total, held = len(entries), sum(held_out)
    if not 0 < held < total or limit >= total:
        return list(entries[:limit])
    wanted = min(max(1, round(limit * held / total)), limit - 1)
    left = {True: wanted, False: limit - wanted}
    taken = []
    for entry, side in zip(entries, held_out, strict=True):
        if left[side]:
            taken.append(entry)
            left[side] -= 1
    return taken
