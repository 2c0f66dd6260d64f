"""What a discriminator gives, logits or probabilities, and how many sigmoids its loss puts on it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Outputs = Literal["logits", "probabilities"]
NEAREST = 1e-6
"""A probability nearer to 0 or 1 than this is taken for this: in single precision 1 has no logit."""
ALIKE = 0.01
"""Relative difference of two losses that are one: half precision has three digits."""


def kind_of(
    discriminator: nn.Module, real: Tensor | None, fake: Tensor | None, loss: Tensor | None
) -> Outputs:
    """Say whether a discriminator gives logits or probabilities.

    Args:
        discriminator: The network; one whose last module is a sigmoid gives probabilities.
        real: What it gave for real images, if that is known.
        fake: What it gave for fakes.
        loss: Its loss on these.

    Returns:
        `probabilities` also where all outputs lie between 0 and 1 and the loss is their cross entropy, which
        no loss of logits happens to be.
    """
    if ends_in(discriminator, nn.Sigmoid):
        return "probabilities"
    if real is None or fake is None or loss is None:
        return "logits"
    seen = torch.cat([real.detach().flatten(), fake.detach().flatten()]).float()
    if not bool(((seen >= 0) & (seen <= 1)).all()):
        return "logits"
    by_sigmoids = losses(to_logits(real, "probabilities"), to_logits(fake, "probabilities"))
    return "probabilities" if _is_one_of(float(loss), by_sigmoids[1]) else "logits"


def to_logits(outputs: Tensor, kind: Outputs) -> Tensor:
    """Turn what a discriminator gave into one logit an image.

    Args:
        outputs: Shape (N,), (N, 1), (N, 1, 1, 1), or (N, 1, H, W) of one that judges patches.
        kind: What they are.

    Returns:
        Shape (N,), single precision, without a graph; the mean over patches.
    """
    values = outputs.detach().float()
    if kind == "probabilities":
        values = torch.logit(values, eps=NEAREST)
    return values.flatten(1).mean(dim=1) if values.ndim > 1 else values


def sigmoids(real: Tensor, fake: Tensor, loss: Tensor, kind: Outputs) -> float:
    """Count the sigmoids between a discriminator's logits and its cross entropy.

    Cross entropy of logits makes one itself. A discriminator that ends in a sigmoid, with such a loss, has
    two: it cannot be sure of anything, and learns slowly.

    Args:
        real: What the discriminator gave for real images.
        fake: What it gave for fakes.
        loss: Its loss on these.
        kind: What the outputs are.

    Returns:
        1 or 2; NaN for any other loss.
    """
    by_sigmoids = losses(to_logits(real, kind), to_logits(fake, kind))
    found = [count for count, value in by_sigmoids.items() if _is_one_of(float(loss), value)]
    return float(found[0]) if len(found) == 1 else math.nan


def losses(real: Tensor, fake: Tensor) -> dict[int, float]:
    """Give the discriminator's cross entropy by the number of sigmoids that its logits pass.

    Args:
        real: Logits of real images (N,).
        fake: Logits of fakes (M,).
    """
    once = F.softplus(-real).mean() + F.softplus(fake).mean()
    twice = F.softplus(-real.sigmoid()).mean() + F.softplus(fake.sigmoid()).mean()
    return {1: float(once), 2: float(twice)}


def ends_in(network: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Say whether the last module of a network is of one of some kinds."""
    leaves = [module for module in network.modules() if not list(module.children())]
    return bool(leaves) and isinstance(leaves[-1], kinds)


def _is_one_of(loss: float, expected: float) -> bool:
    # Some add the losses on reals and fakes, some take their mean.
    return any(math.isclose(loss, share * expected, rel_tol=ALIKE) for share in (1.0, 0.5))
