from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest

from facesmith.base.errors import DataError
from facesmith.data.sources.annotations import (
    SIDES,
    Annotations,
    Cells,
    Column,
    Photos,
    Table,
    join,
)

TRAIN, HELD_OUT = SIDES["train"], SIDES["held-out"]


def column(*texts: str) -> Column:
    cells = Cells()
    cells.extend(texts[:1])
    cells.extend(texts[1:])
    return cells.column()


def values(found: Column) -> list[object]:
    return found.cells


def table(files: Sequence[str], **columns: Sequence[object]) -> Table:
    made = {name: column(*map(str, cells)) for name, cells in columns.items()}
    return Table("a.csv", list(files), made)


def found(names: Sequence[str], *tables: Table) -> dict[str, tuple[object, ...]]:
    told = join(Photos(names), tables)
    return {} if told is None else {name: told.labels(name) for name in names}


# ---- columns


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (["0", "1", "", "-127"], np.int8, [0, 1, None, -127]),
        (["0", "-128"], np.int16, [0, -128]),  # the lowest number of a type means missing
        (["127", "128"], np.int16, [127, 128]),
        (["-32768", "7"], np.int32, [-32768, 7]),
        (["-2147483648", " 7 "], np.int64, [-(2**31), 7]),
        ([str(2**63 - 1), "007"], np.int64, [2**63 - 1, 7]),
        ([str(2**63), "1"], np.float64, [float(2**63), 1.0]),
        (["0.1", "1", "", "1e-5", "nan"], np.float64, [0.1, 1.0, None, 1e-5, None]),
        (["", " ", ""], np.float64, [None, None, None]),
        (["b", "", "a", "b "], np.int32, ["b", None, "a", "b"]),
        (["1_0", "2"], np.int32, ["1_0", "2"]),  # no number, although Python reads it as ten
        (["1", "2x", ""], np.int32, ["1", "2x", None]),
        (["x" * 2000], np.int32, ["x" * 1000]),
    ],
)
def test_cells_become_the_smallest_column(
    texts: list[str], kind: type, expected: list[object]
) -> None:
    made = column(*texts)
    assert made.values.dtype == kind
    assert values(made) == expected
    assert [type(value) for value in values(made)] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (["3", "-4"], "int64", [3, -4]),
        (["3", ""], "float64", [3.0, np.nan]),
        (["0.5", ""], "float64", [0.5, np.nan]),
        (["", ""], "float64", [np.nan, np.nan]),
        (["a", "", "long"], "<U4", ["a", "", "long"]),
    ],
)
def test_arrays_show_what_is_missing(texts: list[str], kind: str, expected: list[object]) -> None:
    array = column(*texts).array()
    assert array.dtype == np.dtype(kind)
    np.testing.assert_array_equal(array, np.array(expected))


def test_rows_are_rearranged_and_what_is_not_there_is_missing() -> None:
    rows = np.array([2, -1, 0, 0], dtype=np.int32)
    assert values(column("5", "6", "7").take(rows)) == [7, None, 5, 5]
    assert values(column("a", "b", "c").take(rows)) == ["c", None, "a", "a"]
    assert values(column(".5", "6", "7").take(rows)) == [7.0, None, 0.5, 0.5]


# ---- which row is a photo's


@pytest.mark.parametrize(
    ("photos", "files", "rows"),
    [
        (["a/1.jpg", "a/2.jpg"], ["a/2.jpg", "a/1.jpg"], [1, 0]),  # full names
        (["x/a/1.jpg", "x/a/2.jpg"], ["a/2.jpg", "2.jpg"], [-1, 0]),  # the longest end
        (["x/1.jpg", "2.jpg"], ["1.jpg", "2.jpg"], [0, 1]),  # base names
        (["1.jpg", "x/2.jpg"], ["y/1.jpg", "y/2.jpg"], [0, 1]),  # of the rows, too
        (["a/1.jpg", "b/1.jpg", "b/2.jpg"], ["1.jpg", "2.jpg"], [-1, -1, 1]),  # which one?
        (["1.jpg", "b/1.jpg"], ["1.jpg"], [0, -1]),  # the full name, and nothing shorter
        (["1.jpg"], ["a/1.jpg", "b/1.jpg"], [-1]),  # which one?
        (["a\\1.jpg", "./a/2.jpg"], ["./a/1.jpg", "a\\2.jpg"], [0, 1]),
        (["1.jpg", "1.jpg"], ["1.jpg"], [0, 0]),  # two members of one name
        (["a.jpg"], ["A.jpg", "a.png", "aa.jpg"], [-1]),
        ([], ["a.jpg"], []),
    ],
)
def test_a_row_is_found_by_the_photos_name(
    photos: list[str], files: list[str], rows: list[int]
) -> None:
    assert Photos(photos).rows(table(files, label=range(len(files)))).tolist() == rows


