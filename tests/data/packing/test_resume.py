"""Killed at any point, a run that is repeated gives the bytes of one that never stopped."""

from __future__ import annotations

import errno
import functools
import importlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from facesmith.base.errors import StorageError, UsageError
from facesmith.data import prepare as prepare_photos
from facesmith.data.packing import files, pack

Photos = Callable[..., Path]
# Drawn test pictures are smooth and look alike, which cleaning would not like.
prepare = functools.partial(prepare_photos, clean="none")

COUNT = 140
RESOLUTION = 16

CHILD = """
import sys, time
from facesmith.data import prepare

if __name__ == "__main__":
    prepare(sys.argv[1], sys.argv[2], resolution=16, clean="none", workers=int(sys.argv[3]),
            progress=lambda done, found: time.sleep(float(sys.argv[4])))
"""


class Killed(BaseException):
    """Stands for a signal that no code can catch."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, photos: Photos) -> Path:
    folder = photos(tmp_path_factory.mktemp("resume") / "photos", COUNT - 1)
    (folder / "a bad one.jpg").write_bytes(b"no photo")
    return folder


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that never stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    prepare(source, out, resolution=RESOLUTION, workers=1)
    return contents(out)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def interrupt(source: Path, out: Path, *, after: int) -> None:
    """Leave a folder as a kill after some images leaves it."""

    def stop(done: int, found: int) -> None:
        if done >= after:
            raise Killed

    with pytest.raises(Killed):
        prepare(source, out, resolution=RESOLUTION, workers=1, progress=stop)


def test_what_is_done_is_not_done_again(
    source: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    interrupt(source, out, after=100)
    steps: list[int] = []
    prepare(
        source, out, resolution=RESOLUTION, workers=1, progress=lambda done, _: steps.append(done)
    )
    assert steps == [140]
    assert contents(out) == whole


@pytest.mark.parametrize("name", ["journal.partial", "train.npy.partial", "held-out.npy.partial"])
def test_whatever_a_kill_cuts_off_or_garbles_is_made_again(
    name: str, source: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    draw = random.Random(name)
    damages: list[Callable[[bytes], bytes]] = [
        lambda data: b"",
        lambda data: data + b'{"half a line',
        lambda data: data + bytes(5000),
        lambda data: data[:-1],
        *[lambda data: data[: draw.randrange(len(data))] for _ in range(2)],
        *[lambda data: flip_bit(data, draw.randrange(len(data))) for _ in range(2)],
    ]
    for number, damage in enumerate(damages):
        out = tmp_path / str(number)
        interrupt(source, out, after=100)
        (out / name).write_bytes(damage((out / name).read_bytes()))
        prepare(source, out, resolution=RESOLUTION, workers=1)
        assert contents(out) == whole, f"damage {number}"


def flip_bit(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("target", ["replace", "fsync"])
def test_a_kill_while_finishing(
    target: str, source: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: Any
) -> None:
    owner: Any = Path if target == "replace" else os
    original = getattr(owner, target)
    for survived in range(8):
        out, calls = tmp_path / str(survived), iter(range(100))

        def stop(*arguments: Any, calls: Any = calls, survived: int = survived) -> Any:
            if next(calls) == survived:
                raise Killed
            return original(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(owner, target, stop)
            try:
                prepare(source, out, resolution=RESOLUTION, workers=1)
            except Killed:
                pass
            else:
                assert survived > 3
        prepare(source, out, resolution=RESOLUTION, workers=1)
        assert contents(out) == whole, f"killed at call {survived}"


def test_a_kill_while_a_lucky_split_is_settled(
    photos: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facesmith.data.packing.finish.MAX_HELD_OUT", 1e-15)
    source = photos(tmp_path / "photos", 12)
    prepare(source, tmp_path / "whole", resolution=8)
    original = files.write_whole

    def stop(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(pack, "write_whole", stop)
    with pytest.raises(Killed):
        prepare(source, tmp_path / "out", resolution=8)
    monkeypatch.setattr(pack, "write_whole", original)
    prepare(source, tmp_path / "out", resolution=8)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_begun_folder_of_other_settings_is_refused(source: Path, tmp_path: Path) -> None:
    interrupt(source, tmp_path / "out", after=100)
    with pytest.raises(UsageError, match="other resolution 16 instead of 32"):
        prepare(source, tmp_path / "out", resolution=32)


def test_a_full_disk_keeps_what_was_written(
    source: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = pack._write, [60_000]

    def limited(file: Any, data: bytes) -> None:
        if len(data) > room[0]:
            file.write(data[: room[0]])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= len(data)
        write(file, data)

    for _ in range(2):
        room[0] = 60_000
        with monkeypatch.context() as patch:
            patch.setattr(pack, "_write", limited)
            with pytest.raises(StorageError, match="disk filled up") as caught:
                prepare(source, tmp_path / "out", resolution=RESOLUTION, workers=1)
        assert "continues" in caught.value.todo
    prepare(source, tmp_path / "out", resolution=RESOLUTION, workers=1)
    assert contents(tmp_path / "out") == whole


def test_a_real_write_error_in_a_process(
    source: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    out, limit = tmp_path / "out", 60_000

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), str(out), "1", "0"],
        preexec_fn=no_large_files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "StorageError: The disk filled up" in done.stderr
    prepare(source, out, resolution=RESOLUTION, workers=1)
    assert contents(out) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_process_leaves_no_workers_and_can_be_continued(
    workers: int, source: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out, script = tmp_path / "out", tmp_path / "child.py"
    script.write_text(CHILD, encoding="utf-8")
    child = subprocess.Popen([sys.executable, script, source, out, str(workers), "5"])
    journal = out / "journal.partial"
    deadline = time.monotonic() + 30
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    below = psutil.Process(child.pid).children(recursive=True)
    with pytest.raises(StorageError, match="Another process is writing"):
        prepare(source, out, resolution=RESOLUTION, workers=1)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(below) >= (workers if workers > 1 else 0)
    _, alive = psutil.wait_procs(below, timeout=5)
    assert not alive
    assert not (out / "dataset.json").exists()
    prepare(source, out, resolution=RESOLUTION, workers=1)
    assert contents(out) == whole


INTERRUPTED = """
import os, signal, sys, time
from pathlib import Path
from facesmith.data import workers
from facesmith.data.packing import processing
from facesmith.data.photos.framing import Framing
from facesmith.data.sources.contract import Entry, Item

