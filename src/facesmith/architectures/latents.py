"""Latents: the random numbers a generator starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from facesmith.base.errors import UsageError
from facesmith.base.registry import register

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@register
@dataclass(frozen=True)
class Latent:
    """How long a latent is and which law it follows."""

    size: int = 100
    """Numbers in a latent."""
    law: Literal["normal", "uniform", "sphere"] = "normal"
    """Standard normal, even in [-1, 1], or on the sphere of radius sqrt(size)."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(
                f"latent.size was given {self.size}.",
                needed="at least one number; faces want 64 to 512",
                todo="leave it at 100 unless you have a reason",
            )

    def from_uniforms(self, uniforms: NDArray[np.float64]) -> Tensor:
        """Turn uniform numbers into latents, row by row.

        Args:
            uniforms: Array (N, size) in (0, 1).

        Returns:
            Tensor (N, size), fp32. Quantiles need a fixed count of uniforms for each number, which
            is what lets a batch be cut anywhere.
        """
        even = torch.from_numpy(uniforms)
        if self.law == "uniform":
            return (2 * even - 1).float()
        normal: Tensor = torch.special.ndtri(even)
        if self.law == "sphere":
            normal = normal * (self.size**0.5 / normal.norm(dim=1, keepdim=True))
        return normal.float()
