from __future__ import annotations

import pytest

from facesmith.base.errors import UsageError
from facesmith.data.photos.crops import (
    BoxCrop,
    CenterCrop,
    Crop,
    PhotoError,
    WholeImage,
    parse_crop,
)


@pytest.mark.parametrize(
    ("text", "crop"),
    [
        ("center", CenterCrop()),
        ("centre", CenterCrop()),
        ("center:108", CenterCrop(108)),
        ("none", WholeImage()),
        ("20,40,138,138", BoxCrop(20, 40, 138, 138)),
        ("20, 40, 138, 138", BoxCrop(20, 40, 138, 138)),
    ],
)
def test_text_becomes_a_crop_and_text_again(text: str, crop: Crop) -> None:
    assert parse_crop(text) == crop
    assert parse_crop(str(crop)) == crop


@pytest.mark.parametrize(
    "text", ["", "middle", "center:", "center:0", "1,2,3", "0,0,0,0", "-1,2,3,3"]
)
def test_other_text_is_refused_with_advice(text: str) -> None:
    with pytest.raises(UsageError, match="not a crop") as caught:
        parse_crop(text)
    assert "center:108" in caught.value.needed


def test_a_box_that_is_not_square_is_refused() -> None:
    with pytest.raises(UsageError, match="not square"):
        parse_crop("20,40,138,150")


@pytest.mark.parametrize(
    ("crop", "box"),
    [
        (CenterCrop(), (0, 20, 178, 198)),
        (CenterCrop(108), (35, 55, 143, 163)),
        (CenterCrop(500), (0, 20, 178, 198)),
        (BoxCrop(15, 40, 148, 148), (15, 40, 163, 188)),
    ],
)
def test_where_the_crop_lies_on_a_celeba_photo(crop: Crop, box: tuple[int, ...]) -> None:
    assert crop.box(178, 218) == box


def test_photos_that_the_crop_does_not_fit_are_rejected_with_the_reason() -> None:
    with pytest.raises(PhotoError, match="not square: 178x218"):
        WholeImage().box(178, 218)
    with pytest.raises(
        PhotoError, match="outside the crop: 178x218 pixels do not hold 100,0,100,100"
    ):
        BoxCrop(100, 0, 100, 100).box(178, 218)
    assert WholeImage().box(64, 64) == (0, 0, 64, 64)
