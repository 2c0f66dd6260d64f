from __future__ import annotations

import csv
import functools
import json
import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facesmith.base.errors import DataError, StorageError
from facesmith.data import Dataset
from facesmith.data import prepare as prepare_photos

Photos = Callable[..., Path]
# Drawn test pictures are smooth and look alike, which cleaning would not like.
prepare = functools.partial(prepare_photos, clean="none")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, photos: Photos) -> Dataset:
    folder = tmp_path_factory.mktemp("dataset")
    return prepare(photos(folder / "photos", 70), folder / "out", resolution=12)


@pytest.fixture
def copy(tmp_path: Path, photos: Photos) -> Path:
    prepare(photos(tmp_path / "photos", 12), tmp_path / "out", resolution=8)
    return tmp_path / "out"


# ---- the stream


def test_batches_of_any_size_cut_the_same_stream(dataset: Dataset) -> None:
    length = dataset.count * 3 + 17
    stream = dataset.batch(0, length, seed=5, flip=0.5)
    random = np.random.default_rng(0)
    fresh = Dataset.open(dataset.folder)
    start = 0
    while start < length:
        count = min(int(random.integers(1, 2 * dataset.count)), length - start)
        part = fresh.batch(start, count, seed=5, flip=0.5)
        np.testing.assert_array_equal(part, stream[start : start + count])
        start += count
    for start in random.integers(0, length - 8, 20).tolist():  # and in any order
        np.testing.assert_array_equal(
            fresh.batch(start, 8, seed=5, flip=0.5), stream[start : start + 8]
        )


def test_an_epoch_holds_every_image_once_in_its_own_order(dataset: Dataset) -> None:
    size = dataset.count
    epochs = dataset.batch_indices(0, 4 * size, seed=1).reshape(4, size)
    assert (np.sort(epochs) == np.arange(size)).all()
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 4
    assert not (epochs == dataset.batch_indices(0, 4 * size, seed=2).reshape(4, size)).all()


def test_batches_are_the_rows_that_the_indices_name(dataset: Dataset) -> None:
    indices = dataset.batch_indices(30, 50, seed=3)
    plain = dataset.batch(30, 50, seed=3)
    np.testing.assert_array_equal(plain, dataset.images[indices])
    mirrored = dataset.batch(30, 50, seed=3, flip=True)
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    plain[:] = 0  # the caller's own
    np.testing.assert_array_equal(dataset.batch(30, 50, seed=3), dataset.images[indices])


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.5, 1.0])
def test_flips_are_as_frequent_as_asked(dataset: Dataset, probability: float) -> None:
    count = 4000
    plain = dataset.batch(0, count, seed=9)
    flipped = dataset.batch(0, count, seed=9, flip=probability)
    changed = (plain != flipped).any((1, 2, 3))
    deviation = (probability * (1 - probability) / count) ** 0.5
    assert abs(changed.mean() - probability) <= 4 * deviation
    np.testing.assert_array_equal(flipped[changed], plain[changed][:, :, ::-1])


def test_flips_of_one_image_differ_between_epochs(dataset: Dataset) -> None:
    indices = dataset.batch_indices(0, 40 * dataset.count, seed=4)
    images = dataset.batch(0, 40 * dataset.count, seed=4, flip=0.5)
    of_one = images[indices == 7]
    assert 0 < (of_one != dataset.images[7]).any((1, 2, 3)).sum() < 40


def test_an_empty_batch_is_empty(dataset: Dataset) -> None:
    assert dataset.batch(10, 0, seed=0, flip=0.5).shape == (0, 12, 12, 3)


def test_a_dataset_travels_to_other_processes(dataset: Dataset) -> None:
    how = {"seed": 6, "flip": 0.5}
    expected = dataset.batch(3, 20, **how)  # the file is open now
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy.batch(3, 20, **how), expected)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(dataset.batch, (3, 20), how), expected)


# ---- labels


