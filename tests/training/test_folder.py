"""The run folder: its lock, its log, and what it does with what the dead left behind."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facesmith import checkpoint
from facesmith.api import check_start
from facesmith.base.errors import StorageError
from facesmith.recipe import Recipe
from facesmith.training.folder import RunFolder
from facesmith.training.run import Run

log = logging.getLogger("facesmith.test")


def test_what_a_dead_run_left_half_written_is_swept_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    dead = [
        ".run.json.tmp-1",
        ".env.json.tmp-77",
        f".metrics.jsonl.tmp-{os.getpid()}",
        ".reals.png.tmp-1",
        f"samples/.fakes-000000000064.png.tmp-{os.getppid()}",
    ]
    # `generate` writes its sheet into the run folder, and does not ask for the lock.
    alive = [".faces.png.tmp-1", "run.json", "samples/fakes-000000000064.png", ".tmp-1"]
    for name in [*dead, *alive]:
        (tmp_path / name).touch()
    with RunFolder(tmp_path):
        assert [name for name in dead if (tmp_path / name).exists()] == []
        assert [name for name in alive if not (tmp_path / name).exists()] == []


def test_a_folder_in_use_is_not_swept(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        (tmp_path / ".run.json.tmp-1").touch()
        with pytest.raises(StorageError, match=f"in use by process {os.getpid()}"):
            RunFolder(tmp_path).__enter__()
        assert (tmp_path / ".run.json.tmp-1").exists()


def test_the_log_takes_everything_and_leaves_the_level_as_it_was(tmp_path: Path) -> None:
    logger = logging.getLogger("facesmith")
    before = logger.level, logger.handlers[:]
    logger.setLevel(logging.WARNING)
    try:
        with RunFolder(tmp_path):
            log.debug("a detail")
        assert logger.level == logging.WARNING
        assert logger.handlers == before[1]
        log.error("too late")
    finally:
        logger.setLevel(before[0])
    said = (tmp_path / "log.txt").read_text()
    assert "DEBUG a detail" in said
    assert "too late" not in said


def test_a_name_that_no_encoding_holds_is_logged(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        log.info("saved %s", "gr\udcfcn/Gesichter größer")
    assert "saved gr\\udcfcn/Gesichter größer" in (tmp_path / "log.txt").read_text("utf-8")


SAVE = """
import logging, sys, warnings
from pathlib import Path
import torch
from facesmith import checkpoint
from facesmith.base.records import append, forget_after, read
from facesmith.recipe import Recipe
from facesmith.training.folder import RunFolder
from facesmith.training.run import Run

warnings.simplefilter("error", EncodingWarning)
path = Path(sys.argv[1])
with RunFolder(path) as folder:
    logging.getLogger("facesmith").warning("training in %s", path)
    folder.log_event("started", folder=str(path))
    folder.describe(Recipe(), Run(folder=path, images=8), {"folder": str(path)}, {})
    saved = folder.checkpoint_at(8)
    checkpoint.save(saved, {"snapshot": {"w": torch.ones(2)}}, {"folder": str(path)})
    assert folder.load_checkpoint()[1]["folder"] == str(path)
    folder.metrics.touch()
    forget_after(folder.metrics, 8)
    assert list(read(folder.metrics)) == []
"""


def test_a_run_whose_name_the_system_cannot_spell_is_logged_and_saved(tmp_path: Path) -> None:
    # The warning tells of every file that is opened in whatever encoding the system has.
    process = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", SAVE, str(tmp_path / "größer")],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert "Logging error" not in process.stderr
    assert "Error" not in process.stderr
    assert process.returncode == 0
    folder = tmp_path / "größer"
    assert "WARNING training in" in (folder / "log.txt").read_text(encoding="utf-8")
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["data"]["folder"]


def test_damaged_checkpoints_are_reported_newest_first_and_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RunFolder(tmp_path) as folder:
        assert folder.load_checkpoint() is None
        for images in (8, 16, 24):
            checkpoint.save(folder.checkpoint_at(images), {}, {"images_seen": images})
        for images in (16, 24):
            (folder.checkpoint_at(images) / "MANIFEST.json").unlink()
        loaded = folder.load_checkpoint()
        assert loaded is not None and loaded[1]["images_seen"] == 8
        assert [message.split("/")[-1].split()[0] for message in caplog.messages] == [
            "000000000024",
            "000000000016",
        ]
        left = sorted(path.name for path in folder.checkpoints.iterdir())
        assert left == ["000000000008", "000000000016.damaged", "000000000024.damaged"]


def test_where_all_are_damaged_none_is_moved(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        checkpoint.save(folder.checkpoint_at(8), {}, {})
        (folder.checkpoint_at(8) / "MANIFEST.json").unlink()
        with pytest.raises(StorageError, match="All checkpoints"):
            folder.load_checkpoint()
        assert checkpoint.complete(folder.checkpoints) == [folder.checkpoint_at(8)]


@pytest.mark.parametrize(
    ("number", "needed"), [(errno.ENOSPC, "free space"), (errno.EACCES, "may write")]
)
def test_a_folder_that_cannot_be_begun_says_what_it_lacks(
    number: int, needed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(logging, "FileHandler", fail)
    with pytest.raises(StorageError, match=os.strerror(number)) as caught:
        RunFolder(tmp_path).__enter__()
    assert needed in caught.value.needed
    monkeypatch.undo()
    with RunFolder(tmp_path):
        pass  # the lock was let go


@pytest.mark.parametrize(
    "held", [None, "metrics.jsonl", "samples/a.png", "checkpoints/000000000008/x"]
)
def test_a_folder_is_discarded_only_while_nothing_is_in_it(
    held: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    with RunFolder(path) as folder:
        if held is not None:
            (path / held).parent.mkdir(exist_ok=True)
            (path / held).touch()
        folder.discard()
    assert path.exists() == (held is not None)
    assert held is None or (path / held).exists()


def test_a_check_that_comes_second_leaves_the_first_ones_folder_alone(tmp_path: Path) -> None:
    run = Run(folder=tmp_path / "run", images=8)
    with RunFolder(run.folder) as folder:
        with pytest.raises(StorageError, match="in use"):
            check_start(Recipe(), run)
        assert folder.checkpoints.is_dir()
