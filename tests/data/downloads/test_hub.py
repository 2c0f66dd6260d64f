"""Datasets of Hugging Face, listed by a server on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from facesmith.base.errors import DataError, DownloadError, UsageError
from facesmith.data.downloads import hub
from facesmith.data.downloads.catalogue import Published, find_by_name
from facesmith.data.downloads.transport import Patience

COMMIT = "c0ffee" * 6 + "cafe"
SHA256 = "ab" * 32
FACES = find_by_name("hf:someone/faces")


@pytest.fixture(autouse=True)
def here(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def path(name: str, size: int = 7, sha256: str | None = SHA256) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": name, "size": size, "oid": "1" * 40}
    return entry | ({"lfs": {"oid": sha256, "size": size, "pointerSize": 134}} if sha256 else {})


def says(server: Any, value: Any, **headers: str) -> Any:
    return server.says(200, json.dumps(value).encode(), **headers)


def about(server: Any, **card: Any) -> Any:
    return says(server, {"sha": COMMIT, "cardData": card})


def test_the_files_of_the_commit_that_main_names_now(server: Any, patience: Patience) -> None:
    tree = [
        {"type": "directory", "path": "data"},
        path("README.md", sha256=None),
        path("data/train-00000-of-00002 b.parquet", 5),
        path("data/train-00001-of-00002.parquet", 6, None),
        path("other/x.parquet"),
    ]
    server.answers = [about(server, license="mit"), says(server, tree)]
    listing = hub.listing(FACES, patience)
    assert server.paths == [
        "/api/datasets/someone/faces/revision/main",
        f"/api/datasets/someone/faces/tree/{COMMIT}?recursive=true",
    ]
    assert (listing.revision, listing.licence) == (COMMIT, "mit")
    first, second = listing.files
    resolve = f"{server.url}/datasets/someone/faces/resolve/{COMMIT}/data"
    assert first.name == "train-00000-of-00002-b.parquet"
    assert first.urls == (f"{resolve}/train-00000-of-00002%20b.parquet",)
    assert (first.bytes, first.checksum) == (5, f"sha256:{SHA256}")
    assert "/blob/" in first.page
    assert (second.bytes, second.checksum) == (6, None)


def test_a_revision_is_asked_for_as_one_word(server: Any, patience: Patience) -> None:
    server.answers = [about(server), says(server, [path("x.parquet")])]
    hub.listing(replace(FACES, revision="refs/pr/1"), patience)
    assert server.paths[0].endswith("/revision/refs%2Fpr%2F1")


def test_pages_are_followed_to_the_end_and_not_in_circles(server: Any, patience: Patience) -> None:
    def next_page(cursor: str) -> str:
        return f'<{server.url}/api/datasets/someone/faces/tree/x?cursor={cursor}>; rel="next"'

    server.answers = [
        about(server),
        says(server, [path("data/a.parquet")], Link=next_page("2")),
        says(server, [path("data/b.parquet")], Link=next_page("3")),
        says(server, [path("data/c.parquet")], Link=next_page("2")),
    ]
    listing = hub.listing(FACES, patience)
    assert [file.name for file in listing.files] == ["a.parquet", "b.parquet", "c.parquet"]
    assert [asked.rpartition("?")[2] for asked in server.paths[2:]] == ["cursor=2", "cursor=3"]


def test_a_token_is_shown_to_hugging_face_alone(
    server: Any, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret\n")
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.answers = [
        about(server),
        says(server, [path("a.parquet")], Link=f'<{elsewhere}/more>; rel="next"'),
        says(server, []),
    ]
    hub.listing(FACES, patience)
    shown = [asked.get("Authorization") for asked in server.headers]
    assert shown == ["Bearer hf_secret", "Bearer hf_secret", None]
    assert hub.headers(f"{server.url}/x") == {"Authorization": "Bearer hf_secret"}
    assert hub.headers("https://cdn.example/x") == {}
    monkeypatch.delenv("HF_TOKEN")
    assert hub.headers(f"{server.url}/x") == {}


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_offline_asks_nobody(
    word: str, server: Any, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", word)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE forbids"):
        hub.listing(FACES, patience)
    assert server.paths == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    server.answers = [about(server), says(server, [path("x.parquet")])]
    assert len(hub.listing(FACES, patience).files) == 1


def test_all_parquet_files_where_there_is_no_data_folder(server: Any, patience: Patience) -> None:
    server.answers = [about(server), says(server, [path("b/x.parquet"), path("a/x.parquet")])]
    names = [file.name for file in hub.listing(FACES, patience).files]
    assert names == ["b-x.parquet", "a-x.parquet"]


def test_no_name_of_a_list_leaves_the_folder(server: Any, patience: Patience) -> None:
    server.answers = [about(server), says(server, [path("data/../../..\\x:/é.parquet")])]
    (file,) = hub.listing(FACES, patience).files
    assert file.name == "..-..-..-x--é.parquet"


def test_a_dataset_of_another_form_is_taken_as_hugging_face_converted_it(
    server: Any, patience: Patience, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [
        about(server, license=["cc-by-4.0", "mit"]),
        says(server, [path("faces.py", sha256=None)]),
        says(server, {"sha": "f" * 40}),
        says(server, [path("default/partial-train/0000.parquet")]),
    ]
    listing = hub.listing(FACES, patience)
    assert server.paths[2].endswith("/revision/refs%2Fconvert%2Fparquet")
    assert listing.revision == "f" * 40
    assert listing.licence == "cc-by-4.0, mit"
    assert [file.name for file in listing.files] == ["default-partial-train-0000.parquet"]
    assert f"/resolve/{'f' * 40}/default/partial-train/" in listing.files[0].urls[0]
    assert "only the beginning of someone/faces" in caplog.text


@pytest.mark.parametrize("converted", [404, 200])
def test_a_dataset_without_parquet_is_told_by_what_it_holds(
    converted: int, server: Any, patience: Patience
) -> None:
    tree = [path("a.jpg"), path("b.jpg"), path("LICENSE"), path("README.md")]
    server.answers = [about(server), says(server, tree)]
    server.answers += [server.says(404)] if converted == 404 else [about(server), says(server, [])]
    with pytest.raises(DataError, match=r"it holds 2 \.jpg, 1 LICENSE, 1 \.md") as caught:
        hub.listing(FACES, patience)
    assert FACES.homepage in caught.value.todo


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"{}", "401 Unauthorized"),
        (403, b"{}", "403 Forbidden"),
        (404, b"{}", "404 Not Found"),
        (200, b"<!doctype html><title>Log in</title>", "a web page that is no JSON"),
        (200, b"{", "something that is no JSON"),
        (200, b"[]", "names no commit"),
        (200, b'{"sha": 3}', "names no commit"),
    ],
)
def test_a_dataset_that_is_not_shown(
    status: int, body: bytes, said: str, server: Any, patience: Patience
) -> None:
    server.answers = [server.says(status, body)]
    with pytest.raises(DownloadError, match="does not show the dataset someone/faces") as caught:
        hub.listing(FACES, patience)
    assert said in caught.value.given
    assert "HF_TOKEN" in caught.value.todo


def test_a_list_that_is_none_and_a_busy_hub(
    server: Any, patience: Patience, waits: list[float]
) -> None:
    server.answers = [server.says(429, Retry_After="9"), about(server), says(server, {"x": 1})]
    with pytest.raises(DownloadError, match="its list of files is none"):
        hub.listing(FACES, patience)
    assert waits == [9.0]
    odd = ["x", {"type": "file"}, {"type": "file", "path": 3}]
    strange = path("a.parquet") | {"size": "7", "lfs": {"oid": "not hexadecimal"}}
    server.answers = [about(server), says(server, [*odd, strange])]
    (file,) = hub.listing(FACES, patience).files
    assert (file.bytes, file.checksum) == (None, None)


def test_an_answer_that_is_cut_is_asked_for_again(server: Any, patience: Patience) -> None:
    whole = json.dumps({"sha": COMMIT}).encode()
    server.answers = [server.file(whole, stop=5), about(server), says(server, [path("x.parquet")])]
    assert hub.listing(FACES, patience).revision == COMMIT


def test_an_endpoint_that_is_no_address(
    patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "huggingface.co")
    with pytest.raises(UsageError, match="HF_ENDPOINT is set to"):
        hub.listing(FACES, patience)


def test_the_licence_that_others_gave_a_name(server: Any, patience: Patience) -> None:
    server.answers = [
        about(server, license="other", license_name="celeba-agreement"),
        says(server, [path("x.parquet")]),
    ]
    assert hub.listing(FACES, patience).licence == "celeba-agreement"


def test_the_copies_of_the_catalogue_are_listed_the_same_way(
    server: Any, patience: Patience
) -> None:
    celeba: Published = find_by_name("celeba-hf")
    server.answers = [about(server), says(server, [path("data/x.parquet")])]
    hub.listing(celeba, patience)
    assert server.paths[0] == "/api/datasets/nielsr/CelebA-faces/revision/main"
