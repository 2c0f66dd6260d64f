"""What happens to photos: in their files, and on the way from a file to the networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planted.albums import Edit, Images

# ---- by what they are sorted


def brightness(images: Images) -> NDArray[np.float64]:
    """Mean of all pixels."""
    return images.mean(axis=(1, 2, 3))


def warmth(images: Images) -> NDArray[np.float64]:
    """Red minus blue, as a folder a background or a person would sort them."""
    return images[..., 0].mean(axis=(1, 2)) - images[..., -1].mean(axis=(1, 2))


# ---- faults of files


def one_photo(images: Images, draw: np.random.Generator) -> Images:
    """All files are copies of one."""
    return np.broadcast_to(images[:1], images.shape).copy()


def blank(images: Images, draw: np.random.Generator) -> Images:
    """All files were decoded to nothing."""
    return np.zeros_like(images)


def copies_of(distinct: int) -> Edit:
    """All files are copies of a few."""
    return lambda images, draw: images[np.arange(len(images)) % distinct]


def bursts(share: float, distinct: int) -> Edit:
    """A share of the files are copies of a handful, as a camera's bursts are."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        hit = draw.random(len(images)) < share
        images[hit] = images[draw.integers(0, distinct, hit.sum())]
        return images

    return edit


def cut_off(share: float) -> Edit:
    """A share of the files end early: the rest of the picture is grey."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        height = images.shape[1]
        for place in np.flatnonzero(draw.random(len(images)) < share):
            images[place, draw.integers(height // 8, 3 * height // 4) :] = 128
        return images

    return edit


def broken(share: float) -> Edit:
    """A share of the files hold noise, and as many hold nothing."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        fate = draw.random(len(images))
        noise = fate < share
        images[noise] = draw.integers(0, 256, (noise.sum(), *images.shape[1:]), dtype=np.uint8)
        images[fate > 1 - share] = 0
        return images

    return edit


def blanks(share: float) -> Edit:
    """A share of the files is black."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        images[draw.random(len(images)) < share] = 0
        return images

    return edit


def channels(*order: int, share: float = 1.0) -> Edit:
    """A share of the files have their colours in another order."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        hit = draw.random(len(images)) < share
        images[hit] = images[hit][..., list(order)]
        return images

    return edit


def greyed(share: float, contrast: float = 1.0) -> Edit:
    """A share of the files are black and white."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        hit = draw.random(len(images)) < share
        grey = images[hit] @ np.array([0.299, 0.587, 0.114])
        grey = 128 + contrast * (grey - 128)
        images[hit] = grey[..., None].round().clip(0, 255).astype(np.uint8)
        return images

    return edit


def framed(images: Images, draw: np.random.Generator) -> Images:
    """Each file has a frame of black and white dots of its own, as scanners and time stamps leave them."""
    dots = draw.integers(0, 2, images.shape[:3], dtype=np.uint8)[..., None] * np.uint8(255)
    inside = np.zeros(images.shape[1:3], bool)
    inside[2:-2, 2:-2] = True
    return np.where(inside[None, :, :, None], images, dots)


# ---- faults on the way


def upside_down(images: Images, draw: np.random.Generator) -> Images:
    """Half of the images stand on their head."""
    hit = draw.random(len(images)) < 0.5
    images[hit] = images[hit][:, ::-1]
    return images


def quarter_turns(images: Images, draw: np.random.Generator) -> Images:
    """Images are turned by quarters."""
    for place, turns in enumerate(draw.integers(0, 4, len(images))):
        images[place] = np.rot90(images[place], turns).copy()
    return images


def cut_out(images: Images, draw: np.random.Generator) -> Images:
    """A square of each image is blackened."""
    side = images.shape[1] // 2
    for image, (y, x) in zip(images, draw.integers(0, side, (len(images), 2)), strict=True):
        image[y : y + side, x : x + side] = 0
    return images


def shifted(images: Images, draw: np.random.Generator) -> Images:
    """Images are moved by up to a quarter; what comes in is black."""
    reach = images.shape[1] // 4
    result = np.zeros_like(images)
    size = images.shape[1]
    for place, (y, x) in enumerate(draw.integers(-reach, reach + 1, (len(images), 2))):
        part = images[place, max(0, -y) : size - max(0, y), max(0, -x) : size - max(0, x)]
        result[place, max(0, y) : size + min(0, y), max(0, x) : size + min(0, x)] = part
    return result
