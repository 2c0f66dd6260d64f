"""A recipe: what is learned and how. It travels with the weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
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
from facesmith.base.registry import register
from facesmith.base.schedules import Constant, Schedule
from facesmith.data.scaling import Rescale, Scaling
from facesmith.objectives.losses import Loss, NonSaturating
from facesmith.objectives.penalties import GradientPenalty, Penalty
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
        for player, network in (("generator", generator), ("discriminator", discriminator)):
            if self.batch < 8 and has_batch_norm(network):
                advice += [
                    f"Batch norm over {self.batch} images is mostly noise: use a batch of 16 or "
                    f"more, or --{player}.normalization layer."
                ]
        for sentence in advice:
            warnings.warn(sentence, stacklevel=2)


def has_batch_norm(network: nn.Module) -> bool:
    """Say whether a network's output for one image depends on the others of its batch."""
    return any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
