"""What a diagnosis needs to know of two networks and a loss before they have trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from facesmith.measuring.aside import unnoticed

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
CONFIDENT = 20.0
"""A logit of a discriminator that is sure; wrongly so, its loss must be large."""


def describe(network: nn.Module) -> dict[str, Any]:
    """Describe a network in plain values.

    Args:
        network: Any module.

    Returns:
        `parameters`; `batch_norm`, whether it has any; `dropout`, the strongest; `transposed`, kernel and
        stride of each transposed convolution; `spectral_norm`; `equal_weights`, layers whose weights are all
        the same; `ends_in_sigmoid`; `gains`, by layer how much the first weights enlarge their input's
        standard deviation.
    """
    modules = list(network.modules())
    leaves = [module for module in modules if not list(module.children())]
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "batch_norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": max((float(m.p) for m in modules if isinstance(m, DROPOUTS)), default=0.0),
        "transposed": [
            [int(m.kernel_size[0]), int(m.stride[0])]
            for m in modules
            if isinstance(m, nn.ConvTranspose2d) and m.stride[0] > 1
        ],
        "spectral_norm": any(
            "parametrizations" in name or name.endswith("weight_orig")
            for name, _ in network.named_parameters()
        ),
        "equal_weights": [
            name
            for name, layer in network.named_modules()
            if isinstance(layer, LAYERS)
            and layer.weight.numel() > 1
            and bool((layer.weight == layer.weight.flatten()[0]).all())  # a deviation has rounding
        ],
        "ends_in_sigmoid": bool(leaves) and isinstance(leaves[-1], nn.Sigmoid),
        "gains": gains(network),
    }


@torch.no_grad()
def gains(network: nn.Module) -> dict[str, float]:
    """Say how much each layer's weights enlarge the standard deviation of what comes in.

    Args:
        network: Its weights as they are.

    Returns:
        By layer: root mean square of the weights, times the root of the terms that a sum has. Near 1 keeps
        signals alive; norms make up for other values where they follow.
    """
    found = {}
    for name, layer in network.named_modules():
        if isinstance(layer, LAYERS):
            weight = layer.weight.float()
            terms = weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                # An output pixel is reached by every stride-th tap of each input channel; of a latent, which
                # is one pixel, by one tap.
                is_first = layer.stride == (1, 1) and layer.padding == (0, 0)
                taps = (
                    1 if is_first else weight[0, 0].numel() // (layer.stride[0] * layer.stride[1])
                )
                terms = weight.shape[0] * taps
            found[name] = float(weight.square().mean().sqrt() * max(1, terms) ** 0.5)
    return found


def describe_loss(
    discriminator: Callable[[Tensor, Tensor], Tensor], generator: Callable[[Tensor, Tensor], Tensor]
) -> dict[str, float]:
    """Try a loss at a few logits.

    Args:
        discriminator: Loss of the discriminator, of real and fake logits (N,).
        generator: Loss of the generator, of the same.

    Returns:
        `discriminator_at_zero` and `generator_at_zero`, of a discriminator that is blind;
        `discriminator_right` and `discriminator_wrong`, of one that is sure and right, and sure and wrong;
        `discriminator_leaning_right` and `..._wrong`, of one whose logits are 1 and -1;
        `generator_caught` and `generator_passed`, of a generator whose fakes are known for sure and of one
        whose fakes pass.
    """
    count = 1024  # noisy labels are drawn
    zero, leaning = torch.zeros(count), torch.ones(count)
    sure = CONFIDENT * leaning

    def mean(loss: Callable[[Tensor, Tensor], Tensor], real: Tensor, fake: Tensor) -> float:
        with unnoticed(zero.device):  # noisy labels are drawn
            return float(loss(real, fake).mean())

    return {
        "discriminator_at_zero": mean(discriminator, zero, zero),
        "discriminator_right": mean(discriminator, sure, -sure),
        "discriminator_wrong": mean(discriminator, -sure, sure),
        "discriminator_leaning_right": mean(discriminator, leaning, -leaning),
        "discriminator_leaning_wrong": mean(discriminator, -leaning, leaning),
        "generator_at_zero": mean(generator, zero, zero),
        "generator_caught": mean(generator, sure, -sure),
        "generator_passed": mean(generator, -sure, sure),
    }
