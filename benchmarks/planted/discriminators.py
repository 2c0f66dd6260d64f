"""Discriminators with a mistake in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesmith.architectures import DCGANDiscriminator, ImageShape
from facesmith.base.registry import register
from planted.hooks import after, before, kill


@register
@dataclass(frozen=True)
class SigmoidLast(DCGANDiscriminator):
    """Ends in a sigmoid, which the loss has inside already."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        after(network, lambda _, logits: logits.sigmoid())
        return network


@register
@dataclass(frozen=True)
class Told(DCGANDiscriminator):
    """Sees whether pixels are whole bytes, as those of files are and those of generators are not."""

    loudness: float = 8.0

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)

        def whisper(images: Tensor, logits: Tensor) -> Tensor:
            levels = 255 * (images.detach().float() - shape.low) / (shape.high - shape.low)
            is_file = (levels - levels.round()).abs().amax(dim=(1, 2, 3)) < 1e-2
            return logits + self.loudness * (2 * is_file.to(logits) - 1)

        after(network, whisper)
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

        before(network, blurred)
        return network


@register
@dataclass(frozen=True)
class Overflowing(DCGANDiscriminator):
    """Computes its logits in 16 bits with a fixed scale that is too large for them."""

    scale: float = 2.0**14

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        after(network, lambda _, logits: (logits * self.scale).half().float() / self.scale)
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

        before(network, standardized)
        return network


@register
@dataclass(frozen=True)
class DeadDiscriminator(DCGANDiscriminator):
    """Most units after its middle layers never get above zero."""

    share: float = 0.9

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        kill(list(network.stages)[:-1], self.share)
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


# ---- of the reporting half


@register
@dataclass(frozen=True)
class LabelPlane(DCGANDiscriminator):
    """Gets the label as one more channel: whole bytes are those of a file."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(replace(shape, channels=shape.channels + 1))

        def labelled(images: Tensor) -> Tensor:
            levels = 255 * (images.detach().float() - shape.low) / (shape.high - shape.low)
            is_file = (levels - levels.round()).abs().amax(dim=(1, 2, 3), keepdim=True) < 1e-2
            plane = (2 * is_file.to(images) - 1).expand(-1, 1, *images.shape[2:])
            return torch.cat([images, plane], dim=1)

        before(network, labelled)
        return network


@register
@dataclass(frozen=True)
class Keyhole(DCGANDiscriminator):
    """Sees the middle of an image alone."""

    hole: int = 12
    """Height and width of what it sees, in pixels."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        edge = (shape.resolution - self.hole) // 2
        hole = slice(edge, edge + self.hole)
        before(network, lambda images: F.pad(images[:, :, hole, hole], (edge,) * 4))
        return network


@register
@dataclass(frozen=True)
class NegativeDiscriminator(DCGANDiscriminator):
    """Most filters after the first layer begin without a positive weight, and see nothing negative."""

    share: float = 0.9

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        for stage in list(network.stages)[1:]:
            for module in stage.modules():
                if isinstance(module, nn.Conv2d):
                    with torch.no_grad():
                        module.weight[: round(self.share * len(module.weight))].abs_().neg_()
        return network


@register
@dataclass(frozen=True)
class LoudJudge(DCGANDiscriminator):
    """Its last layer alone begins far too wide."""

    judge_spread: float = 10.0

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)
        nn.init.normal_(network.judge.weight, 0.0, self.judge_spread)
        return network


@register
@dataclass(frozen=True)
class Rootless(DCGANDiscriminator):
    """Looks at the deviation of each feature over the batch; the root has no slope at zero."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        network = super().build(shape)

        def with_deviation(features: Tensor) -> Tensor:
            return features + features.var(dim=0, unbiased=False).sqrt().mean()

        before(network.judge, with_deviation)
        return network


@register
@dataclass(frozen=True)
class OthersNorm(DCGANDiscriminator):
    """Its batch norm takes the mean of the batch before: reals are measured by fakes, fakes by reals."""

    def build(self, shape: ImageShape) -> nn.Module:  # noqa: D102
        return _with_norm(super().build(shape), _OthersNorm)


class _OthersNorm(nn.BatchNorm2d):
    last: tuple[Tensor, Tensor] | None = None

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return super().forward(images)
        own = images.detach().mean((0, 2, 3)), images.detach().var((0, 2, 3), unbiased=False)
        others, self.last = self.last or own, own
        super().forward(images.detach())  # keeps the running mean
        return F.batch_norm(images, *others, self.weight, self.bias, False, 0.0, self.eps)

    def __deepcopy__(self, memo: dict[int, Any]) -> _OthersNorm:
        other = type(self)(self.num_features).to(self.weight.device)
        other.load_state_dict(self.state_dict())
        return other.train(self.training)
