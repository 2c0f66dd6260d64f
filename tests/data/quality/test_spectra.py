from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

from facesmith.data.quality.spectra import cosines, resampling, transform


@pytest.mark.parametrize(("pixels", "frequencies"), [(16, 16), (64, 9), (7, 3), (1, 1)])
def test_the_transform_is_scipys(pixels: int, frequencies: int) -> None:
    values = np.random.default_rng(0).normal(size=(pixels, 5))
    expected = scipy.fft.dct(values, axis=0, norm="ortho")[:frequencies]
    np.testing.assert_allclose(transform(pixels, frequencies) @ values, expected, atol=1e-5)


def test_between_pixels_lies_what_the_cosines_say() -> None:
    places = np.array([[-0.5, 1.25], [3.0, 7.5]], np.float32)
    found = cosines(places, 4, 8)
    assert found.shape == (2, 2, 4)
    for frequency in range(4):
        gain = np.sqrt((1 if frequency == 0 else 2) / 8)
        expected = gain * np.cos(np.pi * frequency * (places + 0.5) / 8)
        np.testing.assert_allclose(found[..., frequency], expected, atol=1e-6)


def test_resizing_keeps_slow_waves_and_drops_fast_ones() -> None:
    def wave(frequency: int, pixels: int) -> np.ndarray:
        return np.cos(np.pi * frequency * (np.arange(pixels) + 0.5) / pixels)

    down = resampling(64, 16)
    for frequency in (0, 1, 9, 15):
        np.testing.assert_allclose(down @ wave(frequency, 64), wave(frequency, 16), atol=1e-5)
    for frequency in (16, 17, 31, 63):
        np.testing.assert_allclose(down @ wave(frequency, 64), 0, atol=1e-5)
    np.testing.assert_allclose(resampling(16, 64) @ wave(5, 16), wave(5, 64), atol=1e-5)
    np.testing.assert_allclose(down @ resampling(16, 64), np.eye(16), atol=1e-5)
