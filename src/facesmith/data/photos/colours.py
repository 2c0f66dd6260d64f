"""Any colour mode becomes RGB or grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from facesmith.data.photos.crops import PhotoError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def flatten(image: Image.Image, channels: int) -> Image.Image:
    """Bring any colour mode to RGB or grey, transparency to white.

    Args:
        image: A decoded image of any mode.
        channels: 3 for RGB, 1 for grey.

    Returns:
        An image of mode RGB or L; the same one where it is that already.

    Raises:
        PhotoError: Some pixels are not finite numbers.
    """
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    mode = "RGB" if channels == 3 else "L"
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale 16-bit, 32-bit and float greys; Pillow's own conversion clips them."""
    greys = values.astype(np.float64)
    if not np.isfinite(greys).all():
        raise PhotoError("damaged", "some pixels are not finite numbers")
    low, high = greys.min(), greys.max()
    if values.dtype.kind == "f":
        if low >= 0 and high <= 1:
            greys *= 255
        elif low < 0 or high > 65535:
            greys = (greys - low) * (255 / max(high - low, np.finfo(float).tiny))
        elif high > 255:
            greys /= 257
    elif high > 65535:
        greys *= 255 / high
    else:
        greys /= 257
    return np.clip(np.rint(greys), 0, 255).astype(np.uint8)
