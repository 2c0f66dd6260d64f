from __future__ import annotations

import numpy as np
import pytest

from facesmith.data.audit import labels
from facesmith.data.audit.contents import Column


def column(values: list[object], name: str = "x") -> Column:
    [found] = labels.sum_up({name: np.array(values)})
    return found


@pytest.mark.parametrize("values", [[0, 1, 1, 0, 1], [-1, 1, 1, -1, 1], ["0", "1", "1", "0", "1"]])
def test_yes_and_no_in_the_ways_they_are_written(values: list[object]) -> None:
    found = column(values)
    assert found.kind == labels.BINARY
    assert dict(zip(found.shares.names, found.shares.counts, strict=True)) == {"no": 2, "yes": 3}


def test_missing_labels_are_counted_apart() -> None:
    assert column(["1", "", "0", " "]).shares.missing == 2
    assert column(["red", "", "blue"]).shares.missing == 1
    numbers = column([1.5, np.nan, 2.5, 8.0])
    assert (numbers.kind, numbers.shares.missing) == ("numbers", 1)
    assert column([np.nan, np.nan]).shares.missing == 2


def test_whole_numbers_are_classes_in_their_order() -> None:
    found = column([3, 1, 1, 10, 2])
    assert found.kind == "classes"
    assert found.shares.names == ("1", "2", "3", "10")
    assert found.shares.counts == (2, 1, 1, 1)


def test_a_scale_is_cut_into_ranges_that_hold_all() -> None:
    ages = np.arange(1, 102)
    found = column(ages.tolist(), "age")
    assert found.kind == "numbers"
    assert found.spread is not None
    assert found.spread.median == 51
    assert sum(found.shares.counts) == 101
    assert found.shares.names[0] == "1 to 18"
    assert found.shares.counts[0] == ((ages >= 1) & (ages < 18)).sum()


def test_text_of_many_values_shows_the_commonest() -> None:
    found = column([f"town {i}" for i in range(30)] + ["town 4"] * 5)
    assert (found.kind, found.values) == ("classes", 30)
    assert found.shares.names[0] == "town 4"
    assert found.shares.names[-1] == labels.OTHERS
    assert found.shares.count == 35


@pytest.mark.parametrize("values", [[7, 7, 7, 9], ["ann", "ann", "ann", "bob"]])
def test_people_are_counted(values: list[object]) -> None:
    found = column(values, "identity")
    assert (found.kind, found.values) == ("identities", 2)
    assert found.shares.counts == (3, 1)
    assert found.spread is not None
    assert found.spread.counts == (0, 1, 0, 1)  # one with 1 image, one with 3


def test_a_combination_that_chance_would_not_leave_out_is_named() -> None:
    random = np.random.default_rng(0)
    one, free = random.integers(0, 2, 1000), random.integers(0, 2, 1000)
    two = np.where(one == 1, random.integers(0, 2, 1000), 0)  # never without the first
    [pair] = labels.pairs({"one": one, "two": two, "free": free, "age": random.normal(size=1000)})
    assert (pair.first, pair.second, pair.rarest, pair.images) == ("one", "two", ("no", "yes"), 0)
    assert pair.table == (
        (int((one == 0).sum()), 0),
        (int(((one == 1) & (two == 0)).sum()), int(two.sum())),
    )
    assert pair.expected == pytest.approx((one == 0).mean() * two.sum())
