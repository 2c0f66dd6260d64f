"""Everything of a run that changes: two networks, the average, two optimisers, two counters."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from facesmith.architectures.layers import LayerNoise
from facesmith.optimizers import Optimizer
from facesmith.recipe import Recipe
from facesmith.training.compute import Compute


@dataclass
class TrainingState:
    """What a checkpoint holds and a resume restores, to the bit."""

    recipe: Recipe
    compute: Compute
    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    images_seen: int = 0
    steps: int = 0
    seconds: float = 0.0

    @classmethod
    def begin(cls, recipe: Recipe, compute: Compute, seed: int) -> TrainingState:
        """Make the state of a run that has seen no image.

        Args:
            recipe: What is trained.
            compute: Where and how.
            seed: The run's seed.

        Returns:
            The state.
        """
        generator = compute.place(recipe.build_generator(seed))
        discriminator = compute.place(recipe.build_discriminator(seed))
        return cls(
            recipe=recipe,
            compute=compute,
            generator=generator.train(),
            discriminator=discriminator.train(),
            average=copy.deepcopy(generator).eval().requires_grad_(False),
            generator_optimizer=recipe.optimizers.generator.build(list(generator.parameters())),
            discriminator_optimizer=recipe.optimizers.discriminator.build(
                list(discriminator.parameters())
            ),
        )

    def apply_schedules(self) -> None:
        """Set everything that is a function of images seen."""
        for optimizer, chosen in self.players():
            for group in optimizer.param_groups:
                group.update(chosen.settings(self.images_seen))
        for module in self.generator.modules():
            if isinstance(module, LayerNoise):
                module.strength = self.recipe.layer_noise(self.images_seen)

    def players(self) -> list[tuple[torch.optim.Optimizer, Optimizer]]:
        """Pair each optimiser with the part of the recipe that governs it."""
        chosen = self.recipe.optimizers
        return [
            (self.generator_optimizer, chosen.generator),
            (self.discriminator_optimizer, chosen.discriminator),
        ]

    @torch.no_grad()
    def update_average(self, batch: int) -> None:
        """Move the average towards the generator: weights and buffers, all in one pass.

        Args:
            batch: Images since the last update.
        """
        towards = 1 - self.recipe.average.decay(self.images_seen, batch)
        own, other, copies = self._averages
        torch._foreach_lerp_(own, other, towards)
        for copied, theirs in copies:
            copied.copy_(theirs)

    @cached_property
    def _averages(self) -> tuple[list[Tensor], list[Tensor], list[tuple[Tensor, Tensor]]]:
        """Pair what moves once: walking through modules takes longer than moving a small network."""
        own, other = _averaged(self.average), _averaged(self.generator)
        theirs = dict(self.generator.named_buffers())
        # Counters, and the unit vectors of spectral norm: an average of them has no meaning.
        copies = [(b, theirs[n]) for n, b in self.average.named_buffers() if n not in own]
        return list(own.values()), list(other.values()), copies

    @contextmanager
    def finite_statistics(self) -> Iterator[None]:
        """Undo what numbers that are not finite do to running statistics, which no skipped step would."""
        before = [buffer.clone() for buffer in self._statistics]
        yield
        for buffer, good in zip(self._statistics, before, strict=True):
            buffer.copy_(torch.where(torch.isfinite(buffer).all(), buffer, good))

    @cached_property
    def _statistics(self) -> list[Tensor]:
        networks = (self.generator, self.discriminator)
        return [b for n in networks for b in n.buffers() if b.is_floating_point()]

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Give all tensors of the state by file and name."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            "generator-optimizer": _flatten(self.generator_optimizer),
            "discriminator-optimizer": _flatten(self.discriminator_optimizer),
        }

    def restore(self, tensors: dict[str, dict[str, Tensor]], counters: dict[str, Any]) -> None:
        """Take over what a checkpoint holds.

        Args:
            tensors: As `tensors` gave them.
            counters: `images_seen`, `steps` and `seconds`.
        """
        self.generator.load_state_dict(tensors["generator"])
        self.discriminator.load_state_dict(tensors["discriminator"])
        self.average.load_state_dict(tensors["average"])
        _unflatten(self.generator_optimizer, tensors["generator-optimizer"])
        _unflatten(self.discriminator_optimizer, tensors["discriminator-optimizer"])
        self.images_seen = int(counters["images_seen"])
        self.steps = int(counters["steps"])
        self.seconds = float(counters["seconds"])


def _averaged(network: nn.Module) -> dict[str, Tensor]:
    """Collect what has a meaningful average: weights, and running means and variances."""
    statistics = {
        name: buffer
        for name, buffer in network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    }
    return {**dict(network.named_parameters()), **statistics}


def _flatten(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": value
        for index, entries in state.items()
        for name, value in entries.items()
        if isinstance(value, Tensor)
    }


def _unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    groups = [(p, group) for group in optimizer.param_groups for p in group["params"]]
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        parameter, group = groups[int(index)]
        # A fused optimiser walks memory in order: its moments must lie as their weights do.
        moment = torch.empty_like(parameter) if value.shape == parameter.shape else None
        restored = value.clone() if moment is None else moment.copy_(value)
        if moment is None and group.get("fused"):  # which counts its steps on the device
            restored = restored.to(parameter.device)
        optimizer.state[parameter][name] = restored.detach()
