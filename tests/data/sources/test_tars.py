from __future__ import annotations

import errno
import gc
import gzip
import io
import os
import pickle
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from facesmith.base.errors import DataError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources import limits, tars
from facesmith.data.sources.contract import Item, Source
from facesmith.data.sources.opening import open_source

BLOCK = 512
PACKINGS = ["tar", "tar.gz", "tar.bz2", "tar.xz", "tgz"]


def write_tar(path: Path, members: dict[str, bytes], **options: int) -> Path:
    mode = {"gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}.get(path.suffix[1:], "w")
    with tarfile.open(path, mode, errors="surrogateescape", **options) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            add(archive, name, content)
    return path


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **fields: object) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for field, value in fields.items():
        setattr(member, field, value)
    archive.addfile(member, io.BytesIO(content))


def names(source: Source) -> list[str]:
    return [entry.name for entry in source.entries]


def read(source: Source) -> dict[str, Item | PhotoError]:
    return dict(zip(names(source), source.reader.read(source.entries), strict=True))


@pytest.mark.parametrize("ending", PACKINGS)
def test_a_tar_packed_or_not_gives_its_members(tmp_path: Path, ending: str) -> None:
    members = {f"photos/{n:02d}.jpg": random.Random(n).randbytes(n * 100) for n in (7, 0, 12, 3)}
    found = open_source(write_tar(tmp_path / f"a.{ending}", members), resolution=8)
    assert read(found) == {name: Item(content) for name, content in members.items()}
    # What is packed is read from its beginning, so that another order would unpack it each time.
    assert names(found) == (sorted(members) if ending == "tar" else list(members))
    backwards = found.entries[::-1]
    contents = list(found.reader.read(backwards))
    assert contents == [Item(members[entry.name]) for entry in backwards]
    assert found.fingerprint()["bytes"] == sum(map(len, members.values()))


def test_a_tar_is_known_by_its_content_whatever_its_name(tmp_path: Path) -> None:
    for ending in ("tar", "tar.gz", "tar.xz"):
        write_tar(tmp_path / f"a.{ending}", {"a.jpg": b"a"}).rename(tmp_path / "download")
        assert read(open_source(tmp_path / "download", resolution=8)) == {"a.jpg": Item(b"a")}


def test_chunks_that_go_forwards_unpack_a_tar_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {f"{n:03d}.jpg": bytes([n]) * 700 for n in range(60)}
    found = open_source(write_tar(tmp_path / "a.tar.gz", members), resolution=8)
    read_bytes = 0
    plain_read = gzip._GzipReader.read  # type: ignore[attr-defined]

    def counted(self: object, size: int = -1) -> bytes:
        nonlocal read_bytes
        data: bytes = plain_read(self, size)
        read_bytes += len(data)
        return data

    monkeypatch.setattr(gzip._GzipReader, "read", counted)  # type: ignore[attr-defined]
    tars._opened.cache_clear()
    for start in range(0, 60, 7):
        chunk = found.entries[start : start + 7]
        reader = pickle.loads(pickle.dumps(found.reader))  # as it comes to a worker
        assert list(reader.read(chunk)) == [Item(members[entry.name]) for entry in chunk]
    whole = len(gzip.decompress((tmp_path / "a.tar.gz").read_bytes()))
    assert 60 * 700 <= read_bytes <= whole


