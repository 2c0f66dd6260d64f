"""Penalties on the discriminator: pure functions of what one update saw.

They are computed in fp32 whatever the networks' precision: a squared gradient loses its meaning in bf16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from facesmith.base.errors import UsageError
from facesmith.base.registry import register
from facesmith.base.schedules import Constant, Schedule


@dataclass(frozen=True)
class Pass:
    """What one discriminator update saw.

    Args:
        real: Real images, float (N, C, H, W).
        fake: Generated images of the same shape, without gradient.
        real_logits: D(real), shape (N,).
        fake_logits: D(fake), shape (N,).
        discriminator: The function images -> logits (N,).
        images_seen: Real images drawn before this update.
    """

    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    discriminator: Callable[[Tensor], Tensor]
    images_seen: int


@dataclass(frozen=True)
class Penalty:
    """A term added to the discriminator's loss; subclasses are frozen dataclasses."""

    every: int = field(default=1, kw_only=True)
    """Due at every n-th update, then multiplied by n (lazy regularisation, 1912.04958)."""

    def __call__(self, pass_: Pass) -> Tensor:
        """Give the penalty with its strength applied.

        Args:
            pass_: What the update saw.

        Returns:
            One value for each image looked at, shape (M,), M <= N.
        """
        raise TypeError(f"{type(self).__name__} must define __call__")

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(
                f"{type(self).__name__}.every was given {self.every}.",
                needed="a whole number of updates, 1 or more",
                todo="use every=1 to apply it at each update",
            )


@register
@dataclass(frozen=True)
class R1(Penalty):
    """gamma/2 times the squared gradient of D at real images (Mescheder, 1801.04406).

    Mind the half: code that multiplies the squared gradient by 10 has gamma = 20 here.
    """

    gamma: Schedule = Constant(1.0)
    share: float = 1.0
    """Part of the batch it looks at, 0 to 1: half costs half and changes little."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share(self, self.share)

    def __call__(self, pass_: Pass) -> Tensor:  # noqa: D102
        strength = self.gamma(pass_.images_seen) / 2
        return strength * squared_gradient(pass_.discriminator, first(pass_.real, self.share))


@register
@dataclass(frozen=True)
class R2(Penalty):
    """gamma/2 times the squared gradient of D at generated images (1801.04406; R3GAN, 2501.05441)."""

    gamma: Schedule = Constant(1.0)
    share: float = 1.0
    """Part of the batch it looks at, 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share(self, self.share)

    def __call__(self, pass_: Pass) -> Tensor:  # noqa: D102
        strength = self.gamma(pass_.images_seen) / 2
        return strength * squared_gradient(pass_.discriminator, first(pass_.fake, self.share))


@register
@dataclass(frozen=True)
class GradientPenalty(Penalty):
    """(|grad D| - 1)^2 on straight lines between reals and fakes (WGAN-GP, Gulrajani, 1704.00028)."""

    strength: Schedule = Constant(10.0)

    def __call__(self, pass_: Pass) -> Tensor:  # noqa: D102
        real, fake = pass_.real.float(), pass_.fake.float()
        way = torch.rand(len(real), 1, 1, 1, device=real.device)
        between = torch.lerp(fake, real, way)
        # The small term keeps the square root's derivative finite at a zero gradient.
        norm = (squared_gradient(pass_.discriminator, between) + 1e-12).sqrt()
        return self.strength(pass_.images_seen) * (norm - 1).square()


@register
@dataclass(frozen=True)
class Drift(Penalty):
    """Squared logits of real images, so that a critic's outputs stay near zero (ProGAN, 1710.10196)."""

    strength: Schedule = Constant(1e-3)

    def __call__(self, pass_: Pass) -> Tensor:  # noqa: D102
        return self.strength(pass_.images_seen) * pass_.real_logits.float().square()


def squared_gradient(discriminator: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Give |d D(x) / d x|^2 for each image, differentiable once more.

    Args:
        discriminator: The function images -> logits (N,).
        images: Float (N, C, H, W); their own graph is cut.

    Returns:
        Shape (N,), fp32.
    """
    points = images.detach().float().requires_grad_()
    logits = discriminator(points)
    (gradient,) = torch.autograd.grad(logits.sum(), points, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def first(images: Tensor, share: float) -> Tensor:
    """Take the first part of a batch, one image at least.

    Args:
        images: Shape (N, ...).
        share: Part to take, 0 to 1.

    Returns:
        Shape (max(1, round(share * N)), ...).
    """
    return images[: max(1, round(share * len(images)))]


def _check_share(penalty: Penalty, share: float) -> None:
    if not 0 <= share <= 1:
        raise UsageError(
            f"{type(penalty).__name__}.share was given {share}.",
            needed="a part of the batch, 0 to 1",
            todo="use share=1 to look at all images",
        )
