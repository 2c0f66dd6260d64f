"""Curves through time: a running median, and levels at both ends."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from facesmith.health.course import smooth


def by_hand(values: list[float], count: int) -> list[float]:
    medians = []
    for end in range(1, len(values) + 1):
        window = [v for v in values[max(0, end - count) : end] if math.isfinite(v)]
        medians.append(statistics.median(window) if window else math.nan)
    return medians


@pytest.mark.parametrize("count", [1, 2, 5, 8])
@pytest.mark.parametrize("length", [0, 1, 2, 7, 60])
def test_a_running_median_is_that_of_the_last_few_measurements(length: int, count: int) -> None:
    values = np.random.default_rng(length).normal(size=length)
    values[::3] = math.nan
    values[5::11] = math.inf
    values[6::7] = -math.inf
    values[20:30] = math.nan  # longer than any window
    smoothed = smooth(values, count)
    assert smoothed.shape == (length,)
    np.testing.assert_array_equal(smoothed, by_hand(values.tolist(), count))