def test_the_tricks_of_a_tar_do_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    path = tmp_path / "tricks.tar"
    plain = ("../../slip.jpg", "/absolute.jpg", "C:\\windows.jpg", "ok/./a b.jpg")
    with tarfile.open(path, "w") as archive:
        for name in (*plain, "__MACOSX/._a.jpg", "ok/.DS_Store", "._b.jpg"):
            add(archive, name, name.encode())
        add(archive, "folder", type=tarfile.DIRTYPE)
        add(archive, "soft.jpg", type=tarfile.SYMTYPE, linkname=str(secret))
        add(archive, "hard.jpg", type=tarfile.LNKTYPE, linkname="../secret.jpg")
        add(archive, "pipe.jpg", type=tarfile.FIFOTYPE)
        add(archive, "disk.jpg", type=tarfile.BLKTYPE)
    contents = read(open_source(path, resolution=8))
    files = {name: item for name, item in contents.items() if isinstance(item, Item)}
    assert files == {name: Item(name.encode()) for name in plain}
    others = {name: str(item) for name, item in contents.items() if name not in files}
    assert others.keys() == {"soft.jpg", "hard.jpg", "pipe.jpg", "disk.jpg"}
    assert all(reason.startswith("no file: a link") for reason in others.values())
    assert {file.name for file in tmp_path.iterdir()} == {"secret.jpg", "tricks.tar"}


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_of_any_kind(tmp_path: Path, kind: int) -> None:
    strange = ["a b.jpg", "é ü 脸.jpg", "new\nline.jpg", "n" * 300 + ".jpg", "\udcff\udcfe.jpg"]
    members = {name: str(number).encode() for number, name in enumerate(strange)}
    found = open_source(write_tar(tmp_path / "a.tar", members, format=kind), resolution=8)
    assert read(found) == {name: Item(content) for name, content in members.items()}
    assert found.fingerprint()["count"] == len(strange)


def test_a_tar_of_any_length_is_listed_in_little_memory(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {f"{n}.jpg": b"" for n in range(50)})
    members = tars._members(path)
    for _ in range(40):
        next(members)
    assert sum(type(each) is tarfile.TarInfo for each in gc.get_objects()) < 10
    assert len(list(members)) == 10


def test_two_members_of_one_name_are_both_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add(archive, "a.jpg", b"1")
        add(archive, "a.jpg", b"22")
    found = open_source(tmp_path / "a.tar", resolution=8)
    assert list(found.reader.read(found.entries)) == [Item(b"1"), Item(b"22")]


def test_a_member_of_unbelievable_size_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    members = {"a.jpg": bytes(10), "b.jpg": bytes(11)}
    contents = read(open_source(write_tar(tmp_path / "a.tar", members), resolution=8))
    assert contents["a.jpg"] == Item(bytes(10))
    assert "too large" in str(contents["b.jpg"])


# ---- damage


@pytest.mark.parametrize("packed", [False, True])
def test_a_tar_that_is_cut_off_anywhere_is_refused(tmp_path: Path, packed: bool) -> None:
    members = {f"{n}.jpg": bytes([n]) * (n * 300) for n in (1, 2, 3)}
    path = write_tar(tmp_path / "a.tar", members)
    whole = path.read_bytes()
    content = sum(BLOCK + -len(data) % BLOCK + len(data) for data in members.values())
    assert not any(whole[content:])
    for length in (*range(1, content, 97), *range(BLOCK, content + 1, BLOCK)):
        path.write_bytes(gzip.compress(whole[:length], 1) if packed else whole[:length])
        with pytest.raises(DataError, match="not a whole tar file"):
            open_source(path, resolution=8)
    path.write_bytes(whole[: content + BLOCK])  # one block of zeros is an end
    assert len(read(open_source(path, resolution=8))) == 3


