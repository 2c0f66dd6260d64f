"""How built networks are damaged: what passes their layers is changed, and the layers keep their names."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def before(module: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
    """Change what a module is given."""
    _damage(module, lambda forward, values: forward(change(values)))


def after(module: nn.Module, change: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Change what a module gives, knowing what it was given."""
    _damage(module, lambda forward, values: change(values, forward(values)))


def kill(stages: list[nn.Module], share: float) -> None:
    """Shift most channels before an activation so far down that none of them is ever positive."""
    for stage in stages:
        for module in list(stage.modules()):
            if isinstance(module, nn.ReLU):
                before(module, lambda maps: maps - 1000.0 * _chosen(maps, share))


def _damage(
    module: nn.Module, damaged: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
) -> None:
    # A class of its own, not a hook: a copy of the network must be as damaged as the network.
    kind = type(module)

    def forward(self: nn.Module, values: Tensor) -> Tensor:
        return damaged(lambda given: kind.forward(self, given), values)

    module.__class__ = type(
        kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__}
    )


def _chosen(maps: Tensor, share: float) -> Tensor:
    channels = maps.shape[1]
    return (
        (torch.arange(channels, device=maps.device) < share * channels).to(maps).view(1, -1, 1, 1)
    )
