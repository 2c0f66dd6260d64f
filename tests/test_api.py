"""The Python calls, and the example that shows them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import facesmith
from facesmith.base.errors import StorageError, UsageError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> facesmith.Model:
    folder = tmp_path_factory.mktemp("api")
    data = facesmith.prepare("portraits:20", folder / "data", resolution=16, workers=1)
    return facesmith.train("face", data=data, images=64, run=folder / "run", resolution=16)


def test_a_seed_is_the_same_face_in_any_company(model: facesmith.Model) -> None:
    together = model.generate(seeds=range(70))  # more than one batch
    assert together.shape == (70, 16, 16, 3)
    assert together.dtype == np.uint8
    alone = model.generate(seeds=[66])[0]
    # Batches of different sizes may be summed in another order: a pixel may differ by one step.
    assert np.abs(together[66].astype(int) - alone).max() <= 1


def test_a_complete_network_is_loaded_as_one(model: facesmith.Model) -> None:
    again = facesmith.load(model.snapshot.folder)
    pictures = again.generate(range(4))
    assert np.array_equal(pictures, model.generate(range(4)))
    judged = again.probability(pictures)
    assert judged.shape == (4,)
    assert ((judged > 0) & (judged < 1)).all()


def test_lengths_are_words_or_numbers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a number of images"):
        facesmith.train("face", data="portraits:20", images="a lot", run=tmp_path)


def test_two_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Two lengths were given"):
        facesmith.train("face", data="portraits:20", images=64, epochs=1, run=tmp_path)


def test_a_place_is_refused_before_photos_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        facesmith.train("face", data="/nowhere", run=tmp_path / "file/run")


def test_the_words_of_the_verb_act(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grey = facesmith.prepare(
        "portraits:40", tmp_path / "data", resolution=16, channels=1, workers=1
    )
    model = facesmith.train(
        "face",
        data=grey,
        run=tmp_path / "run",
        resolution=16,
        channels=1,
        epochs=2,
        precision="bf16",
        record_every="0.032k",
        sample_every=32,
        checkpoint_every="32",
        keep=1,
        progress=False,
    )
    assert capsys.readouterr().out == ""
    assert model.generate([0]).shape == (1, 16, 16, 1)
    told = json.loads((tmp_path / "run/run.json").read_text())["run"]
    assert told["images"] == 2 * grey.count
    assert (told["precision"], told["record_every"], told["keep"]) == ("bf16", 32, 1)
    images = -(-2 * grey.count // 32) * 32  # whole batches
    assert len((tmp_path / "run/metrics.jsonl").read_text().splitlines()) == 1 + images // 32
    assert len(list((tmp_path / "run/samples").iterdir())) == 1 + images // 32
    assert [c.name for c in (tmp_path / "run/checkpoints").iterdir()] == [f"{images:012d}"]


def test_progress_is_shown_unless_it_is_not_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = facesmith.prepare("portraits:20", tmp_path / "data", resolution=16, workers=1)
    facesmith.train("face", data=data, images=32, run=tmp_path / "run", resolution=16)
    shown = capsys.readouterr().out
    assert "computing on" in shown
    assert "100%" in shown
    assert "D(fake)" in shown


ASKED_TO_STOP = """
import os, signal, sys, facesmith

class Stop:
    def __init__(self, number): self.number = number
    def started(self, view): print("at", view.state.images_seen, flush=True)
    def stepped(self, view, record): os.kill(os.getpid(), self.number)
    def finished(self, view, reason): pass

def train(number):
    facesmith.train("face", data=sys.argv[1], images=10_000, run=sys.argv[2], resolution=16,
                    record_every=32, precision="fp32", device="cpu", watch=[Stop(number)])
    print("trained", flush=True)

try:
    train(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted", flush=True)
train(signal.SIGTERM)
"""


def test_a_signal_ends_the_script_after_the_save(tmp_path: Path) -> None:
    facesmith.prepare("portraits:20", tmp_path / "data", resolution=16, workers=1)
    done = subprocess.run(
        [sys.executable, "-c", ASKED_TO_STOP, tmp_path / "data", tmp_path / "run"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == -signal.SIGTERM, done.stderr
    shown = done.stdout.splitlines()
    assert "trained" not in shown
    assert [line for line in shown if line in ("at 0", "interrupted", "at 32")] == [
        "at 0",
        "interrupted",
        "at 32",
    ]
    assert (tmp_path / "run/checkpoints/000000000064").is_dir()


def test_the_quickstart_runs(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, ROOT / "examples/quickstart.py", tmp_path / "run", "128"],
        check=True,
        capture_output=True,
        env={**environment, "PYTHONPATH": str(ROOT / "src")},
    )
    assert (tmp_path / "run/faces.png").is_file()
