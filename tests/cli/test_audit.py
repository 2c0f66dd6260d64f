from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesmith import cli
from facesmith.applications.sample import load
from facesmith.data.audit import audit_images


def test_an_audit_leaves_a_page_and_numbers(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["audit", str(dataset), "--out", str(tmp_path / "new")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "training images" in shown[0]
    assert any(line.startswith("serious: ") for line in shown)  # 22 images are few
    assert shown[-1] == f"next: facesmith train face --data '{dataset}' --resolution 16"
    numbers = json.loads((tmp_path / "new" / "audit.json").read_text(encoding="utf-8"))
    assert set(numbers) == {"dataset", "findings"}
    assert numbers["findings"][0]["kind"] == "few images"
    assert (tmp_path / "new" / "audit.html").read_text(encoding="utf-8").startswith("<!doctype")


def test_json_is_what_is_written(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", str(dataset), "--out", str(tmp_path), "--json", "--sample", "5"]
    assert cli.run(words) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "audit.json").read_text(encoding="utf-8")
    assert json.loads(printed)["dataset"]["pixels"]["measured"] == 5


def test_a_model_is_audited_beside_its_data(
    dataset: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", str(dataset), "--samples", str(trained), "--count", "40"]
    assert cli.run([*words, "--out", str(tmp_path), "--json", "--truncation", "0.5"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert {"samples", "drift"} < set(numbers)
    made = audit_images(load(trained).generate(range(40), truncation=0.5), title=str(trained))
    assert numbers["samples"] == json.loads(json.dumps(made.to_dict()))
    assert numbers["drift"]  # after 32 images it makes noise
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "What the model changed" in page


@pytest.mark.parametrize("kind", ["folder", "zip", "portraits:50"])
def test_photos_are_answered_with_the_command_that_prepares_them(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = Path(kind)
    if kind == "folder":
        photos = tmp_path / "my photos"
        photos.mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photos / "a.png")
    elif kind == "zip":
        photos = tmp_path / "photos.zip"
        photos.write_bytes(b"PK")
    assert cli.run(["audit", str(photos)]) == 3
    said = capsys.readouterr().err
    assert re.search(r"facesmith prepare .* --out .*-64'?, then facesmith audit ", said)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["/nowhere"], 3, "holds no dataset"),
        (["DATA", "--count", "0"], 2, "--count was given 0"),
        (["DATA", "--sample", "0"], 2, "--sample was given 0"),
        (["DATA", "--count", "9"], 2, "--count was given, and no model"),
        (["DATA", "--truncation", "0.7"], 2, "--truncation was given, and no model"),
        (["DATA", "--recipe", "mine.py:net"], 2, "--recipe was given, and no model"),
        (["DATA", "--samples", "/nowhere"], 2, "holds no snapshot"),
        (["DATA", "--samples", "RUN", "--truncation", "2"], 2, "truncation"),
        (["DATA", "--out", "/dev/null/x"], 5, "--out"),
    ],
)
def test_mistakes_of_an_audit(
    words: list[str],
    code: int,
    said: str,
    dataset: Path,
    trained: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"DATA": str(dataset), "RUN": str(trained)}
    assert cli.run(["audit", *(places.get(word, word) for word in words)]) == code
    assert said in capsys.readouterr().err


def test_a_model_of_another_resolution_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["prepare", "portraits:12", "--out", str(tmp_path / "d"), "--resolution", "32"]
    assert cli.run([*words, "--workers", "1"]) == 0
    assert cli.run(["audit", str(tmp_path / "d"), "--samples", str(trained)]) == 2
    assert "16 pixels" in capsys.readouterr().err
