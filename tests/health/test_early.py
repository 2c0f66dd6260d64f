"""What is said before the first step, and soon after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.base.settings import put_text
from facesmith.health.facts import RunFacts
from facesmith.health.findings import diagnose
from facesmith.health.preflight import is_hopeless, preflight
from facesmith.health.visits import Visit, alarm
from facesmith.recipes import find_recipe

RATE = "optimizers.generator.learning_rate"


def test_two_records_are_not_called_healthy(
    records: Callable[..., list[Record]], facts: RunFacts
) -> None:
    (early,) = diagnose(records()[:2], facts)
    assert (early.kind, early.severity) == ("healthy", "well")
    assert "too early" in early.title
    assert "too early" not in diagnose(records(), facts)[0].title


@pytest.mark.parametrize(
    ("rate", "hopeless"),
    [("0", True), ("linear(0, 4e-4, 5k)", False), ("linear(4e-4, 0, 5k)", False), ("4e-4", False)],
)
def test_a_player_without_a_rate_at_any_time_is_not_trained(
    rate: str, hopeless: bool, facts: RunFacts
) -> None:
    recipe = to_dict(put_text(find_recipe("face"), RATE, rate))
    found = [f for f in preflight(replace(facts, recipe=recipe)) if is_hopeless(f)]
    assert [f.name for f in found] == ["net-not-updated/generator"] * hopeless


def test_what_was_so_from_the_start_has_no_beginning(
    records: Callable[..., list[Record]], facts: RunFacts
) -> None:
    (small, *_) = diagnose(records(), replace(facts, batch=2))
    assert small.since == 0
    assert Visit(0, (small,)).line() == "health: ill, Batch norm works on batches of 2 images"
    assert alarm(small).startswith("ill from the start: ")
