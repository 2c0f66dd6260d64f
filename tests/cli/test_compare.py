from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from facesmith import cli


@pytest.fixture(scope="module")
def runs(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run, and a copy of it with another seed and a batch of its own."""
    other = tmp_path_factory.mktemp("compare") / "other"
    shutil.copytree(trained, other)
    tree = json.loads((other / "run.json").read_text())
    tree["run"]["seed"], tree["recipe"]["batch"] = 5, 12
    (other / "run.json").write_text(json.dumps(tree))
    return trained, other


def test_the_table_names_what_differs_and_ends_with_a_command(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["compare", *map(str, runs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]
    assert ["batch", "8", "12"] in cells and ["seed", "0", "5"] in cells
    assert ["images seen", "32", "32"] in cells
    assert "flip" not in {row[0] for row in cells if row}
    assert any(line.startswith("run: ") for line in lines)
    assert any(line.startswith("other: ") for line in lines)
    assert lines[-1].startswith("next: facesmith ")


def test_the_numbers_are_json(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["compare", *map(str, runs), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert numbers["settings"] == {"batch": ["8", "12"], "seed": ["0", "5"]}
    assert [run["name"] for run in numbers["runs"]] == ["run", "other"]
    first = numbers["runs"][0]
    assert first["figures"]["images"] == 32 and first["folder"] == str(runs[0])
    assert {"good", "bad", "findings", "severity", "ending"} <= first.keys()
    assert numbers["next"].startswith("facesmith ")


def test_the_page_is_written_where_it_was_asked_for(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pages" / "compare.html"
    assert cli.run(["compare", *map(str, runs), "--out", str(out)]) == 0
    assert out.read_text().startswith("<!doctype html>")
    assert str(out) in capsys.readouterr().out


def test_one_run_alone_is_refused(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["compare", str(runs[0])]) == 2
    assert "two runs or more" in capsys.readouterr().err


def test_what_is_no_run_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["compare", str(runs[0]), str(tmp_path)]) == 3
    assert "is no run" in capsys.readouterr().err


def test_names_of_settings_break_after_dots() -> None:
    from facesmith.cli.compare import _folded

    assert _folded("batch") == "batch"
    assert _folded("optimizers.discriminator.learning_rate") == (
        "optimizers.discriminator.\n  learning_rate"
    )
