from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from facesmith.data.photos.haar import HaarDetector

from .conftest import DARK_GLASSES, SITTERS, Placed

Paint = Callable[..., Any]


@pytest.fixture(scope="module")
def haar() -> HaarDetector:
    return HaarDetector()


def test_drawn_people_are_found_with_their_eyes(haar: HaarDetector, paint: Paint) -> None:
    people = [Placed(s, 110 + 200 * n, 130, 180) for n, s in enumerate(SITTERS)]
    scene = paint(820, 260, people)
    pixels = np.asarray(scene.image)
    faces = sorted(
        (face for face in haar.find(pixels) if face.score >= haar.min_score),
        key=lambda face: face.box[0],
    )
    assert len(faces) == len(people)
    for face, eyes in zip(faces, scene.eyes, strict=True):
        assert face.eyes is None  # it takes a closer look
        close = haar.look_closer(pixels, face)
        apart = np.hypot(*(eyes[1] - eyes[0]))
        assert np.hypot(*(np.array(close.eyes) - eyes).T).max() < 0.12 * apart
        assert close.box == face.box


def test_eyes_that_are_hidden_are_not_invented(haar: HaarDetector, paint: Paint) -> None:
    pixels = np.asarray(paint(400, 320, [Placed(DARK_GLASSES, 200, 160, 180)]).image)
    [face] = (face for face in haar.find(pixels) if face.score >= haar.min_score)
    assert haar.look_closer(pixels, face).eyes is None


def test_where_nobody_is_nobody_is_found(haar: HaarDetector) -> None:
    smooth = np.tile(np.linspace(0, 255, 200).astype(np.uint8)[None, :, None], (150, 1, 3))
    assert haar.find(smooth) == []


def test_the_score_says_how_many_windows_agree(haar: HaarDetector, paint: Paint) -> None:
    import cv2

    pixels = np.asarray(paint(400, 320, [Placed(SITTERS[0], 200, 160, 180)]).image)
    [face] = (face for face in haar.find(pixels) if face.score >= haar.min_score)
    name = cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml"
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    _, counts = cv2.CascadeClassifier(name).detectMultiScale2(grey, 1.2, 2, minSize=(24, 24))
    assert face.score == pytest.approx(max(counts) / (max(counts) + 4))
