"""The bytes of one photo become training images, or a reason why not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from facesmith.data.photos.crops import CenterCrop, Crop, PhotoError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pillow would open EPS and PDF with Ghostscript; only these are ever tried.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_PIXELS = 64_000_000
"""A header that promises more is not decoded."""
MIN_SIDE = 8
"""Pixels; a smaller photo or crop holds no face."""
REDUCING_GAP = 3.0
"""Pillow may halve large images cheaply as long as the good filter still shrinks this much."""
DRAFT_MARGIN = 2
"""JPEG blocks are decoded at a fraction of their size as long as the crop stays this many times
larger than the training image: 0.6 grey levels from a full decode in the mean, 1.4 at no margin."""

RESAMPLING = {"lanczos": Image.Resampling.LANCZOS, "nearest": Image.Resampling.NEAREST}
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Framing:
    """How a photo becomes a training image."""

    resolution: int
    """Side of the training image in pixels."""
    crop: Crop = field(default_factory=CenterCrop)
    channels: int = 3
    """3 for colour, 1 for grey."""
    resampling: str = "lanczos"
    """`lanczos` for photos, `nearest` for pixel art."""


@dataclass(frozen=True)
class Cut:
    """One square cut from a photo, or what there is to show of a photo that is not used."""

    pixels: NDArray[np.uint8] | None
    """Array (resolution, resolution, channels); None where there is nothing to show."""
    side: float
    """Pixels of the photo across the square."""
    reason: str = ""
    """Why it is rejected, as `kind: detail`; empty when it is used."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """What was measured on the photo, such as the turn of a head; NaN where it is not known."""


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
                return _frame(image, framing)
        except UnidentifiedImageError:
            raise _what_it_is(data) from None
        except Image.DecompressionBombError as error:
            raise PhotoError("too large", str(error)) from None
        except (PhotoError, MemoryError):
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
    return _frame(Image.fromarray(pixels), framing)


@contextmanager
def _strict_pillow() -> Iterator[None]:
    # Another library may have told Pillow to accept truncated files.
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with warnings.catch_warnings():
            # The size is checked against MAX_PIXELS here; odd metadata is no reason to speak.
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _frame(image: Image.Image, framing: Framing) -> list[Cut]:
    if image.width * image.height > MAX_PIXELS:
        raise PhotoError("too large", f"{image.width}x{image.height} pixels, over {MAX_PIXELS:,}")
    orientation = _orientation(image)
    stored_size = image.size
    width, height = stored_size if orientation < 5 else stored_size[::-1]
    crop = framing.crop.box(width, height)
    side = crop[2] - crop[0]
    if side < MIN_SIDE:
        raise PhotoError("too small", f"{width}x{height} pixels leave a crop of {side}")

    left, top, right, bottom = _stored_box(crop, orientation, stored_size)
    shrunk = _draft(image, side, framing)
    image.load()
    square = _flatten(image, framing.channels).resize(
        (framing.resolution, framing.resolution),
        RESAMPLING[framing.resampling],
        box=(left / shrunk, top / shrunk, right / shrunk, bottom / shrunk),
        reducing_gap=REDUCING_GAP,
    )
    if (turn := TURNS.get(orientation)) is not None:
        square = square.transpose(turn)
    pixels = np.array(square, dtype=np.uint8).reshape(
        framing.resolution, framing.resolution, framing.channels
    )
    return [Cut(pixels, side)]


# EXIF orientation -> what turns the stored image upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":  # Pillow turns TIFF files upright itself
        return 1
    try:
        found = image.getexif().get(EXIF_ORIENTATION, 1)
    except (PhotoError, MemoryError):
        raise
    except Exception:  # damaged metadata does not damage the photo
        return 1
    return found if found in TURNS else 1


def _stored_box(
    box: tuple[int, int, int, int], orientation: int, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Find the crop in the image as it lies in the file, so that only the result is turned."""
    left, top, right, bottom = box
    width, height = size
    if orientation >= 5:  # the axes are exchanged
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _draft(image: Image.Image, side: int, framing: Framing) -> int:
    """Ask the JPEG decoder for 1/2, 1/4 or 1/8 of the size where that is enough."""
    wanted = side // (framing.resolution * DRAFT_MARGIN)
    if image.format not in ("JPEG", "MPO") or framing.resampling == "nearest" or wanted < 2:
        return 1
    factor = next(power for power in (8, 4, 2) if wanted >= power)
    # The box that draft returns is the whole image in its new coordinates; None means no change.
    drawn = image.draft(None, (image.width // factor, image.height // factor))
    return 1 if drawn is None else factor


def _flatten(image: Image.Image, channels: int) -> Image.Image:
    """Bring any colour mode to RGB or grey, transparency to white."""
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB" if channels == 3 else "L")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale 16-bit, 32-bit and float greys; Pillow's own conversion clips them."""
    greys = values.astype(np.float64)
    if not np.isfinite(greys).all():
        raise PhotoError("damaged", "some pixels are not finite numbers")
    low, high = greys.min(), greys.max()
    if values.dtype.kind == "f":
        if low >= 0 and high <= 1:
            greys *= 255
        elif low < 0 or high > 65535:
            greys = (greys - low) * (255 / max(high - low, np.finfo(float).tiny))
        elif high > 255:
            greys /= 257
    elif high > 65535:
        greys *= 255 / high
    else:
        greys /= 257
    return np.clip(np.rint(greys), 0, 255).astype(np.uint8)


# First bytes of what is often found among photos.
STRANGERS = (
    (b"%PDF", "PDF document", "only photo formats are opened"),
    (b"%!PS", "PostScript", "only photo formats are opened"),
    (b"\xc5\xd0\xd3\xc6", "PostScript", "only photo formats are opened"),
    (b"PK\x03\x04", "archive", "a zip file inside the source; pass it by itself"),
    (b"\xff\xd8", "damaged", "a JPEG whose header is cut off or broken"),
    (b"\x89PNG", "damaged", "a PNG whose header is cut off or broken"),
    (b"GIF8", "damaged", "a GIF whose header is cut off or broken"),
    (b"RIFF", "damaged", "a WebP whose header is cut off or broken"),
)
PEEK_BYTES = 1024


def _what_it_is(data: bytes) -> PhotoError:
    head = data[:PEEK_BYTES]
    text = head.decode("utf-8", errors="ignore").lstrip("\ufeff \t\r\n").lower()
    if text.startswith(("<!doctype html", "<html", "<head")) or "<html" in text:
        return PhotoError("web page", "HTML instead of a photo; a download quota page?")
    for magic, kind, detail in STRANGERS:
        if head.startswith(magic):
            return PhotoError(kind, detail)
    if head[4:8] == b"ftyp":
        brand = head[8:12].decode("ascii", errors="replace")
        return PhotoError("unknown format", f"HEIC, AVIF or video ({brand}); save it as JPEG")
    if b"\0" not in head and sum(byte < 9 for byte in head) == 0 and _is_text(head):
        return PhotoError("text", f"begins with {text[:24]!r}")
    return PhotoError("unknown format", f"begins with bytes {head[:8].hex(' ')}")


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character cut in two by the end of the peek
    return True
