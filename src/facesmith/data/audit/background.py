"""What surrounds the faces: plain or busy, light or dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.audit.contents import Background, Shares
from facesmith.data.quality.measures import LUMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

KINDS = ("plain, light", "plain, medium", "plain, dark", "busy")
BUSY = len(KINDS) - 1
WIDTH = 8
"""The border is an eighth of the picture wide, at the top and at both sides; the shoulders are below."""
NEAR = 24
"""Of 255: a pixel's colour is that of the border when no channel is further from its median."""
PLAIN = 2 / 3
"""Share of the border that has its colour; the rest may be hair."""
LIGHT, DARK = 170, 85
ALIKE = 1.5 * NEAR
CANDIDATES = 400
"""Plain backgrounds among which the commonest colour is looked for."""


def borders(images: NDArray[np.uint8]) -> tuple[NDArray[np.int64], Floats]:
    """Judge the border of pictures.

    Args:
        images: Array (N, H, W, C).

    Returns:
        Numbers of `KINDS` (N,), and the border's median colour (N, 3), 0 to 255.
    """
    count, height, width, channels = images.shape
    thick, side, deep = max(1, height // WIDTH), max(1, width // WIDTH), height * 5 // 8
    parts = (
        images[:, :thick],
        images[:, thick:deep, :side],
        images[:, thick:deep, width - side :],
    )
    pixels = np.concatenate([part.reshape(count, -1, channels) for part in parts], axis=1)
    # The middle of sorted bytes: numpy's median makes floats of them first.
    middle = np.sort(pixels, axis=1)[:, pixels.shape[1] // 2].astype(np.int16)
    near = (np.abs(pixels - middle[:, None]) <= NEAR).all(2).mean(1)
    colours = np.broadcast_to(middle, (count, 3)).astype(np.float32)
    grey = colours @ np.array(LUMA, np.float32)
    shade = np.where(grey >= LIGHT, 0, np.where(grey >= DARK, 1, 2))
    return np.where(near >= PLAIN, shade, BUSY).astype(np.int64), colours


def sum_up(kinds: NDArray[np.int64], colours: Floats) -> Background:
    """Say which backgrounds there are.

    Args:
        kinds: Numbers of `KINDS` (N,).
        colours: Of the borders (N, 3).

    Returns:
        Shares, and the commonest colour of the plain ones.
    """
    plain = colours[kinds != BUSY]
    shares = Shares.of(kinds, KINDS)
    if not len(plain):
        return Background(shares, "", 0)
    candidates = plain[:: -(-len(plain) // CANDIDATES)]
    alike = np.array([(np.abs(plain - one).max(1) <= ALIKE).sum() for one in candidates])
    red, green, blue = candidates[alike.argmax()].astype(int).tolist()
    return Background(shares, f"#{red:02x}{green:02x}{blue:02x}", int(alike.max()))
