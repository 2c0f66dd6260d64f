from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from facesmith.base.errors import DataError
from facesmith.data.sources import finding
from facesmith.data.sources.contract import Source
from facesmith.data.sources.opening import open_source

PHOTOS = [f"{number:06d}.jpg" for number in range(1, 7)]
PLACES = dict(zip(PHOTOS, [0, 0, 0, 1, 2, 2], strict=True))
SIDES = ["train"] * 3 + ["held-out"] * 3


def attributes(names: list[str]) -> str:
    rows = "".join(f"{name} {-1 if int(name[:6]) % 2 else 1:2d}  1\n" for name in names)
    return f"{len(names)}\nMale Young \n{rows}"


TEXTS = {
    "list_attr_celeba.txt": attributes(PHOTOS),
    "identity_CelebA.txt": "".join(f"{name} {int(name[:6]) * 10}\n" for name in PHOTOS),
    "list_eval_partition.txt": "".join(f"{name} {place}\n" for name, place in PLACES.items()),
}
TABLES = {
    "list_attr_celeba.csv": "image_id,Male,Young\n"
    + "".join(f"{name},{-1 if int(name[:6]) % 2 else 1},1\n" for name in PHOTOS),
    "list_eval_partition.csv": "image_id,partition\n"
    + "".join(f"{name},{place}\n" for name, place in PLACES.items()),
}


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def folder_of(path: Path, names: list[str]) -> Path:
    return put(path, dict.fromkeys(names, "photo"))


