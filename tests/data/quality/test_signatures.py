from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import scipy.fft
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from facesmith.data.portraits import portraits
from facesmith.data.quality.registration import differences
from facesmith.data.quality.signatures import NEAR, WORDS, groups, sign, thumbnails

Pixels = NDArray[np.uint8]
Change = Callable[[Image.Image], Image.Image]
COPIED = 20


def at(images: list[Image.Image], side: int = 64) -> Pixels:
    return np.stack(
        [
            np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
            for image in images
        ]
    )


def compressed(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=30)
    return Image.open(stream)


def marked(image: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    ImageDraw.Draw(layer).text((20, 90), "AGENCY", fill=(255, 255, 255, 130))
    return Image.alpha_composite(image.convert("RGBA"), layer)


CHANGES: dict[str, Change] = {
    "compressed": compressed,
    "smaller": lambda image: image.resize((80, 80)),
    "cropped": lambda image: image.crop((1, 5, 155, 159)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "softer": lambda image: ImageEnhance.Contrast(image).enhance(0.65),
    "gamma": lambda image: image.point([round(255 * (v / 255) ** 1.5) for v in range(256)] * 3),
    "turned": lambda image: image.rotate(2, Image.Resampling.BICUBIC),
    "marked": marked,
    "grey": ImageOps.grayscale,
    "mirrored": ImageOps.mirror,
}


@pytest.fixture(scope="module")
def photos(scenes: Pixels) -> list[Image.Image]:
    return [Image.fromarray(scene) for scene in scenes]


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found_and_nothing_else(change: str, photos: list[Image.Image]) -> None:
    changed = [CHANGES[change](photo) for photo in photos[:COPIED]]
    leads = groups(sign(np.concatenate([at(photos), at(changed)])), NEAR)
    expected = [*range(len(photos)), *range(COPIED)]
    assert leads.dtype == np.int64
    assert leads.tolist() == expected


def test_the_distance_acts(photos: list[Image.Image]) -> None:
    changed = [CHANGES["cropped"](photo) for photo in photos[:COPIED]]
    signatures = sign(np.concatenate([at(photos), at(changed)]))
    assert groups(signatures, 1e-6).tolist() == list(range(len(signatures)))


def test_groups_are_chains_and_equal_signatures_are_always_joined(
    photos: list[Image.Image],
) -> None:
    steps = [photos[0].crop((3 * i, 0, 124 + 3 * i, 124)) for i in range(8)]
    signatures = sign(np.concatenate([at(photos[1:30]), at(steps), at(steps[:1])]))
    small = thumbnails(signatures)
    assert differences(small[29:30], small[36:37])[0] > NEAR  # the ends are no copies of each other
    assert groups(signatures, NEAR)[29:].tolist() == [29] * 9
    assert groups(signatures, 0)[[29, 37]].tolist() == [29, 29]


def test_the_order_changes_no_group(photos: list[Image.Image]) -> None:
    changed = [
        change(photo) for change in CHANGES.values() for photo in photos[:6]
    ]  # groups of eleven
    signatures = sign(np.concatenate([at(photos), at(changed)]))

    def partition(order: NDArray[np.int64]) -> set[frozenset[int]]:
        members: dict[int, set[int]] = {}
        for place, lead in enumerate(groups(signatures[order], NEAR).tolist()):
            assert lead <= place
            members.setdefault(lead, set()).add(int(order[place]))
        return {frozenset(group) for group in members.values()}

    straight = partition(np.arange(len(signatures)))
    assert sorted(map(len, straight))[-6:] == [11] * 6
    assert partition(np.random.default_rng(0).permutation(len(signatures))) == straight


def test_drawings_that_come_as_close_as_copies_are_told_apart() -> None:
    drawings = portraits(range(600), 64)[0]
    signatures = sign(np.concatenate([drawings, at([compressed(Image.fromarray(drawings[0]))])]))
    small = thumbnails(signatures)
    apart = np.array([differences(np.roll(small, k, 0), small) for k in range(1, 40)])
    assert (apart <= NEAR).sum() > 3
    leads = groups(signatures, NEAR)
    assert leads[600] == 0
    assert (leads[:600] == np.arange(600)).mean() > 0.99


def test_a_signature_is_the_lowest_frequencies(scenes: Pixels) -> None:
    images = at([Image.fromarray(scene) for scene in scenes[:4]])
    signatures = sign(images)
    assert signatures.shape == (4, WORDS)
    assert signatures.dtype == np.uint64
    grey = images @ np.array([0.299, 0.587, 0.114])
    spectrum = scipy.fft.dctn(grey, axes=(1, 2), norm="ortho")[:, :16, :16]
    expected = scipy.fft.idctn(spectrum, axes=(1, 2), norm="ortho") / 4
    np.testing.assert_allclose(thumbnails(signatures), expected.clip(0, 255), atol=0.51)


@pytest.mark.parametrize("side", [28, 32, 128])
def test_a_photo_has_nearly_one_signature_at_any_resolution(
    side: int, photos: list[Image.Image]
) -> None:
    one, other = (thumbnails(sign(at(photos[:20], size))).astype(float) for size in (64, side))
    assert np.abs(one - other).mean() < 3


def test_odd_images_have_signatures(scenes: Pixels) -> None:
    assert sign(scenes[:2, :5, :7, :1]).shape == (2, WORDS)
    assert sign(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0, WORDS)
    assert groups(np.zeros((0, WORDS), np.uint64), NEAR).tolist() == []
    assert groups(np.zeros((3, WORDS), np.uint64), NEAR).tolist() == [0, 0, 0]
    assert groups(sign(scenes[:1]), NEAR).tolist() == [0]
    assert groups(sign(np.concatenate([scenes[:1], scenes[:1] // 2])), NEAR).tolist() == [0, 0]
