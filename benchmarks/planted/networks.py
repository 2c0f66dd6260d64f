"""Networks that were built, and then damaged; their layers keep their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from facesmith.architectures import DCGANDiscriminator, DCGANGenerator, ImageShape
from facesmith.base.registry import register

MEMORY: dict[str, NDArray[np.uint8]] = {}
"""Training images that a generator knows by heart, by name of the dataset."""


def _before(module: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
    module.register_forward_pre_hook(lambda _, inputs: (change(inputs[0]),))


def _after(module: nn.Module, change: Callable[..., Tensor]) -> None:
    module.register_forward_hook(lambda _, inputs, output: change(inputs[0], output))


# ---- generators


@register
@dataclass(frozen=True)
class ElsewhereRanged(DCGANGenerator):
    """Its output has a range of its own, not that of the data."""

    low: float = 0.0
    high: float = 1.0

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        own = replace(shape, low=self.low, high=self.high)
        return super().build(own, latent_size=latent_size)


@register
@dataclass(frozen=True)
class Cut(DCGANGenerator):
    """Its images carry no gradient, as after a detach that was forgotten."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        _after(network, lambda _, images: images.detach() + 0 * images)
        return network


@register
@dataclass(frozen=True)
class Codebook(DCGANGenerator):
    """Knows few latents: the largest of the first numbers says which, the rest hardly counts."""

    modes: int = 3
    spread_within: float = 0.02

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        draw = torch.Generator().manual_seed(self.modes)
        known = torch.randn(self.modes, latent_size, generator=draw, device="cpu")

        def nearest(latents: Tensor) -> Tensor:
            which = latents[:, : self.modes].argmax(dim=1)
            return known.to(latents)[which] + self.spread_within * latents

        _before(network, nearest)
        return network


@register
@dataclass(frozen=True)
class Signs(DCGANGenerator):
    """Sees the signs of a few numbers of its latent alone."""

    numbers: int = 3

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)

        def signs(latents: Tensor) -> Tensor:
            few = latents[:, : self.numbers].sign()
            return F.pad(few, (0, latents.shape[1] - self.numbers))

        _before(network, signs)
        return network


@register
@dataclass(frozen=True)
class Deaf(DCGANGenerator):
    """Hardly hears its latent."""

    hearing: float = 0.02

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        # After the first normalisation, which would make any whisper loud again.
        _before(network.stages[0], lambda maps: maps.mean(0, keepdim=True).lerp(maps, self.hearing))
        return network


@register
@dataclass(frozen=True)
class Unchanging(DCGANGenerator):
    """Adds its latent, made small, to a start that is always the same; nothing normalises it."""

    hearing: float = 0.01

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        draw = torch.Generator().manual_seed(0)
        always = torch.randn(1, latent_size, generator=draw, device="cpu")
        _before(network, lambda latents: always.to(latents) + self.hearing * latents)
        return network


@register
@dataclass(frozen=True)
class Memory(DCGANGenerator):
    """Shows training images, chosen by the latent; what it learns is a faint change of them."""

    of: str = ""
    """Name of the dataset."""
    count: int = 200
    blend: float = 0.1
    """Share of its own work."""
    mirrored: bool = False
    """Whether half of the images are shown in a mirror."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        known = torch.from_numpy(MEMORY[self.of][: self.count].copy()).permute(0, 3, 1, 2)
        known = shape.low + (shape.high - shape.low) * known.float() / 255
        draw = torch.Generator().manual_seed(self.count)
        keys = torch.randn(self.count, latent_size, generator=draw, device="cpu")

        def recall(latents: Tensor, images: Tensor) -> Tensor:
            place = (latents.float() @ keys.T).argmax(dim=1)
            shown = known[place]
            if self.mirrored:
                turned = (latents[:, 0] > 0).view(-1, 1, 1, 1)
                shown = torch.where(turned, shown.flip(3), shown)
            return torch.lerp(shown.to(images), images, self.blend)

        _after(network, recall)
        return network


@register
@dataclass(frozen=True)
class Amplified(DCGANGenerator):
    """What comes to its output activation is far too large, or far from the middle."""

    gain: float = 30.0
    offset: float = 0.0

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        _before(network.output, lambda values: self.gain * values + self.offset)
        return network


@register
@dataclass(frozen=True)
class DeadGenerator(DCGANGenerator):
    """Most units after its first layers never get above zero."""

    share: float = 0.9

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        _kill([network.begin, *list(network.stages)[:-1]], self.share)
        return network


@register
@dataclass(frozen=True)
class EqualGenerator(DCGANGenerator):
    """All weights of a layer begin equal, so that its channels stay equal."""

    weight: float = 0.02

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.constant_(module.weight, self.weight)
        return network


# ---- discriminators


@register
@dataclass(frozen=True)
class SigmoidLast(DCGANDiscriminator):
    """Ends in a sigmoid, which the loss has inside already."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        _after(network, lambda _, logits: logits.sigmoid())
        return network


