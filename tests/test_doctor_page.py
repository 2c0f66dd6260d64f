"""docs/doctor.md keeps up: a section and a picture for each diagnosis, remedies that can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import doctor_pictures
from facesmith import cli
from facesmith.health.kinds import KINDS, STAGES
from planted.judging import Verdict, summarize

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "doctor.md").read_text(encoding="utf-8")
PICTURES = DOCS / "images" / "doctor"
SECTIONS = dict(re.findall(r"^### ([a-z0-9-]+)\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S))
PARTS = ("*What it looks like.*", "*Why it happens.*", "*What to do.*")
ELSEWHERE = ("--json", "--no-page", "--out", "--keep", "--cache", "--precision", "--record-every")


def words(text: str) -> str:
    """Lay out a section in one line."""
    return " ".join(text.split())


def test_each_diagnosis_has_a_section_in_the_order_of_advice() -> None:
    assert sorted(SECTIONS) == sorted(KINDS)
    stages = [STAGES.index(KINDS[kind].stage) for kind in SECTIONS]
    assert stages == sorted(stages)


def test_sections_stand_below_their_stage() -> None:
    stage = ""
    for level, heading in re.findall(r"^(##|###) (.+)$", PAGE, re.M):
        if level == "##":
            stage = heading.lower()
        elif heading in KINDS:
            assert KINDS[heading].stage == stage, heading


@pytest.mark.parametrize("kind", KINDS)
def test_a_section_says_what_why_and_what_to_do(kind: str) -> None:
    section = words(SECTIONS[kind])
    places = [section.index(part) for part in PARTS]
    assert places == sorted(places)
    assert places[0] == 0
    said = re.sub(r"!\[.*?\)", "", section)
    assert 45 <= len(said.split()) <= 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_section_ends_with_its_own_small_picture(kind: str) -> None:
    assert re.findall(r"!\[[^\]]{10,}\]\(([^)]+)\)", SECTIONS[kind]) == [
        f"images/doctor/{kind}.png"
    ]
    assert 3_000 < (PICTURES / f"{kind}.png").stat().st_size <= 30_000


def test_pictures_are_those_of_the_page() -> None:
    shown = set(re.findall(r"\]\(images/doctor/([^)]+)\)", PAGE))
    assert shown == {path.name for path in PICTURES.iterdir()}
    assert set(doctor_pictures.SCENES) == set(KINDS)
    assert (PICTURES / "report.png").stat().st_size <= 150_000


def test_links_within_the_page_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", PAGE, re.M)
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links <= anchors
    assert len(links) > 10


def typed() -> list[str]:
    """Give the options with values that the page tells the reader to type."""
    plain = re.sub(r"```.*?```", "", PAGE, flags=re.S)
    spans = [words(span) for span in re.findall(r"`([^`]+)`", plain)]
    return sorted({s for s in spans if re.match(r"--\S+ \S", s) and not s.startswith(ELSEWHERE)})


@pytest.mark.parametrize("options", typed())
def test_remedies_can_be_typed(options: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "face", "--data", "portraits", "--dry-run", *shlex.split(options)]
    assert cli.run(command) == 0, capsys.readouterr().err


def test_remedies_are_many() -> None:
    assert len(typed()) > 25


def test_commands_of_the_page_are_verbs() -> None:
    verbs = set(re.findall(r"(?:`|\$ |^|next: )facesmith ([a-z]+)(?= |`)", PAGE, re.M))
    assert verbs <= set(cli.VERBS)
    assert {"diagnose", "compare", "train"} <= verbs


def test_figures_of_the_clinic_go_between_their_marks() -> None:
    verdicts = [
        Verdict("a", "data-sorted", "", ("data-sorted",), ("ill",), placed=True, named=0.1),
        Verdict("b", "healthy", "", ("healthy",), ("well",), placed=True, named=None),
    ]
    page = "before\n<!-- clinic -->\nold\n<!-- /clinic -->\nafter\n"
    once = doctor_pictures.fill(page, {"reporting": summarize(verdicts)})
    assert "| data-sorted | 1 | 100%" in once
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith("<!-- /clinic -->\nafter\n")
    assert doctor_pictures.fill(once, {"reporting": summarize(verdicts)}) == once
    assert "<!-- clinic -->" in PAGE
    assert "<!-- /clinic -->" in PAGE
