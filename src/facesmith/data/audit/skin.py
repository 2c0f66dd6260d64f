"""Skin as it appears in pictures: its colour in CIELAB, the typology angle, and the nearest Monk tone.

It is a property of the picture: lamp, flash and white balance are part of it. One picture says little
about a person; thousands say who is rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.audit.contents import Shares, Skin, Spread
from facesmith.data.quality.measures import LUMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REGION = (0.36, 0.76, 0.28, 0.72)
"""Top, bottom, left and right of where a centred face shows its forehead and its cheeks."""
CB, CR = (77, 127), (133, 173)
"""Skin of any tone in YCbCr: "Face segmentation using skin-color map in videophone applications", Chai
and Ngan, IEEE Transactions on Circuits and Systems for Video Technology 9(4), 1999."""
ENOUGH = 0.15
"""Share of the region that must be skin, or nothing is measured: grey pictures, coloured light, hands."""
MIDDLE = (0.25, 0.90)
"""Of the skin pixels by brightness: without brows, nostrils and hair, and without glints."""

TONES = ("very light", "light", "intermediate", "tan", "brown", "dark")
LIGHTER, DARKER = TONES[:3], TONES[4:]
ANGLES = (55.0, 41.0, 28.0, 10.0, -30.0)
"""Of the typology angle, in degrees, between the tones: "Skin colour typology and suntanning pathways",
Chardon, Cretois and Hourseau, International Journal of Cosmetic Science 13, 1991; dark is set apart in
"Variations in skin colour and the biological consequences of ultraviolet radiation exposure", Del Bino
and Bernerd, British Journal of Dermatology 169, 2013."""
MONK = (
    *("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96"),
    *("a07e56", "825c43", "604134", "3a312a", "292420"),
)
"""The ten colours of the Monk Skin Tone scale (E. Monk; skintone.google), lightest first."""

# sRGB's primaries and white, IEC 61966-2-1.
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(1)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def lab(colours: NDArray[np.floating] | NDArray[np.uint8]) -> Floats:
    """Turn sRGB into CIELAB (CIE 15, D65 white).

    Args:
        colours: Array (..., 3), 0 to 255.

    Returns:
        Array (..., 3): L* from 0 to 100, a* and b*.
    """
    coded = np.asarray(colours, np.float64) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    cubed = np.where(xyz > _EPSILON, np.cbrt(xyz), (_KAPPA * xyz + 16) / 116)
    x, y, z = np.moveaxis(cubed, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def skin_colours(images: NDArray[np.uint8]) -> Floats:
    """Find the colour of the skin in the middle of pictures.

    Args:
        images: Array (N, H, W, C).

    Returns:
        CIELAB colours (N, 3); NaN where too little skin was seen, as in every grey picture.
    """
    count, height, width, channels = images.shape
    if channels == 1:
        return np.full((count, 3), np.nan)
    top, bottom, left, right = REGION
    rows = slice(round(top * height), round(bottom * height))
    columns = slice(round(left * width), round(right * width))
    pixels = images[:, rows, columns].reshape(count, -1, 3).astype(np.float32)
    grey = pixels @ np.array(LUMA, np.float32)
    red, blue = 0.713 * (pixels[..., 0] - grey) + 128, 0.564 * (pixels[..., 2] - grey) + 128
    skin = (blue >= CB[0]) & (blue <= CB[1]) & (red >= CR[0]) & (red <= CR[1])
    number = skin.sum(1)
    ranked = np.sort(np.where(skin, grey, np.inf), axis=1)
    every = np.arange(count)
    low, high = (ranked[every, (q * np.maximum(number - 1, 0)).astype(int)] for q in MIDDLE)
    kept = skin & (grey >= low[:, None]) & (grey <= high[:, None])
    weight = np.maximum(kept.sum(1), 1)
    mean = np.einsum("npc,np->nc", pixels, kept.astype(np.float32)) / weight[:, None]
    seen = number >= ENOUGH * skin.shape[1]
    return np.where(seen[:, None], lab(mean), np.nan)


def angles(colours: Floats) -> Floats:
    """Give the individual typology angle, ITA = atan2(L* - 50, b*).

    Args:
        colours: CIELAB (..., 3).

    Returns:
        Degrees (...); high is light, NaN where the colour is.
    """
    return np.degrees(np.arctan2(colours[..., 0] - 50, colours[..., 2]))


def tones(degrees: Floats) -> NDArray[np.int64]:
    """Name typology angles.

    Args:
        degrees: Angles (N,).

    Returns:
        Numbers of `TONES`; -1 where the angle is NaN.
    """
    classes = (degrees[:, None] <= np.array(ANGLES)).sum(1)
    return np.where(np.isnan(degrees), -1, classes)


def nearest_monk(colours: Floats) -> NDArray[np.int64]:
    """Find the Monk tone that is nearest in CIELAB.

    Args:
        colours: CIELAB (N, 3).

    Returns:
        Numbers of `MONK`; -1 where the colour is NaN.
    """
    orbs = lab(np.array([list(bytes.fromhex(code)) for code in MONK], np.uint8))
    distance = ((colours[:, None] - orbs) ** 2).sum(2)
    return np.where(np.isnan(colours[:, 0]), -1, distance.argmin(1))


def sum_up(colours: Floats) -> Skin:
    """Say which tones there are.

    Args:
        colours: CIELAB (N, 3), NaN where unknown.

    Returns:
        Distributions over the images.
    """
    degrees = angles(colours)
    return Skin(
        angle=Spread.of(degrees, -90, 90, 36),
        tones=Shares.of(tones(degrees), TONES),
        monk=Shares.of(nearest_monk(colours), [f"Monk {i + 1}" for i in range(len(MONK))]),
    )