def zip_of(path: Path, files: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def labels(source: Source) -> dict[str, dict[str, object]]:
    told = source.annotations
    assert told is not None
    return {
        entry.name: dict(zip(told.names, told.labels(entry.name), strict=True))
        for entry in source.entries
    }


def sides(source: Source) -> list[str | None]:
    assert source.annotations is not None
    return [source.annotations.side(entry.name) for entry in source.entries]


# ---- CelebA, however it came


def official(root: Path) -> Path:
    put(root / "Anno", {name: TEXTS[name] for name in TEXTS if "eval" not in name})
    put(root / "Eval", {"list_eval_partition.txt": TEXTS["list_eval_partition.txt"]})
    return zip_of(
        root / "Img" / "img_align_celeba.zip", {f"img_align_celeba/{p}": "photo" for p in PHOTOS}
    )


def official_unpacked(root: Path) -> Path:
    official(root).unlink()
    return folder_of(root / "Img" / "img_align_celeba", PHOTOS)


def official_above(root: Path) -> Path:
    official_unpacked(root)
    return root


def downloaded(root: Path) -> Path:
    put(root, TEXTS)
    zip_of(root / "img_align_celeba.zip", {f"img_align_celeba/{p}": "photo" for p in PHOTOS})
    return root


def downloaded_tar(root: Path) -> Path:
    put(root, TEXTS)
    photos = folder_of(root.parent / "elsewhere" / "img_align_celeba", PHOTOS)
    with tarfile.open(root / "celeba.tgz", "w:gz") as archive:
        archive.add(photos, "img_align_celeba")
    return root


def beside(root: Path) -> Path:
    put(root / "celeba_annotations", TEXTS)
    return zip_of(root / "celeba_20000.zip", {f"img_align_celeba/{p}": "photo" for p in PHOTOS})


def kaggle(root: Path) -> Path:
    put(root, TABLES)
    folder_of(root / "img_align_celeba" / "img_align_celeba", PHOTOS)
    return root


def kaggle_folder(root: Path) -> Path:
    return kaggle(root) / "img_align_celeba"


def kaggle_inner_folder(root: Path) -> Path:
    return kaggle(root) / "img_align_celeba" / "img_align_celeba"


def kaggle_zip(root: Path) -> Path:
    photos = {f"img_align_celeba/img_align_celeba/{p}": "photo" for p in PHOTOS}
    return zip_of(root / "archive.zip", {**TABLES, **photos})


@pytest.mark.parametrize(
    "layout",
    [official, official_unpacked, official_above, downloaded, downloaded_tar, beside,
     kaggle, kaggle_folder, kaggle_inner_folder, kaggle_zip],
)  # fmt: skip
def test_celebas_files_are_found(layout: Callable[[Path], Path], tmp_path: Path) -> None:
    found = open_source(layout(tmp_path / "data"), resolution=8)
    assert [Path(entry.name).name for entry in found.entries] == PHOTOS  # and none of the texts
    told = labels(found)
    assert [each["Male"] for each in told.values()] == [0, 1, 0, 1, 0, 1]
    assert [each["Young"] for each in told.values()] == [1] * 6
    if "kaggle" not in layout.__name__:
        assert [each["identity"] for each in told.values()] == [10, 20, 30, 40, 50, 60]
    assert found.own_split
    assert sides(found) == SIDES
    limited = open_source(layout(tmp_path / "data"), resolution=8, limit=4)
    assert sides(limited) == ["train", "train", "held-out", "held-out"]


def test_a_part_of_the_attributes_gives_missing_values(tmp_path: Path) -> None:
    files = {**TEXTS, "list_attr_celeba.txt": attributes(PHOTOS[3:5])}
    put(tmp_path, files)
    found = open_source(folder_of(tmp_path / "photos", PHOTOS), resolution=8)
    assert [each["Male"] for each in labels(found).values()] == [None, None, None, 1, 0, None]
    # Alone it would name too few of the photos.
    for name in ("identity_CelebA.txt", "list_eval_partition.txt"):
        (tmp_path / name).unlink()
    assert open_source(tmp_path / "photos", resolution=8).annotations is None


def test_numbered_photos_that_are_not_celebas_get_no_labels(tmp_path: Path) -> None:
    put(tmp_path / "celeba_annotations", TEXTS)
    own = folder_of(tmp_path / "own", [f"IMG_{name}" for name in PHOTOS])
    assert open_source(own, resolution=8).annotations is None
    more = folder_of(tmp_path / "more", [f"{number:06d}.jpg" for number in range(5, 500)])
    assert open_source(more, resolution=8).annotations is None


def test_boxes_belong_to_the_pictures_before_they_were_cropped(tmp_path: Path) -> None:
    boxes = "image_id x_1 y_1 width height\n" + "".join(f"{p} 1 2 3 4\n" for p in PHOTOS)
    put(tmp_path, {**TEXTS, "list_bbox_celeba.txt": f"6\n{boxes}"})
    photos = folder_of(tmp_path / "photos", PHOTOS)
    assert "width" not in open_source(photos, resolution=8).columns
    named = open_source(photos, resolution=8, labels=tmp_path / "list_bbox_celeba.txt")
    assert named.columns == ("x_1", "y_1", "width", "height")


def test_a_web_page_instead_of_labels_is_said_and_does_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, {**TEXTS, "list_attr_celeba.txt": "<!DOCTYPE html><html>quota</html>"})
    found = open_source(folder_of(tmp_path / "photos", PHOTOS), resolution=8)
    assert found.columns == ("identity",)
    assert "list_attr_celeba.txt cannot be used for labels: it is a web page" in caplog.text


# ---- others


def csv_of(names: list[str]) -> str:
    return "file,mood\n" + "".join(f"{name},{number}\n" for number, name in enumerate(names))


@pytest.mark.parametrize("place", ["photos/labels.csv", "photos/deep/labels.csv", "labels.csv"])
def test_a_list_of_labels_among_the_photos_or_beside_them(tmp_path: Path, place: str) -> None:
    names = ["a b.jpg", "é.jpg", "c.jpg"]
    folder_of(tmp_path / "photos", names)
    put(tmp_path, {place: csv_of(names)})
    found = open_source(tmp_path / "photos", resolution=8)
    assert labels(found) == {"a b.jpg": {"mood": 0}, "c.jpg": {"mood": 2}, "é.jpg": {"mood": 1}}


