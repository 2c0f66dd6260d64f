"""What asks a run to stop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from facesmith.base.errors import UsageError
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.training import loop, observers
from facesmith.training.run import Run

RunIn = Callable[..., Run]


def test_a_run_stops_when_its_minutes_are_over_and_goes_on_with_more(
    portraits: Dataset, tiny: Recipe, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10**6, 10))  # each look at the clock finds ten seconds gone
    monkeypatch.setattr(loop.time, "perf_counter", lambda: float(next(clock)))
    watching = observers.standard()
    outcome = loop.train(tiny, run_in("run", images=1000, minutes=1), portraits, watching)
    assert outcome.reason == "time is up after 1 min"
    # six looks of ten seconds, one at each record of sixteen images
    assert outcome.images_seen == 6 * 16
    again = loop.train(tiny, run_in("run", images=1000, minutes=2), portraits, watching)
    # the first sitting's time counts, also that of its end
    assert 96 < again.images_seen < 2 * 96 + 16
    done = loop.train(tiny, run_in("run", images=224, minutes=60), portraits, watching)
    assert (done.reason, done.images_seen) == ("finished", 224)


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_minutes_that_are_no_time_are_refused(minutes: float, run_in: RunIn) -> None:
    with pytest.raises(UsageError, match="minutes was given"):
        run_in("run", images=8, minutes=minutes)
