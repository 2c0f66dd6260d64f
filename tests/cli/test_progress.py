"""Time left, the plain lines, and the live display in eighty columns."""

from __future__ import annotations

import io
import re
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from facesmith.base.records import Record
from facesmith.cli.progress import Live, progress_display
from facesmith.training import progress
from facesmith.training.progress import Plain, Remaining, counter, say
from facesmith.training.run import Run

AT_HALF = replace(
    Record(**{f.name: 0 for f in fields(Record) if f.name not in ("penalties", "learning_rates")}),
    images_seen=500,
    images_per_second=2.0,
    seconds=240.0,
)
LATE = replace(
    AT_HALF,
    images_seen=190_008,
    images_per_second=1234.0,
    discriminator_loss=0.693,
    generator_loss=11.25,
    real_probability=0.51,
    fake_probability=0.49,
    memory_bytes=3 * 2**30,
)
VIEW: Any = SimpleNamespace(state=SimpleNamespace(compute="cpu fp32", images_seen=0), health="")
NUMBERS = ["1234 img/s", "loss D 0.693 G 11.250", "D(real) 0.51", "D(fake) 0.49", "3.0 GB"]


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.mark.parametrize(
    ("minutes", "share", "left"),
    [
        (None, 0.5, "0:04:10"),  # 500 images at 2 a second
        (60, 0.5, "0:04:10"),  # the images end first
        (5, 0.8, "0:01:00"),  # the minutes do
        (4, 1.0, "0:00:00"),
    ],
)
def test_the_nearer_end_counts(minutes: float | None, share: float, left: str) -> None:
    run = Run(Path("run"), images=1000, minutes=minutes)
    assert Remaining(run).look(AT_HALF) == (pytest.approx(share), left)


def test_speed_is_smoothed_over_records() -> None:
    remaining = Remaining(Run(Path("run"), images=1000))
    remaining.look(AT_HALF)
    _, left = remaining.look(replace(AT_HALF, images_per_second=12.0))
    assert left == "0:02:05"  # 0.8 * 2 + 0.2 * 12 = 4 images a second


def test_plain_lines_hold_everything_and_come_now_and_then(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Plain(Remaining(Run(Path("run"), images=380_016)))
    plain.started(VIEW)
    for seconds in (0, 1, 14, 15, 16):
        clock.now = seconds
        plain.stepped(VIEW, LATE)
    plain.finished(VIEW, "finished")
    first, *lines = capsys.readouterr().out.splitlines()
    assert "cpu fp32" in first
    assert len(lines) == 2  # at 0 and at 15 seconds
    for line in lines:
        for part in ("50%", "190,008 images", "0:02:33 left", *NUMBERS):
            assert part in line


def test_a_counter_speaks_of_long_work_only(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    show = counter("preparing")
    show(500, 3_000)
    assert capsys.readouterr().out == ""
    clock.now = 15.0
    show(1_000, 3_000)
    show(1_100, 3_000)
    assert capsys.readouterr().out == "preparing 1,000 / 3,000\n"


def test_the_live_display_fits_eighty_columns() -> None:
    screen = io.StringIO()
    console = Console(width=80, force_terminal=True, color_system=None, file=screen)
    live = Live(Remaining(Run(Path("run"), images=380_016)), console)
    live.started(VIEW)
    live.stepped(VIEW, LATE)
    live.finished(VIEW, "finished")
    rows = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", row).rstrip()
        for row in re.split(r"[\r\n]+", screen.getvalue())
    ]
    *_, bar, numbers = [row for row in rows if row]
    assert max(map(len, rows)) <= 80
    assert "…" not in bar + numbers
    assert "190,008 images" in bar
    assert "0:02:33 left" in bar
    assert bar.count("━") == 15  # half of thirty
    assert all(part in numbers for part in NUMBERS)


ILL: Any = SimpleNamespace(
    state=VIEW.state,
    health="health: ill, D is too strong for its generator, since 12,000: "
    "--optimizers.discriminator.learning-rate 1e-4",
)


def test_the_line_of_health_is_cut_and_coloured_not_wrapped() -> None:
    screen = io.StringIO()
    console = Console(width=80, force_terminal=True, color_system="standard", file=screen)
    live = Live(Remaining(Run(Path("run"), images=380_016)), console)
    live.started(VIEW)
    live.stepped(ILL, LATE)
    assert live.health.style == "bold red"
    live.display.refresh()
    live.stepped(SimpleNamespace(state=VIEW.state, health="health: well"), LATE)  # type: ignore[arg-type]
    assert live.health.style == "green"
    live.finished(VIEW, "finished")
    shown = screen.getvalue()
    rows = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", row).rstrip() for row in re.split(r"[\r\n]+", shown)
    ]
    assert max(map(len, rows)) <= 80
    (ill,) = {row for row in rows if row.startswith("health: ill")}
    assert ill.startswith("health: ill, D is too strong for its generator, since 12,000: --opt")
    assert ill.endswith("…")
    assert not any(row.startswith("--opt") for row in rows)
    assert "\x1b[1;31mhealth: ill" in shown
    assert "\x1b[32mhealth: well" in shown


def test_plain_lines_end_in_a_word_on_health(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Plain(Remaining(Run(Path("run"), images=380_016)))
    for seconds, view in ((0, VIEW), (15, ILL)):
        clock.now = seconds
        plain.stepped(view, LATE)
    unknown, ill = capsys.readouterr().out.splitlines()
    assert unknown.endswith("GB")
    assert ill.endswith("3.0 GB  health: ill")


def test_the_live_display_may_be_told_the_end_before_the_beginning_and_twice() -> None:
    live = Live(Remaining(Run(Path("run"), images=8)), Console(file=io.StringIO()))
    live.finished(VIEW, "failed: disk full")
    live.started(VIEW)
    live.finished(VIEW, "failed: disk full")
    live.finished(VIEW, "failed: disk full")


def test_the_live_display_begins_again_when_a_run_goes_back() -> None:
    screen = io.StringIO()
    live = Live(
        Remaining(Run(Path("run"), images=380_016)), Console(file=screen, force_terminal=True)
    )
    for _ in range(2):
        live.started(VIEW)
        live.stepped(VIEW, LATE)
        live.finished(VIEW, "autopilot: D is too strong.")
        assert not live.display.is_started
    assert screen.getvalue().count("\x1b[?25l") == 2, "the cursor is hidden twice"


def test_a_terminal_that_is_gone_is_no_failure() -> None:
    class Gone(io.StringIO):
        gone = False

        def write(self, text: str) -> int:
            if self.gone:
                raise OSError("the terminal was closed")
            return super().write(text)

    screen = Gone()
    live = Live(Remaining(Run(Path("run"), images=8)), Console(file=screen, force_terminal=True))
    live.display.auto_refresh = False  # its thread would report the failure as well
    live.started(VIEW)
    screen.gone = True
    live.finished(VIEW, "SIGHUP")


@pytest.mark.parametrize(
    ("is_terminal", "kind", "display"),
    [(True, "xterm", Live), (True, "dumb", Plain), (False, "xterm", Plain)],
)
def test_lines_move_only_where_they_can(
    is_terminal: bool, kind: str, display: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("FORCE_COLOR", "1")  # colour is wished for, which makes no terminal
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    assert type(progress_display(Run(Path("run"), images=8))) is display


def test_nobody_reads_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    say("hello")
