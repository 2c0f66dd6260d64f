"""The image convention, and the only place that converts: uint8 NHWC at the borders, float NCHW inside."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Numbers = TypeVar("Numbers", "torch.Tensor", "NDArray[np.floating]", float)
Range = tuple[float, float]
VISIBLE = 64  # pixels; a face of 16 or 32 on a large screen is a dot


def scale(values: Numbers, *, source: Range = (0.0, 1.0), target: Range = (-1.0, 1.0)) -> Numbers:
    """Map one range of values linearly onto another.

    Args:
        values: Tensor, array or number of any shape.
        source: Lowest and highest value of the input.
        target: What they become.

    Returns:
        The mapped values; what lies outside `source` lands outside `target`.
    """
    gain = (target[1] - target[0]) / (source[1] - source[0])
    return values * gain + (target[0] - source[0] * gain)


def grid(
    images: NDArray[np.uint8], *, columns: int | None = None, gap: int = 2
) -> NDArray[np.uint8]:
    """Lay images out in rows, as on a contact sheet.

    Args:
        images: Array (N, H, W, C), C of 1 or 3.
        columns: Images in a row; the square root of N by default.
        gap: White pixels between images.

    Returns:
        One image (rows x (H + gap) + gap, columns x (W + gap) + gap, C).
    """
    count, height, width, channels = images.shape
    columns = columns or max(1, round(count**0.5))
    rows = -(-count // columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, channels)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for index, image in enumerate(images):
        top = gap + (index // columns) * (height + gap)
        left = gap + (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def sheet(images: NDArray[np.uint8], *, columns: int | None = None) -> NDArray[np.uint8]:
    """Lay images out for people to look at: small ones are enlarged, each pixel a block.

    Args:
        images: Array (N, H, W, C), C of 1 or 3.
        columns: Images in a row; the square root of N by default.

    Returns:
        One image; each of those in it is enlarged by a whole factor, to at most 64 pixels.
    """
    factor = max(1, VISIBLE // images.shape[1])
    return grid(images.repeat(factor, axis=1).repeat(factor, axis=2), columns=columns)


def encode_png(image: NDArray[np.uint8], *, text: Mapping[str, str] | None = None) -> bytes:
    """Encode one image as PNG.

    Args:
        image: Array (H, W, C), C of 1 or 3.
        text: Key and value pairs stored in the file, where any viewer can read them.

    Returns:
        The file's bytes.
    """
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    stream = io.BytesIO()
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    picture.save(stream, format="PNG", pnginfo=info)
    return stream.getvalue()


def write_png(
    path: Path, image: NDArray[np.uint8], *, text: Mapping[str, str] | None = None
) -> None:
    """Write one image as PNG, whole or not at all.

    Args:
        path: Where to write; its folder must exist.
        image: Array (H, W, C), C of 1 or 3.
        text: Key and value pairs stored in the file.

    Raises:
        OSError: The disk is full or refuses; an older picture of this name is untouched.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        temporary.write_bytes(encode_png(image, text=text))
        temporary.replace(path)
    finally:  # what a full disk took half of would fill it further; after success there is none
        temporary.unlink(missing_ok=True)
