"""Distances of sets of pictures: zero for equal sets, and what closed forms say for simple ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from facesmith.evaluation.distances import (
    between_slices,
    radial,
    slice_pictures,
    sliced_wasserstein,
    spectrum_distance,
)

Pictures = NDArray[np.float32]


def gaussian(count: int, seed: int, *, mean: float = 0.0, spread: float = 0.1) -> Pictures:
    """Pictures of 8 pixels, the coarsest scale, all values independent."""
    drawn = np.random.default_rng(seed).normal(mean, spread, (count, 8, 8, 1))
    return drawn.astype(np.float32)


def test_equal_sets_have_no_distance_in_any_order() -> None:
    images = gaussian(50, 0)
    shuffled = images[np.random.default_rng(1).permutation(50)]
    assert sliced_wasserstein(images, shuffled) == pytest.approx(0, abs=1e-4)


def test_it_is_symmetric_and_repeatable_and_follows_its_seed() -> None:
    first, second = gaussian(40, 0), gaussian(60, 1, mean=0.1)
    distance = sliced_wasserstein(first, second)
    assert sliced_wasserstein(second, first) == distance
    assert sliced_wasserstein(first, second) == distance
    assert sliced_wasserstein(first, second, seed=1) != distance


def test_another_spread_is_the_closed_form() -> None:
    # Each projection of the one set is N(0, 0.1), of the other N(0, 0.2); the area between the quantile
    # functions is 0.1 E|z|, here over the middle 99 %.
    places = np.linspace(0.005, 0.995, 100)
    expected = 100 * 0.1 * np.abs(norm.ppf(places)).mean()
    found = sliced_wasserstein(gaussian(2000, 0), gaussian(2000, 1, spread=0.2))
    assert found == pytest.approx(expected, rel=0.03)


def test_another_mean_is_the_closed_form() -> None:
    # A shift by d moves the projection on a unit vector a by d times the sum of a, which is close to N(0, 1).
    first = gaussian(4000, 0)
    found = sliced_wasserstein(first, first + np.float32(0.3), directions=2000)
    assert found == pytest.approx(100 * 0.3 * np.sqrt(2 / np.pi), rel=0.05)


def test_a_part_of_the_set_counts_by_its_share() -> None:
    first = gaussian(1000, 0)
    whole = sliced_wasserstein(first, first + np.float32(5))
    partly = first.copy()
    partly[:300] += 5
    assert sliced_wasserstein(first, partly) == pytest.approx(0.3 * whole, rel=0.05)


def test_each_scale_sees_its_own_detail() -> None:
    generator = np.random.default_rng(0)
    smooth = generator.uniform(0.3, 0.7, (60, 8, 8, 3)).repeat(4, 1).repeat(4, 2).astype(np.float32)
    checks = (np.indices((32, 32)).sum(axis=0) % 2 - 0.5)[None, :, :, None].astype(np.float32)
    laws = [slice_pictures(images) for images in (smooth, smooth + 0.2 * checks)]
    texture, parts, composition = (
        between_slices(one[None], other[None]) for one, other in zip(*laws, strict=True)
    )
    assert texture > 1
    assert max(parts, composition) < 1e-3
    brighter = slice_pictures(smooth + np.float32(0.2))
    by_scale = np.abs(laws[0] - brighter).mean(axis=(1, 2))
    assert by_scale[2] > 100 * max(by_scale[0], by_scale[1])


def test_finite_sets_of_one_law_are_near_and_nearer_the_larger() -> None:
    floors = [
        sliced_wasserstein(gaussian(count, 0), gaussian(count, 1)) for count in (50, 500, 5000)
    ]
    # Like the error of a mean: with the root of the count.
    assert floors[0] / floors[1] == pytest.approx(np.sqrt(10), rel=0.35)
    assert floors[1] / floors[2] == pytest.approx(np.sqrt(10), rel=0.35)


def test_any_size_and_one_picture_alone_are_compared() -> None:
    images = np.random.default_rng(0).uniform(0, 1, (5, 28, 28, 3)).astype(np.float32)
    assert sliced_wasserstein(images, images) == 0
    assert sliced_wasserstein(images[:1], images) > 0


def test_rings_are_means_over_frequencies_of_one_length() -> None:
    power = np.random.default_rng(0).uniform(1, 2, (16, 9))
    expected = []
    for ring in range(1, 9):
        values = [
            power[row, column]
            for row in range(16)
            for column in range(9)
            if round(np.hypot(row if row < 8 else row - 16, column)) == ring
        ]
        expected.append(np.mean(values))
    assert radial(power) == pytest.approx(expected)


def test_spectra_are_compared_in_decibels() -> None:
    power = np.random.default_rng(0).uniform(1, 2, (32, 17))
    assert spectrum_distance(power, power) == 0
    assert spectrum_distance(2 * power, power) == pytest.approx(10 * np.log10(2))
    other = power * np.random.default_rng(1).uniform(0.5, 2, power.shape)
    assert spectrum_distance(power, other) == spectrum_distance(other, power) > 0
