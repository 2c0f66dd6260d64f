"""Where the images of a dataset are while it is trained on: on the disk, in memory, or on the device."""

from __future__ import annotations

import logging

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from facesmith.base.errors import UsageError
from facesmith.data.dataset import Dataset
from facesmith.data.streaming.streamed import Streamed, TrainingSet
from facesmith.data.streams import ImageStream, mirror, mirrored
from facesmith.training.run import Cache

SHARE = 0.3
"""Of the device's free memory, that images may take unasked; the networks need the rest."""
BLOCK_BYTES = 2**26
"""Read at once while images are brought to where they are kept."""

Batches = ImageStream[NDArray[np.uint8] | Tensor]
log = logging.getLogger(__name__)


def keep(dataset: TrainingSet, cache: Cache, device: torch.device) -> Batches:
    """Bring the images to where batches are to be made of them; the batches are the same everywhere.

    Args:
        dataset: The images and their order.
        cache: `disk` reads the files, `ram` keeps all images in memory, `device` where the networks
            compute. `auto` is `device` on a GPU that has memory to spare, else `disk`, whose files the
            system keeps in memory by itself. `none` is for photos that are decoded while training.
        device: Where the networks compute.

    Returns:
        What gives the batches.

    Raises:
        UsageError: The images do not fit, or they are packed and should not be, or the reverse.
    """
    if isinstance(dataset, Streamed) or cache == "none":
        if isinstance(dataset, Streamed) and cache == "none":
            return dataset
        raise UsageError(
            f"--cache {cache} was asked for, and the photos are"
            f"{' not' if isinstance(dataset, Streamed) else ''} packed.",
            needed="none for photos that are decoded while training, anything else for a dataset",
            todo="pass photos with --cache none, or a dataset without",
        )
    if cache == "auto":
        spare = SHARE * free_memory(device) if device.type == "cuda" else 0
        cache = "device" if dataset.nbytes <= spare else "disk"
    log.debug("the images are kept on: %s", cache)
    if cache == "disk":
        return dataset
    place = device if cache == "device" else torch.device("cpu")
    if dataset.nbytes > (free := free_memory(place)):
        where = "memory" if place.type == "cpu" else f"memory of {place}"
        raise UsageError(
            f"--cache {cache} was asked for, and the {where} has {free / 1e6:,.0f} MB free.",
            needed=f"{dataset.nbytes / 1e6:,.0f} MB for all images of {dataset.folder}",
            todo="leave out --cache: the images are then read from the disk, which is as fast on a CPU",
        )
    return InMemory(dataset) if place.type == "cpu" else OnDevice(dataset, place)


def free_memory(device: torch.device) -> int:
    """Ask how many bytes are free.

    Args:
        device: Where.

    Returns:
        Bytes; of the system's memory where the device has none of its own.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


class InMemory:
    """All images of a dataset as one array.

    Args:
        dataset: The images and their order.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.order = dataset.order
        self.images = dataset.read(np.arange(dataset.shape[0]))

    def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> NDArray[np.uint8]:
        """Give the batch that the dataset would give.

        Args:
            start: Number of the first sample.
            count: Samples.
            seed: Of the run.
            flip: Probability that a sample is mirrored.

        Returns:
            uint8 array (count, H, W, C), the caller's own.
        """
        images = self.images[self.order.rows(start, count, seed=seed)]
        if flip:
            mirror(images, mirrored(seed, start, count, flip))
        return images


class OnDevice:
    """All images of a dataset as one tensor of bytes; batches are gathered and mirrored where it lies.

    Args:
        dataset: The images and their order.
        device: Where to keep them.
    """

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.order = dataset.order
        self.images = torch.empty(dataset.shape, dtype=torch.uint8, device=device)
        # In blocks: the memory of the host need not hold them all.
        for rows in np.array_split(np.arange(len(self.images)), dataset.nbytes // BLOCK_BYTES + 1):
            block = torch.from_numpy(dataset.read(rows))
            self.images[rows[0] : rows[0] + len(rows)] = block

    def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> Tensor:
        """Give the batch that the dataset would give; no pixel travels to the device.

        Args:
            start: Number of the first sample.
            count: Samples.
            seed: Of the run.
            flip: Probability that a sample is mirrored.

        Returns:
            uint8 tensor (count, H, W, C).
        """
        rows = self._here(self.order.rows(start, count, seed=seed))
        images = self.images.index_select(0, rows)
        if not flip:
            return images
        which = self._here(mirrored(seed, start, count, flip))
        return torch.where(which.view(-1, 1, 1, 1), images.flip(2), images)

    def _here(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self.images.device, non_blocking=True)
