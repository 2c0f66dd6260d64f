"""Primitives used identically by several architectures.

Each layer casts its weight to its input's type. Precision is therefore a property of the images and
latents that come in, not a mode: bf16 in gives bf16 compute, fp32 in stays exact.
"""

from __future__ import annotations

import math
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesmith.architectures.convolution import Pair, convolve, convolve_transposed
from facesmith.base.errors import UsageError

Activation = Literal["relu", "leaky-relu", "elu", "silu", "gelu", "tanh"]
Normalization = Literal["batch", "instance", "group", "layer", "pixel", "spectral", "none"]
Upsampling = Literal["transposed", "nearest", "bilinear", "pixel-shuffle"]
Downsampling = Literal["strided", "average", "max", "blur"]
Output = Literal["tanh", "sigmoid", "linear"]
Initialization = Literal["normal", "xavier", "kaiming", "orthogonal"]

LEAK = 0.2  # slope of LeakyReLU below zero, as in the DCGAN paper


class Conv2d(nn.Conv2d):
    """Convolution that computes in its input's type."""

    def forward(self, images: Tensor) -> Tensor:  # noqa: D102
        weight, bias = _cast(self, images.dtype)
        stride, padding = cast("tuple[Pair, Pair]", (self.stride, self.padding))
        return convolve(images, weight, bias, stride, padding)


class ConvTranspose2d(nn.ConvTranspose2d):
    """Transposed convolution that computes in its input's type."""

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]  # noqa: D102
        weight, bias = _cast(self, images.dtype)
        # torch's annotations allow for paddings in words, which never occur here.
        stride, padding = cast("tuple[Pair, Pair]", (self.stride, self.padding))
        extra = cast("Pair", self.output_padding)
        return convolve_transposed(images, weight, bias, stride, padding, extra)


class Linear(nn.Linear):
    """Fully connected layer that computes in its input's type."""

    def forward(self, values: Tensor) -> Tensor:  # noqa: D102
        weight, bias = _cast(self, values.dtype)
        return F.linear(values, weight, bias)


class PixelNorm(nn.Module):
    """Scales the channels of each pixel to unit mean square (ProGAN, 1710.10196)."""

    def forward(self, images: Tensor) -> Tensor:  # noqa: D102
        mean_square = images.float().square().mean(dim=1, keepdim=True)
        return images * (mean_square + 1e-8).rsqrt().to(images.dtype)


class LayerNoise(nn.Module):
    """Adds Gaussian noise while training; the loop sets `strength` by schedule (ganhacks 13)."""

    strength: float = 0.0

    def forward(self, images: Tensor) -> Tensor:  # noqa: D102
        if self.training and self.strength > 0:
            return images + self.strength * torch.randn_like(images)
        return images


class Blur(nn.Module):
    """Binomial filter [1 3 3 1] and every second pixel: downsampling without aliasing (1904.11486)."""

    kernel: Tensor

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride
        row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", torch.outer(row, row)[None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:  # noqa: D102
        channels = images.shape[1]
        kernel = self.kernel.to(images.dtype).expand(channels, 1, 4, 4)
        padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, kernel, stride=self.stride, groups=channels)


class Scaled(nn.Module):
    """An output activation stretched to the range of the data."""

    def __init__(self, kind: Output, low: float, high: float) -> None:
        super().__init__()
        self.kind, self.low, self.high = kind, low, high

    def forward(self, images: Tensor) -> Tensor:  # noqa: D102
        middle, half = (self.high + self.low) / 2, (self.high - self.low) / 2
        if self.kind == "linear":  # may leave the range; D teaches it not to, pixels are clipped
            return images
        bounded = images.tanh() if self.kind == "tanh" else 2 * images.sigmoid() - 1
        return bounded if (middle, half) == (0.0, 1.0) else bounded * half + middle

    def extra_repr(self) -> str:  # noqa: D102
        return f"{self.kind} to [{self.low:g}, {self.high:g}]"


