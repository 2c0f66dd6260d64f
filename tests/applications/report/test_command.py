from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.command import fresh, next_command, shown, train
from facesmith.applications.report.settings import differences, spoken, written
from facesmith.base.registry import parse, to_dict
from facesmith.base.schedules import Cosine
from facesmith.cli import options
from facesmith.cli.train import Train
from facesmith.health.finding import Change, Finding, Remedy
from facesmith.objectives.losses import NonSaturating
from facesmith.objectives.penalties import R1, R2
from facesmith.recipe import Recipe
from facesmith.recipes import find_recipe

Make = Callable[..., Path]


def typed(command: str) -> Train:
    """Read a printed command as the program does."""
    program, verb, name, *rest = shlex.split(command)
    assert (program, verb) == ("facesmith", "train")
    recipe, rest = options.swap_parts(find_recipe(name), rest)
    return options.read(Train, rest, verb="train", default=Train(recipe=recipe, data=""))


def changed(recipe: Recipe) -> Recipe:
    rates = replace(recipe.optimizers.generator, learning_rate=Cosine(4e-4, 1e-5, 500_000))
    return replace(
        recipe,
        resolution=32,
        batch=48,
        loss=NonSaturating(real_label=0.9),
        penalties=(R1(every=4), R2(every=4)),
        generator=replace(recipe.generator, width=16, widths=(32, 16)),
        optimizers=replace(recipe.optimizers, generator=rates),
    )


def attempt(folder: Path, recipe: Recipe, **more: Any) -> Attempt:
    tree = json.loads((folder / "run.json").read_text())
    tree["recipe"] = to_dict(recipe)
    (folder / "run.json").write_text(json.dumps(tree))
    return replace(Attempt.read(folder), **more)


def test_a_command_makes_the_same_recipe_again(run_folder: Make) -> None:
    recipe = changed(find_recipe("face"))
    again = typed(train(attempt(run_folder(), recipe), (), Path("runs/x y")))
    assert again.recipe == recipe
    assert (again.data, again.images, again.run) == ("/data/faces", "4000", Path("runs/x y"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("optimizers.generator.learning_rate", "cosine(2e-4, 0, 100k)"),
        ("batch", "96"),
        ("penalties", "r1(gamma=1, every=4) r2(gamma=2)"),
        ("penalties", "none"),
        ("loss", "hinge"),
    ],
)
def test_a_command_makes_the_change_and_nothing_else(
    run_folder: Make, option: str, value: str
) -> None:
    recipe = changed(find_recipe("face"))
    made = typed(train(attempt(run_folder(), recipe), [Change(option, value)], Path("r"))).recipe
    found = {name for name, _ in differences(to_dict(made), to_dict(recipe))}
    assert found == {option}


def test_a_recipe_of_somebodys_own_is_left_to_him(run_folder: Make) -> None:
    recipe = replace(find_recipe("face"), name="mine")
    words = shlex.split(train(attempt(run_folder(), recipe), [Change("batch", "96")], Path("r")))
    assert words[2] == "RECIPE" and words[-4:] == ["--batch", "96", "--run", "r"]


def test_settings_of_the_run_are_repeated_where_they_are_not_the_usual_ones(
    run_folder: Make,
) -> None:
    run = {"images": 4000, "seed": 7, "device": "cpu", "precision": "auto", "balance": ["Male"]}
    found = attempt(run_folder(), find_recipe("face"), tree={"run": run})
    again = typed(train(found, (), Path("r")))
    assert (again.seed, again.device, again.precision, again.balance) == (7, "cpu", "auto", "Male")


def test_next_is_the_first_remedy_then_the_rest_then_pictures(run_folder: Make) -> None:
    folder = run_folder()
    cure = Finding("batch-too-small", "ill", "t", 0, "e", Remedy("a", (Change("batch", "96"),)))
    second = Finding("batch-too-small", "ill", "t", 0, "e", Remedy("a", (Change("flip", "0.1"),)))
    note = replace(second, severity="note")
    found = attempt(folder, find_recipe("face"))
    said = next_command(replace(found, findings=(note, cure, second)))
    assert "--batch 96" in said and "--flip" not in said
    assert typed(said).run == folder.with_name("faces-64-2")
    said = next_command(replace(found, findings=(note,)))
    assert typed(said).run == folder and "--flip" not in said
    done = replace(found, facts=replace(found.facts, planned=2000), findings=(note,))
    assert next_command(done) == f"facesmith generate {folder} --seeds 0-63"
    foreign = replace(done, facts=replace(done.facts, recipe={}), findings=(cure,))
    assert next_command(foreign) == f"facesmith diagnose {folder}"


def test_a_new_folder_is_one_that_is_not_there(tmp_path: Path) -> None:
    assert fresh(tmp_path / "face-64").name == "face-64-2"
    (tmp_path / "face-64-2").mkdir()
    assert fresh(tmp_path / "face-64").name == "face-64-3"
    assert fresh(tmp_path / "face-64-2").name == "face-64-3"
    assert fresh(tmp_path / "mine").name == "mine-2"


def test_a_shown_command_keeps_options_with_their_values(reader: Any) -> None:
    read = reader(shown("facesmith train face --data 'a b' --loss '<b>' --penalties r1 r2"))
    assert len(read.of("span")) == 4
    assert read.text == "facesmith train face --data 'a b' --loss '<b>' --penalties r1 r2"


def test_settings_are_spoken_as_they_are_typed() -> None:
    said = spoken(to_dict(changed(find_recipe("face"))))
    assert said["loss"] == "non-saturating" and said["loss.real_label"] == "0.9"
    assert said["optimizers.generator.learning_rate"] == "cosine(0.0004, 1e-05, 500000, 0)"
    assert said["penalties"] == "r1(every=4) r2(every=4)"
    assert said["generator.widths"] == "32 16" and said["batch"] == "48"
    assert spoken({"a": None, "b": [], "c": True}) == {"a": "none", "b": "none", "c": "True"}


def test_written_parts_can_be_read() -> None:
    for part in (R1(gamma=Cosine(1.0, 0.1, 1000), every=4), NonSaturating(real_label=0.9)):
        assert parse(written(to_dict(part))) == part


def test_parts_that_are_not_known_are_written_as_they_are() -> None:
    tree = {"part": "MyOwn", "strength": 0.5, "inner": {"part": "Other"}}
    assert written(tree) == "my-own(strength=0.5, inner=other)"
    assert spoken(tree, "loss") == {"loss": "my-own", "loss.strength": "0.5", "loss.inner": "other"}


def test_photos_at_fault_are_looked_at_first(run_folder: Make) -> None:
    found = attempt(run_folder(), find_recipe("face"))
    copies = Finding("data-duplicated", "ill", "t", 0, "e", Remedy("a"))
    other = Finding("batch-too-small", "ill", "t", 0, "e", Remedy("a", (Change("batch", "96"),)))
    facts = replace(found.facts, data={"folder": "/my photos"})
    said = next_command(replace(found, facts=facts, findings=(copies, other)))
    assert said == "facesmith audit '/my photos'"
    said = next_command(replace(found, facts=facts, findings=(other, copies)))
    assert "--batch 96" in said
