"""How built networks are damaged: hooks change what passes their layers, which keep their names."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def before(module: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
    """Change what a module is given."""
    module.register_forward_pre_hook(lambda _, inputs: (change(inputs[0]),))


def after(module: nn.Module, change: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Change what a module gives, knowing what it was given."""
    module.register_forward_hook(lambda _, inputs, output: change(inputs[0], output))


def kill(stages: list[nn.Module], share: float) -> None:
    """Shift most channels before an activation so far down that none of them is ever positive."""
    for stage in stages:
        for module in stage.modules():
            if isinstance(module, nn.ReLU):
                before(module, lambda maps: maps - 1000.0 * _chosen(maps, share))


def _chosen(maps: Tensor, share: float) -> Tensor:
    channels = maps.shape[1]
    return (
        (torch.arange(channels, device=maps.device) < share * channels).to(maps).view(1, -1, 1, 1)
    )
