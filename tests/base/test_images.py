import errno
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facesmith.base import images
from facesmith.base.images import encode_png, grid, scale, sheet, write_png

finite = st.floats(-100, 100)


def test_scale_maps_zero_to_one_onto_minus_one_to_one_by_default():
    np.testing.assert_allclose(scale(np.array([0, 0.25, 0.5, 1.0])), [-1, -0.5, 0, 1], atol=1e-15)


@pytest.mark.parametrize(
    "source, target, value, meant",
    [
        ((0, 255), (-1, 1), 51.0, -0.6),
        ((0, 255), (0, 1), 51.0, 0.2),
        ((-1, 1), (0, 255), 0.2, 153.0),
        ((10, 20), (3, -3), 12.0, 1.8),
        ((0, 1), (5, 9), 2.0, 13.0),  # outside stays outside
    ],
)
def test_scale_maps_any_range_onto_any_other(source, target, value, meant):
    assert scale(value, source=source, target=target) == pytest.approx(meant, rel=1e-12)


@given(finite, finite, st.floats(0.1, 100), finite, st.floats(0.1, 100))
def test_scale_there_and_back_changes_nothing(value, low, width, other, other_width):
    source, target = (low, low + width), (other, other + other_width)
    there = scale(value, source=source, target=target)
    back = scale(there, source=target, target=source)
    assert back == pytest.approx(value, abs=1e-7 * (1 + width / other_width))


def test_scale_keeps_the_type_and_shape_of_tensors():
    values = torch.rand(2, 3, 4, 4)
    scaled = scale(values)
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, values * 2 - 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("gap", [0, 2, 5])
@pytest.mark.parametrize("count, columns, rows", [(1, 1, 1), (6, 3, 2), (7, 3, 3), (4, None, 2)])
def test_a_grid_places_each_image_row_by_row_on_white(channels, gap, count, columns, rows):
    pictures = np.random.default_rng(0).integers(0, 200, (count, 5, 4, channels), dtype=np.uint8)
    laid = grid(pictures, columns=columns, gap=gap)
    columns = columns or 2
    assert laid.shape == (rows * (5 + gap) + gap, columns * (4 + gap) + gap, channels)
    rest = laid.copy()
    for index, picture in enumerate(pictures):
        top = gap + index // columns * (5 + gap)
        left = gap + index % columns * (4 + gap)
        np.testing.assert_array_equal(laid[top : top + 5, left : left + 4], picture)
        rest[top : top + 5, left : left + 4] = 255
    assert (rest == 255).all()


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_a_png_gives_back_each_pixel_and_its_text(tmp_path, channels, mode):
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, channels), dtype=np.uint8)
    text = {"facesmith": "0.1", "Ursprung": "größer 顔 🙂", "long": "x" * 5000}
    write_png(tmp_path / "a.png", picture, text=text)
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.mode == mode
        np.testing.assert_array_equal(np.asarray(opened).reshape(picture.shape), picture)
        assert opened.text == text


def test_encoding_gives_the_bytes_of_a_png():
    picture = np.zeros((2, 3, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode_png(picture))) as opened:
        assert (opened.format, opened.size) == ("PNG", (3, 2))


def test_a_failed_write_leaves_the_old_picture_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_png(path, np.zeros((2, 2, 3), dtype=np.uint8))
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(images, "encode_png", fail)
    with pytest.raises(OSError, match="no space"):
        write_png(path, np.ones((2, 2, 3), dtype=np.uint8))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_disk_that_fills_up_keeps_the_old_picture_and_no_half_one(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_png(path, np.zeros((2, 2, 3), dtype=np.uint8))
    before, write = path.read_bytes(), Path.write_bytes

    def fill_up(self, data):
        write(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(OSError, match="No space left"):
        write_png(path, np.ones((2, 2, 3), dtype=np.uint8))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_writing_over_a_picture_leaves_nothing_else_behind(tmp_path):
    path = tmp_path / "a.png"
    for value in (1, 2):
        write_png(path, np.full((2, 2, 1), value, dtype=np.uint8))
    with Image.open(path) as opened:
        assert opened.getpixel((0, 0)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(("size", "shown"), [(16, 64), (28, 56), (32, 64), (64, 64), (128, 128)])
def test_a_sheet_enlarges_small_images_in_blocks(size, shown):
    images = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    made = sheet(images)
    assert made.shape == (2 * (shown + 2) + 2, 2 * (shown + 2) + 2, 3)
    factor = shown // size
    first = made[2 : 2 + shown, 2 : 2 + shown]
    assert np.array_equal(first[::factor, ::factor], images[0])
    assert np.array_equal(first[factor - 1 :: factor, factor - 1 :: factor], images[0])
