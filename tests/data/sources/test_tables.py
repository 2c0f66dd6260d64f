from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facesmith.base.errors import DataError
from facesmith.data.sources.annotations import SIDES, Table
from facesmith.data.sources.tables import read_table

ATTRIBUTES = """3
Male Smiling Young_Face \n\
000001.jpg -1  1  1
000002.jpg  1 -1 -1
000003.jpg -1 -1  1
"""


def content(table: Table) -> dict[str, list[object]]:
    rows = range(len(table.files))
    return {name: [column.cells[row] for row in rows] for name, column in table.columns.items()}


def sides(table: Table) -> list[str | None]:
    names = {code: side for side, code in SIDES.items()}
    assert table.sides is not None
    return [names.get(code) for code in table.sides.tolist()]


# ---- CelebA's text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_celebas_attributes(newline: str, mark: str) -> None:
    text = (mark + ATTRIBUTES).replace("\n", newline)
    table = read_table("Anno/list_attr_celeba.txt", text.encode())
    assert table.files == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert content(table) == {
        "Male": [0, 1, 0], "Smiling": [1, 0, 0], "Young_Face": [1, 0, 1]}  # fmt: skip
    assert table.columns["Male"].values.dtype == np.int8
    assert table.sides is None


def test_celebas_people_and_split() -> None:
    people = read_table("identity_CelebA.txt", b"000001.jpg 2880\n000002.jpg 67\n")
    assert content(people) == {"identity": [2880, 67]}
    split = read_table("list_eval_partition.txt", b"000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n")
    assert content(split) == {}
    assert sides(split) == ["train", "held-out", "held-out"]


def test_celebas_landmarks_and_boxes() -> None:
    landmarks = "1\nlefteye_x lefteye_y\n000001.jpg  69  109\n"
    assert content(read_table("list_landmarks_align_celeba.txt", landmarks.encode())) == {
        "lefteye_x": [69], "lefteye_y": [109]}  # fmt: skip
    boxes = "1\nimage_id x_1 y_1 width height\n000001.jpg    95  71 226 -313\n"
    assert content(read_table("list_bbox_celeba.txt", boxes.encode())) == {
        "x_1": [95], "y_1": [71], "width": [226], "height": [-313]}  # fmt: skip


def test_a_text_of_another_name_has_labels_by_number() -> None:
    assert content(read_table("a.txt", b"1.jpg 5\n2.jpg x\n")) == {"label": ["5", "x"]}
    assert content(read_table("a.txt", b"1.jpg 5 .5\n")) == {"label_0": [5], "label_1": [0.5]}
    # Only attributes are signs; a label of -1 and 1 stays what it is.
    assert content(read_table("a.txt", b"1.jpg -1\n2.jpg 1\n")) == {"label": [-1, 1]}


def test_rows_that_a_count_promises_may_be_missing(caplog: pytest.LogCaptureFixture) -> None:
    table = read_table("list_attr_celeba.txt", ATTRIBUTES.replace("3", "9", 1).encode())
    assert len(table.files) == 3
    assert "promises 9 rows and holds 3" in caplog.text


# ---- commas


def test_kaggles_attributes_and_split() -> None:
    rows = "image_id,Male,Smiling\n000001.jpg,-1,1\n000002.jpg,1,1\n"
    assert content(read_table("list_attr_celeba.csv", rows.encode())) == {
        "Male": [0, 1], "Smiling": [1, 1]}  # fmt: skip
    split = read_table(
        "list_eval_partition.csv", b"image_id,partition\n000001.jpg,0\n000002.jpg,2\n"
    )
    assert (content(split), sides(split)) == ({}, ["train", "held-out"])


@pytest.mark.parametrize("name", ["file", "filename", "name", "Image", "image_id", "PATH"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_with_commas(name: str, delimiter: str) -> None:
    rows = [[name, "age", "mood"], ["a, b.jpg", "3", ""], ["é\n.jpg", "", '"so-so"']]
    text = "\n".join(
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows
    )
    table = read_table("my labels.csv", f"\ufeff{text}\n\n".encode())
    assert table.files == ["a, b.jpg", "é\n.jpg"]
    assert content(table) == {"age": [3, None], "mood": [None, '"so-so"']}


def test_the_column_of_files_need_not_be_the_first() -> None:
    numbered = b",file,age\n0,a.jpg,3\n1,b.jpg,4\n"  # as pandas writes it
    table = read_table("a.csv", numbered)
    assert (table.files, content(table)) == (["a.jpg", "b.jpg"], {"age": [3, 4]})
    unknown = b"picture of,age\na.jpg,3\n"
    assert read_table("a.csv", unknown).files == ["a.jpg"]


def test_names_that_are_no_utf8_stay_as_the_file_system_has_them() -> None:
    assert read_table("a.csv", b"file,age\n\xff\xfe.jpg,3\n").files == ["\udcff\udcfe.jpg"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "val", "test"], ["train", "held-out", "held-out"]),
        (["Training", "", "validation"], ["train", None, "held-out"]),
        (["train", "held-out", "dev"], ["train", "held-out", "held-out"]),
    ],
)
@pytest.mark.parametrize("name", ["split", "Partition"])
def test_a_column_of_sides(name: str, words: list[str], expected: list[str | None]) -> None:
    rows = "".join(f"{n}.jpg,{word},{n}\n" for n, word in enumerate(words))
    table = read_table("labels.csv", f"file,{name},age\n{rows}".encode())
    assert (content(table), sides(table)) == ({"age": [0, 1, 2]}, expected)


