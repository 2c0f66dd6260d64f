"""What is measured of training images as they are on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from facesmith.data.dataset import Dataset
from facesmith.data.portraits import portraits as draw
from facesmith.measuring.pictures import Pictures
from facesmith.recipe import Recipe
from facesmith.training import loop, observers, signals
from facesmith.training.preflight import Preflight
from facesmith.training.run import Run


@pytest.fixture
def photos() -> Pictures:
    pixels, _ = draw(range(12), 32)
    return (pixels / 255).astype(np.float32)


def test_a_photo_that_was_saved_again_is_a_copy(photos: Pictures) -> None:
    assert signals.of_pixels(photos)["copies"] == 0
    grain = np.random.default_rng(0).integers(-3, 4, photos.shape)
    again = (photos + grain / 255).clip(0, 1).astype(np.float32)
    both = np.concatenate([photos, again])
    assert signals.of_pixels(both)["copies"] == pytest.approx(12 / (24 * 23 / 2))


def test_even_pictures_are_flat_and_not_copies_of_each_other(photos: Pictures) -> None:
    photos[:6] = photos[:6, :1, :1]
    found = signals.of_pixels(photos)
    assert found["flat"] == 0.5 and found["copies"] == 0
    photos[:] = photos[:, :1, :1]
    assert signals.of_pixels(photos)["flat"] == 1


def test_torn_rows_and_noise_are_odd(photos: Pictures) -> None:
    many = np.concatenate([photos, *(photos * share for share in (0.8, 0.9))]).astype(np.float32)
    assert signals.of_pixels(many)["odd"] == 0
    torn = many.copy()
    for place, row in enumerate(torn[4]):
        torn[4, place] = np.roll(row, 7 * place, axis=0)
    torn[9] = np.random.default_rng(1).random(torn[9].shape)
    assert signals.of_pixels(torn)["odd"] == pytest.approx(2 / len(many))


def test_pixels_are_measured_before_they_are_mirrored(
    portraits: Dataset,
    tiny: Recipe,
    run_in: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of the copies of one photo are in a mirror for the networks; on disk all are the same."""
    one = np.array(portraits.images[:1])
    one[:, :, :8] //= 2  # no face is its own mirror image
    monkeypatch.setattr(signals, "some_of", lambda dataset, seed: one.repeat(32, axis=0))
    run = run_in("copies", 16)
    watching = [each for each in observers.standard() if not isinstance(each, Preflight)]
    loop.train(replace(tiny, flip=0.5), run, portraits, watching)
    facts = json.loads((run.folder / "run.json").read_text("utf-8"))["facts"]
    assert facts["data"]["pixels"]["copies"] == 1
