"""YuNet, a small network that finds faces with their eyes, nose and mouth (Wu, Peng and Yu, 2023).

It sees faces of 10 to 400 pixels that stand about upright. So it looks at the photo and at a quarter
of it; and then again at each face, turned upright and in a good size, and at its mirror image.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.photos.detection import LEAST_SCORE, Face, Point
from facesmith.data.photos.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Points = NDArray[np.float64]

MIN_SCORE = 0.8
OVERLAP = 0.3
"""Intersection over union from which two boxes are of one face."""
MOST_FACES = 5000
COARSE = 4
"""The second look is at the photo shrunk by this factor,"""
COARSE_FROM = 320
"""where its longer side has at least so many pixels."""
CLOSE_SIDE = 256
CLOSE_EYES = 72
"""The closer look: its side, and the distance of the eyes in it, in pixels."""
MOST_LOOKS = 4
STILL = 4.0
"""Degrees: the closer look is repeated where it changes the roll by more. The network takes heads for
more upright than they are: of a roll of 27 degrees it sees 7 at first, 22 at a closer look, then 26."""
MIRRORED = [1, 0, 2, 4, 3]
"""Which landmark each one is in the mirror; they are eyes, nose, corners of the mouth."""


class YuNetDetector:
    """Finds faces by a YuNet model of the OpenCV zoo.

    Args:
        model: Its ONNX file.

    Raises:
        DataError: The file is something else.
        MissingExtraError: OpenCV is missing or broken.
    """

    min_score = MIN_SCORE

    def __init__(self, model: Path) -> None:
        self._cv2 = opencv("FaceDetectorYN")
        try:
            self._network = self._cv2.FaceDetectorYN.create(
                str(model), "", (64, 64), LEAST_SCORE, OVERLAP, MOST_FACES
            )
            self._look(np.zeros((64, 64, 3), np.uint8))
        except Exception as error:  # OpenCV has one kind of error, for files and for networks
            raise DataError(
                f"{model} is no face detector that OpenCV {self._cv2.__version__} can run.",
                needed="a YuNet model such as face_detection_yunet_2023mar.onnx",
                todo="name its file with --detector-model, or use detector=haar, which needs none",
            ) from error

    def find(self, pixels: Pixels) -> list[Face]:
        """Look for faces.

        Args:
            pixels: RGB array (H, W, 3), at most `WORKING_SIDE` on its longer side.

        Returns:
            All faces of a score of `LEAST_SCORE` or more, surest first.
        """
        found = self._look(pixels)
        if max(pixels.shape) >= COARSE_FROM:
            small, (across, down) = self._shrunk(pixels, COARSE)
            found += [face.scaled(across, down) for face in self._look(small)]
        return _distinct(found)

    def look_closer(self, pixels: Pixels, face: Face) -> Face:
        """Find the landmarks again, in a picture of the face that is upright and of a good size.

        Args:
            pixels: The same array.
            face: One of those that were found.

        Returns:
            The face with the mean of what is seen in that picture and in its mirror image.
        """
        across = down = 1.0
        if face.eyes and (factor := int(math.dist(*face.eyes) / CLOSE_EYES)) > 1:
            pixels, (across, down) = self._shrunk(pixels, factor)
            face = face.scaled(1 / across, 1 / down)
        for _ in range(MOST_LOOKS):
            before, face = face, self._look_once(pixels, face)
            if abs(face.roll - before.roll) < STILL:
                break
        return face.scaled(across, down)

    def _look(self, pixels: Pixels) -> list[Face]:
        self._network.setInputSize((pixels.shape[1], pixels.shape[0]))
        _, rows = self._network.detect(self._cv2.cvtColor(pixels, self._cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        # In pictures of few pixels it may see a face of any size, even of none that is a number.
        possible = (np.abs(rows) < 4 * max(pixels.shape)).all(1)
        return [_face(row) for row in rows[possible].tolist()]

    def _shrunk(self, pixels: Pixels, factor: int) -> tuple[Pixels, tuple[float, float]]:
        """Shrink a picture; also give what stretches its points back, across and down."""
        height, width = pixels.shape[:2]
        size = max(1, round(width / factor)), max(1, round(height / factor))
        small = self._cv2.resize(pixels, size, interpolation=self._cv2.INTER_AREA)
        return small, (width / size[0], height / size[1])

    def _look_once(self, pixels: Pixels, face: Face) -> Face:
        points = _landmarks(face)
        if math.dist(points[0], points[1]) < 1:  # a head in profile
            return face
        looks = (self._landmarks_upright(pixels, points, mirror) for mirror in (False, True))
        seen = [look for look in looks if look is not None]
        return _with_landmarks(face, np.mean(seen, axis=0)) if seen else face

    def _landmarks_upright(self, pixels: Pixels, points: Points, mirror: bool) -> Points | None:
        """Find a face's landmarks again where the line of its eyes lies level."""
        across, down = points[1] - points[0]
        turn = np.array([[across, down], [-down, across]]) * CLOSE_EYES / (across**2 + down**2)
        if mirror:
            turn[0] *= -1
        shift = CLOSE_SIDE / 2 - turn @ points.mean(0)
        middles = shift + (turn.sum(1) - 1) / 2  # OpenCV counts from the middle of the first pixel
        close = self._cv2.warpAffine(
            pixels,
            np.column_stack([turn, middles]),
            (CLOSE_SIDE, CLOSE_SIDE),
            flags=self._cv2.INTER_LINEAR,
            borderMode=self._cv2.BORDER_REPLICATE,
        )
        # The one in the middle: others may stand beside.
        middle = (CLOSE_SIDE / 2, CLOSE_SIDE / 2)
        near = [
            found
            for found in map(_landmarks, self._look(close))
            if math.dist(found.mean(0), middle) < CLOSE_EYES / 2
        ]
        if not near:
            return None
        again = min(near, key=lambda found: math.dist(found.mean(0), middle))
        if mirror:
            again = again[MIRRORED]
        back: Points = np.linalg.solve(turn, (again - shift).T).T
        return back


def _face(row: list[float]) -> Face:
    left, top, width, height, *landmarks, score = row
    face = Face((left, top, left + width, top + height), score)
    return _with_landmarks(face, np.reshape(landmarks, (5, 2)))


def _landmarks(face: Face) -> Points:
    assert face.eyes and face.nose and face.mouth
    return np.array([*face.eyes, face.nose, *face.mouth])


def _with_landmarks(face: Face, points: Points) -> Face:
    named: list[Point] = [(x, y) for x, y in points.tolist()]
    left_eye, right_eye, nose, left_corner, right_corner = named
    return replace(face, eyes=(left_eye, right_eye), nose=nose, mouth=(left_corner, right_corner))


def _distinct(faces: list[Face]) -> list[Face]:
    """Keep the surest of the boxes that are of one face."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_overlap(face.box, other.box) < OVERLAP for other in kept):
            kept.append(face)
    return kept


def _overlap(
    first: tuple[float, float, float, float], second: tuple[float, float, float, float]
) -> float:
    """Give intersection over union of two boxes."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    both = max(across, 0.0) * max(down, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return both / (areas - both)
