"""A run that was given its minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from facesmith.base.errors import UsageError
from facesmith.base.records import Record
from facesmith.data.dataset import Dataset
from facesmith.measuring import stopwatch
from facesmith.recipe import Recipe
from facesmith.training import loop, observers
from facesmith.training.run import Run
from facesmith.training.view import View

RunIn = Callable[..., Run]


@dataclass
class Clock:
    """Ten seconds go by at each record."""

    now: float = 0.0

    def started(self, view: View) -> None:
        pass

    def stepped(self, view: View, record: Record) -> str | None:
        self.now += 10
        return None

    def finished(self, view: View, reason: str) -> None:
        pass


def test_a_run_stops_when_its_minutes_are_over_and_goes_on_with_more(
    portraits: Dataset, tiny: Recipe, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    watching = observers.standard(clock)

    def train(**length: float) -> loop.Outcome:
        return loop.train(tiny, run_in("run", **length), portraits, watching)

    # A record is due every 16 images: the sixth is that of 96, and ends a minute.
    outcome = train(images=1000, minutes=1)
    assert (outcome.images_seen, outcome.reason) == (96, "time is up after 1 min")
    assert train(images=1000, minutes=1).images_seen == 96  # it is still over
    assert train(images=1000, minutes=2).images_seen == 192  # the first sitting counts
    outcome = train(images=224, minutes=60)
    assert (outcome.images_seen, outcome.reason) == (224, "finished")


def test_minutes_count_also_where_records_are_far_apart(
    portraits: Dataset, tiny: Recipe, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(10**6))
    clock = SimpleNamespace(perf_counter=lambda: float(next(looks)))
    monkeypatch.setattr(stopwatch, "time", clock)
    run = run_in("run", images=10**6, minutes=1, record_every=10**6, sample_every=10**6)
    outcome = loop.train(tiny, run, portraits)
    assert (
        outcome.images_seen < 60 * tiny.batch + 1
    )  # a second goes by at each look, and each step looks


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_minutes_that_are_no_time_are_refused(minutes: float, run_in: RunIn) -> None:
    with pytest.raises(UsageError, match="minutes was given"):
        run_in("run", images=8, minutes=minutes)
