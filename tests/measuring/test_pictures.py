"""Statistics of pictures, against plain computations of the same, with planted patterns."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.portraits import portraits
from facesmith.measuring import pictures

Pictures = NDArray[np.float32]


def faces(size: int, count: int = 12) -> Pictures:
    return (portraits(range(count), size)[0] / 255).astype(np.float32)


def noise(*shape: int, seed: int = 0) -> Pictures:
    return np.random.default_rng(seed).uniform(0.2, 0.8, shape).astype(np.float32)


def test_plain_statistics_are_those_of_numpy() -> None:
    images = noise(5, 16, 16, 3)
    images[0], images[1, 0, 0, 0], images[1, 0, 0, 1] = 0.5, -0.2, 1.0
    found = pictures.describe(images)
    assert found["mean"] == pytest.approx(images.astype(float).mean(), rel=1e-5)
    assert found["std"] == pytest.approx(images.astype(float).std(), rel=1e-5)
    assert (found["low"], found["high"]) == (pytest.approx(-0.2), 1.0)
    assert found["outside"] == pytest.approx(1 / images.size)
    assert found["saturated"] == pytest.approx(2 / images.size)
    assert found["flat"] == found["grey"] == 0.2
    assert found["red"] == pytest.approx(images[:, 4:12, 4:12, 0].mean(), rel=1e-5)
    assert found["chroma"] == pytest.approx(
        np.abs(images - images.mean(axis=3, keepdims=True)).mean(), rel=1e-5
    )
    spreads = images.reshape(-1, 3).std(axis=0)
    assert found["channel_spread"] == pytest.approx(spreads.max(), rel=1e-5)


def test_colours_count_only_where_there_are_any() -> None:
    warm = np.full((4, 16, 16, 3), (0.7, 0.5, 0.4), np.float32)
    warm[3] = warm[3, ..., ::-1]  # channels swapped
    assert pictures.describe(warm)["cold"] == 0.25
    assert "cold" not in pictures.describe(noise(4, 16, 16, 1))


@pytest.mark.parametrize("size", [16, 32, 64])
def test_fine_detail_is_the_share_of_a_full_spectrum(size: int) -> None:
    images = faces(size)
    luma = images.mean(axis=3, dtype=float)
    luma -= luma.mean(axis=(1, 2), keepdims=True)
    window = np.hanning(size + 2)[1:-1]
    power = (np.abs(np.fft.fft2(luma * window[:, None] * window)) ** 2).mean(axis=0)
    power[0, 0] = 0
    frequencies = np.abs(np.fft.fftfreq(size))
    upper = np.maximum(frequencies[:, None], frequencies) > 0.25
    found = pictures.high_frequency(pictures.spectrum(images))
    assert found == pytest.approx(power[upper].sum() / power.sum(), rel=1e-9)


def test_fine_detail_of_noise_and_of_nothing() -> None:
    # Frequencies up to half of the highest in both directions are a quarter of all.
    white = pictures.high_frequency(pictures.spectrum(noise(64, 32, 32, 1)))
    assert white == pytest.approx(0.75, abs=0.04)
    assert pictures.high_frequency(pictures.spectrum(np.full((2, 16, 16, 1), 0.3, np.float32))) == 0


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("period", [2, 4])
def test_a_grid_is_found_and_faces_have_none(size: int, period: int) -> None:
    images = faces(size)
    smooth = pictures.grid(pictures.spectrum(images))
    assert smooth < 0.8
    rows, columns = np.indices((size, size)) % period == 0
    for pattern in (rows & columns, rows, columns):  # dots and stripes
        planted = images + 0.2 * pattern[None, :, :, None].astype(np.float32)
        assert pictures.grid(pictures.spectrum(planted)) > smooth + 1


@pytest.mark.parametrize("size", [28, 32, 64])
def test_shrinking_is_averaging(size: int) -> None:
    images = noise(3, size, size, 2)
    edges = [size * cell // 8 for cell in range(9)]
    found = pictures.shrink(images, 8)
    for row in range(8):
        for column in range(8):
            part = images[:, edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
            assert found[:, row, column] == pytest.approx(part.mean(axis=(1, 2)), abs=1e-6)


def test_distances_are_those_of_loops() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(6, 10)), generator.normal(size=(4, 10))
    expected = [[np.sqrt(((a - b) ** 2).mean()) for b in second] for a in first]
    assert pictures.distances(first, second) == pytest.approx(np.array(expected), abs=1e-12)
    own = pictures.distances(first, first)
    assert np.diag(own) == pytest.approx(np.zeros(6), abs=1e-6)
    listed = [own[i, j] for i in range(6) for j in range(i + 1, 6)]
    assert sorted(pictures.pairs(own)) == sorted(listed)
    near = [min(own[i, j] for j in range(6) if j != i) for i in range(6)]
    assert pictures.nearest(own) == pytest.approx(near)


@pytest.mark.parametrize(
    ("variances", "expected"),
    [((1.0,) * 4, 4.0), ((1.0, 0.0, 0.0, 0.0), 1.0), ((4.0, 2.0, 1.0, 1.0), 64 / 22)],
)
def test_directions_are_counted_by_the_covariance(
    variances: tuple[float, ...], expected: float
) -> None:
    rows = np.random.default_rng(0).normal(size=(800, 4)) * np.sqrt(variances)
    # The participation ratio: the square of the sum of variances by the sum of their squares.
    values = np.linalg.eigvalsh(np.cov(rows.T))
    assert pictures.dimension(rows) == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert pictures.dimension(rows) == pytest.approx(expected, rel=0.1)
    assert pictures.dimension(np.ones((5, 3))) == 1


def test_features_notice_composition_colour_and_edges_but_not_a_pixel() -> None:
    images = faces(32)
    own = pictures.features(images)
    assert own.shape == (12, 8 * 8 * 3 + 4 * 4 * 4)

    def moved(other: Pictures) -> float:
        return float(np.sqrt(((pictures.features(other) - own) ** 2).mean()))

    turned, tinted = images[:, :, ::-1], images * np.array([1, 0.8, 0.8], np.float32)
    sharpened = images.copy()
    sharpened[:, ::2, ::2] = np.clip(sharpened[:, ::2, ::2] + 0.2, 0, 1)
    speck = images.copy()
    speck[:, 7, 9] = 1 - speck[:, 7, 9]
    changes = [moved(np.ascontiguousarray(other)) for other in (turned, tinted, sharpened)]
    assert min(changes) > 5 * moved(speck)


def test_each_picture_is_described_by_itself() -> None:
    images = faces(32)
    images[3, 16:] = images[3, 15]  # cut off: rows repeat, and do not vary in themselves
    images[3, 16:] = 0.5
    images[5] = noise(32, 32, 3)
    images[7] = [np.roll(row, 5 * place, axis=0) for place, row in enumerate(images[7])]
    found = pictures.describe_each(images)
    fine, bare, contrast, rows = found.T
    assert bare[3] == 0.5
    assert np.delete(bare, 3).max() < 0.2
    assert fine[5] > 1.5 * np.delete(fine, 5).max()
    assert rows[7] > 1.0 > np.delete(rows, 7).max()  # bytes are lost: rows do not fit each other
    luma = images.mean(axis=3, dtype=float)
    assert contrast == pytest.approx(np.log(luma.std(axis=(1, 2)) + 0.01), abs=1e-4)


def test_one_even_colour_is_flat_whatever_colour() -> None:
    images = faces(16)
    images[1] = 0.3
    images[2] = (0.9, 0.2, 0.4)
    flat = pictures.is_flat(images)
    assert flat[1] and flat[2] and flat.sum() == 2
    assert pictures.describe(images)["flat"] == pytest.approx(2 / len(images))
