"""Records of a run: what the meter measured, when, and how fast it went."""

from __future__ import annotations

import time

import psutil

from facesmith.base.records import Record
from facesmith.training.meter import Meter
from facesmith.training.state import TrainingState


class Stopwatch:
    """Adds the time of this sitting to the state's."""

    def __init__(self, state: TrainingState) -> None:
        self.state, self.images = state, state.images_seen
        self.last = time.perf_counter()

    def seconds(self) -> float:
        """Give the time spent in training so far, over all sittings."""
        return self.state.seconds + time.perf_counter() - self.last

    def read(self) -> float:
        """Bring the state's clock up to date.

        Returns:
            Images a second since the last reading.
        """
        now = time.perf_counter()
        elapsed, images = now - self.last, self.state.images_seen - self.images
        self.state.seconds += elapsed
        self.last, self.images = now, self.state.images_seen
        return images / elapsed if elapsed > 0 else 0.0


def make_record(state: TrainingState, meter: Meter, stopwatch: Stopwatch) -> Record:
    """Turn the meter's means into a record and begin them anew.

    Args:
        state: Gives counters and learning rates.
        meter: Gives the means; waits for the device.
        stopwatch: Gives the speed.

    Returns:
        The record.
    """
    means = meter.read()
    by_kind: dict[str, dict[str, float]] = {"penalty": {}, "finite": {}, "": {}}
    for name, value in means.items():
        kind, _, rest = name.rpartition("/")
        by_kind[kind][rest] = value
    rates = state.recipe.optimizers
    return Record(
        images_seen=state.images_seen,
        steps=state.steps,
        images_per_second=stopwatch.read(),
        seconds=state.seconds,
        memory_bytes=psutil.Process().memory_info().rss,
        non_finite=1 - min(by_kind["finite"].values()),
        penalties=by_kind["penalty"],
        learning_rates={
            "generator": rates.generator.learning_rate(state.images_seen),
            "discriminator": rates.discriminator.learning_rate(state.images_seen),
        },
        **by_kind[""],
    )
