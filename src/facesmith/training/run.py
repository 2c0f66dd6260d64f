"""A run: where, on what data, how long. It does not travel with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facesmith.base.errors import UsageError

PROBES = 64
"""Of a run, up to which each record has one."""
MOST_RECORDS = 4
"""From one probe to the next."""
Cache = Literal["auto", "disk", "ram", "device", "none"]
"""Where images are kept while they are trained on."""


@dataclass(frozen=True)
class Run:
    """Place, length, seed, device, what of the data and from where, and the observers' pace."""

    folder: Path
    """The run folder; running the same command again continues."""
    images: int
    """Real images to see in all."""
    seed: int = 0
    """Every random number of the run follows from it."""
    minutes: float | None = None
    """Training stops earlier if it has taken so long, over all sittings."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; auto takes cuda, then mps, then cpu."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the networks; auto measures both where the hardware has bf16."""
    balance: tuple[str, ...] = ()
    """Labels whose groups of images are drawn equally often."""
    cache: Cache = "auto"
    """Where the images are kept: on disk, in ram, or on the device; auto takes the device where that is a
    GPU with memory to spare, else the disk. With none, photos are decoded while they are trained on."""
    record_every: int = 1_000
    """Images between two lines of metrics.jsonl."""
    sample_every: int = 10_000
    """Images between two sheets of samples."""
    checkpoint_every: int = 50_000
    """Images between two checkpoints; one is also saved at the end and when stopped."""
    keep: int = 3
    """Checkpoints that are kept."""

    def __post_init__(self) -> None:
        paces = (
            self.images,
            self.record_every,
            self.sample_every,
            self.checkpoint_every,
            self.keep,
        )
        if self.minutes is not None and not self.minutes > 0:
            raise UsageError(
                f"minutes was given as {self.minutes}.",
                needed="a time above 0",
                todo="give --minutes 30, or leave it out to train for all --images",
            )
        if min(paces) < 1:
            raise UsageError(
                f"images, record_every, sample_every, checkpoint_every, keep = {paces}.",
                needed="1 or more of each",
                todo="give a length such as --images 200k",
            )

    @property
    def probe_every(self) -> int:
        """Images between two records for which both networks are examined and probed.

        Each record of a short run, each fourth of a long one: a probe takes as long as a dozen updates.
        """
        records = -(-self.images // (PROBES * self.record_every))
        return self.record_every * min(MOST_RECORDS, records)

    def is_probed(self, before: int, now: int) -> bool:
        """Say whether networks are to be examined at an update.

        Args:
            before: Images seen before it.
            now: Images seen after it.

        Returns:
            Whether a multiple of `probe_every` is passed, or the length reached.
        """
        return now >= self.images or now // self.probe_every > before // self.probe_every

    def has_occasion(self, before: int, now: int) -> bool:
        """Say whether a record, a sheet, a checkpoint or the end is due.

        Args:
            before: Images seen before the last update.
            now: Images seen after it.

        Returns:
            Whether a multiple of an interval was passed, or the length reached.
        """
        paces = (self.record_every, self.sample_every, self.checkpoint_every)
        return now >= self.images or any(now // every > before // every for every in paces)
