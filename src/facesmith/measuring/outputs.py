"""What a discriminator gives, logits or probabilities, and how many sigmoids its loss puts on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Outputs = Literal["logits", "probabilities"]
NEAREST = 1e-6
"""A probability nearer to 0 or 1 than this is taken for this: in single precision 1 has no logit."""
ALIKE = 0.01
"""Relative difference of two losses that are one: half precision has three digits."""
SURE = 1e-4
"""Losses below this are those of a discriminator that is sure, and differ by rounding."""
Pair = Callable[[Tensor, Tensor], Tensor]
"""A loss of what the discriminator gave for real images and for fakes, each (N,)."""


def kind_of(
    discriminator: nn.Module,
    real_logits: Tensor | None = None,
    fake_logits: Tensor | None = None,
    discriminator_loss: Tensor | float | None = None,
    **_: Tensor | float,
) -> Outputs:
    """Say whether a discriminator gives logits or probabilities.

    Args:
        discriminator: The network; one whose last module is a sigmoid gives probabilities.
        real_logits: What it gave for real images, if that is known.
        fake_logits: What it gave for fakes.
        discriminator_loss: Its loss on these.

    Returns:
        `probabilities` also where all outputs lie between 0 and 1 and the loss is their cross entropy, which
        no loss of logits happens to be.
    """
    if ends_in(discriminator, nn.Sigmoid):
        return "probabilities"
    if real_logits is None or fake_logits is None:
        return "logits"
    seen = torch.cat([real_logits.detach().flatten(), fake_logits.detach().flatten()])
    if not bool(((seen >= 0) & (seen <= 1)).all()):
        return "logits"
    count = sigmoids("probabilities", real_logits, fake_logits, discriminator_loss)
    return "probabilities" if count == 1 else "logits"


def to_logits(outputs: Tensor, kind: Outputs) -> Tensor:
    """Turn what a discriminator gave into one logit an image.

    Args:
        outputs: Shape (N,), (N, 1), (N, 1, 1, 1), or (N, 1, H, W) of one that judges patches.
        kind: What they are.

    Returns:
        Shape (N,), single precision, without a graph; the mean over patches.
    """
    values = _as_logits(outputs, kind)
    return values.flatten(1).mean(dim=1) if values.ndim > 1 else values


def sigmoids(
    kind: Outputs,
    real_logits: Tensor | None = None,
    fake_logits: Tensor | None = None,
    discriminator_loss: Tensor | float | None = None,
    **_: Tensor | float,
) -> float:
    """Count the sigmoids between a discriminator's logits and its cross entropy.

    Cross entropy of logits makes one itself. A discriminator that ends in a sigmoid, with such a loss, has
    two: it cannot be sure of anything, and learns slowly.

    Args:
        kind: What the outputs are.
        real_logits: What the discriminator gave for real images.
        fake_logits: What it gave for fakes.
        discriminator_loss: Its loss on these.

    Returns:
        1 or 2; NaN for any other loss, and where something is not known.
    """
    if real_logits is None or fake_logits is None or discriminator_loss is None:
        return math.nan
    by_sigmoids = losses(_as_logits(real_logits, kind), _as_logits(fake_logits, kind))
    loss = float(torch.as_tensor(discriminator_loss).detach().float().mean())
    found = [count for count, value in by_sigmoids.items() if _is_one_of(loss, value)]
    return float(found[0]) if len(found) == 1 else math.nan


def losses(real: Tensor, fake: Tensor) -> dict[int, float]:
    """Give the discriminator's cross entropy by the number of sigmoids that its logits pass.

    Args:
        real: Logits of real images, of any shape.
        fake: Logits of fakes.
    """
    once = F.softplus(-real).mean() + F.softplus(fake).mean()
    twice = F.softplus(-real.sigmoid()).mean() + F.softplus(fake.sigmoid()).mean()
    return {1: float(once), 2: float(twice)}


def losses_of_logits(
    loss: Callable[[Tensor, Tensor], Any] | tuple[Pair, Pair], kind: Outputs
) -> tuple[Pair, Pair]:
    """Write a loop's losses as functions of logits.

    Args:
        loss: A criterion of outputs and targets, such as `nn.BCELoss()`, or the losses of the discriminator
            and of the generator, each of the outputs for real images and for fakes.
        kind: What the outputs are.

    Returns:
        Losses of discriminator and generator.
    """
    output: Callable[[Tensor], Tensor] = torch.sigmoid if kind == "probabilities" else torch.clone
    if isinstance(loss, tuple):
        players = loss
        return (
            lambda real, fake: players[0](output(real), output(fake)),
            lambda real, fake: players[1](output(real), output(fake)),
        )
    criterion = loss

    def to_target(logits: Tensor, target: float) -> Tensor:
        values = output(logits)
        judged: Tensor = criterion(values, torch.full_like(values, target))
        return judged

    return (
        lambda real, fake: to_target(real, 1.0) + to_target(fake, 0.0),
        lambda real, fake: to_target(fake, 1.0),
    )


def ends_in(network: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Say whether the last module of a network is of one of some kinds."""
    leaves = [module for module in network.modules() if not list(module.children())]
    return bool(leaves) and isinstance(leaves[-1], kinds)


def _as_logits(outputs: Tensor, kind: Outputs) -> Tensor:
    values = outputs.detach().float()
    return torch.logit(values, eps=NEAREST) if kind == "probabilities" else values


def _is_one_of(loss: float, expected: float) -> bool:
    # Some add the losses on reals and fakes, some take their mean.
    return any(
        math.isclose(loss, share * expected, rel_tol=ALIKE, abs_tol=SURE) for share in (1.0, 0.5)
    )