def labelled(dataset: Dataset, columns: dict[str, list[str]]) -> Dataset:
    """The same dataset with labels for its training images, and for one that is held out."""
    names = [*columns]
    count = len(columns[names[0]]) - 1
    lines = [["split", "row", *names]]
    lines += [
        [
            "train" if row < count else "held-out",
            str(row % count),
            *(c[row] for c in columns.values()),
        ]
        for row in range(count + 1)
    ]
    with (dataset.folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    return Dataset(dataset.folder, {**dataset.manifest, "labels": names})


def test_labels_are_whole_numbers_numbers_or_text(copy: Path) -> None:
    columns = {
        "whole": ["3", "-4", "5"],
        "broken": ["0.5", "1", "2"],
        "text": ["a", "", "long word"],
        "no number": ["1_0", "2_0", "3_0"],
        "huge": [str(10**30), "1", "2"],
    }
    dataset = labelled(Dataset.open(copy), columns)
    kinds = {name: array.dtype.kind for name, array in dataset.labels.items()}
    assert kinds == {"whole": "i", "broken": "f", "text": "U", "no number": "U", "huge": "f"}
    assert dataset.labels["whole"].dtype == np.int64
    assert dataset.labels["whole"].tolist() == [3, -4]
    assert dataset.held_out_labels["whole"].tolist() == [5]
    assert dataset.labels["broken"].tolist() == [0.5, 1.0]
    assert dataset.labels["text"].tolist() == ["a", ""]
    assert dataset.held_out_labels["text"].tolist() == ["long word"]


def test_missing_numbers_are_nan_on_both_sides(copy: Path) -> None:
    columns = {"age": ["30", "", "40"], "far": ["1", "2", ""], "unknown": ["", "", ""]}
    dataset = labelled(Dataset.open(copy), columns)
    for sides in (dataset.labels, dataset.held_out_labels):
        assert {array.dtype for array in sides.values()} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(dataset.labels["age"], [30, np.nan])
    np.testing.assert_array_equal(dataset.held_out_labels["age"], [40])
    np.testing.assert_array_equal(dataset.labels["far"], [1, 2])
    np.testing.assert_array_equal(dataset.held_out_labels["far"], [np.nan])
    assert np.isnan(dataset.labels["unknown"]).all()


def test_labels_are_found_in_blocks(copy: Path) -> None:
    numbers = [str(number) for number in range(10_001)]
    dataset = labelled(Dataset.open(copy), {"number": numbers})
    np.testing.assert_array_equal(dataset.labels["number"], np.arange(10_000))
    np.testing.assert_array_equal(dataset.held_out_labels["number"], [10_000])


# ---- opening


def test_plain_numpy_reads_it(dataset: Dataset) -> None:
    images = np.load(dataset.folder / "train.npy", mmap_mode="r")
    np.testing.assert_array_equal(images, dataset.images)
    assert images.dtype == np.uint8
    assert len(dataset) == dataset.count == len(images)
    assert not dataset.images.flags.writeable


def test_no_dataset_and_an_unfinished_one_are_told_apart(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DataError, match="holds no dataset"):
            Dataset.open(folder)
    (tmp_path / "journal.partial").write_bytes(b"")
    with pytest.raises(DataError, match="unfinished") as caught:
        Dataset.open(tmp_path)
    assert "continues" in caught.value.todo


def test_a_newer_format_and_a_damaged_manifest_are_refused(copy: Path) -> None:
    manifest = json.loads((copy / "dataset.json").read_text(encoding="utf-8"))
    (copy / "dataset.json").write_text(json.dumps({**manifest, "format": 2}), encoding="utf-8")
    with pytest.raises(DataError, match="format 2"):
        Dataset.open(copy)
    for text in ("{", "", "[]"):
        (copy / "dataset.json").write_text(text, encoding="utf-8")
        with pytest.raises((DataError, StorageError)):
            Dataset.open(copy)


def test_another_programs_manifest_is_no_dataset(tmp_path: Path) -> None:
    for text in ('{"labels": [["a.png", 3]]}', '{"format": 1}', '{"format": 1, "files": ["a"]}'):
        (tmp_path / "dataset.json").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="another program's"):
            Dataset.open(tmp_path)


def test_missing_and_shortened_files_are_noticed_at_once(copy: Path) -> None:
    rows = copy / "train.npy"
    whole = rows.read_bytes()
    rows.write_bytes(whole[:-1])
    with pytest.raises(StorageError, match=f"{len(whole) - 1:,} bytes long"):
        Dataset.open(copy)
    rows.unlink()
    with pytest.raises(StorageError, match="missing"):
        Dataset.open(copy)


@pytest.mark.parametrize("name", ["train.npy", "held-out.npy", "files.csv"])
def test_verify_finds_a_single_changed_bit(copy: Path, name: str) -> None:
    dataset = Dataset.open(copy)
    dataset.verify()
    data = bytearray((copy / name).read_bytes())
    data[-2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(StorageError, match=f"{name} has changed"):
        dataset.verify()


def test_rows_that_vanish_while_reading_are_an_error(copy: Path) -> None:
    dataset = Dataset.open(copy)
    with (copy / "train.npy").open("r+b") as file:
        file.truncate(200)
    with pytest.raises(StorageError, match="cut off"):
        dataset.batch(0, 20, seed=0)
