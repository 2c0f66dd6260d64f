"""Optimisers as parts of a recipe: what torch offers, with settings that are schedules."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from facesmith.base.errors import UsageError
from facesmith.base.registry import register
from facesmith.base.schedules import Constant, Schedule


class Optimizer:
    """Moves weights against their gradient; subclasses are frozen dataclasses."""

    learning_rate: Schedule

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the torch optimiser.

        Args:
            parameters: What it moves.

        Returns:
            The optimiser; fused where torch has a fused form for the device.
        """
        raise TypeError(f"{type(self).__name__} must define build")

    def settings(self, images_seen: int) -> dict[str, object]:
        """Give the scheduled values of the optimiser's parameter group.

        Args:
            images_seen: Real images drawn so far.

        Returns:
            Keys of the parameter group and their values.
        """
        return {"lr": self.learning_rate(images_seen)}


def _check(name: str, value: float, *, below: float) -> None:
    if not 0 <= value < below:
        raise UsageError(
            f"{name} was given {value}.",
            needed=f"a number from 0 up to, not including, {below:g}",
            todo="leave it at its default",
        )


@register
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (1412.6980); decoupled weight decay where one is set (AdamW, 1711.05101)."""

    learning_rate: Schedule = Constant(2e-4)
    """Step size; 1e-5 to 1e-3."""
    beta1: Schedule = Constant(0.5)
    """Momentum, 0 to 0.9; above 0.5 GANs tend to oscillate, 0 suits zero-centred penalties."""
    beta2: Schedule = Constant(0.999)
    """Memory of the squared gradient."""
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check("weight_decay", self.weight_decay, below=1.0)

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        return torch.optim.AdamW(parameters, weight_decay=self.weight_decay, fused=True)

    def settings(self, images_seen: int) -> dict[str, object]:  # noqa: D102
        betas = (self.beta1(images_seen), self.beta2(images_seen))
        return {"lr": self.learning_rate(images_seen), "betas": betas}


@register
@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum; ganhacks 9 pairs it with an Adam generator."""

    learning_rate: Schedule = Constant(1e-2)
    momentum: Schedule = Constant(0.0)
    """Share of the last step that is kept, 0 to 1."""

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        optimizer = torch.optim.SGD(parameters, fused=True)  # settings come before each step
        for parameter in parameters:
            # torch would leave the buffer unfilled if the first step is skipped as not finite.
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer

    def settings(self, images_seen: int) -> dict[str, object]:  # noqa: D102
        return {"lr": self.learning_rate(images_seen), "momentum": self.momentum(images_seen)}


@register
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Steps divided by the recent size of the gradient; the optimiser of WGAN and GAN stability."""

    learning_rate: Schedule = Constant(1e-4)
    alpha: float = 0.99
    """Memory of the squared gradient."""

    def __post_init__(self) -> None:
        _check("alpha", self.alpha, below=1.0)

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        return torch.optim.RMSprop(parameters, alpha=self.alpha)


@register
@dataclass(frozen=True)
class Optimizers:
    """One optimiser for each player."""

    generator: Optimizer = Adam()
    discriminator: Optimizer = Adam()
