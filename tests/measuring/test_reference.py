"""How unlike others are to real pictures: about 1 where they are of one law, large where not."""

from __future__ import annotations

import numpy as np
import pytest

from facesmith.measuring import pictures
from facesmith.measuring.reference import Reference

COUNT = 200


@pytest.fixture(scope="module")
def reals() -> pictures.Pictures:
    return blobs(COUNT, seed=0)


@pytest.fixture(scope="module")
def reference(reals: pictures.Pictures) -> Reference:
    return Reference.of(reals)


def blobs(count: int, seed: int, middle: float = 0.5, spread: float = 0.15) -> pictures.Pictures:
    """Pictures of one smooth law: a coarse random picture, enlarged."""
    coarse = np.random.default_rng(seed).normal(middle, spread, (count, 8, 8, 3))
    return coarse.repeat(2, axis=1).repeat(2, axis=2).clip(0, 1).astype(np.float32)


def test_distances_are_means_over_pairs(reals: pictures.Pictures, reference: Reference) -> None:
    some = [np.sqrt(((reals[i] - reals[j]) ** 2).mean()) for i in range(COUNT) for j in range(i)]
    assert reference.distance == pytest.approx(np.mean(some), rel=1e-4)
    assert reference.count == COUNT
    assert reference.measured == pictures.describe(reals)


def test_two_in_a_hundred_real_pictures_have_a_twin(reference: Reference) -> None:
    shares = [
        (pictures.nearest(pictures.distances(rows, rows)) < reference.twin).mean()
        for rows in (pictures.features(blobs(48, seed)) for seed in range(1, 21))
    ]
    assert 0.002 < np.mean(shares) < 0.06


@pytest.mark.parametrize("size", [16, 64])
def test_a_batch_of_the_same_law_has_a_shift_of_one(reference: Reference, size: int) -> None:
    same = [reference.shift(pictures.features(blobs(size, seed))) for seed in range(1, 13)]
    # The reference's mean has an error itself.
    assert np.mean(same) == pytest.approx(np.sqrt(1 + size / COUNT), rel=0.1)
    assert reference.shift(pictures.features(blobs(size, 1, middle=0.6))) > 2


def test_many_batches_of_the_same_law_have_no_bias(reference: Reference) -> None:
    mean, spread = np.mean(
        [reference.bias(pictures.features(blobs(400, seed))) for seed in range(1, 7)], axis=0
    )
    assert mean == pytest.approx(1, abs=0.15)
    assert spread == pytest.approx(1, abs=0.25)


def test_a_bias_of_the_mean_is_told_from_one_of_the_spread(reference: Reference) -> None:
    shifted = reference.bias(pictures.features(blobs(400, 1, middle=0.55)))
    assert shifted[0] > 3
    assert shifted[1] < 2
    _, narrow = reference.bias(pictures.features(blobs(400, 1, spread=0.1)))
    assert narrow > 3


def test_odd_pictures_are_those_that_differ_in_kind(reference: Reference) -> None:
    some = blobs(40, seed=3)
    assert reference.odd(pictures.describe_each(some)) == 0
    some[:4] = np.random.default_rng(0).uniform(0, 1, (4, 16, 16, 3))  # snow
    some[4:8, 4:] = 0.5  # cut off
    some[8:12] = 0.5  # empty
    assert reference.odd(pictures.describe_each(some)) == pytest.approx(0.3)
