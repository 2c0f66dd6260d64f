"""One file from a server on this machine that is slow, busy, forgetful, wrong or gone."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from facesmith.base.errors import DownloadError, StorageError
from facesmith.data.downloads.catalogue import File
from facesmith.data.downloads.download import download
from facesmith.data.downloads.part import BLOCK
from facesmith.data.downloads.transport import (
    PassingError,
    Patience,
    RefusedError,
    is_page,
    unreached,
)

BODY = random.Random(0).randbytes(3000)
OTHER = random.Random(1).randbytes(3000)
PAGE = b"\n<!DOCTYPE html><html><head><title>Google Drive -\n Quota exceeded</title></head></html>"
ETAG = '"one"'


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def file(server: Any) -> File:
    return File("photos.zip", (f"{server.url}/photos",), len(BODY), sha256(BODY))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- what goes well


def test_a_file_arrives_under_its_name_and_alone(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.file(BODY)]
    path = download(file, tmp_path, patience=patience)
    assert path == tmp_path / "photos.zip"
    assert path.read_bytes() == BODY
    assert names(tmp_path) == ["photos.zip"]
    assert server.paths == ["/photos"]
    assert server.headers[0]["User-Agent"].startswith("facesmith/")
    assert server.headers[0]["Accept-Encoding"] == "identity"
    assert "Range" not in server.headers[0]


def test_progress_rises_to_the_whole(server: Any, tmp_path: Path, patience: Patience) -> None:
    body = bytes(3 * BLOCK)
    seen: list[tuple[int, int]] = []
    file = File("zeros", (server.url,), None, sha256(body))
    server.answers = [server.file(body)]
    download(file, tmp_path, patience=patience, progress=lambda *now: seen.append(now))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert len(seen) >= 3
    assert seen[-1] == (len(body), len(body))


@pytest.mark.parametrize(
    ("size", "checksum"),
    [
        (len(BODY), None),
        (None, f"md5:{hashlib.md5(BODY).hexdigest()}"),
        (None, sha256(BODY)),
        (None, None),
    ],
)
def test_what_is_not_published_is_not_checked(
    size: int | None, checksum: str | None, server: Any, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.file(BODY)]
    path = download(File("x", (server.url,), size, checksum), tmp_path, patience=patience)
    assert path.read_bytes() == BODY


def test_chunks_need_no_length(server: Any, tmp_path: Path, patience: Patience) -> None:
    def chunks(end: bytes) -> Any:
        def answer(request: http.server.BaseHTTPRequestHandler) -> None:
            request.protocol_version = "HTTP/1.1"
            request.send_response(200)
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.write(b"%x\r\n%s\r\n" % (len(BODY), BODY) + end)
            request.close_connection = True

        return answer

    file = File("x", (server.url,))
    server.answers = [chunks(b""), chunks(b"0\r\n\r\n")]  # the first never ends
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert len(server.paths) == 2


# ---- servers that are busy, or gone for a while


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {}, 1.0),
        (429, {"Retry_After": "7"}, 7.0),
        (429, {"Retry_After": "Mon, 12 Jan 1970 13:46:45 GMT"}, 5.0),  # 1,000,005 s
        (429, {"Retry_After": "Mon, 12 Jan 1970 13:00:00 GMT"}, 0.0),
        (429, {"Retry_After": "86400"}, 120.0),
        (429, {"Retry_After": "soon"}, 1.0),
        (500, {}, 1.0),
        (503, {"Retry_After": "3"}, 3.0),
        (408, {}, 1.0),
    ],
)
def test_a_busy_server_is_asked_again_after_a_while(
    status: int,
    headers: dict[str, str],
    expected: float,
    server: Any,
    file: File,
    tmp_path: Path,
    patience: Patience,
    waits: list[float],
) -> None:
    server.answers = [server.says(status, **headers), server.file(BODY)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert waits == [expected]


def test_patience_ends_and_waits_grow(
    server: Any, file: File, tmp_path: Path, waits: list[float], patience: Patience
) -> None:
    server.always = server.says(503)
    with pytest.raises(DownloadError, match=r"503 Service Unavailable, 9 times in a row"):
        download(file, tmp_path, patience=replace(patience, tries=9))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 120]
    assert len(server.paths) == 9
    assert names(tmp_path) == []


def test_a_server_that_hangs_up_at_once(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.hangs_up, server.hangs_up, server.file(BODY)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    server.always = server.hangs_up
    with pytest.raises(DownloadError, match="closed connection without response, 3 times"):
        download(replace(file, name="y"), tmp_path, patience=patience)


def test_a_silent_server(server: Any, file: File, tmp_path: Path, patience: Patience) -> None:
    # Two seconds: on a busy machine even loopback may take a while, and this is about silence.
    server.answers = [
        server.file(BODY, stop=0, stall=True),
        server.file(BODY, etag=ETAG, stop=1000, stall=True),
    ]
    server.always = server.file(BODY, etag=ETAG)
    path = download(file, tmp_path, patience=replace(patience, silence=2, tries=20))
    assert path.read_bytes() == BODY
    assert [asked.get("Range") for asked in server.headers[:3]] == [None, None, "bytes=1000-"]
    server.always = server.file(BODY, stop=0, stall=True)
    with pytest.raises(DownloadError, match="was silent for too long, 3 times in a row"):
        download(replace(file, name="y"), tmp_path, patience=replace(patience, silence=0.05))


def test_no_network(tmp_path: Path, patience: Patience, waits: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(DownloadError) as caught:
            download(File("x", (url,)), tmp_path, patience=patience)
    assert "Connection refused, 3 times in a row" in caught.value.given
    assert f"open {url} in a browser" in caught.value.todo
    assert str(tmp_path / "x") in caught.value.todo
    assert caught.value.exit_code == 7
    assert waits == [1, 2]


# ---- connections that break


def test_a_broken_connection_costs_nothing_that_has_come(
    server: Any, file: File, tmp_path: Path, patience: Patience, waits: list[float]
) -> None:
    # Ten times in all, but never three times without anything new.
    server.always = server.file(BODY, etag=ETAG, stop=300)
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert [asked.get("Range") for asked in server.headers] == [
        None,
        *(f"bytes={done}-" for done in range(300, 3000, 300)),
    ]
    assert {asked.get("If-Range") for asked in server.headers[1:]} == {ETAG}
    assert waits == [1.0] * 9
    assert names(tmp_path) == ["photos.zip"]


def test_without_a_state_of_the_file_its_checksum_stands_for_both_halves(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.file(BODY, stop=1000), server.file(BODY)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[1]["Range"] == "bytes=1000-"
    assert "If-Range" not in server.headers[1]


@pytest.mark.parametrize("first", [{}, {"etag": 'W/"weak"'}])
def test_with_neither_it_begins_anew(
    first: dict[str, str], server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.file(OTHER, stop=1000, **first), server.file(BODY)]
    path = download(replace(file, checksum=None), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert "Range" not in server.headers[1]


def test_a_date_stands_for_the_state_of_a_file(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    date = "Mon, 12 Jan 1970 13:46:40 GMT"
    server.answers = [
        server.file(BODY, stop=1000, etag='W/"weak"', Last_Modified=date),
        server.file(BODY, etag=date),
    ]
    path = download(replace(file, checksum=None), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert server.headers[1]["If-Range"] == date
    assert server.headers[1]["Range"] == "bytes=1000-"


@pytest.mark.parametrize("etag", [ETAG, ""])
def test_a_server_that_knows_no_ranges_sends_all_again(
    etag: str, server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [
        server.file(BODY, etag=etag, stop=1000),
        server.file(BODY, etag=etag, ranges=False),
    ]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[1]["Range"] == "bytes=1000-"


def test_a_file_that_changes_in_between_is_no_mixture(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [
        server.file(OTHER, etag=ETAG, stop=1000),
        server.file(BODY, etag='"two"', stop=500),
        server.file(BODY, etag='"two"'),
    ]
    path = download(replace(file, checksum=None), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert server.headers[1]["If-Range"] == ETAG
    assert server.headers[2]["If-Range"] == '"two"'
    assert server.headers[2]["Range"] == "bytes=500-"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Range": "bytes 999-2999/3000", "ETag": ETAG},
        {"Content_Range": "bytes 1000-2999/3000", "ETag": '"two"'},
        {"Content_Range": "parts 1000", "ETag": ETAG},
        {"ETag": ETAG},
    ],
)
def test_another_part_than_was_asked_for_is_not_appended(
    headers: dict[str, str], server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [
        server.file(BODY, etag=ETAG, stop=1000),
        server.says(206, OTHER[1000:], **headers),
        server.file(BODY, etag=ETAG),
    ]
    path = download(replace(file, checksum=None), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert "Range" not in server.headers[2]


def test_a_server_that_starts_over_and_over_is_left(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.always = server.file(BODY, ranges=False, stop=1000)
    with pytest.raises(DownloadError, match="hung up after 1,000 of 3,000 bytes, 3 times"):
        download(file, tmp_path, patience=patience)
    assert len(server.paths) == 3


@pytest.mark.parametrize("stops", [[1000, 500, 1000, 500, 1000], [300, 600, 900, 950, 990]])
def test_coming_as_far_as_before_is_nothing_new(
    stops: list[int], server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY[:1000])
    server.answers = [server.file(BODY, ranges=False, stop=stop) for stop in stops]
    with pytest.raises(DownloadError, match="3 times in a row"):
        download(file, tmp_path, patience=patience)
    assert len(server.paths) == 3


def test_an_answer_without_a_byte_costs_nothing(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY[:1000])
    server.answers = [server.file(BODY, ranges=False, stop=0), server.file(BODY)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[1]["Range"] == "bytes=1000-"


# ---- parts that an earlier process left


def test_a_part_is_continued_by_the_next_command(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY[:1234])
    (tmp_path / "photos.zip.part.etag").write_text(ETAG)
    server.answers = [server.file(BODY, etag=ETAG)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[0]["Range"] == "bytes=1234-"
    assert server.headers[0]["If-Range"] == ETAG
    assert names(tmp_path) == ["photos.zip"]


def test_a_whole_part_needs_no_server(file: File, tmp_path: Path, patience: Patience) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY)
    gone = replace(file, urls=("http://127.0.0.1:1/",))
    assert download(gone, tmp_path, patience=patience).read_bytes() == BODY


def test_a_whole_part_of_unknown_length_is_told_by_the_server(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY)
    server.answers = [server.file(BODY)]
    path = download(replace(file, bytes=None), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert server.headers[0]["Range"] == "bytes=3000-"


@pytest.mark.parametrize("size", [None, 3000])
def test_a_part_longer_than_the_file_is_dropped(
    size: int | None, server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(OTHER + OTHER)
    server.always = server.file(BODY)
    path = download(replace(file, bytes=size), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert "Range" not in server.headers[-1]
    assert len(server.paths) == (2 if size is None else 1)


def test_a_part_that_does_not_fit_is_told_by_the_checksum_and_does_not_come_back(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(OTHER[:1000])
    server.always = server.file(BODY)
    with pytest.raises(DownloadError, match="has the SHA256"):
        download(file, tmp_path, patience=patience)
    assert names(tmp_path) == []
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY


CHILD = """
import sys
from pathlib import Path
from facesmith.data.downloads.catalogue import File
from facesmith.data.downloads.download import download
url, checksum, folder = sys.argv[1:]
file = File("photos.zip", (url,), 3000, checksum)
download(file, Path(folder), progress=lambda done, total: print(done, flush=True))
"""


def test_two_processes_do_not_meet_and_a_killed_one_is_continued(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [
        server.file(BODY, etag=ETAG, stop=1000, stall=True),
        server.file(BODY, etag=ETAG),
    ]
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), *file.urls, str(file.checksum), tmp_path],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "1000\n"
        with pytest.raises(StorageError, match="Another process is downloading") as caught:
            download(file, tmp_path, patience=patience)
        assert "same command again" in caught.value.todo
        assert len(server.paths) == 1
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert names(tmp_path) == ["photos.zip.part", "photos.zip.part.etag"]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[1]["Range"] == "bytes=1000-"
    assert server.headers[1]["If-Range"] == ETAG


def test_a_part_that_got_its_name_while_one_waited_is_not_written_to(
    server: Any, file: File, tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    take = fcntl.flock

    def renamed_first(stream: Any, how: int) -> None:
        (tmp_path / "photos.zip.part").replace(tmp_path / "photos.zip")
        take(stream, how)

    (tmp_path / "photos.zip.part").write_bytes(BODY)
    monkeypatch.setattr("fcntl.flock", renamed_first)
    with pytest.raises(StorageError, match="Another process"):
        download(file, tmp_path, patience=patience)
    assert (tmp_path / "photos.zip").read_bytes() == BODY


def test_systems_without_locks_download_as_well(
    server: Any, file: File, tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facesmith.data.downloads.part.fcntl", None)
    server.answers = [server.says(404), server.file(BODY)]
    with pytest.raises(DownloadError):
        download(file, tmp_path, patience=patience)
    assert names(tmp_path) == []
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert names(tmp_path) == ["photos.zip"]


# ---- answers that are something else


@pytest.mark.parametrize("kind", ["text/html", "application/zip"])
def test_a_web_page_for_a_zip(
    kind: str, server: Any, file: File, tmp_path: Path, patience: Patience, waits: list[float]
) -> None:
    server.answers = [server.says(200, PAGE, Content_Type=kind)]
    with pytest.raises(DownloadError) as caught:
        download(file, tmp_path, patience=patience, instead="take the moon")
    assert 'sent a web page, "Google Drive - Quota exceeded"' in caught.value.given
    assert "3,000 bytes" in caught.value.needed
    assert "save the file as" in caught.value.todo
    assert "or take the moon" in caught.value.todo
    assert names(tmp_path) == []
    assert waits == []


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (b"<!DOCTYPE html>", True),
        (b"\xef\xbb\xbf\n <HTML lang=en>", True),
        (b"<!-- busy --><html>", True),
        (b"<head>", True),
        (b"PK\3\4<html>", False),
        (b"<?xml version='1.0'?><svg>", False),
        (b"", False),
    ],
)
def test_what_a_web_page_begins_with(beginning: bytes, expected: bool) -> None:
    assert is_page(beginning) is expected


def test_a_web_page_in_the_middle_keeps_the_part(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.file(BODY, etag=ETAG, stop=1000), server.says(200, PAGE)]
    with pytest.raises(DownloadError, match="web page"):
        download(file, tmp_path, patience=patience)
    server.answers = [server.file(BODY, etag=ETAG)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[-1]["Range"] == "bytes=1000-"


def test_a_web_page_that_comes_in_drops_is_told_at_the_end(
    server: Any, tmp_path: Path, patience: Patience
) -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(PAGE)))
        request.end_headers()
        for byte in PAGE:
            request.wfile.write(bytes([byte]))

    server.answers = [answer]
    with pytest.raises(DownloadError, match="web page"):
        download(File("x", (server.url,)), tmp_path, patience=patience)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "401 Unauthorized"),
        (403, '403 Forbidden, "Google Drive - Quota exceeded"'),
        (404, "404 Not Found"),
        (410, "410 Gone"),
        (202, "202 Accepted without the file"),
        (204, "204 No Content without the file"),
        (302, "redirects in a circle or to nowhere"),
    ],
)
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    status: int,
    said: str,
    server: Any,
    file: File,
    tmp_path: Path,
    patience: Patience,
    waits: list[float],
) -> None:
    server.answers = [server.says(status, PAGE if status == 403 else b"")]
    with pytest.raises(DownloadError) as caught:
        download(file, tmp_path, patience=patience)
    assert said in caught.value.given
    assert server.url.removeprefix("http://") in caught.value.given
    assert (len(server.paths), waits, names(tmp_path)) == (1, [], [])


def test_another_length_is_refused_before_it_is_taken(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.answers = [server.file(BODY + b"!")]
    with pytest.raises(DownloadError, match="sends 3,001 bytes, instead of 3,000"):
        download(file, tmp_path, patience=patience)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY + bytes(10 * BLOCK), r"has \S+ bytes instead of 3,000"),
        (BODY[:-1], "hung up after 2,999 of 3,000 bytes, 3 times"),
        (OTHER, "has the SHA256"),
        (b"", "hung up after 0 of 3,000"),
    ],
)
def test_a_length_that_is_not_told_is_noticed_in_the_end(
    body: bytes, said: str, server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(body)

    server.always = answer
    with pytest.raises(DownloadError, match=said):
        download(file, tmp_path, patience=patience)
    assert not (tmp_path / "photos.zip").exists()
    part = tmp_path / "photos.zip.part"
    assert not part.exists() or part.stat().st_size <= len(BODY)


def test_an_answer_without_an_end_is_left(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    sent = 0

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        request.end_headers()
        while sent < 100:
            request.wfile.write(bytes(BLOCK))
            sent += 1

    server.answers = [answer]
    with pytest.raises(DownloadError, match=r"has \S+ bytes instead of 3,000"):
        download(file, tmp_path, patience=patience)
    assert sent < 100


def test_with_nothing_to_check_against_a_length_is_needed(
    server: Any, tmp_path: Path, patience: Patience
) -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(BODY)

    server.answers = [answer, server.file(b"")]
    with pytest.raises(DownloadError, match="does not say how long the file is"):
        download(File("x", (server.url,)), tmp_path, patience=patience)
    with pytest.raises(DownloadError, match="has 0 bytes"):
        download(File("x", (server.url,)), tmp_path, patience=patience)
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_wrong_checksum_leaves_nothing(
    kind: str, server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    right, wrong = (hashlib.new(kind, body).hexdigest() for body in (BODY, OTHER))
    server.answers = [server.file(OTHER)]
    with pytest.raises(DownloadError, match=f"{kind.upper()} {wrong} instead of {right}"):
        download(replace(file, checksum=f"{kind}:{right}"), tmp_path, patience=patience)
    assert names(tmp_path) == []


def test_the_next_address_is_asked_and_all_answers_are_told(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    three = replace(file, urls=tuple(f"{server.url}/{n}" for n in "abc"))
    server.answers = [server.says(404), server.file(OTHER), server.file(BODY)]
    assert download(three, tmp_path, patience=patience).read_bytes() == BODY
    assert server.paths == ["/a", "/b", "/c"]
    server.answers = [server.says(404), server.file(OTHER), server.says(403)]
    with pytest.raises(
        DownloadError, match=r"404 Not Found; what \S+ sent has .*; \S+ answered 403"
    ):
        download(replace(three, name="y"), tmp_path, patience=patience)


# ---- redirects and encodings


def test_a_redirect_is_followed_with_its_range(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY[:10])
    server.answers = [server.says(302, Location="/there?signed=1"), server.file(BODY)]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.paths == ["/photos", "/there?signed=1"]
    assert server.headers[1]["Range"] == "bytes=10-"


def test_a_circle_of_redirects_ends(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.always = server.says(302, Location="/photos")
    with pytest.raises(DownloadError, match="redirects in a circle"):
        download(file, tmp_path, patience=patience)
    assert len(server.paths) < 20


def test_a_token_is_shown_to_no_other_host(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    token = {"Authorization": "Bearer secret"}
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.answers = [
        server.says(307, Location="/same"),
        server.says(307, Location=f"{elsewhere}/other"),
        server.file(BODY),
    ]
    download(file, tmp_path, headers=token, patience=patience)
    shown = [asked.get("Authorization") for asked in server.headers]
    assert shown == ["Bearer secret", "Bearer secret", None]


def test_what_is_packed_on_the_way_is_not_taken_for_the_file(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    packed = server.file(gzip.compress(BODY), Content_Encoding="gzip")
    server.answers = [packed]
    with pytest.raises(DownloadError, match="packed with gzip on the way"):
        download(file, tmp_path, patience=patience)
    server.answers = [packed]
    with pytest.raises(DownloadError, match="packed with gzip on the way"):
        download(replace(file, bytes=None, checksum=None), tmp_path, patience=patience)
    server.answers = [packed]
    with pytest.raises(DownloadError, match="has the SHA256"):
        download(replace(file, bytes=None), tmp_path, patience=patience)
    assert names(tmp_path) == []


def test_a_gzip_file_that_calls_itself_packed_is_the_file(
    server: Any, tmp_path: Path, patience: Patience
) -> None:
    body = gzip.compress(BODY)
    file = File("idx.gz", (server.url,), len(body), sha256(body))
    server.answers = [server.file(body, Content_Encoding="x-gzip")]
    assert download(file, tmp_path, patience=patience).read_bytes() == body


def test_a_certificate_that_is_not_trusted_is_no_passing_failure() -> None:
    wrong = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    refused = unreached("https://here/x", URLError(wrong))
    assert isinstance(refused, RefusedError)
    assert "self-signed" in str(refused)
    broken = unreached("https://here/x", ssl.SSLEOFError(8, "EOF occurred"))
    assert isinstance(broken, PassingError)
    assert str(broken) == "the connection to here failed: EOF occurred"


# ---- disks


def test_a_disk_without_room_is_told_before_it_is_full(
    server: Any, file: File, tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos.zip.part").write_bytes(BODY[:1000])
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9999, 8000, 1999))
    server.always = server.file(BODY)
    with pytest.raises(StorageError, match="0 MB left"):
        download(file, tmp_path, patience=patience)
    assert (tmp_path / "photos.zip.part").stat().st_size == 1000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9999, 7999, 2000))
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY


def test_a_disk_that_fills_up_keeps_what_has_come(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    server.always = server.file(BODY, etag=ETAG)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        with pytest.raises(StorageError, match="filled up") as caught:
            download(file, tmp_path, patience=patience)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "continues" in caught.value.todo
    assert not (tmp_path / "photos.zip").exists()
    kept = (tmp_path / "photos.zip.part").read_bytes()
    assert kept == BODY[:1500]
    assert download(file, tmp_path, patience=patience).read_bytes() == BODY
    assert server.headers[1]["Range"] == "bytes=1500-"


def test_a_folder_that_cannot_be_written(
    server: Any, file: File, tmp_path: Path, patience: Patience
) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        download(file, tmp_path / "nowhere", patience=patience)
    assert server.paths == []


def test_the_name_comes_after_the_disk_holds_the_bytes(
    server: Any, file: File, tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        fsync(descriptor)

    def replace_(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace_)
    server.answers = [server.file(BODY)]
    download(file, tmp_path, patience=patience)
    assert done == ["file", "rename", "folder"]
