"""The clinic's cases: they can be trained, and their faults are where they are said to be."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facesmith.base import records
from facesmith.base.registry import to_dict
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.recipe import Recipe
from planted import catalogue, runner
from planted.albums import fewer, sorted_by
from planted.bases import BASES, face, tutorial
from planted.case import FACES, HEALTHY, Case, Fault, Subject
from planted.edits import brightness
from planted.judging import judge, summarize, table

FAULTS = catalogue.FAULTS
pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # a recipe's advice against the fault


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("clinic") / "data" / "portraits"
    return prepare("portraits:240", folder, resolution=32, workers=1)


def planted(kind: str, name: str, dataset: Dataset) -> Subject:
    (fault,) = [f for f in FAULTS if (f.kind, f.name) == (kind, name)]
    return fault.spoil(Subject(BASES[fault.base](), dataset))


def generated(recipe: Recipe, count: int = 64) -> torch.Tensor:
    latents = torch.randn(count, recipe.latent.size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return recipe.build_generator(seed=0)(latents)


def distinct(images: torch.Tensor, tolerance: float) -> int:
    distances = torch.cdist(images.flatten(1), images.flatten(1)) / images[0].numel() ** 0.5
    return len({tuple(row.nonzero().ravel().tolist()) for row in distances < tolerance})


def test_every_fault_can_be_trained_and_changes_something(dataset: Dataset) -> None:
    pixels = {"before": np.array(dataset.images[:32]), "batch": dataset.batch(0, 32, seed=0)}
    for fault in FAULTS:
        base = BASES[fault.base]()
        subject = fault.spoil(Subject(base, dataset))
        subject.recipe.check()
        is_same = (
            subject.recipe == base
            and np.array_equal(subject.dataset.batch(0, 32, seed=0), pixels["batch"])
            and subject.dataset is dataset
        )
        assert fault.kind == HEALTHY or not is_same, fault.name
        assert subject.dataset.held_out.shape[1:] == dataset.held_out.shape[1:]
    assert np.array_equal(dataset.images[:32], pixels["before"])  # a fault leaves the base alone


def test_the_halves_hold_every_kind_and_share_no_variation() -> None:
    kinds, made = defaultdict(set), defaultdict(set)
    for fault in FAULTS:
        kinds[fault.half].add(fault.kind)
        if fault.kind != HEALTHY:
            made[fault.half].add((fault.kind, fault.where, fault.name, fault.base))
    assert kinds["development"] == kinds["reporting"]
    assert len(kinds["reporting"]) >= 26
    assert not made["development"] & made["reporting"]


def test_the_reporting_half_is_as_large_as_promised() -> None:
    cases = [case for case in catalogue.all_cases().values() if case.fault.half == "reporting"]
    runs = Counter(case.fault.kind for case in cases)
    assert runs.pop(HEALTHY) >= 30
    large = [kind for kind, count in runs.items() if count >= 6]
    assert len(large) >= 26
    for kind in large:
        mine = [case for case in cases if case.fault.kind == kind]
        assert {case.dataset for case in mine} == set(FACES), kind
        assert len({case.seed for case in mine}) == 3, kind


def test_no_seed_of_the_reporting_half_was_looked_at_before() -> None:
    seeds = defaultdict(set)
    for case in catalogue.all_cases().values():
        seeds[case.fault.half].add(case.seed)
    assert not seeds["development"] & seeds["reporting"]


def test_cases_have_folders_of_their_own() -> None:
    assert len(catalogue.all_cases()) == sum(len(fault.cases()) for fault in FAULTS)


def test_faults_of_files_are_in_files_of_both_sides(dataset: Dataset) -> None:
    copies = planted("data-duplicated", "forty-photos", dataset).dataset
    assert len(np.unique(copies.images.reshape(len(copies.images), -1), axis=0)) == 40
    swapped = planted("channels-swapped", "bgr", dataset).dataset
    assert np.array_equal(swapped.held_out, np.array(dataset.held_out)[..., ::-1])
    assert swapped.mean == pytest.approx(dataset.mean[::-1], abs=1e-3)
    few = fewer(30)(Subject(face(), dataset)).dataset
    assert (few.count, len(few.held_out)) == (30, 3)


def test_an_augmentation_that_leaks_is_in_batches_alone(dataset: Dataset) -> None:
    turned = planted("augmentation-leaks", "upside-down", dataset).dataset
    assert np.array_equal(turned.images, dataset.images)
    before, after = (d.batch(64, 200, seed=1) for d in (dataset, turned))
    upside_down = [np.array_equal(a, b[::-1]) for a, b in zip(after, before, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(after, before, strict=True)]
    assert sum(upside_down) + sum(same) == 200
    assert 70 < sum(upside_down) < 130


@pytest.mark.parametrize("window", [1, 16])
def test_sorted_files_come_in_their_order(dataset: Dataset, window: int) -> None:
    album = sorted_by(brightness, window=window)(Subject(face(), dataset)).dataset
    whole = album.count // window * window
    values = brightness(album.batch(0, whole, seed=5))
    blocks = values.reshape(-1, window)
    assert np.all(blocks[:-1].max(axis=1) <= blocks[1:].min(axis=1))
    assert len(np.unique(album.batch_indices(0, whole, seed=5))) == whole


def test_scalings_send_pixels_where_they_should_not_go(dataset: Dataset) -> None:
    pixels = torch.from_numpy(np.array(dataset.images[:64]))

    def range_of(kind: str, name: str) -> tuple[float, float]:
        recipe = planted(kind, name, dataset).recipe
        assert (recipe.scaling.low, recipe.scaling.high) == (-1.0, 1.0)
        values = recipe.scaling.fit(dataset.mean, dataset.std).to_network(pixels)
        return float(values.min()), float(values.max())

    assert range_of("scaling-wrong", "divided-twice")[1] < -0.99
    assert range_of("scaling-wrong", "rescaled-twice")[0] < -2
    assert range_of("range-mismatch", "unit-range")[0] >= 0
    low, high = range_of("scaling-wrong", "deviation-of-bytes")
    assert -0.01 < low < high < 0.01


def test_damaged_generators_make_what_they_are_said_to_make(dataset: Dataset) -> None:
    assert distinct(generated(tutorial()), 0.01) == 64
    assert distinct(generated(planted("partial-collapse", "codebook", dataset).recipe), 0.02) <= 3
    assert distinct(generated(planted("partial-collapse", "signs", dataset).recipe), 1e-3) <= 8
    for name in ("deaf", "unchanging"):
        recipe = planted("total-collapse", name, dataset).recipe
        images = generated(recipe)
        healthy = generated(replace(tutorial(), generator=type(tutorial().generator)(width=16)))
        assert images.std(dim=0).mean() < 0.1 * healthy.std(dim=0).mean(), name
    shown = generated(planted("memorised", "shown", dataset).recipe)
    known = torch.from_numpy(np.array(dataset.images[:200])).permute(0, 3, 1, 2).float() / 127.5 - 1
    nearest = torch.cdist(shown.flatten(1), known.flatten(1)).amin(dim=1) / 3072**0.5
    assert nearest.max() < 0.15


def test_generators_of_the_reporting_half_make_what_they_are_said_to_make(
    dataset: Dataset,
) -> None:
    def made_by(kind: str, name: str) -> torch.Tensor:
        return generated(planted(kind, name, dataset).recipe)

    assert distinct(made_by("total-collapse", "one-latent-expanded"), 1e-6) == 1
    favoured = made_by("partial-collapse", "favourite")
    others = torch.cdist(favoured.flatten(1), favoured.flatten(1)).median(dim=1).values
    assert 0.6 < float((others < others.median() * 2).float().mean()) < 0.95
    assert made_by("range-mismatch", "half-of-tanh").abs().max() <= 0.5
    limited = made_by("saturated-output", "hard-limited").abs()
    assert float((limited == 1).float().mean()) > 0.8
    shown = made_by("memorised", "blended")
    known = torch.from_numpy(np.array(dataset.images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    nearest = torch.cdist(shown.flatten(1), known.flatten(1)).amin(dim=1) / 3072**0.5
    other = torch.cdist(generated(tutorial()).flatten(1), known.flatten(1)).amin(dim=1) / 3072**0.5
    assert nearest.median() < 0.5 * other.median()


def test_weights_that_are_put_off_or_put_back_stay(dataset: Dataset) -> None:
    for name, player in (("put-off", "generator"), ("put-back", "discriminator")):
        recipe = planted("net-not-updated", name, dataset).recipe
        network = torch.nn.Linear(2, 1)
        before = network.weight.clone()
        optimizer = getattr(recipe.optimizers, player).build(list(network.parameters()))
        network(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        assert torch.equal(network.weight, before), name


def test_edits_of_the_reporting_half(dataset: Dataset) -> None:
    images = np.array(dataset.images)
    dark = planted("grey-mixed", "night", dataset).dataset.images
    grey = np.ptp(dark.astype(int), axis=-1).max(axis=(1, 2)) == 0
    assert 0.35 < grey.mean() < 0.45
    assert brightness(images[grey]).max() <= brightness(images[~grey]).min()
    again = planted("data-duplicated", "saved-again", dataset).dataset.images.astype(int)
    near = [np.abs(again - one).max(axis=(1, 2, 3)) <= 12 for one in again[:40]]
    assert 20 < sum(n.sum() > 1 for n in near) <= 40  # copies abound
    assert len(np.unique(again.reshape(len(again), -1), axis=0)) == len(again)  # none is exact
    shard = planted("too-few-images", "first-shard", dataset).dataset
    assert set(shard.batch_indices(0, 200, seed=1)) == set(range(80))
    blurred = planted("augmentation-leaks", "double-exposure", dataset).dataset
    assert np.array_equal(blurred.images, images)
    same = (blurred.batch(0, 200, seed=1) == dataset.batch(0, 200, seed=1)).all(axis=(1, 2, 3))
    assert 30 < same.sum() < 90
    in_folders = planted("data-sorted", "folder-by-folder", dataset).dataset
    assert np.array_equal(in_folders.batch_indices(0, 60, seed=1), np.arange(60))


def test_swapped_labels_teach_the_reverse(dataset: Dataset) -> None:
    real, fake = torch.tensor([2.0]), torch.tensor([-2.0])
    sound = tutorial().loss
    swapped = planted("labels-swapped", "for-discriminator", dataset).recipe.loss
    assert sound.discriminator(real, fake) < 0.3 < 4 < swapped.discriminator(real, fake)
    backwards = planted("labels-swapped", "for-generator", dataset).recipe.loss
    assert backwards.generator(real, fake) < backwards.generator(real, real)
    assert backwards.needs_real == face().loss.needs_real


def test_an_optimiser_of_copies_moves_no_network(dataset: Dataset) -> None:
    recipe = planted("net-not-updated", "optimiser-of-copies", dataset).recipe
    network = torch.nn.Linear(2, 1)
    before = network.weight.clone()
    optimizer = recipe.optimizers.discriminator.build(list(network.parameters()))
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert torch.equal(network.weight, before)


def test_a_cut_generator_gets_no_gradient(dataset: Dataset) -> None:
    recipe = planted("net-not-updated", "gradient-cut", dataset).recipe
    network = recipe.build_generator(seed=0)
    network(torch.randn(4, recipe.latent.size)).square().sum().backward()
    assert all(p.grad is not None and not p.grad.any() for p in network.parameters())


def test_dead_units_are_dead_in_the_share_that_is_said(dataset: Dataset) -> None:
    wanted = ("dead-units", "most", "generator")
    (fault,) = [f for f in FAULTS if (f.kind, f.name, f.where) == wanted]
    recipe = fault.spoil(Subject(BASES[fault.base](), dataset)).recipe
    network, dead = recipe.build_generator(seed=0), []
    for module in network.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_hook(
                lambda _, __, maps: dead.append(
                    float((maps.amax(dim=(0, 2, 3)) <= 0).float().mean())
                )
            )
    network(torch.randn(64, recipe.latent.size))
    assert len(dead) == 3
    assert dead == pytest.approx([0.8] * 3, abs=0.05)


def test_a_case_is_trained_and_leaves_its_truth(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault("beta1-too-high", "quick", "development", "tutorial", lambda s: s, images=120)
    case = Case(fault, "portraits", 4)
    monkeypatch.setattr(runner, "all_cases", lambda: {case.id: case})
    (tmp_path / "data").symlink_to(dataset.folder.parent)
    found = runner.train_case(case.id, tmp_path)
    folder = tmp_path / "runs" / "development" / "beta1-too-high" / "quick-portraits-4"
    written = json.loads((folder / runner.TRUTH).read_text())
    assert written == found
    assert (written["kind"], written["ended"], written["seed"]) == ("beta1-too-high", "finished", 4)
    assert next(records.read(folder / "metrics.jsonl")).images_seen == 32
    assert list((folder / "samples").glob("*.png"))
    assert not (folder / "checkpoints").exists()
    run = json.loads((folder / "run.json").read_text())
    assert run["recipe"] == to_dict(tutorial())
    assert runner.train_case(case.id, tmp_path)["ended"] == runner.BEFORE
    other = replace(fault, spoil=lambda s: replace(s, recipe=replace(s.recipe, batch=40)))
    monkeypatch.setattr(runner, "all_cases", lambda: {case.id: Case(other, "portraits", 4)})
    assert runner.train_case(case.id, tmp_path)["ended"] == "finished"


# ---- judging


@dataclass(frozen=True)
class Said:
    kind: str
    where: str = ""
    severity: str = "ill"


def course_of(folder: Path, kind: str, where: str = "", onset: float = 0.0) -> Path:
    folder.mkdir()
    truth = {"id": folder.name, "kind": kind, "where": where, "onset": onset, "images": 1000}
    (folder / runner.TRUTH).write_text(json.dumps(truth))
    numbers = (f.name for f in fields(records.Record) if f.default_factory is MISSING)
    plain = dict.fromkeys(numbers, 1.0)
    for number in range(1, 21):
        records.append(
            folder / "metrics.jsonl", records.Record(**{**plain, "images_seen": 50 * number})
        )
    return folder


def test_a_case_is_named_when_the_planted_kind_is_first_found(tmp_path: Path) -> None:
    folder = course_of(tmp_path / "a", "late-drift", onset=0.5)

    def doctor(_: Path, course: list[records.Record]) -> list[Said]:
        late = [Said("late-drift", severity="warning")] if course[-1].images_seen >= 680 else []
        return [Said("oscillation"), *late, Said("finished", severity="note")]

    verdict = judge(folder, doctor)
    assert verdict.said == ("oscillation", "late-drift")
    assert not verdict.is_first
    assert verdict.is_among(3)
    assert verdict.named == pytest.approx(0.2)


def test_the_right_kind_in_the_wrong_network_is_not_right(tmp_path: Path) -> None:
    folder = course_of(tmp_path / "a", "dead-units", where="generator")
    wrong = judge(folder, lambda *_: [Said("dead-units", "discriminator")])
    right = judge(folder, lambda *_: [Said("dead-units", "generator")])
    assert (wrong.is_first, right.is_first) == (False, True)
    assert summarize([wrong, right])["first"] == 0.5
    assert summarize([wrong, right])["first_kind"] == 1.0


def test_notes_are_no_alarms_and_ill_healthy_runs_are_counted(tmp_path: Path) -> None:
    folder = course_of(tmp_path / "a", HEALTHY)
    well = judge(
        folder, lambda *_: [Said("memorised", severity="note"), Said("healthy", severity="well")]
    )
    warned = judge(folder, lambda *_: [Said("beta1-too-high", severity="warning")])
    ill = judge(folder, lambda *_: [Said("total-collapse")])
    done = judge(folder, lambda *_: [Said("finished", severity="note")])
    assert (well.said, well.is_first) == ((HEALTHY,), True)
    assert done.said == ("finished",)
    summary = summarize([well, warned, ill, done])
    assert len(summary["false_alarms"]) == 1
    assert len(summary["false_warnings"]) == 1
    assert summary["confusion"][HEALTHY] == {
        HEALTHY: 1,
        "beta1-too-high": 1,
        "total-collapse": 1,
        "finished": 1,
    }
    assert (
        "4 healthy runs: 1 called ill at their end, 1 at some record on the way, 1 warned"
        in table(summary)
    )
    assert ill.ill_moments == 20 and not warned.ill_moments
