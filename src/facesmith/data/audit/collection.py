"""Images to be audited, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.audit.contents import Counts
from facesmith.data.dataset import Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Images = NDArray[np.uint8]
    Statistics = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Collection:
    """Images that are read by row, so that there may be more than fit into memory."""

    title: str
    count: int
    shape: tuple[int, ...]
    """Of an image: (H, W, C)."""
    read: Callable[[NDArray[np.int64]], Images]
    """Gives images by row."""
    name: Callable[[int], str]
    """Gives an image's name by row."""
    held_count: int
    held_out: Callable[[NDArray[np.int64]], Images]
    """Gives held-out images by row."""
    labels: Mapping[str, NDArray[Any]]
    """One array (count,) a label."""
    facts: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """One array (count,) a fact; NaN where unknown."""
    folder: str = ""
    counts: Counts | None = None
    statistics: Statistics | None = None
    """Mean and deviation of each channel over all images, where they are known."""


def of_dataset(dataset: Dataset) -> Collection:
    """Give the training images of a dataset, with its held-out ones beside them.

    Args:
        dataset: Prepared photos.

    Returns:
        The collection.
    """
    summary = dataset.summary
    return Collection(
        title=dataset.folder.resolve().name,
        count=dataset.count,
        shape=tuple(dataset.manifest["shape"]),
        read=dataset.read,
        name=dataset.names.__getitem__,
        held_count=summary.held_out,
        # Mapped anew each time: the pages of a map that is kept count as memory.
        held_out=lambda rows: dataset.held_out[rows],
        labels=dataset.labels,
        facts=dataset.facts,
        folder=str(dataset.folder),
        counts=Counts(
            found=summary.found,
            extra=summary.extra,
            train=summary.train,
            held_out=summary.held_out,
            rejected=dict(summary.rejected),
            enlarged=summary.enlarged,
        ),
        statistics=(dataset.mean, dataset.std),
    )


def of_images(
    images: Images,
    labels: Mapping[str, NDArray[Any]],
    facts: Mapping[str, NDArray[np.floating]],
    title: str,
) -> Collection:
    """Give images that lie in memory.

    Args:
        images: Array (N, H, W, C).
        labels: One array (N,) a label.
        facts: One array (N,) a fact.
        title: What they are called.

    Returns:
        The collection; no image of it is held out.
    """
    return Collection(
        title=title,
        count=len(images),
        shape=images.shape[1:],
        read=images.__getitem__,
        name=lambda row: f"number {row}",
        held_count=0,
        held_out=images.__getitem__,
        labels=labels,
        facts=facts,
    )
