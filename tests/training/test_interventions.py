"""An intervention as the state of a folder: written first, carried out whole, whatever comes between."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facesmith import checkpoint
from facesmith.base import records
from facesmith.base.errors import StorageError, UsageError
from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.base.schedules import Constant
from facesmith.health.finding import Change, Finding, Remedy
from facesmith.recipe import Recipe
from facesmith.training import interventions, mending
from facesmith.training.folder import RunFolder
from facesmith.training.interventions import Changed, Intervention, Treatment

BEGUN = Recipe(batch=8)
AFTER = replace(BEGUN, input_noise=Constant(0.1))
MADE = Intervention(
    number=1,
    images_seen=40,
    back_to=24,
    seconds=9.5,
    kind="discriminator-too-strong",
    where="discriminator",
    title="D is too strong.",
    since=32,
    changes=(Changed("input_noise", "0", "0.1"),),
    recipe=to_dict(AFTER),
)


def fill(path: Path, *interventions: Intervention) -> Path:
    """Make a run folder of 40 images, with a checkpoint, a sheet and a record every 8."""
    blank: Any = {name: 0.0 for name in list(Record.__dataclass_fields__)[:15]}
    with RunFolder(path) as folder:
        for images in range(8, 48, 8):
            saved = folder.checkpoint_at(images)
            saved.mkdir()
            (saved / "weights").write_text(str(images))
            records.append(folder.metrics, replace(Record(**blank), images_seen=images))
        for images in range(0, 48, 8):
            (folder.samples / f"fakes-{images:012d}.png").write_text(str(images))
        (folder.path / "reals.png").touch()
        (folder.samples / "mine.txt").touch()
        folder.log_event("started")
    Treatment(to_dict(BEGUN), interventions).write(path)
    return path


def settle(path: Path) -> Treatment:
    with RunFolder(path) as folder:
        return interventions.settle(folder)


def content(path: Path) -> dict[str, str]:
    """Give what a run folder holds, without what tells the time."""
    texts = {
        str(file.relative_to(path)): file.read_text()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name not in ("log.txt", ".lock")
    }
    lines = map(json.loads, texts["events.jsonl"].splitlines())
    events = [{k: v for k, v in event.items() if k != "time"} for event in lines]
    return {**texts, "events.jsonl": json.dumps(events)}


def seen(metrics: Path) -> list[int]:
    return [record.images_seen for record in records.read(metrics)]


def test_the_run_goes_back_and_what_is_given_up_is_kept(tmp_path: Path) -> None:
    path = fill(tmp_path / "run", MADE)
    treatment = settle(path)
    assert treatment.made == (replace(MADE, settled=True),)
    assert interventions.read(path) == treatment
    assert [p.name[-2:] for p in checkpoint.complete(path / "checkpoints")] == ["08", "16", "24"]
    assert seen(path / "metrics.jsonl") == [8, 16, 24]
    assert seen(path / "abandoned/1/metrics.jsonl") == [32, 40]
    here = sorted(p.name[-6:-4] for p in (path / "samples").glob("*.png"))
    there = sorted(p.name[-6:-4] for p in (path / "abandoned/1/samples").iterdir())
    assert (here, there) == (["00", "08", "16", "24"], ["32", "40"])
    assert (path / "samples/mine.txt").exists(), "what is not a sheet is not ours"
    *_, event = map(json.loads, (path / "events.jsonl").read_text().splitlines())
    assert {name: event[name] for name in event if name != "time"} == {
        "event": "intervention",
        "number": 1,
        "images_seen": 40,
        "back_to": 24,
        "seconds": 9.5,
        "kind": "discriminator-too-strong",
        "where": "discriminator",
        "title": "D is too strong.",
        "since": 32,
        "changes": [{"option": "input_noise", "old": "0", "new": "0.1"}],
    }


def test_a_new_beginning_gives_everything_up(tmp_path: Path) -> None:
    path = fill(tmp_path / "run", replace(MADE, back_to=0))
    settle(path)
    assert checkpoint.complete(path / "checkpoints") == []
    assert seen(path / "metrics.jsonl") == []
    assert seen(path / "abandoned/1/metrics.jsonl") == [8, 16, 24, 32, 40]
    assert not list((path / "samples").glob("*.png"))
    assert len(list((path / "abandoned/1/samples").iterdir())) == 6


def test_what_is_settled_is_settled(tmp_path: Path) -> None:
    path = fill(tmp_path / "run", replace(MADE, settled=True))
    before = content(path)
    settle(path)
    assert content(path) == before
    assert len(seen(path / "metrics.jsonl")) == 5, "later records are of the mended run"


def test_a_second_one_has_a_folder_of_its_own(tmp_path: Path) -> None:
    path = fill(tmp_path / "run", MADE)
    settle(path)
    second = replace(MADE, number=2, images_seen=24, back_to=8)
    interventions.read(path).after(AFTER, second).write(path)
    treatment = settle(path)
    assert treatment.begun == to_dict(BEGUN), "not what was in force in between"
    assert seen(path / "abandoned/1/metrics.jsonl") == [32, 40]
    assert seen(path / "abandoned/2/metrics.jsonl") == [16, 24]
    events = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]
    assert [e["number"] for e in events if e["event"] == "intervention"] == [1, 2]


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


@pytest.fixture
def die(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], list[str]]:
    """Die at the n-th act of an intervention: before it if n is even, after it if odd."""
    places: list[tuple[Any, str]] = [
        (records, "write"),
        (Path, "replace"),
        (checkpoint, "remove"),
        (RunFolder, "log_event"),
        (checkpoint, "write_json"),
    ]

    def at(path: Path, moment: int) -> list[str]:
        acts: list[str] = []

        def dying(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
            def act(*args: Any, **named: Any) -> Any:
                acts.append(name)
                if len(acts) - 1 == moment / 2:
                    raise Killed
                number, done = len(acts) - 1, inner(*args, **named)
                if number == (moment - 1) / 2:
                    raise Killed
                return done

            return act

        with monkeypatch.context() as patch:
            for owner, name in places:
                patch.setattr(owner, name, dying(name, getattr(owner, name)))
            try:
                settle(path)
            except Killed:
                acts.append("killed")
        return acts

    return at


def test_a_kill_at_any_act_loses_nothing(
    tmp_path: Path, die: Callable[[Path, int], list[str]]
) -> None:
    whole = fill(tmp_path / "whole", MADE)
    settle(whole)
    acts = die(fill(tmp_path / "counted", MADE), -10)  # never
    assert "killed" not in acts
    assert {"write", "replace", "remove", "log_event", "write_json"} <= set(acts)
    for moment in range(2 * len(acts)):
        path = fill(tmp_path / f"killed-{moment}", MADE)
        assert die(path, moment)[-1] == "killed"
        settle(path)
        assert content(path) == content(whole), f"{acts[moment // 2]}, act {moment // 2}"


def test_a_full_disk_says_what_to_do_and_the_next_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fill(tmp_path / "run", MADE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(records, "write", full)
        with pytest.raises(StorageError, match="back to 24 images") as caught:
            settle(path)
    assert caught.value.needed == "free space"
    assert settle(path).made[-1].settled
    assert seen(path / "abandoned/1/metrics.jsonl") == [32, 40]


# ---- the recipe in force


def test_both_the_first_command_and_the_recipe_in_force_go_on(tmp_path: Path) -> None:
    treatment = Treatment(to_dict(BEGUN), (MADE,))
    assert treatment.in_force(BEGUN, tmp_path) == AFTER
    assert treatment.in_force(AFTER, tmp_path) == AFTER
    with pytest.raises(UsageError, match="begun with other settings: batch 8 -> 16"):
        treatment.in_force(replace(BEGUN, batch=16), tmp_path)
    assert Treatment().in_force(BEGUN, tmp_path) == BEGUN


def test_changes_are_summed_up_from_the_first_value_to_the_last() -> None:
    second = replace(
        MADE, changes=(Changed("input_noise", "0.1", "0.2"), Changed("batch", "8", "16"))
    )
    summed = Treatment({}, (MADE, second)).changes()
    assert summed == [Changed("input_noise", "0", "0.2"), Changed("batch", "8", "16")]
    assert str(summed[0]) == "--input-noise 0.2 (was 0)"
    assert str(Changed("penalties.0.gamma", "", "1")) == "--penalties.0.gamma 1 (was not there)"


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("1e-4", "5e-5", "down"),
        ("1e-4", "linear(2e-4, 0, 1k)", "up"),
        ("none", "r1", "r1"),
        ("batch", "layer", "layer"),
        ("", "3", "3"),
    ],
)
def test_a_change_has_a_direction(old: str, new: str, way: str) -> None:
    assert Changed("x", old, new).direction == ("x", way)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"begun": {}}', '{"begun": {}, "made": [{"number": 1}]}']
)
def test_a_file_that_cannot_be_understood_is_no_file_to_pass_over(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "interventions.json").write_text(text)
    with pytest.raises(StorageError, match="cannot be understood"):
        interventions.read(tmp_path)


# ---- what an intervention consists of


def remedy(*changes: Change) -> Remedy:
    return Remedy("Do it.", changes, trusted=True)


def found(since: int, *changes: Change) -> Finding:
    return Finding("kind", "ill", "It is ill.", since, "So it is.", remedy(*changes))


NOISE = Change("input_noise", "0.1")


def test_a_remedy_is_applied_as_it_would_be_typed() -> None:
    changes = (Change("penalties", "r1(gamma=1, every=4)"), Change("penalties.0.gamma", "2"))
    after = mending.mended(BEGUN, remedy(*changes))
    assert after is not None
    assert mending.differences(BEGUN, after, remedy(*changes)) == (
        Changed("penalties", "none", "r1(every=4, gamma=2)"),
        Changed("penalties.0.gamma", "", "2"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (Change("batch", "8"),),  # as it is
        (Change("bach", "16"),),
        (Change("batch", "0"),),
        (NOISE, Change("loss", "r1")),
        (Change("resolution", "32"),),  # the photos would have to be prepared anew
        (Change("penalties", "gradient-penalty"), Change("discriminator.normalization", "batch")),
    ],
)
def test_a_remedy_that_changes_nothing_or_cannot_be_is_none(changes: tuple[Change, ...]) -> None:
    assert mending.mended(BEGUN, remedy(*changes)) is None


def test_advice_about_the_mended_recipe_does_not_stop_it() -> None:
    # Under pytest, what recipe.check() warns of is raised: R1 beside batch norm.
    assert mending.mended(BEGUN, remedy(Change("penalties", "r1"))) is not None


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Whole checkpoints of 8, 16 and 24 images."""
    for images in (8, 16, 24):
        checkpoint.save(tmp_path / f"{images:012d}", {}, {})
    return tmp_path


@pytest.mark.parametrize(
    ("since", "moment"), [(40, 24), (25, 24), (24, 16), (17, 16), (8, 0), (0, 0)]
)
def test_the_moment_is_the_last_before_the_fault(since: int, moment: int, saved: Path) -> None:
    assert mending.moment(saved, found(since, NOISE)) == moment


def test_a_damaged_checkpoint_is_no_place_to_go_back_to(saved: Path) -> None:
    (saved / f"{24:012d}" / "state.json").write_text("{}")
    assert mending.moment(saved, found(40, NOISE)) == 16


@pytest.mark.parametrize(
    ("option", "anew"),
    [
        ("generator.width", True),
        ("discriminator", True),
        ("latent.size", True),
        ("scaling", True),
        ("optimizers.generator", True),
        ("optimizers.generator.learning_rate", False),
        ("penalties", False),
        ("loss", False),
    ],
)
def test_what_cannot_use_the_weights_begins_anew(option: str, anew: bool, saved: Path) -> None:
    both = found(40, NOISE, Change(option, "1"))
    assert mending.moment(saved, both) == (0 if anew else 24)
