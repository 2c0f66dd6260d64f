"""The contract: what a generator part and a discriminator part promise."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class ImageShape:
    """The images that a pair of networks makes and judges.

    Args:
        resolution: Height and width in pixels.
        channels: 3 for colour, 1 for grey.
        low: Lowest value of a pixel inside the networks.
        high: Highest value.
    """

    resolution: int
    channels: int = 3
    low: float = -1.0
    high: float = 1.0


class GeneratorPart:
    """Builds latents (N, size) -> images (N, channels, resolution, resolution) in [low, high]."""

    def advice(self) -> list[str]:
        """Give sentences about choices that work but are known to disappoint; none by default."""
        return []

    def build(self, shape: ImageShape, *, latent_size: int) -> nn.Module:
        """Make the generator with fresh weights from torch's global random state.

        Args:
            shape: The images to make.
            latent_size: Numbers in a latent.

        Returns:
            The module.

        Raises:
            UsageError: No such network exists; the message says why.
        """
        raise TypeError(f"{type(self).__name__} must define build")


class DiscriminatorPart:
    """Builds images (N, channels, resolution, resolution) -> logits (N,)."""

    def advice(self) -> list[str]:
        """Give sentences about choices that work but are known to disappoint; none by default."""
        return []

    def build(self, shape: ImageShape) -> nn.Module:
        """Make the discriminator with fresh weights from torch's global random state.

        Args:
            shape: The images to judge.

        Returns:
            The module.

        Raises:
            UsageError: No such network exists; the message says why.
        """
        raise TypeError(f"{type(self).__name__} must define build")
