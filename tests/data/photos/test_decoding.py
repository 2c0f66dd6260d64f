from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFile

from facesmith.data.photos.crops import BoxCrop, PhotoError, WholeImage
from facesmith.data.photos.decoding import decode, frame_pixels
from facesmith.data.photos.framing import Cut, Framing
from facesmith.data.portraits import portraits

Picture = Callable[..., Image.Image]
Encode = Callable[..., bytes]

SIDE = 32
PLAIN = Framing(SIDE)


def cut(data: bytes, framing: Framing) -> Cut:
    """Give the only image of a photo."""
    [only] = decode(data, framing)
    return only


def same_size(channels: int = 3) -> Framing:
    """No crop and no resize, so that colours can be compared."""
    return Framing(SIDE, channels=channels)


# ---- colours


def transparent_palette() -> Image.Image:
    image = Image.new("P", (SIDE, SIDE), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, SIDE // 2, SIDE))
    image.info["transparency"] = 0
    return image


def test_transparency_of_a_palette_becomes_white(encode: Encode) -> None:
    pixels = cut(encode(transparent_palette(), transparency=0), same_size()).pixels
    assert pixels[0, 0].tolist() == [200, 100, 50]
    assert pixels[0, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_half_transparency_is_laid_on_white(kind: str, encode: Encode) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    image = Image.new("RGBA", (SIDE, SIDE), (200, 100, 0, 128))
    pixels = cut(encode(image, kind, **options), same_size()).pixels
    expected = np.rint(np.array([200, 100, 0]) * 128 / 255 + 127)
    np.testing.assert_allclose(pixels[3, 3], expected, atol=1)


def test_grey_with_transparency_is_laid_on_white(encode: Encode) -> None:
    image = Image.new("LA", (SIDE, SIDE), (100, 0))
    assert cut(encode(image), same_size()).pixels.min() == 255
    assert cut(encode(image), same_size(channels=1)).pixels.min() == 255


def test_a_transparent_colour_key_becomes_white(encode: Encode) -> None:
    image = Image.new("RGB", (SIDE, SIDE), (1, 2, 3))
    assert cut(encode(image, transparency=(1, 2, 3)), same_size()).pixels.min() == 255


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("L", "JPEG"), ("L", "PNG"), ("P", "GIF"), ("RGB", "BMP"), ("RGB", "PPM"),
     ("L", "PPM"), ("RGB", "WEBP"), ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "JPEG"),
     ("RGB", "TIFF"), ("RGBA", "PNG")],
)  # fmt: skip
def test_every_mode_and_format_comes_out_as_the_picture_was(
    mode: str, kind: str, picture: Picture, encode: Encode
) -> None:
    image = picture(3, SIDE, SIDE).convert(mode)
    expected = np.asarray(image.convert("RGB"), dtype=float)
    pixels = cut(encode(image, kind), same_size()).pixels
    assert pixels.shape == (SIDE, SIDE, 3)
    assert np.abs(pixels - expected).mean() < 8  # JPEG and WebP lose a little, colour most


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_greys_are_scaled_not_clipped(kind: str, encode: Encode) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (SIDE, SIDE), dtype=np.uint16)
    pixels = cut(encode(Image.fromarray(deep), kind), same_size(channels=1)).pixels
    np.testing.assert_array_equal(pixels[..., 0], np.rint(deep / 257))


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_float_images_are_scaled_by_their_range(top: float, encode: Encode) -> None:
    unit = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    data = encode(Image.fromarray(unit * np.float32(top)), "TIFF")
    np.testing.assert_allclose(cut(data, same_size()).pixels[..., 0], unit * 255, atol=0.51)


