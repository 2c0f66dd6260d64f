from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facesmith.applications.report import Attempt, page, write
from facesmith.applications.report import attempt as attempts
from facesmith.applications.report.cards import marks
from facesmith.base.errors import DataError, StorageError
from facesmith.health.finding import Finding, Remedy
from facesmith.health.findings import diagnose
from facesmith.recipes import find_recipe

Make = Callable[..., Path]
WELL = Finding("healthy", "well", "All is well.", 0, "why", Remedy("train on"))


def attempt(folder: Path, *findings: Finding, **more: Any) -> Attempt:
    return replace(Attempt.read(folder), findings=findings, **more)


def test_the_page_is_whole_and_by_itself(
    run_folder: Make, findings: tuple[Finding, ...], reader: Any
) -> None:
    html = page(attempt(run_folder(), *findings))
    read = reader(html)
    assert read.open == []
    assert not {"link", "iframe", "object", "noscript"} & {tag for tag, _ in read.tags}
    for _, attributes in read.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("data:image/jpeg;base64,", "#"))
    assert "url(" not in html and "://" not in html and "@import" not in html
    assert len(read.of("script")) == 1


def test_every_link_leads_to_a_place_of_the_page(
    run_folder: Make, findings: tuple[Finding, ...], reader: Any
) -> None:
    read = reader(page(attempt(run_folder(), *findings)))
    places = [str(a["id"]) for _, a in read.tags if "id" in a]
    assert len(places) == len(set(places))
    assert {str(a["href"])[1:] for a in read.of("a")} <= set(places)


def test_every_finding_appears_with_all_that_it_says(
    run_folder: Make, findings: tuple[Finding, ...], reader: Any
) -> None:
    read = reader(page(attempt(run_folder(), *findings)))
    assert [a["id"] for a in read.of("article")] == ["finding-1", "finding-2", "finding-3"]
    for finding in findings:
        for said in (finding.title, finding.explanation, finding.remedy.advice):
            assert said in read.text
        for proof in finding.evidence:
            assert proof.text in read.text
    assert "since 500 images, 12 % of the plan" in read.text
    assert "--optimizers.discriminator.learning-rate 0.0001" in read.text
    # The moment is marked and the bound drawn, in the card's curves and in the large ones.
    assert len(read.of("a", "mark ill")) == 4


def test_words_of_strangers_do_nothing(
    run_folder: Make, findings: tuple[Finding, ...], reader: Any
) -> None:
    folder = run_folder(name="face", **{"<b>": '"><script>'})
    tree = json.loads((folder / "run.json").read_text())
    tree["recipe"]["name"] = '"><img src=x>'
    (folder / "run.json").write_text(json.dumps(tree))
    read = reader(page(attempt(folder, *findings)))
    assert read.open == [] and len(read.of("script")) == 1
    assert all(str(a["src"]).startswith("data:") for a in read.of("img"))
    assert '"><img src=x>' in read.text


@pytest.mark.parametrize(
    ("severity", "word", "title"),
    [("ill", "ill", "D learns too fast"), ("warning", "needs attention", "many twins")],
)
def test_the_verdict_is_that_of_the_worst_finding(
    run_folder: Make,
    findings: tuple[Finding, ...],
    reader: Any,
    severity: str,
    word: str,
    title: str,
) -> None:
    rest = [f for f in findings if f.severity != "ill"] if severity != "ill" else list(findings)
    # A note before it in the order of causes is not what the verdict is about.
    read = reader(page(attempt(run_folder(), *reversed(rest))))
    assert len(read.of("section", f"verdict {severity}")) == 1
    verdict = read.text.split("images seen")[0]
    assert word in verdict and title in verdict


def test_a_healthy_run_is_said_to_be_healthy_and_marks_nothing(
    run_folder: Make, reader: Any
) -> None:
    read = reader(page(attempt(run_folder(), WELL)))
    assert len(read.of("section", "verdict well")) == 1
    assert "healthy" in read.text and "All is well." in read.text
    assert "mark" not in {str(a.get("class")).split()[0] for _, a in read.tags if "class" in a}


def test_what_the_rules_find_is_on_the_page(
    run_folder: Make, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "diagnose", diagnose)
    made = Attempt.read(run_folder())
    read = reader(page(made))
    assert made.findings and read.open == []
    assert all(finding.title in read.text for finding in made.findings)


def test_key_figures_are_the_newest(run_folder: Make, reader: Any) -> None:
    read = reader(page(attempt(run_folder())))
    for said in (
        "2,000 images seen of 4,000",
        "40 s of training",
        "50 images a second",
        "4.80 distance to real images; real against real 1.00",
        "80 % of the data's diversity",
    ):
        assert said in read.text


def test_all_kinds_of_curves_are_there(run_folder: Make, reader: Any) -> None:
    read = reader(page(attempt(run_folder())))
    for title in (
        *("Losses", "D(real) and D(fake)", "How often D is right", "Distance to real images"),
        *("Diversity", "Gradient norms", "Update to weight", "Learning rates", "Penalties"),
        *("Speed", "Memory", "Where the time goes", "Gradient to weight", "What D says"),
        *("Data against samples", "What happened", "The recipe", "The environment"),
    ):
        assert title in read.text
    # What was not measured, or was zero all along and tells nothing, has no empty frame.
    assert "Twins" not in read.text and "not finite" not in read.text


