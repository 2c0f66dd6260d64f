"""How a photo becomes training images, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from facesmith.data.photos.crops import CenterCrop, Crop

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLING = ("lanczos", "nearest")
DRAFT_MARGIN = 2
"""JPEG blocks are decoded at a fraction of their size as long as the crop stays this many times
larger than the training image: 0.6 grey levels from a full decode in the mean, 1.4 at no margin."""


@dataclass(frozen=True)
class Framing:
    """How a photo becomes a training image."""

    resolution: int
    """Side of the training image in pixels."""
    crop: Crop = field(default_factory=CenterCrop)
    channels: int = 3
    """3 for colour, 1 for grey."""
    resampling: str = "lanczos"
    """`lanczos` for photos, `nearest` for pixel art."""


@dataclass(frozen=True)
class Cut:
    """One square cut from a photo, or what there is to show of a photo that is not used."""

    pixels: NDArray[np.uint8] | None
    """Array (resolution, resolution, channels); None where there is nothing to show."""
    side: float
    """Pixels of the photo across the square."""
    reason: str = ""
    """Why it is rejected, as `kind: detail`; empty when it is used."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """What was measured on the photo, such as the turn of a head; NaN where it is not known."""