def activation(kind: Activation) -> nn.Module:
    """Make an activation.

    Args:
        kind: Its name; LeakyReLU has the slope 0.2.

    Returns:
        The module.
    """
    return {
        "relu": lambda: nn.ReLU(inplace=True),
        "leaky-relu": lambda: nn.LeakyReLU(LEAK, inplace=True),
        "elu": nn.ELU,
        "silu": nn.SiLU,
        "gelu": nn.GELU,
        "tanh": nn.Tanh,
    }[kind]()


def normalization(kind: Normalization, channels: int) -> nn.Module:
    """Make the layer that normalises activations.

    Args:
        kind: Its name; `spectral` works on weights instead (see `constrain`).
        channels: Channels of its input.

    Returns:
        The module; an identity for `spectral` and `none`.
    """
    # Up to 32 groups of two or more channels: groups of one would be instance norm.
    groups = max(g for g in range(1, 33) if channels % g == 0 and 2 * g <= max(channels, 2))
    return {
        "batch": lambda: nn.BatchNorm2d(channels),
        "instance": lambda: nn.InstanceNorm2d(channels, affine=True),
        "group": lambda: nn.GroupNorm(groups, channels),
        "layer": lambda: nn.GroupNorm(1, channels),
        "pixel": PixelNorm,
        "spectral": nn.Identity,
        "none": nn.Identity,
    }[kind]()


def constrain(network: nn.Module, kind: Normalization) -> None:
    """Divide each weight by its largest singular value if the normalisation is `spectral` (1802.05957).

    Args:
        network: Whose convolutions and linear layers change; their first weights must be set already.
        kind: The network's normalisation.
    """
    if kind == "spectral":
        for layer in list(network.modules()):
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.utils.parametrizations.spectral_norm(layer)


def check_share(name: str, value: float) -> None:
    """Refuse a share outside [0, 1)."""
    if not 0 <= value < 1:
        raise UsageError(
            f"{name} was given {value}.",
            needed="a share from 0 up to, not including, 1",
            todo=f"set {name} to 0.1 for a start",
        )


def check_positive(name: str, value: int) -> None:
    """Refuse a number of things below 1."""
    if value < 1:
        raise UsageError(
            f"{name} was given {value}.",
            needed="a whole number, 1 or more",
            todo=f"leave {name} at its default",
        )


