from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesmith.data.dataset import Dataset
from facesmith.data.packing import processing
from facesmith.data.packing.ledger import Ledger
from facesmith.data.packing.pack import Pack, Record
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.framing import Cut, Framing
from facesmith.data.plan import Plan
from facesmith.data.prepare import carry_out
from facesmith.data.quality.cleaning import STANDARD
from facesmith.data.sources.contract import Entry, Item, Source

RESOLUTION = 8


@dataclass(frozen=True)
class Groups:
    """Photo i holds the faces that its first bytes say, each a square of one value."""

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:
        for entry in entries:
            if entry.size == 0:
                yield PhotoError("unreadable", "gone")
            else:
                yield Item(bytes([entry.size, entry.index]))


def faces(data: bytes, framing: Framing) -> list[Cut]:
    """Stand for a crop that finds several faces; every third is too small."""
    found = []
    for face in range(data[0]):
        value = 10 * data[1] + face
        pixels = np.full((RESOLUTION, RESOLUTION, 3), value, np.uint8)
        reason = "small face: 9 pixels" if face == 2 else ""
        found.append(Cut(pixels, 40 if face else 4, reason, {"yaw": face - 0.5, "score": np.nan}))
    return found


def make(folder: Path, counts: Sequence[int], monkeypatch: pytest.MonkeyPatch, *,
         held_out: float = 0.5, keep: bool = False) -> Dataset:  # fmt: skip
    monkeypatch.setattr(processing, "decode", faces)
    entries = [Entry(f"photo {i}.jpg", size, i) for i, size in enumerate(counts)]
    plan = Plan(Source("groups", entries, Groups()), Framing(RESOLUTION), held_out)
    return carry_out(plan, folder, workers=1, keep_rejects=keep)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "files.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_face_of_a_photo_is_used_or_listed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = [1, 3, 0, 2, *[1] * 8]
    dataset = make(tmp_path / "out", counts, monkeypatch)
    summary = dataset.summary
    assert (summary.found, summary.extra) == (12, 2 + 1)
    assert summary.rejected == {"small face": 1, "unreadable": 1}
    assert summary.used == 15 - 2
    assert summary.found + summary.extra == summary.used + sum(summary.rejected.values())
    assert summary.lines()[0].startswith("13 of 15 faces in 12 photos are used")
    assert summary.enlarged == 11  # the first face of each photo that can be read

    listed = rows(tmp_path / "out")
    assert [row["face"] for row in listed[:6]] == ["", "1", "2", "3", "", "1"]
    assert listed[3]["reason"] == "small face: 9 pixels"
    assert [row["yaw"] for row in listed[1:4]] == ["-0.5", "0.5", "1.5"]
    assert {row["score"] for row in listed} == {""}  # unknown everywhere, and no number made up

    pixels = {"train": dataset.images, "held-out": dataset.held_out}
    for row in listed:
        if row["fate"] != "rejected":
            value = 10 * int(row["name"].split()[1].split(".")[0]) + int(row["face"] or 1) - 1
            assert (pixels[row["fate"]][int(row["row"])] == value).all()


def test_faces_of_one_photo_stand_on_one_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "out", [2] * 20, monkeypatch)
    sides: dict[str, set[str]] = {}
    for row in rows(tmp_path / "out"):
        sides.setdefault(row["name"], set()).add(row["fate"])
    assert all(len(side) == 1 for side in sides.values())
    assert {"train"} in sides.values() and {"held-out"} in sides.values()


def test_a_dataset_knows_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make(tmp_path / "out", [2] * 6, monkeypatch, held_out=0)
    facts = dataset.facts
    assert set(facts) >= {"side", "yaw", "score", "brightness", "detail"}
    np.testing.assert_array_equal(facts["yaw"], [-0.5, 0.5] * 6)
    assert np.isnan(facts["score"]).all()
    np.testing.assert_allclose(facts["brightness"], dataset.images.mean((1, 2, 3)) / 255, atol=1e-4)
    assert dataset.names == [f"photo {i // 2}.jpg" for i in range(12)]


