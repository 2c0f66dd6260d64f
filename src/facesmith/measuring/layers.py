"""A look into both networks during one update: gradients, moves and activations, layer by layer."""

from __future__ import annotations

from types import TracebackType

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from facesmith.measuring.aside import duplicate

RECTIFIERS = (nn.ReLU, nn.ReLU6)  # a leaky one passes gradients on both sides
BOUNDED = (nn.Tanh, nn.Sigmoid)
NEAR_END = 0.99
"""Share of the way to its bound at which an activation passes no gradient worth having."""
TINY = 1e-12

Layers = dict[str, dict[str, float]]


class Examination:
    """Watches one update of both players, from before it to after it; changes nothing.

    Args:
        generator: The generator.
        discriminator: The discriminator.

    Use it as a context around the update; then ask for `layers`.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.before: dict[str, nn.Module] = {}
        """Copies of the networks as they were before the update."""
        self._gradients: dict[str, dict[str, Tensor]] = {}
        self._highest: dict[str, Tensor] = {}
        self._bounded: dict[str, list[Tensor]] = {}
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> Examination:
        self.before = {player: duplicate(network) for player, network in self.networks.items()}
        for player, network in self.networks.items():
            for name, module in network.named_modules():
                if isinstance(module, RECTIFIERS):
                    self._hooks.append(
                        module.register_forward_hook(self._rectified(f"{player}/{name}"))
                    )
                elif isinstance(module, BOUNDED):
                    self._hooks.append(
                        module.register_forward_hook(self._ended(f"{player}/{name}", module))
                    )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    @torch.no_grad()
    def note_gradients(self, player: str) -> None:
        """Measure a network's gradients now, since later they will be those of something else.

        A loop that does not freeze the discriminator while the generator learns leaves the generator's
        gradients in it.

        Args:
            player: Whose optimiser is about to step.
        """
        self._gradients[player] = {
            name: weight.grad.float().norm()
            for name, weight in self.networks[player].named_parameters()
            if weight.grad is not None and layer_of(name) is not None
        }

    @torch.no_grad()
    def layers(self) -> Layers:
        """Give what was seen, once the update is over and its gradients are still there.

        Returns:
            By player and layer: for weights `gradient`, `weight`, `gradient_to_weight`, `update_to_weight`,
            norms and ratios of norms; for activations the share of channels that are `dead`, never above
            zero, and the share of values that are `saturated`.
        """
        found: dict[str, dict[str, Tensor]] = {}
        for player, network in self.networks.items():
            old = dict(self.before[player].named_parameters())
            if player not in self._gradients:
                self.note_gradients(player)
            noted = self._gradients[player]
            for name, weight in network.named_parameters():
                if (layer := layer_of(name)) is None or weight.ndim < 2:
                    continue  # gains of norms move in another measure
                norm = old[name].float().norm()
                gradient = noted.get(name, torch.zeros_like(norm))
                update = (weight - old[name]).float().norm()
                found[f"{player}/{layer}"] = {
                    "gradient": gradient,
                    "weight": norm,
                    "gradient_to_weight": gradient / (norm + TINY),
                    "update_to_weight": update / (norm + TINY),
                }
        for name, highest in self._highest.items():
            found.setdefault(name, {})["dead"] = (highest <= 0).float().mean()
        for name, shares in self._bounded.items():
            found.setdefault(name, {})["saturated"] = torch.stack(shares).mean()
        names = [(layer, what) for layer, values in found.items() for what in values]
        if not names:
            return {}
        values = torch.stack([found[layer][what] for layer, what in names]).tolist()  # one wait
        layers: Layers = {}
        for (layer, what), value in zip(names, values, strict=True):
            layers.setdefault(layer, {})[what] = value
        return layers

    def _rectified(self, name: str):  # type: ignore[no-untyped-def]
        def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen = output.detach()
            channels = seen.flatten(2).amax(dim=(0, 2)) if seen.ndim > 2 else seen.amax(dim=0)
            known = self._highest.get(name)
            self._highest[name] = channels if known is None else torch.maximum(known, channels)

        return look

    def _ended(self, name: str, module: nn.Module):  # type: ignore[no-untyped-def]
        middle, half = (0.0, 1.0) if isinstance(module, nn.Tanh) else (0.5, 0.5)

        def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            ended = (output.detach() - middle).abs() > NEAR_END * half
            self._bounded.setdefault(name, []).append(ended.float().mean())

        return look


def layer_of(parameter: str) -> str | None:
    """Name the layer that a weight belongs to; None for biases and the like.

    Args:
        parameter: Its name, such as `stages.0.0.weight`, or that of a weight under a norm.
    """
    layer, _, kind = parameter.rpartition(".")
    if kind in ("weight", "weight_orig", "weight_v"):  # the latter two of norms of the older kind
        return layer
    # A parametrised weight is called `layer.parametrizations.weight.original`.
    inner, found, _ = parameter.partition(".parametrizations.weight.original")
    return inner if found else None
