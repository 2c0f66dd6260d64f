"""The autopilot: planted faults, each mended by a change of the recipe, and what it must not do."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import facesmith
from facesmith import checkpoint
from facesmith.architectures import Latent, MLPDiscriminator, MLPGenerator
from facesmith.base import records
from facesmith.base.errors import DivergedError, UsageError
from facesmith.base.records import Record
from facesmith.base.registry import from_dict
from facesmith.base.schedules import Constant
from facesmith.data.dataset import Dataset
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Finding, Remedy, Severity
from facesmith.measuring.meter import Meter
from facesmith.measuring.probe import Found
from facesmith.optimizers import Adam, Optimizers
from facesmith.recipe import Recipe
from facesmith.training import autopilot, continuation, interventions, loop, observers, watch
from facesmith.training.autopilot import Pilot, with_checkpoints
from facesmith.training.folder import RunFolder
from facesmith.training.loop import Outcome
from facesmith.training.observers import Observer
from facesmith.training.run import Run
from facesmith.training.view import View
from facesmith.training.watch import Health

RunIn = Callable[..., Run]
Rule = Callable[[Sequence[Record], RunFacts], list[Finding]]
RATE = "optimizers.discriminator.learning_rate"
LENGTH = 64
ADAM = Adam(learning_rate=Constant(1e-3))
SMALL = Recipe(
    name="small",
    resolution=16,
    latent=Latent(size=4),
    generator=MLPGenerator(widths=(8,)),
    discriminator=MLPDiscriminator(widths=(8,), pieces=2, input_dropout=0.2, dropout=0.5),
    optimizers=Optimizers(generator=ADAM, discriminator=ADAM),
    batch=8,
)


class Blind:
    """In the place of the instruments, which take most of the time of a tiny run: faults are planted here."""

    def __init__(self, view: View) -> None:
        self.batch = view.recipe.batch

    def facts(self) -> dict[str, Any]:
        return {"batch": self.batch}

    def examine(self, *, due: bool) -> AbstractContextManager[None]:
        return nullcontext()

    def look(self, meter: Meter) -> tuple[Found, dict[str, dict[str, float]]]:
        return Found(), {}


@pytest.fixture(autouse=True, scope="module")
def blind() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Signals", Blind)
        patch.setattr(observers, "SHEET", 4)
        yield


@pytest.fixture
def paced(run_in: RunIn) -> RunIn:
    """A run of eight records, each with a checkpoint, that looks at few pictures."""

    def make(name: str, images: int = LENGTH, **more: object) -> Run:
        paces = {"record_every": 8, "checkpoint_every": 8, "sample_every": 24, "keep": 99, **more}
        return run_in(name, images, **paces)

    return make


def finding(
    since: int,
    *changes: Change,
    kind: str = "discriminator-too-strong",
    severity: Severity = "ill",
    trusted: bool = True,
) -> Finding:
    remedy = Remedy("Slow it down.", changes, trusted)
    return Finding(kind, severity, f"It is {kind}.", since, "So it is.", remedy, "discriminator")


def too_fast(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
    """From 24 images on, a learning rate of D above 5e-4 is too high."""
    now = known[-1]
    if now.images_seen >= 24 and now.learning_rates["discriminator"] > 5e-4:
        return [finding(24, Change(RATE, "5e-4"))]
    return []


def plant(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    monkeypatch.setattr(watch, "diagnose", rule)


def fly(run: Run, data: Dataset, *more: Observer, recipe: Recipe = SMALL) -> Outcome:
    health = Health()
    watching = observers.standard(*more, health=health)
    return autopilot.train(recipe, run, data, watching, health)


def events(run: Run, kind: str) -> list[dict[str, Any]]:
    lines = map(json.loads, (run.folder / "events.jsonl").read_text().splitlines())
    return [event for event in lines if event["event"] == kind]


def rates(metrics: Path) -> dict[int, float]:
    return {r.images_seen: r.learning_rates["discriminator"] for r in records.read(metrics)}


def weights(run: Run) -> dict[str, bytes]:
    newest = checkpoint.complete(run.folder / "checkpoints")[-1]
    return {file.name: file.read_bytes() for file in newest.glob("*.safetensors")}


class StopAt:
    def __init__(self, images: int) -> None:
        self.images = images

    def started(self, view: View) -> None:
        pass

    def stepped(self, view: View, record: Record) -> str | None:
        return "test" if record.images_seen == self.images else None

    def finished(self, view: View, reason: str) -> None:
        pass


class KillAt(StopAt):
    def stepped(self, view: View, record: Record) -> str | None:
        if record.images_seen == self.images:
            raise KeyboardInterrupt
        return None


# ---- one intervention


@pytest.fixture(scope="module")
def mended(portraits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose fault was found at 24 and 32 images, and mended."""
    paces = {"record_every": 8, "checkpoint_every": 8, "sample_every": 24, "keep": 99}
    folder = tmp_path_factory.mktemp("mended") / "run"
    run = Run(folder, LENGTH, device="cpu", precision="fp32", **paces)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        plant(patch, too_fast)
        assert fly(run, portraits) == Outcome(LENGTH, "finished")
    return run