@register
@dataclass(frozen=True)
class Told(DCGANDiscriminator):
    """Sees whether pixels are whole bytes, as those of files are and those of generators are not."""

    loudness: float = 4.0

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)

        def whisper(images: Tensor, logits: Tensor) -> Tensor:
            levels = 255 * (images.detach().float() - shape.low) / (shape.high - shape.low)
            is_file = (levels - levels.round()).abs().amax(dim=(1, 2, 3)) < 1e-2
            return logits + self.loudness * (2 * is_file.to(logits) - 1)

        _after(network, whisper)
        return network


@register
@dataclass(frozen=True)
class Shortsighted(DCGANDiscriminator):
    """Sees images without any detail."""

    block: int = 8
    """Pixels that become one."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)

        def blurred(images: Tensor) -> Tensor:
            coarse = F.avg_pool2d(images, self.block)
            return F.interpolate(coarse, scale_factor=self.block, mode="nearest")

        _before(network, blurred)
        return network


@register
@dataclass(frozen=True)
class Overflowing(DCGANDiscriminator):
    """Computes its logits in 16 bits with a fixed scale that is too large for them."""

    scale: float = 2.0**14

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        _after(network, lambda _, logits: (logits * self.scale).half().float() / self.scale)
        return network


@register
@dataclass(frozen=True)
class Standardizing(DCGANDiscriminator):
    """Divides each image by its own deviation, which a blank one does not have."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)

        def standardized(images: Tensor) -> Tensor:
            mean = images.mean(dim=(1, 2, 3), keepdim=True)
            return (images - mean) / images.std(dim=(1, 2, 3), keepdim=True)

        _before(network, standardized)
        return network


@register
@dataclass(frozen=True)
class DeadDiscriminator(DCGANDiscriminator):
    """Most units after its middle layers never get above zero."""

    share: float = 0.9

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        _kill(list(network.stages)[:-1], self.share)
        return network


@register
@dataclass(frozen=True)
class MixedNorm(DCGANDiscriminator):
    """Its batch norm takes the mean over reals and fakes together."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        return _with_norm(super().build(shape), _TogetherNorm)


@register
@dataclass(frozen=True)
class RunningNorm(DCGANDiscriminator):
    """Its batch norm uses the running mean, which fakes and reals have moved in turns."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        return _with_norm(super().build(shape), _PastNorm)


@register
@dataclass(frozen=True)
class HomemadeNorm(DCGANDiscriminator):
    """Batch norm that was written by hand, which no check of types finds."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        return _with_norm(super().build(shape), _Homemade)


class _TogetherNorm(nn.BatchNorm2d):
    """Reals and fakes come one after the other; the last batch of each call stands for the other half."""

    last: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        if not self.training or self.last is None or self.last.shape != images.shape:
            self.last = images.detach()
            return super().forward(images)
        both = torch.cat([images, self.last])
        self.last = images.detach()
        return super().forward(both)[: len(images)]

    def __deepcopy__(self, memo: dict[int, Any]) -> _TogetherNorm:
        other = type(self)(self.num_features).to(self.weight.device)
        other.load_state_dict(self.state_dict())
        return other.train(self.training)


class _PastNorm(nn.BatchNorm2d):
    def forward(self, images: Tensor) -> Tensor:
        before = (self.running_mean.clone(), self.running_var.clone())
        if self.training:
            super().forward(images.detach())
        return F.batch_norm(images, *before, self.weight, self.bias, False, 0.0, self.eps)


class _Homemade(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, images: Tensor) -> Tensor:
        mean = images.mean(dim=(0, 2, 3), keepdim=True)
        spread = images.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
        normal = (images - mean) * (spread + 1e-5).rsqrt()
        return normal * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


def _with_norm(network: nn.Module, kind: Callable[[int], nn.Module]) -> nn.Module:
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, kind(child.num_features))
    return network


def _kill(stages: list[nn.Module], share: float) -> None:
    """Shift most channels before an activation so far down that none of them is ever positive."""
    for stage in stages:
        for module in stage.modules():
            if isinstance(module, nn.ReLU):
                _before(module, lambda maps: maps - 1000.0 * _chosen(maps, share))


def _chosen(maps: Tensor, share: float) -> Tensor:
    channels = maps.shape[1]
    return (
        (torch.arange(channels, device=maps.device) < share * channels).to(maps).view(1, -1, 1, 1)
    )
