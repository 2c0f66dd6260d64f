"""The live display: a line that moves in a terminal, plain lines elsewhere."""

from __future__ import annotations

import atexit
import contextlib
import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from facesmith.base.records import Record
from facesmith.training.observers import Observer
from facesmith.training.run import Run
from facesmith.training.view import View

PLAIN_EVERY_SECONDS = 15.0


def progress_display(run: Run) -> Observer:
    """Choose the display that suits where the output goes.

    Args:
        run: Says how long it is.

    Returns:
        An observer.
    """
    return Live(Remaining(run)) if sys.stdout.isatty() else Plain(Remaining(run))


@dataclass
class Remaining:
    """How far a run is and how long it will take."""

    run: Run
    speed: float = field(default=0.0, init=False)

    def look(self, record: Record) -> tuple[float, str]:
        """Say how far the run is at a record.

        Args:
            record: The newest.

        Returns:
            Share of the run that is done, 0 to 1; time left as h:mm:ss.
        """
        now = record.images_per_second
        self.speed = now if self.speed == 0 else 0.8 * self.speed + 0.2 * now
        share = record.images_seen / self.run.images
        left = (self.run.images - record.images_seen) / self.speed if self.speed else 0.0
        if self.run.minutes is not None:
            seconds = 60 * self.run.minutes
            share, left = max(share, record.seconds / seconds), min(left, seconds - record.seconds)
        whole = max(0, int(left))
        return min(1.0, share), f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def summary(record: Record) -> str:
    """Write a record in one line: losses, D(real), D(fake), speed, memory."""
    return (
        f"{record.images_per_second:.0f} img/s  "
        f"loss D {record.discriminator_loss:.3f} G {record.generator_loss:.3f}  "
        f"D(real) {record.real_probability:.2f} D(fake) {record.fake_probability:.2f}  "
        f"{record.memory_bytes / 2**30:.1f} GB"
    )


@dataclass
class Plain:
    """Prints a line now and then, for logs and pipes."""

    remaining: Remaining
    clock: float = field(default=0.0, init=False)

    def started(self, view: View) -> None:  # noqa: D102
        say(f"computing on {view.state.compute}")

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        share, left = self.remaining.look(record)
        if time.monotonic() - self.clock >= PLAIN_EVERY_SECONDS:
            self.clock = time.monotonic()
            say(f"{share:4.0%}  {record.images_seen:>9,} images  {left} left  {summary(record)}")
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        pass


@dataclass
class Live:
    """Redraws one line in a terminal."""

    remaining: Remaining
    progress: Progress = field(init=False)
    task: TaskID = field(init=False)

    def started(self, view: View) -> None:  # noqa: D102
        print(f"computing on {view.state.compute}; Ctrl-C saves and stops", flush=True)
        self.progress = Progress(
            # Two lines: all of it must fit into eighty columns.
            TextColumn("{task.fields[seen]:,} images  {task.fields[left]} left"),
            BarColumn(bar_width=30),
            TextColumn("\n{task.fields[numbers]}"),
            console=Console(),
        )
        seen = view.state.images_seen
        self.task = self.progress.add_task("", total=1.0, seen=seen, left="?", numbers="warming up")
        self.progress.start()
        atexit.register(self.progress.stop)  # an error must not leave the cursor hidden

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        share, left = self.remaining.look(record)
        self.progress.update(
            self.task,
            completed=share,
            seen=record.images_seen,
            left=left,
            numbers=summary(record),
        )
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        self.progress.stop()


def say(line: str) -> None:
    """Print a line now; silently not, if nobody reads any more: no reason to stop training."""
    with contextlib.suppress(OSError):
        print(line, flush=True)
