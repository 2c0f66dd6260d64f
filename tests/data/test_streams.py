"""Orders: pure functions of the sample's number, cut anywhere, by any number of processes."""

from __future__ import annotations

import hashlib
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facesmith.base.errors import UsageError
from facesmith.base.randomness import permutation
from facesmith.data import Dataset, prepare
from facesmith.data.streaming.windows import Windowed
from facesmith.data.streams import Balanced, Order, Pair, Shuffled, Subset, mirror, mirrored

SEED = 5
GROUPS = {"a": np.array([3]), "b": np.arange(10, 30), "c": np.array([7, 40, 2, 9])}
ORDERS: dict[str, Callable[[], Order | Windowed]] = {
    "shuffled": lambda: Shuffled(30),
    "subset": lambda: Subset(np.array([4, 9, 1, 33, 21])),
    "balanced": lambda: Balanced(GROUPS),
    "windowed": lambda: Windowed(53, window=5, mixed=3),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("portraits") / "out"
    return prepare("portraits:40", folder, resolution=16, held_out=0.0, workers=1)


@pytest.fixture(params=ORDERS)
def order(request: pytest.FixtureRequest) -> Order | Windowed:
    return ORDERS[request.param]()


# ---- what holds for every order


def test_any_cut_of_an_order_is_the_same_stream(order: Order | Windowed) -> None:
    stream = order.rows(0, 200, seed=SEED)
    random = np.random.default_rng(0)
    start = 0
    while start < 200:
        count = min(int(random.integers(1, 70)), 200 - start)
        part = order.rows(start, count, seed=SEED)
        assert part.tolist() == stream[start : start + count].tolist()
        start += count
    for start in random.integers(0, 190, 30).tolist():  # in any order, as after a resume
        assert order.rows(start, 9, seed=SEED).tolist() == stream[start : start + 9].tolist()
    assert order.rows(17, 0, seed=SEED).tolist() == []
    assert order.rows(0, 200, seed=SEED + 1).tolist() != stream.tolist()


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_shares_of_all_processes_are_the_stream(order: Order | Windowed, world: int) -> None:
    batch, updates = 12, 9
    share = batch // world
    seen = [
        order.rows(update * batch + rank * share, share, seed=SEED)
        for update in range(updates)
        for rank in range(world)
    ]
    whole = order.rows(0, batch * updates, seed=SEED)
    assert np.concatenate(seen).tolist() == whole.tolist()


def test_far_samples_are_found_at_once(order: Order | Windowed) -> None:
    far = 10**15
    rows = order.rows(far, 40, seed=SEED)
    assert order.rows(far + 13, 9, seed=SEED).tolist() == rows[13:22].tolist()


# ---- each by itself


def test_the_plain_order_is_what_it_always_was() -> None:
    # A run that was begun with an older version must go on with the same images.
    rows = Shuffled(30).rows(17, 100, seed=5)
    digest = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
    assert digest == "0d92c5f831f27bfda4163c95e0618e249fad2a59b2fa5e07be4a6c681eefd1ee"
    assert rows[:13].tolist() == permutation(5, "order/0", 30)[17:].tolist()


@pytest.mark.parametrize("name", ["shuffled", "subset", "windowed"])
def test_an_epoch_holds_every_row_once(name: str) -> None:
    order = ORDERS[name]()
    members = order.members if not isinstance(order, Windowed) else np.arange(order.count)
    epochs = order.rows(0, 4 * order.count, seed=1).reshape(4, order.count)
    assert (np.sort(epochs) == np.sort(members)).all()
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 4


def test_a_balanced_block_holds_every_group_once() -> None:
    order = Balanced(GROUPS)
    group_of = {row: name for name, rows in GROUPS.items() for row in rows.tolist()}
    groups = np.array([group_of[row] for row in order.rows(0, 3 * 600, seed=SEED).tolist()])
    blocks = groups.reshape(600, 3)
    assert (np.sort(blocks) == ["a", "b", "c"]).all()
    # In an order of its own: each group is at each place in a third of the blocks.
    for name in GROUPS:
        for place in range(3):
            share = (blocks[:, place] == name).mean()
            assert abs(share - 1 / 3) < 4 * (2 / 9 / 600) ** 0.5
    assert len(set(map(tuple, blocks.tolist()))) == 6


def test_within_a_group_none_comes_again_before_all_have_come() -> None:
    rows = Balanced(GROUPS).rows(0, 3 * 100, seed=SEED)
    for members in GROUPS.values():
        drawn = rows[np.isin(rows, members)][: 100 // len(members) * len(members)]
        rounds = drawn.reshape(-1, len(members))
        assert (np.sort(rounds) == np.sort(members)).all()
        assert len(members) == 1 or len({tuple(one) for one in rounds.tolist()}) > 1


def test_groups_of_one_size_are_shuffled_apart() -> None:
    same = {"a": np.arange(100), "b": np.arange(100) + 100}
    rows = Balanced(same).rows(0, 200, seed=SEED)
    first, second = rows[rows < 100], rows[rows >= 100] - 100
    assert (first == second).sum() < 10


def test_what_an_order_draws_from_is_told_apart() -> None:
    rows = np.array([4, 9, 1])
    orders: list[Order] = [
        Subset(rows),
        Subset(rows[:2]),
        Subset(rows[::-1].copy()),
        Balanced({"a": rows, "b": rows + 10}),
        Balanced({"a": rows, "c": rows + 10}),
        Balanced({"a": rows, "b": rows + 11}),
    ]
    assert len({order.fingerprint() for order in orders}) == len(orders)
    assert Shuffled(3).fingerprint() == ""
    assert Balanced(GROUPS).fingerprint() == Balanced(GROUPS).fingerprint()


def test_flips_belong_to_the_sample() -> None:
    which = mirrored(SEED, 0, 4000, 0.3)
    assert abs(which.mean() - 0.3) < 4 * (0.21 / 4000) ** 0.5
    assert mirrored(SEED, 1234, 77, 0.3).tolist() == which[1234 : 1234 + 77].tolist()
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 4, 3), dtype=np.uint8)
    expected = np.where(which[:40, None, None, None], images[:, :, ::-1], images)
    mirror(images, which[:40])
    np.testing.assert_array_equal(images, expected)


