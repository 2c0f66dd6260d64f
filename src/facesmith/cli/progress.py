"""The live display: three lines that move in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field

from rich import live
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from facesmith.base.records import Record
from facesmith.training.observers import Observer
from facesmith.training.progress import Plain, Remaining, say, summary
from facesmith.training.run import Run
from facesmith.training.view import View

COLOURS = {"ill": "bold red", "warning": "yellow", "well": "green"}


def progress_display(run: Run) -> Observer:
    """Choose the display that suits where the output goes.

    Args:
        run: Says how long it is.

    Returns:
        An observer.
    """
    console = Console()
    # rich takes FORCE_COLOR for a terminal, too; and a dumb one cannot go back to redraw.
    if console.is_interactive and sys.stdout.isatty():
        return Live(Remaining(run), console)
    return Plain(Remaining(run))


@dataclass
class Live:
    """Redraws three lines in a terminal."""

    remaining: Remaining
    console: Console = field(default_factory=Console)
    numbers: Text = field(default_factory=lambda: Text("warming up"), init=False)
    health: Text = field(init=False)
    bar: Progress = field(init=False)
    task: TaskID = field(init=False)
    display: live.Live = field(init=False)

    def __post_init__(self) -> None:
        self.health = Text("", no_wrap=True, overflow="ellipsis")
        # The bar and the numbers are two renderables: columns of one table would be cut at 80.
        self.bar = Progress(
            TextColumn("{task.fields[seen]:,} images  {task.fields[left]} left"),
            BarColumn(bar_width=30),
            console=self.console,
        )
        self.task = self.bar.add_task("", total=1.0, seen=0, left="?")
        self.display = live.Live(Group(self.bar, self.numbers, self.health), console=self.console)

    def started(self, view: View) -> None:  # noqa: D102
        say(f"computing on {view.state.compute}; Ctrl-C saves and stops")
        self.bar.update(self.task, seen=view.state.images_seen)
        self.display.start()

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        share, left = self.remaining.look(record)
        self.bar.update(self.task, completed=share, seen=record.images_seen, left=left)
        self.numbers.plain = summary(record)
        self.health.plain = view.health
        severity = view.health.removeprefix("health: ").partition(",")[0]
        self.health.style = COLOURS.get(severity, "")
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        # It may never have started, after a failure, and the terminal may be gone.
        with contextlib.suppress(OSError):
            self.display.stop()
