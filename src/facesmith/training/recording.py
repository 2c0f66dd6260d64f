"""Records of a run: what the meter measured, when, and how fast it went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import torch

from facesmith.base.records import Record
from facesmith.measuring.layers import Layers
from facesmith.measuring.logits import probability, quantiles, separation
from facesmith.measuring.meter import Window
from facesmith.measuring.probe import Found
from facesmith.training.state import TrainingState


class Stopwatch:
    """Adds the time of this sitting to the state's, and says what it was spent on."""

    def __init__(self, state: TrainingState) -> None:
        self.state, self.images = state, state.images_seen
        self.last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def seconds(self) -> float:
        """Give the time spent in training so far, over all sittings."""
        return self.state.seconds + time.perf_counter() - self.last

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Count the time of a piece of work apart.

        Args:
            name: `data`, `signals` or `observers`.
        """
        begin = time.perf_counter()
        yield
        self._laps[name] = self._laps.get(name, 0.0) + time.perf_counter() - begin

    def read(self) -> tuple[float, dict[str, float]]:
        """Bring the state's clock up to date.

        Returns:
            Images a second since the last reading; share of the time that each kind of work took, such as
            `time.data`, and `time.compute` for the rest.
        """
        now = time.perf_counter()
        elapsed, images = now - self.last, self.state.images_seen - self.images
        self.state.seconds += elapsed
        self.last, self.images = now, self.state.images_seen
        if elapsed <= 0:
            return 0.0, {}
        shares = {f"time.{name}": spent / elapsed for name, spent in self._laps.items()}
        shares["time.compute"] = 1 - sum(shares.values())
        self._laps = {}
        return images / elapsed, shares


def make_record(
    state: TrainingState, window: Window, found: Found, layers: Layers, stopwatch: Stopwatch
) -> Record:
    """Turn what was measured since the last record into the next one.

    Args:
        state: Gives counters and the optimisers' settings.
        window: What the meter read.
        found: What the probe saw.
        layers: What the examination of the newest update saw.
        stopwatch: Gives speed and times.

    Returns:
        The record.
    """
    by_kind: dict[str, dict[str, float]] = {"penalty": {}, "finite": {}}
    for name, values in window.items():
        kind, slash, rest = name.partition("/")
        if slash:
            by_kind[kind][rest] = float(values.mean())
    real, fake = window["real_logits"], window["fake_logits"]
    speed, shares = stopwatch.read()
    return Record(
        images_seen=state.images_seen,
        steps=state.steps,
        images_per_second=speed,
        seconds=state.seconds,
        memory_bytes=psutil.Process().memory_info().rss,
        discriminator_loss=float(window["discriminator_loss"].mean()),
        generator_loss=float(window["generator_loss"].mean()),
        real_logits=float(real.mean()),
        fake_logits=float(fake.mean()),
        real_probability=float(probability(real).mean()),
        fake_probability=float(probability(fake).mean()),
        real_sign=float(np.sign(real).mean()),
        discriminator_gradient=float(window["discriminator_gradient"].mean()),
        generator_gradient=float(window["generator_gradient"].mean()),
        non_finite=1 - min(by_kind["finite"].values()),
        penalties=by_kind["penalty"],
        learning_rates={
            player: float(optimizer.param_groups[0]["lr"])
            for player, optimizer in optimizers(state).items()
        },
        signals={**of_window(window), **momenta(optimizers(state)), **shares, **found.signals},
        layers=layers,
        quantiles={
            "real_logits": quantiles(real),
            "fake_logits": quantiles(fake),
            **found.quantiles,
        },
    )


def of_window(window: Window) -> dict[str, float]:
    """Derive signals from the values of many steps.

    Args:
        window: Losses, logits, gradients and verdicts of each step.

    Returns:
        Spreads, extremes, and how well the discriminator tells real from fake.
    """
    real, fake = window["real_logits"], window["fake_logits"]
    signals = {
        "fake_sign": float(np.sign(fake).mean()),
        "real_logits.spread": float(real.std()),
        "fake_logits.spread": float(fake.std()),
        "logits.low": float(min(real.min(), fake.min())),
        "logits.high": float(max(real.max(), fake.max())),
        "separation": separation(real, fake),
    }
    for name in ("discriminator_loss", "generator_loss"):
        signals[f"{name}.spread"] = float(window[name].std())
    for name in ("discriminator_gradient", "generator_gradient"):
        signals[f"{name}.max"] = float(window[name].max())
    for player in ("generator", "discriminator"):
        if (finite := window.get(f"finite/{player}")) is not None:
            signals[f"non_finite.{player}"] = float(1 - finite.mean())
    return signals


def momenta(optimizers: dict[str, torch.optim.Optimizer]) -> dict[str, float]:
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


def optimizers(state: TrainingState) -> dict[str, torch.optim.Optimizer]:
    """Give both optimisers by player."""
    return {
        "generator": state.generator_optimizer,
        "discriminator": state.discriminator_optimizer,
    }
