"""Values between two records, and what of them stands in a record."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from facesmith.measuring import stopwatch
from facesmith.measuring.meter import Meter
from facesmith.measuring.probe import Found
from facesmith.measuring.recording import Reached, make_record, momenta, of_layers

REACHED = Reached(64, 4, 2.5, 30.0, {"time.compute": 1.0})


def test_a_meter_gives_all_values_once() -> None:
    meter = Meter()
    assert meter.is_empty
    meter.add("loss", torch.tensor(2.0, requires_grad=True))
    meter.add("logits", torch.tensor([[1.0], [2.0]]))
    meter.add("loss", torch.tensor(4.0, dtype=torch.bfloat16))
    window = meter.read()
    assert {name: list(values) for name, values in window.items()} == {
        "loss": [2, 4],
        "logits": [1, 2],
    }
    assert window["loss"].dtype == np.float64
    assert meter.is_empty
    assert meter.read() == {}


def test_a_record_has_means_spreads_and_extremes() -> None:
    window = {
        "discriminator_loss": np.array([1.0, 3.0]),
        "generator_gradient": np.array([2.0, 6.0]),
        "real_logits": np.array([2.0, -1.0, 1.0, 2.0]),
        "fake_logits": np.array([-3.0, 1.5]),
        "penalty/0.R1": np.array([0.5, 1.5]),
        "finite/generator": np.array([1.0, 1.0]),
        "finite/discriminator": np.array([1.0, 0.0, 1.0, 1.0]),
    }
    found = Found({"distance": 2.0}, {"held_out_logits": [0.0] * 9})
    record = make_record(REACHED, window, found, {}, {})
    assert (record.discriminator_loss, record.generator_gradient, record.real_logits) == (2, 4, 1)
    assert record.real_sign == 0.5
    assert record.fake_probability == pytest.approx(
        (1 / (1 + math.exp(3)) + 1 / (1 + math.exp(-1.5))) / 2
    )
    assert record.non_finite == 0.25
    assert record.penalties == {"0.R1": 1.0}
    expected = {
        "time.compute": 1.0,
        "distance": 2.0,
        "discriminator_loss.spread": 1.0,
        "generator_gradient.max": 6.0,
        "real_logits.spread": pytest.approx(np.std(window["real_logits"])),
        "fake_logits.spread": 2.25,
        "fake_sign": 0.0,
        "logits.low": -3.0,
        "logits.high": 2.0,
        "separation": (2 + 1 + 1 + 2) / 8,
        "non_finite.generator": 0.0,
        "non_finite.discriminator": 0.25,
    }
    assert record.signals == expected
    assert record.quantiles.keys() == {"real_logits", "fake_logits", "held_out_logits"}


def test_what_was_not_measured_is_nan_or_absent() -> None:
    record = make_record(REACHED, {}, Found(), {}, {})
    assert math.isnan(record.discriminator_loss)
    assert math.isnan(record.non_finite)
    assert record.signals == {"time.compute": 1.0}
    assert record.quantiles == {}


def test_infinities_of_a_diverged_run_give_no_warning() -> None:
    window = {"real_logits": np.array([np.inf, 1.0]), "fake_logits": np.array([-np.inf, np.nan])}
    record = make_record(REACHED, window, Found(), {}, {})
    assert record.real_logits == math.inf
    assert math.isnan(record.signals["separation"])


def test_layers_are_summed_up_by_the_middle_and_the_worst() -> None:
    moves = {"a": 0.1, "b": 0.001, "c": 0.2}
    layers = {
        f"generator/{name}": {"update_to_weight": move, "gradient_to_weight": 2 * move}
        for name, move in moves.items()
    }
    layers["generator/d"] = {"dead": 0.25}
    layers["generator/e"] = {"dead": 0.5}
    layers["discriminator/f"] = {"saturated": 0.75}
    assert of_layers(layers) == {
        "generator.update": 0.1,
        "generator.update_least": 0.001,
        "generator.gradient_to_weight": 0.2,
        "generator.gradient_least": 0.002,
        "generator.dead": 0.5,
        "discriminator.saturated": 0.75,
    }


def test_momenta_are_read_from_any_optimiser() -> None:
    weights = list(nn.Linear(1, 1).parameters())
    found = momenta(
        {
            "generator": torch.optim.Adam(weights, betas=(0.3, 0.9)),
            "discriminator": torch.optim.SGD(weights, 0.1, momentum=0.7),
        }
    )
    assert found == {"generator.beta1": 0.3, "discriminator.beta1": 0.7}
    assert momenta({"generator": torch.optim.Adagrad(weights)}) == {}


def test_the_stopwatch_shares_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    progress = SimpleNamespace(images_seen=10, seconds=5.0)
    watch = stopwatch.Stopwatch(progress)
    with watch.lap("data"):
        now[0] += 2
    now[0] += 1
    watch.add("signals", 0.5)
    now[0] += 1
    progress.images_seen = 50
    assert (watch.seconds(), watch.since_reading()) == (9.0, 4.0)
    assert watch.read() == (10.0, {"time.data": 0.5, "time.signals": 0.125, "time.compute": 0.375})
    assert progress.seconds == 9.0
    now[0] += 1
    assert watch.read() == (0.0, {"time.compute": 1.0})
