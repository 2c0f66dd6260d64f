from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data import Dataset, prepare
from facesmith.data.audit import skin
from facesmith.data.portraits import portraits
from facesmith.data.portraits.painting import SKIN_TONES


def by_hand(red: int, green: int, blue: int) -> tuple[float, float, float]:
    """CIELAB from the chromaticities of sRGB's primaries and of D65, without the rounded matrix."""
    primaries = np.array([[0.64, 0.33, 0.03], [0.30, 0.60, 0.10], [0.15, 0.06, 0.79]]).T
    white = np.array([0.3127, 0.3290, 0.3583]) / 0.3290
    to_xyz = primaries * np.linalg.solve(primaries, white)
    linear = []
    for value in (red / 255, green / 255, blue / 255):
        linear.append(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
    f = []
    for t in to_xyz @ linear / white:
        f.append(t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize(
    ("colour", "expected"),
    [  # as published by B. Lindbloom for sRGB and D65
        ((255, 0, 0), (53.2408, 80.0925, 67.2032)),
        ((0, 255, 0), (87.7347, -86.1827, 83.1793)),
        ((0, 0, 255), (32.2970, 79.1875, -107.8602)),
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_cielab_has_the_published_values(
    colour: tuple[int, int, int], expected: tuple[float, float, float]
) -> None:
    np.testing.assert_allclose(skin.lab(np.array(colour, np.uint8)), expected, atol=0.002)


def test_cielab_equals_an_independent_computation() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (200, 3), dtype=np.uint8)
    expected = [by_hand(*colour) for colour in colours.tolist()]
    np.testing.assert_allclose(skin.lab(colours), expected, atol=0.03)


def test_the_typology_angle_and_its_classes() -> None:
    colours = np.array([[70.0, 9, 20], [50, 9, 20], [30, 9, 20], [np.nan] * 3])
    degrees = skin.angles(colours)
    np.testing.assert_allclose(degrees, [45, 0, -45, np.nan])
    assert skin.tones(degrees).tolist() == [1, 4, 5, -1]
    edges = np.array([55.01, 55, 41.01, 41, 28.01, 28, 10.01, 10, -29.99, -30])
    assert skin.tones(edges).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_each_monk_tone_is_nearest_to_itself() -> None:
    orbs = np.array([list(bytes.fromhex(code)) for code in skin.MONK], np.uint8)
    assert skin.nearest_monk(skin.lab(orbs)).tolist() == list(range(10))
    assert skin.nearest_monk(np.full((1, 3), np.nan)).tolist() == [-1]


def face(colour: tuple[int, int, int], around: tuple[int, int, int]) -> NDArray[np.uint8]:
    image = np.empty((1, 64, 64, 3), np.uint8)
    image[:] = around
    image[:, 16:52, 14:50] = colour
    return image


@pytest.mark.parametrize("code", skin.MONK[4:8])
def test_the_colour_of_the_middle_is_found(code: str) -> None:
    red, green, blue = bytes.fromhex(code)
    image = face((red, green, blue), (90, 140, 220))
    expected = skin.lab(np.array([[red, green, blue]], np.uint8))
    np.testing.assert_allclose(skin.skin_colours(image), expected, atol=1e-4)
    # Brows, nostrils and glints are fewer than the skin, and do not count.
    image[:, 26:29, 20:44] = 12
    image[:, 34:36, 30:34] = (255, 244, 236)
    np.testing.assert_allclose(skin.skin_colours(image), expected, atol=1e-4)


def test_what_is_no_skin_is_not_measured() -> None:
    skin_around_blue = face((60, 90, 200), (200, 150, 120))
    grey = face((150, 150, 150), (20, 20, 20))
    assert np.isnan(skin.skin_colours(np.concatenate([skin_around_blue, grey]))).all()
    assert np.isnan(skin.skin_colours(grey[..., :1])).all()


def test_the_skin_of_portraits_is_measured_as_it_was_painted() -> None:
    images, attributes = portraits(np.arange(400), 32)
    place = attributes["skin_tone"] * 9
    lower = np.minimum(place.astype(int), 8)
    share = (place - lower)[:, None]
    palette = 255 * SKIN_TONES.reshape(10, 3)
    painted = skin.angles(skin.lab(palette[lower] * (1 - share) + palette[lower + 1] * share))
    measured = skin.angles(skin.skin_colours(images))
    assert np.isfinite(measured).all()
    assert 0.95 < np.corrcoef(painted, measured)[0, 1] <= 1
    # Light, shade and blush shift it, but by less than a class or two.
    assert -25 < (measured - painted).mean() < 5
    shuffled = np.random.default_rng(0).permutation(painted)
    assert abs(np.corrcoef(shuffled, measured)[0, 1]) < 0.2


def test_groups_of_people_in_photographs_are_ordered(shared_data: Path, tmp_path: Path) -> None:
    prepare(shared_data / "utkface_1500.zip", tmp_path / "faces", resolution=64, workers=1)
    dataset = Dataset.open(tmp_path / "faces")
    # [age]_[gender]_[race]_[date]: 0 White, 1 Black, 2 Asian, 3 Indian, 4 others
    race = np.array([name.rpartition("/")[2].split("_")[2] for name in dataset.names])
    degrees = skin.angles(skin.skin_colours(dataset.images))
    assert np.isfinite(degrees).mean() > 0.95
    medians = [np.nanmedian(degrees[race == group]) for group in "130"]
    assert medians == sorted(medians)
    assert medians[2] - medians[0] > 20
    black, white = (degrees[(race == group) & np.isfinite(degrees)] for group in "10")
    area = (white[:, None] > black).mean()  # under the curve that tells the two apart
    assert 0.72 < area < 0.90
