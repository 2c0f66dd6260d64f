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
from facesmith.data.streams import Order, Shuffled, Subset
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


def fewer(count: int) -> Spoil:
    """Plant a collection of so many photos, a tenth of them more held out."""

    def spoil(subject: Subject) -> Subject:
        dataset = subject.dataset
        images = np.array(dataset.images[:count])
        held_out = np.array(dataset.held_out[: max(2, count // 10)])
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


def one_shard(count: int) -> Spoil:
    """Plant a loader that reads the first of many files only."""

    def spoil(subject: Subject) -> Subject:
        return replace(subject, dataset=Album(subject.dataset, order=Subset(np.arange(count))))

    return spoil


def slower(seconds: float) -> Spoil:
    """Plant a loader that waits longer each time: it goes through a list that it makes longer.

    Args:
        seconds: That each batch waits longer than the one before.
    """

    def spoil(subject: Subject) -> Subject:
        calls = 0

        def wait(images: Images, start: int) -> Images:
            nonlocal calls
            calls += 1
            time.sleep(seconds * calls)
            return images

        return replace(subject, dataset=Album(subject.dataset, disturb=wait))

    return spoil
