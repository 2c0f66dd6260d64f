"""Pictures with the spectrum of photographs: no two alike, and detail at every size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

SIDE = 160


@pytest.fixture(scope="session")
def scenes() -> NDArray[np.uint8]:
    """Array (80, 160, 160, 3); the amplitude of each frequency is one over it."""
    random = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    frequency[0, 0] = np.inf
    noise = np.fft.fft2(random.normal(size=(80, 3, SIDE, SIDE)))
    noise += noise.mean(1, keepdims=True) * 2  # channels have more in common than apart
    values = np.fft.ifft2(noise / frequency).real
    values -= values.mean((2, 3), keepdims=True)
    values *= 40 / values.std((1, 2, 3), keepdims=True)
    return np.rint((values + 128).clip(0, 255)).astype(np.uint8).transpose(0, 2, 3, 1).copy()
