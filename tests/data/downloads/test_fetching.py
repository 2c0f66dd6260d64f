"""Data sets by name, from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import shutil
import struct
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facesmith.base.errors import DataError, DownloadError, StorageError, UsageError
from facesmith.data.downloads import fetching, part
from facesmith.data.downloads.catalogue import CATALOGUE, File, Published
from facesmith.data.downloads.fetching import (
    fetch,
    fetch_detector,
    fetch_photos,
)
from facesmith.data.downloads.transport import Patience
from facesmith.data.photos import detection
from facesmith.data.sources.opening import open_source

PHOTOS = gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 5, 4, 4) + bytes(range(80)))
LABELS = gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, 5) + bytes(range(5)))
BODIES = {"/images": PHOTOS, "/labels": LABELS}
NAMES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")


def md5(body: bytes) -> str:
    return f"md5:{hashlib.md5(body).hexdigest()}"


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def tiny(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """A data set of two idx files in the catalogue, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    published = Published(
        name="tiny",
        title="Tiny",
        what="5 pictures",
        licence="for tests only",
        homepage="https://example.org",
        files=(
            File(NAMES[0], (f"{server.url}/images",), len(PHOTOS), md5(PHOTOS)),
            File(NAMES[1], (f"{server.url}/labels",), len(LABELS), md5(LABELS)),
        ),
        instead="take none",
    )
    monkeypatch.setitem(CATALOGUE, "tiny", published)
    server.always = lambda request: server.says(200, BODIES[request.path])(request)
    return published


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the tiny set."""

    def make(**changes: Any) -> None:
        monkeypatch.setitem(CATALOGUE, "tiny", replace(CATALOGUE["tiny"], **changes))

    return make


def receipt(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "download.json").read_text())
    return content


@pytest.mark.usefixtures("tiny")
def test_a_set_is_downloaded_once(
    server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seen: list[tuple[int, int]] = []
    folder = fetch("tiny", progress=lambda *now: seen.append(now))
    assert folder == tmp_path / "cache/facesmith/downloads/tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["download.json", *NAMES]
    assert (folder / NAMES[0]).read_bytes() == PHOTOS
    total = len(PHOTOS) + len(LABELS)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {of for _, of in seen} == {total}
    assert seen[-1] == (total, total)
    assert caplog.text.count("Tiny: for tests only") == 1
    caplog.clear()
    assert fetch("tiny") == folder
    assert server.paths == ["/images", "/labels"]
    assert caplog.text == ""


@pytest.mark.usefixtures("tiny")
def test_the_receipt_says_what_was_checked(server: Any, tmp_path: Path) -> None:
    content = receipt(fetch("tiny", tmp_path / "here"))
    assert content["name"] == "tiny"
    assert content["licence"] == "for tests only"
    assert content["revision"] is None
    entry = content["files"][NAMES[0]]
    assert entry["url"] == f"{server.url}/images"
    assert entry["bytes"] == len(PHOTOS)
    assert entry["checksum"] == md5(PHOTOS)
    assert entry["sha256"] == sha256(PHOTOS)
    assert entry["checked"].endswith("Z")


@pytest.mark.usefixtures("tiny")
def test_files_put_there_by_hand_are_checked_and_taken(server: Any, tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).write_bytes(PHOTOS)
    (tmp_path / NAMES[1]).write_bytes(LABELS)
    seen: list[tuple[int, int]] = []
    assert fetch("tiny", tmp_path, progress=lambda *now: seen.append(now)) == tmp_path
    assert server.paths == []
    assert receipt(tmp_path)["files"][NAMES[0]]["sha256"] == sha256(PHOTOS)
    assert seen[-1] == (len(PHOTOS) + len(LABELS),) * 2


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (PHOTOS[:-1], r"has \d+ bytes instead of"),
        (bytes(len(PHOTOS)), "has the MD5"),
        (b"<html><title>Quota exceeded</title>", 'is a web page, "Quota exceeded"'),
        (b"", "has 0 bytes"),
    ],
)
def test_another_file_put_there_by_hand_is_refused_and_kept(
    body: bytes, said: str, server: Any, tmp_path: Path
) -> None:
    (tmp_path / NAMES[0]).write_bytes(body)
    with pytest.raises(DownloadError, match=said) as caught:
        fetch("tiny", tmp_path)
    assert f"{server.url}/images" in caught.value.todo
    assert (tmp_path / NAMES[0]).read_bytes() == body


@pytest.mark.usefixtures("tiny")
def test_a_file_that_changed_since_is_checked_again(server: Any) -> None:
    folder = fetch("tiny")
    file = folder / NAMES[1]
    os.utime(file, ns=(1, 1))
    fetch("tiny")
    assert len(server.paths) == 2
    file.write_bytes(bytes(len(LABELS)))
    with pytest.raises(DownloadError, match="has the MD5"):
        fetch("tiny")
    file.unlink()
    fetch("tiny")
    assert server.paths[2:] == ["/labels"]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"facesmith_download": 1, "name": "tiny"}'])
def test_a_receipt_that_cannot_be_read_means_reading_the_files(content: str, server: Any) -> None:
    folder = fetch("tiny")
    (folder / "download.json").write_text(content)
    fetch("tiny")
    assert len(server.paths) == 2
    assert set(receipt(folder)["files"]) == set(NAMES)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(("key", "value"), [("name", "other"), ("facesmith_download", 0)])
def test_the_receipt_of_another_set_or_version_is_none(key: str, value: object) -> None:
    folder = fetch("tiny")
    content = receipt(folder)
    (folder / "download.json").write_text(json.dumps(content | {key: value}))
    fetch("tiny")
    assert receipt(folder)[key] == content[key]


@pytest.mark.usefixtures("tiny")
def test_what_a_failed_download_had_is_not_asked_for_again(server: Any, patience: Patience) -> None:
    server.answers = [server.says(200, PHOTOS), server.says(404)]
    with pytest.raises(DownloadError, match="404 Not Found") as caught:
        fetch("tiny", patience=patience)
    assert "or take none" in caught.value.todo
    seen: list[tuple[int, int]] = []
    fetch("tiny", progress=lambda *now: seen.append(now))
    assert server.paths == ["/images", "/labels", "/labels"]
    assert seen[0] == (len(PHOTOS) + len(LABELS),) * 2


def test_a_set_that_is_published_anew_is_downloaded_anew(
    server: Any, tiny: Published, change: Callable[..., None]
) -> None:
    folder = fetch("tiny")
    newer = gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, 5) + bytes(5))
    change(files=(tiny.files[0], replace(tiny.files[1], bytes=len(newer), checksum=md5(newer))))
    with pytest.raises(DownloadError, match="instead of"):
        fetch("tiny")
    (folder / NAMES[1]).unlink()
    server.answers = [server.says(200, newer)]
    fetch("tiny")
    assert (folder / NAMES[1]).read_bytes() == newer


def test_a_file_without_a_published_checksum_is_told_so(
    tiny: Published, change: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    change(files=(replace(tiny.files[0], checksum=None), tiny.files[1]))
    folder = fetch("tiny")
    said = [line for line in caplog.messages if "size and transport only" in line]
    assert said == [f"{NAMES[0]}: no checksum is published; size and transport only"]
    entry = receipt(folder)["files"][NAMES[0]]
    assert (entry["checksum"], entry["sha256"]) == (None, sha256(PHOTOS))


@pytest.mark.usefixtures("tiny")
def test_room_for_the_whole_set_is_asked_for_first(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    free = len(PHOTOS) + len(LABELS) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, free))
    with pytest.raises(StorageError, match="left"):
        fetch("tiny", tmp_path)
    assert server.paths == []
    (tmp_path / f"{NAMES[0]}{part.PART}").write_bytes(PHOTOS[:1])  # one byte less to come
    server.answers = [server.file(PHOTOS)]
    fetch("tiny", tmp_path)


def test_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data set 'tinny'"):
        fetch("tinny", tmp_path)


def test_a_folder_that_cannot_be_made(tiny: Published, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written") as caught:
        fetch(tiny.name, tmp_path / "file" / "below")
    assert "XDG_CACHE_HOME" in caught.value.todo


# ---- datasets of Hugging Face


@pytest.fixture
def repository(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two parquet files at commit `one`, later another at commit `two`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    bodies = {"one": {"a": b"PAR1a", "b": b"PAR1b"}, "two": {"c": b"PAR1c"}}
    commits = iter(["one", "two"])

    def answer(request: Any) -> None:
        value: bytes
        match request.path.split("/")[1:]:
            case ["api", "datasets", "who", "faces", "revision", "main"]:
                card = {"license": "mit"}
                value = json.dumps({"sha": next(commits), "cardData": card}).encode()
            case ["api", "datasets", "who", "faces", "tree", tree]:
                files = bodies[tree.partition("?")[0]]
                value = json.dumps(
                    [
                        {
                            "type": "file",
                            "path": f"data/{name}.parquet",
                            "size": len(body),
                            "lfs": {"oid": sha256(body)},
                        }
                        for name, body in files.items()
                    ]
                ).encode()
            case ["datasets", "who", "faces", "resolve", commit, "data", name]:
                value = bodies[commit][name.removesuffix(".parquet")]
            case _:
                request.send_error(404)
                return
        server.says(200, value)(request)

    server.always = answer
    return "hf:who/faces"


def test_a_dataset_of_hugging_face_stays_at_its_commit(
    repository: str, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [server.always, server.always, server.says(404)]
    with pytest.raises(DownloadError, match=r"a\.parquet could not be downloaded"):
        fetch(repository)
    folder = fetch(repository)
    assert folder == tmp_path / "cache/facesmith/downloads/hf-who--faces"
    assert sorted(path.name for path in folder.glob("*.parquet")) == ["a.parquet", "b.parquet"]
    assert (folder / "b.parquet").read_bytes() == b"PAR1b"
    content = receipt(folder)
    assert content["revision"] == "one"
    assert content["licence"].endswith("(its card says: mit)")
    assert content["files"]["b.parquet"]["checksum"] == f"sha256:{sha256(b'PAR1b')}"
    asked = len(server.paths)
    assert {said.get("Authorization") for said in server.headers} == {"Bearer secret"}
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch(repository) == folder
    assert len(server.paths) == asked


def test_a_wrong_file_of_hugging_face_is_noticed(repository: str, server: Any) -> None:
    server.answers = [server.always, server.always, server.says(200, b"PAR1x")]
    with pytest.raises(DownloadError, match="has the SHA256"):
        fetch(repository)


# ---- the hook for --data


@pytest.mark.usefixtures("tiny")
def test_a_name_opens_as_a_source(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    found = open_source("tiny", resolution=8)
    assert len(found.entries) == 5
    assert found.label_names == ("label",)
    assert "for tests only" in caplog.text
    again = open_source("tiny", resolution=8)
    assert again.fingerprint() == found.fingerprint()
    assert len(server.paths) == 2


@pytest.mark.usefixtures("tiny")
def test_a_path_of_that_name_comes_first(server: Any, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "photo.jpg").write_bytes(b"mine")
    assert [entry.name for entry in open_source("tiny", resolution=8).entries] == ["photo.jpg"]
    assert server.paths == []


def test_what_is_no_path_may_have_been_meant_as_a_name() -> None:
    with pytest.raises(DataError, match="written hf:nielsr/CelebA-faces"):
        open_source("nielsr/CelebA-faces", resolution=8)
    with pytest.raises(DataError, match="did you mean 'celeba'"):
        open_source("CelebAs", resolution=8)


def test_the_photos_are_the_archive_where_there_are_lists_beside_it(
    tiny: Published, change: Callable[..., None]
) -> None:
    change(photos=NAMES[0])
    assert fetch_photos("tiny") == fetch("tiny") / NAMES[0]
    change(photos="")
    assert fetch_photos("tiny") == fetch("tiny")


def test_progress_in_the_log_is_ten_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tenths = fetching._Tenths("tiny")
    for done in range(0, 1001):
        tenths.show(done * 10**6, 1000 * 10**6)
    tenths.show(7, 0)
    assert len(caplog.messages) == 10
    assert caplog.messages[0] == "tiny: 100 of 1000 MB"
    assert caplog.messages[-1] == "tiny: 1000 of 1000 MB"


# ---- the detector


def test_the_detector_is_fetched_once_and_found(
    server: Any, tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"onnx"
    file = File("yunet.onnx", (f"{server.url}/y",), len(body), f"sha256:{sha256(body)}")
    for module in (fetching, detection):
        monkeypatch.setattr(module, "DETECTOR", file)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert detection.default_model() is None
    server.answers = [server.says(404), server.says(200, body)]
    with pytest.raises(DownloadError):
        fetch_detector(patience=patience)
    seen: list[tuple[int, int]] = []
    path = fetch_detector(lambda *now: seen.append(now))
    assert path == tmp_path / "facesmith/models/yunet.onnx"
    assert seen == [(4, 4)]
    assert fetch_detector() == detection.default_model() == path
    assert len(server.paths) == 2
    path.write_bytes(b"ONNX")
    with pytest.raises(DownloadError, match="has the SHA256"):
        fetch_detector()
