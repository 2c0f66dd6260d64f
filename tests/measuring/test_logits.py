"""What logits say, against counting and formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facesmith.measuring.logits import probability, quantiles, separation


@pytest.mark.parametrize("seed", range(4))
def test_separation_is_the_share_of_pairs_by_counting(seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Rounded, so that there are ties.
    upper = generator.normal(0.7, 1, 37).round(1)
    lower = generator.normal(0, 2, 23).round(1)
    count = sum((u > v) + 0.5 * (u == v) for u in upper for v in lower)
    assert separation(upper, lower) == pytest.approx(count / (37 * 23), abs=1e-12)
    assert separation(lower, upper) == pytest.approx(1 - count / (37 * 23), abs=1e-12)


def test_separation_has_known_values() -> None:
    low, high = np.arange(3.0), np.arange(10.0, 14)
    assert separation(high, low) == 1
    assert separation(low, high) == 0
    assert separation(low, low) == 0.5
    assert separation(np.exp(high), np.exp(low)) == 1  # a loss may have any scale
    assert math.isnan(separation(low, np.array([])))
    assert math.isnan(separation(np.array([np.inf]), low))


def test_quantiles_pass_over_what_is_not_finite() -> None:
    values = np.arange(101.0)
    spoilt = np.concatenate([values, [np.nan, np.inf]])
    assert quantiles(spoilt) == pytest.approx([0, 5, 10, 25, 50, 75, 90, 95, 100])
    assert quantiles(np.array([np.nan])) == []


def test_probability_is_the_sigmoid_of_any_number() -> None:
    logits = np.array([-1e4, -30.0, -1.0, 0.0, 2.0, 1e4])
    with np.errstate(all="raise", under="ignore"):
        found = probability(logits)
    assert found == pytest.approx([0, 9.357623e-14, 0.26894142, 0.5, 0.88079708, 1], abs=1e-8)
