from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facesmith.data.portraits import portraits
from facesmith.data.quality.measures import MEASURES, measure

Pixels = NDArray[np.uint8]


def noise(*shape: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def resized(images: Pixels, side: int) -> Pixels:
    return np.stack(
        [
            np.asarray(Image.fromarray(i).resize((side, side), Image.Resampling.LANCZOS))
            for i in images
        ]
    )


def blurred(images: Pixels, radius: float) -> Pixels:
    blur = ImageFilter.GaussianBlur(radius)
    return np.stack([np.asarray(Image.fromarray(image).filter(blur)) for image in images])


@pytest.mark.parametrize("shape", [(5, 12, 16, 3), (5, 9, 7, 3), (5, 28, 28, 1), (5, 4, 4, 3)])
def test_all_numbers_against_plain_loops(shape: tuple[int, ...]) -> None:
    images = noise(*shape)
    images[0, :2] = 255
    images[1, 0] = 0
    found = measure(images)
    assert tuple(found) == MEASURES
    for place, image in enumerate(images.astype(np.float64)):
        red, green, blue = (image[..., channel % shape[3]] for channel in range(3))
        grey = 0.299 * red + 0.587 * green + 0.114 * blue
        colour = image.max(2) - image.min(2)
        clipped = np.mean((grey < 0.01) | (grey > 254.99))
        expected = (grey.mean() / 255, grey.std() / 255, detail(grey), colour.mean() / 255, clipped)
        for name, number in zip(MEASURES, expected, strict=True):
            assert found[name].dtype == np.float32
            assert found[name][place] == pytest.approx(number, rel=1e-4, abs=1e-6), name


def detail(grey: NDArray[np.float64]) -> float:
    """What halving loses, over what halving the half loses, by interpolation at the pixels' middles."""
    half = halved(grey)
    return lost(grey, half) / lost(half, halved(half))


def halved(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = (side // 2 * 2 for side in grey.shape)
    tiles = grey[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
    return np.asarray(tiles.mean((1, 3)))


def lost(grey: NDArray[np.float64], half: NDArray[np.float64]) -> float:
    def doubled(line: NDArray[np.float64]) -> NDArray[np.float64]:
        places = (np.arange(2 * len(line)) + 0.5) / 2 - 0.5
        return np.interp(places, np.arange(len(line)), line)

    wide = np.apply_along_axis(doubled, 1, np.apply_along_axis(doubled, 0, half))
    return float(np.std(grey[: wide.shape[0], : wide.shape[1]] - wide))


@pytest.mark.parametrize("side", [32, 64, 128])
def test_one_bound_tells_blur_at_any_resolution(side: int, scenes: Pixels) -> None:
    sharp = resized(scenes[:30], side)
    detail_of = lambda images: measure(images)["detail"]  # noqa: E731
    assert detail_of(sharp).min() > 0.55
    assert detail_of(portraits(range(30), side)[0]).min() > 0.55
    assert detail_of(blurred(sharp, 1.5)).max() < 0.45
    assert detail_of(resized(resized(sharp, side // 3), side)).max() < 0.45


def test_a_blur_that_vanishes_when_the_photo_is_made_small_does_not_count(scenes: Pixels) -> None:
    photos = scenes[:20]
    here, there = blurred(photos, 1.2), resized(blurred(photos, 1.2), 40)
    assert measure(here)["detail"].max() < 0.45
    assert measure(there)["detail"].min() > 0.55


def test_detail_is_neither_contrast_nor_brightness(scenes: Pixels) -> None:
    sharp = resized(scenes[:20], 64)
    faint = np.rint(sharp * 0.4 + 90).astype(np.uint8)
    before, after = measure(sharp), measure(faint)
    np.testing.assert_allclose(after["detail"], before["detail"], rtol=0.03)
    np.testing.assert_allclose(after["contrast"], before["contrast"] * 0.4, rtol=0.03)


def test_images_without_anything_have_numbers() -> None:
    black, white = np.zeros((1, 16, 16, 3), np.uint8), np.full((1, 16, 16, 3), 255, np.uint8)
    found = measure(np.concatenate([black, white]))
    assert found["brightness"].tolist() == pytest.approx([0, 1])
    assert found["clipped"].tolist() == [1, 1]
    for name in ("contrast", "detail", "colour"):
        assert found[name].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_an_image_measures_the_same_alone_and_among_others() -> None:
    images = noise(7, 20, 20, 3)
    together = measure(images)
    for place in range(7):
        alone = measure(images[place : place + 1])
        for name in MEASURES:
            assert alone[name][0] == pytest.approx(together[name][place], rel=1e-5)
