from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.photos.alignment import Square, place
from facesmith.data.photos.detection import Face

Points = NDArray[np.float64]

FRONTAL = np.array([[69.5, 91.5], [108.5, 91.5], [89, 114], [73.5, 131.67], [104.5, 131.67]])
"""Landmarks in the middle square of an aligned CelebA photo."""


def face(points: Points, *, mouth: bool = True) -> Face:
    left, right, nose, a, b = ((x, y) for x, y in points.tolist())
    low, high = points.min(0), points.max(0)
    box = (*low.tolist(), *high.tolist())
    return Face(box, 0.9, (left, right), nose, (a, b) if mouth else None)


def moved(points: Points, degrees: float, scale: float, shift: tuple[float, float]) -> Points:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ turn.T * scale + shift)


def in_image(square: Square, points: Points, resolution: int) -> Points:
    """Find where places of the photo are in an image of the square."""
    matrix = square.matrix(resolution)
    return np.asarray(np.linalg.solve(matrix[:, :2], (points - matrix[:, 2]).T).T)


# ---- squares


def test_a_square_maps_its_image_to_the_photo() -> None:
    square = Square(100, 50, 40, 90)  # its upper edge runs downwards, at its right
    corners = square.matrix(8) @ np.array([[0, 8, 0, 4], [0, 0, 8, 4], [1, 1, 1, 1]])
    np.testing.assert_allclose(corners.T, [[120, 30], [120, 70], [80, 30], [100, 50]], atol=1e-9)


@pytest.mark.parametrize(
    ("square", "share"),
    [
        (Square(50, 50, 60), 0.0),
        (Square(0, 50, 60), 0.5),
        (Square(100, 0, 60), 0.75),
        (Square(50, 50, 200), 0.75),
        (Square(50, 50, 100, 45), 0.1716),  # four corners of (sqrt(1/2) - 1/2)^2 each
        (Square(-99, 50, 60), 1.0),
    ],
)
def test_how_much_lies_outside(square: Square, share: float) -> None:
    assert square.outside(100, 100) == pytest.approx(share, abs=0.012)


def test_how_far_each_pixel_lies_outside() -> None:
    beyond = Square(0, 50, 40).beyond(100, 100, 4)
    np.testing.assert_allclose(beyond, np.tile([15 / 40, 5 / 40, 0, 0], (4, 1)))
    np.testing.assert_array_equal(Square(50, 50, 40, 30).beyond(100, 100, 4), 0)


# ---- presets


@pytest.mark.parametrize("degrees", [-35.0, 0.0, 20.0])
@pytest.mark.parametrize("scale", [0.4, 7.0])
def test_celeba_puts_eyes_where_aligned_celeba_has_them(degrees: float, scale: float) -> None:
    points = moved(FRONTAL, degrees, scale, (300, 200))
    square = place(face(points), "celeba")
    np.testing.assert_allclose(in_image(square, points[:2], 178), FRONTAL[:2], atol=0.1)
    assert square.roll == pytest.approx(degrees)


def test_celeba_does_not_enlarge_a_head_that_turns_away() -> None:
    turned = FRONTAL.copy()
    turned[:2, 0] = 89 + (turned[:2, 0] - 89) * 0.7
    turned[3:, 1] = 91.5 + 1.3 * 39 * 1.03
    assert place(face(turned), "celeba").side == pytest.approx(178, rel=0.02)


def test_without_a_mouth_the_eyes_decide() -> None:
    for preset in ("ffhq", "celeba"):
        with_mouth = place(face(FRONTAL), preset)
        without = place(face(FRONTAL, mouth=False), preset)
        assert without.side == pytest.approx(with_mouth.side, rel=0.01)
        assert (without.x, without.y) == pytest.approx((with_mouth.x, with_mouth.y), abs=0.5)
        assert without.roll == with_mouth.roll == 0


@pytest.mark.parametrize("seed", range(5))
def test_ffhq_is_the_published_quadrangle(seed: int) -> None:
    points = moved(FRONTAL, 20, 3, (90, 70)) + np.random.default_rng(seed).normal(0, 8, (5, 2))
    # The paper's rule, corner by corner, in complex numbers: i turns right to down.
    left, right, _, a, b = points @ [1, 1j]
    eyes, mouth = (left + right) / 2, (a + b) / 2
    x = (right - left) - 1j * (mouth - eyes)
    x *= max(4.0 * abs(right - left), 3.6 * abs(mouth - eyes)) / 2 / abs(x)
    middle = eyes + 0.1 * (mouth - eyes)
    wanted = [middle - x - 1j * x, middle + x - 1j * x, middle + x + 1j * x, middle - x + 1j * x]

    corners = place(face(points), "ffhq").matrix(1) @ [[0, 1, 1, 0], [0, 0, 1, 1], [1] * 4]
    np.testing.assert_allclose(corners[0] + 1j * corners[1], wanted)


def test_the_margin_widens_the_square_about_its_middle() -> None:
    for preset in ("ffhq", "celeba"):
        usual, wide = place(face(FRONTAL), preset), place(face(FRONTAL), preset, 1.5)
        assert wide == Square(usual.x, usual.y, usual.side * 1.5, usual.roll)


def test_eyes_that_nobody_found_are_guessed_level_in_the_upper_half() -> None:
    square = place(Face((100, 200, 200, 300), 0.6), "celeba")
    assert (square.x, square.roll) == (150, 0)
    assert square.side == pytest.approx(0.38 * 100 * 178 / 39)
    eyes = in_image(square, np.array([[131.0, 238.5], [169.0, 238.5]]), 178)
    np.testing.assert_allclose(eyes, FRONTAL[:2], atol=0.2)


@pytest.mark.parametrize("preset", ["ffhq", "celeba"])
def test_landmarks_that_coincide_make_a_square_all_the_same(preset: str) -> None:
    square = place(face(np.full((5, 2), 30.0)), preset)  # type: ignore[arg-type]
    assert square.side == 1
    assert np.isfinite(square.matrix(8)).all()