def test_labels_beside_a_zip_and_in_it(tmp_path: Path) -> None:
    names = ["a.jpg", "b.jpg"]
    path = zip_of(tmp_path / "a.zip", {f"x/{name}": "photo" for name in names})
    put(tmp_path, {"labels.csv": csv_of(names)})
    assert labels(open_source(path, resolution=8)) == {
        "x/a.jpg": {"mood": 0},
        "x/b.jpg": {"mood": 1},
    }
    pairs = json.dumps({"labels": [["a.jpg", 6], ["b.jpg", 9]]})
    zip_of(path, {"a.jpg": "photo", "b.jpg": "photo", "dataset.json": pairs})
    found = open_source(path, resolution=8)  # what lies in it comes first
    assert labels(found) == {"a.jpg": {"label": 6}, "b.jpg": {"label": 9}}


def test_another_set_beside_gives_no_labels(tmp_path: Path) -> None:
    names = ["a.jpg", "b.jpg"]
    photos = folder_of(tmp_path / "photos", names)
    put(tmp_path, {"other/labels.csv": csv_of(names), "other/dataset.json": "{}",
                   "dataset.json": json.dumps({"labels": [[n, 1] for n in names]})})  # fmt: skip
    assert open_source(photos, resolution=8).annotations is None


@pytest.mark.parametrize(("named", "used"), [(3, True), (2, False)])
def test_labels_that_name_less_than_half_are_listed_with_their_reason(
    tmp_path: Path, named: int, used: bool
) -> None:
    names = [f"{letter}.jpg" for letter in "abcdef"]
    strangers = [f"stranger{number}.jpg" for number in range(9)]
    folder_of(tmp_path, names)
    put(tmp_path, {"labels.csv": csv_of([*strangers, *names[:named]]), "notes.txt": "mine"})
    found = open_source(tmp_path, resolution=8)
    listed = {entry.name for entry in found.entries}
    assert listed == {*names, "notes.txt", *([] if used else ["labels.csv"])}
    assert (found.annotations is not None) == used


def test_labels_that_name_a_photo_twice_are_not_used_unasked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder_of(tmp_path, ["a.jpg"])
    put(tmp_path, {"labels.csv": csv_of(["a.jpg", "a.jpg"])})
    found = open_source(tmp_path, resolution=8)
    assert [entry.name for entry in found.entries] == ["a.jpg", "labels.csv"]
    assert "two rows for a.jpg" in caplog.text
    with pytest.raises(DataError, match=r"two rows for a\.jpg"):
        open_source(tmp_path, resolution=8, labels=tmp_path / "labels.csv")


def test_names_tell_labels_beside_what_files_tell(tmp_path: Path) -> None:
    folder_of(tmp_path, ["cat/1.jpg", "dog/2.jpg"])
    put(tmp_path, {"labels.csv": csv_of(["1.jpg", "2.jpg"])})
    told = labels(open_source(tmp_path, resolution=8))
    assert told == {
        "cat/1.jpg": {"mood": 0, "folder": "cat"},
        "dog/2.jpg": {"mood": 1, "folder": "dog"},
    }


# ---- named by the user


def test_what_the_user_names_counts_alone(tmp_path: Path) -> None:
    put(tmp_path, TEXTS)
    photos = folder_of(tmp_path / "photos", PHOTOS)
    put(tmp_path / "mine", {"few.csv": csv_of(PHOTOS[:1]), "more.txt": f"{PHOTOS[1]} 7\n",
                            "README.md": "no labels", "other.csv": "file,x\nstranger.jpg,1\n"})  # fmt: skip
    found = open_source(photos, resolution=8, labels=tmp_path / "mine" / "few.csv")
    assert list(labels(found).values())[:2] == [{"mood": 0}, {"mood": None}]
    assert not found.own_split
    both = open_source(photos, resolution=8, labels=str(tmp_path / "mine"))
    assert both.columns == ("mood", "label")
    assert both.annotations is not None
    assert both.annotations.origins == ("mine/few.csv", "mine/more.txt")
    without = open_source(photos, resolution=8, labels="none")
    assert (without.annotations, without.own_split) == (None, False)


def test_a_named_split_is_the_split(tmp_path: Path) -> None:
    photos = folder_of(tmp_path / "photos", PHOTOS)
    put(tmp_path / "x", {"mine.csv": "file,split\n000001.jpg,test\n000002.jpg,train\n"})
    found = open_source(photos, resolution=8, labels=tmp_path / "x" / "mine.csv")
    assert found.own_split
    assert sides(found) == ["held-out", "train", None, None, None, None]


