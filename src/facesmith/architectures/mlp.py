"""The fully connected networks of the first GAN (Goodfellow, 1406.2661)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from facesmith.architectures.contract import DiscriminatorPart, GeneratorPart, ImageShape
from facesmith.architectures.layers import (
    Activation,
    Initialization,
    LayerNoise,
    Linear,
    Output,
    Scaled,
    activation,
    check_positive,
    check_share,
    initialize,
)
from facesmith.base.errors import UsageError
from facesmith.base.registry import register


@register
@dataclass(frozen=True)
class MLPGenerator(GeneratorPart):
    """Two wide layers, then all pixels at once; any resolution, best for small grey images."""

    widths: tuple[int, ...] = (1200, 1200)
    """Units of each hidden layer."""
    activation: Activation = "relu"
    """After each hidden layer."""
    output: Output = "sigmoid"
    """Bounds the pixels; always stretched to the data's range."""
    initialization: Initialization = "normal"
    """Law of the first weights."""
    spread: float = 0.03
    """Standard deviation of `normal` initialisation; 0.05 / sqrt(3) is the paper's even spread."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        _check_widths(self.widths)
        layers: list[nn.Module] = []
        inputs = latent_size
        for width in self.widths:
            layers += [Linear(inputs, width), activation(self.activation), LayerNoise()]
            inputs = width
        pixels = (shape.channels, shape.resolution, shape.resolution)
        layers += [Linear(inputs, math.prod(pixels)), nn.Unflatten(1, pixels)]
        layers += [Scaled(self.output, shape.low, shape.high)]
        network = nn.Sequential(*layers)
        initialize(network, self.initialization, spread=self.spread)
        return network


@register
@dataclass(frozen=True)
class MLPDiscriminator(DiscriminatorPart):
    """Maxout layers with dropout, the input included (maxout: 1302.4389)."""

    widths: tuple[int, ...] = (240, 240)
    """Units of each hidden layer."""
    pieces: int = 5
    """Linear pieces that a maxout unit takes the largest of."""
    input_dropout: float = 0.2
    """Share of pixels dropped while training, 0 to 1."""
    dropout: float = 0.5
    """Share of hidden units dropped while training, 0 to 1."""
    initialization: Initialization = "normal"
    """Law of the first weights."""
    spread: float = 0.005
    """Standard deviation of `normal` initialisation."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        _check_widths(self.widths)
        check_positive("discriminator.pieces", self.pieces)
        check_share("discriminator.input_dropout", self.input_dropout)
        check_share("discriminator.dropout", self.dropout)
        inputs = shape.channels * shape.resolution**2
        layers: list[nn.Module] = [nn.Flatten(), nn.Dropout(self.input_dropout)]
        for width in self.widths:
            layers += [_Maxout(inputs, width, self.pieces), nn.Dropout(self.dropout)]
            inputs = width
        layers += [Linear(inputs, 1), _OneLogit()]
        network = nn.Sequential(*layers)
        initialize(network, self.initialization, spread=self.spread)
        return network


class _Maxout(nn.Module):
    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.dense = Linear(inputs, outputs * pieces)

    def forward(self, values: Tensor) -> Tensor:
        pieces = cast("Tensor", self.dense(values)).unflatten(1, (-1, self.pieces))
        return torch.amax(pieces, dim=2)


class _OneLogit(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits.squeeze(1)


def _check_widths(widths: tuple[int, ...]) -> None:
    if not widths or min(widths) < 1:
        raise UsageError(
            f"Hidden layers of widths {widths} were asked for.",
            needed="one or more layers of at least one unit",
            todo="give widths such as 1200 1200",
        )
