"""Remedies are changes of the run's own recipe, and change something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.base.settings import put_text
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Finding
from facesmith.health.findings import diagnose
from facesmith.health.remedies import with_r1, would_change
from facesmith.recipes import find_recipe

Records = Callable[..., list[Record]]
RATE = "optimizers.discriminator.learning_rate"
WEAK = {"separation": 0.5, "fakes__shift": 8.0, "distance": 6.0}


def one(kind: str, found: list[Finding]) -> Finding:
    return next(finding for finding in found if finding.kind == kind)


@pytest.mark.parametrize(("name", "width"), [("face", "128"), ("dcgan", "256")])
def test_a_weak_discriminator_is_made_wider_than_it_is(
    name: str, width: str, records: Records, facts: RunFacts
) -> None:
    found = diagnose(records(**WEAK), replace(facts, recipe=to_dict(find_recipe(name))))
    options = one("discriminator-too-weak", found).remedy.options()
    assert options == f"--discriminator.width {width}"


def test_a_recipe_without_widths_is_given_none(records: Records, facts: RunFacts) -> None:
    found = diagnose(records(**WEAK), replace(facts, recipe=to_dict(find_recipe("mlp"))))
    assert not one("discriminator-too-weak", found).remedy.changes


@pytest.mark.parametrize(
    ("option", "value", "changes"),
    [
        ("generator.spread", "0.02", False),
        ("generator.spread", "0.01", True),
        ("generator.initialization", "normal", False),
        ("average.half_life", "44k", False),
        ("average.half_life", "22k", True),
        ("penalties.0.gamma", "0.3", False),
        ("penalties.1.gamma", "0.3", False),
        ("penalties", "r1(gamma=1)", True),
        ("optimizers.generator.momentum", "0.5", False),
        ("optimizers.generator.learning_rate", "1e-4", True),
        ("loss", "non-saturating", True),
    ],
)
def test_what_is_so_already_or_does_not_exist_is_no_remedy(
    option: str, value: str, changes: bool, facts: RunFacts
) -> None:
    assert would_change(facts, Change(option, value)) is changes


def test_a_width_is_no_remedy_where_each_layer_has_its_own(facts: RunFacts) -> None:
    own = {**facts.recipe["discriminator"], "widths": [1, 1, 1]}
    each = replace(facts, recipe={**facts.recipe, "discriminator": own})
    assert not would_change(each, Change("discriminator.width", "128"))


def test_a_rate_that_is_the_usual_one_and_still_too_high_is_lowered(
    records: Records, facts: RunFacts
) -> None:
    usual = replace(facts, usual=facts.recipe)
    found = diagnose(records(generator__update=0.2), usual)
    assert found[0].remedy.options() == "--optimizers.generator.learning-rate 0.000133"


def test_a_usual_rate_is_not_too_low_because_weights_are_wide(
    records: Records, facts: RunFacts
) -> None:
    usual = replace(facts, usual=facts.recipe)
    assert [found.kind for found in diagnose(records(generator__update=1e-5), usual)] == ["healthy"]
    unknown = diagnose(records(generator__update=1e-5), facts)
    assert unknown[0].kind == "learning-rate-too-low"


def test_a_critic_keeps_its_gradient_penalty(facts: RunFacts) -> None:
    penalty = {"part": "GradientPenalty", "strength": {"part": "Constant", "value": 10.0}}
    critic = replace(facts, recipe={**facts.recipe, "penalties": [penalty]})
    assert [str(change) for change in with_r1(critic, 0)] == ["--penalties.0.strength 30"]


def test_a_player_that_began_without_a_rate_is_not_left_without_one(
    records: Records, facts: RunFacts
) -> None:
    """Players that take turns: the one that began and ends at rest is to learn, not to stand still."""
    rates = 4e-4 * (np.arange(40) // 8 % 2)
    turns = [
        replace(record, learning_rates={"generator": 4e-4, "discriminator": float(rate)})
        for record, rate in zip(records(), rates, strict=True)
    ]
    own = replace(facts, recipe=to_dict(put_text(find_recipe("face"), RATE, "linear(0, 4e-4, 8k)")))
    found = one("late-drift", diagnose(turns, own))
    assert found.remedy.options() == "--optimizers.discriminator.learning-rate 0.0004"
