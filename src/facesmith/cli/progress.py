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
from facesmith.training.view import View

PLAIN_EVERY_SECONDS = 15.0


def progress_display(images: int) -> Observer:
    """Choose the display that suits where the output goes.

    Args:
        images: Length of the run.

    Returns:
        An observer.
    """
    return Live(images) if sys.stdout.isatty() else Plain(images)


def summary(record: Record) -> str:
    """Write a record in one line: losses, D(real), D(fake), speed, memory."""
    return (
        f"{record.images_per_second:.0f} img/s  "
        f"loss D {record.discriminator_loss:.3f} G {record.generator_loss:.3f}  "
        f"D(real) {record.real_probability:.2f} D(fake) {record.fake_probability:.2f}  "
        f"{record.memory_bytes / 2**30:.1f} GB"
    )


def time_left(images: int, record: Record, speed: float) -> str:
    """Estimate the remaining time as h:mm:ss.

    Args:
        images: Length of the run.
        record: Gives the position.
        speed: Images a second, smoothed.

    Returns:
        Text.
    """
    seconds = int((images - record.images_seen) / speed) if speed > 0 else 0
    return (
        f"{max(seconds, 0) // 3600}:{max(seconds, 0) % 3600 // 60:02d}:{max(seconds, 0) % 60:02d}"
    )


@dataclass
class Plain:
    """Prints a line now and then, for logs and pipes."""

    images: int
    clock: float = field(default=0.0, init=False)
    speed: float = field(default=0.0, init=False)

    def started(self, view: View) -> None:  # noqa: D102
        say(f"computing on {view.state.compute}")

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        self.speed = smoothed(self.speed, record.images_per_second)
        if time.monotonic() - self.clock >= PLAIN_EVERY_SECONDS:
            self.clock = time.monotonic()
            left = time_left(self.images, record, self.speed)
            say(f"{record.images_seen:>9,} / {self.images:,}  {left} left  {summary(record)}")
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        pass


@dataclass
class Live:
    """Redraws one line in a terminal."""

    images: int
    speed: float = field(default=0.0, init=False)
    progress: Progress = field(init=False)
    task: TaskID = field(init=False)

    def started(self, view: View) -> None:  # noqa: D102
        print(f"computing on {view.state.compute}; Ctrl-C saves and stops", flush=True)
        self.progress = Progress(
            # Two lines: all of it must fit into eighty columns.
            TextColumn("{task.completed:,} / {task.total:,}  {task.fields[left]} left"),
            BarColumn(bar_width=30),
            TextColumn("\n{task.fields[numbers]}"),
            console=Console(),
        )
        self.task = self.progress.add_task("", total=self.images, left="?", numbers="warming up")
        self.progress.start()
        atexit.register(self.progress.stop)  # an error must not leave the cursor hidden
        self.progress.update(self.task, completed=view.state.images_seen)

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        self.speed = smoothed(self.speed, record.images_per_second)
        self.progress.update(
            self.task,
            completed=record.images_seen,
            left=time_left(self.images, record, self.speed),
            numbers=summary(record),
        )
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        self.progress.stop()


def say(line: str) -> None:
    """Print a line now; silently not, if nobody reads any more: no reason to stop training."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def smoothed(old: float, new: float) -> float:
    """Average a speed over the last few records."""
    return new if old == 0 else 0.8 * old + 0.2 * new
