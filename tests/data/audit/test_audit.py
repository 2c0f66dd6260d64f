from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from facesmith.base.errors import DataError
from facesmith.data import Dataset, prepare
from facesmith.data.audit import audit, audit_images


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("audit") / "faces"
    return prepare("portraits:130", folder, resolution=16, workers=1)


def test_an_audit_of_a_dataset_counts_and_names(dataset: Dataset) -> None:
    found = audit(dataset)
    assert found.title == "faces"
    assert found.counts is not None
    assert (found.counts.found, found.counts.train) == (130, dataset.count)
    assert found.pixels.of == found.pixels.measured == dataset.count
    assert found.pixels.mean == dataset.mean
    assert found.copies.held_out == 130 - dataset.count
    assert {column.name for column in found.labels} == set(dataset.labels)
    with (dataset.folder / "files.csv").open(encoding="utf-8", newline="") as file:
        names = {row["name"] for row in csv.DictReader(file) if row["fate"] == "train"}
    assert {outlier.name for outlier in found.outliers} <= names
    distances = [outlier.distance for outlier in found.outliers]
    assert distances == sorted(distances, reverse=True)
    shown = {picture.name for sheet in found.sheets["outliers"] for picture in sheet.pictures}
    assert shown == {outlier.name for outlier in found.outliers[:24]}


def test_a_sample_is_spread_over_all_and_copies_are_counted_on_all(dataset: Dataset) -> None:
    whole, part = audit(dataset), audit(dataset, sample=40)
    assert (part.pixels.measured, part.pixels.of) == (40, dataset.count)
    assert sum(part.background.kinds.counts) == 40
    assert part.copies == whole.copies
    assert part.labels == whole.labels
    rows = (np.arange(40) * dataset.count) // 40
    assert len(set(rows.tolist())) == 40
    expected = audit_images(dataset.read(rows))
    assert part.skin == expected.skin
    assert part.state == expected.state
    assert audit(dataset, sample=40) == part


def test_numbers_are_json_and_pictures_stay_out_of_it(dataset: Dataset) -> None:
    text = json.dumps(audit(dataset).to_dict(), allow_nan=False)
    assert len(text) < 100_000
    numbers = json.loads(text)
    assert "sheets" not in numbers
    assert numbers["skin"]["tones"]["names"][0] == "very light"
    assert numbers["counts"]["found"] == 130


def test_images_of_any_size_and_number(dataset: Dataset) -> None:
    random = np.random.default_rng(0)
    for shape in ((1, 8, 8, 3), (3, 150, 150, 1), (70, 16, 16, 3)):
        found = audit_images(random.integers(0, 256, shape, dtype=np.uint8))
        json.dumps(found.to_dict(), allow_nan=False)
        assert found.pixels.of == shape[0]
    with pytest.raises(DataError, match="no images"):
        audit_images(np.empty((0, 8, 8, 3), np.uint8))


def test_an_audit_leaves_the_dataset_as_it_is(dataset: Dataset) -> None:
    before = {path.name: path.read_bytes() for path in Path(dataset.folder).iterdir()}
    audit(dataset)
    assert {p.name: p.read_bytes() for p in Path(dataset.folder).iterdir()} == before
