"""A GAN loop as somebody else writes it, small enough for a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facesmith.data.portraits import portraits

BATCH, LATENT, SIZE = 16, 5, 16


class Remembering(nn.Module):
    """Adds something of the last batch to the next, as minibatch tricks and queues do."""

    def __init__(self) -> None:
        super().__init__()
        self.last: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        mixed = images if self.last is None else images + 0.1 * self.last.detach().mean()
        self.last = mixed  # with its graph, which deepcopy refuses
        return mixed


def make_generator() -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(LATENT, 8, 4),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Dropout(0.2),
        nn.ConvTranspose2d(8, 3, 4, 4),
        nn.Tanh(),
    )


def make_discriminator(*last: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        Remembering(),
        nn.utils.spectral_norm(nn.Conv2d(3, 8, 4, 4)),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.2),
        nn.Conv2d(8, 1, 4),
        *last,
    )


@cache
def drawn() -> Tensor:
    return torch.as_tensor(portraits(range(96), SIZE)[0])


@dataclass
class Loop:
    """The plain loop: D on reals and fakes with gradients added up, then G; D is not frozen for it."""

    sigmoid: bool = True
    criterion: Callable[[Tensor, Tensor], Tensor] = field(default_factory=nn.BCELoss)
    rate: float = 2e-3

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        last = [nn.Sigmoid()] if self.sigmoid else []
        self.generator, self.discriminator = make_generator(), make_discriminator(*last)
        self.optimizers = (
            torch.optim.Adam(self.generator.parameters(), self.rate, betas=(0.5, 0.999)),
            torch.optim.Adam(self.discriminator.parameters(), self.rate, betas=(0.5, 0.999)),
        )
        self.images = drawn().permute(0, 3, 1, 2) / 127.5 - 1
        self.given: dict[str, Any] = {}
        self.norms: list[tuple[float, float]] = []

    def round(self) -> dict[str, Any]:
        """Update both players; give what a monitor is told."""
        real = self.images[torch.randperm(len(self.images))[:BATCH]]
        on_generator, on_discriminator = self.optimizers
        on_discriminator.zero_grad()
        real_out = self.discriminator(real)
        loss = self.criterion(real_out, torch.ones_like(real_out))
        fake = self.generator(torch.randn(BATCH, LATENT, 1, 1))
        fake_out = self.discriminator(fake.detach())
        loss = loss + self.criterion(fake_out, torch.zeros_like(fake_out))
        loss.backward()
        own = norm(self.discriminator)
        on_discriminator.step()
        on_generator.zero_grad()
        passed = self.discriminator(fake)
        generator_loss = self.criterion(passed, torch.ones_like(passed))
        generator_loss.backward()
        self.norms.append((norm(self.generator), own))
        on_generator.step()
        self.given = {
            "real": real,
            "fake": fake,
            "real_logits": real_out,
            "fake_logits": fake_out,
            "discriminator_loss": loss,
            "generator_loss": generator_loss,
        }
        return self.given

    def state(self) -> dict[str, Tensor]:
        """Everything that a monitor must not change."""
        found = {"rng": torch.get_rng_state()}
        for name, module in (("g", self.generator), ("d", self.discriminator)):
            found |= {f"{name}.{key}": value.clone() for key, value in module.state_dict().items()}
            found |= {
                f"{name}.{key}.grad": p.grad.clone()
                for key, p in module.named_parameters()
                if p.grad is not None
            }
            found |= {
                f"{name}.{k}.mode": torch.tensor(m.training) for k, m in module.named_modules()
            }
            found |= {
                f"{name}.{k}.hooks": torch.tensor(len(m._forward_hooks))
                for k, m in module.named_modules()
            }
        memory = self.discriminator[0].last
        assert isinstance(memory, Tensor)
        found["d.memory"] = memory.detach().clone()
        return found


def norm(network: nn.Module) -> float:
    return float(
        np.sqrt(
            sum(
                float(p.grad.double().square().sum())
                for p in network.parameters()
                if p.grad is not None
            )
        )
    )


@pytest.fixture
def loop() -> Loop:
    return Loop()
