from __future__ import annotations

import functools
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesmith.base.errors import DataError, StorageError, UsageError
from facesmith.data import Dataset, cache, plan
from facesmith.data import prepare as prepare_photos
from facesmith.data.cache import default_cache
from facesmith.data.plan import Preparation
from facesmith.data.sources import opening
from facesmith.data.sources.contract import Source

Photos = Callable[..., Path]
# Drawn test pictures are smooth and look alike, which cleaning would not like.
prepare = functools.partial(prepare_photos, clean="none")


def cached(source: str | Path, *, cache_dir: Path | None = None, workers: int | None = None,
           **how: Any) -> Dataset:  # fmt: skip
    return cache.cached(
        source, Preparation(**{"clean": "none", **how}), cache_dir=cache_dir, workers=workers
    )


def test_photos_are_prepared_once(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = photos(tmp_path / "my photos", 12)
    first = cached(source, resolution=8)
    assert first.folder.parent == tmp_path / "cache" / "facesmith" / "datasets"
    assert first.folder.name.startswith("my-photos-8-")
    monkeypatch.chdir(tmp_path)
    again = cached("my photos", resolution=8)  # another spelling of the same place
    assert again.folder == first.folder
    assert (first.summary.seconds > 0, again.summary.seconds) == (True, 0)


def test_the_cache_never_lies(tmp_path: Path, photos: Photos) -> None:
    source, cache = photos(tmp_path / "photos", 12), tmp_path / "cache"
    folders = {
        cached(source, resolution=8, cache_dir=cache).folder,
        cached(source, resolution=9, cache_dir=cache).folder,
        cached(source, resolution=8, crop="center:20", cache_dir=cache).folder,
        cached(source, resolution=8, channels=1, cache_dir=cache).folder,
        cached(source, resolution=8, limit=11, cache_dir=cache).folder,
        cached(photos(tmp_path / "b" / "photos", 12), resolution=8, cache_dir=cache).folder,
    }
    photos(source, 13)
    added = cached(source, resolution=8, cache_dir=cache)
    assert added.summary.found == 13
    assert len(folders | {added.folder}) == 7


def test_a_prepared_dataset_is_opened_and_must_match(tmp_path: Path, photos: Photos) -> None:
    out = tmp_path / "out"
    prepare(photos(tmp_path / "photos", 12), out, resolution=8)
    assert cached(out, resolution=8, cache_dir=tmp_path / "cache").folder == out
    assert not (tmp_path / "cache").exists()
    with pytest.raises(DataError, match="prepared with --resolution 8") as caught:
        cached(out, resolution=64)
    assert caught.value.todo == (
        "train with --resolution 8, or prepare the photos again with --resolution 64"
    )
    with pytest.raises(DataError, match="prepared with --channels 3"):
        cached(out, resolution=8, channels=1)
    (out / "dataset.json").unlink()
    (out / "journal.partial").touch()
    with pytest.raises(DataError, match="unfinished"):
        cached(out, resolution=8)


def test_photos_that_were_replaced_make_another_dataset(tmp_path: Path, photos: Photos) -> None:
    source, cache = photos(tmp_path / "photos", 12), tmp_path / "cache"
    first, second = source / "photo 0000.jpg", source / "photo 0001.jpg"
    before = cached(source, resolution=8, held_out=0, cache_dir=cache)
    size = max(first.stat().st_size, second.stat().st_size)
    for path in (first, second):  # a JPEG may be followed by anything
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
        os.utime(path, ns=(10**18, 10**18))
    padded = cached(source, resolution=8, held_out=0, cache_dir=cache)
    first.write_bytes(second.read_bytes())
    os.utime(first, ns=(10**18 + 1, 10**18 + 1))
    after = cached(source, resolution=8, held_out=0, cache_dir=cache)
    assert len({before.folder, padded.folder, after.folder}) == 3
    assert (padded.images[0] != padded.images[1]).any()
    assert (after.images[0] == after.images[1]).all()
    assert cached(source, resolution=8, held_out=0, cache_dir=cache).folder == after.folder


def test_photos_of_a_long_name_can_be_cached(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / ("ü" * 120), 2)
    assert cached(source, resolution=8, cache_dir=tmp_path / "cache").count == 2


def test_the_photos_are_listed_once(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings: list[Source] = []

    def listing(*arguments: Any, **options: Any) -> Source:
        listings.append(opening.open_source(*arguments, **options))
        return listings[-1]

    monkeypatch.setattr(plan, "open_source", listing)
    cached(photos(tmp_path / "photos", 3), resolution=8, cache_dir=tmp_path / "cache")
    assert len(listings) == 1


@pytest.mark.parametrize("manifest", ['{"labels": [["photo 0000.jpg", 3]]}', "[]", "{"])
def test_photos_beside_another_programs_dataset_json_are_photos(
    tmp_path: Path, photos: Photos, manifest: str
) -> None:
    source = photos(tmp_path / "photos", 12)
    (source / "dataset.json").write_text(manifest, encoding="utf-8")
    dataset = cached(source, resolution=8, cache_dir=tmp_path / "cache")
    assert (dataset.summary.used, dataset.summary.rejected) == (12, {"text": 1})


def test_a_damaged_dataset_is_still_one(tmp_path: Path, photos: Photos) -> None:
    out = tmp_path / "out"
    prepare(photos(tmp_path / "photos", 3), out, resolution=8)
    (out / "dataset.json").write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match="damaged"):
        cached(out, resolution=8, cache_dir=tmp_path / "cache")


def test_mnist_for_another_recipe_is_led_to_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", *pixels.shape) + pixels.tobytes())
    own = cached(tmp_path, resolution=28, channels=1, cache_dir=tmp_path / ".cache")
    assert not caplog.messages
    cached(tmp_path, resolution=64, cache_dir=tmp_path / ".cache")
    assert f"`facesmith train mlp --data {tmp_path}`" in caplog.text
    with pytest.raises(DataError, match="prepared with --resolution 28 --channels 1") as caught:
        cached(own.folder, resolution=64)
    assert f"`facesmith train mlp --data {own.folder}`" in caught.value.todo


def test_numbers_out_of_range_are_refused(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 2)
    for wrong in ({"held_out": 0.9}, {"limit": 0}, {"workers": 0}):
        with pytest.raises(UsageError):
            cached(source, resolution=8, cache_dir=tmp_path / "cache", **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="inside the photos"):
        cached(source, resolution=8, cache_dir=source / "cache")
    assert cached(source, resolution=8, cache_dir=source / ".cache").count == 2


def test_portraits_are_cached_by_their_number(tmp_path: Path) -> None:
    few = cached("portraits:3", resolution=16, cache_dir=tmp_path)
    more = cached("portraits:4", resolution=16, cache_dir=tmp_path)
    assert (few.count, more.count) == (3, 4)
    assert few.folder.name.startswith("portraits-16-")


def test_a_cache_that_cannot_be_written(tmp_path: Path, photos: Photos) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        cached(photos(tmp_path / "photos", 2), resolution=8, cache_dir=tmp_path / "file")
    assert "XDG_CACHE_HOME" in caught.value.todo
    assert "facesmith prepare PHOTOS --out DATASET" in caught.value.todo


def test_a_user_without_a_home_is_asked_for_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(StorageError, match="no home folder") as caught:
        default_cache()
    assert "XDG_CACHE_HOME" in caught.value.todo


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    if os.name == "posix":
        assert default_cache() == tmp_path / ".cache" / "facesmith" / "datasets"
