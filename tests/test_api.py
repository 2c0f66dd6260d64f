"""The Python calls, and the example that shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import facesmith
from facesmith.base.errors import UsageError

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


def test_the_quickstart_runs(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, ROOT / "examples/quickstart.py", tmp_path / "run", "128"],
        check=True,
        capture_output=True,
        env={**environment, "PYTHONPATH": str(ROOT / "src")},
    )
    assert (tmp_path / "run/faces.png").is_file()
