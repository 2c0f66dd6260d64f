"""The bytes of one photo become training images, or a reason why not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from facesmith.base.errors import FacesmithError
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.photos.faces import cut_faces
from facesmith.data.photos.framing import DRAFT_MARGIN, Cut, Framing
from facesmith.data.photos.photo import FORMATS, MIN_SIDE, Photo
from facesmith.data.photos.resizing import resize
from facesmith.data.photos.strangers import what_it_is

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(data: bytes, framing: Framing) -> list[Cut]:
    """Decode a photo fully, turn it upright, crop and resize it.

    Only the first frame of an animation is used; transparency becomes white; colour profiles are
    ignored; 16-bit greys are divided by 257.

    Args:
        data: The bytes of a JPEG, PNG, WebP, BMP, GIF, TIFF or PPM file.
        framing: What to make of it.

    Returns:
        What was cut from it, at least one.

    Raises:
        PhotoError: The bytes are no photo, are damaged, or too large or too small.
    """
    if not data:
        raise PhotoError("empty file", "0 bytes")
    with _strict_pillow():
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _frame(Photo(image, data), framing)
        except UnidentifiedImageError:
            raise what_it_is(data) from None
        except Image.DecompressionBombError as error:
            raise PhotoError("too large", str(error)) from None
        except (PhotoError, FacesmithError, MemoryError):
            raise
        except Exception as error:  # hostile bytes make Pillow raise nearly anything
            detail = " ".join(str(error).split()) or type(error).__name__
            raise PhotoError("damaged", detail) from None


def frame_pixels(pixels: NDArray[np.uint8], framing: Framing) -> list[Cut]:
    """Crop and resize an image that is decoded already.

    Args:
        pixels: Array (H, W, 3), or (H, W) for grey.
        framing: What to make of it.

    Returns:
        What was cut from it, at least one.

    Raises:
        PhotoError: The image is too small, or the crop does not fit.
    """
    return _frame(Photo(Image.fromarray(pixels)), framing)


@contextmanager
def _strict_pillow() -> Iterator[None]:
    # Another library may have told Pillow to accept truncated files.
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with warnings.catch_warnings():
            # A Photo checks its size itself; odd metadata is no reason to speak.
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _frame(photo: Photo, framing: Framing) -> list[Cut]:
    if isinstance(framing.crop, FaceCrop):
        return cut_faces(photo, framing, framing.crop)
    crop = framing.crop.box(photo.width, photo.height)
    side = crop[2] - crop[0]
    if side < MIN_SIDE:
        given = f"{photo.width}x{photo.height} pixels"
        raise PhotoError("too small", f"{given} leave a crop of {side}")
    nearest = framing.resampling == "nearest"
    shrink = 1 if nearest else side / (framing.resolution * DRAFT_MARGIN)
    image, factor = photo.decoded(shrink)
    left, top, right, bottom = (place / factor for place in photo.stored_box(crop))
    square = resize(
        image, (left, top, right, bottom), framing.resolution, framing.channels, nearest=nearest
    )
    return [Cut(photo.upright(square), side)]
