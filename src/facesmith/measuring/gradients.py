"""Gradients of somebody else's loop, measured when an optimiser is about to use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from facesmith.base.errors import UsageError
from facesmith.measuring.layers import Examination
from facesmith.measuring.meter import Meter


class Gradients:
    """Listens to both optimisers.

    After an update it is too late: some loops have cleared the gradients by then, and others let those of
    the generator's loss run on into the discriminator.

    Args:
        networks: By player.
        optimizers: By player.
        meter: Takes the norm of all gradients and whether it is finite, at each step; no wait for the device.

    Raises:
        UsageError: Each has the weights of the other network.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        optimizers: Mapping[str, torch.optim.Optimizer],
        meter: Meter,
    ) -> None:
        _check_order(networks, optimizers)
        self.networks, self.meter = networks, meter
        self.examination: Examination | None = None
        """Of the update under way, if it is to be recorded."""
        self._hooks: list[RemovableHandle] = [
            optimizer.register_step_pre_hook(self._look(player))
            for player, optimizer in optimizers.items()
        ]

    def close(self) -> None:
        """Stop listening."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _look(self, player: str):  # type: ignore[no-untyped-def]
        @torch.no_grad()
        def look(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            own = [p.grad for p in self.networks[player].parameters() if p.grad is not None]
            norm = nn.utils.get_total_norm(own)
            if (scale := getattr(optimizer, "grad_scale", None)) is not None:
                norm = norm / scale  # which a fused optimiser would only take out itself
            self.meter.add(f"{player}_gradient", norm)
            self.meter.add(f"finite/{player}", torch.isfinite(norm).float())
            if self.examination is not None:
                self.examination.note_gradients(player)

        return look


def _check_order(
    networks: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
) -> None:
    """Refuse optimisers of which each has the other's network."""
    for player, optimizer in optimizers.items():
        given = {id(p) for group in optimizer.param_groups for p in group["params"]}
        own = {id(p) for p in networks[player].parameters()}
        other = {id(p) for name in networks if name != player for p in networks[name].parameters()}
        if given & other and not given & own:
            raise UsageError(
                f"The optimiser given for the {player} has the weights of the other network.",
                needed="optimizers=(that of the generator, that of the discriminator)",
                todo="swap them; if the loop steps them like this too, that is its fault",
            )
