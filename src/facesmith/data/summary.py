"""What became of the photos of a source, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from facesmith.data.packing.files import FILES, REJECTED

FEW = 500
"""Images, below which a summary warns."""


@dataclass(frozen=True)
class Summary:
    """What became of the photos of a source."""

    found: int
    train: int
    held_out: int
    rejected: dict[str, int] = field(default_factory=dict)
    """Kind of reason -> images; `files.csv` names them."""
    extra: int = 0
    """Faces beyond the first in photos that hold several: found + extra = train + held_out + rejected."""
    duplicates: int = 0
    """Images that are, byte for byte, another one that is used; uncleaned sets may keep them."""
    enlarged: int = 0
    """Photos that had fewer pixels than the training image."""
    seconds: float = 0.0
    """Time it took; 0 when the dataset was there already."""

    @property
    def used(self) -> int:
        """Photos that train or are held out."""
        return self.train + self.held_out

    def lines(self) -> list[str]:
        """Say it in words, one line a matter.

        Returns:
            Lines to print; problems come after the numbers.
        """
        took = f" in {self.seconds:.1f} s" if self.seconds else ""
        what = f"of {self.found:,} photos"
        if self.extra:
            what = f"of {self.found + self.extra:,} faces in {self.found:,} photos"
        lines = [
            f"{self.used:,} {what} are used{took}: {self.train:,} train, {self.held_out:,} held out"
        ]
        lines += [f"{count:,} rejected: {kind}" for kind, count in self.rejected.items()]
        if self.rejected:
            lines.append(f"{FILES} names each of them and the reason; {REJECTED}/ shows them")
        if self.rejected.get("at the edge", 0) * 2 > self.found:
            lines.append(
                'the photos end close to the faces: --crop "face(margin=0.6)" or center suits them'
            )
        if self.used < FEW:
            lines.append(f"{self.used:,} images are few: a generator learns faces from thousands")
        if self.duplicates:
            lines.append(f"{self.duplicates:,} are exact copies of others")
        if self.enlarged:
            lines.append(f"{self.enlarged:,} were enlarged: a lower resolution suits them better")
        return lines
