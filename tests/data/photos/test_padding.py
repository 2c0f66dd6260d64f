from __future__ import annotations

import numpy as np

from facesmith.data.photos.padding import soften

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def test_a_picture_without_padding_is_left_alone() -> None:
    assert soften(PICTURE, np.zeros((32, 32))) is PICTURE


def test_detail_fades_to_the_median_colour_and_the_inside_stays() -> None:
    beyond = np.tile(
        np.maximum(8 - np.arange(32), 0) / 20, (32, 1)
    )  # 0.4 at the left, 0 from column 8
    got = soften(PICTURE, beyond).astype(float)
    np.testing.assert_array_equal(got[:, 8:], PICTURE[:, 8:])
    median = np.median(PICTURE[:, 8:].reshape(-1, 3), axis=0)
    np.testing.assert_allclose(got[:, :3], np.broadcast_to(median, (32, 3, 3)), atol=1)
    # At the edge it is blurred, not flat.
    assert 0 < got[:, 6].std() < 0.5 * PICTURE[:, 6].std()


def test_grey_and_a_picture_that_is_all_padding() -> None:
    grey = PICTURE[..., :1]
    got = soften(grey, np.ones((32, 32)))
    assert got.shape == grey.shape and got.dtype == np.uint8
    assert (got == np.rint(np.median(grey))).all()
