from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesmith.applications.compare import Comparison, compare, page
from facesmith.applications.compare.figures import Figure, figures
from facesmith.applications.compare.judgement import judge, trend
from facesmith.applications.report import Attempt
from facesmith.base.errors import DataError
from facesmith.health.finding import Change, Finding, Remedy

Make = Callable[..., Path]


@pytest.fixture
def pair(make_run: Make) -> tuple[Path, Path]:
    """A short run and a longer one, which differ in three settings."""
    one = make_run("one")
    two = make_run("two", count=40, batch=48, flip=0.25)
    tree = json.loads((two / "run.json").read_text())
    tree["run"]["seed"] = 3
    tree["run"]["folder"] = tree["run"]["cache"] = "elsewhere"  # which changes no result
    (two / "run.json").write_text(json.dumps(tree))
    return one, two


def with_findings(found: Comparison, *findings: tuple[Finding, ...]) -> Comparison:
    attempts = zip(found.attempts, findings, strict=True)
    return replace(found, attempts=tuple(replace(a, findings=f) for a, f in attempts))


def figure(found: Comparison, name: str) -> Figure:
    return next(figure for figure in found.figures if figure.name == name)


def test_exactly_the_settings_that_differ_are_shown(pair: tuple[Path, Path]) -> None:
    found = compare(pair).settings
    assert {name: values[1] for name, values in found.items()} == {
        "batch": "48",
        "flip": "0.25",
        "seed": "3",
    }
    assert compare([pair[0], pair[0]]).settings == {}


def test_parts_that_only_one_recipe_has_are_shown_beside_their_kin(make_run: Make) -> None:
    found = compare([make_run("one"), make_run("two", name="dcgan-tutorial")]).settings
    names = list(found)
    assert found["recipe"] == ("face", "dcgan-tutorial")
    assert found["loss"] == ("relativistic", "non-saturating")
    assert found["loss.real_label"] == ("", "1")
    assert names.index("loss.real_label") - names.index("loss") <= 4
    assert "resolution" not in found


def test_a_run_without_a_recipe_makes_no_setting_differ(pair: tuple[Path, Path]) -> None:
    one, two = pair
    (two / "run.json").unlink()
    assert compare([one, two]).settings == {}
    assert compare([one, one, two]).settings == {}


def test_figures_are_those_of_the_records(pair: tuple[Path, Path]) -> None:
    found = compare(pair)
    assert figure(found, "images").values == (2000, 4000)
    assert figure(found, "speed").values == (50, 50)
    # The n-th record has the distance 5 - n / 100, measured at every fourth.
    assert figure(found, "distance_best").values == pytest.approx((4.8, 4.6))
    assert figure(found, "distance_best_at").values == (2000, 4000)
    assert figure(found, "distance_at_images_seen").values == pytest.approx((4.8, 4.8))
    assert figure(found, "distance_at_seconds").values == pytest.approx((4.8, 4.8))
    assert figure(found, "distance_at_images_seen").title == "distance after 2,000 images"
    assert figure(found, "diversity").values == pytest.approx((0.8, 0.8))


def test_runs_of_one_length_are_not_compared_at_less(make_run: Make) -> None:
    names = {figure.name for figure in compare([make_run("one"), make_run("two")]).figures}
    assert "distance_at_images_seen" not in names and "distance" in names


@pytest.mark.parametrize(
    ("better", "values", "winner"),
    [
        ("low", (3.0, 2.0, math.nan), 1),
        ("high", (3.0, 2.0, 1.0), 0),
        ("low", (2.0, 2.05), None),
        ("", (3.0, 2.0), None),
        ("low", (math.nan, 2.0), None),
    ],
)
def test_a_winner_is_better_by_more_than_chance(
    better: Any, values: tuple[float, ...], winner: int | None
) -> None:
    assert Figure("n", "t", values, better).winner == winner


def test_the_healthiest_run_is_the_one_to_go_on_with(
    pair: tuple[Path, Path], findings: tuple[Finding, ...]
) -> None:
    found = compare(pair)
    assert found.best == 1  # the nearest
    assert with_findings(found, (), findings[:1]).best == 0
    assert with_findings(found, findings[:1], findings[1:]).best == 1
    cure = Finding("k", "ill", "t", 0, "e", Remedy("a", (Change("batch", "96"),)))
    said = with_findings(found, (cure,), (cure,)).next_command
    assert "--batch 96" in said and "--flip 0.25" in said and said.endswith("/two-2")


