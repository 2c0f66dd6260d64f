from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesmith.applications.report import heat
from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.charts import title
from facesmith.applications.report.curves import time_shares
from facesmith.applications.report.plots import Area, Line, Mark, Plot
from facesmith.applications.report.scales import Axis
from facesmith.applications.report.statistics import difference, statistics

AT = np.array([0.0, 50.0, 100.0])


def path(html: str, kind: str) -> str:
    found = re.search(rf'class="?{kind}"?[^>]* d="([^"]*)"', html)
    assert found is not None
    return found[1]


def test_a_curve_runs_through_its_points() -> None:
    html = Plot("t", Axis(0, 4), 200, [Line("a", AT, np.array([0.0, 2.0, 4.0]))]).html()
    assert path(html, "curve") == "M0 1000L250 500L500 0"
    assert path(html, "dots") == "M0 1000h0M250 500h0M500 0h0"


def test_a_gap_breaks_a_dense_curve_and_not_a_sparse_one() -> None:
    nan = np.nan
    at = np.arange(5.0)
    dense = Plot("t", Axis(0, 1), 4, [Line("", at, np.array([0, 0, nan, 0, 0]))]).html()
    assert path(dense, "curve").count("M") == 2
    sparse = Plot("t", Axis(0, 1), 4, [Line("", at, np.array([0, nan, nan, nan, 0]))]).html()
    assert path(sparse, "curve") == "M0 1000L1000 1000"


def test_spreads_and_areas_are_closed_bands() -> None:
    line = Line("a", AT, np.full(3, 2.0), spread=np.full(3, 1.0))
    html = Plot(
        "t", Axis(0, 4), 100, [line], [Area("b", AT, AT * 0, AT * 0 + 4, "made", 0.3)]
    ).html()
    assert 'd="M0 250L500 250L1000 250L1000 750L500 750L0 750Z"' in html
    assert (
        'fill:var(--made);fill-opacity:0.3" d="M0 0L500 0L1000 0L1000 1000L500 1000L0 1000Z"'
        in html
    )


def test_bounds_marks_and_ticks_lie_where_they_belong(reader: Any) -> None:
    mark = Mark(50, "1", "it began", "ill", "finding-1")
    html = Plot("t", Axis(0, 4), 200, marks=[mark], bounds=[(1.0, "the bound")]).html()
    assert '<path class=bound d="M0 750H1000"/>' in html
    assert "left:25.0%" in str(reader(html).of("a", "mark ill")[0]["style"])
    assert "<span style='bottom:50.0%'>2</span>" in html
    assert "the bound" in reader(html).text


def test_marks_that_are_close_do_not_cover_each_other(reader: Any) -> None:
    marks = [Mark(at, "1", "", "ill") for at in (10, 12, 90)]
    shown = reader(Plot("t", Axis(0, 4), 100, marks=marks).html()).of("span", "mark")
    assert [str(a["style"])[-1] for a in shown] == ["0", "1", "0"]


def test_what_is_cut_off_is_said() -> None:
    line = Line("", AT, np.array([-7.0, 1.0, 30.0]))
    assert "cut off: down to -7 and up to 30" in Plot("t", Axis(0, 4), 100, [line]).html()
    assert "cut off" not in Plot("t", Axis(-8, 40), 100, [line]).html()


def test_shares_of_time_are_stacked_to_the_whole(run_folder: Callable[..., Path]) -> None:
    html = time_shares(Attempt.read(run_folder(count=2)).course)
    # 0.7 for computing from the ground, 0.3 for data above it.
    assert "M500 300L1000 300L1000 1000L500 1000Z" in html
    assert "M500 0L1000 0L1000 300L500 300Z" in html


def test_colours_of_the_heat_map_follow_the_logarithm() -> None:
    assert heat.colour(1e-9, -4, 0) == heat.colour(0.0, -4, 0) == heat.STOPS[0]
    assert heat.colour(5.0, -4, 0) == heat.STOPS[-1]
    brightness = [int(heat.colour(10.0**p, -4, 0)[1:3], 16) for p in (-4, -3, -2, -1, 0)]
    assert brightness == sorted(set(brightness))


def test_decades_hold_most_values() -> None:
    assert heat.decades(np.array([2e-3] * 99 + [1e-30])) == (-3, -2)
    assert heat.decades(np.array([1e-12] * 50 + [0.5] * 50)) == (-5, 0)
    assert heat.decades(np.array([0.0, np.nan])) == (-4, 0)


def test_the_heat_map_has_a_row_for_each_layer_and_a_title_for_each_cell(
    run_folder: Callable[..., Path], reader: Any
) -> None:
    read = reader(heat.heat_maps(Attempt.read(run_folder(count=5)).course))
    assert read.open == []
    assert len(read.of("div", "row")) == 2 * 3
    assert len(read.of("rect")) == 2 * 3 * 5
    assert "stages.0, 300 images: 0.1" in read.text


def test_a_long_run_is_shrunk_by_medians() -> None:
    curve = np.array([1.0, 1.0, 9.0, np.nan, 4.0, 4.0, np.nan, np.nan, np.nan])
    assert heat.shrink(curve, 3).tolist()[:2] == [1.0, 4.0]
    assert np.isnan(heat.shrink(curve, 3)[2])


@pytest.mark.parametrize(
    ("kind", "real", "fake", "said"),
    [
        ("ratio", 0.5, 0.4, "-20 %"),
        ("ratio", 0.1, 0.5, "5.0 times"),
        ("share", 0.01, 0.05, "+4.0 points"),
        ("plain", 0.2, 1.4, "+1.20"),
        ("ratio", float("nan"), 1.0, ""),
    ],
)
def test_differences_are_said_in_their_own_way(
    kind: str, real: float, fake: float, said: str
) -> None:
    assert difference(kind, real, fake) == said


def test_signals_are_called_by_words() -> None:
    assert title("separation") == "How often D is right: real against fake"
    assert title("discriminator_loss.spread") == "Losses: D, spread"
    assert title("batch.diversity") == "Samples of one batch: diversity"
    assert title("reals.spread_bias") == "Training images: spread bias"
    assert title("logits.high") == "Logits: high"
    assert title("non_finite") == "non finite"


def test_statistics_compare_data_and_samples(run_folder: Callable[..., Path], reader: Any) -> None:
    read = reader(statistics(Attempt.read(run_folder())))
    assert "brightness, 0 to 1 0.5 0.4 -20 %" in read.text
    assert [a["title"] for a in read.of("i", "swatch")] == ["178, 128, 76", "153, 128, 102"]
