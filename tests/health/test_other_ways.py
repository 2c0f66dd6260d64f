"""The same diagnoses by other evidence than the first, and what keeps them from being made too soon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from facesmith.base.records import Record
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Finding
from facesmith.health.findings import diagnose

Records = Callable[..., list[Record]]


def in_turns(period: float, *, first: bool) -> Callable[[float], float]:
    return lambda share: 0.01 if (share // period % 2 == 0) == first else 0.0


def named(found: list[Finding], kind: str) -> Finding | None:
    return next((finding for finding in found if finding.kind == kind), None)


# kind, what shows it, the same within bounds
WAYS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "oscillation",
        {
            "generator__update": in_turns(0.2, first=True),
            "discriminator__update": in_turns(0.2, first=False),
        },
        {
            "generator__update": in_turns(0.2, first=True),
            "discriminator__update": 0.01,
        },
    ),
    (
        "range-mismatch",
        {"fakes__low": 0.25, "fakes__high": 0.75},
        {"fakes__low": 0.25, "fakes__high": 0.75, "fakes__std": 0.05},
    ),
    (
        "batch-statistics-leak",
        {"leak": 0.5, "leak__mixed": 0.1},
        {"leak": 0.5, "leak__mixed": 0.4},
    ),
    ("memorised", {"nearest": 0.2}, {"nearest": 0.2, "fakes__std": 0.05}),
]


@pytest.mark.parametrize(("kind", "shown", "within"), WAYS, ids=[way[0] for way in WAYS])
def test_other_evidence_leads_to_the_same_diagnosis(
    records: Records, facts: RunFacts, kind: str, shown: dict[str, Any], within: dict[str, Any]
) -> None:
    assert named(diagnose(records(**shown), facts), kind) is not None
    assert named(diagnose(records(**within), facts), kind) is None


def test_a_faint_leak_is_a_warning_and_a_single_test_without_it_is_a_doubt(
    records: Records, facts: RunFacts
) -> None:
    always = named(diagnose(records(leak=0.5, leak__mixed=0.0), facts), "batch-statistics-leak")
    assert always is not None and always.severity == "warning"
    once = records(leak=lambda share: 0.1 if share > 0.95 else 0.5, leak__mixed=0.0)
    assert named(diagnose(once, facts), "batch-statistics-leak") is None


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("total-collapse", {"batch__diversity": 0.05}),
        ("partial-collapse", {"batch__twins": 0.9}),
    ],
)
def test_what_slow_runs_get_over_is_a_warning_at_first(
    records: Records, facts: RunFacts, kind: str, shown: dict[str, Any]
) -> None:
    course = records(**shown)
    seen = course[-1].images_seen
    young = named(diagnose(course, replace(facts, planned=round(seen / 0.4))), kind)
    grown = named(diagnose(course, replace(facts, planned=seen)), kind)
    assert grown is not None and grown.severity == "ill"
    if kind == "partial-collapse":
        assert young is not None and young.severity == "warning"


def test_waiting_is_dated_to_where_it_began(records: Records, facts: RunFacts) -> None:
    course = records(time__data=lambda share: 0.9 if share > 0.5 else 0.0)
    found = named(diagnose(course, facts), "data-starves")
    assert found is not None
    assert 0.5 < found.since / course[-1].images_seen < 0.7
    always = named(diagnose(records(time__data=0.9), facts), "data-starves")
    assert always is not None and always.since == course[0].images_seen


def test_losses_alone_are_no_health(records: Records) -> None:
    bare = [replace(record, signals={}, layers={}) for record in records()]
    (said,) = diagnose(bare, RunFacts())
    assert said.severity == "well" and "losses alone" in said.title


def test_a_grid_of_even_kernels_has_no_option_to_type(records: Records, facts: RunFacts) -> None:
    even = replace(
        facts,
        networks={
            **facts.networks,
            "generator": {**facts.networks["generator"], "transposed": [[4, 2]]},
        },
    )
    seen = named(diagnose(records(fakes__grid=3.0), even), "checkerboard")
    assert seen is not None and not seen.remedy.changes


def test_a_generator_without_any_gradient_at_its_ends_is_no_forgotten_optimiser(
    records: Records, facts: RunFacts
) -> None:
    still = {"generator/body": {"update_to_weight": 0.0}}
    stuck = [replace(record, layers=still) for record in records()]
    saturated = [replace(record, layers=still) for record in records(fakes__saturated=0.97)]
    assert named(diagnose(stuck, facts), "net-not-updated") is not None
    assert named(diagnose(saturated, facts), "net-not-updated") is None
