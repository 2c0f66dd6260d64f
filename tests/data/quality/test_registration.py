from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facesmith.data.quality.registration import differences
from facesmith.data.quality.signatures import sign, thumbnails

Pixels = NDArray[np.uint8]


def small(images: Pixels) -> Pixels:
    return thumbnails(sign(images))


def seen(
    images: Pixels, *, left: float = 0, top: float = 0, zoom: float = 1, turn: float = 0
) -> Pixels:
    """What a camera sees that moved by parts of the side, came nearer, and turned by degrees."""
    side = images.shape[1]
    angle, middle = np.deg2rad(turn), side / 2
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    matrix = (
        *(cos, sin, middle - (cos + sin) * middle + left * side),
        *(-sin, cos, middle - (cos - sin) * middle + top * side),
    )
    return np.stack(
        [
            np.asarray(
                Image.fromarray(image).transform(
                    (side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
                )
            )
            for image in images
        ]
    )


def inner(images: Pixels) -> Pixels:
    """The middle, so that a moved camera sees no border."""
    return images[:, 16:-16, 16:-16]


@pytest.mark.parametrize(
    "move",
    [
        {},
        {"left": 0.03},
        {"top": -0.03},
        {"zoom": 1.06},
        {"zoom": 0.95},
        {"turn": 2.0},
        {"left": 0.02, "top": 0.02, "zoom": 1.05, "turn": -1.5},
    ],
    ids=str,
)
def test_a_small_move_is_found_and_taken_out(move: dict[str, float], scenes: Pixels) -> None:
    moved = small(inner(seen(scenes, **move)))
    original = small(inner(scenes))
    assert np.quantile(differences(original, moved), 0.95) < 0.04
    others = np.roll(moved, 1, axis=0)
    assert differences(original, others).min() > 0.2


def test_without_registration_a_move_would_look_like_another_picture(scenes: Pixels) -> None:
    one, other = small(inner(scenes)), small(inner(seen(scenes, left=0.03, top=0.03)))
    plain = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(one, other, strict=True)]
    assert np.median(differences(one, other)) < 0.1 * (1 - np.median(plain))


def test_brightness_and_contrast_do_not_matter_but_a_negative_does(scenes: Pixels) -> None:
    original = small(scenes)
    changed = small(np.rint(scenes * 0.5 + 40).astype(np.uint8))
    assert differences(original, changed).max() < 0.01
    assert differences(original, 255 - original).min() > 0.5


def test_a_large_move_is_no_copy(scenes: Pixels) -> None:
    far = small(inner(seen(scenes, left=0.2)))
    assert differences(small(inner(scenes)), far).min() > 0.1


def test_images_without_structure_have_a_difference(scenes: Pixels) -> None:
    flat = np.full((2, 16, 16), 7, np.uint8)
    assert differences(flat, flat).tolist() == [0, 0]
    assert differences(flat, small(scenes)[:2]).min() > 0.5


def test_no_pairs_have_no_differences() -> None:
    none = np.zeros((0, 16, 16), np.uint8)
    assert differences(none, none).shape == (0,)
