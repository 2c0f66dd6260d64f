"""facesmith prepare, as it is typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesmith import cli
from facesmith.data import Dataset
from facesmith.data.portraits import portraits

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Fourteen portraits, two of them copies, one grey, and a web page."""
    folder = tmp_path / "my photos"
    folder.mkdir()
    images, _ = portraits(range(12), 48, seed=1)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:02d}.png")
    Image.fromarray(images[3]).save(folder / "copy.png")
    Image.fromarray(images[5]).convert("L").save(folder / "grey.png")
    (folder / "page.jpg").write_bytes(b"<html>quota</html>")
    return folder


def prepare(photos: Path, out: Path, *words: str) -> Dataset:
    typed = ["prepare", str(photos), "--out", str(out), "--resolution", "32", "--workers", "1"]
    assert cli.run([*typed, *words]) == 0
    return Dataset.open(out)


def test_photos_are_cleaned_unless_it_is_told_not_to(
    photos: Path, tmp_path: Path, capsys: Printed
) -> None:
    cleaned = prepare(photos, tmp_path / "cleaned", "--keep-rejects")
    assert cleaned.summary.rejected == {"duplicate": 1, "grey": 1, "web page": 1}
    assert "rejected/ shows them" in capsys.readouterr().out
    assert len(list((tmp_path / "cleaned/rejected/grey").iterdir())) == 1
    assert not (prepare(photos, tmp_path / "all", "--clean", "none").folder / "rejected").exists()
    own = prepare(photos, tmp_path / "own", "--clean", "standard(grey=0,near=0)")
    assert own.summary.rejected == {"duplicate": 1, "web page": 1}


def test_a_preview_needs_no_place_for_a_dataset_and_makes_none(
    photos: Path, tmp_path: Path, capsys: Printed
) -> None:
    before = set(tmp_path.rglob("*"))
    look = tmp_path / "look.png"
    words = ["prepare", str(photos), "--resolution", "32", "--preview", str(look)]
    assert cli.run(words) == 0
    assert set(tmp_path.rglob("*")) - before == {look}
    with Image.open(look) as drawn:
        assert drawn.width > 300
    shown = capsys.readouterr().out
    assert "14 images of 15 photos" in shown
    assert "numbers from -1 (black) to 1 (white)" in shown
    assert "--preview" not in shown.split("next:")[1]
    assert "--out DATASET" in shown


def test_without_a_place_there_is_no_dataset(photos: Path, capsys: Printed) -> None:
    assert cli.run(["prepare", str(photos)]) == 2
    assert "--out DATASET" in capsys.readouterr().err


def test_labels_may_be_named_or_refused(photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["file", "smiles"], *([f"{index:02d}.png", index % 2] for index in range(12))]
        )
    (photos / "labels.csv").write_text(
        "file,age\n" + "".join(f"{i:02d}.png,{i}\n" for i in range(12))
    )
    named = prepare(photos, tmp_path / "named", "--labels", str(table), "--held-out", "0")
    assert list(named.labels) == ["smiles"]
    assert np.nansum(named.labels["smiles"]) == 6
    found = prepare(photos, tmp_path / "found", "--held-out", "0")
    assert list(found.labels) == ["age"]
    assert prepare(photos, tmp_path / "none", "--labels", "none").labels == {}


def test_a_share_that_is_asked_for_goes_before_the_authors_split(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    images, _ = portraits(range(12), 48, seed=2)
    rows = ["file,split"]
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:02d}.png")
        rows.append(f"{index:02d}.png,{'test' if index < 5 else 'train'}")
    (folder / "labels.csv").write_text("\n".join(rows))
    theirs = prepare(folder, tmp_path / "theirs")
    assert (theirs.summary.train, theirs.summary.held_out) == (7, 5)
    none = prepare(folder, tmp_path / "none", "--held-out", "0")
    assert (none.summary.train, none.summary.held_out) == (12, 0)


def test_a_detectors_model_without_a_crop_that_looks_for_faces_is_refused(
    photos: Path, tmp_path: Path, capsys: Printed
) -> None:
    words = ["prepare", str(photos), "--out", str(tmp_path / "out"), "--detector-model", "x.onnx"]
    assert cli.run(words) == 2
    assert "looks for no face" in capsys.readouterr().err


def test_the_summary_as_json_adds_up(photos: Path, tmp_path: Path, capsys: Printed) -> None:
    prepare(photos, tmp_path / "out", "--json")
    told = json.loads(capsys.readouterr().out)
    used = told["train"] + told["held_out"]
    assert told["found"] + told["extra"] == used + sum(told["rejected"].values())


def test_what_was_rejected_cannot_be_kept_afterwards(
    photos: Path, tmp_path: Path, capsys: Printed
) -> None:
    words = ["prepare", str(photos), "--out", str(tmp_path / "out"), "--resolution", "32"]
    assert cli.run([*words, "--workers", "1"]) == 0
    assert cli.run([*words, "--keep-rejects"]) == 2
    assert "is finished" in capsys.readouterr().err


def test_options_that_mean_nothing_for_a_preview_are_refused(
    photos: Path, tmp_path: Path, capsys: Printed
) -> None:
    words = ["prepare", str(photos), "--preview", str(tmp_path / "look.png")]
    for idle in (["--keep-rejects"], ["--workers", "2"], ["--json"]):
        assert cli.run([*words, *idle]) == 2
        assert f"{idle[0]} was given beside --preview" in capsys.readouterr().err


def test_a_copy_stands_beside_what_it_is_a_copy_of(photos: Path, tmp_path: Path) -> None:
    prepare(photos, tmp_path / "out")
    with Image.open(tmp_path / "out/rejected/duplicate.png") as drawn:
        sheet = np.asarray(drawn)
    side = (sheet.shape[1] - 6) // 2  # two pictures, three gaps
    left, right = sheet[2 : 2 + side, 2 : 2 + side], sheet[2 : 2 + side, 4 + side : 4 + 2 * side]
    np.testing.assert_array_equal(left, right)
    assert left.std() > 20


def test_one_photo_is_no_source_and_says_so(photos: Path, tmp_path: Path, capsys: Printed) -> None:
    assert cli.run(["prepare", str(photos / "00.png"), "--out", str(tmp_path / "out")]) == 3
    assert "is one photo" in capsys.readouterr().err
    (tmp_path / "celeba.zip").write_bytes(b"<!doctype html><html>quota exceeded</html>")
    assert cli.run(["prepare", str(tmp_path / "celeba.zip"), "--out", str(tmp_path / "out")]) == 3
    assert "is a web page that calls itself a zip" in capsys.readouterr().err
