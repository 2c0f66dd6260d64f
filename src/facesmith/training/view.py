"""What observers get to see of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facesmith.data.scaling import PixelMap
from facesmith.data.streaming.streamed import TrainingSet
from facesmith.recipe import Recipe
from facesmith.snapshot import fixed_latents, with_fresh_statistics
from facesmith.training.folder import RunFolder
from facesmith.training.run import Run
from facesmith.training.state import TrainingState


@dataclass
class View:
    """A run as observers see it: to read, not to change."""

    recipe: Recipe
    run: Run
    folder: RunFolder
    state: TrainingState
    pixels: PixelMap
    dataset: TrainingSet
    health: str = ""
    """What the doctor said last, in a line; empty before its first diagnosis."""
    _snapshot: tuple[int, nn.Module] | None = field(default=None, repr=False)

    def snapshot_generator(self) -> nn.Module:
        """Give the averaged generator of this moment with fresh batch-norm statistics.

        Returns:
            A copy in evaluation mode; made once for all observers of a moment.
        """
        if self._snapshot is None or self._snapshot[0] != self.state.images_seen:
            made = with_fresh_statistics(self.state.average, self.recipe)
            self._snapshot = (self.state.images_seen, made)
        return self._snapshot[1]

    def fakes(self, count: int) -> NDArray[np.uint8]:
        """Generate the same few faces as at any other moment of the run.

        Args:
            count: How many.

        Returns:
            Pixels, uint8 (count, H, W, C).
        """
        latents = self.state.compute.activations(fixed_latents(self.recipe, "samples", 0, count))
        with torch.no_grad():
            images = self.snapshot_generator()(latents)
        return self.pixels.to_pixels(images.float()).cpu().numpy()
