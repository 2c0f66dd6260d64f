from __future__ import annotations

from pathlib import Path

import pytest

from facesmith.data.sources.annotations import Annotations, Photos, join
from facesmith.data.sources.naming import FFHQ_IMAGES, tables_of_names
from facesmith.data.sources.opening import open_source


def told(names: list[str]) -> Annotations | None:
    return join(Photos(names), tables_of_names(names))


def labels(names: list[str]) -> dict[str, tuple[object, ...]] | None:
    found = told(names)
    return None if found is None else {name: found.labels(name) for name in names}


# ---- UTKFace


def test_utkfaces_names_tell_age_gender_and_race() -> None:
    expected = {
        "UTKFace/101_1_2_20170105174739309.jpg.chip.jpg": (101, 1, 2),
        "UTKFace/1_0_0_20161219140623097.jpg.chip.jpg": (1, 0, 0),
        "UTKFace/24_0_1_20170116220224657 .jpg.chip.jpg": (24, 0, 1),
        "UTKFace/55_0_4_20170116232725357jpg.chip.jpg": (55, 0, 4),
        "UTKFace/39_1_20170116174525125.jpg.chip.jpg": (None,) * 3,  # lacks the race
        "UTKFace/61_3_20170109150557335.jpg.chip.jpg": (None,) * 3,
        "UTKFace/30_1_5_20170109150557335.jpg.chip.jpg": (None,) * 3,  # races are 0 to 4
        "UTKFace/someone.jpg": (None,) * 3,
    }
    found = told([*expected])
    assert found is not None
    assert (found.names, found.sides) == (("age", "gender", "race"), None)
    assert {name: found.labels(name) for name in expected} == expected


def test_a_few_names_that_look_so_are_chance() -> None:
    strangers = [f"photo {number}.jpg" for number in range(3)]
    assert labels(["1_1_1_20170105174739309.jpg", *strangers]) is None
    assert labels(["1_1_1_20170105174739309.jpg", strangers[0], "notes.txt"]) is not None


def test_the_real_utkface(shared_data: Path) -> None:
    found = open_source(shared_data / "utkface_1500.zip", resolution=8)
    assert found.columns == ("age", "gender", "race")
    assert found.annotations is not None
    values = [found.annotations.labels(entry.name) for entry in found.entries]
    ages = [age for age, _, _ in values]
    assert (len(values), min(ages), max(ages)) == (1500, 1, 101)  # type: ignore[type-var]
    assert {gender for _, gender, _ in values} == {0, 1}
    assert {race for _, _, race in values} == {0, 1, 2, 3, 4}


# ---- FFHQ


def ffhq(pattern: str, count: int = FFHQ_IMAGES) -> list[str]:
    return [pattern.format(n, n - n % 1000) for n in range(count)]


@pytest.mark.parametrize("pattern", ["thumbnails128x128/{1:05d}/{0:05d}.png", "{0:05d}.jpg"])
def test_ffhqs_first_sixty_thousand_are_for_training(pattern: str) -> None:
    names = [*ffhq(pattern), "LICENSE.txt"]
    found = told(names)
    assert found is not None
    sides = list(map(found.side, names))
    assert sides == ["train"] * 60_000 + ["held-out"] * 10_000 + [None]
    assert found.names == ()


def test_what_is_not_the_whole_of_ffhq_has_no_split() -> None:
    most = ffhq("{1:05d}/{0:05d}.png", 69_999)
    for last in ([], ["69000/70000.png"], ["00000/00000.jpg"]):
        assert told([*most, *last]) is None


# ---- folders


@pytest.mark.parametrize("above", ["", "lfw/", "a/b/"])
def test_folders_side_by_side_are_a_label(above: str) -> None:
    names = [f"{above}{who}/{who}_000{n}.jpg" for who in ("Ann", "Bob") for n in (1, 2)]
    found = labels([*names, "README.md"])
    assert found == {**{name: (name.split("/")[-2],) for name in names}, "README.md": (None,)}


@pytest.mark.parametrize(
    "names",
    [
        ["a.jpg", "b.jpg"],  # no folders
        ["a/1.jpg", "a/2.jpg"],  # one
        ["a/1.jpg", "2.jpg"],  # not all
        ["a/1.jpg", "a/b/2.jpg"],  # not side by side
        ["train/a/1.jpg", "test/a/2.jpg"],
        ["00000/img00000000.png", "00001/img00001000.png"],  # StyleGAN's, only to hold files
        ["a/1.txt", "b/2.txt"],  # no photos
        [],
    ],
)
def test_other_folders_are_none(names: list[str]) -> None:
    assert labels(names) is None


def test_folders_called_like_numbers_are_classes() -> None:
    assert labels(["7/1.png", "0/1.png"]) == {"7/1.png": (7,), "0/1.png": (0,)}


def test_more_folders_than_there_are_people_are_no_label() -> None:
    assert labels([f"{n}/1.jpg" for n in range(20_000)]) is not None
    assert labels([f"{n}/1.jpg" for n in range(20_001)]) is None
