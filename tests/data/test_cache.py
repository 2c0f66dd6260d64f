from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facesmith.base.errors import DataError, StorageError, UsageError
from facesmith.data import cached, prepare
from facesmith.data.cache import default_cache

Photos = Callable[..., Path]


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
    with pytest.raises(UsageError, match="prepared with resolution 8") as caught:
        cached(out, resolution=64)
    assert "prepare the photos again with resolution 64" in caught.value.todo
    with pytest.raises(UsageError, match="prepared with channels 3"):
        cached(out, resolution=8, channels=1)
    (out / "dataset.json").unlink()
    (out / "journal.partial").touch()
    with pytest.raises(DataError, match="unfinished"):
        cached(out, resolution=8)


def test_portraits_are_cached_by_their_number(tmp_path: Path) -> None:
    few = cached("portraits:3", resolution=16, cache_dir=tmp_path)
    more = cached("portraits:4", resolution=16, cache_dir=tmp_path)
    assert (few.count, more.count) == (3, 4)
    assert few.folder.name.startswith("portraits-16-")


def test_a_cache_that_cannot_be_written(tmp_path: Path, photos: Photos) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        cached(photos(tmp_path / "photos", 2), resolution=8, cache_dir=tmp_path / "file")


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    if os.name == "posix":
        assert default_cache() == tmp_path / ".cache" / "facesmith" / "datasets"
