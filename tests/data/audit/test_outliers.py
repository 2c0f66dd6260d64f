from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesmith.data.audit import outliers
from facesmith.data.audit.measuring import _thumbnails
from facesmith.data.portraits import portraits

Images = NDArray[np.uint8]


def test_what_is_no_portrait_is_farthest(images: Images) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    turned = images[5:8, ::-1].transpose(0, 2, 1, 3)
    found = outliers.distances(_thumbnails(np.concatenate([images, noise, turned])))
    assert np.median(found) == 1
    assert set(np.argsort(-found)[:6].tolist()) == set(range(400, 406))
    assert found[400:].min() > 1.2


def test_distances_do_not_depend_on_the_order_or_on_light(images: Images) -> None:
    thumbnails = _thumbnails(images)
    found = outliers.distances(thumbnails)
    order = np.random.default_rng(1).permutation(len(thumbnails))
    np.testing.assert_allclose(outliers.distances(thumbnails[order]), found[order], rtol=1e-3)
    np.testing.assert_allclose(outliers.distances(thumbnails * 0.6 + 40), found, rtol=1e-3)


def test_a_rare_pattern_counts_as_much_as_a_common_one() -> None:
    random = np.random.default_rng(3)
    patterns = random.normal(0, 1, (8, 192))
    strengths = random.normal(0, 1, (500, 8)) * [30, 30, 30, 30, 3, 3, 3, 1]
    strengths[77, 7] = 15  # far for this pattern, less than the others vary anyway
    faint = random.normal(0, 1, (500, 192))
    common = random.normal(0, 2000, 192)  # so that all have about the same contrast
    found = outliers.distances((common + strengths @ patterns + faint).astype(np.float32))
    assert found.argmax() == 77


def test_a_second_kind_of_many_images_is_no_outlier(images: Images) -> None:
    others = 255 - portraits(np.arange(1000, 1200), 32)[0]
    found = outliers.distances(_thumbnails(np.concatenate([images, others])))
    assert found[400:].mean() < 1.3


def test_neighbours_are_others_even_where_only_some_are_compared(images: Images) -> None:
    thumbnails = np.repeat(_thumbnails(images), 25, axis=0)  # 10,000, of which 3,334 are
    found = outliers.distances(
        thumbnails + np.random.default_rng(2).normal(0, 20, thumbnails.shape)
    )
    references = found[::3]
    assert 0.9 < references.mean() / found.mean() < 1.1


def test_too_few_or_equal_images_have_no_outliers(images: Images) -> None:
    few = _thumbnails(images[: outliers.FEWEST - 1])
    assert outliers.distances(few).tolist() == [1.0] * len(few)
    equal = outliers.distances(np.full((200, 192), 90, np.float32))
    assert np.isfinite(equal).all()
