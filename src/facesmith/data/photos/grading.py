"""How useful a picture of a face is to learn from, as one number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.photos.detection import Face
from facesmith.data.quality.measures import luma, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARP = 0.6
"""`detail` of an image of which nothing is blurred; see `measure`."""
WELL_LIT = 110.0
"""Grey levels between the 5th and the 95th percentile of luma of a face in good light. The range, and
not the mean, tells of light: the mean would tell of skin."""


def grade(face: Face, side: float, pixels: NDArray[np.uint8]) -> float:
    """Grade a face by the geometric mean of five marks of 0 to 1, so that none makes up for another.

    - sharpness: the finest detail, as `measure` tells it;
    - light: the range of luma, and how much is not clipped to black or white;
    - pose: the cosine of the yaw, 1 where it is not known;
    - size: pixels of the photo over pixels of the image, 1 where there are as many;
    - the detector's score.

    Args:
        face: What was found.
        side: Pixels of the photo across the image.
        pixels: The image, array (H, W, C).

    Returns:
        0, useless, to 1.
    """
    measured = {name: float(values[0]) for name, values in measure(pixels[None]).items()}
    low, high = np.percentile(luma(pixels[None]), (5, 95))
    marks = (
        min(1.0, measured["detail"] / SHARP),
        min(1.0, float(high - low) / WELL_LIT) * (1 - measured["clipped"]),
        1.0 if math.isnan(face.yaw) else math.cos(math.radians(face.yaw)),
        min(1.0, side / pixels.shape[0]),
        face.score,
    )
    return math.prod(max(mark, 0.0) for mark in marks) ** (1 / len(marks))
