"""Each diagnosis from the least that shows it, and its absence where the same signal is within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from facesmith.base.records import Record
from facesmith.health.facts import RunFacts
from facesmith.health.findings import diagnose
from facesmith.health.kinds import KINDS

Records = Callable[..., list[Record]]
BINARY = {
    "discriminator_right": 0.0,
    "discriminator_wrong": 40.0,
    "generator_caught": 20.0,
    "generator_passed": 0.0,
}
WASSERSTEIN = {
    "discriminator_right": -40.0,
    "discriminator_wrong": 40.0,
    "generator_caught": 20.0,
    "generator_passed": -20.0,
}
TWICE = {
    "discriminator_right": 1.01,
    "discriminator_wrong": 1.39,
    "generator_caught": 0.69,
    "generator_passed": 0.31,
}
R1 = {"part": "R1", "every": 1, "share": 1.0}


def network(facts: RunFacts, player: str, **changes: Any) -> RunFacts:
    return replace(
        facts, networks={**facts.networks, player: {**facts.networks[player], **changes}}
    )


def recipe(facts: RunFacts, **changes: Any) -> RunFacts:
    return replace(facts, recipe={**facts.recipe, **changes})


def pixels(facts: RunFacts, **changes: float) -> RunFacts:
    return replace(facts, data={**facts.data, "pixels": {**facts.data["pixels"], **changes}})


def late(before: float, after: float, begin: float = 0.5) -> Callable[[float], float]:
    return lambda share: before if share < begin else after


def test_a_run_within_all_bounds_is_healthy(records: Records, facts: RunFacts) -> None:
    assert [finding.name for finding in diagnose(records(), facts)] == ["healthy"]


# name, what is changed in the records, what in the facts; then the same again within bounds
CASES: dict[
    str, tuple[dict[str, Any], Callable[[RunFacts], RunFacts] | None, dict[str, Any], Any]
] = {
    "scaling-wrong": (
        {
            "reals__outside": 0.3,
            "reals__mean": 0.5,
            "reals__std": 0.5,
            "reals__low": -0.8,
            "reals__high": 2.0,
        },
        None,
        {"reals__outside": 0.005},
        None,
    ),
    "range-mismatch": (
        {
            "reals__outside": 0.9,
            "reals__mean": 60.0,
            "reals__std": 30.0,
            "reals__low": 0.5,
            "reals__high": 128.0,
        },
        None,
        {"reals__low": 0.2},
        None,
    ),
    "data-constant": ({}, lambda f: pixels(f, copies=1.0), {}, lambda f: pixels(f, copies=0.0)),
    "data-duplicated": ({}, lambda f: pixels(f, copies=0.02), {}, lambda f: pixels(f, copies=1e-5)),
    "data-corrupted": ({}, lambda f: pixels(f, odd=0.15), {}, lambda f: pixels(f, odd=0.01)),
    "data-sorted": ({"reals__shift": 2.5, "reals__bias": 1.0}, None, {"reals__shift": 1.2}, None),
    "channels-swapped": ({}, lambda f: pixels(f, cold=0.9), {}, lambda f: pixels(f, cold=0.05)),
    "grey-mixed": ({}, lambda f: pixels(f, grey=0.4), {}, lambda f: pixels(f, grey=1.0)),
    "too-few-images": (
        {"held_out_gap": 0.9},
        lambda f: replace(f, data={**f.data, "train": 60}),
        {},
        lambda f: replace(f, data={**f.data, "train": 5_000}),
    ),
    "augmentation-leaks": (
        {"reals__bias": 12.0, "reals__spread_bias": 6.0, "reals__shift": 4.0},
        None,
        {"reals__bias": 1.5},
        None,
    ),
    "labels-swapped": ({"separation": 0.02}, None, {"separation": 0.4}, None),
    "labels-leaking": (
        {"trivial__grain": 0.1, "separation": 1.0},
        None,
        {"trivial__grain": 0.9, "separation": 1.0},
        None,
    ),
    "sigmoid-twice": ({}, lambda f: replace(f, loss=TWICE), {}, lambda f: replace(f, loss=BINARY)),
    "batch-statistics-leak": (
        {"leak": 4.0, "leak__mixed": 0.2},
        None,
        {"leak": 0.1, "leak__mixed": 3.0},
        None,
    ),
    "batch-norm-small-batch": (
        {},
        lambda f: replace(f, batch=2),
        {},
        lambda f: replace(f, batch=16),
    ),
    "batch-norm-gradient-penalty": (
        {},
        lambda f: network(f, "discriminator", batch_norm=True),
        {},
        lambda f: network(f, "generator", batch_norm=True),
    ),
    "bad-initialization/discriminator": (
        {},
        lambda f: network(f, "discriminator", gains={"judge": 60.0}),
        {},
        lambda f: network(f, "discriminator", gains={"judge": 2.0}),
    ),
    "bad-initialization/generator": (
        {},
        lambda f: network(f, "generator", equal_weights=["project"]),
        {},
        None,
    ),
    "latent-too-small": (
        {"fakes__dimension": 2.0},
        lambda f: network(f, "generator", latent=2),
        {},
        lambda f: network(f, "generator", latent=64),
    ),
    "checkerboard": ({"fakes__grid": 2.5}, None, {"fakes__grid": 1.0}, None),
    "learning-rate-too-high": (
        {"generator__update": 0.3, "discriminator__update": 0.2},
        None,
        {"generator__update": 0.03, "discriminator__update": 0.02},
        None,
    ),
    "learning-rate-too-high/generator": (
        {"generator__update": 0.3},
        None,
        {"generator__update": 0.04},
        None,
    ),
    "learning-rate-too-low/discriminator": (
        {"discriminator__update": 1e-5},
        None,
        {"discriminator__update": 1e-3},
        None,
    ),
    "beta1-too-high": ({"generator__beta1": 0.9}, None, {"generator__beta1": 0.5}, None),
    "batch-too-small": (
        {},
        lambda f: network(replace(f, batch=2), "generator", batch_norm=False),
        {},
        lambda f: network(replace(f, batch=16), "generator", batch_norm=False),
    ),
    "noise-too-strong": (
        {},
        lambda f: recipe(f, input_noise={"part": "Constant", "value": 1.0}),
        {},
        lambda f: recipe(f, input_noise={"part": "Constant", "value": 0.1}),
    ),
    "dropout-too-strong/discriminator": (
        {},
        lambda f: network(f, "discriminator", dropout=0.8),
        {},
        lambda f: network(f, "discriminator", dropout=0.3),
    ),
    "unconstrained-critic": (
        {"penalties": [{}], "logits__high": 900.0},
        lambda f: replace(recipe(f, penalties=[]), loss=WASSERSTEIN),
        {},
        lambda f: replace(f, loss=WASSERSTEIN),
    ),
    "penalty-too-strong": (
        {"real_logits__spread": 0.01, "fake_logits__spread": 0.01},
        lambda f: recipe(f, penalties=[{**R1, "gamma": {"part": "Constant", "value": 1000.0}}]),
        {"real_logits__spread": 0.01, "fake_logits__spread": 0.01},
        lambda f: recipe(f, penalties=[{**R1, "gamma": {"part": "Constant", "value": 1.0}}]),
    ),
    "non-finite": ({"non_finite": late(0.0, 0.5)}, None, {}, None),
    "exploding-gradient": (
        {"discriminator_gradient": late(2.0, 900.0)},
        None,
        {"discriminator_gradient": late(2.0, 30.0)},
        None,
    ),
    "dead-units/generator": ({"generator__dead": 0.8}, None, {"generator__dead": 0.2}, None),
    "saturated-output": ({"fakes__saturated": 0.8}, None, {"fakes__saturated": 0.2}, None),
    "discriminator-too-strong": (
        {"separation": 1.0, "fakes__shift": 9.0, "fakes__features_diversity": 0.5, "distance": 6.0},
        None,
        {"separation": 1.0},
        None,
    ),
    "discriminator-too-weak": (
        {"separation": 0.5, "fakes__shift": 9.0, "distance": 6.0},
        None,
        {"separation": 0.5, "fakes__shift": 2.0},
        None,
    ),
    "discriminator-overfits": ({"held_out_gap": 0.85}, None, {"held_out_gap": 0.55}, None),
    "total-collapse": (
        {"batch__diversity": late(0.9, 0.02), "fakes__features_diversity": late(0.9, 0.02)},
        None,
        {"batch__diversity": late(0.9, 0.8)},
        None,
    ),
    "partial-collapse": (
        {"batch__copies": 0.3, "batch__twins": 1.0},
        None,
        {"batch__twins": 0.2},
        None,
    ),
    "not-learning": (
        {"distance": lambda share: 6.2 - 0.2 * share},
        None,
        {"distance": lambda share: 6.2 - 3.4 * share},
        None,
    ),
    "memorised": ({"nearest": 0.2}, None, {"nearest": 0.9}, None),
    "oscillation": (
        {"movement__mean": 0.8, "movement__turn": -0.6},
        None,
        {"movement__mean": 0.2},
        None,
    ),
    "late-drift": (
        {"distance": lambda share: 6 - 8 * share if share < 0.5 else 2 + 6 * (share - 0.5)},
        None,
        {},
        None,
    ),
    "average-lags": (
        {"average__distance": 1.0, "average__movement": 0.0},
        None,
        {"average__distance": 0.3, "average__movement": 0.05},
        None,
    ),
    "data-starves": ({"time__data": 0.7}, None, {"time__data": 0.1}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_least_that_shows_a_fault_names_it_first(
    name: str, records: Records, facts: RunFacts
) -> None:
    changed, spoil, _, _ = CASES[name]
    found = diagnose(records(**changed), spoil(facts) if spoil else facts)

    assert found[0].name == name
    assert found[0].severity in ("ill", "warning")
    assert found[0].evidence and found[0].remedy.advice


@pytest.mark.parametrize("name", CASES)
def test_within_bounds_it_is_not_named(name: str, records: Records, facts: RunFacts) -> None:
    _, _, changed, spoil = CASES[name]
    found = diagnose(records(**changed), spoil(facts) if spoil else facts)

    assert name not in [finding.name for finding in found]


def test_every_kind_has_a_case() -> None:
    named = {name.partition("/")[0] for name in CASES}
    elsewhere = {"healthy", "finished", "net-not-updated"}
    assert named | elsewhere == set(KINDS)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_said_where_nothing_was_measured(name: str, records: Records) -> None:
    """A foreign loop has losses only; rules stay silent rather than guess."""
    found = diagnose(
        [replace(record, signals={}, layers={}, penalties={}) for record in records()], RunFacts()
    )
    assert [finding.name for finding in found] == ["healthy"]


def test_a_layer_that_never_moves_is_named(records: Records, facts: RunFacts) -> None:
    moving = {"update_to_weight": 0.01, "gradient_to_weight": 0.1}
    layers = {
        "generator/project": {**moving, "update_to_weight": 0.0},
        "generator/stages.0": moving,
        "discriminator/judge": moving,
    }
    found = diagnose(records(layers=layers), facts)
    assert found[0].name == "net-not-updated/generator"
    assert "project" in found[0].evidence[0].text


def test_a_run_that_has_nothing_to_gain_any_more_is_finished_and_not_ill(
    records: Records, facts: RunFacts
) -> None:
    found = diagnose(
        records(
            distance=lambda share: max(1.5, 5 - 20 * share),
            movement=lambda share: 0.4 if share < 0.3 else 0.02,
        ),
        facts,
    )
    assert [finding.name for finding in found] == ["healthy", "finished"]


def test_causes_come_before_their_consequences_and_share_their_severity(
    records: Records, facts: RunFacts
) -> None:
    found = diagnose(records(generator__beta1=0.9, movement__mean=0.8, movement__turn=-0.6), facts)
    assert [finding.name for finding in found] == ["beta1-too-high", "oscillation"]
    assert [finding.severity for finding in found] == ["ill", "ill"]


def test_what_does_not_learn_is_not_well_and_a_warning_before_it_is_its_reason(
    records: Records, facts: RunFacts
) -> None:
    far = records(distance=lambda share: 6.2 - 0.2 * share)
    assert [finding.name for finding in diagnose(far[: len(far) // 3], facts)] == ["healthy"]
    found = diagnose(records(distance=6.0, generator__beta1=0.9), facts)
    assert [finding.name for finding in found] == ["beta1-too-high", "not-learning"]
    assert [finding.severity for finding in found] == ["ill", "ill"]


def test_a_finding_says_since_when(records: Records, facts: RunFacts) -> None:
    found = diagnose(records(held_out_gap=late(0.5, 0.9, begin=0.6)), facts)
    assert found[0].kind == "discriminator-overfits"
    assert 22_000 <= found[0].since <= 29_000


def test_numbers_that_are_not_finite_are_no_measurement(records: Records, facts: RunFacts) -> None:
    spoiled = [
        replace(record, signals=dict.fromkeys(record.signals, math.nan)) for record in records()
    ]
    assert [finding.name for finding in diagnose(spoiled, facts)] == ["healthy"]


def sparsely(records: list[Record], every: int = 4) -> list[Record]:
    """Keep what is tried at a probe in each fourth record, as in a long run."""
    each = ("separation", "time.data", "logits.low", "logits.high")
    return [
        record
        if place % every == 0
        else replace(record, signals={n: v for n, v in record.signals.items() if n in each})
        for place, record in enumerate(records)
    ]


def test_a_healthy_run_that_is_probed_seldom_is_healthy(records: Records, facts: RunFacts) -> None:
    found = diagnose(sparsely(records()), facts)
    assert [finding.name for finding in found] == ["healthy"]


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("data-sorted", {"reals__shift": 2.5, "reals__bias": 1.0}),
        ("discriminator-overfits", {"held_out_gap": 0.9}),
        ("oscillation", {"movement__mean": 0.8, "movement__turn": -0.6}),
        ("partial-collapse", {"batch__twins": 1.0, "fakes__features_diversity": late(0.9, 0.3)}),
    ],
)
def test_probes_are_counted_and_not_records(
    kind: str, changed: dict[str, Any], records: Records, facts: RunFacts
) -> None:
    """Two probes are no evidence, however many records lie between them."""
    made = records(count=80, **changed)
    assert kind in [finding.kind for finding in diagnose(sparsely(made), facts)]
    assert kind not in [finding.kind for finding in diagnose(sparsely(made)[:8], facts)]