class Slow:
    def read(self, entries):
        for entry in entries:
            with open(sys.argv[1], "a", encoding="utf-8") as log:
                log.write("x")
            time.sleep(0.02)
            yield Item(b"")

def begun():
    return Path(sys.argv[1]).read_text(encoding="utf-8")

if __name__ == "__main__":
    Path(sys.argv[1]).touch()
    chunks = [[Entry(str(i), 0, i) for i in range(count)] for count in (1, 5000, 5000)]
    done = processing.process(Slow(), chunks, Framing(8), 2)
    if sys.argv[2] == "starting":
        submit = workers.ProcessPoolExecutor.submit
        def interrupted(*arguments):
            future = submit(*arguments)
            time.sleep(0.1)
            os.killpg(0, signal.SIGINT)  # the new worker is busy with imports
            return future
        workers.ProcessPoolExecutor.submit = interrupted
    try:
        next(done)
        while len(begun()) < 10:
            time.sleep(0.01)
        os.killpg(0, signal.SIGINT)
        time.sleep(100)
    except KeyboardInterrupt:
        done.close()
        print(len(begun()))
"""


@pytest.mark.parametrize("moment", ["starting", "decoding"])
def test_ctrl_c_ends_the_workers_at_once_and_silently(moment: str, tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(INTERRUPTED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, tmp_path / "log", moment],
        capture_output=True, text=True, check=False, timeout=60, start_new_session=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 5000  # no chunk was decoded to its end


def test_ctrl_c_keeps_what_is_done(source: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    def press(done: int, found: int) -> None:
        raise KeyboardInterrupt

    others = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "out", resolution=RESOLUTION, workers=2, progress=press)
    assert not set(multiprocessing.active_children()) - others
    steps: list[int] = []
    prepare(source, tmp_path / "out", resolution=RESOLUTION, workers=1,
            progress=lambda done, _: steps.append(done))  # fmt: skip
    assert steps == [128, 140]
    assert contents(tmp_path / "out") == whole


def test_a_worker_that_is_killed_while_others_work_is_explained(
    source: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("facesmith.data.prepare"), "CHUNK_IMAGES", 4)

    others = set(multiprocessing.active_children())

    def kill_one(done: int, found: int) -> None:
        for child in [c for c in multiprocessing.active_children() if c not in others][:1]:
            child.kill()

    with pytest.raises(StorageError, match="A worker process died"):
        prepare(source, tmp_path / "out", resolution=RESOLUTION, workers=2, progress=kill_one)
    assert not set(multiprocessing.active_children()) - others
    monkeypatch.undo()  # what was begun in chunks of another size is continued as well
    prepare(source, tmp_path / "out", resolution=RESOLUTION, workers=1)
    assert (tmp_path / "out" / "files.csv").read_bytes() == whole["files.csv"]
    assert (tmp_path / "out" / "train.npy").read_bytes() == whole["train.npy"]


def test_a_dead_worker_is_explained(source: Path, tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import sys\nfrom facesmith.data import prepare\n"
        "prepare(sys.argv[1], sys.argv[2], resolution=16, workers=2)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script, source, tmp_path / "out"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "A worker process died" in done.stderr
    assert '__name__ == "__main__"' in done.stderr
