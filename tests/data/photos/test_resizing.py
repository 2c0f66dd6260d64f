from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from facesmith.data.photos import resizing
from facesmith.data.photos.resizing import bands, resize

Picture = Callable[..., Image.Image]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "box", "resolution"),
    [
        ((178, 218), (0, 20, 178, 198), 64),
        ((178, 218), (3, 5, 80, 82), 64),
        ((100, 80), (10.5, 0, 90.5, 80), 33),
        ((20, 20), (0, 0, 20, 20), 64),  # enlarged
        ((64, 64), (0, 0, 64, 64), 64),
        ((90, 70), (20, 0, 90, 70), 8),  # by more than the products do
    ],
)
def test_it_is_pillows_filter(
    size: tuple[int, int], box: tuple[float, float, float, float], resolution: int, channels: int,
    picture: Picture,
) -> None:  # fmt: skip
    mode = "RGB" if channels == 3 else "L"
    image = picture(5, *size, mode=mode)
    ours = resize(image, box, resolution, channels, nearest=False).astype(int).squeeze()
    side = (resolution, resolution)
    theirs = image.resize(side, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    assert ours.shape == np.asarray(theirs).shape
    assert np.abs(ours - np.asarray(theirs)).max() <= 1  # Pillow rounds between the two directions


def test_noise_is_pillows_too_up_to_what_pillow_cuts_off_between_the_directions() -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(60, 196, (150, 150, 3), dtype=np.uint8))
    ours = resize(image, (0, 0, 150, 150), 64, 3, nearest=False).astype(int)
    theirs = np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS))
    assert np.abs(ours - theirs).max() <= 1


def test_the_filter_is_that_of_the_formula() -> None:
    size, low, high, count = 50, 3.5, 45.0, 11
    everything, found = bands(size, low, high, count)
    matrix = np.zeros((count, size))
    for results, span, part in found:
        matrix[results, everything.start + span.start : everything.start + span.stop] = part
    scale = (high - low) / count
    for row in range(count):
        middle = low + (row + 0.5) * scale
        weights = [lanczos((place + 0.5 - middle) / scale) for place in range(size)]
        np.testing.assert_allclose(matrix[row], np.array(weights) / sum(weights), atol=2e-3)
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)


def lanczos(x: float) -> float:
    if x == 0:
        return 1
    if abs(x) >= 3:
        return 0
    return 3 * math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x) ** 2


def test_overshoot_is_cut_off_and_not_wrapped() -> None:
    edges = np.zeros((64, 64, 3), np.uint8)
    edges[:, 20:] = 255
    values = resize(Image.fromarray(edges), (0, 0, 64, 64), 20, 3, nearest=False)
    assert values[:, :4].max() <= 20
    assert values[:, 9:].min() >= 230


def test_pixel_art_keeps_its_colours_and_large_photos_go_pillows_way(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = picture(3, 96, 96)
    monkeypatch.setattr(resizing, "bands", None)  # would fail if it were called
    nearest = resize(image, (0, 0, 96, 96), 24, 3, nearest=True)
    np.testing.assert_array_equal(nearest, np.asarray(image)[2::4, 2::4])
    large = resize(image, (0, 0, 96, 96), 8, 3, nearest=False)
    expected = image.resize((8, 8), Image.Resampling.LANCZOS, reducing_gap=3.0)
    np.testing.assert_array_equal(large, np.asarray(expected))
