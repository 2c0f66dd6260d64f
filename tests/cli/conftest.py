"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesmith import cli
from facesmith.data.prepare import prepare


@pytest.fixture(autouse=True)
def called_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are printed must not depend on how pytest was started."""
    monkeypatch.setattr("sys.argv", ["facesmith"])


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "data set"  # a space must not break a printed command
    prepare("portraits:24", folder, resolution=16, workers=1)
    return folder


@pytest.fixture(scope="session")
def tiny() -> list[str]:
    """Options of a run that takes a moment."""
    return [
        *("--resolution", "16", "--batch", "8", "--device", "cpu", "--latent.size", "6"),
        *("--generator.width", "4", "--discriminator.width", "4"),
        *("--record-every", "8", "--sample-every", "16"),
    ]


@pytest.fixture(scope="session")
def trained(dataset: Path, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 32 images."""
    run = tmp_path_factory.mktemp("cli") / "run"
    words = ["train", "face", "--data", str(dataset), "--run", str(run), *tiny]
    assert cli.run([*words, "--images", "32"]) == 0
    return run
