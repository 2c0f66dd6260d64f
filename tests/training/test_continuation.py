"""Going on where something has changed since: it is noticed and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from facesmith import checkpoint
from facesmith.base.errors import DataError, StorageError, UsageError
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.recipe import Recipe
from facesmith.training import compute, loop
from facesmith.training.run import Run

RunIn = Callable[..., Run]


def edit_state(run: Run, **changes: object) -> None:
    """Change what the newest checkpoint says of itself, with a manifest to match."""
    folder = checkpoint.complete(run.folder / "checkpoints")[-1]
    state = {**json.loads((folder / "state.json").read_text()), **changes}
    tensors, _ = checkpoint.load(folder)
    folder.rename(folder.with_name("old"))
    checkpoint.save(folder, tensors, state)


@pytest.fixture
def begun(tiny: Recipe, portraits: Dataset, run_in: RunIn) -> Run:
    run = replace(run_in("run", 16), device="auto")
    loop.train(tiny, run, portraits)
    return run


CUDA = {"device": "cuda:0", "precision": "bf16", "layout": "channels_last"}


def test_a_run_from_a_device_that_is_not_here_asks_for_consent(
    begun: Run,
    tiny: Recipe,
    portraits: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    edit_state(begun, compute=CUDA)
    longer = replace(begun, images=32)
    with pytest.raises(UsageError, match="begun on cuda:0, which is not here") as caught:
        loop.train(tiny, longer, portraits)
    assert "--device cpu" in caught.value.todo
    with pytest.raises(UsageError, match="'cuda' was asked for"):
        loop.train(tiny, replace(longer, device="cuda"), portraits)
    assert loop.train(tiny, replace(longer, device="cpu"), portraits).images_seen == 32
    assert "bits will differ" in caplog.text


@pytest.mark.parametrize(("has_it", "went_on"), [(True, "bf16"), (False, "fp32")])
def test_bf16_goes_on_only_where_the_hardware_has_it(
    has_it: bool,
    went_on: str,
    begun: Run,
    tiny: Recipe,
    portraits: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compute, "has_bf16", lambda device: has_it)
    edit_state(begun, compute={**CUDA, "device": "cpu"})
    loop.train(tiny, replace(begun, images=32, precision="auto"), portraits)
    newest = checkpoint.complete(begun.folder / "checkpoints")[-1]
    _, state = checkpoint.load(newest)
    assert state["compute"]["precision"] == went_on


def test_another_precision_may_be_demanded(
    begun: Run, tiny: Recipe, portraits: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    edit_state(begun, compute={**CUDA, "device": "cpu"})
    loop.train(tiny, replace(begun, images=32, precision="fp32"), portraits)
    assert "begun on cpu bf16 channels_last and goes on on cpu fp32" in caplog.text


def test_another_number_of_threads_is_said(
    begun: Run, tiny: Recipe, portraits: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    loop.train(tiny, replace(begun, images=24), portraits)
    assert "another order" not in caplog.text
    edit_state(begun, threads=torch.get_num_threads() + 1)
    loop.train(tiny, replace(begun, images=32), portraits)
    assert "another order" in caplog.text


def test_other_pictures_in_the_same_settings_are_refused(
    tiny: Recipe, run_in: RunIn, tmp_path: Path
) -> None:
    dataset = prepare("portraits:30", tmp_path / "data", resolution=16, workers=1)
    loop.train(tiny, run_in("run", 16), dataset)
    manifest = json.loads((dataset.folder / "dataset.json").read_text())
    manifest["files"]["train.npy"]["sha256"] = "0" * 64
    (dataset.folder / "dataset.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="photos have changed"):
        loop.train(tiny, run_in("run", 32), Dataset.open(dataset.folder))


def test_a_run_of_an_older_version_goes_on_with_the_defaults_of_what_it_did_not_know(
    begun: Run, tiny: Recipe, portraits: Dataset
) -> None:
    _, state = checkpoint.load(checkpoint.complete(begun.folder / "checkpoints")[-1])
    older = {k: v for k, v in state["recipe"].items() if k != "discriminator_steps"}
    edit_state(begun, recipe=older)
    assert loop.train(tiny, replace(begun, images=32), portraits).images_seen == 32
    with pytest.raises(UsageError, match="discriminator_steps 1 -> 2"):
        loop.train(replace(tiny, discriminator_steps=2), replace(begun, images=64), portraits)


def test_weights_of_another_network_are_refused_in_words(
    begun: Run, tiny: Recipe, portraits: Dataset
) -> None:
    folder = checkpoint.complete(begun.folder / "checkpoints")[-1]
    tensors, state = checkpoint.load(folder)
    tensors["generator"] = {"project.weight": torch.zeros(2, 2)}
    folder.rename(folder.with_name("old"))
    checkpoint.save(folder, tensors, state)
    with pytest.raises(StorageError, match="does not fit its own recipe"):
        loop.train(tiny, replace(begun, images=32), portraits)


@pytest.mark.parametrize("missing", ["device", "precision"])
def test_a_state_that_lacks_something_is_refused_in_words(
    missing: str, begun: Run, tiny: Recipe, portraits: Dataset
) -> None:
    edit_state(begun, compute={k: v for k, v in CUDA.items() if k != missing})
    with pytest.raises(StorageError, match="does not fit its own recipe"):
        loop.train(tiny, replace(begun, images=32), portraits)