def test_the_run_goes_back_before_the_fault_and_on_with_the_remedy(mended: Run) -> None:
    (event,) = events(mended, "intervention")
    told = {name: event[name] for name in ("number", "images_seen", "back_to", "kind", "since")}
    assert told == {
        "number": 1,
        "images_seen": 32,  # the second diagnosis in a row
        "back_to": 16,  # at 24 the fault was there
        "kind": "discriminator-too-strong",
        "since": 24,
    }
    assert event["changes"] == [{"option": RATE, "old": "0.001", "new": "0.0005"}]
    assert rates(mended.folder / "metrics.jsonl") == {
        **{images: 1e-3 for images in (8, 16)},
        **{images: 5e-4 for images in (24, 32, 40, 48, 56, 64)},
    }


def test_the_optimiser_takes_the_change(mended: Run, portraits: Dataset, paced: RunIn) -> None:
    plain = paced("plain")
    loop.train(SMALL, plain, portraits)
    assert (
        weights(plain)["discriminator.safetensors"] != weights(mended)["discriminator.safetensors"]
    )


def test_what_is_given_up_is_kept(mended: Run) -> None:
    kept = mended.folder / "abandoned/1"
    assert rates(kept / "metrics.jsonl") == {24: 1e-3, 32: 1e-3}
    names = sorted(int(p.stem.removeprefix("fakes-")) for p in (kept / "samples").iterdir())
    assert names == [24, 32]
    here = [int(p.stem.removeprefix("fakes-")) for p in (mended.folder / "samples").iterdir()]
    assert sorted(here) == [0, 24, 48, 64]


def test_the_recipe_in_force_is_written_everywhere(mended: Run) -> None:
    after = replace(
        SMALL,
        optimizers=Optimizers(
            generator=ADAM, discriminator=replace(ADAM, learning_rate=Constant(5e-4))
        ),
    )
    run_json = json.loads((mended.folder / "run.json").read_text())
    assert from_dict(run_json["recipe"]) == after
    assert facesmith.load(mended.folder).snapshot.recipe == after
    newest = checkpoint.complete(mended.folder / "checkpoints")[-1]
    assert from_dict(checkpoint.load(newest, only=())[1]["recipe"]) == after
    # One of before holds what it was made with.
    assert from_dict(checkpoint.load(newest.with_name(f"{16:012d}"), only=())[1]["recipe"]) == SMALL


def test_time_that_was_given_up_counts(mended: Run) -> None:
    (event,) = events(mended, "intervention")
    seconds = [r.seconds for r in records.read(mended.folder / "metrics.jsonl")]
    assert seconds == sorted(seconds)
    assert seconds[1] < event["seconds"] < seconds[2]


# ---- interruptions