def test_a_run_without_records_has_a_page(run_folder: Make, reader: Any) -> None:
    folder = run_folder(count=0)
    read = reader(page(Attempt.read(folder)))
    assert read.open == [] and "nothing measured yet" in read.text
    assert read.of("svg") == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_run_with_few_records_has_a_page(run_folder: Make, reader: Any, count: int) -> None:
    read = reader(page(attempt(run_folder(count=count))))
    assert read.open == [] and "too early to say" in read.text


def test_a_folder_with_nothing_but_records_has_a_page(run_folder: Make, reader: Any) -> None:
    folder = run_folder()
    for path in (*folder.glob("*.json"), folder / "events.jsonl", folder / "reals.png"):
        path.unlink()
    for path in (folder / "samples").iterdir():
        path.unlink()
    written = write(folder)
    read = reader(written.read_text())
    assert written == folder / "report.html"
    assert read.open == [] and read.of("img") == []
    assert "Losses" in read.text and "The recipe" not in read.text
    assert f"facesmith diagnose {folder}" in read.text


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"event": "stopped", "reason": "SIGTERM"}, "stopped by SIGTERM"),
        ({"event": "diverged", "error": "nan"}, "diverged"),
        ({"event": "started", "images_seen": 2000}, "not finished"),
    ],
)
def test_how_it_ended_is_said(
    run_folder: Make, reader: Any, last: dict[str, Any], said: str
) -> None:
    folder = run_folder()
    with (folder / "events.jsonl").open("a") as stream:
        stream.write(json.dumps(last) + "\n")
    read = reader(page(Attempt.read(folder)))
    assert f"1,000 training images; {said}" in read.text


def test_damaged_files_are_passed_over(run_folder: Make, reader: Any) -> None:
    folder = run_folder()
    (folder / "samples/fakes-000000001000.png").write_bytes(b"no picture")
    (folder / "samples/fakes-other.png").write_bytes(b"no number")
    (folder / "env.json").write_text("{")
    with (folder / "events.jsonl").open("a") as stream:
        stream.write('[1]\n{"event": "sto')
    read = reader(page(Attempt.read(folder)))
    assert read.open == [] and len(read.of("img")) == 3
    assert "The environment" not in read.text and "started" in read.text


def test_numbers_that_are_not_finite_break_no_drawing(run_folder: Make, reader: Any) -> None:
    folder = run_folder()
    text = (folder / "metrics.jsonl").read_text()
    for name in ("generator_loss", "discriminator_gradient", "separation", "fakes.mean"):
        text = re.sub(rf'"{name}": [0-9.]+', f'"{name}": null', text)
    (folder / "metrics.jsonl").write_text(text)
    html = page(Attempt.read(folder))
    assert reader(html).open == []
    assert re.search(r'(d|style|x|width)="[^"]*\b(nan|inf)\b', html) is None


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no run"):
        write(tmp_path)


def test_a_folder_that_cannot_be_written_is_explained(run_folder: Make) -> None:
    folder = run_folder()
    (folder / "report.html.partial").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        write(folder)


def test_changes_that_were_made_on_the_way_are_marked_everywhere(
    run_folder: Make, reader: Any
) -> None:
    folder = run_folder()
    event = {
        "event": "intervention",
        "images_seen": 1200,
        "back_to": 800,
        "changes": [{"option": "batch", "old": 32, "new": 64}],
    }
    with (folder / "events.jsonl").open("a") as stream:
        stream.write(json.dumps(event) + "\n")
    made = Attempt.read(folder)
    assert [mark.images for mark in marks(made)[""]] == [1200]
    read = reader(page(made))
    assert len(read.of("a", "mark change")) == len(read.of("figure", "plot")) - 1  # time shares
    assert "option batch, old 32, new 64" in read.text


def test_a_finding_without_a_curve_is_marked_on_the_losses(
    run_folder: Make, findings: tuple[Finding, ...]
) -> None:
    found = marks(attempt(run_folder(), *findings))
    assert [mark.label for mark in found["generator_loss"]] == ["2", "3"]
    assert [mark.label for mark in found["separation"]] == ["1"]


def test_what_differs_from_the_named_recipe_is_shown(run_folder: Make, reader: Any) -> None:
    read = reader(page(attempt(run_folder(batch=48))))
    usual = find_recipe("face").batch
    assert f"What differs from the recipe face: here there batch 48 {usual} all" in read.text
    assert "optimizers.generator.learning_rate" in read.text


def test_the_page_stays_small_when_a_run_is_long(run_folder: Make) -> None:
    folder = run_folder(count=1)
    line = (folder / "metrics.jsonl").read_text().splitlines()[1]
    with (folder / "metrics.jsonl").open("a") as stream:
        for number in range(2, 2001):
            stream.write(
                line.replace('"images_seen": 100,', f'"images_seen": {100 * number},') + "\n"
            )
    assert len(page(Attempt.read(folder))) < 400_000
