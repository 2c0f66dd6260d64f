from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from facesmith.base.errors import DataError, UsageError
from facesmith.data.sources import shards
from facesmith.data.sources.contract import Item, Source
from facesmith.data.sources.opening import open_source


def names(source: Source) -> list[str]:
    return [entry.name for entry in source.entries]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three shards of two samples each; the names of samples come again in every shard."""
    for number in range(3):
        path = tmp_path / "set" / f"{number:04d}.tar"
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, "w") as archive:
            for sample in range(2):
                for ending in ("jpg", "cls"):
                    content = f"{number * 10 + sample}".encode()
                    member = tarfile.TarInfo(f"{sample}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, BytesIO(content))
    return tmp_path / "set"


@pytest.mark.parametrize("given", ["", "{0000..0002}.tar", "*.tar", "{00..00}0[0-2].tar"])
def test_a_folder_a_range_and_a_wild_card_name_shards(folder: Path, given: str) -> None:
    found = open_source(folder / given if given else folder, resolution=8)
    assert names(found) == [f"000{n}.tar/{s}.jpg" for n in range(3) for s in (0, 1)]
    expected = [number * 10 + sample for number in range(3) for sample in (0, 1)]
    assert list(found.reader.read(found.entries)) == [Item(str(n).encode()) for n in expected]
    assert found.annotations is not None
    assert found.annotations.names == ("label",)
    assert [found.annotations.labels(e.name) for e in found.entries] == [(n,) for n in expected]


def test_a_part_of_the_shards(folder: Path) -> None:
    found = open_source(f"{folder}/{{0001..0002}}.tar", resolution=8, limit=3)
    assert names(found) == ["0001.tar/0.jpg", "0001.tar/1.jpg", "0002.tar/0.jpg"]
    assert list(found.reader.read(found.entries)) == [Item(b"10"), Item(b"11"), Item(b"20")]


def test_shards_in_several_folders_keep_apart(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    (folder / "0000.tar").rename(folder / "a" / "0.tar")
    (folder / "0001.tar").rename(folder / "b" / "0.tar")
    (folder / "0002.tar").unlink()
    found = open_source(f"{folder}/*/0.tar", resolution=8)
    expected = ["a/0.tar/0.jpg", "a/0.tar/1.jpg", "b/0.tar/0.jpg", "b/0.tar/1.jpg"]
    assert names(found) == names(open_source(folder, resolution=8)) == expected


def test_labels_stay_in_their_shard(folder: Path) -> None:
    with tarfile.open(folder / "0001.tar", "w") as archive:
        archive.add(__file__, "0.jpg")
    found = open_source(folder, resolution=8)
    assert found.annotations is not None
    assert [found.annotations.labels(name)[0] for name in names(found)] == [0, 1, None, 20, 21]


def test_shards_of_the_folder_one_is_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for given in (".", "*.tar", "{0000..0002}.tar"):
        assert names(open_source(given, resolution=8))[0] == "0000.tar/0.jpg"


def test_documents_and_tables_beside_shards_are_no_photos(folder: Path) -> None:
    for name in ("0000.parquet", "0000_stats.json", "README.md"):  # as img2dataset leaves them
        (folder / name).write_bytes(b"x")
    assert len(open_source(folder, resolution=8).entries) == 6


def test_a_photo_beside_tars_makes_a_folder_of_files(folder: Path) -> None:
    (folder / "photo.jpg").write_bytes(b"photo")
    found = open_source(folder, resolution=8)
    assert names(found) == ["0000.tar", "0001.tar", "0002.tar", "photo.jpg"]


def test_every_shard_of_a_range_must_be_there(folder: Path) -> None:
    with pytest.raises(DataError, match=r"0003.tar is missing"):
        open_source(f"{folder}/{{0000..0146}}.tar", resolution=8)
    with pytest.raises(DataError, match="is missing"):
        open_source(f"{folder}/no*.tar", resolution=8)
    (folder / "0001.tar").write_bytes(b"cut off")
    with pytest.raises(DataError, match=r"0001.tar is not a whole tar"):
        open_source(folder, resolution=8)


@pytest.mark.parametrize("given", ["{3..1}", "{0..99999999999999}", "{0..9999}{0..9999}"])
def test_ranges_that_are_none(folder: Path, given: str) -> None:
    with pytest.raises(UsageError, match="no range of shards"):
        open_source(folder / f"{given}.tar", resolution=8)


def test_ranges_are_written_out_as_shells_do() -> None:
    assert shards._numbered("a{08..11}b{1..2}.tar") == [
        f"a{n}b{m}.tar" for n in ("08", "09", "10", "11") for m in (1, 2)
    ]
