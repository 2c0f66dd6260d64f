"""The records of a run that is well, to be spoiled signal by signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.health.facts import RunFacts
from facesmith.recipes import find_recipe

RECORDS = 40
EVERY = 1_000

SIGNALS: dict[str, float] = {
    "separation": 0.75,
    "held_out_gap": 0.51,
    "real_logits.spread": 1.0,
    "fake_logits.spread": 0.8,
    "logits.low": -3.0,
    "logits.high": 5.0,
    "generator.beta1": 0.0,
    "discriminator.beta1": 0.0,
    "non_finite.generator": 0.0,
    "non_finite.discriminator": 0.0,
    "time.data": 0.02,
    "reals.mean": 0.52,
    "reals.std": 0.25,
    "reals.low": 0.0,
    "reals.high": 1.0,
    "reals.outside": 0.0,
    "reals.saturated": 0.02,
    "reals.flat": 0.0,
    "reals.grey": 0.0,
    "reals.cold": 0.02,
    "reals.copies": 0.0,
    "reals.odd": 0.0,
    "reals.order": 1.0,
    "reals.shift": 1.0,
    "reals.bias": 0.9,
    "reals.spread_bias": 0.9,
    "reals.grid": 0.4,
    "fakes.std": 0.24,
    "fakes.saturated": 0.02,
    "fakes.shift": 2.0,
    "fakes.grid": 0.7,
    "fakes.features_diversity": 0.9,
    "fakes.diversity": 0.95,
    "fakes.dimension": 8.0,
    "fakes.twins": 0.02,
    "batch.diversity": 0.95,
    "batch.twins": 0.02,
    "batch.copies": 0.0,
    "movement": 0.2,
    "movement.mean": 0.15,
    "movement.turn": -0.45,
    "average.distance": 0.22,
    "average.movement": 0.08,
    "leak": 0.0,
    "leak.mixed": 0.0,
    "trivial.grain": 0.97,
    "trivial.ring": 0.7,
    "trivial.level": 0.8,
    "generator.update": 0.01,
    "discriminator.update": 0.006,
    "generator.gradient_to_weight": 0.4,
    "generator.dead": 0.0,
    "nearest": 1.1,
    "distance.floor": 1.0,
}

Values = float | Sequence[float] | Callable[[float], float]
Records = Callable[..., list[Record]]


def value_at(given: Values, place: int, count: int) -> float:
    if callable(given):
        return given(place / (count - 1))
    if isinstance(given, Sequence):
        return given[place % len(given)]
    return given


def make(
    count: int = RECORDS, layers: Mapping[str, Any] | None = None, **changes: Values
) -> list[Record]:
    """Give records of a healthy run; a change is a number, a cycle, or a function of the share of the run.

    Names are written with `__` for the dot: `fakes__shift=9.0`. A field of Record is changed by its own name.
    """
    found = []
    fields = Record.__dataclass_fields__
    named = {name.replace("__", "."): given for name, given in changes.items()}
    for place in range(count):
        share = place / (count - 1)
        signals = {**SIGNALS, "distance": 1.4 + 4 * np.exp(-5 * share)}
        signals |= {n: value_at(g, place, count) for n, g in named.items() if n not in fields}
        record = Record(
            images_seen=(place + 1) * EVERY,
            steps=(place + 1) * 31,
            seconds=float(place),
            images_per_second=200.0,
            memory_bytes=2**29,
            discriminator_loss=0.6,
            generator_loss=1.0,
            real_logits=1.0,
            fake_logits=0.2,
            real_probability=0.7,
            fake_probability=0.55,
            real_sign=0.8,
            discriminator_gradient=2.0,
            generator_gradient=2.5,
            non_finite=0.0,
            penalties={"0.R1": 0.05},
            learning_rates={"generator": 4e-4, "discriminator": 4e-4},
            signals={name: value for name, value in signals.items() if not np.isnan(value)},
            layers=dict(layers or {}),
        )
        own = {n: value_at(g, place, count) for n, g in named.items() if n in fields}
        found.append(replace(record, **own))
    return found


@pytest.fixture
def records() -> Records:
    return make


@pytest.fixture
def facts() -> RunFacts:
    network = {
        "parameters": 3_000_000,
        "batch_norm": False,
        "dropout": 0.0,
        "transposed": [],
        "spectral_norm": False,
        "equal_weights": [],
        "gains": {"stages.0.0": 1.4, "judge": 1.3},
    }
    return RunFacts(
        planned=RECORDS * EVERY,
        recipe=to_dict(find_recipe("face")),
        networks={
            "generator": {**network, "batch_norm": True, "latent": 100, "transposed": [[4, 2]]},
            "discriminator": network,
        },
        loss={
            "discriminator_at_zero": 0.69,
            "discriminator_right": 0.0,
            "discriminator_wrong": 40.0,
            "generator_at_zero": 0.69,
            "generator_caught": 40.0,
            "generator_passed": 0.0,
        },
        data={
            "train": 18_000,
            "held_out": 2_000,
            "pixels": {
                "copies": 0.0,
                "odd": 0.0,
                "grey": 0.0,
                "cold": 0.02,
                "flat": 0.0,
                "std": 0.25,
            },
            "seen": {"std": 0.25, "saturated": 0.02, "grid": 0.4},
        },
        batch=32,
    )
