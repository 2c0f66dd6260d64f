from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facesmith.base.errors import DataError, UsageError
from facesmith.base.registry import from_dict, to_dict
from facesmith.data.scaling import PixelMap, Rescale, Scaling, Standardize

MEAN, STD = (0.51, 0.42, 0.38), (0.30, 0.22, 0.11)
SCALINGS = [Rescale(), Rescale(0.0, 1.0), Rescale(-3.0, 7.5), Standardize(), Standardize(0.0, 1.0)]


def every_value(channels: int = 3) -> torch.Tensor:
    """All 256 values in every channel, as (1, 16, 16, channels)."""
    return torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(-1, -1, -1, channels)


def by_hand(scaling: Scaling, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Standardise, then rescale, in plain numpy; NHWC."""
    values = pixels / 255.0
    bounds = np.array([np.zeros(3), np.ones(3)])
    if isinstance(scaling, Standardize):
        values, bounds = ((v - np.array(MEAN)) / np.array(STD) for v in (values, bounds))
    unit = (values - bounds.min()) / (bounds.max() - bounds.min())
    return np.asarray(scaling.low + unit * (scaling.high - scaling.low))


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_both_directions_against_plain_numpy(scaling: Scaling) -> None:
    pixels = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), dtype=np.uint8)
    )
    fitted = scaling.fit(MEAN, STD)
    values = fitted.to_network(pixels)
    assert values.dtype == torch.float32
    expected = by_hand(scaling, pixels.numpy())
    np.testing.assert_allclose(values.permute(0, 2, 3, 1).numpy(), expected, atol=2e-6)
    assert torch.equal(fitted.to_pixels(torch.from_numpy(expected).permute(0, 3, 1, 2)), pixels)


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_value_survives_the_round_trip(scaling: Scaling, channels: int) -> None:
    fitted = scaling.fit(MEAN[:channels], STD[:channels])
    pixels = every_value(channels)
    assert torch.equal(fitted.to_pixels(fitted.to_network(pixels)), pixels)


@pytest.mark.parametrize("scaling", SCALINGS, ids=str)
def test_possible_values_fill_the_generators_range_exactly(scaling: Scaling) -> None:
    fitted = scaling.fit(MEAN, STD)
    values = fitted.to_network(every_value())
    assert values.min().item() == pytest.approx(scaling.low, abs=2e-6)
    assert values.max().item() == pytest.approx(scaling.high, abs=2e-6)
    assert (fitted.low, fitted.high) == (scaling.low, scaling.high)


def test_standardised_channels_have_zero_mean_at_one_place_and_equal_spread() -> None:
    random = np.random.default_rng(1)
    raw = np.clip(random.normal(MEAN, STD, (4, 64, 64, 3)), 0, 1)
    pixels = np.rint(raw * 255).astype(np.uint8)
    flat = pixels.reshape(-1, 3) / 255
    fitted = Standardize().fit(flat.mean(0).tolist(), flat.std(0).tolist())
    values = fitted.to_network(torch.from_numpy(pixels))
    means, spreads = values.mean((0, 2, 3)), values.std((0, 2, 3))
    assert (means - means[0]).abs().max() < 1e-5
    assert (spreads / spreads[0] - 1).abs().max() < 1e-5
    plain = Rescale().fit(MEAN, STD).to_network(torch.from_numpy(pixels))
    assert (plain.mean((0, 2, 3)) - plain.mean()).abs().max() > 0.05


def test_rescale_does_not_look_at_the_statistics() -> None:
    assert Rescale().fit((0.5,), (0.0,)) == Rescale().fit((0.1,), (0.3,)) == PixelMap(
        gain=(2.0,), offset=(-1.0,), low=-1.0, high=1.0
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(2e-3, 0.5)), min_size=1, max_size=4),
    st.floats(-10, 10),
    st.floats(0.1, 20),
)
@settings(max_examples=60, deadline=None)
def test_any_statistics_round_trip_and_fill_the_range(
    statistics: list[tuple[float, float]], low: float, width: float
) -> None:
    mean, std = zip(*statistics, strict=True)
    fitted = Standardize(low, low + width).fit(mean, std)
    pixels = every_value(len(mean))
    values = fitted.to_network(pixels)
    assert torch.equal(fitted.to_pixels(values), pixels)
    assert values.min().item() == pytest.approx(low, abs=1e-4)
    assert values.max().item() == pytest.approx(low + width, abs=1e-4)


def test_values_outside_the_range_are_cut_and_low_precision_is_welcome() -> None:
    fitted = Rescale().fit(MEAN, STD)
    values = torch.tensor([-5.0, -1.0, 0.25, 1.0, 5.0]).view(5, 1, 1, 1).expand(-1, 3, -1, -1)
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        pixels = fitted.to_pixels(values.to(dtype))
        assert pixels[:, 0, 0, 0].tolist() == [0, 0, 159, 255, 255]


def test_memory_stays_channels_last_and_inputs_stay_untouched() -> None:
    fitted = Standardize().fit(MEAN, STD)
    pixels = every_value().contiguous()
    before = pixels.clone()
    values = fitted.to_network(pixels)
    assert values.is_contiguous(memory_format=torch.channels_last)
    kept = values.clone()
    fitted.to_pixels(values)
    assert torch.equal(values, kept)
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("part", [*SCALINGS, Standardize(-1.0, 2.0).fit(MEAN, STD)], ids=str)
def test_scalings_and_maps_survive_the_disk(part: Scaling | PixelMap) -> None:
    assert from_dict(to_dict(part)) == part


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(DataError, match="Channel 1 of the images hardly varies"):
        Standardize().fit((0.5, 0.5, 0.5), (0.2, 0.0, 0.2))
    with pytest.raises(DataError, match="3 means and 1 standard"):
        Rescale().fit(MEAN, (0.1,))
    with pytest.raises(UsageError, match="empty"):
        Rescale(1.0, 1.0)
    with pytest.raises(UsageError, match="Images of 1 channels met a scaling of 3"):
        Rescale().fit(MEAN, STD).to_network(every_value(1))
    with pytest.raises(UsageError, match="Images of 1 channels met a scaling of 3"):
        Rescale().fit(MEAN, STD).to_pixels(torch.zeros(1, 1, 4, 4))
