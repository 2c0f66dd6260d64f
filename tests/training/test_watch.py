"""The doctor beside a training: when it looks, what it writes, what it says, and that it never harms."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facesmith.base import records
from facesmith.base.records import Record
from facesmith.data.dataset import Dataset
from facesmith.health import visits
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Finding, Remedy, Severity
from facesmith.health.visits import MOST, History, Visit, is_due
from facesmith.recipe import Recipe
from facesmith.training import loop, observers, watch
from facesmith.training.run import Run
from facesmith.training.watch import Health

RunIn = Callable[..., Run]
Rule = Callable[[Sequence[Record], RunFacts], list[Finding]]
Plant = Callable[[Rule], list[int]]
HALVED = Change("optimizers.discriminator.learning_rate", "1e-4")


def finding(
    kind: str = "discriminator-too-strong",
    severity: Severity = "ill",
    *,
    since: int = 1_600,
    where: Any = "discriminator",
    changes: tuple[Change, ...] = (HALVED,),
) -> Finding:
    remedy = Remedy("Slow it down.", changes, trusted=True)
    return Finding(kind, severity, "D is too strong.", since, "It learns faster.", remedy, where)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Put a rule in the place of the diagnosis; returns the images seen at each call."""

    def plant(rule: Rule) -> list[int]:
        asked: list[int] = []

        def diagnose(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
            asked.append(known[-1].images_seen)
            return rule(known, facts)

        monkeypatch.setattr(watch, "diagnose", diagnose)
        return asked

    return plant


def between(begin: int, end: int, found: Finding) -> Rule:
    return lambda known, _: [found] if begin <= known[-1].images_seen / 1_000 < end else []


def many(count: int) -> list[Record]:
    """Records of every thousand images, a tenth of them with what is dear to measure."""
    dicts = {"penalties", "learning_rates", "signals", "layers", "quantiles"}
    blank: Any = {name: 0 for name in Record.__dataclass_fields__ if name not in dicts}
    return [
        replace(
            Record(**blank),
            images_seen=1_000 * number,
            signals={"separation": 0.5, **({} if number % 10 else {"distance": 1.0})},
        )
        for number in range(1, count + 1)
    ]


@dataclass
class Sickroom:
    """A run folder and what happens in it, without a training."""

    path: Path
    told: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    health: Health = field(default_factory=Health)

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def log_event(self, kind: str, /, **details: Any) -> None:
        self.told.append({"event": kind, **details})

    def events(self) -> list[dict[str, Any]]:
        return self.told

    def watch(self, course: Sequence[Record]) -> None:
        """Go on from the file of records, watch those of a course and write them, come to an end."""
        run = SimpleNamespace(record_every=1_000)
        view: Any = SimpleNamespace(folder=self, run=run, health="")
        self.health.started(view)
        self.lines[0] = view.health
        for record in course:
            records.append(self.metrics, record)
            assert self.health.stepped(view, record) is None
            self.lines[record.images_seen] = view.health
        self.health.finished(view, "finished")


@pytest.fixture
def room(tmp_path: Path) -> Sickroom:
    return Sickroom(tmp_path)


# ---- when


def test_the_first_records_are_diagnosed_and_later_ones_ever_more_seldom() -> None:
    every = 1_000
    due = [n for n in range(1, 5_001) if is_due(n * every, (n - 1) * every, every)]
    assert due[:31] == list(range(1, 32))
    assert [n for n in due if 32 <= n < 64] == list(range(32, 64, 2))
    assert [n for n in due if 2048 <= n < 4096] == list(range(2048, 4096, 128))
    assert len(due) <= 200
    gaps = [(b - a) / a for a, b in pairwise(due[31:])]
    assert max(gaps) <= 1 / 16, "no later than a sixteenth of the run so far"


def test_records_between_multiples_of_the_interval_make_no_diagnosis_of_their_own() -> None:
    # A sheet of samples is due at 12,800 and at 13,440, the record of 13,000 comes at 13,056.
    seen = [12_032, 12_800, 13_056, 13_440, 14_016]
    assert [b for a, b in pairwise(seen) if is_due(b, a, 1_000)] == [
        13_056,
        14_016,
    ]
    # Where a record is late, the moment that it passed is not lost.
    assert is_due(66_000, 63_000, 1_000)


def test_a_run_is_diagnosed_when_due_and_at_its_end(planted: Plant, room: Sickroom) -> None:
    asked = planted(lambda known, facts: [])
    room.watch(many(33))
    assert asked[-3:] == [31_000, 32_000, 33_000]
    del asked[:]
    room.watch(many(34)[33:])
    # Read from the file, the last two that were due; the end of the first sitting was not.
    assert asked == [31_000, 32_000, 34_000]


# ---- what it knows


def test_records_are_thinned_towards_the_past_and_dear_ones_stay() -> None:
    history = History()
    for record in many(5_000):
        history.add(record)
        assert len(history.records) <= 1.1 * MOST
    seen = [record.images_seen for record in history.records]
    assert seen == sorted(set(seen))
    assert seen[-MOST // 2 :] == list(
        range(5_000_000 - MOST // 2 * 1_000 + 1_000, 5_000_001, 1_000)
    )
    dear = [r.images_seen for r in history.records if "distance" in r.signals]
    assert dear[:30] == seen[:30], "of a tenth of the records"
    gaps = [after - before for before, after in pairwise(seen)]
    assert max(gaps) <= 64_000, "no stretch of the past is forgotten"


@pytest.mark.parametrize(
    ("stop", "last_two"),
    [(1, [1]), (31, [30, 31]), (600, [544, 576]), (777, [736, 768]), (2_000, [1_920, 1_984])],
)
def test_a_history_read_again_is_the_history_that_grew(
    stop: int, last_two: list[int], planted: Plant, tmp_path: Path
) -> None:
    planted(lambda known, facts: [])
    course, whole, again = many(2_000), Sickroom(tmp_path / "one"), Sickroom(tmp_path / "two")
    for room in (whole, again):
        room.path.mkdir()
    whole.watch(course)
    lines = [json.dumps(asdict(record)) for record in course[:stop]]
    again.metrics.write_text("\n".join([records.HEADER.strip(), *lines, ""]))
    asked = planted(lambda known, facts: [])
    again.watch(course[stop:])
    assert again.health.history == whole.health.history
    assert [images // 1_000 for images in asked[: len(last_two)]] == last_two


def test_the_rules_get_the_facts_and_the_folder_the_findings(
    planted: Plant, tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    given: list[RunFacts] = []
    planted(lambda known, facts: given.append(facts) or [finding()])  # type: ignore[func-returns-value]
    run, health = run_in("run", 16), Health()
    loop.train(tiny, run, portraits, observers.standard(health=health))
    assert given[0].planned == 16
    assert given[0].batch == 8
    assert given[0].number("optimizers.discriminator.learning_rate") == 1e-3
    assert list(health.now.ill) == ["discriminator-too-strong/discriminator"]
    events = [json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["started", "finding", "stopped"]
    assert events[1]["kind"] == "discriminator-too-strong"


# ---- what it writes


def test_findings_are_written_once_when_they_come_change_and_go(
    planted: Plant, room: Sickroom
) -> None:
    mild, severe = finding(severity="warning"), finding(severity="ill", since=3_000)
    other = finding("oscillation", "warning", where="", changes=())
    well = finding("healthy", "well", where="", changes=())

    def rule(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        images = known[-1].images_seen // 1_000
        return {2: [mild], 3: [mild], 4: [severe], 5: [severe, other], 6: [other]}.get(
            images, [well]
        )

    planted(rule)
    room.watch(many(8))
    strong, player = "discriminator-too-strong", "discriminator"
    assert [
        (e["event"], e["images_seen"], e["kind"], e["where"], e["severity"], e["since"])
        for e in room.told
    ] == [
        ("finding", 2_000, strong, player, "warning", 1_600),
        ("finding", 4_000, strong, player, "ill", 3_000),
        ("finding", 5_000, "oscillation", "", "warning", 1_600),
        ("recovered", 6_000, strong, player, "ill", 3_000),
        ("recovered", 7_000, "oscillation", "", "warning", 1_600),
    ]
    assert room.told[0]["title"] == "D is too strong."
    assert room.told[0]["options"] == "--optimizers.discriminator.learning-rate 1e-4"


def test_numbers_of_numpy_are_written(planted: Plant, room: Sickroom) -> None:
    planted(lambda known, facts: [finding(since=np.int64(3))])  # type: ignore[arg-type]
    room.watch(many(1))
    assert json.loads(json.dumps(room.told))[0]["since"] == 3


def test_the_same_fault_of_both_players_is_two_findings(planted: Plant, room: Sickroom) -> None:
    both = [finding("dead-units"), finding("dead-units", where="generator")]
    planted(lambda known, facts: both if len(known) < 2 else both[:1])
    room.watch(many(3))
    assert [(e["event"], e["where"]) for e in room.told] == [
        ("finding", "discriminator"),
        ("finding", "generator"),
        ("recovered", "generator"),
    ]


@pytest.mark.parametrize("stop", [2, 3, 4, 5, 6, 7])
def test_what_was_told_is_not_told_again_after_an_interruption(
    stop: int, planted: Plant, room: Sickroom
) -> None:
    planted(between(3, 6, finding()))
    course = many(8)
    room.watch(course[:stop])
    room.watch(course[stop:])
    told = [(e["event"], e["images_seen"]) for e in room.told]
    assert told == [("finding", 3_000), ("recovered", 6_000)]


def test_a_kill_after_a_finding_tells_it_neither_gone_nor_again(
    planted: Plant, room: Sickroom
) -> None:
    planted(between(3, 6, finding()))
    course = many(8)
    room.watch(course[:3])
    # Told at 3,000, it goes on from 1,000, where the fault is not to be seen yet.
    records.forget_after(room.metrics, 1_000)
    room.watch(course[1:])
    told = [(e["event"], e["images_seen"]) for e in room.told]
    assert told == [("finding", 3_000), ("recovered", 6_000)]


def test_an_intervention_begins_a_new_list() -> None:
    told = {**visits.event_of(finding()), "event": "finding", "time": "now", "images_seen": 24}
    assert list(visits.told([told])) == ["discriminator-too-strong/discriminator"]
    assert visits.told([told, {"event": "intervention"}]) == {}
    assert visits.told([told, {**told, "event": "recovered"}]) == {}


# ---- what it says


def test_ill_findings_are_said_aloud_once_with_what_to_type(
    planted: Plant, room: Sickroom, caplog: pytest.LogCaptureFixture
) -> None:
    mild = finding("oscillation", "warning")
    # It comes, goes and comes again.
    planted(lambda known, facts: [mild, finding()] if len(known) in (2, 4, 6) else [mild])
    with caplog.at_level(logging.INFO, "facesmith"):
        room.watch(many(7))
    options = "--optimizers.discriminator.learning-rate 1e-4"
    assert caplog.record_tuples == [
        (
            "facesmith.training.watch",
            logging.WARNING,
            f"ill since 1,600 images: D is too strong.\n  to do:  {options}",
        ),
        (
            "facesmith.training.watch",
            logging.INFO,
            f"health: warning, D is too strong, since 1,600: {options}",
        ),
    ]


def test_the_verdict_of_an_ill_run_is_a_warning(
    planted: Plant, room: Sickroom, caplog: pytest.LogCaptureFixture
) -> None:
    planted(lambda known, facts: [finding(changes=())])
    room.watch(many(1))
    assert [r.levelname for r in caplog.records] == ["WARNING", "WARNING"]
    assert caplog.messages[0].endswith("  to do:  Slow it down."), "no option, so the advice"
    assert caplog.messages[1] == "health: ill, D is too strong, since 1,600"


def test_the_line_names_the_first_of_the_worst() -> None:
    def line(*found: Finding) -> str:
        return Visit(8, found).line()

    done = replace(finding("finished", "note", changes=()), title="No gain any more")
    well = finding("healthy", "well", changes=())
    mild, severe = finding("oscillation", "warning"), finding(since=12_000)
    assert line() == "health: well"
    assert line(well) == "health: well"
    assert line(well, done) == "health: well, No gain any more"
    assert line(done, mild).startswith("health: warning, D is too strong, since 1,600: --optim")
    assert line(mild, severe, replace(severe, title="Else")) == (
        "health: ill, D is too strong, since 12,000: --optimizers.discriminator.learning-rate 1e-4"
    )
    assert line(finding(changes=())) == "health: ill, D is too strong, since 1,600"


def test_displays_see_the_line_of_the_newest_diagnosis_also_after_an_interruption(
    planted: Plant, room: Sickroom
) -> None:
    planted(between(3, 5, finding()))
    course = many(6)
    room.watch(course[:3])
    assert room.lines[0] == ""
    assert room.lines[2_000] == "health: well"
    assert room.lines[3_000].startswith("health: ill")
    room.watch(course[3:])
    assert room.lines[0].startswith("health: ill"), "known as soon as it goes on"
    assert room.lines[6_000] == "health: well"


# ---- what is confirmed


def test_only_what_two_diagnoses_in_a_row_find_is_confirmed(planted: Plant, room: Sickroom) -> None:
    mild = finding("oscillation", "warning")
    planted(lambda known, facts: [mild, finding()] if len(known) in (2, 4, 5) else [mild])
    confirmed = {}
    for record in many(7):
        room.watch([record])
        confirmed[record.images_seen] = [f.kind for f in room.health.confirmed(record.images_seen)]
    assert {k: v for k, v in confirmed.items() if v} == {5_000: ["discriminator-too-strong"]}


def test_between_two_diagnoses_nothing_is_confirmed(planted: Plant, room: Sickroom) -> None:
    planted(lambda known, facts: [finding()])
    room.watch(many(32))
    assert len(room.health.confirmed(32_000)) == 1
    assert room.health.confirmed(31_000) == room.health.confirmed(33_000) == []


# ---- that it does no harm


def test_a_diagnosis_that_fails_is_said_once_and_stops_nothing(
    planted: Plant, room: Sickroom, caplog: pytest.LogCaptureFixture
) -> None:
    def rule(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        raise ZeroDivisionError("a rule divides by nothing")

    asked = planted(rule)
    room.watch(many(6))
    assert len(set(asked)) == 6
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        "no diagnosis (ZeroDivisionError: a rule divides by nothing); training goes on"
    ]
    room.watch(many(7)[6:])
    assert room.lines[7_000] == ""


@pytest.mark.parametrize("spoilt", ["[]\n{\n", '{"event": "finding"}\n', "\0\xff\n"])
def test_events_that_cannot_be_understood_stop_nothing(
    spoilt: str, tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("run", 16)
    loop.train(tiny, run, portraits, observers.standard())
    with (run.folder / "events.jsonl").open("a", encoding="latin-1") as stream:
        stream.write(spoilt)
    more = replace(run, images=32)
    assert loop.train(tiny, more, portraits, observers.standard()).images_seen == 32


def test_watching_changes_no_weight(
    planted: Plant, tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    planted(lambda known, facts: [finding()])
    one, two = run_in("one", 24, record_every=8), run_in("two", 24, record_every=8)
    loop.train(tiny, one, portraits, observers.standard())
    loop.train(tiny, two, portraits)
    saved = "checkpoints/000000000024/generator.safetensors"
    assert (one.folder / saved).read_bytes() == (two.folder / saved).read_bytes()


def test_a_folder_without_records_is_a_beginning(room: Sickroom) -> None:
    room.watch([])
    assert (room.health.now.images_seen, room.lines) == (0, {0: ""})


def test_records_that_no_file_keeps_are_diagnosed_all_the_same(
    planted: Plant,
    monkeypatch: pytest.MonkeyPatch,
    tiny: Recipe,
    portraits: Dataset,
    run_in: RunIn,
) -> None:
    def refuse(path: Path, record: Record) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(records, "append", refuse)
    asked = planted(lambda known, facts: [])
    loop.train(tiny, run_in("run", 32, record_every=16), portraits, observers.standard())
    assert asked == [16, 32]
