from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.audit import measuring, network, pose
from facesmith.data.audit.contents import Shares, Spread
from facesmith.data.scaling import PixelMap

Images = NDArray[np.uint8]


def test_blocks_of_any_size_measure_the_same(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = images[:70]
    rows = np.arange(70)
    whole = measuring.look(few.__getitem__, rows, few.shape[1:])
    sizes: list[int] = []

    def read(block: NDArray[np.int64]) -> Images:
        sizes.append(len(block))
        return few[block]

    monkeypatch.setattr(measuring, "BLOCK_BYTES", 8 * few[0].nbytes)
    parts = measuring.look(read, rows, few.shape[1:])
    assert max(sizes) == 8
    np.testing.assert_array_equal(parts.kinds, whole.kinds)
    np.testing.assert_allclose(parts.skin, whole.skin, rtol=1e-6)
    np.testing.assert_allclose(parts.thumbnails, whole.thumbnails, rtol=1e-6)
    np.testing.assert_allclose(parts.mean, few.mean(0), rtol=1e-6)
    np.testing.assert_allclose(parts.deviation, few.std(0), rtol=1e-4)
    np.testing.assert_allclose(parts.channel_mean, few.mean((0, 1, 2)) / 255, rtol=1e-6)
    np.testing.assert_allclose(parts.channel_std, few.std((0, 1, 2)) / 255, rtol=1e-5)
    np.testing.assert_array_equal(
        measuring.signatures(read, 70, few.shape[1:]),
        measuring.signatures(few.__getitem__, 70, few.shape[1:]),
    )


@pytest.mark.parametrize(("side", "reduced"), [(64, 64), (127, 127), (128, 64), (200, 66)])
def test_large_images_are_averaged(side: int, reduced: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    small = measuring.reduced(images, 64)
    assert small.shape == (2, reduced, reduced, 3)
    factor = side // reduced
    assert small[1, 5, 7, 2] == round(
        float(images[1, 5 * factor : 6 * factor, 7 * factor : 8 * factor, 2].mean())
    )


def test_the_way_to_the_network_and_back_changes_no_pixel() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    maps = network.maps((0.5, 0.42, 0.37), (0.3, 0.28, 0.27))
    assert set(maps) == {"rescale", "standardize"}
    for pixels in maps.values():
        np.testing.assert_array_equal(network.there_and_back(pixels, every), every)
        ends = np.array(network.ranges(pixels))
        assert (ends.min(), ends.max()) == (pytest.approx(-1), pytest.approx(1))
    # A range that floats cannot tell apart loses pixels, and it shows.
    narrow = PixelMap((1e-4,) * 3, (1000.0,) * 3, 1000.0, 1000.0001)
    assert not np.array_equal(network.there_and_back(narrow, every), every)
    assert set(network.maps((0.5,), (0.0,))) == {"rescale"}


def test_spreads_and_shares() -> None:
    spread = Spread.of([0.1, 0.2, 0.3, np.nan, 9.0], 0, 1, 10)
    assert (spread.count, spread.missing) == (4, 1)
    assert spread.counts[-1] == 1  # what lies outside is counted at the end
    assert spread.mean == pytest.approx(2.4)
    assert spread.median == pytest.approx(0.25)
    assert np.isnan(Spread.of([], 0, 1).mean)
    shares = Shares.of(np.array([0, 1, 1, -1]), ("a", "b", "c"))
    assert (shares.counts, shares.missing) == ((1, 2, 0), 1)
    assert shares.share("a", "b") == 1
    assert Shares.of(np.array([-1]), ("a",)).share("a") == 0


def test_poses_are_named_by_their_yaw() -> None:
    yaw = np.array([0, -14.9, 15, -44, 45, -80, np.nan])
    found = pose.sum_up({"yaw": yaw})
    assert found is not None
    assert found.turned.counts == (2, 2, 2)
    assert found.turned.missing == 1
    assert found.roll.count == 0
    assert pose.sum_up({}) is None
    assert pose.sum_up({"yaw": np.array([np.nan])}) is None
