"""A diagnosis survives whatever was measured, and says nothing by dividing by nothing."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from facesmith.base.records import Record
from facesmith.health.facts import RunFacts
from facesmith.health.findings import diagnose

Records = Callable[..., list[Record]]


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_pictures_without_any_contrast_are_named(records: Records, facts: RunFacts) -> None:
    """A loader that returns zeros: what is compared with the data's contrast is compared with 0."""
    empty = replace(facts, data={**facts.data, "seen": {"std": 0.0, "saturated": 1.0}})
    found = diagnose(records(reals__std=0.0, reals__flat=1.0, nearest=0.1), empty)
    assert found[0].severity == "ill"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"discriminator_loss": math.inf, "generator_loss": -math.inf},
        {"distance": 0.0},
        {"distance": lambda share: 0.0 if share < 0.5 else 1.0},
        {"time__data": math.inf},
        {"fakes__std": math.inf, "batch__diversity": math.inf},
        {"batch__diversity": math.inf, "fakes__std": 0.0},
    ],
)
def test_extreme_numbers_end_no_diagnosis(
    spoiled: dict[str, Any], records: Records, facts: RunFacts
) -> None:
    assert diagnose(records(**spoiled), facts)


def test_a_layer_whose_moves_were_never_measured_is_not_said_to_stand_still(
    records: Records, facts: RunFacts
) -> None:
    """Such as weights that begin at zero: a share of nothing is no number."""
    layers = {"generator/project": {"update_to_weight": math.nan}}
    assert [f.kind for f in diagnose(records(layers=layers), facts)] == ["healthy"]
