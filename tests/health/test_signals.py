"""The catalogue of signals holds what a run measures, and a run measures what the catalogue holds."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from facesmith.architectures import DCGANDiscriminator, DCGANGenerator, Latent
from facesmith.base import records
from facesmith.base.records import Record
from facesmith.data.prepare import prepare
from facesmith.health import signals
from facesmith.measuring.recording import PLAYERS
from facesmith.objectives.penalties import R1
from facesmith.recipe import Recipe
from facesmith.training import loop, observers
from facesmith.training.run import Run

ELSEWHERE = {"loss.sigmoids", "discriminator.dead", *(f"{p}.saturated" for p in PLAYERS)}
"""Measured only in loops that are not ours: no discriminator of ours has rectifiers that can die, or a
sigmoid, and generators of ours end in a layer of their own."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    folder = tmp_path_factory.mktemp("signals")
    # As many photos as leave some held out.
    data = prepare("portraits:40", folder / "data", resolution=16, workers=1)
    recipe = Recipe(
        name="small",
        resolution=16,
        latent=Latent(size=6),
        generator=DCGANGenerator(width=4),
        discriminator=DCGANDiscriminator(width=4, normalization="none"),
        penalties=(R1(every=2),),
        batch=8,
    )
    run = Run(folder=folder / "run", images=64, device="cpu", precision="fp32")
    loop.train(recipe, replace(run, record_every=8, sample_every=32), data, observers.standard())
    return list(records.read(folder / "run/metrics.jsonl"))


def curves(record: Record) -> dict[str, float]:
    """All numbers of a record by the name that a curve has."""
    found = dict(record.signals)
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, int | float):
            found[field.name] = value
        elif field.name in ("penalties", "learning_rates"):
            found |= {f"{field.name}.{key}": number for key, number in value.items()}
    return found


def test_each_measured_name_is_explained(measured: list[Record]) -> None:
    names = {name for record in measured for name in curves(record)}
    assert {name for name in names if signals.explain(name) is None} == set()


def test_each_explained_name_is_measured(measured: list[Record]) -> None:
    names = {name for record in measured for name in curves(record)}
    assert signals.SIGNALS.keys() - names == ELSEWHERE


def test_layers_and_quantiles_are_those(measured: list[Record]) -> None:
    of_layers = {what for r in measured for values in r.layers.values() for what in values}
    assert of_layers | {"saturated"} == signals.LAYERS.keys()
    assert {name for r in measured for name in r.quantiles} == set(signals.QUANTILES)


def test_numbers_lie_where_the_catalogue_says(measured: list[Record]) -> None:
    for record in measured:
        for name, value in curves(record).items():
            signal = signals.explain(name)
            assert signal is not None
            assert math.isnan(value) or signal.low <= value <= signal.high, (name, value)


def test_titles_are_short_and_told_apart() -> None:
    titles = [signal.title for signal in signals.SIGNALS.values()]
    assert len(set(titles)) == len(titles)
    assert max(map(len, titles)) <= 40
    assert all(signal.meaning.endswith(".") for signal in signals.SIGNALS.values())
    assert not any("{" in s.title + s.meaning for s in signals.SIGNALS.values())


def test_a_penalty_is_named_by_its_part_and_other_names_are_not_known() -> None:
    penalty = signals.explain("penalties.0.R1")
    assert penalty is not None
    assert penalty.title == "penalty R1"
    assert signals.explain("nothing") is None
