from __future__ import annotations

import errno
import gzip
import os
import random
import stat
import struct
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facesmith.base.errors import DataError, UsageError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.decoding import Framing, decode
from facesmith.data.sources import drawn, folders, limits, opening
from facesmith.data.sources.contract import Entry, Item, Source, of_both_sides
from facesmith.data.sources.opening import open_source

Picture = Callable[..., Image.Image]
Encode = Callable[..., bytes]

ENCRYPTED = 0x1


def names(source: Source) -> list[str]:
    return [entry.name for entry in source.entries]


def read(source: Source) -> dict[str, Item | PhotoError]:
    return dict(zip(names(source), source.reader.read(source.entries), strict=True))


# ---- folders


def test_a_folder_is_listed_sorted_and_deep_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/é ü 脸.jpg", "a/x y.png", ".hidden", ".git/c.jpg", "__MACOSX/._b.jpg",
                 "Thumbs.db", "z"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = open_source(tmp_path, resolution=8)
    assert names(found) == ["a/x y.png", "a/é ü 脸.jpg", "b.jpg", "z"]
    assert read(found)["a/é ü 脸.jpg"] == Item("a/é ü 脸.jpg".encode())
    assert names(open_source(tmp_path, resolution=8, limit=2)) == ["a/x y.png", "a/é ü 脸.jpg"]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    photos, elsewhere = tmp_path / "photos", tmp_path / "elsewhere"
    photos.mkdir()
    elsewhere.mkdir()
    (elsewhere / "a.jpg").write_bytes(b"a")
    (photos / "linked").symlink_to(elsewhere)
    (photos / "circle").symlink_to(photos)
    (elsewhere / "back").symlink_to(photos)
    (photos / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    os.mkfifo(photos / "pipe.jpg")  # reading it would wait for ever
    found = open_source(photos, resolution=8)
    assert names(found) == ["broken.jpg", "linked/a.jpg"]
    assert "unreadable" in str(read(found)["broken.jpg"])


def test_names_that_are_no_text_can_be_read(tmp_path: Path) -> None:
    try:
        with open(os.fsencode(tmp_path) + b"/\xff\xfe.jpg", "wb") as file:  # noqa: PTH123
            file.write(b"x")
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    found = open_source(tmp_path, resolution=8)
    assert list(read(found).values()) == [Item(b"x")]
    assert found.fingerprint()["count"] == 1


def test_files_of_unbelievable_size_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (folders, limits):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.jpg").write_bytes(bytes(10))
    (tmp_path / "b.jpg").write_bytes(bytes(11))
    contents = read(open_source(tmp_path, resolution=8))
    assert contents["a.jpg"] == Item(bytes(10))
    assert "too large" in str(contents["b.jpg"])


def test_each_of_many_files_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time in proportion to the files: 100,000 of them are listed in a second."""
    looks: Counter[str] = Counter()
    scan = os.scandir

    class Child:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self._entry = entry.name, entry

        def stat(self) -> os.stat_result:
            looks[self.name] += 1
            return self._entry.stat()

    def scan_and_count(folder: Path) -> Iterator[Child]:
        looks["folders"] += 1
        return map(Child, scan(folder))

    for number in range(300):
        (tmp_path / f"{number:06d}.jpg").touch()
    monkeypatch.setattr(folders.os, "scandir", scan_and_count)
    found = folders.source(tmp_path)
    assert names(found) == [f"{number:06d}.jpg" for number in range(300)]
    assert set(looks.values()) == {1}
    assert len(looks) == 301


@pytest.mark.parametrize(
    "name",
    ["a b.jpg", "é ü 脸.jpg", "new\nline.jpg", '"quoted", with comma.jpg', "-rf.jpg", "n" * 250],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_names_of_any_kind(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / "photos"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"x")
    else:
        path.mkdir()
        (path / name).write_bytes(b"x")
    found = open_source(path, resolution=8)
    assert read(found) == {name: Item(b"x")}
    assert found.fingerprint()["count"] == 1


def test_a_file_that_grows_is_read_as_it_is_then(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    found = open_source(tmp_path, resolution=8)
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(b" and more")
    assert read(found) == {"a.jpg": Item(b"a and more")}
    assert open_source(tmp_path, resolution=8).fingerprint() != found.fingerprint()


@pytest.mark.parametrize("change", ["add", "remove", "rename", "grow", "replace"])
def test_any_change_of_the_files_changes_the_fingerprint(tmp_path: Path, change: str) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"xx")
    before = open_source(tmp_path, resolution=8).fingerprint()
    assert open_source(tmp_path, resolution=8).fingerprint() == before
    match change:
        case "add":
            (tmp_path / "c.jpg").write_bytes(b"")
        case "remove":
            (tmp_path / "b.jpg").unlink()
        case "rename":
            (tmp_path / "b.jpg").rename(tmp_path / "c.jpg")
        case "grow":
            (tmp_path / "b.jpg").write_bytes(b"xxx")
        case "replace":
            now = (tmp_path / "b.jpg").stat().st_mtime_ns + 1
            (tmp_path / "b.jpg").write_bytes(b"yy")
            os.utime(tmp_path / "b.jpg", ns=(now, now))
    assert open_source(tmp_path, resolution=8).fingerprint() != before


def test_what_is_gone_or_cannot_be_followed_ends_no_listing(tmp_path: Path) -> None:
    (tmp_path / "itself.jpg").symlink_to(tmp_path / "itself.jpg")
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").write_bytes(b"b")
    found = open_source(tmp_path, resolution=8)
    (tmp_path / "b.jpg").unlink()
    contents = read(found)
    assert contents["a.jpg"] == Item(b"a")
    assert "unreadable" in str(contents["b.jpg"])
    assert "unreadable" in str(contents["itself.jpg"])


def test_photos_removed_while_they_are_listed_end_no_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def scan_and_remove(folder: Path) -> Iterator[os.DirEntry[str]]:
        children = list(scan(folder))
        if Path(folder) == tmp_path:
            assert any(child.name == "folder" and child.stat() for child in children)
            (tmp_path / "gone.jpg").unlink()
            (tmp_path / "folder").rmdir()
        return iter(children)

    for name in ("a.jpg", "gone.jpg"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(folders.os, "scandir", scan_and_remove)
    monkeypatch.setattr(opening.idx, "is_source", lambda _: False)
    assert set(names(open_source(tmp_path, resolution=8))) == {"a.jpg", "gone.jpg"}


@pytest.mark.parametrize("left", ["nothing", "an empty mount point"])
def test_a_disk_that_vanishes_is_no_reason_to_reject_its_photos(tmp_path: Path, left: str) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"a")
    found = open_source(folder, resolution=8)
    folder.rename(tmp_path / "elsewhere")
    if left == "an empty mount point":
        folder.mkdir()
    with pytest.raises(DataError, match="vanished") as caught:
        read(found)
    assert "it continues" in caught.value.todo


def test_a_folder_that_may_not_be_listed_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, refuse)
    with pytest.raises(DataError, match="cannot be listed: Permission denied"):
        open_source(tmp_path, resolution=8)


def test_nothing_there_and_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing at"):
        open_source(tmp_path / "gone", resolution=8)
    with pytest.raises(DataError, match="holds no files"):
        open_source(tmp_path, resolution=8)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(DataError, match="holds no files"):
        open_source(tmp_path / "empty.zip", resolution=8)


def test_a_new_version_draws_other_portraits(monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_source("portraits:2", resolution=16).fingerprint()
    assert open_source("portraits:2", resolution=16).fingerprint() == before
    monkeypatch.setattr(drawn, "VERSION", "99")
    assert open_source("portraits:2", resolution=16).fingerprint() != before


# ---- folders with archives


def zip_of(path: Path, *members: str) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name in members:
            archive.writestr(name, name)
    return path.read_bytes()


def test_the_only_archive_of_a_folder_is_looked_into(tmp_path: Path) -> None:
    zip_of(tmp_path / "photos.zip", "a.jpg", "b.jpg")
    for name in ("README.md", "LICENSE", "list.csv", ".hidden"):
        (tmp_path / name).write_bytes(b"about the photos")
    found = open_source(tmp_path, resolution=8)
    assert (names(found), found.title) == (["a.jpg", "b.jpg"], "photos.zip")


@pytest.mark.parametrize("other", ["more.zip", "photo.jpg", "photo", "video.mp4"])
def test_an_archive_among_other_files_is_one_of_them(tmp_path: Path, other: str) -> None:
    zip_of(tmp_path / "photos.zip", "a.jpg")
    (tmp_path / other).write_bytes(b"x")
    assert names(open_source(tmp_path, resolution=8)) == sorted(["photos.zip", other])


def test_archives_among_photos_are_rejected_by_name(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "inner.tar", "w") as archive:
        archive.add(__file__, "a.jpg")
    inner = {
        "inner.zip": zip_of(tmp_path / "inner.zip", "a.jpg"),
        "inner.tar": (tmp_path / "inner.tar").read_bytes(),
        "inner.tar.gz": gzip.compress(b"x"),
        "inner.parquet": b"PAR1...PAR1",
        "index.csv": b"file,mood\na.jpg,1\n",
    }
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        for name, content in inner.items():
            outer.writestr(name, content)
    for name, item in read(open_source(tmp_path / "outer.zip", resolution=8)).items():
        assert isinstance(item, Item)
        assert isinstance(item.content, bytes)
        with pytest.raises(PhotoError, match="^text" if name == "index.csv" else "^archive: a "):
            decode(item.content, Framing(8))


# ---- zip files


def test_a_zip_is_read_in_memory_and_its_tricks_do_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tricks.zip"
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../../slip.jpg", "/absolute.jpg", "C:\\windows.jpg", "ok/a b.jpg",
                     "__MACOSX/._a.jpg", "ok/.DS_Store", "ok/"):  # fmt: skip
            archive.writestr(name, name)
        archive.writestr(link, "/etc/passwd")
    found = open_source(path, resolution=8)
    contents = read(found)
    assert contents == {
        "../../slip.jpg": Item(b"../../slip.jpg"),
        "/absolute.jpg": Item(b"/absolute.jpg"),
        "C:\\windows.jpg": Item(b"C:\\windows.jpg"),
        "ok/a b.jpg": Item(b"ok/a b.jpg"),
    }
    assert [file.name for file in tmp_path.iterdir()] == ["tricks.zip"]


def test_two_members_of_one_name_are_both_read(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.jpg", b"22")
    found = open_source(path, resolution=8)
    assert list(found.reader.read(found.entries)) == [Item(b"1"), Item(b"22")]


def test_a_changed_zip_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for content in (b"first", b"the second"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.jpg", content)
        assert read(open_source(path, resolution=8)) == {"a.jpg": Item(content)}


def test_a_zip_is_known_by_its_checksums_not_by_its_time(tmp_path: Path) -> None:
    def fingerprint(content: bytes, year: int) -> dict[str, Any]:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.jpg", (year, 1, 1, 0, 0, 0)), content)
        return open_source(tmp_path / "a.zip", resolution=8).fingerprint()

    assert fingerprint(b"xx", 2000) == fingerprint(b"xx", 2001)
    assert fingerprint(b"xx", 2000) != fingerprint(b"yy", 2000)


@pytest.mark.parametrize("change", ["replaced", "shortened", "garbled", "removed"])
def test_a_zip_that_changes_after_it_was_listed_is_not_mixed_up(
    tmp_path: Path, change: str
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"a")
        archive.writestr("b.jpg", b"b")
    found = open_source(path, resolution=8)
    match change:
        case "removed":
            path.unlink()
        case "garbled":
            path.write_bytes(b"no zip")
        case _:
            with zipfile.ZipFile(path, "w") as archive:
                for name in ("c.jpg", "d.jpg") if change == "replaced" else ("a.jpg",):
                    archive.writestr(name, b"a")
    with pytest.raises(DataError, match="has changed or vanished"):
        read(found)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
def test_a_damaged_member_of_any_method_is_rejected_alone(tmp_path: Path, method: int) -> None:
    path, content = tmp_path / "a.zip", random.Random(0).randbytes(3000)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.jpg", content)
        archive.writestr("b.jpg", b"whole")
    data = path.read_bytes()
    for place in range(50, 90):  # after the name, and the header that LZMA has
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        contents = read(open_source(path, resolution=8))
        assert str(contents["a.jpg"]).startswith("damaged: cannot be unpacked: ")
        assert contents["b.jpg"] == Item(b"whole")


@pytest.mark.parametrize("error", [RuntimeError("no lzma here"), ValueError(""), MemoryError()])
def test_any_failure_of_a_member_is_a_reason(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"a")
    found = open_source(tmp_path / "a.zip", resolution=8)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(zipfile.ZipFile, "open", fail)
    reason = str(read(found)["a.jpg"])
    assert reason == f"damaged: cannot be unpacked: {str(error) or type(error).__name__}"


def test_a_bomb_among_photos_is_rejected_without_unpacking_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", bytes(20_000_000))
        archive.writestr("photo.jpg", os.urandom(400_000))
    contents = read(open_source(path, resolution=8))
    assert str(contents["bomb.jpg"]).startswith("zip bomb: would grow 10")
    assert isinstance(contents["photo.jpg"], Item)


def test_an_archive_that_is_mostly_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", bytes(20_000_000))
    with pytest.raises(DataError, match="would grow from") as caught:
        open_source(path, resolution=8)
    assert "do not trust" in caught.value.todo


def change_central_directory(path: Path, offset: int, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\x01\x02")
    data[start + offset : start + offset + len(value)] = value
    path.write_bytes(data)


def test_a_member_that_lies_about_its_size_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("liar.jpg", bytes(3_000_000))
    size = 24
    change_central_directory(path, size, struct.pack("<I", 100))
    assert "damaged" in str(read(open_source(path, resolution=8))["liar.jpg"])


def test_encrypted_and_damaged_members_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"content of a photo")
    whole = path.read_bytes()
    flags = 8
    change_central_directory(path, flags, struct.pack("<H", ENCRYPTED))
    assert "encrypted" in str(read(open_source(path, resolution=8))["a.jpg"])
    path.write_bytes(whole.replace(b"content", b"kontent"))
    assert "damaged" in str(read(open_source(path, resolution=8))["a.jpg"])
    path.write_bytes(whole)
    method = 10
    change_central_directory(path, method, struct.pack("<H", 97))
    assert "damaged" in str(read(open_source(path, resolution=8))["a.jpg"])


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photos.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a zip file"):
        open_source(path, resolution=8)


# ---- portraits


def test_portraits_come_with_labels() -> None:
    found = open_source("portraits:3", resolution=16)
    items = [item for item in found.reader.read(found.entries) if isinstance(item, Item)]
    assert len(items) == 3
    assert found.label_names
    assert all(len(item.labels) == len(found.label_names) for item in items)
    assert not isinstance(items[0].content, bytes)
    assert items[0].content.shape == (16, 16, 3)
    alone = open_source("portraits", resolution=16)
    second = next(iter(alone.reader.read(alone.entries[1:2])))
    assert isinstance(second, Item)
    assert (second.content == items[1].content).all()  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["portraits:many", "portraits:0", "portraits:-3"])
def test_a_number_of_portraits_must_be_a_number(word: str) -> None:
    with pytest.raises(UsageError, match="how many"):
        open_source(word, resolution=16)


# ---- limits


@pytest.mark.parametrize(
    ("sides", "limit", "taken"),
    [
        ("ttttthhhhh", 4, "tthh"),
        ("hhhhhttttt", 4, "hhtt"),
        ("tttttttthh", 5, "tttth"),
        ("ttttttttth", 3, "tth"),  # at least one is held out
        ("ttttttttth", 1, "t"),  # a single one is not
        ("thththth", 4, "thth"),  # in their order
        ("tttt", 2, "tt"),
        ("hhhh", 2, "hh"),
        ("thth", 9, "thth"),
    ],
)
def test_a_limit_takes_from_both_sides_in_proportion(sides: str, limit: int, taken: str) -> None:
    entries = [Entry(f"{index} {side}", 0, index) for index, side in enumerate(sides)]
    found = of_both_sides(entries, [side == "h" for side in sides], limit)
    assert "".join(entry.name[-1] for entry in found) == taken
    assert found == sorted(found, key=lambda entry: entry.index)
    for side in "th":  # the first of each
        of_side = [entry for entry in entries if entry.name.endswith(side)]
        assert [e for e in found if e.name.endswith(side)] == of_side[: taken.count(side)]
