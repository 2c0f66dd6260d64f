from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facesmith.data.photos.alignment import Square
from facesmith.data.photos.warping import warp

Pixels = NDArray[np.uint8]


def waves(side: int, period: float, seed: int = 0) -> Pixels:
    """Plane waves, which are known at every place."""
    y, x = np.mgrid[0:side, 0:side] + 0.5
    return _wave(x, y, period, seed)


def _wave(x: NDArray[np.float64], y: NDArray[np.float64], period: float, seed: int) -> Pixels:
    random = np.random.default_rng(seed)
    values = []
    for _ in range(3):
        angle, phase = random.uniform(0, 2 * np.pi, 2)
        along = x * np.cos(angle) + y * np.sin(angle)
        values.append(127.5 + 100 * np.sin(2 * np.pi * along / period + phase))
    return np.rint(np.stack(values, -1)).astype(np.uint8)


@pytest.mark.parametrize("roll", [0.0, 13.0, -100.0])
@pytest.mark.parametrize("side", [24.0, 64.0, 150.5, 400.0])
def test_each_pixel_comes_from_where_the_square_has_it(side: float, roll: float) -> None:
    period = max(24.0, side / 4)
    image = waves(640, period)
    square = Square(320.3, 318.9, side, roll)
    got = np.asarray(warp(Image.fromarray(image), square.matrix(64), 64)).astype(float)
    middles = np.stack([*np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), np.ones((64, 64))])
    x, y = np.tensordot(square.matrix(64), middles, 1)
    # Averaging lowers a wave of many pixels by less than this.
    assert np.abs(got - _wave(x, y, period, 0)).max() < 5


@pytest.mark.parametrize("roll", [0.0, 13.0])
def test_what_is_finer_than_a_pixel_vanishes(roll: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    square = Square(300, 300, 400, roll)  # 12.5 pixels for one
    got = np.asarray(warp(Image.fromarray(noise), square.matrix(32), 32)).astype(float)
    spread = noise.std() / 12.5
    assert 0.8 * spread < got.std() < 1.3 * spread
    stripes = np.zeros((600, 600, 3), np.uint8)
    stripes[:, ::2] = 255
    got = np.asarray(warp(Image.fromarray(stripes), square.matrix(32), 32)).astype(float)
    assert np.abs(got - 127.5).max() < 3


@pytest.mark.parametrize("resolution", [24, 64])
def test_it_is_close_to_a_warp_of_many_samples_a_pixel(resolution: int) -> None:
    import cv2

    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((500, 500), Image.Resampling.BICUBIC)
    square = Square(251, 247, 300, 17)
    dense = resolution * 12
    matrix = square.matrix(dense)
    matrix[:, 2] += (matrix[:, :2].sum(1) - 1) / 2
    samples = cv2.warpAffine(
        np.asarray(image), matrix, (dense, dense), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
    )
    wanted = Image.fromarray(samples).resize((resolution, resolution), Image.Resampling.LANCZOS)
    got = warp(image, square.matrix(resolution), resolution)
    assert np.abs(np.asarray(got).astype(float) - np.asarray(wanted)).mean() < 0.8


def test_beyond_the_edge_is_a_mirror() -> None:
    image = waves(100, 31)
    got = np.asarray(warp(Image.fromarray(image), Square(0, 50, 40).matrix(40), 40)).astype(float)
    np.testing.assert_allclose(got[:, :20], got[:, 20:][:, ::-1], atol=1)
    assert np.abs(got[:, 20:] - image[30:70, :20]).max() <= 1


def test_pixel_art_keeps_its_colours() -> None:
    blocks = np.random.default_rng(2).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    art = Image.fromarray(blocks.repeat(16, 0).repeat(16, 1))
    got = np.asarray(warp(art, Square(64, 64, 128).matrix(8), 8, nearest=True))
    np.testing.assert_array_equal(got, blocks)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_tiny_and_far_away_squares_do_no_harm(mode: str) -> None:
    image = Image.fromarray(waves(20, 9)).convert(mode)
    for square in (Square(-500, -500, 1), Square(10, 10, 1, 45), Square(10, 10, 5000, 10)):
        got = warp(image, square.matrix(16), 16)
        assert (got.size, got.mode) == ((16, 16), mode)
    assert math.isfinite(np.asarray(got).mean())
