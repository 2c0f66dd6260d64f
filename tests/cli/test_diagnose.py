"""facesmith diagnose, of a metrics file that another program wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facesmith.cli import run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lines = [f"{n // 10},{500 * n},1e-4,{20 + n},0.9995,1e-6" for n in range(40)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["epoch,iteration,errD,errG,D(x),D(G(z))", *lines]), "utf-8")
    return path


def test_a_table_is_diagnosed_and_reported(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", str(table), "--batch", "64"]) == 9
    said = capsys.readouterr()
    assert f"{64 * 500 * 39:,} images seen: ill" in said.out
    assert "The discriminator is right in 99.9% of all pairs" in said.out
    assert "nan" not in said.out
    page = table.with_name("log-report.html")
    assert f"with pictures and curves: {page}" in said.out
    assert "nan" not in page.read_text("utf-8").lower()
    assert said.err.count("epoch") == 1, "what is left out is named once"


def test_the_diagnosis_of_a_table_can_be_read_by_programs(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diagnose", str(table), "--batch", "64", "--json", "--no-page"]) == 9
    told = json.loads(capsys.readouterr().out)
    assert told["severity"] == "ill"
    assert told["findings"][0]["kind"] == "discriminator-too-strong"
    assert not table.with_name("log-report.html").exists()


def test_another_programs_table_leads_to_the_monitor_and_a_monitored_run_does_not(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["diagnose", str(table), "--batch", "64", "--no-page"])
    assert "next: watch your own loop with facesmith.HealthMonitor" in capsys.readouterr().out
    folder = tmp_path / "monitored"
    folder.mkdir()
    table.rename(folder / "log.csv")
    (folder / "run.json").write_text('{"run": {"images": 4000}}', "utf-8")
    run(["diagnose", str(folder), "--no-page"])
    assert f"diagnose {folder}" in capsys.readouterr().out
