"""Scalings, losses, optimisers and schedules with a mistake in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from facesmith.base.registry import register
from facesmith.base.schedules import Schedule
from facesmith.data.scaling import PixelMap, Scaling
from facesmith.objectives.losses import Loss, NonSaturating
from facesmith.optimizers import Adam


@register
@dataclass(frozen=True)
class Misscaled(Scaling):
    """Pixels / 255 times a gain plus an offset, whatever range the networks were promised."""

    gain: float = 1.0
    offset: float = 0.0

    def fit(self, mean: Sequence[float], std: Sequence[float]) -> PixelMap:  # noqa: D102
        return PixelMap((self.gain,) * len(mean), (self.offset,) * len(mean), self.low, self.high)


@register
@dataclass(frozen=True)
class StandardizedLast(Scaling):
    """Rescaled first and standardised second: the range is not that of the generator any more."""

    mean: tuple[float, ...] = ()
    """That is taken away, of pixels in [0, 1]; the data's own by default."""
    std: tuple[float, ...] = ()

    def fit(self, mean: Sequence[float], std: Sequence[float]) -> PixelMap:  # noqa: D102
        mean, std = self.mean or mean, self.std or std
        gains = tuple(1 / s for s in std)
        offsets = tuple(-m / s for m, s in zip(mean, std, strict=True))
        return PixelMap(gains, offsets, self.low, self.high)


@dataclass(frozen=True)
class _Around(Loss):
    """A loss around another one."""

    inner: Loss = NonSaturating()

    @property
    def needs_real(self) -> bool:  # type: ignore[override]
        """As the inner one."""
        return self.inner.needs_real

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.inner.discriminator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.inner.generator(real, fake)


@register
@dataclass(frozen=True)
class SwappedForDiscriminator(_Around):
    """The discriminator is told that reals are fake and fakes real."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return self.inner.discriminator(fake, real)


@register
@dataclass(frozen=True)
class SwappedForGenerator(_Around):
    """The generator is rewarded for fakes that are recognised."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return self.inner.generator(-real, -fake)


@register
@dataclass(frozen=True)
class SigmoidBefore(_Around):
    """A sigmoid, and then a loss that has one inside."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return self.inner.discriminator(real.sigmoid(), fake.sigmoid())

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return self.inner.generator(real.sigmoid(), fake.sigmoid())


@register
@dataclass(frozen=True)
class AdamOfCopies(Adam):
    """Moves weights that no network uses: it was made before the network was."""

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        return super().build([nn.Parameter(p.detach().clone()) for p in parameters])


@register
@dataclass(frozen=True)
class GrowingAdam(Adam):
    """Weight decay with the wrong sign."""

    growth: float = 5.0

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        optimizer = super().build(parameters)
        for group in optimizer.param_groups:
            group["weight_decay"] = -self.growth
        return optimizer


@register
@dataclass(frozen=True)
class Blocks(Schedule):
    """A value and nothing, in turns."""

    value: float
    period: int
    begins: bool = True
    """Whether the value comes first."""

    def __call__(self, images_seen: int) -> float:  # noqa: D102
        is_first = images_seen // self.period % 2 == 0
        return self.value if is_first == self.begins else 0.0

    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return (0.0, self.value)


@register
@dataclass(frozen=True)
class NaiveLog(NonSaturating):
    """Logarithms of probabilities, written down as the paper has them."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return -(real.sigmoid().log() + (1 - fake.sigmoid()).log()).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:  # noqa: D102
        return -fake.sigmoid().log().mean()


@register
@dataclass(frozen=True)
class AdamOfHalf(Adam):
    """Was given the weights of the first layers alone."""

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        half = len(parameters) // 2
        still = [nn.Parameter(p.detach().clone()) for p in parameters[half:]]
        return super().build([*parameters[:half], *still])


# ---- of the reporting half


@register
@dataclass(frozen=True)
class AdamPutOff(Adam):
    """Collects gradients for a step that it never makes."""

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        return _PutOff(parameters, weight_decay=self.weight_decay, fused=True)


@register
@dataclass(frozen=True)
class AdamPutBack(Adam):
    """Puts the weights back to their first values, as a checkpoint loaded within the loop does."""

    every: int = 1
    """Steps from one time to the next."""

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        optimizer = _PutBack(parameters, weight_decay=self.weight_decay, fused=True)
        optimizer.every = self.every
        optimizer.first = [p.detach().clone() for p in parameters]
        return optimizer


@register
@dataclass(frozen=True)
class AdamOfLoudLastLayer(Adam):
    """Weight decay with the wrong sign in the last layer alone: its group was given another option."""

    growth: float = 60.0

    def build(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: D102
        *others, last = parameters
        last_layer = {"params": [last], "weight_decay": -self.growth}
        return torch.optim.AdamW([{"params": others, "weight_decay": 0.0}, last_layer], fused=True)


class _PutOff(torch.optim.AdamW):
    def step(self, closure: Any = None) -> Any:
        return None


class _PutBack(torch.optim.AdamW):
    every: int
    first: list[Tensor]
    done = 0

    def step(self, closure: Any = None) -> Any:
        super().step(closure)
        self.done += 1
        if self.done % self.every == 0:
            with torch.no_grad():
                for parameter, value in zip(
                    self.param_groups[0]["params"], self.first, strict=True
                ):
                    parameter.copy_(value)
