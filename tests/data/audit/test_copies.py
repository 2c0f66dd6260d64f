from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.audit import copies
from facesmith.data.quality.signatures import distances, groups, sign

Images = NDArray[np.uint8]


def one_by_one(signatures: NDArray[np.uint64], distance: int) -> list[int]:
    near = distances(signatures[:, None], signatures[None]) <= distance
    first = list(range(len(signatures)))
    for index in first[:]:
        waiting = [index] if first[index] == index else []
        while waiting:
            for other in np.flatnonzero(near[waiting.pop()]).tolist():
                if other > index and first[other] == other:
                    first[other] = index
                    waiting.append(other)
    return first


@pytest.mark.parametrize("distance", [0, 1, 5, 12, 40])
def test_groups_are_those_of_comparing_all_with_all(distance: int) -> None:
    random = np.random.default_rng(distance)
    for _ in range(20):
        kinds = random.integers(0, 2, (6, 256), dtype=np.uint8)
        bits = kinds[random.integers(0, 6, 40)]
        for row in bits:
            row[random.choice(256, random.integers(0, 16), replace=False)] ^= 1
        signatures = np.packbits(bits, axis=1).view(np.uint64)
        assert groups(signatures, distance).tolist() == one_by_one(signatures, distance)


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