def test_rejected_images_are_shown_a_sheet_for_each_reason_and_kept_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "out", [3, 0, 3, *[1] * 8], monkeypatch)
    rejected = tmp_path / "out" / "rejected"
    assert [path.name for path in rejected.iterdir()] == ["small-face.png"]
    sheet = np.asarray(Image.open(rejected / "small-face.png"))
    assert {2, 22} <= set(np.unique(sheet).tolist())  # their pixels, and nobody else's
    assert 1 not in sheet

    make(tmp_path / "kept", [3, 0, 3, *[1] * 8], monkeypatch, keep=True)
    kept = sorted((tmp_path / "kept/rejected/small-face").iterdir())
    assert [path.name for path in kept] == [
        "0000002-photo_0.jpg-face3.png", "0000006-photo_2.jpg-face3.png"
    ]  # fmt: skip
    assert (np.asarray(Image.open(kept[1])) == 22).all()


def test_a_dataset_without_rejects_has_no_folder_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make(tmp_path / "out", [1] * 3, monkeypatch, keep=True)
    assert not (tmp_path / "out/rejected").exists()
    assert dataset.summary.lines()[0].startswith("3 of 3 photos are used")


def record(name: str, fate: str, **more: object) -> Record:
    return Record(name, 0, fate, "blurred: 0.1" if fate == "rejected" else "", name, True, **more)  # type: ignore[arg-type]


def test_rows_are_numbered_among_those_of_their_fate() -> None:
    fates = ["train", "rejected", "held-out", "train", "train"]
    ledger = Ledger.read(record(str(i), fate) for i, fate in enumerate(fates))
    assert ledger.rows(ledger.written).tolist() == [0, 0, 0, 1, 2]
    ledger.reject([0, 3], ["", "dark: 0.01"])
    assert ledger.rows(ledger.fates).tolist() == [0, 0, 0, 1, 1]
    assert ledger.rows(ledger.written).tolist() == [0, 0, 0, 1, 2]
    assert list(ledger.by_kind()) == [("blurred", [1]), ("dark", [3])]


@pytest.mark.parametrize("moved", [[4, 7], []], ids=["rows move", "rows stay"])
@pytest.mark.parametrize(
    ("killed_in", "at"),
    [
        ("show_rejects", 1),
        ("close_rows", 1),
        ("close_rows", 2),
        ("_write_lists", 1),
        ("complete", 1),
    ],
)
def test_a_finish_that_is_killed_is_repeated_to_the_same_bytes(
    killed_in: str, at: int, moved: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facesmith.data.packing import finish

    counts = [3, 0, 2, *[1] * 12]
    # Some images change their fate at the end, so that rows move.
    monkeypatch.setattr(
        finish, "clean", lambda ledger, plan: ledger.reject([4, 7], ["dark: 0"] * 2)
    )
    whole = make(tmp_path / "whole", counts, monkeypatch, keep=True)
    assert whole.summary.rejected["dark"] == 2

    target = Pack if killed_in in ("close_rows", "complete") else finish
    original = getattr(target, killed_in)
    calls: list[int] = []

    def killed(*arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(target, killed_in, killed)
        make(tmp_path / "out", counts, monkeypatch, keep=True)
    make(tmp_path / "out", counts, monkeypatch, keep=True)
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_faces_that_fill_their_photos_get_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tight(data: bytes, framing: Framing) -> list[Cut]:
        reason = "at the edge: 60% of the square lies outside the photo" if data[1] else ""
        return [Cut(np.zeros((RESOLUTION, RESOLUTION, 3), np.uint8), 40, reason)]

    dataset = make(tmp_path / "few", [1] * 4, monkeypatch, held_out=0)
    assert not any("margin" in line for line in dataset.summary.lines())
    assert any("4 images are few" in line for line in dataset.summary.lines())
    monkeypatch.setattr("facesmith.data.packing.processing.decode", tight)
    entries = [Entry(f"{i}.jpg", 1, i) for i in range(4)]
    plan = Plan(Source("tight", entries, Groups()), Framing(RESOLUTION), 0.0)
    lines = carry_out(plan, tmp_path / "tight", workers=1).summary.lines()
    assert any('--crop "face(margin=0.6)"' in line for line in lines)


def test_room_is_asked_for_twice_where_images_will_be_sorted_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        Pack, "check_space", lambda self, images, *, copies: asked.append(images * copies)
    )
    make(tmp_path / "out", [1] * 4, monkeypatch)
    entries = [Entry(f"{i}.jpg", 1, i) for i in range(4)]
    cleaned = Plan(Source("groups", entries, Groups()), Framing(RESOLUTION), 0.0, STANDARD)
    carry_out(cleaned, tmp_path / "cleaned", workers=1)
    assert asked == [4, 8]
