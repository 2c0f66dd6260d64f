"""Faces by Haar cascades, which come with OpenCV 4 (Viola and Jones, CVPR 2001)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.photos.detection import Face, Point
from facesmith.data.photos.opencv import missing, opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FACES = "haarcascade_frontalface_alt2.xml"
STEP = 1.2
"""From one size of face that is looked for to the next. With 1.1 it takes 1.7 times as
long, finds an eighth more, and is wrong five times as often."""
AGREEING = 4
"""So many windows agree where there is a face; the score is 1/2 then."""
LEAST_AGREEING = 3
LEAST_FACE = 24
"""Pixels; the cascade was taught with faces of 20."""
EYES = ("haarcascade_eye_tree_eyeglasses.xml", "haarcascade_eye.xml")
"""The first is more exact, the second finds more."""
CLOSE_SIDE = 150
"""A face is brought to this width before its eyes are looked for."""
UPPER = 0.62
"""Share of the face's height in which eyes are looked for."""
EYE_STEP = 1.05
EYE_NEIGHBOURS = 3
EYES_APART = (0.25, 0.60)
EYES_FALL = 0.15
EYES_ACROSS = (0.38, 0.62)
EYES_DOWN = (0.25, 0.52)
"""Where a pair of eyes may be, all as shares of the face's width: its distance, the difference of
its heights, and its middle. What lies outside is a nostril, a corner of the mouth or a brow."""
MEAN_EYES = (0.38, 0.0, 0.50, 0.385)
"""The same four where the cascade's boxes were compared with landmarks set by hand."""


class HaarDetector:
    """Finds frontal faces by a cascade, and eyes in them by another.

    Raises:
        MissingExtraError: OpenCV is missing, broken, or of version 5, which lost the cascades.
    """

    min_score = 0.5

    def __init__(self) -> None:
        self._cv2 = opencv("CascadeClassifier")
        self._faces = self._cascade(FACES)
        self._eyes = [self._cascade(name) for name in EYES]

    def find(self, pixels: Pixels) -> list[Face]:
        """Look for faces.

        Args:
            pixels: RGB array (H, W, 3), at most `WORKING_SIDE` on its longer side.

        Returns:
            All faces on which three windows or more agree.
        """
        grey = self._cv2.cvtColor(pixels, self._cv2.COLOR_RGB2GRAY)
        boxes, counts = self._faces.detectMultiScale2(
            grey, STEP, LEAST_AGREEING - 1, minSize=(LEAST_FACE, LEAST_FACE)
        )
        return [
            Face((left, top, left + width, top + height), count / (count + AGREEING))
            for (left, top, width, height), count in zip(
                np.reshape(boxes, (-1, 4)).tolist(), np.ravel(counts).tolist(), strict=True
            )
        ]

    def look_closer(self, pixels: Pixels, face: Face) -> Face:
        """Look for a pair of eyes.

        Args:
            pixels: The same array.
            face: One of those that were found.

        Returns:
            The face with its eyes; as it was where no plausible pair is found.
        """
        left, top, right, bottom = map(int, face.box)
        grey = self._cv2.cvtColor(pixels[top:bottom, left:right], self._cv2.COLOR_RGB2GRAY)
        scale = CLOSE_SIDE / grey.shape[1]
        way = self._cv2.INTER_AREA if scale < 1 else self._cv2.INTER_CUBIC
        close = self._cv2.resize(grey, (CLOSE_SIDE, CLOSE_SIDE), interpolation=way)
        for cascade in self._eyes:
            pairs = [p for p in product(self._middles(cascade, close), repeat=2) if _plausible(*p)]
            if pairs:
                (x1, y1), (x2, y2) = min(pairs, key=lambda pair: _oddness(*pair))
                eyes = (left + x1 / scale, top + y1 / scale), (left + x2 / scale, top + y2 / scale)
                return replace(face, eyes=eyes)
        return face

    def _cascade(self, name: str) -> Any:
        path = Path(self._cv2.data.haarcascades, name)
        cascade = self._cv2.CascadeClassifier(str(path)) if path.is_file() else None
        if cascade is None or cascade.empty():
            raise missing(f"OpenCV {self._cv2.__version__} comes without {name}.")
        return cascade

    def _middles(self, cascade: Any, close: Pixels) -> list[Point]:
        """Give the middles of what may be eyes: these are in a face's upper half."""
        found = cascade.detectMultiScale(
            close[: int(CLOSE_SIDE * UPPER)],
            EYE_STEP,
            EYE_NEIGHBOURS,
            minSize=(CLOSE_SIDE // 7, CLOSE_SIDE // 7),
            maxSize=(CLOSE_SIDE // 2, CLOSE_SIDE // 2),
        )
        boxes = np.reshape(found, (-1, 4)).tolist()
        return [(left + width / 2, top + height / 2) for left, top, width, height in boxes]


def _measures(left: Point, right: Point) -> tuple[float, float, float, float]:
    middle = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    apart, fall = right[0] - left[0], right[1] - left[1]
    return (
        apart / CLOSE_SIDE,
        fall / CLOSE_SIDE,
        middle[0] / CLOSE_SIDE,
        middle[1] / CLOSE_SIDE,
    )


def _plausible(left: Point, right: Point) -> bool:
    apart, fall, across, down = _measures(left, right)
    return (
        EYES_APART[0] < apart < EYES_APART[1]
        and abs(fall) < EYES_FALL
        and EYES_ACROSS[0] < across < EYES_ACROSS[1]
        and EYES_DOWN[0] < down < EYES_DOWN[1]
    )


def _oddness(left: Point, right: Point) -> float:
    return sum(abs(a - b) for a, b in zip(_measures(left, right), MEAN_EYES, strict=True))