def test_pros_and_cons_name_what_was_found_and_measured(
    pair: tuple[Path, Path], findings: tuple[Finding, ...]
) -> None:
    found = compare(pair)
    attempt = replace(found.attempts[0], findings=findings)
    far = Figure("distance", "", (3.0, 2.0), "low")
    poor = Figure("diversity", "", (0.4, 0.9))
    slow = Figure("speed", "", (100.0, 30.0), "high")
    first = judge(attempt, 0, [far, poor, slow])
    assert first.good == ("fastest",)
    assert first.bad[1] == "many twins (since 900 images)"
    assert "1.5 times as far from the data as the best" in first.bad
    assert "samples have 40 % of the data's diversity" in first.bad
    assert first.bad[-1].startswith("stands at 50 % of the plan (<script>")
    second = judge(found.attempts[1], 1, [far, poor, slow])
    assert second.good == ("nearest to the data at its end",)
    assert second.bad == ("3.3 times as slow as the fastest",)
    assert second.lines() == [f"+ {second.good[0]}", f"- {second.bad[0]}"]


@pytest.mark.parametrize(
    ("distances", "now", "risen"),
    [
        ([5.0, 4.0, 3.0, 2.5, 2.0, 1.5], -0.4, 0.0),
        ([5.0, 2.0, 2.0, 2.0, 2.0, 3.0], 0.5, 0.5),
        ([5.0, 1.0, 2.0], 0.0, 0.0),
    ],
)
def test_the_trend_of_the_distance(
    make_run: Make, distances: list[float], now: float, risen: float
) -> None:
    course = Attempt.read(make_run("one", count=len(distances))).course
    course._curves["distance"] = np.array(distances)
    assert trend(course) == pytest.approx((now, risen))


@pytest.mark.parametrize("change", ["sha256", "resolution"])
def test_distances_to_other_data_are_not_compared(
    pair: tuple[Path, Path], reader: Any, change: str
) -> None:
    one, two = pair
    assert compare(pair).caution == ""
    assert figure(compare(pair), "distance_best").better == "low"
    tree = json.loads((two / "run.json").read_text())
    tree["recipe" if change == "resolution" else "data"][change] = 32
    (two / "run.json").write_text(json.dumps(tree))
    found = compare([one, two])
    assert "Their data differ" in found.caution and found.caution in reader(page(found)).text
    assert {f.better for f in found.figures if f.to_data} == {""}
    assert figure(found, "speed").better == "high"
    assert found.best == 0  # in the order given, since nothing tells them apart
    assert not any(
        "nearest" in said or "times as far" in said
        for j in found.judgements
        for said in (*j.good, *j.bad)
    )


def test_a_healthy_run_is_praised(pair: tuple[Path, Path]) -> None:
    well = Finding("healthy", "well", "fine", 0, "e", Remedy("a"))
    found = with_findings(compare(pair), (well,), ())
    assert found.judgements[0].good[0] == "healthy"
    assert "healthy" not in found.judgements[1].good


def test_runs_of_one_name_are_told_apart(tmp_path: Path, make_run: Make) -> None:
    one, two = make_run("a/face"), make_run("b/face")
    assert compare([one, two]).names == (str(one), str(two))
    assert compare([one, make_run("other")]).names == ("face", "other")


def test_the_page_is_whole_and_shows_all_runs(
    pair: tuple[Path, Path], findings: tuple[Finding, ...], reader: Any
) -> None:
    html = page(with_findings(compare(pair), findings, ()))
    read = reader(html)
    assert read.open == [] and len(read.of("script")) == 1
    assert "://" not in html and "url(" not in html
    assert len(read.of("article", "run ill")) == 1 and len(read.of("article", "run note")) == 1
    assert "batch 32 48" in read.text and "4.8 4.6" in read.text
    for said in (findings[0].title, "Distance to real images", "Side by side", "Next"):
        assert said in read.text
    assert [a["alt"] for a in read.of("img")] == ["samples of one", "samples of two"]
    assert all(str(a["src"]).startswith("data:image/jpeg") for a in read.of("img"))


def test_pictures_are_compared_at_one_moment_too(pair: tuple[Path, Path], reader: Any) -> None:
    _, two = pair
    last = two / "samples/fakes-000000004000.png"
    last.write_bytes((two / "samples/fakes-000000002000.png").read_bytes())
    read = reader(page(compare(pair)))
    assert len(read.of("img")) == 4
    assert (
        "one, 2,000 images two, 2,000 images At the end of each one, 2,000 images two, 4,000"
        in (read.text)
    )


def test_runs_with_next_to_nothing_can_be_compared(make_run: Make, reader: Any) -> None:
    empty, bare = make_run("empty", count=0), make_run("bare", count=2)
    for path in (*bare.glob("*.json"), bare / "events.jsonl", *(bare / "samples").iterdir()):
        path.unlink()
    found = compare([empty, bare])
    assert reader(page(found)).open == []
    assert [figure.said(0) for figure in figures(found.attempts) if figure.name == "speed"] == [""]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, make_run: Make) -> None:
    with pytest.raises(DataError, match="is no run"):
        compare([make_run("one"), tmp_path])
