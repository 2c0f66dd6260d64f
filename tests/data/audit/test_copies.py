from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesmith.data.audit import copies
from facesmith.data.quality.signatures import sign

Images = NDArray[np.uint8]


def test_copies_and_leaks_are_found_and_nothing_else(images: Images) -> None:
    train = np.concatenate([images[:100], images[[3, 3, 7]]])
    brighter = np.clip(images[[7, 50]] * 1.1 + 4, 0, 255).astype(np.uint8)
    held_out = np.concatenate([brighter, images[200:220]])
    found, leaked = copies.find(np.concatenate([sign(train), sign(held_out)]), len(train))
    assert [rows.tolist() for rows in found] == [[3, 100, 101], [7, 102]]
    assert sorted(leaked.tolist()) == [[0, 7], [1, 50]]
    summed = copies.sum_up(found, leaked, len(train), len(held_out), lambda row: f"{row}.jpg")
    assert (summed.groups, summed.surplus, summed.largest, summed.leaked) == (2, 3, 3, 2)
    assert summed.examples == (("3.jpg", "100.jpg", "101.jpg"), ("7.jpg", "102.jpg"))


def test_held_out_images_that_are_alike_are_no_matter(images: Images) -> None:
    twice = np.concatenate([images[:20], images[[30, 30]]])
    found, leaked = copies.find(sign(twice), 20)
    assert found == []
    assert leaked.shape == (0, 2)
    assert copies.sum_up(found, leaked, 20, 2, str).largest == 1