def test_a_column_called_split_that_is_none_is_a_label() -> None:
    table = read_table("labels.csv", b"file,split\n1.jpg,train\n2.jpg,banana\n")
    assert (content(table), table.sides) == ({"split": ["train", "banana"]}, None)


# ---- StyleGAN


def test_stylegans_labels() -> None:
    pairs = [["00000/img00000000.png", 6], ["00000/img00000001.png", 9]]
    table = read_table("dataset.json", json.dumps({"labels": pairs}).encode())
    assert table.files == [name for name, _ in pairs]
    assert content(table) == {"label": [6, 9]}
    vectors = {"labels": [["a.png", [0.25, True]], ["b.png", [1e-20, None]]]}
    assert content(read_table("dataset.json", json.dumps(vectors).encode())) == {
        "label_0": [0.25, 1e-20], "label_1": [1, None]}  # fmt: skip


# ---- what cannot be used


@pytest.mark.parametrize(
    ("name", "data", "detail"),
    [
        ("list_attr_celeba.txt", b"<!DOCTYPE html><html>quota</html>", "a web page"),
        ("list_attr_celeba.txt", ATTRIBUTES[:-4].encode(), "row 3 has 3 values instead of 4"),
        ("list_attr_celeba.txt", b"3\nMale\n1.jpg 1 1\n", "row 1 has 3 values instead of 2"),
        ("a.txt", b"", "no rows"),
        ("a.txt", b"3\n", "no rows"),
        ("a.csv", b"", "none of its columns names photos"),
        ("a.csv", b"file,age\n", "no rows"),
        ("a.csv", b"age,mood\n3,good\n", "none of its columns names photos: age, mood"),
        ("a.csv", b"1.jpg,3\n2.jpg,4\n", "none of its columns names photos"),
        ("a.csv", b"file,age\n1.jpg,3\n2.jpg\n", "row 2 has 1 values instead of 2"),
        ("a.csv", b"file,age,age\n1.jpg,3,4\n", "two of its columns have one name"),
        ("a.csv", b"file,age\n" + b"x" * 200_000, "field larger"),
        ("dataset.json", b"{", "Expecting"),
        ("dataset.json", b"[" * 100_000, "recursion"),
        ("dataset.json", b'{"labels": null}', "no list of files"),
        ("dataset.json", b'{"labels": []}', "no list of files"),
        ("dataset.json", b'{"labels": ["Male", "Young"], "format": 1}', "no list of files"),
        ("dataset.json", b"[1, 2]", "no list of files"),
        (
            "dataset.json",
            b'{"labels": [["a", [1, 2]], ["b", [1]]]}',
            "row 2 has 2 values instead of 3",
        ),
    ],
)
def test_what_cannot_be_used_is_explained(name: str, data: bytes, detail: str) -> None:
    with pytest.raises(DataError, match=f"{name} cannot be used for labels: .*{detail}") as caught:
        read_table(name, data)
    assert caught.value.exit_code == 3


def test_many_rows_are_read_in_blocks() -> None:
    count = 10_000
    rows = "".join(f"{n}.jpg,{n % 7},{n / 8}\n" for n in range(count))
    table = read_table("a.csv", f"file,week,eighth\n{rows}".encode())
    np.testing.assert_array_equal(table.columns["week"].values, np.arange(count) % 7)
    np.testing.assert_array_equal(table.columns["eighth"].values, np.arange(count) / 8)
    assert table.columns["week"].values.nbytes == count


def test_the_revision_is_that_of_the_content() -> None:
    def revision(text: str) -> str:
        return read_table("a.csv", text.encode()).revision

    assert revision("file,age\n1.jpg,3\n") == revision("file,age\n1.jpg,3\n")
    assert revision("file,age\n1.jpg,3\n") != revision("file,age\n1.jpg,4\n")


def test_the_published_subset(shared_data: Path) -> None:
    files = sorted((shared_data / "celeba_annotations").iterdir())
    found = {file.name: read_table(file.name, file.read_bytes()) for file in files}
    attributes, pair = found["list_attr_celeba.txt"], found["male_attractive.csv"]
    assert len(attributes.columns) == 40
    counts = np.bincount(found["list_eval_partition.txt"].sides)  # type: ignore[arg-type]
    assert counts.tolist() == [0, 15_920, 4_080]
    people = found["identity_CelebA.txt"].columns["identity"].values
    assert (np.unique(people, return_counts=True)[1] == 5).all()
    assert int(pair.columns["male"].values.sum()) == 8_797
    # Both were taken from one list, so that they agree.
    rows = {name: row for row, name in enumerate(pair.files)}
    common = [rows[name] for name in attributes.files]
    for one, other in (("Male", "male"), ("Attractive", "attractive")):
        theirs = pair.columns[other].values[common]
        np.testing.assert_array_equal(attributes.columns[one].values, theirs)