# ---- datasets


def test_labels_of_a_batch_belong_to_its_images(dataset: Dataset) -> None:
    balanced = dataset.balanced("glasses")
    for data in (dataset, balanced):
        images = data.batch(30, 50, seed=SEED)
        labels = data.batch_labels(30, 50, seed=SEED, columns=["glasses", "age"])
        assert list(labels) == ["glasses", "age"]
        for number in (0, 23, 49):
            (row,) = np.flatnonzero((dataset.images == images[number]).all((1, 2, 3)))
            assert labels["age"][number] == dataset.labels["age"][row]
            assert labels["glasses"][number] == dataset.labels["glasses"][row]
    assert set(dataset.batch_labels(0, 1, seed=0)) == set(dataset.labels)
    with pytest.raises(UsageError, match=r"no column 'glases' \(did you mean 'glasses'\?\)"):
        dataset.batch_labels(0, 1, seed=0, columns=["glases"])


def test_a_balanced_dataset_holds_groups_equally_often(dataset: Dataset) -> None:
    kinds = len(set(dataset.labels["glasses"].tolist()))
    plain = Counter(dataset.batch_labels(0, kinds * 100, seed=SEED)["glasses"].tolist())
    assert min(plain.values()) < 70
    balanced = dataset.balanced("glasses")
    drawn = Counter(balanced.batch_labels(0, kinds * 100, seed=SEED)["glasses"].tolist())
    assert set(drawn.values()) == {100}
    assert dataset.order.fingerprint() == ""  # it is another dataset
    assert balanced.describe()["order"] != dataset.describe()["order"]


def test_a_subset_holds_only_what_was_asked_for(dataset: Dataset) -> None:
    wanted = dataset.labels["mouth"] == 1
    subset = dataset.subset("mouth", 1)
    assert subset.count == len(subset) == wanted.sum()
    rows = subset.batch_indices(0, subset.count, seed=SEED)
    assert sorted(rows.tolist()) == np.flatnonzero(wanted).tolist()
    np.testing.assert_array_equal(subset.batch(0, 9, seed=SEED), dataset.images[rows[:9]])
    both = subset.balanced("hair_colour")
    labels = both.batch_labels(0, 60, seed=SEED)
    assert set(labels["mouth"].tolist()) == {1}
    assert len(set(Counter(labels["hair_colour"].tolist()).values())) == 1
    assert pickle.loads(pickle.dumps(both)).describe() == both.describe()


def test_a_dataset_that_is_closed_opens_itself(dataset: Dataset) -> None:
    before = dataset.batch(0, 3, seed=SEED)
    dataset.close()
    dataset.close()
    np.testing.assert_array_equal(dataset.batch(0, 3, seed=SEED), before)


# ---- two at a time


def test_a_pair_gives_a_batch_of_each(dataset: Dataset, tmp_path: Path) -> None:
    other = prepare("portraits:16", tmp_path / "other", resolution=16, held_out=0.0, workers=1)
    pair = Pair(dataset, other)
    first, second = pair.batch(0, 100, seed=SEED, flip=0.5)
    again = pair.batch(37, 11, seed=SEED, flip=0.5)
    np.testing.assert_array_equal(again[0], first[37:48])
    np.testing.assert_array_equal(again[1], second[37:48])
    for images, of in ((first, dataset), (second, other)):
        upright = np.concatenate([of.images, of.images[:, :, ::-1]]).reshape(2 * of.count, -1)
        known = {image.tobytes(): row % of.count for row, image in enumerate(upright)}
        rows = [known[image.tobytes()] for image in images]
        epochs = [rows[i : i + of.count] for i in range(0, 100 - of.count + 1, of.count)]
        assert len(epochs) == 100 // of.count  # each ends its epochs when it ends them
        assert all(sorted(epoch) == list(range(of.count)) for epoch in epochs)


def test_the_orders_of_a_pair_are_independent(dataset: Dataset) -> None:
    first, second = Pair(dataset, dataset).batch(0, 40, seed=SEED, flip=0.5)
    assert (first == second).all((1, 2, 3)).sum() < 8
    plain = dataset.batch(0, 40, seed=SEED)
    assert not any((plain == one).all() for one in Pair(dataset, dataset).batch(0, 40, seed=SEED))


def test_two_domains_may_come_from_one_dataset(dataset: Dataset) -> None:
    pair = Pair(dataset.subset("mouth", 0), dataset.subset("mouth", "1"))
    for value, images in enumerate(pair.batch(0, 20, seed=SEED)):
        rows = [np.flatnonzero((dataset.images == one).all((1, 2, 3)))[0] for one in images]
        assert set(dataset.labels["mouth"][rows].tolist()) == {value}
