"""Records of a run: what the meter measured, when, and how fast it went."""

from __future__ import annotations

import torch

from facesmith.base.records import Record
from facesmith.measuring import recording
from facesmith.measuring.layers import Layers
from facesmith.measuring.meter import Window
from facesmith.measuring.probe import Found
from facesmith.measuring.stopwatch import Stopwatch
from facesmith.training.state import TrainingState


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
    speed, shares = stopwatch.read()
    reached = recording.Reached(state.images_seen, state.steps, state.seconds, speed, shares)
    return recording.make_record(reached, window, found, layers, optimizers(state))


def optimizers(state: TrainingState) -> dict[str, torch.optim.Optimizer]:
    """Give both optimisers by player."""
    return {
        "generator": state.generator_optimizer,
        "discriminator": state.discriminator_optimizer,
    }
