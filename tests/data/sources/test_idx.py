from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.base.errors import DataError, UsageError
from facesmith.data import prepare
from facesmith.data.sources.opening import open_source

TRAIN, TEST = 60, 10


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    data = header + values.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.fixture
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (TRAIN + TEST, 28, 28), dtype=np.uint8)


@pytest.fixture(params=["", ".gz"])
def mnist(tmp_path: Path, images: NDArray[np.uint8], request: pytest.FixtureRequest) -> Path:
    folder, end = tmp_path / "mnist", request.param
    folder.mkdir()
    labels = (np.arange(TRAIN + TEST) % 10).astype(np.uint8)
    write_idx(folder / f"train-images-idx3-ubyte{end}", images[:TRAIN])
    write_idx(folder / f"train-labels-idx1-ubyte{end}", labels[:TRAIN])
    write_idx(folder / f"t10k-images-idx3-ubyte{end}", images[TRAIN:])
    write_idx(folder / f"t10k-labels-idx1-ubyte{end}", labels[TRAIN:])
    return folder


def test_the_authors_split_and_labels_are_kept(
    mnist: Path, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    dataset = prepare(mnist, tmp_path / "out", resolution=28, channels=1)
    np.testing.assert_array_equal(dataset.images[..., 0], images[:TRAIN])
    np.testing.assert_array_equal(dataset.held_out[..., 0], images[TRAIN:])
    np.testing.assert_array_equal(dataset.labels["label"], np.arange(TRAIN) % 10)
    np.testing.assert_array_equal(dataset.held_out_labels["label"], np.arange(TRAIN, 70) % 10)
    assert dataset.labels["label"].dtype == np.int64


def test_a_limit_takes_from_both_files(mnist: Path, tmp_path: Path) -> None:
    dataset = prepare(mnist, tmp_path / "out", resolution=32, channels=3, limit=14)
    assert (dataset.summary.train, dataset.summary.held_out) == (12, 2)
    assert dataset.images.shape == (12, 32, 32, 3)
    assert dataset.summary.enlarged == 14


@pytest.mark.parametrize(("limit", "train"), [(1, 1), (2, 1), (70, 60), (1000, 60)])
def test_any_limit_leaves_images_to_train_on_and_takes_none_twice(
    limit: int, train: int, mnist: Path, tmp_path: Path
) -> None:
    dataset = prepare(mnist, tmp_path / "out", resolution=28, channels=1, limit=limit)
    counts = dataset.summary
    assert (counts.found, counts.train) == (min(limit, TRAIN + TEST), train)


@pytest.mark.parametrize("changed", ["images", "labels"])
def test_another_set_of_the_same_names_and_sizes_is_noticed(changed: str, mnist: Path) -> None:
    before = open_source(mnist, resolution=28).fingerprint()
    assert open_source(mnist, resolution=28).fingerprint() == before
    file = next(mnist.glob(f"t10k-{changed}*"))
    data = bytearray(gzip.decompress(file.read_bytes()) if file.suffix else file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(gzip.compress(data, 0) if file.suffix else data)
    assert open_source(mnist, resolution=28).fingerprint() != before


def test_a_crop_that_leaves_nothing_to_train_on_is_explained(mnist: Path, tmp_path: Path) -> None:
    for file in mnist.glob("train*"):
        file.unlink()
    write_idx(mnist / "train-images-idx3-ubyte", np.zeros((3, 20, 20), dtype=np.uint8))
    with pytest.raises(DataError, match="3 x outside the crop"):
        prepare(mnist, tmp_path / "out", resolution=8, crop="0,0,25,25")


def test_one_file_stands_for_its_pair_or_is_split(mnist: Path, tmp_path: Path) -> None:
    train = next(mnist.glob("train-images*"))
    assert prepare(train, tmp_path / "a", resolution=28, channels=1).summary.held_out == TEST
    for file in mnist.glob("t10k*"):
        file.unlink()
    dataset = prepare(train, tmp_path / "b", resolution=28, channels=1)
    assert 0 < dataset.summary.held_out < TRAIN / 2
    assert dataset.summary.used == TRAIN


def test_without_label_files_there_are_no_labels(mnist: Path, tmp_path: Path) -> None:
    for file in mnist.glob("t10k-labels*"):
        file.unlink()
    dataset = prepare(mnist, tmp_path / "out", resolution=28, channels=1)
    assert dataset.labels == {}
    assert not (tmp_path / "out" / "labels.csv").exists()


def test_damage_is_refused_and_nothing_is_left(mnist: Path, tmp_path: Path) -> None:
    file = next(mnist.glob("train-images*"))
    whole = gzip.decompress(file.read_bytes()) if file.suffix else file.read_bytes()
    for damaged in (
        whole[:-1],
        whole + b"\0",
        whole[:10],
        b"",
        b"\0\0\x0d\x03" + whole[4:],
        whole[:4] + b"\xff" * 12 + whole[16:],
    ):
        file.write_bytes(gzip.compress(damaged) if file.suffix else damaged)
        with pytest.raises(DataError, match="not a whole idx file"):
            prepare(mnist, tmp_path / "out", resolution=28, channels=1)
    if file.suffix:
        file.write_bytes(gzip.compress(whole)[:-20])
        with pytest.raises(DataError, match="not a whole idx file"):
            prepare(mnist, tmp_path / "out", resolution=28, channels=1)
    assert not (tmp_path / "out").exists()


def test_labels_must_match_images(mnist: Path, tmp_path: Path) -> None:
    write_idx(next(mnist.glob("train-labels*")), np.zeros(TRAIN - 1, dtype=np.uint8))
    with pytest.raises(DataError, match="60 images, its label file 59 labels"):
        prepare(mnist, tmp_path / "out", resolution=28)


def test_a_folder_of_several_sets_is_refused(mnist: Path, tmp_path: Path) -> None:
    write_idx(mnist / "other-train-images-idx3-ubyte", np.zeros((3, 28, 28), dtype=np.uint8))
    with pytest.raises(UsageError, match="several data sets"):
        prepare(mnist, tmp_path / "out", resolution=28)


def test_the_real_mnist(shared_data: Path, tmp_path: Path) -> None:
    dataset = prepare(shared_data / "mnist", tmp_path, resolution=28, channels=1, limit=700)
    assert (dataset.summary.train, dataset.summary.held_out) == (600, 100)
    assert dataset.labels["label"][:5].tolist() == [5, 0, 4, 1, 9]
    assert dataset.mean[0] == pytest.approx(0.1307, abs=0.01)