def test_float_images_of_any_other_range_are_stretched(encode: Encode) -> None:
    values = np.linspace(-3, 5, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    pixels = cut(encode(Image.fromarray(values), "TIFF"), same_size()).pixels
    assert (pixels.min(), pixels.max()) == (0, 255)
    values[3, 3] = np.nan
    with pytest.raises(PhotoError, match="not finite"):
        cut(encode(Image.fromarray(values), "TIFF"), same_size())


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_the_first_frame_of_an_animation_is_used(
    kind: str, picture: Picture, encode: Encode
) -> None:
    frames = [picture(seed, SIDE, SIDE) for seed in (1, 2)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    pixels = cut(data, same_size()).pixels.astype(float)
    errors = [np.abs(pixels - np.asarray(frame)).mean() for frame in frames]
    assert errors[0] < 8 < errors[1]


def test_grey_is_what_pillow_calls_grey(picture: Picture, encode: Encode) -> None:
    image = picture(4, SIDE, SIDE)
    pixels = cut(encode(image), same_size(channels=1)).pixels
    np.testing.assert_array_equal(pixels[..., 0], np.asarray(image.convert("L")))


# ---- turning


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(
    orientation: int,
    kind: str,
    picture: Picture,
    encode: Encode,
    as_held: Callable[[Image.Image, int], Image.Image],
) -> None:
    upright = picture(5, 120, 90)
    stored = as_held(upright, orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossy: dict[str, dict[str, object]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    options = lossy.get(kind, {})
    framing = Framing(SIDE, BoxCrop(25, 5, 64, 64))  # off the middle, so that its place shows
    pixels = cut(encode(stored, kind, exif=exif, **options), framing).pixels
    expected = upright.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=(25, 5, 89, 69))
    assert np.abs(pixels.astype(float) - np.asarray(expected)).mean() < 1.5


def test_damaged_metadata_does_not_reject_a_photo(picture: Picture, encode: Encode) -> None:
    data = encode(picture(6, SIDE, SIDE), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff junk")
    assert cut(data, PLAIN).pixels.shape == (SIDE, SIDE, 3)


# ---- size


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("scale", [4, 8, 16])
def test_draft_decoding_is_close_to_full_decoding(
    scale: int, orientation: int, picture: Picture, encode: Encode
) -> None:
    width, height = 37 * scale + 5, 41 * scale + 3  # no multiples of a JPEG block
    noise = np.random.default_rng(1).normal(0, 12, (height, width, 3))
    grainy = np.clip(np.asarray(picture(7, width, height)) + noise, 0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(grainy), "JPEG", quality=92, exif=exif)
    full = Image.open(io.BytesIO(data)).convert("RGB")
    lossless = encode(full, "PNG", exif=exif)
    fast, exact = cut(data, PLAIN).pixels, cut(lossless, PLAIN).pixels
    assert np.abs(fast.astype(float) - exact).mean() < 1.0


def test_draft_decoding_is_used(
    picture: Picture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def spy(self: ImageFile.ImageFile) -> object:
        loaded.append(self.size)
        return load(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", spy)
    data = encode(picture(8, 512, 512), "JPEG")
    cut(data, PLAIN)
    assert loaded[0] == (64, 64)  # an eighth, twice the training image
    loaded.clear()
    cut(data, Framing(SIDE, resampling="nearest"))
    assert loaded[0] == (512, 512)


def test_nearest_keeps_the_palette_of_pixel_art(encode: Encode) -> None:
    blocks = np.random.default_rng(2).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    art = Image.fromarray(blocks.repeat(16, 0).repeat(16, 1))
    pixels = cut(encode(art), Framing(8, resampling="nearest")).pixels
    np.testing.assert_array_equal(pixels, blocks)


def test_small_photos_are_enlarged_and_their_side_is_known(
    picture: Picture, encode: Encode
) -> None:
    assert cut(encode(picture(9, 20, 20)), PLAIN).side == 20
    assert cut(encode(picture(9, 32, 50)), PLAIN).side == 32
    with pytest.raises(PhotoError, match="too small: 7x30 pixels"):
        cut(encode(picture(9, 7, 30)), PLAIN)
    with pytest.raises(PhotoError, match="not square"):
        cut(encode(picture(9, 20, 30)), Framing(SIDE, WholeImage()))


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(b"\0")
    return head + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


@pytest.mark.parametrize("side", [8_100, 12_000, 30_000])
def test_decompression_bombs_are_never_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: ImageFile.ImageFile) -> object:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(PhotoError, match="too large"):
        cut(png_header(side, side), PLAIN)


# ---- damage and strangers


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM"])
@pytest.mark.parametrize("left", ["half", "all but 40 bytes"])
def test_truncated_files_are_rejected(
    left: str, kind: str, picture: Picture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another library may have made Pillow lenient for the whole process.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encode(picture(10, 200, 200), kind)
    part = data[: len(data) // 2] if left == "half" else data[:-40]
    with pytest.raises(PhotoError, match="damaged"):
        cut(part, PLAIN)
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_a_png_whose_data_break_is_rejected(place: float, encode: Encode) -> None:
    [portrait], _ = portraits([0], 128)
    data = bytearray(encode(Image.fromarray(portrait), "PNG"))
    data[int(len(data) * place)] ^= 0xFF
    with pytest.raises(PhotoError, match="damaged"):
        decode(bytes(data), Framing(32))


def test_a_jpeg_without_its_last_ten_bytes_is_rejected(picture: Picture, encode: Encode) -> None:
    with pytest.raises(PhotoError, match="damaged"):
        cut(encode(picture(10, 200, 200), "JPEG")[:-10], PLAIN)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html><html><title>Quota exceeded</title>", "web page: .*quota"),
        (b"\xef\xbb\xbf\n <HTML><body>", "web page"),
        (b"just some notes, no photo", "text: begins with 'just some notes"),
        ("Grüße".encode() * 400, "text"),
        (b"\xff\xd8\xff\xe0", "damaged: a JPEG"),
        (b"\x89PNG\r\n", "damaged: a PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(40), "PostScript"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04" + bytes(40), "archive"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "unknown format: HEIC"),
        (bytes(range(256)), "unknown format"),
    ],
)
def test_strangers_are_rejected_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        cut(data, PLAIN)


def test_an_eps_that_pillow_would_open_is_not_opened(encode: Encode, picture: Picture) -> None:
    data = encode(picture(11, SIDE, SIDE), "EPS")
    assert Image.open(io.BytesIO(data)).format == "EPS"
    with pytest.raises(PhotoError, match="PostScript"):
        cut(data, PLAIN)


def test_random_damage_is_decoded_or_rejected_never_more(picture: Picture, encode: Encode) -> None:
    random = np.random.default_rng(3)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM"):
        whole = encode(picture(12, 64, 64), kind)
        for _ in range(40):
            data = bytearray(whole)
            for place in random.integers(0, len(data), 4):
                data[place] = random.integers(256)
            try:
                assert cut(bytes(data), PLAIN).pixels.shape == (SIDE, SIDE, 3)
            except PhotoError as error:
                assert error.kind and str(error) != error.kind


def test_pixels_that_are_decoded_already_are_framed_alike(picture: Picture, encode: Encode) -> None:
    image = picture(13, 60, 48)
    for channels, source in ((3, image), (1, image.convert("L"))):
        framing = Framing(SIDE, channels=channels)
        [framed] = frame_pixels(np.asarray(source), framing)
        np.testing.assert_array_equal(framed.pixels, cut(encode(source), framing).pixels)
