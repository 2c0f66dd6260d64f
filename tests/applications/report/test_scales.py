from __future__ import annotations

import math

import numpy as np
import pytest

from facesmith.applications.report import scales
from facesmith.applications.report.scales import Axis, linear, logarithmic, thin


def test_places_are_shares_of_the_way() -> None:
    assert Axis(2.0, 6.0).place(3.0) == 0.25
    assert Axis(1e-4, 1.0, log=True).place(1e-3) == pytest.approx(0.25)
    assert Axis(1e-4, 1.0, log=True).place(0.0) == 0.0


@pytest.mark.parametrize("low, high", [(0, 1), (-3, 7.3), (0.2, 0.21), (0, 34_700), (1e-5, 3e-5)])
def test_ticks_are_few_round_and_within(low: float, high: float) -> None:
    ticks = Axis(low, high).ticks(4)
    assert 2 <= len(ticks) <= 5
    assert all(low - 1e-12 <= tick <= high * (1 + 1e-9) for tick in ticks)
    step = ticks[1] - ticks[0]
    assert f"{step:.1e}"[:3] in ("1.0", "2.0", "2.5", "5.0")
    assert np.allclose(np.diff(ticks), step)


@pytest.mark.parametrize(
    "low, high", [(1e-6, 1.0), (3e-3, 0.4), (0.2, 0.9), (8e-5, 6e-3), (3.3e-4, 4.8e-4)]
)
def test_logarithmic_ticks_are_within(low: float, high: float) -> None:
    ticks = Axis(low, high, log=True).ticks(4)
    assert 2 <= len(ticks) <= 6
    assert all(low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) for tick in ticks)


def test_a_linear_axis_holds_its_curve_and_what_must_be_seen() -> None:
    axis = linear([np.array([2.0, math.nan, 3.0])], [5.0])
    assert axis.low < 2 and axis.high > 5
    assert linear([np.array([0.1, 4.0])]).low == 0.0  # near zero, it begins there
    assert linear([np.array([-1.0, 4.0])]).low < -1.0


def test_a_few_far_values_do_not_squash_the_rest() -> None:
    curve = np.concatenate([[900.0], np.linspace(1, 2, 99)])
    assert linear([curve]).high < 5
    assert linear([curve], [900.0]).high > 900
    assert linear([np.linspace(1, 900, 100)]).high > 900


@pytest.mark.parametrize("values", [[], [math.nan], [3.0, 3.0], [0.0]])
def test_axes_of_next_to_nothing_have_a_length(values: list[float]) -> None:
    for axis in (linear([np.array(values)]), logarithmic([np.array(values)])):
        assert axis.high > axis.low
        assert math.isfinite(axis.place(1.0))


def test_a_logarithmic_axis_passes_over_what_is_as_good_as_nothing() -> None:
    axis = logarithmic([np.array([1e-30, 0.0, 1.0])])
    assert 1e-8 < axis.low < 1e-5 and axis.high > 1


def test_thinning_keeps_the_extremes_in_place() -> None:
    values = np.sin(np.arange(10_000.0))
    values[7_123], values[421] = 50.0, -50.0
    kept = thin(values, 400)
    assert {7_123, 421} <= set(kept.tolist())
    assert len(kept) <= 400
    assert (np.diff(kept) > 0).all()


def test_thinning_keeps_what_is_rare_and_leaves_short_curves_alone() -> None:
    values = np.full(10_000, math.nan)
    values[[5, 5_000, 9_999]] = 1.0, 2.0, 3.0
    kept = thin(values, 400)
    assert values[kept][np.isfinite(values[kept])].tolist() == [1.0, 2.0, 3.0]
    assert thin(values[:400], 400).tolist() == list(range(400))


def test_numbers_are_written_with_sensible_digits() -> None:
    assert [scales.number(n) for n in (0, 0.12345, 12.345, 1234.5, 52_000, 1.23e-5, math.nan)] == [
        *("0", "0.123", "12.3", "1,234", "52,000", "1.2e-5", "not finite")
    ]
    assert [scales.tick(n) for n in (0.5, 20_000, 2.5e6, 1e-4, 0.30000000000000004)] == [
        *("0.5", "20k", "2.5M", "1e-4", "0.3")
    ]
    assert [scales.images(n) for n in (0, 800, 12_000, 34_700, 1_250_000)] == [
        *("0", "800", "12k", "34.7k", "1.25M")
    ]
    assert [scales.duration(n) for n in (48, 600, 11_100)] == ["48 s", "10 min", "3 h 05 min"]
    assert scales.duration(math.nan) == "not finite"
    assert [scales.percent(n) for n in (0, 0.006, 0.05, 0.284, 1.0)] == [
        *("0 %", "0.6 %", "5 %", "28 %", "100 %")
    ]
