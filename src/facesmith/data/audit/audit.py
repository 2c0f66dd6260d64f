"""An audit of a dataset, or of any images such as those that a model made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.base.errors import DataError
from facesmith.data.audit import (
    background,
    copies,
    labels,
    network,
    outliers,
    pictures,
    pose,
    skin,
    state,
)
from facesmith.data.audit.collection import Collection, of_dataset, of_images
from facesmith.data.audit.contents import Audit, Outlier, Pixels
from facesmith.data.audit.measuring import Measured, look, signatures
from facesmith.data.dataset import Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 20_000
"""Images that are measured; a share is then known to 0.7 of a per cent."""
NAMED = 100
"""Outliers, farthest first."""


def audit(dataset: Dataset, *, sample: int = SAMPLE) -> Audit:
    """Find out who is in a dataset and in what state its pictures are.

    Args:
        dataset: Prepared photos.
        sample: Training images that are measured, spread evenly over all of them; labels and copies are
            counted over all.

    Returns:
        Numbers and pictures.
    """
    return _examine(of_dataset(dataset), sample)


def audit_images(
    images: NDArray[np.uint8],
    labels: Mapping[str, NDArray[Any]] | None = None,
    facts: Mapping[str, NDArray[np.floating]] | None = None,
    *,
    title: str = "images",
) -> Audit:
    """Find out the same of any images, such as those that a model made.

    Args:
        images: Array (N, H, W, C), N above 0, C of 1 or 3.
        labels: One array (N,) a label.
        facts: One array (N,) a fact, such as `yaw` in degrees.
        title: What they are called.

    Returns:
        Numbers and pictures; nothing is said of files or of held-out images.

    Raises:
        DataError: There are no images.
    """
    if not len(images):
        raise DataError(
            "There are no images to audit.", needed="one or more", todo="give images (N, H, W, C)"
        )
    return _examine(of_images(images, labels or {}, facts or {}, title), len(images))


def _examine(images: Collection, sample: int) -> Audit:
    number = min(max(1, sample), images.count)
    rows = (np.arange(number, dtype=np.int64) * images.count) // number
    measured = look(images.read, rows, images.shape)
    apart = outliers.distances(measured.thumbnails)
    signed = (
        signatures(images.read, images.count, images.shape),
        signatures(images.held_out, images.held_count, images.shape),
    )
    alike, leaked = copies.find(np.concatenate(signed), images.count)
    return Audit(
        title=images.title,
        folder=images.folder,
        counts=images.counts,
        pixels=_pixels(images, rows, measured),
        state=state.sum_up(measured.measures),
        copies=copies.sum_up(alike, leaked, images.count, images.held_count, images.name),
        outliers=tuple(
            Outlier(images.name(int(rows[at])), round(float(apart[at]), 3))
            for at in np.argsort(-apart, kind="stable")[:NAMED]
        ),
        skin=skin.sum_up(measured.skin),
        pose=pose.sum_up(images.facts),
        background=background.sum_up(measured.kinds, measured.borders),
        labels=labels.sum_up(images.labels),
        pairs=labels.pairs(images.labels),
        sheets=pictures.choose(images, rows, measured, apart, alike, leaked),
    )


def _pixels(images: Collection, rows: NDArray[np.int64], measured: Measured) -> Pixels:
    mean, std = images.statistics or (measured.channel_mean, measured.channel_std)
    maps = network.maps(mean, std)
    shown = images.read(pictures.preview(len(rows), rows))
    return Pixels(
        measured=len(rows),
        of=images.count,
        resolution=images.shape[0],
        channels=images.shape[2],
        mean=tuple(mean),
        std=tuple(std),
        ranges={name: network.ranges(pixels) for name, pixels in maps.items()},
        exact=all(
            np.array_equal(network.there_and_back(pixels, shown), shown) for pixels in maps.values()
        ),
    )
