from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFile

from facesmith.data.photos import photo
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.decoding import decode
from facesmith.data.photos.framing import Framing
from facesmith.data.photos.photo import Photo

Picture = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def opened(data: bytes) -> Photo:
    return Photo(Image.open(io.BytesIO(data)), data)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sizes in which images were decoded."""
    sizes: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def spy(self: ImageFile.ImageFile) -> object:
        sizes.append(self.size)
        return load(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", spy)
    return sizes


@pytest.mark.parametrize(
    ("shrink", "factor"), [(1.0, 1), (1.9, 1), (2.0, 2), (7.9, 4), (8.0, 8), (99.0, 8)]
)
def test_a_jpeg_is_decoded_no_smaller_than_allowed(
    shrink: float, factor: int, picture: Picture, encode: Encode
) -> None:
    image, got = opened(encode(picture(0, 160, 80), "JPEG")).decoded(shrink)
    assert (got, image.size) == (factor, (160 // factor, 80 // factor))
    assert opened(encode(picture(0, 160, 80), "PNG")).decoded(shrink)[1] == 1


def test_it_is_decoded_again_only_where_it_must_be_finer(
    picture: Picture, encode: Encode, loads: list[tuple[int, int]]
) -> None:
    one = opened(encode(picture(0, 160, 80), "JPEG"))
    assert one.decoded(8)[1] == 8
    del loads[1:]
    assert one.decoded(8)[1] == 8
    assert one.decoded(2)[1] == 2
    assert one.decoded(4)[1] == 2  # finer than needed, and there already
    assert one.decoded(1)[0].size == (160, 80)
    assert list(dict.fromkeys(loads)) == [(20, 10), (80, 40), (160, 80)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_places_in_the_upright_photo_are_found_in_the_file(
    orientation: int,
    picture: Picture,
    encode: Encode,
    as_held: Callable[[Image.Image, int], Image.Image],
) -> None:
    upright = picture(3, 60, 40)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = as_held(upright, orientation)
    one = opened(encode(stored, exif=exif))
    assert (one.width, one.height) == (60, 40)
    pixels = np.asarray(one.decoded(1)[0])
    for x, y in ((0, 0), (59, 0), (7, 31)):
        column, row = one.to_stored() @ [x + 0.5, y + 0.5, 1] - 0.5
        np.testing.assert_array_equal(pixels[round(row), round(column)], upright.getpixel((x, y)))
    part = Image.fromarray(pixels).crop(one.stored_box((5, 6, 25, 36)))
    np.testing.assert_array_equal(one.upright(np.asarray(part)), upright.crop((5, 6, 25, 36)))


# ---- more pixels than are ever decoded


def test_a_jpeg_that_is_too_large_is_decoded_at_a_fraction(
    picture: Picture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "MAX_PIXELS", 5_000)
    data = encode(picture(0, 160, 80), "JPEG", quality=95)
    image, factor = opened(data).decoded(1)
    assert (factor, image.size) == (2, (80, 40))
    [cut] = decode(data, Framing(32))
    monkeypatch.undo()
    [whole] = decode(data, Framing(32))
    assert cut.side == whole.side == 80
    assert cut.pixels is not None and whole.pixels is not None
    assert np.abs(cut.pixels.astype(float) - whole.pixels).mean() < 1.5


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {}), ("JPEG", {"progressive": True}), ("TIFF", {})],
)
def test_what_cannot_be_decoded_at_a_fraction_is_too_large(
    kind: str,
    options: dict[str, object],
    picture: Picture,
    encode: Encode,
    monkeypatch: pytest.MonkeyPatch,
    loads: list[tuple[int, int]],
) -> None:
    monkeypatch.setattr(photo, "MAX_PIXELS", 5_000)
    data = encode(picture(0, 160, 80), kind, **options)
    loads.clear()
    with pytest.raises(PhotoError, match="too large: 160x80 pixels, over 5,000"):
        opened(data)
    assert loads == []


def test_even_an_eighth_may_be_too_large(
    picture: Picture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "MAX_PIXELS", 100)
    with pytest.raises(PhotoError, match="too large"):
        opened(encode(picture(0, 160, 80), "JPEG"))


MEASURE = """
import sys
from pathlib import Path
from facesmith.data.photos.decoding import decode
from facesmith.data.photos.framing import Framing
from facesmith.data.photos.facecrop import FaceCrop
[cut] = decode(sys.stdin.buffer.read(), Framing(64, FaceCrop(detector="haar")))
peak = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
print(cut.reason, int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hundred_million_pixels_fit_into_300_megabytes(encode: Encode) -> None:
    data = encode(Image.new("L", (10_000, 10_000), 90), "JPEG")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], input=data, capture_output=True, check=True
    )
    reason, _, megabytes = done.stdout.decode().strip().rpartition(" ")
    assert reason == "no face: none in 10000x10000 pixels"
    assert int(megabytes) < 300
    flat = encode(Image.new("1", (10_000, 10_000)))
    with pytest.raises(PhotoError, match="too large: 10000x10000"):
        decode(flat, Framing(64))
