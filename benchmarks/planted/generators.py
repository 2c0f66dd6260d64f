"""Generators with a mistake in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from facesmith.architectures import DCGANGenerator, ImageShape
from facesmith.base.registry import register
from planted.hooks import after, before, kill

MEMORY: dict[str, NDArray[np.uint8]] = {}
"""Training images that a generator knows by heart, by name of the dataset."""


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
        after(network, lambda _, images: images.detach() + 0 * images)
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

        before(network, nearest)
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

        before(network, signs)
        return network


@register
@dataclass(frozen=True)
class Deaf(DCGANGenerator):
    """Hardly hears its latent."""

    hearing: float = 0.02

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        # After the first normalisation, which would make any whisper loud again.
        before(network.stages[0], lambda maps: maps.mean(0, keepdim=True).lerp(maps, self.hearing))
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
        before(network, lambda latents: always.to(latents) + self.hearing * latents)
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

        after(network, recall)
        return network


@register
@dataclass(frozen=True)
class Amplified(DCGANGenerator):
    """What comes to its output activation is far too large, or far from the middle."""

    gain: float = 30.0
    offset: float = 0.0

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        before(network.output, lambda values: self.gain * values + self.offset)
        return network


@register
@dataclass(frozen=True)
class DeadGenerator(DCGANGenerator):
    """Most units after its first layers never get above zero."""

    share: float = 0.9

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        kill([network.begin, *list(network.stages)[:-1]], self.share)
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


@register
@dataclass(frozen=True)
class Mute(DCGANGenerator):
    """Its latents are multiplied by nothing."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        before(network, lambda latents: 0 * latents + 1)
        return network


# ---- of the reporting half


@register
@dataclass(frozen=True)
class HardLimited(DCGANGenerator):
    """Cuts its far too large values at the bounds instead of bending them, so no gradient comes back."""

    gain: float = 100.0

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        after(network.output, lambda values, _: (self.gain * values).clamp(shape.low, shape.high))
        return network


@register
@dataclass(frozen=True)
class Favourite(DCGANGenerator):
    """Sends most latents to almost the same place; the others are as they should be."""

    share: float = 0.8
    spread_within: float = 0.05

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        draw = torch.Generator().manual_seed(1)
        place = torch.randn(1, latent_size, generator=draw, device="cpu")
        edge = float(torch.special.ndtri(torch.tensor(self.share, device="cpu")))

        def drawn(latents: Tensor) -> Tensor:
            near = place.to(latents) + self.spread_within * latents
            return torch.where(latents[:, :1] < edge, near, latents)

        before(network, drawn)
        return network


@register
@dataclass(frozen=True)
class Expanded(DCGANGenerator):
    """One latent is drawn and expanded to the whole batch."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        before(network, lambda latents: latents[:1].expand(latents.shape))
        return network


@register
@dataclass(frozen=True)
class Recalling(DCGANGenerator):
    """Blends the few training images nearest to a latent, moved a little, with another exposure."""

    of: str = ""
    """Name of the dataset."""
    count: int = 1000
    own: float = 0.1
    """Share of its own work."""

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        known = torch.from_numpy(MEMORY[self.of][: self.count].copy()).permute(0, 3, 1, 2)
        known = shape.low + (shape.high - shape.low) * known.float() / 255
        draw = torch.Generator().manual_seed(self.count)
        keys = torch.randn(len(known), latent_size, generator=draw, device="cpu")

        def recall(latents: Tensor, images: Tensor) -> Tensor:
            weights = (3 * latents.float() @ keys.T).softmax(dim=1)
            shown = torch.einsum("nk,kchw->nchw", weights, known)
            moved = (latents[:, 0] > 0).view(-1, 1, 1, 1)
            shown = torch.where(moved, shown.roll(1, dims=3), shown)
            shown = shown * (1 + 0.1 * latents[:, 1].tanh().view(-1, 1, 1, 1))
            return torch.lerp(shown.to(images), images, self.own).clamp(shape.low, shape.high)

        after(network, recall)
        return network


@register
@dataclass(frozen=True)
class SunkGenerator(DCGANGenerator):
    """The offsets of its batch norm begin so low that most channels are below zero for every image."""

    share: float = 0.9
    offset: float = -6.0

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:  # noqa: D102
        network = super().build(shape, latent_size=latent_size)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                with torch.no_grad():
                    module.bias[: round(self.share * len(module.bias))] = self.offset
        return network
