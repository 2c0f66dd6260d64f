from __future__ import annotations

import csv
import errno
import functools
import hashlib
import importlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesmith.base.errors import DataError, StorageError, UsageError
from facesmith.data import Dataset
from facesmith.data import prepare as prepare_photos
from facesmith.data.packing import finish, processing

Picture = Callable[..., Image.Image]
Encode = Callable[..., bytes]
Photos = Callable[..., Path]
# Drawn test pictures are smooth and look alike, which cleaning would not like.
prepare = functools.partial(prepare_photos, clean="none")

# The package offers a function of the same name.
MODULE = importlib.import_module("facesmith.data.prepare")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fates(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "files.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


# ---- what comes out


def test_a_folder_of_photos_and_of_other_things_becomes_a_dataset(
    tmp_path: Path, photos: Photos, picture: Picture, encode: Encode
) -> None:
    source = photos(tmp_path / "photos", 40)
    (source / "zero.jpg").write_bytes(b"")
    (source / "quota.jpg").write_bytes(b"<!doctype html><title>Too many requests</title>")
    (source / "notes.txt").write_bytes(b"shot in may")
    (source / "cut.jpg").write_bytes(encode(picture(1, 99, 99), "JPEG")[:-300])
    (source / "tiny.png").write_bytes(encode(picture(1, 5, 5)))
    (source / "small.png").write_bytes(encode(picture(2, 20, 20)))
    shutil.copy(source / "photo 0003.jpg", source / "copy of 3.jpg")
    steps: list[tuple[int, int]] = []

    dataset = prepare(
        source,
        tmp_path / "out",
        resolution=32,
        progress=lambda done, all_: steps.append((done, all_)),
    )

    summary = dataset.summary
    assert summary.found == 47
    assert summary.rejected == {
        "damaged": 1, "empty file": 1, "text": 1, "too small": 1, "web page": 1
    }  # fmt: skip
    assert summary.found == summary.train + summary.held_out + sum(summary.rejected.values())
    assert (summary.duplicates, summary.enlarged) == (1, 1)
    assert summary.seconds > 0
    assert steps == [(47, 47)]
    words = "\n".join(summary.lines())
    for part in (
        "42 of 47 photos",
        "1 rejected: web page",
        "1 are exact copies",
        "1 were enlarged",
    ):
        assert part in words

    rows = fates(tmp_path / "out")
    assert len(rows) == 47
    assert "quota" in rows["quota.jpg"]["reason"]
    assert rows["small.png"]["side"] == "20"
    for name, row in rows.items():
        assert row["sha256"] == hashlib.sha256((source / name).read_bytes()).hexdigest()
        if row["fate"] == "rejected":
            assert row["row"] == ""
            continue
        images = dataset.images if row["fate"] == "train" else dataset.held_out
        with Image.open(source / name) as image:
            expected = image.resize((32, 32), Image.Resampling.LANCZOS)
        got = images[int(row["row"])].astype(int)
        np.testing.assert_allclose(got, np.asarray(expected), atol=1)  # rounded once, not twice


def test_the_manifest_says_what_was_made(tmp_path: Path, photos: Photos) -> None:
    dataset = prepare(
        photos(tmp_path / "photos", 20), tmp_path / "out", resolution=16, crop="center:30"
    )
    manifest = json.loads((tmp_path / "out" / "dataset.json").read_text(encoding="utf-8"))
    assert manifest["format"] == 1
    assert manifest["source"] == "photos"
    assert str(tmp_path) not in json.dumps(manifest)
    settings = manifest["settings"]
    assert (settings["crop"], settings["resolution"], settings["channels"]) == ("center:30", 16, 3)
    assert settings["fingerprint"]["count"] == 20
    assert set(manifest["files"]) == {"train.npy", "held-out.npy", "files.csv"}
    for name, entry in manifest["files"].items():
        data = (tmp_path / "out" / name).read_bytes()
        assert entry == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    values = np.load(tmp_path / "out" / "train.npy") / 255
    np.testing.assert_allclose(dataset.mean, values.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(dataset.std, values.std((0, 1, 2)), rtol=1e-10)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {*manifest["files"], "dataset.json"}


def test_labels_follow_their_images(tmp_path: Path) -> None:
    from facesmith.data.portraits import portraits

    dataset = prepare("portraits:30", tmp_path / "out", resolution=16)
    images, attributes = portraits(range(30), 16, seed=0)
    order = [
        int(name[-7:]) for name, row in fates(tmp_path / "out").items() if row["fate"] == "train"
    ]
    np.testing.assert_array_equal(dataset.images, images[order])
    name = next(name for name, values in attributes.items() if values.ndim == 1)
    np.testing.assert_allclose(dataset.labels[name], attributes[name][order])
    assert len(dataset.held_out_labels[name]) == len(dataset.held_out) == 30 - len(order)


def test_portraits_can_be_grey(tmp_path: Path) -> None:
    dataset = prepare("portraits:12", tmp_path / "grey", resolution=16, channels=1)
    assert dataset.images.shape[1:] == (16, 16, 1)


# ---- the split


def test_photos_added_later_move_no_other(tmp_path: Path, photos: Photos) -> None:
    few, many = photos(tmp_path / "few", 60), photos(tmp_path / "many", 120)
    prepare(few, tmp_path / "a", resolution=8)
    prepare(many, tmp_path / "b", resolution=8)
    before, after = fates(tmp_path / "a"), fates(tmp_path / "b")
    assert {n: r["fate"] for n, r in before.items()} == {n: after[n]["fate"] for n in before}
    held_out = Counter(row["fate"] for row in after.values())["held-out"]
    assert 3 <= held_out <= 25


def test_names_play_no_part_and_copies_stay_together(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 60)
    for path in list(source.iterdir()):
        shutil.copy(path, source / f"a copy of {path.name}")
    dataset = prepare(source, tmp_path / "out", resolution=8)
    sides: dict[str, set[str]] = {}
    for row in fates(tmp_path / "out").values():
        sides.setdefault(row["sha256"], set()).add(row["fate"])
    assert all(len(side) == 1 for side in sides.values())
    assert dataset.summary.duplicates == 60
    assert dataset.summary.held_out % 2 == 0


@pytest.mark.parametrize(("count", "held_out"), [(1, 0), (9, 0), (10, 1), (14, 1)])
def test_few_photos_keep_at_least_one_held_out_from_ten_on(
    count: int, held_out: int, tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As unlucky as can be: first the hash holds out nothing, then everything.
    source = photos(tmp_path / "photos", count)
    monkeypatch.setattr(finish, "MAX_HELD_OUT", 1e-15)
    nothing = prepare(source, tmp_path / "nothing", resolution=16)
    assert (nothing.summary.train, nothing.summary.held_out) == (count - held_out, held_out)
    monkeypatch.setattr(finish, "MAX_HELD_OUT", count)
    record = finish.record
    monkeypatch.setattr(MODULE, "record", lambda o, plan: record(o, replace(plan, held_out=1.0)))
    everything = prepare(source, tmp_path / "everything", resolution=16)
    assert everything.summary.train == (count if not held_out else count - 1)
    for dataset in (nothing, everything):
        dataset.verify()
        rows = fates(dataset.folder)
        for name, row in rows.items():
            images = dataset.images if row["fate"] == "train" else dataset.held_out
            with Image.open(source / name) as image:
                expected = np.asarray(image.resize((16, 16), Image.Resampling.LANCZOS))
            np.testing.assert_allclose(images[int(row["row"])].astype(int), expected, atol=1)


def test_copies_of_a_single_photo_all_train(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 1)
    for index in range(11):
        shutil.copy(source / "photo 0000.jpg", source / f"{index}.jpg")
    dataset = prepare(source, tmp_path / "out", resolution=8)
    assert (dataset.summary.train, dataset.summary.duplicates) == (12, 11)


def test_nothing_is_held_out_when_none_is_wanted(tmp_path: Path, photos: Photos) -> None:
    dataset = prepare(photos(tmp_path / "photos", 30), tmp_path / "out", resolution=8, held_out=0)
    assert dataset.held_out.shape == (0, 8, 8, 3)


# ---- the same result whatever happens


def test_worker_processes_do_not_change_a_byte(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 150)
    (source / "a bad one.jpg").write_bytes(b"no photo")
    for workers in (1, 2):
        prepare(source, tmp_path / str(workers), resolution=16, workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_zip_gives_the_same_images_as_its_folder(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 30)
    shutil.make_archive(str(tmp_path / "photos"), "zip", source)
    a = prepare(source, tmp_path / "a", resolution=16)
    b = prepare(tmp_path / "photos.zip", tmp_path / "b", resolution=16)
    np.testing.assert_array_equal(a.images, b.images)


def test_a_finished_dataset_is_taken_at_once_and_others_are_refused(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = photos(tmp_path / "photos", 20), tmp_path / "out"
    prepare(source, out, resolution=16)
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "process", lambda *_: pytest.fail("decoded again"))
        assert prepare(source, out, resolution=16).summary.seconds == 0
    with pytest.raises(UsageError, match="other resolution 16 instead of 32"):
        prepare(source, out, resolution=32)
    with pytest.raises(UsageError, match="other crop center instead of none"):
        prepare(source, out, resolution=16, crop="none")
    photos(source, 21)
    with pytest.raises(UsageError, match="other photos"):
        prepare(source, out, resolution=16)


def test_a_begun_dataset_of_photos_that_were_replaced_is_refused(
    tmp_path: Path, photos: Photos
) -> None:
    source, out = photos(tmp_path / "photos", 70), tmp_path / "out"

    def stop(done: int, found: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(source, out, resolution=8, workers=1, progress=stop)
    replaced = source / "photo 0003.jpg"
    before = replaced.stat().st_mtime_ns
    replaced.write_bytes(replaced.read_bytes()[::-1])
    os.utime(replaced, ns=(before + 10**9, before + 10**9))
    with pytest.raises(UsageError, match=r"other photos .*written since"):
        prepare(source, out, resolution=8, workers=1)


# ---- what is refused


def test_another_programs_dataset_json_is_no_dataset(tmp_path: Path, photos: Photos) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "dataset.json").write_text('{"labels": null}', encoding="utf-8")
    with pytest.raises(UsageError, match=r"is not empty: it holds dataset\.json"):
        prepare(photos(tmp_path / "photos", 2), out, resolution=8)


def test_a_finished_dataset_on_a_read_only_disk_is_taken(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = photos(tmp_path / "photos", 2), tmp_path / "out"
    prepare(source, out, resolution=8)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert prepare(source, out, resolution=8).count == 2


def test_memory_that_runs_out_is_explained(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(data: bytes, framing: object) -> None:
        raise MemoryError

    monkeypatch.setattr(processing, "decode", decode)
    with pytest.raises(StorageError, match="Memory ran out") as caught:
        prepare(photos(tmp_path / "photos", 2), tmp_path / "out", resolution=8)
    assert "fewer workers" in caught.value.todo


def test_one_photo_is_enough(tmp_path: Path, photos: Photos) -> None:
    dataset = prepare(photos(tmp_path / "photos", 1), tmp_path / "out", resolution=16)
    assert dataset.count == 1
    assert dataset.batch(0, 5, seed=0).shape == (5, 16, 16, 3)


def test_no_usable_photo_is_an_error_with_the_reasons(tmp_path: Path, photos: Photos) -> None:
    source = tmp_path / "photos"
    source.mkdir()
    (source / "a.jpg").write_bytes(b"")
    (source / "b.jpg").write_bytes(b"text")
    with pytest.raises(
        DataError, match=r"None of the 2 files of photos .* 1 x empty file, 1 x text"
    ):
        prepare(source, tmp_path / "out", resolution=16)
    photos(source, 1)
    assert prepare(source, tmp_path / "out", resolution=16).count == 1


def test_every_encrypted_zip_says_so(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 2)
    path = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", source))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"))
    with pytest.raises(DataError, match="2 x encrypted"):
        prepare(path, tmp_path / "out", resolution=16)


def test_an_output_that_cannot_be_written(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 2)
    (tmp_path / "file").write_bytes(b"in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match="cannot be written"):
            prepare(source, out, resolution=16)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, photos: Photos) -> None:
    source, other = photos(tmp_path / "photos", 2), photos(tmp_path / "other", 1)
    with pytest.raises(UsageError, match="is not empty"):
        prepare(source, other, resolution=16)
    with pytest.raises(UsageError, match="inside the photos"):
        prepare(source, source / "dataset", resolution=16)
    assert len(list(other.iterdir())) == 1


def test_too_little_room_is_noticed_before_the_work(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photos(tmp_path / "photos", 3)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
        patch.setattr(MODULE, "process", lambda *_: pytest.fail("decoded"))
        with pytest.raises(StorageError, match="MB free"):
            prepare(source, tmp_path / "out", resolution=16)
    assert prepare(source, tmp_path / "out", resolution=16).count == 3


@pytest.mark.parametrize(
    "arguments",
    [{"resolution": 3}, {"resolution": 5000}, {"channels": 2}, {"held_out": 0.9}, {"limit": 0},
     {"workers": 0}, {"crop": "left"}, {"resampling": "cubic"}],
    ids=str,
)  # fmt: skip
def test_arguments_out_of_range_are_refused(
    arguments: dict[str, object], tmp_path: Path, photos: Photos
) -> None:
    source = photos(tmp_path / "photos", 1)
    with pytest.raises(UsageError):
        prepare(source, tmp_path / "out", **{"resolution": 16, **arguments})  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_real_photos(shared_data: Path, tmp_path: Path) -> None:
    faces = prepare(shared_data / "celeba_20000.zip", tmp_path / "a", resolution=32, limit=150)
    assert faces.summary.used == 150
    assert 0.4 < np.mean(faces.mean) < 0.6
    groups = prepare(shared_data / "photos_people.zip", tmp_path / "b", resolution=32)
    assert groups.summary.used == 46
    assert groups.summary.rejected == {"text": 3}
    Dataset.open(tmp_path / "b").verify()


def test_a_dataset_is_no_source_of_photos(tmp_path: Path, photos: Photos) -> None:
    prepare(photos(tmp_path / "photos", 2), tmp_path / "one", resolution=16)
    with pytest.raises(UsageError, match="is a prepared dataset"):
        prepare(tmp_path / "one", tmp_path / "two", resolution=16)
    assert not (tmp_path / "two").exists()
