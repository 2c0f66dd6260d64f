"""facesmith download, from a server on this machine."""

from __future__ import annotations

import functools
import http.server
import io
import json
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesmith import cli
from facesmith.cli.download import counter
from facesmith.data.downloads.catalogue import CATALOGUE, File, Published

IMAGES = struct.pack(">4B3I", 0, 0, 8, 3, 20, 28, 28) + bytes(range(245)) * 64
NAME = "train-images-idx3-ubyte"


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data set `digits` in the catalogue, its server's folder, and an empty cache."""
    web = tmp_path / "web"
    web.mkdir()
    (web / NAME).write_bytes(IMAGES)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    address = ("127.0.0.1", 0)
    with http.server.ThreadingHTTPServer(
        address, functools.partial(Handler, directory=str(web))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        file = File(NAME, (f"http://127.0.0.1:{server.server_port}/{NAME}",), len(IMAGES))
        published = Published(
            name="digits",
            title="Digits",
            what="20 pictures",
            licence="for tests only",
            homepage="https://example.org",
            files=(file,),
        )
        monkeypatch.setitem(CATALOGUE, "digits", published)
        yield web
        server.shutdown()
        thread.join()


def test_the_catalogue_is_listed_with_its_terms(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.run(["download"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert all(name in shown for name in CATALOGUE)
    assert "non-commercial" in shown
    assert "1,489" in shown
    assert shown.splitlines()[-1].startswith("next: facesmith download ")
    assert cli.run(["download", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(CATALOGUE)
    assert rows["celeba"]["bytes"] == 1_488_628_763
    assert "research" in rows["celeba"]["licence"]


def test_a_set_is_fetched_and_the_next_command_trains_on_it(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["download", "digits"]) == 0
    shown = capsys.readouterr()
    assert "Digits: for tests only" in shown.err
    folder = tmp_path / "cache/facesmith/downloads/digits"
    assert str(folder) in shown.out
    assert shown.out.splitlines()[-1] == "next: facesmith train mlp --data digits"
    (digits / NAME).unlink()
    assert cli.run(["download", "digits", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(folder)
    assert found["licence"] == "for tests only"
    words = ["prepare", "digits", "--out", "out", "--resolution", "28", "--channels", "1"]
    assert cli.run([*words, "--workers", "1"]) == 0
    assert "20 " in capsys.readouterr().out


def test_a_folder_of_ones_own_is_named_in_the_next_command(
    digits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["download", "digits", "--folder", "my digits"]) == 0
    assert (Path("my digits") / NAME).read_bytes() == IMAGES
    assert "--data 'my digits'" in capsys.readouterr().out.splitlines()[-1]


def test_a_failure_leaves_with_seven_and_the_way_by_hand(
    digits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (digits / NAME).unlink()
    assert cli.run(["download", "digits"]) == 7
    shown = capsys.readouterr().err
    assert "404" in shown
    assert f"/{NAME} in a browser, save the file as" in shown
    assert cli.run(["train", "face", "--data", "digits"]) == 7
    assert cli.run(["download", "digit"]) == 2
    assert "did you mean 'digits'?" in capsys.readouterr().err


def test_an_interrupted_download_says_how_to_continue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("facesmith.cli.download.fetch", stop)
    assert cli.run(["download", "lfw"]) == 130
    assert "the same command continues: facesmith download lfw" in capsys.readouterr().err


def test_the_detector_has_a_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "yunet.onnx"
    monkeypatch.setattr("facesmith.cli.download.fetch_detector", lambda progress: path)
    assert cli.run(["download", "yunet"]) == 0
    assert str(path) in capsys.readouterr().out
    assert cli.run(["download", "yunet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(path)


def test_the_counter_draws_one_line_and_only_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        terminal = True

        def isatty(self) -> bool:
            return self.terminal

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    show = counter("lfw")
    for done in (0, 10, 1_000_000, 1_999_999, 180_000_000):
        show(done, 180_000_000)
    assert screen.getvalue() == (
        "downloading lfw: 0 / 180 MB\rdownloading lfw: 1 / 180 MB\rdownloading lfw: 180 / 180 MB\n"
    )
    counter("x")(5_000_000, 0)
    assert screen.getvalue().endswith("downloading x: 5 MB\r")
    screen.terminal, before = False, screen.getvalue()
    counter("x")(5, 5)
    assert screen.getvalue() == before
