"""A decoder of constant width: two convolutions, then twice the size (the decoder of BEGAN, 1703.10717)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from facesmith.architectures.contract import GeneratorPart, ImageShape
from facesmith.architectures.dcgan import count_stages
from facesmith.architectures.layers import (
    Activation,
    Conv2d,
    Initialization,
    LayerNoise,
    Linear,
    Normalization,
    Output,
    Scaled,
    activation,
    check_positive,
    constrain,
    initialize,
    normalization,
)
from facesmith.base.registry import register


@register
@dataclass(frozen=True)
class DecoderGenerator(GeneratorPart):
    """Convolves twice at each size and enlarges by nearest neighbour, with equal channels throughout."""

    width: int = 128
    """Channels everywhere."""
    start: int = 8
    """Height and width of the first feature map in pixels."""
    normalization: Normalization = "none"
    """After each enlargement."""
    activation: Activation = "elu"
    """After each convolution."""
    output: Output = "tanh"
    """Bounds the pixels; always stretched to the data's range."""
    initialization: Initialization = "normal"
    """Law of the first weights."""
    spread: float = 0.02
    """Standard deviation of `normal` initialisation."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        stages = count_stages(shape.resolution, self.start, 2)
        check_positive("generator.width", self.width)
        network = _Decoder(self, shape, latent_size, stages)
        initialize(network, self.initialization, spread=self.spread)
        constrain(network, self.normalization)
        return network


class _Decoder(nn.Module):
    def __init__(
        self, part: DecoderGenerator, shape: ImageShape, latent_size: int, stages: int
    ) -> None:
        super().__init__()
        self.start = (part.width, part.start, part.start)
        self.project = Linear(latent_size, part.width * part.start**2)
        self.stages = nn.ModuleList()
        for _ in range(stages):
            layers = _convolve_twice(part)
            layers += [nn.Upsample(scale_factor=2, mode="nearest")]
            if part.normalization not in ("none", "spectral"):
                layers += [normalization(part.normalization, part.width)]
            self.stages.append(nn.Sequential(*layers))
        to_pixels = Conv2d(part.width, shape.channels, 3, padding=1)
        self.finish = nn.Sequential(*_convolve_twice(part), to_pixels)
        self.output = Scaled(part.output, shape.low, shape.high)

    def forward(self, latents: Tensor) -> Tensor:
        images = self.project(latents).unflatten(1, self.start)
        for stage in self.stages:
            images = stage(images)
        result: Tensor = self.output(self.finish(images))
        return result


def _convolve_twice(part: DecoderGenerator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [
            Conv2d(part.width, part.width, 3, padding=1),
            activation(part.activation),
            LayerNoise(),
        ]
    return layers
