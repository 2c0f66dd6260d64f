"""What each update draws: reals and latents as functions of (seed, images seen)."""

from __future__ import annotations

import torch
from torch import Tensor

from facesmith.base.randomness import step_seed, uniforms
from facesmith.data.scaling import PixelMap
from facesmith.recipe import Recipe
from facesmith.training.compute import Compute
from facesmith.training.keeping import Batches


class Draws:
    """The random choices of a run; holds no state, so that a resumed run repeats nothing."""

    def __init__(
        self, recipe: Recipe, images: Batches, pixels: PixelMap, compute: Compute, seed: int
    ) -> None:
        self.recipe, self.images, self.pixels = recipe, images, pixels
        self.compute, self.seed = compute, seed

    def reals(self, images_seen: int) -> Tensor:
        """Draw a batch of real images as the networks see them.

        Args:
            images_seen: Position in the stream.

        Returns:
            Tensor (batch, C, H, W) on the device.
        """
        recipe = self.recipe
        batch = self.images.batch(images_seen, recipe.batch, seed=self.seed, flip=recipe.flip)
        # Bytes travel to the device, unless they are kept there, and become numbers four times as large.
        pixels = torch.as_tensor(batch).to(self.compute.device, non_blocking=True)
        return self.compute.activations(self.pixels.to_network(pixels))

    def latents(self, images_seen: int) -> Tensor:
        """Draw a batch of latents.

        Args:
            images_seen: Position in the stream.

        Returns:
            Tensor (batch, size) on the device.
        """
        latent = self.recipe.latent
        drawn = uniforms(
            self.seed, "latents", start=images_seen, count=self.recipe.batch, width=latent.size
        )
        return self.compute.activations(latent.from_uniforms(drawn))

    def seed_layers(self, images_seen: int) -> None:
        """Seed what draws inside the networks: dropout, noise, label flips.

        Args:
            images_seen: Position in the run.
        """
        seed = step_seed(self.seed, "layers", images_seen)
        torch.default_generator.manual_seed(seed)
        if self.compute.device.type != "cpu":
            torch.manual_seed(seed)  # of every device; it takes longer than a small network's step
