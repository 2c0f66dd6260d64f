"""What is found in a photo where faces are looked for, and by whom."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from facesmith.base.errors import DataError, StorageError, UsageError
from facesmith.data.downloads.catalogue import DETECTOR
from facesmith.data.places import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DetectorName = Literal["auto", "yunet", "haar"]
Point = tuple[float, float]
"""Right and down in pixels from the upper left corner."""

LEAST_SCORE = 0.3
"""What is less sure is never reported."""
WORKING_SIDE = 1280
"""Larger photos are shrunk to this longer side before faces are looked for. With it and a quarter
of it, faces of 1/100 of the photo's width and faces that fill it are found."""
NOSE_DEPTH = 0.5
"""How far the tip of a nose lies in front of the eyes, over the distance of the eyes."""
DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Face:
    """A face in a photo. Left and right are the picture's, not the person's."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels."""
    score: float
    """How sure the detector is, 0 to 1; two detectors' scores are not comparable."""
    eyes: tuple[Point, Point] | None = None
    """Left and right; None where they were not found."""
    nose: Point | None = None
    """Its tip."""
    mouth: tuple[Point, Point] | None = None
    """Its left and right corner."""

    @property
    def roll(self) -> float:
        """Degrees by which the line of the eyes falls to the right; NaN where it is not known."""
        if self.eyes is None:
            return math.nan
        (left, top), (right, bottom) = self.eyes
        return math.degrees(math.atan2(bottom - top, right - left))

    @property
    def yaw(self) -> float:
        """Degrees by which the head turns to the picture's right; NaN where it is not known.

        A head that turns by t shows its eyes d cos t apart, and its nose NOSE_DEPTH d sin t beside
        their middle. The depth is the mean of many heads, so this is right to about ten degrees.
        """
        if self.eyes is None or self.nose is None:
            return math.nan
        (left, top), (right, bottom) = self.eyes
        across, down = right - left, bottom - top
        apart = math.hypot(across, down)
        if apart == 0:
            return math.nan
        aside = (self.nose[0] - (left + right) / 2) * across
        aside += (self.nose[1] - (top + bottom) / 2) * down
        return math.degrees(math.atan2(aside / apart, NOSE_DEPTH * apart))

    def scaled(self, across: float, down: float) -> Face:
        """Tell where the face lies when the photo is stretched.

        Args:
            across: New width over old width.
            down: New height over old height.

        Returns:
            The face in the new photo.
        """

        def moved(point: Point) -> Point:
            return point[0] * across, point[1] * down

        left, top, right, bottom = self.box
        return Face(
            (left * across, top * down, right * across, bottom * down),
            self.score,
            self.eyes and (moved(self.eyes[0]), moved(self.eyes[1])),
            self.nose and moved(self.nose),
            self.mouth and (moved(self.mouth[0]), moved(self.mouth[1])),
        )


class Detector(Protocol):
    """Finds faces."""

    min_score: float
    """Where nobody chooses another: below it there are more mistakes than faces."""

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Look for faces.

        Args:
            pixels: RGB array (H, W, 3), at most `WORKING_SIDE` on its longer side.

        Returns:
            All faces of a score of `LEAST_SCORE` or more, in any order.
        """
        ...

    def look_closer(self, pixels: NDArray[np.uint8], face: Face) -> Face:
        """Look for the eyes of a face, which takes longer than to find it.

        Args:
            pixels: The same array.
            face: One of those that were found.

        Returns:
            The face with its eyes, or with better ones; as it was where none are found.
        """
        ...


def default_model() -> Path | None:
    """Say where the YuNet model is that was downloaded; None where there is none."""
    try:
        path = cache_folder("models") / DETECTOR.name
    except StorageError:  # this user has no place for any
        return None
    return path if path.is_file() else None


def choose(name: DetectorName, model: Path | None) -> tuple[DetectorName, Path | None, str]:
    """Settle what `auto` means on this machine.

    Args:
        name: `auto`, `yunet` or `haar`.
        model: The YuNet model; None for the downloaded one.

    Returns:
        `yunet` or `haar`, the model's file, and the first digits of its SHA-256.

    Raises:
        DataError: The model is missing or cannot be read.
        UsageError: A model is given to a detector that has none.
    """
    if name == "haar" and model is not None:
        raise UsageError(
            f"The detector haar was given the model {model}.",
            needed="yunet, or no model: the Haar cascade comes with OpenCV",
            todo="write detector=yunet, or leave the model away",
        )
    path = model or default_model()
    if name == "haar" or (name == "auto" and path is None):
        return "haar", None, ""
    if path is None:
        raise DataError(
            "The detector yunet needs its model, and none was downloaded.",
            needed=f"{DETECTOR.name} from the OpenCV zoo, 0.2 MB",
            todo="run `facesmith download yunet`, name a file with --detector-model, or use detector=haar",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The face detector's model {path} cannot be read: {error.strerror}.",
            needed=f"a YuNet model such as {DETECTOR.name}",
            todo="correct the path",
        ) from error
    return "yunet", path, hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]


@lru_cache(maxsize=2)
def detector(name: DetectorName, model: Path | None, digest: str) -> Detector:
    """Give this process's detector.

    Args:
        name: `auto`, `yunet` or `haar`.
        model: The YuNet model; None for the downloaded one.
        digest: First digits of the SHA-256 that the model must have; empty for any.

    Returns:
        The detector.

    Raises:
        DataError: The model is missing, is another one, or is no YuNet.
        MissingExtraError: OpenCV is missing, broken, or too new.
        UsageError: A model is given to a detector that has none.
    """
    _, path, found = choose(name, model)
    if digest and found != digest:
        raise DataError(
            f"The crop asks for the face detector's model {digest}; here is {found or 'none'}.",
            needed="the model whose SHA-256 begins so",
            todo="name its file with --detector-model, or leave model= out of the crop",
        )
    if path is None:
        from facesmith.data.photos.haar import HaarDetector

        return HaarDetector()
    from facesmith.data.photos.yunet import YuNetDetector

    return YuNetDetector(path)
