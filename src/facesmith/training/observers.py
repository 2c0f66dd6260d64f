"""What watches a run: observers read, write to the run folder, may ask to stop, and never change weights."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facesmith.base import images, records
from facesmith.base.errors import StorageError
from facesmith.base.records import Record
from facesmith.snapshot import GENERATED
from facesmith.training.continuation import save_checkpoint
from facesmith.training.preflight import Preflight
from facesmith.training.view import View
from facesmith.training.watch import Health

log = logging.getLogger(__name__)
SHEET = 64  # faces on a sheet of samples
FAILED = "failed"  # how the reason begins that observers are told when an error ends the run
REALS = "reals.png"
PHOTOS = "training images"


def sheet_name(images_seen: int) -> str:
    """Name the sheet of a moment, within the run folder."""
    return f"samples/fakes-{images_seen:012d}.png"


class Observer(Protocol):
    """Three events; each gets the view of the run."""

    def started(self, view: View) -> str | None:
        """Take note that training begins or goes on; return a reason to ask for a stop, else None."""
        ...

    def stepped(self, view: View, record: Record) -> str | None:
        """Take note of a record; return a reason to ask for a stop, else None."""
        ...

    def finished(self, view: View, reason: str) -> None:
        """Take note that training has ended and was saved, or, with a reason that says so, has failed."""
        ...


@dataclass
class Pace:
    """Says when an interval of images has passed, at the same images in every sitting.

    Args:
        every: Images between two occasions.
        last: Images seen at the last look.
    """

    every: int
    last: int = 0

    def is_due(self, images_seen: int) -> bool:
        """Say whether a multiple of the interval was passed since the last look."""
        due = images_seen // self.every > self.last // self.every
        self.last = images_seen
        return due


@dataclass
class Records:
    """Writes each record to metrics.jsonl."""

    warned: bool = field(default=False, init=False)

    def started(self, view: View) -> None:  # noqa: D102
        pass

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        try:
            records.append(view.folder.metrics, record)
        except OSError as error:
            # Numbers that cannot be written are no reason to lose the training.
            if not self.warned:
                log.warning("metrics.jsonl is not being written: %s", error)
            self.warned = True
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        pass


@dataclass
class Samples:
    """Writes a sheet of real images once, and sheets of fakes of the same latents through time."""

    pace: Pace = field(init=False)

    def started(self, view: View) -> None:  # noqa: D102
        self.pace = Pace(view.run.sample_every, view.state.images_seen)
        self._write(view, REALS, self._reals(view))
        if view.state.images_seen == 0:
            self._sheet(view)

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        if self.pace.is_due(record.images_seen):
            self._sheet(view)
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        if not reason.startswith(FAILED):
            self._sheet(view)

    def _reals(self, view: View) -> NDArray[np.uint8]:
        count = min(SHEET, view.dataset.count)
        return view.dataset.batch(0, count, seed=view.run.seed, flip=0.0)

    def _sheet(self, view: View) -> None:
        self._write(view, sheet_name(view.state.images_seen), view.fakes(SHEET))

    def _write(self, view: View, name: str, faces: NDArray[np.uint8]) -> None:
        try:
            text = {"Software": "facesmith", "Source": PHOTOS if name == REALS else GENERATED}
            images.write_png(view.folder.path / name, images.sheet(faces), text=text)
        except OSError as error:
            log.warning("%s was not written: %s", name, error)


@dataclass
class Checkpoints:
    """Saves the whole state every so many images."""

    pace: Pace = field(init=False)

    def started(self, view: View) -> None:  # noqa: D102
        self.pace = Pace(view.run.checkpoint_every, view.state.images_seen)

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        if self.pace.is_due(record.images_seen):
            try:
                save_checkpoint(view)
            except StorageError as error:
                # The disk may have room again by the next time; the save at the end must succeed.
                log.warning("No checkpoint was saved this time, training goes on. %s", error)
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        pass


def standard(*more: Observer, health: Health | None = None) -> list[Observer]:
    """Give the observers that every run has.

    Args:
        *more: Others, such as a progress display.
        health: The one that diagnoses, for whoever wants to ask it.

    Returns:
        Observers in the order in which they are told.
    """
    return [Preflight(), Records(), Samples(), Checkpoints(), health or Health(), *more]