@pytest.mark.parametrize("stop", [8, 16, 24, 32, 40, 56])
@pytest.mark.parametrize("way", [StopAt, KillAt])
def test_interrupted_and_continued_it_is_the_same_run(
    stop: int,
    way: type[StopAt],
    mended: Run,
    portraits: Dataset,
    paced: RunIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, too_fast)
    run, stopper = paced("broken"), way(stop)
    if way is StopAt:
        assert fly(run, portraits, stopper).reason == "test"
    else:
        with pytest.raises(KeyboardInterrupt):
            fly(run, portraits, stopper)
    fly(run, portraits)
    assert weights(run) == weights(mended)
    assert len(events(run, "intervention")) == 1
    assert rates(run.folder / "metrics.jsonl") == rates(mended.folder / "metrics.jsonl")
    abandoned = "abandoned/1/metrics.jsonl"
    assert rates(run.folder / abandoned) == rates(mended.folder / abandoned)


@pytest.mark.parametrize("place", ["write", "settle"])
def test_killed_between_stop_and_return_it_is_the_same_run(
    place: str,
    mended: Run,
    portraits: Dataset,
    paced: RunIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, too_fast)
    run = paced("killed")
    calls = []

    def die(*given: Any) -> Any:
        calls.append(given)
        # The first time that a folder is settled, there is nothing to do yet.
        if place == "write" or len(calls) == 2:
            raise KeyboardInterrupt
        return interventions.settle(*given)

    with monkeypatch.context() as patch:
        patch.setattr(
            *((interventions.Treatment, "write") if place == "write" else (loop, "settle")), die
        )
        with pytest.raises(KeyboardInterrupt):
            fly(run, portraits)
    assert (run.folder / "interventions.json").exists() == (place == "settle")
    assert events(run, "intervention") == []
    newest = checkpoint.complete(run.folder / "checkpoints")[-1]
    assert int(newest.name) == 32, "nothing is undone yet"
    fly(run, portraits)
    assert weights(run) == weights(mended)
    assert len(events(run, "intervention")) == 1


