"""A run that was stopped and continued is the run that never stopped, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from facesmith import checkpoint
from facesmith.base import records
from facesmith.base.errors import DataError, StorageError, UsageError
from facesmith.base.records import Record
from facesmith.base.schedules import Constant, Linear
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.optimizers import SGD, Optimizers, RMSprop
from facesmith.recipe import Recipe
from facesmith.recipes import NAMED
from facesmith.training import loop, observers
from facesmith.training.run import Run
from facesmith.training.view import View

RunIn = Callable[..., Run]
LENGTH = 88  # eleven updates of eight images, almost three epochs


class StopAt:
    """Asks for a stop as soon as so many images were seen."""

    def __init__(self, images: int) -> None:
        self.images = images

    def started(self, view: View) -> None:
        pass

    def stepped(self, view: View, record: Record) -> str | None:
        return "test" if record.images_seen >= self.images else None

    def finished(self, view: View, reason: str) -> None:
        pass


def final_tensors(run: Run) -> dict[str, torch.Tensor]:
    newest = checkpoint.complete(run.folder / "checkpoints")[-1]
    assert newest.name == f"{run.images:012d}"
    return {
        f"{file.stem}/{name}": tensor
        for file in newest.glob("*.safetensors")
        for name, tensor in load_file(file).items()
    }


def assert_same_bits(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> None:
    assert one.keys() == two.keys()
    different = [name for name in one if not torch.equal(one[name], two[name])]
    assert different == []


@pytest.fixture(scope="module")
def whole(
    tiny: Recipe, portraits: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, torch.Tensor]:
    run = Run(folder=tmp_path_factory.mktemp("whole") / "run", images=LENGTH, device="cpu")
    loop.train(tiny, run, portraits, observers.standard())
    return final_tensors(run)


@pytest.mark.parametrize("stop", [8, 24, 40, 80])
def test_a_continued_run_equals_the_uninterrupted_one(
    stop: int, whole: dict[str, torch.Tensor], tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("broken", LENGTH, record_every=8)
    outcome = loop.train(tiny, run, portraits, [*observers.standard(), StopAt(stop)])
    assert (outcome.images_seen, outcome.reason) == (stop, "test")
    loop.train(tiny, run, portraits, observers.standard())
    assert_same_bits(final_tensors(run), whole)


def test_stopping_after_every_update_changes_nothing(
    whole: dict[str, torch.Tensor], tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("every", LENGTH, record_every=8)
    for images in range(8, LENGTH + 8, 8):
        loop.train(tiny, replace(run, images=images), portraits, observers.standard())
    assert_same_bits(final_tensors(run), whole)


def test_another_seed_gives_another_run(
    whole: dict[str, torch.Tensor], tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("seed", LENGTH, seed=1)
    loop.train(tiny, run, portraits)
    other = final_tensors(run)
    assert not torch.equal(other["generator/project.weight"], whole["generator/project.weight"])


@pytest.mark.parametrize(
    "optimizer",
    [SGD(momentum=Linear(0.0, 0.5, over=80)), RMSprop()],
    ids=["sgd", "rmsprop"],
)
def test_other_optimisers_resume_to_the_bit(
    optimizer: SGD | RMSprop, tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    recipe = replace(tiny, optimizers=Optimizers(generator=optimizer, discriminator=optimizer))
    straight, broken = run_in("straight", 64), run_in("broken", 64, record_every=8)
    loop.train(recipe, straight, portraits)
    loop.train(recipe, broken, portraits, [StopAt(24)])
    loop.train(recipe, broken, portraits)
    assert_same_bits(final_tensors(broken), final_tensors(straight))


def shrunk(name: str) -> Recipe:
    """Cut a named recipe to a size that trains in a second, keeping its design."""
    recipe = NAMED[name]()
    generator, discriminator = recipe.generator, recipe.discriminator
    if hasattr(generator, "width"):
        resolution = 16
        generator = replace(generator, width=4)  # type: ignore[type-var]
        discriminator = replace(discriminator, width=4)  # type: ignore[type-var]
    else:
        resolution = 18
        generator = replace(generator, widths=(16,))  # type: ignore[type-var]
        discriminator = replace(discriminator, widths=(8,))  # type: ignore[type-var]
    return replace(
        recipe,
        resolution=resolution,
        generator=generator,
        discriminator=discriminator,
        batch=8,
    )


def test_several_discriminator_steps_train_and_resume_to_the_bit(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    recipe = replace(tiny, discriminator_steps=3)
    straight, broken = run_in("straight", 96), run_in("broken", 96, record_every=8)
    loop.train(recipe, straight, portraits)
    outcome = loop.train(recipe, broken, portraits, [StopAt(48)])
    assert outcome.images_seen == 48  # two rounds of three batches
    loop.train(recipe, broken, portraits)
    assert_same_bits(final_tensors(broken), final_tensors(straight))


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.filterwarnings("ignore:The generator's kernel 5")
def test_every_named_recipe_trains_stops_and_resumes_to_the_bit(
    name: str, tmp_path: Path, run_in: RunIn
) -> None:
    recipe = shrunk(name)
    data = prepare(
        "portraits:20",
        tmp_path / "data",
        resolution=recipe.resolution,
        channels=recipe.channels,
        workers=1,
    )
    straight, broken = run_in("straight", 48), run_in("broken", 48, record_every=8)
    loop.train(recipe, straight, data)
    loop.train(recipe, broken, data, [StopAt(16)])
    loop.train(recipe, broken, data)
    assert_same_bits(final_tensors(broken), final_tensors(straight))


def test_records_are_neither_lost_nor_doubled(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("records", 64, record_every=8)
    loop.train(tiny, run, portraits, [*observers.standard(), StopAt(32)])
    loop.train(tiny, run, portraits, observers.standard())
    seen = [record.images_seen for record in records.read(run.folder / "metrics.jsonl")]
    assert seen == list(range(8, 72, 8))


def test_another_recipe_in_the_folder_is_refused_by_name(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("recipe", 16)
    loop.train(tiny, run, portraits)
    other = replace(tiny, optimizers=Optimizers(), input_noise=Constant(0.3))
    with pytest.raises(UsageError, match=r"other settings.*input_noise") as caught:
        loop.train(other, replace(run, images=32), portraits)
    assert "--run" in caught.value.todo
    with pytest.raises(UsageError, match="seed 0 -> 5"):
        loop.train(tiny, replace(run, images=32, seed=5), portraits)


def test_changed_photos_are_noticed(
    tiny: Recipe, portraits: Dataset, run_in: RunIn, tmp_path: Path
) -> None:
    run = run_in("data", 16)
    loop.train(tiny, run, portraits)
    more = prepare("portraits:31", tmp_path / "more", resolution=16, workers=1)
    with pytest.raises(DataError, match="photos have changed"):
        loop.train(tiny, replace(run, images=32), more)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    whole: dict[str, torch.Tensor], tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("damaged", LENGTH, checkpoint_every=16, record_every=8)
    loop.train(tiny, run, portraits, [*observers.standard(), StopAt(48)])
    newest = checkpoint.complete(run.folder / "checkpoints")[-1]
    weights = newest / "generator.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-5] ^= 1  # one flipped bit, which safetensors reads without complaint
    weights.write_bytes(damaged)
    loop.train(tiny, run, portraits, observers.standard())
    assert_same_bits(final_tensors(run), whole)
    assert "damaged_checkpoint" in (run.folder / "events.jsonl").read_text()
    assert newest.with_name(f"{newest.name}.damaged").is_dir(), "kept beside, out of the row"


def test_the_moment_of_a_damaged_checkpoint_is_saved_again_and_good_ones_are_kept(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("again", 32, checkpoint_every=16, keep=1)
    loop.train(tiny, replace(run, keep=3), portraits, observers.standard())
    newest = checkpoint.complete(run.folder / "checkpoints")[-1]
    (newest / "generator.safetensors").write_bytes(b"damaged")
    loop.train(tiny, replace(run, images=24), portraits, observers.standard())
    (kept,) = checkpoint.complete(run.folder / "checkpoints")
    checkpoint.verify(kept)
    loop.train(tiny, run, portraits, observers.standard())
    (saved_again,) = checkpoint.complete(run.folder / "checkpoints")
    assert saved_again.name == newest.name
    checkpoint.verify(saved_again)


def test_every_pace_acts_by_itself(tiny: Recipe, portraits: Dataset, run_in: RunIn) -> None:
    run = run_in("paces", 48, record_every=1000, sample_every=16, checkpoint_every=24, keep=9)
    loop.train(tiny, run, portraits, observers.standard())
    sheets = sorted(path.name for path in (run.folder / "samples").iterdir())
    assert sheets == [f"fakes-{images:012d}.png" for images in (0, 16, 32, 48)]
    saved = [int(path.name) for path in checkpoint.complete(run.folder / "checkpoints")]
    assert saved == [24, 48]


def test_nothing_but_damaged_checkpoints_stops_the_run(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("all-damaged", 16)
    loop.train(tiny, run, portraits)
    for folder in checkpoint.complete(run.folder / "checkpoints"):
        (folder / "MANIFEST.json").unlink()
    with pytest.raises(StorageError, match="damaged"):
        loop.train(tiny, replace(run, images=32), portraits)
