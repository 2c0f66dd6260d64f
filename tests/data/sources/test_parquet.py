from __future__ import annotations

import builtins
import os
import pickle
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facesmith.base.errors import DataError, MissingExtraError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources import limits, parquet
from facesmith.data.sources.contract import Item, Source
from facesmith.data.sources.opening import open_source

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

Write = Callable[..., Path]


def rows(start: int, count: int) -> dict[str, Any]:
    """The columns of a data set as the hub keeps it."""
    numbers = range(start, start + count)
    images = [{"bytes": b"photo %d" % n, "path": f"{n}.jpg"} for n in numbers]
    return {"image": images, "celeb_id": list(numbers), "Male": [n % 2 == 0 for n in numbers]}


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, path, **options)
    return path


def read(source: Source) -> list[Item | PhotoError]:
    return list(source.reader.read(source.entries))


def test_a_file_gives_its_images_and_labels(tmp_path: Path) -> None:
    found = open_source(write(tmp_path / "faces.parquet", rows(0, 5)), resolution=8)
    assert found.columns == found.label_names == ("celeb_id", "Male")
    assert read(found) == [Item(b"photo %d" % n, None, (n, int(n % 2 == 0))) for n in range(5)]
    assert [entry.name for entry in found.entries][:2] == ["faces/0000000", "faces/0000001"]
    assert not found.own_split
    (tmp_path / "faces.parquet").rename(tmp_path / "download")
    assert len(open_source(tmp_path / "download", resolution=8).entries) == 5


def test_labels_are_whole_numbers_numbers_truth_and_text(tmp_path: Path) -> None:
    columns = {
        "mask": pa.array([b"m", b"m"]),
        "image": pa.array([b"one", b"two"], pa.large_binary()),
        "whole": pa.array([2**40, None]),
        "broken": pa.array([0.5, float("nan")], pa.float32()),
        "truth": pa.array([True, None]),
        "text": pa.array(["a" * 2000, None], pa.large_string()),
        "class": pa.array(["cat", "dog"]).dictionary_encode(),
        "list": pa.array([[1], [2]]),
        "row": pa.array([7, 8], pa.uint8()),
    }
    found = open_source(write(tmp_path / "a.parquet", columns), resolution=8)
    assert found.label_names == ("whole", "broken", "truth", "text", "class", "row_")
    assert read(found) == [
        Item(b"one", None, (2**40, 0.5, 1, "a" * 1000, "cat", 7)),
        Item(b"two", None, (None, None, None, None, "dog", 8)),
    ]
    first = next(iter(found.reader.read(found.entries)))
    assert isinstance(first, Item)
    assert type(first.labels[2]) is int  # True would be written as a word


def test_any_order_of_rows_over_any_groups_and_files(tmp_path: Path) -> None:
    for number, size in enumerate((10, 64, 100)):
        write(tmp_path / f"{number}.parquet", rows(number * 300, 300), row_group_size=size)
    found = open_source(tmp_path, resolution=8)
    expected = [Item(b"photo %d" % n, None, (n, int(n % 2 == 0))) for n in range(900)]
    assert read(found) == expected
    order = random.Random(0).sample(range(900), 120)
    reader = pickle.loads(pickle.dumps(found.reader))
    assert list(reader.read([found.entries[n] for n in order])) == [expected[n] for n in order]


