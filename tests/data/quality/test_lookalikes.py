from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.quality import lookalikes as module
from facesmith.data.quality.lookalikes import CLOSEST, lookalikes
from facesmith.data.quality.signatures import sign, thumbnails
from facesmith.data.quality.spectra import transform

Pixels = NDArray[np.uint8]


def found(small: Pixels) -> dict[tuple[int, int], bool]:
    pairs: dict[tuple[int, int], bool] = {}
    for one, other, mirrored in lookalikes(small):
        for pair in zip(one.tolist(), other.tolist(), mirrored.tolist(), strict=True):
            assert pair[:2] not in pairs
            pairs[pair[:2]] = pair[2]
    return pairs


@pytest.fixture(scope="module")
def small(scenes: Pixels) -> Pixels:
    return thumbnails(sign(scenes))


def test_copies_are_among_few_likely_pairs(small: Pixels) -> None:
    copies = np.concatenate([small, small[:3], small[3:6, :, ::-1]])
    pairs = found(copies)
    assert all(one < other for one, other in pairs)
    for place in range(3):
        assert pairs[place, 80 + place] is False
        assert pairs[3 + place, 83 + place] is True
    assert len(pairs) < 40


def test_blocks_do_not_matter(small: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    several = np.concatenate([small, small[::-1] // 2 + 30])
    whole = found(several)
    monkeypatch.setattr(module, "ROWS", 7)
    monkeypatch.setattr(module, "COLUMNS", 11)
    assert found(several) == whole
    assert len(whole) >= 80


def test_what_all_images_share_makes_no_pairs(small: Pixels) -> None:
    """A mean face that is stronger than what tells faces apart."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:16, :16]
    waves = random.normal(size=(3000, 16, 16)) / np.maximum(np.hypot(down, across), 1)
    matrix = transform(16, 16)
    own = matrix.T @ waves @ matrix
    own *= 10 / own.std((1, 2), keepdims=True)
    alike = (own + small[0]).clip(0, 255).astype(np.uint8)
    plain = [np.corrcoef(alike[0].ravel(), other.ravel())[0, 1] for other in alike[1:100]]
    assert min(plain) > 0.8
    alike[-1] = alike[5]
    pairs = found(alike)
    assert (5, 2999) in pairs
    assert len(pairs) < 100  # of four and a half million


def test_where_many_are_alike_only_the_closest_are_looked_at_and_every_copy(small: Pixels) -> None:
    random = np.random.default_rng(0)
    # Few ways to differ, as digits have.
    ways = small[:3].astype(float) - 128
    amounts = random.normal(size=(600, 3))
    alike = (128 + np.einsum("nk,khw->nhw", amounts, ways) * 0.5).clip(0, 255).astype(np.uint8)
    copies = np.concatenate([alike, alike[:50]])
    pairs = found(copies)
    assert all((place, 600 + place) in pairs for place in range(50))
    even, odd = module._whitened(copies)
    likeness = even @ even.T + np.abs(odd @ odd.T)
    above = np.triu(likeness > module.LIKELY, 1)
    assert above.sum() > 4 * CLOSEST * len(copies)
    certain = np.triu(likeness > module.ALIKE, 1).sum()
    assert len(pairs) - certain < 2 * CLOSEST * len(copies)
