"""Adversarial losses: two pure functions of logits, one value for each image.

Every loss sees raw logits. No network here ends in a sigmoid, so it can never be applied twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from facesmith.base.errors import UsageError
from facesmith.base.registry import register


class Loss:
    """A pair of losses; subclasses are frozen dataclasses."""

    needs_real: ClassVar[bool] = False
    """Whether the generator's loss looks at the real logits; others do not pay for them."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Give the loss that the discriminator minimises.

        Args:
            real: Logits of real images, shape (N,).
            fake: Logits of generated images, shape (N,).

        Returns:
            One value for each pair, shape (N,).
        """
        return self.real_loss(real) + self.fake_loss(fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Give the loss that the generator minimises.

        Args:
            real: Logits of real images, shape (N,); empty unless `needs_real`.
            fake: Logits of generated images, shape (N,).

        Returns:
            One value for each generated image, shape (N,).
        """
        raise TypeError(f"{type(self).__name__} must define generator")

    def real_loss(self, logits: Tensor) -> Tensor:
        """Give the discriminator's loss on real images alone, shape (N,)."""
        raise TypeError(f"{type(self).__name__} judges pairs: it has no loss on real images alone")

    def fake_loss(self, logits: Tensor) -> Tensor:
        """Give the discriminator's loss on generated images alone, shape (N,)."""
        raise TypeError(f"{type(self).__name__} judges pairs: it has no loss on fakes alone")


@register
@dataclass(frozen=True)
class NonSaturating(Loss):
    """Binary cross entropy, the generator rewarded for fakes taken as real (Goodfellow, 1406.2661)."""

    real_label: float = 1.0
    """Target for real images; 0.9 is one-sided label smoothing (Salimans, 1606.03498)."""
    fake_label: float = 0.0
    """Target for fakes; above 0 anchors the generator where it already is."""
    noise: float = 0.0
    """Labels are drawn evenly from their target plus or minus this: 0.3 gives ganhacks' soft labels."""
    flip: float = 0.0
    """Share of labels that are swapped, 0 to 0.5, drawn anew at each step."""

    def __post_init__(self) -> None:
        _check_share("real_label", self.real_label, upper=1.5)
        _check_share("fake_label", self.fake_label, upper=1.0)
        _check_share("noise", self.noise, upper=1.0)
        _check_share("flip", self.flip, upper=0.5)

    def real_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return cross_entropy(logits, self._labels(logits, self.real_label, self.fake_label))

    def fake_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return cross_entropy(logits, self._labels(logits, self.fake_label, self.real_label))

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return F.softplus(-fake)  # -log sigmoid(D(G(z)))

    def _labels(self, logits: Tensor, own: float, other: float) -> Tensor:
        labels = torch.full_like(logits, own)
        if self.flip > 0:
            swapped = torch.rand_like(logits) < self.flip
            labels = torch.where(swapped, torch.full_like(labels, other), labels)
        if self.noise > 0:
            labels = labels + self.noise * (2 * torch.rand_like(logits) - 1)
        return labels


@register
@dataclass(frozen=True)
class Minimax(NonSaturating):
    """The original game: the generator minimises log(1 - D(G(z))), which fades when D wins (1406.2661)."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return -F.softplus(fake)  # log(1 - sigmoid(fake))


@register
@dataclass(frozen=True)
class LeastSquares(Loss):
    """Squared distance to the labels, with the paper's halves (Mao, 1611.04076)."""

    real_label: float = 1.0
    fake_label: float = 0.0

    def real_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return (logits - self.real_label).square() / 2

    def fake_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return (logits - self.fake_label).square() / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return (fake - self.real_label).square() / 2


@register
@dataclass(frozen=True)
class Hinge(Loss):
    """No more reward beyond a margin of 1 (Lim and Ye, 1705.02894; Miyato, 1802.05957)."""

    def real_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return F.relu(1 - logits)

    def fake_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return F.relu(1 + logits)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return -fake


@register
@dataclass(frozen=True)
class Wasserstein(Loss):
    """The critic's difference of means; needs a gradient penalty or clipped weights (1701.07875)."""

    def real_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return -logits

    def fake_loss(self, logits: Tensor) -> Tensor:  # noqa: D102
        return logits

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return -fake


@register
@dataclass(frozen=True)
class Relativistic(Loss):
    """Is this real more real than that fake? Pairwise logistic (1807.00734; R3GAN, 2501.05441)."""

    needs_real: ClassVar[bool] = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return F.softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return F.softplus(real - fake)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross entropy of logits, stable for any size of logit.

    Args:
        logits: Any shape.
        labels: Targets of the same shape; values outside [0, 1] are allowed, as in ganhacks' U(0.7, 1.2).

    Returns:
        -(y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))), of the same shape.
    """
    return F.softplus(logits) - labels * logits


def _check_share(name: str, value: float, *, upper: float) -> None:
    if not 0 <= value <= upper:
        raise UsageError(
            f"{name} was given {value}.",
            needed=f"a number from 0 to {upper}",
            todo=f"choose {name} within these bounds",
        )