def test_accents_are_the_same_however_they_are_written() -> None:
    name = "Zoë é.jpg"
    apart = unicodedata.normalize("NFD", name)
    assert apart != name
    assert found([apart], table([name], label=[3])) == {apart: (3,)}
    assert found([name], table([apart], label=[3])) == {name: (3,)}


def test_a_photo_named_twice_is_an_error() -> None:
    with pytest.raises(DataError, match=r"a.csv has two rows for x/1.jpg"):
        Photos(["1.jpg"]).rows(table(["x/1.jpg", "./x/1.jpg"], label=[1, 1]))


# ---- several tables


def test_tables_are_joined_and_missing_values_stay_missing() -> None:
    numbers = table(["1.jpg", "2.jpg"], age=[30, ""], name=["Ann", "Bob"])
    more = table(["3.jpg", "2.jpg"], pose=[0.5, 1.5])
    assert found(["1.jpg", "2.jpg", "3.jpg", "4.jpg"], numbers, more) == {
        "1.jpg": (30, "Ann", None),
        "2.jpg": (None, "Bob", 1.5),
        "3.jpg": (None, None, 0.5),
        "4.jpg": (None, None, None),
    }
    told = join(Photos(["1.jpg", "3.jpg"]), [numbers, more])
    assert told is not None
    assert told.labels("of another source.jpg") == (None, None, None)
    assert told.side("1.jpg") is told.side("of another source.jpg") is None


def test_the_first_of_two_labels_of_one_name_counts(caplog: pytest.LogCaptureFixture) -> None:
    tables = [table(["1.jpg"], age=[1], pose=[2]), table(["1.jpg"], age=[3], smile=[4])]
    told = join(Photos(["1.jpg"]), tables, taken=["pose"])
    assert told is not None
    assert (told.names, told.labels("1.jpg")) == (("age", "smile"), (1, 4))
    assert "its label age is there already" in caplog.text
    assert "its label pose is there already" in caplog.text


def test_labels_are_not_called_like_what_the_list_of_labels_has() -> None:
    told = join(Photos(["1.jpg"]), [table(["1.jpg"], split=[1], row=[2])])
    assert told is not None
    assert told.names == ("split_", "row_")


def test_tables_that_name_nothing_tell_nothing() -> None:
    assert join(Photos(["1.jpg"]), []) is None
    assert join(Photos(["1.jpg"]), [table(["2.jpg"], age=[1])]) is None
    told = join(Photos(["1.jpg"]), [table(["2.jpg"], age=[1]), table(["1.jpg"], pose=[1])])
    assert told is not None
    assert told.names == ("pose",)


def with_sides(files: list[str], sides: list[int]) -> Table:
    return Table("split.txt", files, {}, np.array(sides, dtype=np.int8))


def test_sides_are_those_of_the_first_table_that_has_some() -> None:
    first = with_sides(["1.jpg", "2.jpg", "3.jpg"], [TRAIN, HELD_OUT, 0])
    second = with_sides(["1.jpg", "4.jpg"], [HELD_OUT, TRAIN])
    told = join(Photos(["1.jpg", "2.jpg", "3.jpg", "4.jpg"]), [first, second])
    assert told is not None
    assert [told.side(f"{n}.jpg") for n in (1, 2, 3, 4)] == ["train", "held-out", None, None]
    assert (told.names, told.labels("1.jpg")) == ((), ())


def test_a_split_that_leaves_nothing_to_train_on_is_not_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    assert join(Photos(["1.jpg"]), [with_sides(["1.jpg", "2.jpg"], [HELD_OUT, TRAIN])]) is None
    assert "the split that split.txt give leaves nothing to train on" in caplog.text


def revision(*tables: Table) -> str:
    told = join(Photos(["1.jpg"]), tables)
    assert isinstance(told, Annotations)
    return told.revision


def test_the_revision_tells_contents_apart() -> None:
    def of(content: str, **columns: Sequence[object]) -> Table:
        made = table(["1.jpg"], **columns)
        return Table(made.origin, made.files, made.columns, None, content)

    assert revision(of("x", age=[1])) == revision(of("x", age=[1]))
    assert revision(of("x", age=[1])) != revision(of("y", age=[1]))
    assert revision(of("x", age=[1])) != revision(of("x", pose=[1]))
    assert revision(of("x", age=[1])) != revision(of("x", age=[1]), of("y", pose=[1]))
    unused = Table("b.csv", ["2.jpg"], {}, None, "z")
    assert revision(of("x", age=[1])) == revision(of("x", age=[1]), unused)
