"""The faces of one photo become training images, each upright, or reasons why not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from facesmith.data.photos.alignment import Square, place
from facesmith.data.photos.colours import flatten
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.detection import WORKING_SIDE, Face, detector
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.photos.framing import DRAFT_MARGIN, Cut, Framing
from facesmith.data.photos.grading import grade
from facesmith.data.photos.padding import soften
from facesmith.data.photos.photo import MIN_SIDE, Photo
from facesmith.data.photos.warping import warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = "small face"
MAX_OUTSIDE = 0.35
"""Share of a square that a mirror may fill; with more, it shows."""


@dataclass(frozen=True)
class Candidate:
    """A face with the square around it."""

    face: Face
    square: Square
    reason: str
    """Why it is not used, as `kind: detail`; empty when it is."""


def cut_faces(photo: Photo, framing: Framing, crop: FaceCrop) -> list[Cut]:
    """Find the faces of a photo and cut a square around each.

    Args:
        photo: Of any size.
        framing: What to make of it.
        crop: Which faces, and how much around them.

    Returns:
        A cut for each face, from left to right; or one of the photo's middle, where there is no face
        or there are too many.

    Raises:
        DataError: The detector's model is missing, is another one, or is no YuNet.
        MissingExtraError: OpenCV is missing, broken, or too new.
        PhotoError: It is too small, or some pixels are not finite numbers.
    """
    if min(photo.width, photo.height) < MIN_SIDE:
        raise PhotoError("too small", f"{photo.width}x{photo.height} pixels")
    found = _find(photo, framing, crop)
    found.sort(key=lambda one: (one.square.x, one.square.y))
    large = [one for one in found if not one.reason.startswith(SMALL)]
    reason = ""
    if not found:
        reason = f"no face: none in {photo.width}x{photo.height} pixels"
    elif crop.faces == "only" and len(large) > 1:
        reason = f"several people: {len(large)} faces"
    if reason:
        side = min(photo.width, photo.height)
        middle = Square(photo.width / 2, photo.height / 2, side)
        [pixels] = _pixels(photo, [middle], side, framing)
        return [Cut(pixels, side, reason, {"faces": len(found)})]
    largest = max(found, key=lambda one: one.square.side)
    chosen = found if crop.faces == "all" else [largest]
    # What is rejected is only looked at: it need not be decoded as finely.
    finest = min((one.square.side for one in chosen if not one.reason), default=math.inf)
    images = _pixels(photo, [one.square for one in chosen], finest, framing)
    return [
        Cut(pixels, one.square.side, one.reason, _facts(one, pixels, len(found)))
        for one, pixels in zip(chosen, images, strict=True)
    ]


def _find(photo: Photo, framing: Framing, crop: FaceCrop) -> list[Candidate]:
    finder = detector(crop.detector, crop.model, crop.digest)
    min_score = finder.min_score if crop.min_score is None else crop.min_score
    min_size = framing.resolution / 2 if crop.min_size is None else crop.min_size
    working = _working_copy(photo)
    across, down = photo.width / working.shape[1], photo.height / working.shape[0]
    candidates = []
    for face in finder.find(working):
        if face.score < min_score:
            continue
        square = place(face.scaled(across, down), crop.preset, crop.margin)
        if square.side >= min_size:  # in a crowd most are not worth a closer look
            face = finder.look_closer(working, face)
            square = place(face.scaled(across, down), crop.preset, crop.margin)
        face = face.scaled(across, down)
        candidates.append(Candidate(face, square, _reason(photo, face, square, min_size)))
    return candidates


def _reason(photo: Photo, face: Face, square: Square, min_size: float) -> str:
    if square.side < min_size:
        return f"{SMALL}: {square.side:.0f} pixels"
    outside = square.outside(photo.width, photo.height)
    if outside > MAX_OUTSIDE:
        return f"at the edge: {outside:.0%} of the square lies outside the photo"
    for x, y in face.eyes or ():
        if not (0 <= x <= photo.width and 0 <= y <= photo.height):
            return "at the edge: an eye lies outside the photo"
    return ""


def _working_copy(photo: Photo) -> NDArray[np.uint8]:
    longer = max(photo.width, photo.height)
    image = flatten(photo.decoded(max(1, longer / WORKING_SIDE))[0], channels=3)
    if max(image.size) > WORKING_SIDE:
        scale = WORKING_SIDE / max(image.size)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return photo.upright(np.asarray(image))


def _pixels(
    photo: Photo, squares: Sequence[Square], finest: float, framing: Framing
) -> list[NDArray[np.uint8]]:
    """Cut squares out of a photo that is decoded as finely as one of this side needs."""
    nearest = framing.resampling == "nearest"
    shrink = 1 if nearest else max(1, finest / (framing.resolution * DRAFT_MARGIN))
    image, factor = photo.decoded(shrink)
    image = flatten(image, channels=3)
    stored = photo.to_stored()
    images = []
    for square in squares:
        upright = np.vstack([square.matrix(framing.resolution), [0, 0, 1]])
        cut = warp(image, stored @ upright / factor, framing.resolution, nearest=nearest)
        pixels = np.array(flatten(cut, framing.channels), np.uint8)
        pixels = pixels.reshape(framing.resolution, framing.resolution, framing.channels)
        beyond = square.beyond(photo.width, photo.height, framing.resolution)
        images.append(soften(pixels, beyond))
    return images


def _facts(one: Candidate, pixels: NDArray[np.uint8], faces: int) -> dict[str, float]:
    """Say what detection knows: the photo's faces, the detector's score, degrees of yaw and roll, 1 where
    the eyes were found and 0 where they were guessed, and the grade.
    """
    return {
        "faces": faces,
        "score": one.face.score,
        "yaw": one.face.yaw,
        "roll": one.face.roll,
        "eyes": float(one.face.eyes is not None),
        "quality": grade(one.face, one.square.side, pixels),
    }
