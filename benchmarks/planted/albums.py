"""Datasets that are not as they should be."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesmith.data.dataset import Dataset
from facesmith.data.streams import Order, Shuffled
from planted.case import Spoil, Subject

Images = NDArray[np.uint8]
Edit = Callable[[Images, np.random.Generator], Images]
"""Images (N, H, W, C) -> images (M, H, W, C); they may be changed in place."""
SEED = 20


class Album(Dataset):
    """A dataset of other images than its folder's, held in memory.

    Args:
        dataset: Gives everything else.
        images: Training images.
        held_out: Held-out images.
        order: In which training images come; shuffled by default.
        disturb: What happens to a batch on its way, given the number of its first sample.
    """

    def __init__(
        self,
        dataset: Dataset,
        images: Images | None = None,
        held_out: Images | None = None,
        order: Order | None = None,
        disturb: Callable[[Images, int], Images] | None = None,
    ) -> None:
        manifest = copy.deepcopy(dataset.manifest)
        self._images = np.array(dataset.images) if images is None else images
        self._held_out = np.array(dataset.held_out) if held_out is None else held_out
        self._disturb = disturb
        for name in ("mean", "std"):
            manifest[name] = getattr(self._images, name)(axis=(0, 1, 2)) / 255
        super().__init__(dataset.folder, manifest)
        self.summary = replace(self.summary, train=len(self._images), held_out=len(self._held_out))
        self.order = order or Shuffled(len(self._images))

    @property
    def images(self) -> Images:
        """Training images."""
        return self._images

    @property
    def held_out(self) -> Images:
        """Held-out images."""
        return self._held_out

    def describe(self) -> dict[str, Any]:
        """Say what these images are; no folder holds them."""
        digest = hashlib.sha256(self._images.tobytes()).hexdigest()
        return {**super().describe(), "folder": "in memory", "sha256": digest}

    def read(self, indices: NDArray[np.int64]) -> Images:
        """Give training images by row."""
        return self._images[indices]

    def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> Images:
        """Give a batch, disturbed."""
        images = super().batch(start, count, seed=seed, flip=flip)
        return images if self._disturb is None else self._disturb(images, start)


class InRow:
    """Every image once an epoch, in the order of the files, shuffled within a small window at most.

    Args:
        count: Images of the dataset.
        window: Images that are shuffled among each other.
    """

    def __init__(self, count: int, window: int = 1) -> None:
        self.count, self.window = count, window

    @property
    def members(self) -> NDArray[np.int64]:
        """All rows."""
        return np.arange(self.count)

    def rows(self, start: int, count: int, *, seed: int) -> NDArray[np.int64]:
        """Say which rows are consecutive samples."""
        places = (start + np.arange(count)) % self.count
        block = places // self.window
        # A step coprime to the window's length visits each place of a window once.
        inner = (
            places % self.window * (self.window // 2 - 1 if self.window > 2 else 1)
        ) % self.window
        return np.minimum(block * self.window + inner, self.count - 1)

    def fingerprint(self) -> str:
        """Nothing is left out."""
        return ""


def edited(edit: Edit) -> Spoil:
    """Plant a fault of the files: training and held-out images have it alike."""

    def spoil(subject: Subject) -> Subject:
        dataset = subject.dataset
        images = edit(np.array(dataset.images), np.random.default_rng(SEED))
        held_out = edit(np.array(dataset.held_out), np.random.default_rng(SEED + 1))
        return replace(subject, dataset=Album(dataset, images, held_out))

    return spoil


def sorted_by(key: Callable[[Images], NDArray[np.float64]], *, window: int = 1) -> Spoil:
    """Plant files that lie in an order and are read in that order."""

    def spoil(subject: Subject) -> Subject:
        images = np.array(subject.dataset.images)
        images = images[np.argsort(key(images), kind="stable")]
        order = InRow(len(images), window)
        return replace(subject, dataset=Album(subject.dataset, images, order=order))

    return spoil


def disturbed(disturb: Callable[[Images, np.random.Generator], Images]) -> Spoil:
    """Plant a fault of what happens to a batch between file and network."""

    def spoil(subject: Subject) -> Subject:
        def on_its_way(images: Images, start: int) -> Images:
            return disturb(images, np.random.default_rng([SEED, start]))

        return replace(subject, dataset=Album(subject.dataset, disturb=on_its_way))

    return spoil


def slow(seconds: float, *, every: int = 1) -> Spoil:
    """Plant a loader that keeps the trainer waiting.

    Args:
        seconds: That it sleeps.
        every: Batches from one sleep to the next.
    """

    def spoil(subject: Subject) -> Subject:
        calls = 0

        def wait(images: Images, start: int) -> Images:
            nonlocal calls
            calls += 1
            if calls % every == 0:
                time.sleep(seconds)
            return images

        return replace(subject, dataset=Album(subject.dataset, disturb=wait))

    return spoil


# ---- keys


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


def fewer(count: int) -> Edit:
    """There are that many training images, and a tenth of them held out."""
    return lambda images, draw: images[: count if len(images) > 2000 else max(2, count // 10)]


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
