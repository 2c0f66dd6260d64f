"""DCGAN (Radford, 1511.06434): convolutions only, at any power-of-two resolution."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from facesmith.architectures.contract import DiscriminatorPart, GeneratorPart, ImageShape
from facesmith.architectures.layers import (
    Activation,
    Conv2d,
    Downsampling,
    Initialization,
    LayerNoise,
    Linear,
    Normalization,
    Output,
    Scaled,
    Upsampling,
    activation,
    check_positive,
    check_share,
    constrain,
    downsample,
    initialize,
    normalization,
    upsample,
)
from facesmith.base.errors import UsageError
from facesmith.base.registry import register

RESOLUTIONS = (16, 32, 64, 128, 256)


@register
@dataclass(frozen=True)
class DCGANGenerator(GeneratorPart):
    """Projects a latent to a few pixels with many channels, then enlarges them stage by stage."""

    width: int = 64
    """Channels before the last stage; they double towards the latent."""
    max_width: int = 1024
    """Never more channels than this."""
    widths: tuple[int, ...] = ()
    """Channels of each stage, coarsest first, instead of doubling."""
    depth: int = 1
    """Convolutions in a stage; more make the model deeper."""
    start: int = 4
    """Height and width of the first feature map in pixels."""
    kernel: int = 4
    """Height and width of the resampling kernels; a multiple of the stride avoids checkerboards."""
    stride: int = 2
    """Factor by which a stage enlarges."""
    padding: int | None = None
    """Padding of the resampling convolutions; chosen to fit when unset."""
    upsampling: Upsampling = "transposed"
    """How a stage enlarges."""
    normalization: Normalization = "batch"
    """After each convolution but the last."""
    start_normalization: Normalization = "batch"
    """After the projection of the latent; `none` also leaves out its activation."""
    activation: Activation = "relu"
    """After each normalisation."""
    dropout: float = 0.0
    """Share of activations dropped while training, 0 to 1."""
    output: Output = "tanh"
    """Bounds the pixels; always stretched to the data's range."""
    initialization: Initialization = "normal"
    """Law of the first weights."""
    spread: float = 0.02
    """Standard deviation of `normal` initialisation."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        stages = count_stages(shape.resolution, self.start, self.stride)
        widths = stage_widths(self.widths, self.width, self.max_width, stages)[::-1]
        check_share("generator.dropout", self.dropout)
        check_positive("generator.depth", self.depth)
        inner = self.normalization if self.depth > 1 else "none"
        check_one_pixel("generator.start", self.start, self.start_normalization, inner)
        network = _Generator(self, shape, latent_size, self.widths or widths)
        initialize(network, self.initialization, spread=self.spread)
        constrain(network, self.normalization)
        if self.normalization != "spectral":  # which has the projection already
            constrain(network.project, self.start_normalization)
        return network

    def advice(self) -> list[str]:  # noqa: D102
        # Overlapping kernels then weigh some output pixels more than others (Odena, 2016).
        if self.upsampling == "transposed" and self.kernel % self.stride:
            return [
                f"The generator's kernel {self.kernel} is no multiple of its stride {self.stride}: "
                f"expect checkerboard patterns. Use kernel {2 * self.stride}, or upsampling by "
                "nearest or bilinear."
            ]
        return []


@register
@dataclass(frozen=True)
class DCGANDiscriminator(DiscriminatorPart):
    """Shrinks an image stage by stage with more and more channels, then judges what is left."""

    width: int = 64
    """Channels after the first stage; they double with each further one."""
    max_width: int = 2048
    """Never more channels than this."""
    widths: tuple[int, ...] = ()
    """Channels of each stage, finest first, instead of doubling."""
    depth: int = 1
    """Convolutions in a stage; more make the model deeper."""
    end: int = 4
    """Height and width of the last feature map in pixels."""
    kernel: int = 4
    """Height and width of the resampling kernels."""
    stride: int = 2
    """Factor by which a stage shrinks."""
    padding: int | None = None
    """Padding of the resampling convolutions; chosen to fit when unset."""
    downsampling: Downsampling = "strided"
    """How a stage shrinks."""
    normalization: Normalization = "batch"
    """After each convolution but the first."""
    activation: Activation = "leaky-relu"
    """After each normalisation."""
    dropout: float = 0.0
    """Share of activations dropped while training, 0 to 1; low values of about 0.1 to 0.3 help small data."""
    initialization: Initialization = "normal"
    """Law of the first weights."""
    spread: float = 0.02
    """Standard deviation of `normal` initialisation."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        stages = count_stages(shape.resolution, self.end, self.stride)
        widths = stage_widths(self.widths, self.width, self.max_width, stages)
        check_share("discriminator.dropout", self.dropout)
        check_positive("discriminator.depth", self.depth)
        check_one_pixel("discriminator.end", self.end, self.normalization)
        network = _Discriminator(self, shape, widths)
        initialize(network, self.initialization, spread=self.spread)
        constrain(network, self.normalization)
        return network


