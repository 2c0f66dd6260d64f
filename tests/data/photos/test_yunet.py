"""The network is replaced by one that sees coloured dots, so that every step around it is exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.photos.detection import Face
from facesmith.data.photos.yunet import YuNetDetector

from .conftest import SITTERS, Placed

Paint = Callable[..., Any]
Points = NDArray[np.float64]

HEAD = np.array([[-20, -10], [20, -10], [6, 12], [-14, 32], [14, 32]], float)
"""Eyes, nose and mouth of a face, in no symmetry."""
LARGEST = 160
"""Between the eyes: the network sees no larger face,"""
LEVEL = 12
"""nor one that is turned by more degrees, exactly."""


class Dots:
    """Sees two red eyes, a green nose and two blue corners of a mouth."""

    def __init__(self) -> None:
        self.looks: list[tuple[int, int]] = []
        self.size = (0, 0)
        self.sees_of_a_roll = 1.0
        self.confusion = 3.0

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802
        self.size = size

    def detect(self, picture: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]:
        assert self.size == (picture.shape[1], picture.shape[0])
        self.looks.append(self.size)
        points = []
        for channel, count in ((2, 2), (1, 1), (0, 2)):  # OpenCV's order is blue, green, red
            others = [c for c in range(3) if c != channel]
            dots = picture[..., channel].astype(int) - picture[..., others].max(2)
            found, _, stats, middles = cv2.connectedComponentsWithStats(
                (dots > 90).astype(np.uint8)
            )
            large = [i for i in range(1, found) if stats[i, cv2.CC_STAT_AREA] >= 4]
            if len(large) != count:
                return 0, None
            # A place counts from the corner of the picture, a middle from the middle of a pixel.
            points += sorted((middles[large] + 0.5).tolist())
        left, right = np.array(points[:2])
        across, down = right - left
        if np.hypot(across, down) > LARGEST:
            return 0, None
        found_points = np.array(points)
        if abs(np.degrees(np.arctan2(down, across))) > LEVEL:
            found_points += self.confusion
        angle = np.arctan2(down, across) * (self.sees_of_a_roll - 1)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = found_points.mean(0)
        found_points = (found_points - middle) @ turn.T + middle
        margin = np.hypot(across, down) / 4
        low, high = found_points.min(0) - margin, found_points.max(0) + margin
        row = [*low, *(high - low), *found_points.ravel(), 0.9]
        return 1, np.array([row], np.float32)


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dots]:
    network = Dots()
    fake = type("FaceDetectorYN", (), {"create": staticmethod(lambda *_: network)})
    monkeypatch.setattr(cv2, "FaceDetectorYN", fake)
    yield network


def dotted(points: Points, width: int, height: int, size: float) -> NDArray[np.uint8]:
    """Draw a face of dots with soft edges."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    picture = np.zeros((height, width, 3))
    for point, channel in zip(points, (0, 0, 1, 2, 2), strict=True):
        distance = np.hypot(x - point[0], y - point[1])
        picture[..., channel] += 255 * np.clip(size + 0.5 - distance, 0, 1)
    return picture.clip(0, 255).astype(np.uint8)


def placed(degrees: float, scale: float, x: float, y: float) -> Points:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(HEAD @ turn.T * scale + [x, y])


def seen(face: Face) -> Points:
    assert face.eyes and face.nose and face.mouth
    return np.array([*face.eyes, face.nose, *face.mouth])


@pytest.mark.parametrize("degrees", [-30.0, 0.0, 25.0])
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_closer_look_is_upright_and_puts_the_landmarks_back(
    degrees: float, scale: float, dots: Dots, tmp_path: Path
) -> None:
    points = placed(degrees, scale, 170.3, 140.8)
    picture = dotted(points, 340, 290, 4 * scale)
    finder = YuNetDetector(tmp_path)
    [first] = finder.find(picture)
    close = finder.look_closer(picture, first)
    if abs(degrees) > LEVEL:
        assert np.abs(seen(first) - points).max() > 2.5
    assert np.abs(seen(close) - points).max() < 0.6
    assert (close.box, close.score) == (first.box, first.score)


@pytest.mark.parametrize(("degrees", "reached", "looks"), [(-28.0, -24.5, 2), (10.0, 7.5, 1)])
def test_it_looks_until_the_head_hardly_turns(
    degrees: float, reached: float, looks: int, dots: Dots, tmp_path: Path
) -> None:
    points = placed(degrees, 2, 170, 140)
    picture = dotted(points, 340, 290, 8)
    finder = YuNetDetector(tmp_path)
    dots.sees_of_a_roll = 0.5
    dots.confusion = 0
    [first] = finder.find(picture)
    assert first.roll == pytest.approx(degrees / 2, abs=1)
    dots.looks.clear()
    close = finder.look_closer(picture, first)
    # Each look halves what is left of the roll: 14, 7 and 3.5 degrees, or 5 and 2.5.
    assert close.roll == pytest.approx(reached, abs=0.3)
    assert len(dots.looks) == 2 * looks