def test_named_labels_among_the_photos_are_no_photos(tmp_path: Path) -> None:
    photos = folder_of(tmp_path / "photos", PHOTOS)
    put(photos / "sub", {"mine.csv": csv_of(PHOTOS)})
    assert len(open_source(photos, resolution=8).entries) == 7
    found = open_source(photos, resolution=8, labels=photos / "sub" / "mine.csv")
    assert [entry.name for entry in found.entries] == PHOTOS
    (tmp_path / "link").symlink_to(photos)
    found = open_source(tmp_path / "link", resolution=8, labels=photos / "sub")
    assert [entry.name for entry in found.entries] == PHOTOS


def test_named_labels_that_fit_nothing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = folder_of(tmp_path / "photos", PHOTOS)
    put(tmp_path / "x", {"other.csv": csv_of(["stranger.jpg"]), "none.txt": "<html>"})
    with pytest.raises(DataError, match=r"name none of the 6 photos: they begin with stranger.jpg"):
        open_source(photos, resolution=8, labels=tmp_path / "x")
    with pytest.raises(DataError, match="a web page"):
        open_source(photos, resolution=8, labels=tmp_path / "x" / "none.txt")
    with pytest.raises(DataError, match="No such file"):
        open_source(photos, resolution=8, labels=tmp_path / "gone.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="name none of the 6 photos"):
        open_source(photos, resolution=8, labels=tmp_path / "empty")
    monkeypatch.setattr(finding, "MAX_FILES", 1)
    with pytest.raises(DataError, match="2 files that could be labels"):
        open_source(photos, resolution=8, labels=tmp_path / "x")
    monkeypatch.setattr(finding, "MAX_FILE_BYTES", 5)
    with pytest.raises(DataError, match="longer than 5 bytes"):
        open_source(photos, resolution=8, labels=tmp_path / "x" / "none.txt")


def test_named_labels_go_with_any_source(tmp_path: Path) -> None:
    put(tmp_path, {"mine.csv": csv_of(["portrait-0000001"])})
    found = open_source("portraits:2", resolution=16, labels=tmp_path / "mine.csv")
    assert found.columns == (*found.label_names, "mood")
    assert found.annotations is not None
    assert [found.annotations.labels(e.name) for e in found.entries] == [(None,), (0,)]


# ---- what a dataset is known by


def test_labels_are_part_of_what_a_source_is_known_by(tmp_path: Path) -> None:
    photos = folder_of(tmp_path / "photos", ["a.jpg", "b.jpg"])
    alone = open_source(photos, resolution=8).fingerprint()
    put(tmp_path, {"labels.csv": csv_of(["a.jpg", "b.jpg"])})
    first = open_source(photos, resolution=8).fingerprint()
    assert open_source(photos, resolution=8).fingerprint() == first
    put(tmp_path, {"labels.csv": csv_of(["b.jpg", "a.jpg"])})
    second = open_source(photos, resolution=8).fingerprint()
    assert len({str(each) for each in (alone, first, second)}) == 3
    assert open_source(photos, resolution=8, labels="none").fingerprint() == alone


def test_the_real_celeba(shared_data: Path) -> None:
    found = open_source(shared_data / "celeba_20000.zip", resolution=8)
    assert len(found.columns) == 41
    assert "male" not in found.columns  # male_attractive.csv is no well-known name
    told = labels(found)
    known = [each for each in told.values() if each["Male"] is not None]
    assert len(known) == 4_071
    assert sum(each["identity"] is not None for each in told.values()) == 20_000
    assert (sides(found).count("train"), sides(found).count("held-out")) == (15_920, 4_080)
    named = open_source(
        shared_data / "celeba_20000.zip",
        resolution=8,
        labels=shared_data / "celeba_annotations" / "male_attractive.csv",
    )
    assert sum(each["male"] for each in labels(named).values()) == 8_797  # type: ignore[misc]
    assert not named.own_split
