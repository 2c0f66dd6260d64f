"""What an image shows where its square reaches beyond the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.photos.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLUR = 0.04
"""Standard deviation of the blur, as a share of the image's side."""
BLURRED_FROM = 0.03
"""How far beyond the edge the blur is complete,"""
FLAT_FROM = 0.25
"""and how far the colour is even, both as shares of the side."""


def soften(pixels: NDArray[np.uint8], beyond: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Let what a mirror at the photo's edge shows fade, so that no second face is learnt.

    As FFHQ does (Karras et al., 1812.04948): the mirror image is blurred, and farther out it becomes
    the median colour.

    Args:
        pixels: Image (H, W, C), filled by a mirror.
        beyond: Array (H, W): how far beyond the edge each pixel lies, as a share of the side.

    Returns:
        The image; what lies inside the photo is as it was.
    """
    if not beyond.any():
        return pixels
    cv2 = opencv()
    inside = pixels[beyond == 0]
    median = np.median(inside if len(inside) else pixels.reshape(-1, pixels.shape[2]), axis=0)
    values = pixels.astype(np.float32)
    blurred = cv2.GaussianBlur(values, (0, 0), BLUR * len(pixels), borderType=cv2.BORDER_REFLECT)
    blur = np.clip(beyond / BLURRED_FROM, 0, 1)[..., None]
    flat = np.clip(beyond / FLAT_FROM, 0, 1)[..., None]
    values += blur * (blurred.reshape(pixels.shape) - values)
    values += flat * (median - values)
    return np.rint(values).astype(np.uint8)