@pytest.mark.parametrize("ending", PACKINGS[1:])
def test_a_packed_tar_that_is_cut_off_is_refused(tmp_path: Path, ending: str) -> None:
    noise = random.Random(0).randbytes(20_000)
    path = write_tar(tmp_path / f"a.{ending}", {"a.jpg": noise[:9000], "b.jpg": noise[9000:]})
    whole = path.read_bytes()
    for length in range(len(whole) // 9, len(whole), len(whole) // 9):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="not a whole tar file"):
            open_source(path, resolution=8)


def test_a_damaged_header_loses_no_photo_in_silence(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {f"{n}.jpg": bytes(100) for n in range(3)})
    whole = path.read_bytes()
    for header in range(0, 3 * 2 * BLOCK, 2 * BLOCK):
        for place in (0, 124, 150, 156):  # name, size, checksum, kind
            damaged = bytearray(whole)
            damaged[header + place] ^= 0x01
            path.write_bytes(damaged)
            with pytest.raises(DataError, match="not a whole tar file"):
                open_source(path, resolution=8)


def test_tars_behind_each_other_are_no_tar(tmp_path: Path) -> None:
    one = write_tar(tmp_path / "a.tar", {"a.jpg": b"a"}).read_bytes()
    (tmp_path / "a.tar").write_bytes(one + one)
    with pytest.raises(DataError, match="something follows"):
        open_source(tmp_path / "a.tar", resolution=8)


def test_what_is_no_tar_and_what_is_empty(tmp_path: Path) -> None:
    for content in (
        b"",
        b"no tar",
        gzip.compress(b"no tar"),
        b"\x1f\x8bno gzip",
        b"BZh",
        bytes(99),
    ):
        (tmp_path / "a.tar").write_bytes(content)
        with pytest.raises(DataError, match="not a whole tar"):
            open_source(tmp_path / "a.tar", resolution=8)
    with pytest.raises(DataError, match="holds no files"):
        open_source(write_tar(tmp_path / "a.tar", {}), resolution=8)


def test_a_tar_that_may_not_be_read_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = write_tar(tmp_path / "a.tar", {"a.jpg": b"a"})
    monkeypatch.setattr(tars, "Opened", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        open_source(path, resolution=8)


def test_a_bomb_is_refused_before_it_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        add(archive, "bomb.jpg", bytes(20_000_000))
        add(archive, "photo.jpg", b"photo")
    data = bytearray(path.read_bytes())
    data[-30_000:-27_000] = random.Random(0).randbytes(3000)  # never reached
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"would grow from [\d,]+ to more than") as caught:
        open_source(path, resolution=8)
    assert "do not trust" in caught.value.todo


def header(size: bytes, kind: bytes = b"0") -> bytes:
    """Write a header whose checksum is right, whatever its size."""
    block = bytearray(BLOCK)
    block[0:5] = b"a.jpg"
    block[124:136] = size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("kind", [b"0", b"x", b"g", b"L", b"K"])
@pytest.mark.parametrize(
    "size",
    [
        b"\xff" * 12,
        b"\xff" * 10 + b"\0\0",
        b"\x80" + b"\x7f" * 11,
        b"77777777777\0",
        b"not a size. ",
    ],
    ids=["-1", "-65536", "2**87", "8 GB", "text"],
)
def test_a_size_that_lies_is_refused(tmp_path: Path, size: bytes, kind: bytes) -> None:
    path = tmp_path / "liar.tar"
    path.write_bytes(header(size, kind) + bytes(20 * BLOCK))
    with pytest.raises(DataError, match=r"not a whole tar|would grow"):
        open_source(path, resolution=8)


def test_a_header_longer_than_any_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.tar"
    path.write_bytes(header(b"%011o\0" % 3_000_000, b"L") + b"n" * 3_000_320 + bytes(2 * BLOCK))
    with pytest.raises(DataError, match="a header of 3,000,320 bytes"):
        open_source(path, resolution=8)


@pytest.mark.timeout(20)
def test_a_tar_that_leads_back_has_an_end(tmp_path: Path) -> None:
    circle = bytearray(header(b"\xff" * 10 + b"\xfe\0", b"S"))  # 512 bytes back: to itself
    circle[483:495] = b"00000000001\0"  # the size that a sparse file says it has
    circle[148:156] = b" " * 8
    circle[148:156] = b"%06o\0 " % sum(circle)
    path = tmp_path / "circle.tar"
    path.write_bytes(header(b"00000000000\0") + circle + bytes(2 * BLOCK))
    with pytest.raises(DataError, match="not a whole tar"):
        open_source(path, resolution=8)


def test_a_sparse_file_is_no_photo(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tar"
    path.write_bytes(header(b"00000000000\0", b"S") + bytes(2 * BLOCK))
    assert "no file" in str(read(open_source(path, resolution=8))["a.jpg"])


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.tar"
    path.write_bytes((header(b"00000000001\0", b"x") + b"x" + bytes(511)) * 3000 + bytes(1024))
    with pytest.raises(DataError, match="not a whole tar"):
        open_source(path, resolution=8)


# ---- changes


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
@pytest.mark.parametrize("change", ["replaced", "shortened", "removed", "unreadable"])
def test_a_tar_that_changes_after_it_was_listed_is_not_mixed_up(
    tmp_path: Path, ending: str, change: str
) -> None:
    path = write_tar(tmp_path / f"a.{ending}", {"a.jpg": b"a" * 900, "b.jpg": b"b"})
    found = open_source(path, resolution=8)
    at = path.stat().st_mtime_ns
    match change:
        case "replaced":
            write_tar(path, {"a.jpg": b"c" * 900, "b.jpg": b"d"})
            os.utime(path, ns=(at + 1, at + 1))
        case "shortened":
            path.write_bytes(path.read_bytes()[:100])
            os.utime(path, ns=(at, at))
        case "removed":
            path.unlink()
        case "unreadable":
            path.unlink()
            path.mkdir()
            os.utime(path, ns=(at, at))
    with pytest.raises(DataError, match="has changed or vanished"):
        read(found)


@pytest.mark.parametrize("change", ["content", "time"])
def test_any_change_of_a_tar_changes_the_fingerprint(tmp_path: Path, change: str) -> None:
    path = write_tar(tmp_path / "a.tar", {"a.jpg": b"a"})
    before = open_source(path, resolution=8).fingerprint()
    assert open_source(path, resolution=8).fingerprint() == before
    at = path.stat().st_mtime_ns + 1
    write_tar(path, {"a.jpg": b"b" if change == "content" else b"a"})
    os.utime(path, ns=(at, at))
    assert open_source(path, resolution=8).fingerprint() != before


# ---- labels beside photos


def labelled(source: Source) -> dict[str, dict[str, object]]:
    told = source.annotations
    assert told is not None
    return {name: dict(zip(told.names, told.labels(name), strict=True)) for name in names(source)}


@pytest.mark.parametrize("order", [sorted, lambda names: sorted(names, reverse=True)])
@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_what_lies_beside_a_photo_tells_its_labels(
    tmp_path: Path, order: Callable[[list[str]], list[str]], ending: str
) -> None:
    members = {
        "a/0.jpg": b"photo 0",
        "a/0.cls": b"7\n",
        "a/0.json": b'{"age": 31, "pose": 0.5, "male": true, "name": "x", "box": [1], "row": 2}',
        "a/0.txt": "a caption, é".encode(),
        "a/1.seg.png": b"photo 1",
        "a/1.jpg": b"photo 1 too",
        "a/1.json": b'{"age": null, "male": false, "more": 3}',
        "b/0.jpg": b"photo 2",
        "b/1.2.jpg": b"photo 3",
        "b/1.2.cls": b"8",
    }
    path = write_tar(tmp_path / f"a.{ending}", {name: members[name] for name in order([*members])})
    found = open_source(path, resolution=8)
    empty = dict.fromkeys(("age", "label", "male", "more", "name", "pose", "row_", "text"))
    first = {"age": 31, "label": 7, "male": 1, "name": "x", "pose": 0.5, "row_": 2}
    assert labelled(found) == {
        "a/0.jpg": {**empty, **first, "text": "a caption, é"},
        "a/1.seg.png": {**empty, "male": 0, "more": 3},
        "a/1.jpg": {**empty, "male": 0, "more": 3},
        "b/0.jpg": empty,
        "b/1.2.jpg": {**empty, "label": 8},
    }
    assert read(found)["a/1.jpg"] == Item(b"photo 1 too")


def test_labels_without_a_photo_and_labels_that_are_none_are_listed(tmp_path: Path) -> None:
    members = {
        "0.jpg": b"photo",
        "0.json": b"{no json",
        "1.json": b'{"age": 3}',
        "2.jpg": b"photo",
        "2.json": b"[1, 2]",
        "3.jpg": b"photo",
        "3.txt": b"\xff\xfe",
        "4.jpg": b"photo",
        "4.json": b"[" * 100_000,
        "readme.txt": b"read me",
    }
    found = open_source(write_tar(tmp_path / "a.tar", members), resolution=8)
    assert set(names(found)) == set(members)
    assert found.annotations is None


def test_a_change_of_a_label_alone_changes_the_fingerprint(tmp_path: Path) -> None:
    def fingerprint(label: bytes) -> object:
        path = write_tar(tmp_path / "a.tar", {"0.jpg": b"photo", "0.cls": label})
        os.utime(path, ns=(0, 0))
        return open_source(path, resolution=8).fingerprint()

    assert fingerprint(b"1") == fingerprint(b"1")
    assert fingerprint(b"1") != fingerprint(b"2")
