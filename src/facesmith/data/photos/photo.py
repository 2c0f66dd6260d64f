"""An opened photo: upright to those who ask, decoded at the size that they need."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from facesmith.data.photos.crops import Box, PhotoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Pillow would open EPS and PDF with Ghostscript; only these are ever tried.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_PIXELS = 64_000_000
"""More are never decoded. A larger JPEG is decoded at a fraction of its size."""
MIN_SIDE = 8
"""Pixels; a smaller photo or crop holds no face."""
JPEG_FACTORS = (8, 4, 2)
"""By these the JPEG decoder can shrink while it decodes."""
EXIF_ORIENTATION = 0x0112
# EXIF orientation -> what turns the stored image upright.
TURNS: dict[int, tuple[Callable[[NDArray[np.uint8]], NDArray[np.uint8]], ...]] = {
    2: (np.fliplr,),
    3: (np.rot90, np.rot90),
    4: (np.flipud,),
    5: (np.fliplr, np.rot90),
    6: (np.rot90,) * 3,
    7: (np.flipud, np.rot90),
    8: (np.rot90,),
}


class Photo:
    """A photo of which the header was read.

    Args:
        image: As Pillow opened it; not decoded yet, or an array's image.
        data: The file that it was opened from; None for an array's.

    Raises:
        PhotoError: It has more pixels than can be decoded.
        OSError: It is a damaged PNG; Pillow may raise nearly anything.
    """

    def __init__(self, image: Image.Image, data: bytes | None = None) -> None:
        self._image = image
        self._data = data
        self._stored = image.size
        self._is_jpeg = image.format in ("JPEG", "MPO")
        # Before anything else is read: Pillow decodes a PNG to find its orientation.
        self._least_factor = self._fitting_factor()
        self._orientation = _orientation(image)
        self._factor: int | None = None  # by which the decoded image is smaller; None before
        turned = self._orientation >= 5
        self.width, self.height = self._stored[::-1] if turned else self._stored
        """In pixels, upright and whole."""

    def decoded(self, shrink: float) -> tuple[Image.Image, int]:
        """Decode the photo, as it lies in the file.

        Args:
            shrink: By so much it may come out smaller, 1 or more.

        Returns:
            The image in its own mode, and by how much it is smaller, a whole number.

        Raises:
            OSError: It is damaged; Pillow may raise nearly anything.
        """
        factor = self._least_factor
        if self._is_jpeg:
            factor = max(factor, next((each for each in JPEG_FACTORS if each <= shrink), 1))
        if self._factor is not None and self._factor <= factor:
            return self._image, self._factor
        if self._factor is not None and self._data is not None:
            self._image = Image.open(io.BytesIO(self._data), formats=FORMATS)
        if factor > 1:
            width, height = self._stored
            # What draft returns is None where it changed nothing.
            drawn = self._image.draft(None, (width // factor, height // factor))
            factor = 1 if drawn is None else factor
        self._image.load()
        self._factor = factor
        return self._image, factor

    def upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn an image or a part of it as the camera was held.

        Args:
            pixels: Array (H, W, C), as it lies in the file.

        Returns:
            The image that people should see, (H, W, C) or (W, H, C).
        """
        for turn in TURNS.get(self._orientation, ()):
            pixels = turn(pixels)
        return np.ascontiguousarray(pixels)

    def to_stored(self) -> NDArray[np.float64]:
        """Give the map from places in the upright photo to places in the image as it lies in the file.

        Returns:
            Array (2, 3), to be multiplied by (x, y, 1); places count from the upper left corner.
        """
        width, height = self._stored
        matrix = np.eye(2, 3)
        if self._orientation >= 5:  # the axes are exchanged
            matrix[:, :2] = matrix[::-1, :2].copy()
        if self._orientation in (2, 3, 7, 8):
            matrix[0] = [0, 0, width] - matrix[0]
        if self._orientation in (3, 4, 6, 7):
            matrix[1] = [0, 0, height] - matrix[1]
        return matrix

    def stored_box(self, box: Box) -> Box:
        """Find a box in the image as it lies in the file, so that only the result is turned.

        Args:
            box: Of the upright photo.

        Returns:
            The same part of the image.
        """
        left, top, right, bottom = box
        corners = self.to_stored() @ [[left, right], [top, bottom], [1, 1]]
        (left, right), (top, bottom) = np.sort(corners).astype(int).tolist()
        return left, top, right, bottom

    def _fitting_factor(self) -> int:
        width, height = self._stored
        # A progressive JPEG is held whole before any of it is decoded.
        can_shrink = self._is_jpeg and "progressive" not in self._image.info
        for factor in (1, *reversed(JPEG_FACTORS)) if can_shrink else (1,):
            if width * height <= MAX_PIXELS * factor**2:
                return factor
        raise PhotoError("too large", f"{width}x{height} pixels, over {MAX_PIXELS:,}")


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":  # Pillow turns TIFF files upright itself
        return 1
    if image.format == "PNG":
        # Asked for the orientation, Pillow decodes it; what breaks then is the photo, and a second
        # decoding would go on in silence, with black where the data broke.
        image.load()
    try:
        found = image.getexif().get(EXIF_ORIENTATION, 1)
    except (PhotoError, MemoryError):
        raise
    except Exception:  # damaged metadata does not damage the photo
        return 1
    return found if found in TURNS else 1
