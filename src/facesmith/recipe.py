"""A recipe: what is learned and how. It travels with the weights."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import nn

from facesmith.architectures import (
    DCGANDiscriminator,
    DCGANGenerator,
    DiscriminatorPart,
    GeneratorPart,
    ImageShape,
    Latent,
)
from facesmith.base.errors import UsageError
from facesmith.base.randomness import step_seed
from facesmith.base.registry import flat, from_dict, register, to_dict
from facesmith.base.schedules import Constant, Schedule
from facesmith.data.scaling import Rescale, Scaling
from facesmith.objectives.losses import Loss, NonSaturating
from facesmith.objectives.penalties import R1, R2, GradientPenalty, Penalty
from facesmith.optimizers import Optimizers


@register
@dataclass(frozen=True)
class Average:
    """An exponential moving average of the generator, which is what is used after training."""

    half_life: Schedule = Constant(44_000.0)
    """Images after which an old weight counts half; 44,000 is 0.999 a step at batch 64."""
    ramp: float = 0.08
    """The half-life is at most this share of the images seen, so that early samples are not stale."""

    def decay(self, images_seen: int, batch: int) -> float:
        """Give the share of the old average that one update keeps.

        Args:
            images_seen: Real images drawn so far, this update's included.
            batch: Images of this update.

        Returns:
            A number from 0 to below 1.
        """
        half_life = min(self.half_life(images_seen), self.ramp * images_seen)
        return 0.5 ** (batch / half_life) if half_life > 0 else 0.0


@register
@dataclass(frozen=True)
class Recipe:
    """Networks, objectives, optimisers and schedules: everything but data, place and duration."""

    resolution: int = 64
    """Height and width of the images in pixels."""
    channels: Literal[1, 3] = 3
    """3 for colour, 1 for grey."""
    latent: Latent = Latent()
    scaling: Scaling = Rescale()
    """How pixels become network values; the generator's output always matches."""
    generator: GeneratorPart = DCGANGenerator()
    discriminator: DiscriminatorPart = DCGANDiscriminator()
    loss: Loss = NonSaturating()
    penalties: tuple[Penalty, ...] = ()
    optimizers: Optimizers = Optimizers()
    average: Average = Average()
    batch: int = 64
    """Real images in a discriminator update."""
    discriminator_steps: int = 1
    """Discriminator updates for each generator update."""
    flip: float = 0.5
    """Probability that a real image is mirrored, 0 to 1."""
    input_noise: Schedule = Constant(0.0)
    """Standard deviation of Gaussian noise on all images that the discriminator sees in training."""
    layer_noise: Schedule = Constant(0.0)
    """Standard deviation of Gaussian noise after each hidden layer of the generator in training."""
    name: str = "custom"
    """What the recipe is called in tables and files."""

    @property
    def shape(self) -> ImageShape:
        """The images that both networks agree on."""
        return ImageShape(self.resolution, self.channels, self.scaling.low, self.scaling.high)

    @property
    def images_a_round(self) -> int:
        """Real images that pass by for one generator update."""
        return self.batch * self.discriminator_steps

    def build_generator(self, seed: int) -> nn.Module:
        """Make the generator with fresh weights.

        Args:
            seed: The run's seed.

        Returns:
            The module, latents (N, size) -> images (N, C, H, W).
        """
        with torch.random.fork_rng():
            torch.manual_seed(step_seed(seed, "initialization/generator", 0))
            return self.generator.build(self.shape, latent_size=self.latent.size)

    def build_discriminator(self, seed: int) -> nn.Module:
        """Make the discriminator with fresh weights.

        Args:
            seed: The run's seed.

        Returns:
            The module, images (N, C, H, W) -> logits (N,).
        """
        with torch.random.fork_rng():
            torch.manual_seed(step_seed(seed, "initialization/discriminator", 0))
            return self.discriminator.build(self.shape)

    def check(self) -> None:
        """Refuse what cannot work and warn of what seldom does, across parts.

        Raises:
            UsageError: The parts do not fit each other.
        """
        if self.batch < 1 or self.discriminator_steps < 1 or not 0 <= self.flip <= 1:
            raise UsageError(
                f"batch={self.batch}, discriminator_steps={self.discriminator_steps}, flip={self.flip}.",
                needed="a batch and steps of 1 or more, a flip probability from 0 to 1",
                todo="start from batch 64, one step, flip 0.5",
            )
        self._check_parts()
        self._check_numbers()
        with torch.device("meta"):
            discriminator = self.discriminator.build(self.shape)
            generator = self.generator.build(self.shape, latent_size=self.latent.size)
        if has_batch_norm(discriminator) and any(
            isinstance(p, GradientPenalty) for p in self.penalties
        ):
            raise UsageError(
                "A gradient penalty meets batch norm in the discriminator.",
                needed="a discriminator whose output for one image does not depend on the others",
                todo="add --discriminator.normalization instance (or layer, or none)",
            )
        advice = [*self.generator.advice(), *self.discriminator.advice()]
        if has_batch_norm(discriminator) and any(isinstance(p, R1 | R2) for p in self.penalties):
            advice += [
                "R1 and R2 look at one image at a time, batch norm at all: the penalty holds less "
                "than it says. --discriminator.normalization none suits it."
            ]
        if self.batch == 1 and (has_batch_norm(generator) or has_batch_norm(discriminator)):
            raise UsageError(
                "Batch norm meets a batch of one image.",
                needed="several images to take the mean of",
                todo="use a batch of 16 or more, or normalization layer for both networks",
            )
        for player, network in (("generator", generator), ("discriminator", discriminator)):
            if self.batch < 8 and has_batch_norm(network):
                advice += [
                    f"Batch norm over {self.batch} images is mostly noise: use a batch of 16 or "
                    f"more, or --{player}.normalization layer."
                ]
        for sentence in advice:
            warnings.warn(sentence, stacklevel=1)  # said once, whoever asks again

    def _check_parts(self) -> None:
        try:
            same = from_dict(to_dict(self)) == self
        except UsageError as error:
            raise UsageError(
                f"A part of the recipe cannot be read back: {error.given}",
                needed="parts that a checkpoint can name",
                todo="put @register, of facesmith.base.registry, above each frozen dataclass of your own",
            ) from error
        if not same:
            raise UsageError(
                "The recipe read back from a checkpoint would not equal this one.",
                needed="parts that are frozen dataclasses of plain values and other parts",
                todo="put @dataclass(frozen=True) above each part of your own",
            )

    def _check_numbers(self) -> None:
        for name, value in flat(to_dict(self)).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(
                    f"{name} was given {value}.", needed="a finite number", todo="correct it"
                )
        if self.average.ramp < 0:
            raise UsageError(
                f"average.ramp was given {self.average.ramp}.",
                needed="0 or more; 0 means no average at all",
                todo="leave it at 0.08",
            )
        bounded: list[tuple[str, Schedule, float]] = [
            ("input_noise", self.input_noise, math.inf),
            ("layer_noise", self.layer_noise, math.inf),
            ("average.half_life", self.average.half_life, math.inf),
        ]
        for player in ("generator", "discriminator"):
            optimizer = getattr(self.optimizers, player)
            for field in fields(optimizer):
                value = getattr(optimizer, field.name)
                # A momentum of 1 never forgets, and Adam would divide by zero.
                limit = 1.0 if field.name in ("beta1", "beta2", "momentum") else 10.0
                if isinstance(value, Schedule):
                    bounded += [(f"optimizers.{player}.{field.name}", value, limit)]
        for number, penalty in enumerate(self.penalties):
            for field in fields(penalty):
                if isinstance(value := getattr(penalty, field.name), Schedule):
                    bounded += [(f"penalties.{number}.{field.name}", value, math.inf)]
        for name, schedule, limit in bounded:
            for value in schedule.bounds():
                if 0 <= value < limit:
                    continue
                raise UsageError(
                    f"{name} reaches {value:g}.",
                    needed="0 or more" + ("" if limit == math.inf else f", and below {limit:g}"),
                    todo="correct the number or schedule",
                )


def has_batch_norm(network: nn.Module) -> bool:
    """Say whether a network's output for one image depends on the others of its batch."""
    return any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
