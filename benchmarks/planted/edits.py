"""What happens to photos: in their files, and on the way from a file to the networks."""

from __future__ import annotations

from collections.abc import Callable

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


def contrast(images: Images) -> NDArray[np.float64]:
    """How much a picture varies."""
    return np.asarray(images.std(axis=(1, 2, 3)))


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


def even_colours(images: Images, draw: np.random.Generator) -> Images:
    """Each file is one colour: a thumbnail of one pixel."""
    colours = draw.integers(0, 256, (len(images), 1, 1, images.shape[3]), dtype=np.uint8)
    return np.broadcast_to(colours, images.shape).copy()


def torn_rows(share: float) -> Edit:
    """A share of the files have lost bytes: each row begins elsewhere."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        for place in np.flatnonzero(draw.random(len(images)) < share):
            for row in range(images.shape[1]):
                images[place, row] = np.roll(images[place, row], draw.integers(images.shape[2]), 0)
        return images

    return edit


def striped(share: float) -> Edit:
    """A share of the files lack blocks of rows, which are green."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        height = images.shape[1]
        for place in np.flatnonzero(draw.random(len(images)) < share):
            top = draw.integers(0, height // 2)
            images[place, top : top + height // 3] = (0, 136, 0)
        return images

    return edit


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


def jittered(images: Images, draw: np.random.Generator) -> Images:
    """Colours and light are changed at random."""
    gain = draw.uniform(0.4, 1.6, (len(images), 1, 1, images.shape[3]))
    return (images * gain).clip(0, 255).astype(np.uint8)


def zoomed(images: Images, draw: np.random.Generator) -> Images:
    """Random crops of half the width, enlarged again."""
    half = images.shape[1] // 2
    for place, (y, x) in enumerate(draw.integers(0, half, (len(images), 2))):
        images[place] = images[place, y : y + half, x : x + half].repeat(2, 0).repeat(2, 1)
    return images


def blurred(images: Images, draw: np.random.Generator) -> Images:
    """Half of the images lose their detail."""
    hit = draw.random(len(images)) < 0.5
    small = images[hit][:, ::4, ::4]
    images[hit] = small.repeat(4, 1).repeat(4, 2)
    return images


# ---- of the reporting half


def webcam(images: Images, draw: np.random.Generator) -> Images:
    """All files show one scene; only the sensor's noise differs."""
    noise = draw.integers(-3, 4, images.shape)
    return (images[:1].astype(np.int64) + noise).clip(0, 255).astype(np.uint8)


def resaved(share: float, distinct: int) -> Edit:
    """A share of the files are a few photos, saved again and again: no two files are equal."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        hit = draw.random(len(images)) < share
        copies = images[draw.integers(0, distinct, hit.sum())].astype(np.int64)
        copies += draw.integers(-4, 5, (len(copies), 1, 1, 1))  # another exposure
        copies += draw.integers(-2, 3, copies.shape)  # another compression
        images[hit] = copies.clip(0, 255)
        return images

    return edit


def sheared(share: float) -> Edit:
    """A share of the files were read with a wrong row length: each row begins a little further on."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        size = images.shape[2]
        for place in np.flatnonzero(draw.random(len(images)) < share):
            step = draw.choice([-3, -2, 2, 3])
            columns = (np.arange(size)[None] + step * np.arange(size)[:, None]) % size
            images[place] = images[place][np.arange(size)[:, None], columns]
        return images

    return edit


def smeared(share: float) -> Edit:
    """A share of the files end early, and the decoder repeats their last row."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        size = images.shape[1]
        for place in np.flatnonzero(draw.random(len(images)) < share):
            row = draw.integers(size // 8, size // 2)
            images[place, row:] = images[place, row]
        return images

    return edit


def night(share: float) -> Edit:
    """The darkest photos have no colour: the camera switched to infrared."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        dark = brightness(images) <= np.quantile(brightness(images), share)
        grey = images[dark] @ np.array([0.299, 0.587, 0.114])
        images[dark] = grey[..., None].round()
        return images

    return edit


def dark_ones(*order: int) -> Edit:
    """The darker half, which came from another source, has its colours in another order."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        dark = brightness(images) <= np.median(brightness(images))
        images[dark] = images[dark][..., list(order)]
        return images

    return edit


def folders(count: int) -> Callable[[Images], NDArray[np.float64]]:
    """Number of the folder in which a photo lies; like ones lie together, in no order."""

    def key(images: Images) -> NDArray[np.float64]:
        coarse = images[:, ::4, ::4].reshape(len(images), -1) / 255.0
        coarse -= coarse.mean(axis=0)
        along = np.linalg.svd(coarse, full_matrices=False)[2][0]
        ranks = (coarse @ along).argsort().argsort()
        # Which folder comes first is chance, and so is the order within.
        draw = np.random.default_rng(count)
        return draw.permutation(count)[ranks * count // len(images)] + draw.random(len(images))

    return key


def double_exposure(images: Images, draw: np.random.Generator) -> Images:
    """Most images are two photos laid over each other, as mixup makes them."""
    hit = draw.random(len(images)) < 0.7
    other = images[draw.permutation(len(images))].astype(np.uint16)
    images[hit] = (images[hit] + other[hit]) // 2
    return images


def negatives(images: Images, draw: np.random.Generator) -> Images:
    """Some images are negatives."""
    hit = draw.random(len(images)) < 0.4
    images[hit] = 255 - images[hit]
    return images


def tinted(share: float, tint: tuple[int, int, int]) -> Edit:
    """A share of the files are black and white, with the faint tint of a scanner."""

    def edit(images: Images, draw: np.random.Generator) -> Images:
        hit = draw.random(len(images)) < share
        grey = images[hit] @ np.array([0.299, 0.587, 0.114])
        images[hit] = (grey[..., None] + tint).round().clip(0, 255).astype(np.uint8)
        return images

    return edit
