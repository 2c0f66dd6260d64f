"""Time left, by images and by minutes."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from facesmith.base.records import Record
from facesmith.cli.progress import Remaining
from facesmith.training.run import Run

AT_HALF = replace(
    Record(**{f.name: 0 for f in fields(Record) if f.name not in ("penalties", "learning_rates")}),
    images_seen=500,
    images_per_second=2.0,
    seconds=240.0,
)


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