def test_a_mirror_is_used_and_its_names_are_exchanged(dots: Dots, tmp_path: Path) -> None:
    points = placed(0, 1.8, 150, 130)
    picture = dotted(points, 300, 260, 7)
    finder = YuNetDetector(tmp_path)
    [first] = finder.find(picture)
    dots.looks.clear()
    detect = dots.detect
    shift = np.array([6.0, 0.0])

    def biased(picture: NDArray[np.uint8]) -> tuple[int, Any]:
        count, rows = detect(picture)
        assert rows is not None
        rows[0, 4:14] += np.tile(shift, 5)  # an error to the picture's right
        return count, rows

    dots.detect = biased  # type: ignore[method-assign]
    close = finder.look_closer(picture, first)
    assert dots.looks == [(256, 256)] * 2
    assert np.abs(seen(close) - points).max() < 0.6  # in the mirror it goes left


def test_faces_that_fill_the_photo_are_found_in_a_quarter_of_it(dots: Dots, tmp_path: Path) -> None:
    points = placed(3, 12, 500, 420)  # 480 pixels between the eyes
    picture = dotted(points, 1000, 880, 40)
    finder = YuNetDetector(tmp_path)
    dots.looks.clear()
    [face] = finder.find(picture)
    assert dots.looks == [(1000, 880), (250, 220)]
    assert np.abs(seen(face) - points).max() < 4
    assert np.abs(seen(finder.look_closer(picture, face)) - points).max() < 3


def test_a_face_that_is_seen_twice_is_reported_once(dots: Dots, tmp_path: Path) -> None:
    picture = dotted(placed(0, 3, 200, 200), 400, 400, 14)
    finder = YuNetDetector(tmp_path)
    dots.looks.clear()
    assert len(finder.find(picture)) == 1
    assert len(dots.looks) == 2


def test_a_closer_look_that_finds_nobody_changes_nothing(dots: Dots, tmp_path: Path) -> None:
    points = placed(0, 2, 150, 130)
    face = Face((0, 0, 9, 9), 0.9, *_named(points))
    assert YuNetDetector(tmp_path).look_closer(np.zeros((260, 300, 3), np.uint8), face) == face
    flat = Face((0, 0, 9, 9), 0.9, *_named(np.full((5, 2), 50.0)))
    assert YuNetDetector(tmp_path).look_closer(np.zeros((260, 300, 3), np.uint8), flat) == flat


def test_what_cannot_be_a_face_is_not_one(dots: Dots, tmp_path: Path) -> None:
    finder = YuNetDetector(tmp_path)
    for nonsense in (np.nan, np.inf, 1e9):
        row = np.full((1, 15), nonsense, np.float32)
        dots.detect = lambda _, row=row: (1, row)  # type: ignore[method-assign]
        assert finder.find(np.zeros((60, 60, 3), np.uint8)) == []


def test_a_sliver_does_no_harm(dots: Dots, tmp_path: Path) -> None:
    wide = Face((0, -50, 900, 50), 0.9, ((100, 1), (800, 1)), (450, 2), ((200, 3), (700, 3)))
    finder = YuNetDetector(tmp_path)
    assert finder.look_closer(np.zeros((3, 1280, 3), np.uint8), wide).box[2] == 900
    tall = Face((-50, 0, 50, 900), 0.9, ((1, 100), (1, 800)), (2, 450), ((3, 200), (3, 700)))
    assert finder.look_closer(np.zeros((1280, 3, 3), np.uint8), tall).box[3] == 900


def _named(points: Points) -> tuple[Any, Any, Any]:
    left, right, nose, a, b = (tuple(p) for p in points.tolist())
    return (left, right), nose, (a, b)


def test_the_network_itself_finds_drawn_people(shared_data: Path, paint: Paint) -> None:
    finder = YuNetDetector(shared_data / "weights/face_detection_yunet_2026may.onnx")
    people = [Placed(SITTERS[0], 120, 130, 180, -20), Placed(SITTERS[1], 330, 130, 180, 20)]
    scene = paint(460, 260, people)
    pixels = np.asarray(scene.image)
    faces = [face for face in finder.find(pixels) if face.score >= finder.min_score]
    assert len(faces) == 2
    for face, eyes in zip(sorted(faces, key=lambda face: face.box), scene.eyes, strict=True):
        close = finder.look_closer(pixels, face)
        across, down = eyes[1] - eyes[0]
        apart, roll = np.hypot(across, down), np.degrees(np.arctan2(down, across))
        assert np.hypot(*(np.array(close.eyes) - eyes).T).mean() < 0.15 * apart
        assert close.roll == pytest.approx(roll, abs=6)
    assert finder.find(pixels) == finder.find(pixels)
