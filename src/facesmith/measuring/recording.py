"""Records: what a stretch of training measured, whosoever loop it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import psutil
import torch

from facesmith.base.records import Record
from facesmith.measuring.layers import Layers
from facesmith.measuring.logits import probability, quantiles, separation
from facesmith.measuring.meter import Window
from facesmith.measuring.probe import Found

PLAYERS = ("generator", "discriminator")
Optimizers = Mapping[str, torch.optim.Optimizer]
"""By player."""


@dataclass(frozen=True)
class Reached:
    """How far a training is, and how fast it goes."""

    images_seen: int
    steps: int
    seconds: float
    images_per_second: float
    shares: Mapping[str, float]
    """Of the time, by kind of work, as `Stopwatch.read` gives them."""


def make_record(
    reached: Reached, window: Window, found: Found, layers: Layers, optimizers: Optimizers
) -> Record:
    """Turn what was measured since the last record into the next one.

    Args:
        reached: Counters and times.
        window: What the meter read.
        found: What the probe saw.
        layers: What the examination of the newest update saw.
        optimizers: By player; learning rates and momenta are read from them.

    Returns:
        The record. Fields that nothing was measured for are NaN, signals are absent.
    """
    by_kind: dict[str, dict[str, float]] = {"penalty": {}, "finite": {}}
    for name, values in window.items():
        kind, slash, rest = name.partition("/")
        if slash:
            by_kind[kind][rest] = float(values.mean())
    none = np.full(1, math.nan)
    real, fake = window.get("real_logits", none), window.get("fake_logits", none)

    def mean(name: str) -> float:
        return float(window.get(name, none).mean())

    with np.errstate(all="ignore"):  # a diverged run has infinities
        return Record(
            images_seen=reached.images_seen,
            steps=reached.steps,
            images_per_second=reached.images_per_second,
            seconds=reached.seconds,
            memory_bytes=psutil.Process().memory_info().rss,
            discriminator_loss=mean("discriminator_loss"),
            generator_loss=mean("generator_loss"),
            real_logits=float(real.mean()),
            fake_logits=float(fake.mean()),
            real_probability=float(probability(real).mean()),
            fake_probability=float(probability(fake).mean()),
            real_sign=float(np.sign(real).mean()),
            discriminator_gradient=mean("discriminator_gradient"),
            generator_gradient=mean("generator_gradient"),
            non_finite=1 - min(by_kind["finite"].values(), default=math.nan),
            penalties=by_kind["penalty"],
            learning_rates={
                player: float(optimizer.param_groups[0]["lr"])
                for player, optimizer in optimizers.items()
            },
            signals={
                **of_window(window),
                **momenta(optimizers),
                **reached.shares,
                **found.signals,
                **of_layers(layers),
            },
            layers=layers,
            quantiles={
                name: values
                for name, values in (
                    ("real_logits", quantiles(real)),
                    ("fake_logits", quantiles(fake)),
                    *found.quantiles.items(),
                )
                if values
            },
        )


def of_window(window: Window) -> dict[str, float]:
    """Derive signals from the values of many steps.

    Args:
        window: Losses, logits, gradients and verdicts of each step, as far as they are known.

    Returns:
        Spreads, extremes, and how well the discriminator tells real from fake.
    """
    signals = {}
    for name in ("real_logits", "fake_logits"):
        if name in window:
            signals[f"{name}.spread"] = float(window[name].std())
    if "real_logits" in window and "fake_logits" in window:
        real, fake = window["real_logits"], window["fake_logits"]
        signals |= {
            "fake_sign": float(np.sign(fake).mean()),
            "logits.low": float(min(real.min(), fake.min())),
            "logits.high": float(max(real.max(), fake.max())),
            "separation": separation(real, fake),
        }
    for player in PLAYERS:
        if (loss := window.get(f"{player}_loss")) is not None:
            signals[f"{player}_loss.spread"] = float(loss.std())
        if (gradient := window.get(f"{player}_gradient")) is not None:
            signals[f"{player}_gradient.max"] = float(gradient.max())
        if (finite := window.get(f"finite/{player}")) is not None:
            signals[f"non_finite.{player}"] = float(1 - finite.mean())
    return signals


def momenta(optimizers: Optimizers) -> dict[str, float]:
    """Read the momentum in force for each player, `generator.beta1` and the like.

    Args:
        optimizers: By player.
    """
    found = {}
    for player, optimizer in optimizers.items():
        group = optimizer.param_groups[0]
        if "betas" in group:
            found[f"{player}.beta1"] = float(group["betas"][0])
        elif "momentum" in group:
            found[f"{player}.beta1"] = float(group["momentum"])
    return found


def of_layers(layers: Layers) -> dict[str, float]:
    """Sum the layers of both networks up.

    Args:
        layers: As `Examination.layers` gives them.

    Returns:
        `PLAYER.update`, the median move of a layer; `.update_least`, that of the layer that moves least;
        `.gradient_to_weight` and `.gradient_least` likewise; `.dead` and `.saturated`, shares of the worst
        layer.
    """
    found = {}
    for player in PLAYERS:
        own = [values for name, values in layers.items() if name.startswith(f"{player}/")]
        for what, middle, least in (
            ("update_to_weight", "update", "update_least"),
            ("gradient_to_weight", "gradient_to_weight", "gradient_least"),
        ):
            if ratios := [values[what] for values in own if what in values]:
                found[f"{player}.{middle}"] = float(np.median(ratios))
                found[f"{player}.{least}"] = min(ratios)
        for what in ("dead", "saturated"):
            if shares := [values[what] for values in own if what in values]:
                found[f"{player}.{what}"] = max(shares)
    return found