def test_a_long_row_group_is_not_read_whole(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(30_000_000)
    images = [noise[n * 10_000 : (n + 1) * 10_000] for n in range(3000)]
    path = write(tmp_path / "a.parquet", {"image": images}, write_batch_size=64)  # rows of a page
    assert pq.ParquetFile(path).num_row_groups == 1
    found = open_source(path, resolution=8)
    before = pa.total_allocated_bytes()
    for start in range(0, 3000, 100):
        assert next(iter(found.reader.read(found.entries[start:]))) == Item(images[start])
        assert pa.total_allocated_bytes() - before < 12_000_000
    parquet._rows.cache_clear()


@pytest.mark.parametrize(
    ("train", "others"),
    [
        (
            "data/train-00000-of-00001",
            ["data/validation-00000-of-00001", "data/test-00000-of-00001"],
        ),
        ("train", ["valid"]),
        ("faces_train", ["faces_test"]),
        ("default/train/0000", ["default/val/0000"]),
    ],
)
def test_files_are_sides_where_both_are_there(
    tmp_path: Path, train: str, others: list[str]
) -> None:
    write(tmp_path / f"{train}.parquet", rows(0, 30))
    assert {item.side for item in read(open_source(tmp_path, resolution=8))} == {None}  # type: ignore[union-attr]
    for number, other in enumerate(others, start=1):
        write(tmp_path / f"{other}.parquet", rows(100 * number, 5))
    found = open_source(tmp_path, resolution=8)
    assert found.own_split
    sides = {item.content: item.side for item in read(found) if isinstance(item, Item)}
    assert {content for content, side in sides.items() if side == "train"} == {
        b"photo %d" % n for n in range(30)
    }
    assert set(sides.values()) == {"train", "held-out"}
    part = read(open_source(tmp_path, resolution=8, limit=14))
    held_out = [item for item in part if isinstance(item, Item) and item.side == "held-out"]
    assert (len(part), len(held_out)) == (14, 2 if len(others) == 1 else 4)


def test_files_of_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.parquet", rows(0, 1))
    monkeypatch.chdir(tmp_path)
    found = open_source(".", resolution=8)
    assert [entry.name for entry in found.entries] == ["a/0000000", "b/0000000"]


def test_labels_that_a_file_lacks_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", rows(0, 2))
    write(tmp_path / "b.parquet", {"image": rows(2, 2)["image"], "Male": [True, False]})
    found = open_source(tmp_path, resolution=8)
    assert found.label_names == ("Male",)
    assert [item.labels for item in read(found) if isinstance(item, Item)] == [
        (1,),
        (0,),
        (1,),
        (0,),
    ]


def test_rows_without_a_photo_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    images = [{"bytes": None, "path": "far/away.jpg"}, None, {"bytes": b"", "path": None},
              {"bytes": bytes(11), "path": None}]  # fmt: skip
    found = open_source(write(tmp_path / "a.parquet", {"image": images}), resolution=8)
    far, none, empty, large = read(found)
    assert str(far) == "no photo: the row only names far/away.jpg"
    assert str(none) == "no photo: an empty row"
    assert empty == Item(b"")  # which is rejected as an empty file is
    assert "too large" in str(large)


def test_files_without_images_or_with_others_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"text": ["a"], "number": [1]})
    with pytest.raises(DataError, match="no column of images, but text, number"):
        open_source(tmp_path, resolution=8)
    write(tmp_path / "a.parquet", {"image": [b"a"]})
    write(tmp_path / "b.parquet", {"picture": [b"a"]})
    with pytest.raises(DataError, match="no column image, but picture"):
        open_source(tmp_path, resolution=8)


def test_documents_beside_parquet_files_are_no_photos(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train.parquet", rows(0, 3))
    (tmp_path / "README.md").write_text("# faces")
    assert len(open_source(tmp_path, resolution=8).entries) == 3
    (tmp_path / "photo.jpg").write_bytes(b"photo")
    assert len(open_source(tmp_path, resolution=8).entries) == 3  # files now: all three of them


# ---- damage and changes


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", rows(0, 100))
    whole = path.read_bytes()
    for content in (
        b"",
        b"PAR1",
        whole[:-1],
        whole[: len(whole) // 2],
        b"PAR1" + bytes(100) + b"PAR1",
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a whole parquet file"):
            open_source(path, resolution=8)


def test_a_bomb_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    images = [bytes(5_000_000), b"photo"]
    path = write(tmp_path / "bomb.parquet", {"image": images}, compression="zstd")
    with pytest.raises(DataError, match=r"would grow from [\d,]+ to 5,0\d\d,\d+ bytes"):
        open_source(path, resolution=8)
    harmless = write(tmp_path / "flat.parquet", {"image": [bytes(1_000_000)]}, compression="zstd")
    assert harmless.stat().st_size < 10_000
    assert len(read(open_source(harmless, resolution=8))) == 1


def test_a_damaged_part_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write(path, rows(0, 200), row_group_size=100, compression="zstd", use_dictionary=False)
    metadata = pq.ParquetFile(path).metadata
    at = path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    start = metadata.row_group(0).column(0).data_page_offset
    size = metadata.row_group(0).column(0).total_compressed_size
    data[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(data)
    os.utime(path, ns=(at, at))
    contents = read(open_source(path, resolution=8))
    assert all(
        str(reason).startswith("damaged: this part of a.parquet") for reason in contents[:100]
    )
    assert contents[100:] == [
        Item(b"photo %d" % n, None, (n, int(n % 2 == 0))) for n in range(100, 200)
    ]


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_file_that_changes_after_it_was_listed_is_not_mixed_up(
    tmp_path: Path, change: str
) -> None:
    path = write(tmp_path / "a.parquet", rows(0, 3))
    found = open_source(path, resolution=8)
    at = path.stat().st_mtime_ns + 1
    if change == "removed":
        path.unlink()
    else:
        write(path, rows(5, 3))
        os.utime(path, ns=(at, at))
        assert open_source(path, resolution=8).fingerprint() != found.fingerprint()
    with pytest.raises(DataError, match="has changed or vanished"):
        read(found)


@pytest.mark.parametrize("failure", [ModuleNotFoundError("no pyarrow"), RuntimeError("broken")])
def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    path = write(tmp_path / "a.parquet", rows(0, 3))
    plain_import = builtins.__import__

    def fail(name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith("pyarrow"):
            raise failure
        return plain_import(name, *rest, **options)

    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(MissingExtraError, match=str(failure)) as caught:
        open_source(path, resolution=8)
    assert caught.value.exit_code == 6
    assert caught.value.todo == 'pip install "facesmith[parquet]"'