class _Generator(nn.Module):
    def __init__(
        self, part: DCGANGenerator, shape: ImageShape, latent_size: int, widths: tuple[int, ...]
    ) -> None:
        super().__init__()
        first, start = widths[0], part.start
        self.start = (start, start, first)
        # A linear layer, which is what a 4x4 transposed convolution of a single pixel computes.
        self.project = Linear(latent_size, first * start * start, bias=False)
        begin: list[nn.Module] = []
        if part.start_normalization != "none":
            begin += _finish(part.start_normalization, part.activation, part.dropout, first)
        self.begin = nn.Sequential(*begin, LayerNoise())
        self.stages = nn.ModuleList()
        for inputs, outputs in zip(widths, (*widths[1:], shape.channels), strict=True):
            is_last = len(self.stages) == len(widths) - 1
            layers = [*self._deepen(part, inputs)]
            enlarge = upsample(
                part.upsampling,
                inputs,
                outputs,
                kernel=part.kernel,
                stride=part.stride,
                padding=part.padding,
            )
            layers += [enlarge]
            if not is_last:
                layers += _finish(part.normalization, part.activation, part.dropout, outputs)
                layers += [LayerNoise()]
            self.stages.append(nn.Sequential(*layers))
        self.output = Scaled(part.output, shape.low, shape.high)

    @staticmethod
    def _deepen(part: DCGANGenerator, channels: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for _ in range(part.depth - 1):
            layers += [Conv2d(channels, channels, 3, padding=1, bias=False)]
            layers += _finish(part.normalization, part.activation, part.dropout, channels)
            layers += [LayerNoise()]
        return layers

    def forward(self, latents: Tensor) -> Tensor:
        # Channels last from the first feature map on: a change of layout would cost more than the layer.
        images = self.begin(self.project(latents).unflatten(1, self.start).permute(0, 3, 1, 2))
        for stage in self.stages:
            images = stage(images)
        result: Tensor = self.output(images)
        return result


class _Discriminator(nn.Module):
    def __init__(
        self, part: DCGANDiscriminator, shape: ImageShape, widths: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        for inputs, outputs in zip((shape.channels, *widths[:-1]), widths, strict=True):
            # No batch norm on the first stage: it would take the images' own colours away.
            after = part.normalization if self.stages else "none"
            shrink = downsample(
                part.downsampling,
                inputs,
                outputs,
                kernel=part.kernel,
                stride=part.stride,
                padding=part.padding,
            )
            layers: list[nn.Module] = [shrink]
            layers += _finish(after, part.activation, part.dropout, outputs)
            for _ in range(part.depth - 1):
                layers += [Conv2d(outputs, outputs, 3, padding=1, bias=False)]
                layers += _finish(part.normalization, part.activation, part.dropout, outputs)
            self.stages.append(nn.Sequential(*layers))
        self.judge = Linear(widths[-1] * part.end * part.end, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        for stage in self.stages:
            images = stage(images)
        logits: Tensor = self.judge(images.permute(0, 2, 3, 1).flatten(1))
        return logits.squeeze(1)


def _finish(norm: Normalization, act: Activation, dropout: float, channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    if norm not in ("none", "spectral"):
        layers += [normalization(norm, channels)]
    layers += [activation(act)]
    if dropout > 0:
        layers += [nn.Dropout(dropout)]
    return layers


def count_stages(resolution: int, smallest: int, stride: int) -> int:
    """Count the stages between the smallest feature map and the image.

    Args:
        resolution: Of the image, in pixels.
        smallest: Height of the smallest feature map, in pixels.
        stride: Factor of a stage.

    Returns:
        The number, 1 or more.

    Raises:
        UsageError: No whole number of stages leads from one to the other.
    """
    if resolution not in RESOLUTIONS:
        near = min(RESOLUTIONS, key=lambda known: abs(known - resolution))
        raise UsageError(
            f"A DCGAN at resolution {resolution} was asked for.",
            needed=f"one of {', '.join(map(str, RESOLUTIONS))}",
            todo=f"add --resolution {near}",
        )
    check_positive("The smallest feature map", smallest)
    size, stages = smallest, 0
    while size < resolution and stride > 1:
        size, stages = size * stride, stages + 1
    if size != resolution or stages == 0:
        raise UsageError(
            f"From {smallest} to {resolution} pixels there is no whole number of steps of {stride}.",
            needed="resolution = smallest feature map x stride^stages, with a stride of 2 or more",
            todo="use stride 2 with a smallest feature map of 2, 4 or 8",
        )
    return stages


def stage_widths(
    given: tuple[int, ...], width: int, max_width: int, stages: int
) -> tuple[int, ...]:
    """Choose the channels of each stage, doubling from the image inwards.

    Args:
        given: Explicit channels, or empty.
        width: Channels next to the image.
        max_width: Upper bound.
        stages: Number of stages.

    Returns:
        One number a stage, those next to the image first unless given.

    Raises:
        UsageError: Another number of widths is given than there are stages, or a width is not positive.
    """
    if given and len(given) != stages:
        raise UsageError(
            f"{len(given)} widths were given: {given}.",
            needed=f"{stages}, one for each stage at this resolution",
            todo="give one width a stage, or leave widths empty and set width",
        )
    widths = given or tuple(min(max_width, width * 2**stage) for stage in range(stages))
    if min(widths) < 1:
        raise UsageError(
            f"Widths {widths} were asked for.",
            needed="at least one channel in each stage",
            todo="set width to 32 or more; 64 is the tutorial's",
        )
    return widths


def check_one_pixel(name: str, size: int, *kinds: Normalization) -> None:
    """Refuse instance norm where a channel is a single pixel, which has no variance."""
    if size == 1 and "instance" in kinds:
        raise UsageError(
            f"Instance norm was asked for where {name} is 1 pixel.",
            needed="at least 2x2 pixels, whose mean and variance it takes",
            todo=f"set {name} to 4, or use another normalisation",
        )
