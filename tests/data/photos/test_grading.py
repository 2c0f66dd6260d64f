from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facesmith.data.photos.detection import Face
from facesmith.data.photos.grading import grade
from facesmith.data.portraits import portraits

Pixels = NDArray[np.uint8]
SITTERS = range(12)


def head(yaw: float = 0.0, score: float = 1.0) -> Face:
    aside = 50 * 0.5 * math.tan(math.radians(yaw))
    return Face((0, 0, 100, 100), score, ((25, 40), (75, 40)), (50 + aside, 60))


@pytest.fixture(scope="module")
def sitters() -> Pixels:
    return portraits(list(SITTERS), 128)[0]


def mean_grade(images: Pixels, face: Face | None = None, side: float = 128) -> float:
    return float(np.mean([grade(face or head(), side, image) for image in images]))


def test_clear_portraits_are_useful(sitters: Pixels) -> None:
    assert mean_grade(sitters) > 0.9


def test_blur_lowers_the_grade_the_more_of_it(sitters: Pixels) -> None:
    def blurred(radius: float) -> Pixels:
        soft = ImageFilter.GaussianBlur(radius)
        return np.stack([np.asarray(Image.fromarray(image).filter(soft)) for image in sitters])

    grades = [mean_grade(sitters), mean_grade(blurred(1)), mean_grade(blurred(3))]
    assert grades == sorted(grades, reverse=True)
    assert grades[2] < grades[0] - 0.05


def test_darkness_and_glare_lower_it(sitters: Pixels) -> None:
    assert mean_grade(sitters // 5) < mean_grade(sitters // 2) < mean_grade(sitters)
    glare = np.clip(sitters.astype(int) * 2 + 60, 0, 255).astype(np.uint8)
    assert mean_grade(glare) < mean_grade(sitters)
    assert grade(head(), 128, np.zeros((32, 32, 3), np.uint8)) == 0


def test_light_counts_as_the_formula_says() -> None:
    # Waves of four sizes: detail is the same whatever the contrast.
    y, x = np.mgrid[0:128, 0:128]
    waves = sum(np.sin(x / period) + np.cos(y / period) for period in (0.7, 1.5, 3, 6))

    def picture(contrast: float) -> Pixels:
        grey = np.clip(128 + contrast * waves, 0, 255).round().astype(np.uint8)
        return grey[..., None].repeat(3, 2)

    def spread(image: Pixels) -> float:
        return float(np.diff(np.percentile(image[..., 0], (5, 95)))[0])

    faint, fair, harsh = picture(3), picture(9), picture(60)
    assert spread(fair) < 110 < spread(harsh)
    ratio = grade(head(), 128, faint) / grade(head(), 128, fair)
    assert ratio == pytest.approx((spread(faint) / spread(fair)) ** 0.2, rel=0.01)
    clipped = ((harsh[..., 0] == 0) | (harsh[..., 0] == 255)).mean()
    assert clipped > 0.1
    usual = grade(head(), 128, picture(25))  # full light, nothing clipped
    assert grade(head(), 128, harsh) == pytest.approx(usual * (1 - clipped) ** 0.2, rel=0.01)


def test_smallness_profile_and_doubt_lower_it_as_the_formula_says(sitters: Pixels) -> None:
    one = sitters[:1]
    usual = mean_grade(one)
    assert mean_grade(one, side=32) == pytest.approx(usual * 0.25**0.2)
    assert mean_grade(one, side=999) == usual
    assert mean_grade(one, head(60)) == pytest.approx(usual * 0.5**0.2)
    assert mean_grade(one, head(-60)) == pytest.approx(usual * 0.5**0.2)
    assert mean_grade(one, head(score=0.5)) == pytest.approx(usual * 0.5**0.2)
    assert mean_grade(one, Face((0, 0, 9, 9), 1.0)) == usual  # a yaw that is not known


def test_it_does_not_prefer_a_skin(sitters: Pixels) -> None:
    from facesmith.data.portraits import draw_attributes, render

    attributes = draw_attributes(list(SITTERS))
    light, dark = (
        render({**attributes, "skin_tone": np.full(len(SITTERS), tone)}, 128)
        for tone in (0.05, 0.95)
    )
    assert mean_grade(light) == pytest.approx(mean_grade(dark), abs=0.03)


def test_grey_images_are_graded_alike(sitters: Pixels) -> None:
    grey = np.stack(
        [np.asarray(Image.fromarray(image).convert("L"))[..., None] for image in sitters]
    )
    assert mean_grade(grey) == pytest.approx(mean_grade(sitters), abs=0.01)