def upsample(
    kind: Upsampling, inputs: int, outputs: int, *, kernel: int, stride: int, padding: int | None
) -> nn.Sequential:
    """Make the layers that enlarge images by the stride and change their channels.

    Args:
        kind: Transposed convolution; nearest or bilinear enlargement and convolution; pixel shuffle.
        inputs: Channels in.
        outputs: Channels out.
        kernel: Height and width of the kernel in pixels.
        stride: Factor of enlargement.
        padding: Pixels cut at each side; chosen to fit when None.

    Returns:
        The layers; the convolution has no bias, which a following normalisation would cancel.

    Raises:
        UsageError: The output would not be `stride` times the input.
    """
    if kind == "transposed":
        # out = (in - 1) stride - 2 padding + kernel + extra, and must be in * stride.
        fitting = -(-(kernel - stride) // 2) if padding is None else padding
        extra = 2 * fitting - (kernel - stride)
        if kernel < stride or fitting < 0 or not 0 <= extra < stride:
            raise _misfit("transposed convolution", kernel, stride, padding)
        return nn.Sequential(
            ConvTranspose2d(
                inputs, outputs, kernel, stride, fitting, output_padding=extra, bias=False
            )
        )
    keep = _same_padding(kind, kernel, padding)
    if kind == "pixel-shuffle":
        dense = Conv2d(inputs, outputs * stride**2, kernel, padding=keep, bias=False)
        return nn.Sequential(dense, nn.PixelShuffle(stride))
    enlarge = nn.Upsample(scale_factor=stride, mode=kind)
    return nn.Sequential(enlarge, Conv2d(inputs, outputs, kernel, padding=keep, bias=False))


def downsample(
    kind: Downsampling, inputs: int, outputs: int, *, kernel: int, stride: int, padding: int | None
) -> nn.Sequential:
    """Make the layers that shrink images by the stride and change their channels.

    Args:
        kind: Strided convolution; or convolution and average, max or blur pooling.
        inputs: Channels in.
        outputs: Channels out.
        kernel: Height and width of the kernel in pixels.
        stride: Factor of reduction.
        padding: Pixels added at each side; chosen to fit when None.

    Returns:
        The layers; the convolution has no bias.

    Raises:
        UsageError: The output would not be the input divided by `stride`.
    """
    if kind == "strided":
        # out = floor((in + 2 padding - kernel) / stride) + 1, and must be in / stride.
        fitting = -(-(kernel - stride) // 2) if padding is None else padding
        if kernel < stride or not kernel - stride <= 2 * fitting < kernel:
            raise _misfit("strided convolution", kernel, stride, padding)
        return nn.Sequential(Conv2d(inputs, outputs, kernel, stride, fitting, bias=False))
    keep = _same_padding(kind, kernel, padding)
    dense = Conv2d(inputs, outputs, kernel, padding=keep, bias=False)
    pool = {
        "average": lambda: nn.AvgPool2d(stride),
        "max": lambda: nn.MaxPool2d(stride),
        "blur": lambda: Blur(stride),
    }[kind]()
    return nn.Sequential(dense, pool)


def initialize(module: nn.Module, kind: Initialization, *, spread: float = 0.02) -> None:
    """Fill the weights of all layers from torch's global random state.

    Args:
        module: The network.
        kind: `normal` is the DCGAN paper's N(0, spread), with N(1, spread) for gains of batch norm.
        spread: Standard deviation for `normal`; the others follow from the layers' sizes.
    """
    if spread < 0:
        raise UsageError(
            f"A spread of {spread} was given.",
            needed="a standard deviation of 0 or more",
            todo="use 0.02, the DCGAN paper's",
        )
    for layer in module.modules():
        if any(parameter.is_meta for parameter in layer.parameters(recurse=False)):
            continue  # a network that is only looked at has no numbers, and filling none takes seconds
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if kind == "normal":
                nn.init.normal_(layer.weight, 0.0, spread)
            elif kind == "xavier":
                nn.init.xavier_uniform_(layer.weight)
            elif kind == "kaiming":
                _kaiming(layer)
            else:
                nn.init.orthogonal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d) and kind == "normal":
            nn.init.normal_(layer.weight, 1.0, spread)
            nn.init.zeros_(layer.bias)


def _kaiming(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear) -> None:
    if isinstance(layer, nn.ConvTranspose2d):
        # torch counts the pixels that an input reaches. A sum has the terms that reach an output:
        # every stride-th tap of each input channel.
        taps = math.prod(k / s for k, s in zip(layer.kernel_size, layer.stride, strict=True))
        gain = nn.init.calculate_gain("leaky_relu", LEAK)
        nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.in_channels * taps))
    else:
        nn.init.kaiming_normal_(layer.weight, a=LEAK)


def _cast(
    layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear, dtype: torch.dtype
) -> tuple[Tensor, Tensor | None]:
    return layer.weight.to(dtype), None if layer.bias is None else layer.bias.to(dtype)


def _same_padding(kind: str, kernel: int, padding: int | None) -> int:
    keep = kernel // 2 if padding is None else padding
    if kernel % 2 == 0 or keep != kernel // 2:
        raise UsageError(
            f"A {kernel}x{kernel} kernel with padding {keep} cannot keep the size of an image, "
            f"as {kind} resampling needs.",
            needed="an odd kernel with padding (kernel - 1) / 2",
            todo="set kernel to 3 or 5 and leave padding unset",
        )
    return keep


def _misfit(what: str, kernel: int, stride: int, padding: int | None) -> UsageError:
    shown = "" if padding is None else f" and padding {padding}"
    return UsageError(
        f"A {what} with kernel {kernel}, stride {stride}{shown} does not scale images by {stride}.",
        needed=f"a kernel of at least {stride}, and 2 * padding between kernel - stride and kernel - 1",
        todo=f"use kernel {2 * stride} and leave padding unset",
    )
