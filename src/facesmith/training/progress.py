"""Progress in plain lines, for logs, pipes and Python sessions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from facesmith.base.records import Record
from facesmith.training.run import Run
from facesmith.training.view import View

EVERY_SECONDS = 15.0


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


@dataclass
class Plain:
    """Prints a line now and then."""

    remaining: Remaining
    said: float = field(default=-EVERY_SECONDS, init=False)

    def started(self, view: View) -> None:  # noqa: D102
        say(f"computing on {view.state.compute}")

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        share, left = self.remaining.look(record)
        if (now := time.monotonic()) - self.said >= EVERY_SECONDS:
            self.said = now
            health, _, _ = view.health.partition(",")  # what is wrong was said when it was found
            line = f"{share:4.0%}  {record.images_seen:>9,} images  {left} left  {summary(record)}"
            say(f"{line}  {health}".rstrip())
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        pass


def summary(record: Record) -> str:
    """Write a record in one line: losses, D(real), D(fake), speed, memory."""
    return (
        f"{record.images_per_second:.0f} img/s  "
        f"loss D {record.discriminator_loss:.3f} G {record.generator_loss:.3f}  "
        f"D(real) {record.real_probability:.2f} D(fake) {record.fake_probability:.2f}  "
        f"{record.memory_bytes / 2**30:.1f} GB"
    )


def counter(what: str) -> Callable[[int, int], None]:
    """Make a counter that says a line now and then.

    Args:
        what: The work, as a word.

    Returns:
        A function of photos done and photos found.
    """
    said = time.monotonic()  # what is done at once needs no line

    def show(done: int, found: int) -> None:
        nonlocal said
        if (now := time.monotonic()) - said >= EVERY_SECONDS:
            said = now
            say(f"{what} {done:,} / {found:,}")

    return show


def say(line: str) -> None:
    """Print a line now; silently not, if nobody reads any more: no reason to stop training."""
    with contextlib.suppress(OSError):
        print(line, flush=True)
