"""Labels become groups: what is missing, what is a number, what is too little."""

from __future__ import annotations

import numpy as np
import pytest

from facesmith.base.errors import DataError, UsageError
from facesmith.data.groups import balanced, grouped, subset

NAN = float("nan")
LABELS = {
    "male": np.array([1, 0, 1, 1, 0, 1]),
    "glasses": np.array(["no", "yes", "", "no", "no", "yes"]),
    "young": np.array([1.0, 1.0, 0.0, NAN, 0.0, 1.0]),
    "same": np.array([7, 7, 7, 7, 7, 7]),
    "empty": np.array(["", "", "", "", "", ""]),
}
ALL = np.arange(6)


def lists(groups: dict[str, np.ndarray]) -> dict[str, list[int]]:
    return {name: rows.tolist() for name, rows in groups.items()}


def test_each_value_is_a_group_and_what_is_missing_in_none() -> None:
    assert lists(grouped(LABELS, ["male"], ALL)) == {"male=0": [1, 4], "male=1": [0, 2, 3, 5]}
    assert lists(grouped(LABELS, ["glasses"], ALL)) == {
        "glasses=no": [0, 3, 4],
        "glasses=yes": [1, 5],
    }
    assert lists(grouped(LABELS, ["young"], ALL)) == {"young=0.0": [2, 4], "young=1.0": [0, 1, 5]}


def test_several_columns_make_a_group_of_each_combination_that_occurs() -> None:
    assert lists(grouped(LABELS, ["male", "glasses"], ALL)) == {
        "male=0, glasses=no": [4],
        "male=0, glasses=yes": [1],
        "male=1, glasses=no": [0, 3],
        "male=1, glasses=yes": [5],
    }
    assert lists(grouped(LABELS, ["male", "young"], ALL[1:])) == {
        "male=0, young=0.0": [4],
        "male=0, young=1.0": [1],
        "male=1, young=0.0": [2],
        "male=1, young=1.0": [5],
    }


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_up_to_twelve_numbers_are_values_and_more_are_ranges(kind: type) -> None:
    twelve = {"age": np.arange(12).astype(kind)}
    assert len(grouped(twelve, ["age"], np.arange(12))) == 12
    thirteen = {"age": np.arange(13).astype(kind)}
    groups = grouped(thirteen, ["age"], np.arange(13))
    assert list(groups) == [f"age {low:g} to {low + 2.4:g}" for low in (0, 2.4, 4.8, 7.2, 9.6)]
    words = {"age": np.array([str(number) for number in range(13)])}
    assert len(grouped(words, ["age"], np.arange(13))) == 13


def test_ranges_are_equally_wide_and_empty_ones_left_out() -> None:
    random = np.random.default_rng(0)
    ages = np.concatenate([random.uniform(20, 30, 500), [NAN, 100.0, 0.0, 99.0]])
    groups = grouped({"age": ages}, ["age"], np.arange(len(ages)))
    assert list(groups) == ["age 0 to 20", "age 20 to 40", "age 80 to 100"]
    for name, rows in groups.items():
        low, high = (float(word) for word in name.split()[1::2])
        expected = np.flatnonzero((ages >= low) & ((ages < high) | (high == 100)))
        assert rows.tolist() == expected.tolist()


def test_rows_are_those_of_the_dataset_even_in_a_subset() -> None:
    rows = np.array([5, 3, 1])
    assert lists(grouped(LABELS, ["male"], rows)) == {"male=0": [1], "male=1": [5, 3]}
    assert subset(LABELS, "male", 1, rows).members.tolist() == [5, 3]


def test_a_column_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no column 'mael' \(did you mean 'male'\?\)") as caught:
        balanced(LABELS, ["young", "mael"], ALL)
    assert caught.value.needed == "one of male, glasses, young, same, empty"
    with pytest.raises(UsageError) as caught:
        balanced({}, ["male"], ALL)
    assert "these have none" in caught.value.needed


@pytest.mark.parametrize(
    ("column", "said"),
    [("same", "are one group: same=7"), ("empty", "are no group: all lack the label")],
)
def test_one_group_cannot_be_balanced(column: str, said: str) -> None:
    with pytest.raises(DataError, match=f"By {column}, the 6 images {said}") as caught:
        balanced(LABELS, [column], ALL)
    assert "--balance" in caught.value.todo


def test_images_without_a_label_are_not_drawn_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    order = balanced(LABELS, ["glasses", "young"], ALL)
    assert "2 of 6 images lack glasses and young" in caplog.text
    assert sorted(order.members.tolist()) == [0, 1, 4, 5]
    assert order.count == 4
    assert set(order.rows(0, 60, seed=0).tolist()) == {0, 1, 4, 5}


def test_a_group_that_would_be_known_by_heart_is_named(caplog: pytest.LogCaptureFixture) -> None:
    # An epoch of 420 samples draws each of two groups 210 times.
    for few, is_named in ((20, True), (21, False)):
        caplog.clear()
        labels = {"male": np.repeat([0, 1], [few, 420 - few])}
        balanced(labels, ["male"], np.arange(420))
        assert ("male=0 (20 images, 10 times)" in caplog.text) is is_named
        assert "male=1" not in caplog.text


def test_many_small_groups_are_not_all_named(caplog: pytest.LogCaptureFixture) -> None:
    labels = {"who": np.array(["crowd"] * 5000 + [f"person {number}" for number in range(20)])}
    balanced(labels, ["who"], np.arange(5020))
    assert "and 12 more" in caplog.text


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("male", 0, [1, 4]),
        ("male", "0", [1, 4]),
        ("young", 1, [0, 1, 5]),
        ("young", "1", [0, 1, 5]),
        ("glasses", "no", [0, 3, 4]),
    ],
)
def test_a_subset_is_found_by_value_or_text(column: str, value: object, found: list[int]) -> None:
    assert subset(LABELS, column, value, ALL).members.tolist() == found


@pytest.mark.parametrize(
    ("column", "value"), [("male", 2), ("male", 0.5), ("male", "no"), ("glasses", "nos")]
)
def test_a_value_that_does_not_occur_is_refused(column: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"No image has {column} = {value}") as caught:
        subset(LABELS, column, value, ALL)
    assert caught.value.needed.startswith("a value that occurs: ")
    assert ("did you mean 'no'?" in caught.value.given) is (value == "nos")