def test_without_the_autopilot_the_recipe_in_force_goes_on_and_is_named(
    mended: Run,
    portraits: Dataset,
    paced: RunIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plant(monkeypatch, too_fast)
    run = paced("alone")
    fly(run, portraits, StopAt(24)), fly(run, portraits, StopAt(40))
    assert len(events(run, "intervention")) == 1
    with RunFolder(run.folder) as folder:
        continuation.check_start(SMALL, run, folder)
        with pytest.raises(UsageError, match="other settings: batch 8 -> 4"):
            continuation.check_start(replace(SMALL, batch=4), run, folder)
    caplog.clear()
    with caplog.at_level(logging.INFO, "facesmith"):
        loop.train(SMALL, run, portraits, observers.standard())
    assert (
        f"as changed in 1 interventions: --{RATE.replace('_', '-')} 0.0005 (was 0.001)"
        in caplog.text
    )
    assert weights(run) == weights(mended)
    with pytest.raises(UsageError, match="other settings: batch 8 -> 4"):
        loop.train(replace(SMALL, batch=4), replace(run, images=72), portraits)


def test_a_refusal_comes_also_where_no_checkpoint_is_left(
    portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(
        monkeypatch,
        lambda known, facts: (
            [finding(0, Change("input_noise", "0.1"))] if facts.number("input_noise") == 0 else []
        ),
    )
    run = paced("anew")
    with pytest.raises(KeyboardInterrupt):
        fly(run, portraits, KillAfter(1))
    assert checkpoint.complete(run.folder / "checkpoints") == []
    with pytest.raises(UsageError, match="batch 8 -> 4"):
        loop.train(replace(SMALL, batch=4), run, portraits)
    fly(run, portraits)
    assert len(rates(run.folder / "metrics.jsonl")) == 8


class KillAfter(StopAt):
    """Raises at the first record after so many interventions."""

    def __init__(self, number: int) -> None:
        self.number = number

    def started(self, view: View) -> None:
        if len(interventions.read(view.folder.path).made) == self.number:
            raise KeyboardInterrupt

    def stepped(self, view: View, record: Record) -> str | None:
        return None


# ---- what is changed, and where it leads


def test_other_networks_begin_anew(
    portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        narrow = facts.recipe["generator"]["widths"] == [8]
        return [finding(40, Change("generator.widths", "12"))] if narrow and len(known) > 4 else []

    plant(monkeypatch, rule)
    run = paced("wider")
    fly(run, portraits)
    (event,) = events(run, "intervention")
    assert (event["images_seen"], event["back_to"]) == (48, 0)
    assert event["changes"] == [{"option": "generator.widths", "old": "8", "new": "12"}]
    assert sorted(rates(run.folder / "metrics.jsonl")) == list(range(8, 72, 8))
    assert sorted(rates(run.folder / "abandoned/1/metrics.jsonl")) == list(range(8, 56, 8))
    generator = facesmith.load(run.folder).snapshot.generator
    assert 12 in {len(p) for p in generator.parameters()}


def test_a_changed_start_learns_what_a_run_begun_so_learns(
    portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        return [finding(0, Change("batch", "4"))] if facts.batch == 8 else []

    plant(monkeypatch, rule)
    run, straight = paced("changed", 32), paced("straight", 32)
    fly(run, portraits)
    plant(monkeypatch, lambda known, facts: [])
    loop.train(replace(SMALL, batch=4), straight, portraits)
    assert weights(run) == weights(straight)


# ---- when it does nothing


@pytest.mark.parametrize(
    "found",
    [
        finding(8, Change(RATE, "5e-4"), trusted=False),
        finding(8, Change(RATE, "5e-4"), severity="warning"),
        finding(8, Change(RATE, "5e-4"), severity="note"),
        finding(8),
        finding(8, Change("nothing.of_this_name", "1")),
        finding(8, Change(RATE, "1e-3")),
    ],
    ids=["not trusted", "warning", "note", "no change", "unknown", "as it is"],
)
def test_only_what_is_ill_and_can_be_mended_is_acted_on(
    found: Finding, portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, lambda known, facts: [found])
    run = paced("run", 32, sample_every=64)
    assert fly(run, portraits).reason == "finished"
    assert not (run.folder / "interventions.json").exists()
    assert not (run.folder / "abandoned").exists()


def test_a_trusted_remedy_behind_an_untrusted_one_is_taken(
    portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = finding(8, Change("flip", "0"), kind="other", trusted=False)
    plant(monkeypatch, lambda known, facts: [first, *too_fast(known, facts)])
    run = paced("run", 40, sample_every=64)
    fly(run, portraits)
    assert [e["kind"] for e in events(run, "intervention")] == ["discriminator-too-strong"]


def test_one_diagnosis_is_not_enough(
    portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(
        monkeypatch,
        lambda known, facts: too_fast(known, facts) if known[-1].images_seen % 16 == 0 else [],
    )
    run = paced("run", 56, sample_every=64)
    fly(run, portraits)
    assert not (run.folder / "interventions.json").exists()


def test_off_unless_asked_for(
    portraits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, too_fast)
    given: Any = {
        "data": portraits,
        "images": LENGTH,
        "device": "cpu",
        "precision": "fp32",
        "record_every": 8,
        "progress": False,
    }
    facesmith.train(SMALL, **given, run=tmp_path / "off")
    assert not (tmp_path / "off/interventions.json").exists()
    assert set(rates(tmp_path / "off/metrics.jsonl").values()) == {1e-3}
    model = facesmith.train(SMALL, **given, run=tmp_path / "on", autopilot=True)
    assert (tmp_path / "on/interventions.json").exists()
    rate = model.snapshot.recipe.optimizers.discriminator.learning_rate
    assert rate == Constant(5e-4)
    kept = [int(p.name) for p in checkpoint.complete(tmp_path / "on/checkpoints")]
    assert kept == list(range(24, 72, 8)), "six, one at each record of so short a run"


# ---- limits


def test_there_are_four_interventions_at_most(
    portraits: Dataset,
    paced: RunIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wishes = [
        ("input_noise", "0.1"),
        ("layer_noise", "0.1"),
        ("flip", "0"),
        ("average.ramp", "0.5"),
        ("average.half_life", "5"),
    ]

    def rule(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        return [
            finding(known[-1].images_seen - 8, Change(option, value), kind=option)
            for option, value in wishes
            if facts.number(option) != float(value)
        ]

    plant(monkeypatch, rule)
    run = paced("run", 48, sample_every=64)
    assert fly(run, portraits).reason == "finished"
    made = [(e["number"], e["kind"]) for e in events(run, "intervention")]
    assert made == [(n + 1, option) for n, (option, _) in enumerate(wishes[:4])]
    assert sorted(p.name for p in (run.folder / "abandoned").iterdir()) == ["1", "2", "3", "4"]
    said = [m for m in caplog.messages if "does not intervene" in m]
    assert said == ["the autopilot does not intervene: all 4 interventions are made"]
    # Both diagnoses that confirm a fault are of what was trained since the last return.
    moments = [(e["back_to"], e["images_seen"]) for e in events(run, "intervention")]
    assert all(seen - back >= 16 for back, seen in moments)


def test_a_setting_is_moved_one_way_twice_in_a_row_and_no_more(
    portraits: Dataset,
    paced: RunIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def rule(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        return [finding(8, Change(RATE, f"{facts.number(RATE) / 2:g}"))]

    plant(monkeypatch, rule)
    run = paced("run", 32, sample_every=64)
    fly(run, portraits)
    assert [e["changes"][0]["new"] for e in events(run, "intervention")] == ["0.0005", "0.00025"]
    assert f"{RATE}: moved 2 times the same way, in vain" in caplog.text


def test_the_other_way_is_no_repetition() -> None:
    pilot, view = piloted()
    down, up = (finding(8, Change(RATE, value)) for value in ("5e-4", "2e-3"))
    for old, new in (("4e-3", "2e-3"), ("2e-3", "1e-3")):
        moved = SimpleNamespace(changes=[interventions.Changed(RATE, old, new)], back_to=0)
        pilot._treatment = replace(pilot._treatment, made=(*pilot._treatment.made, moved))  # type: ignore[arg-type]
    assert not pilot._can_mend(view, down)
    assert pilot._can_mend(view, up)
    other = SimpleNamespace(changes=[interventions.Changed("flip", "0.5", "0")], back_to=0)
    pilot._treatment = replace(pilot._treatment, made=(*pilot._treatment.made, other))  # type: ignore[arg-type]
    assert pilot._can_mend(view, down), "something else was tried in between"


def piloted(minutes: float | None = None, seconds: float = 0.0) -> tuple[Pilot, Any]:
    view: Any = SimpleNamespace(
        recipe=SMALL,
        run=SimpleNamespace(minutes=minutes),
        state=SimpleNamespace(images_seen=16, seconds=seconds),
    )
    health = Health()
    found = (finding(8, Change(RATE, "5e-4")),)
    health.before, health.now = watch.Visit(8, found), watch.Visit(16, found)
    return Pilot(health), view


@pytest.mark.parametrize(
    ("minutes", "seconds", "acts"), [(None, 1e6, True), (1, 59.0, True), (1, 60.0, False)]
)
def test_when_time_is_up_nothing_is_given_up(minutes: float, seconds: float, acts: bool) -> None:
    pilot, view = piloted(minutes, seconds)
    assert (pilot.stepped(view, Any) is not None) == acts  # type: ignore[arg-type]


def test_a_user_who_asks_for_a_stop_is_heard_first(
    mended: Run, portraits: Dataset, paced: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, too_fast)
    run = paced("asked")
    assert fly(run, portraits, StopAt(32)) == Outcome(32, "test")
    assert not (run.folder / "interventions.json").exists()


# ---- numbers that are not finite


class Poisoned:
    """Gradients of D are not finite from a moment on, as long as its learning rate is too high."""

    def __init__(self, limit: float, begin: int = 24) -> None:
        self.limit, self.begin = limit, begin

    def started(self, view: View) -> None:
        group = view.state.discriminator_optimizer.param_groups[0]

        def spoil(gradient: torch.Tensor) -> torch.Tensor:
            late = view.state.images_seen >= self.begin
            return gradient * float("nan") if late and group["lr"] > self.limit else gradient

        next(view.state.discriminator.parameters()).register_hook(spoil)

    def stepped(self, view: View, record: Record) -> str | None:
        return None

    def finished(self, view: View, reason: str) -> None:
        pass


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda known, facts: [])


@pytest.mark.usefixtures("healthy")
def test_a_diverged_run_goes_on_with_half_the_learning_rates(
    portraits: Dataset, paced: RunIn
) -> None:
    run = paced("diverged", 72, sample_every=99)
    assert fly(run, portraits, Poisoned(limit=6e-4)).reason == "finished"
    (event,) = events(run, "intervention")
    assert (event["kind"], event["since"], event["back_to"]) == ("non-finite", 32, 24)
    assert event["images_seen"] == 48, "three records in a row"
    assert {c["option"]: c["new"] for c in event["changes"]} == {
        f"optimizers.{player}.learning_rate": "0.0005" for player in ("generator", "discriminator")
    }
    assert events(run, "diverged")[0]["images_seen"] == 48
    assert set(rates(run.folder / "metrics.jsonl").items()) >= {(24, 1e-3), (32, 5e-4), (72, 5e-4)}
    assert all(r.non_finite == 0 for r in records.read(run.folder / "metrics.jsonl"))


@pytest.mark.usefixtures("healthy")
def test_a_run_that_diverges_for_ever_ends_so(portraits: Dataset, paced: RunIn) -> None:
    run = paced("for-ever", 72, sample_every=99)
    with pytest.raises(DivergedError):
        fly(run, portraits, Poisoned(limit=0.0))
    assert len(events(run, "intervention")) == 2
    with pytest.raises(DivergedError):
        fly(run, portraits, Poisoned(limit=0.0))
    assert len(events(run, "intervention")) == 2, "also when it is repeated"


@pytest.mark.usefixtures("healthy")
def test_a_diverged_run_that_was_killed_is_mended_the_same_way(
    portraits: Dataset, paced: RunIn
) -> None:
    whole, broken = paced("whole", 72, sample_every=99), paced("broken", 72, sample_every=99)
    fly(whole, portraits, Poisoned(limit=6e-4))
    with pytest.raises(KeyboardInterrupt):
        fly(broken, portraits, Poisoned(limit=6e-4), KillAt(40))
    fly(broken, portraits, Poisoned(limit=6e-4))
    assert weights(broken) == weights(whole)


# ---- checkpoints to go back to


@pytest.mark.parametrize(
    ("images", "minutes", "given", "paces"),
    [
        (200_000, None, (None, None), (20_000, 6)),
        (10_000_000, None, (None, None), (50_000, 6)),
        (10_000_000, 30.0, (None, None), (10_000, 6)),
        (15_500, None, (None, None), (1_000, 6)),
        (15_500, 30.0, (None, None), (1_000, 6)),
        (500, None, (None, None), (1_000, 6)),
        (200_000, None, (5_000, None), (5_000, 6)),
        (200_000, 30.0, (90_000, 1), (90_000, 1)),
    ],
)
def test_checkpoints_are_frequent_unless_their_user_wants_it_otherwise(
    images: int,
    minutes: float | None,
    given: tuple[int | None, int | None],
    paces: tuple[int, int],
) -> None:
    run = with_checkpoints(Run(Path("run"), images, minutes=minutes), *given)
    assert (run.checkpoint_every, run.keep) == paces
