"""In which order training images come: sample i of a stream is a function of the seed and i alone.

So batches of any size cut the same stream, a run goes on where it was stopped, and each of several
processes takes its own cut of every batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from facesmith.base.randomness import permutation, stream_key, uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


class Order(Protocol):
    """An endless sequence of rows of a dataset."""

    count: int
    """Rows that it draws from; so many samples are an epoch."""

    @property
    def members(self) -> Rows:
        """The rows that it draws from, each once."""
        ...

    def rows(self, start: int, count: int, *, seed: int) -> Rows:
        """Say which rows are consecutive samples.

        Args:
            start: Number of the first sample, counted from the beginning of the run.
            count: Samples.
            seed: Of the run.

        Returns:
            Array (count,).
        """
        ...

    def fingerprint(self) -> str:
        """Describe what it draws from; empty where that is everything."""
        ...


class Shuffled:
    """Every image once an epoch, each epoch in an order of its own.

    Args:
        count: Images of the dataset.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._latest: tuple[tuple[int, int], Rows] | None = None

    @property
    def members(self) -> Rows:  # noqa: D102
        return np.arange(self.count)

    def rows(self, start: int, count: int, *, seed: int) -> Rows:  # noqa: D102
        rows = np.empty(count, dtype=np.int64)
        done = 0
        while done < count:
            epoch, place = divmod(start + done, self.count)
            cut = self._epoch(seed, epoch)[place : place + count - done]
            rows[done : done + len(cut)] = cut
            done += len(cut)
        return rows

    def fingerprint(self) -> str:  # noqa: D102
        return ""

    def _epoch(self, seed: int, epoch: int) -> Rows:
        if self._latest is None or self._latest[0] != (seed, epoch):
            self._latest = (seed, epoch), permutation(seed, f"order/{epoch}", self.count)
        return self._latest[1]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_latest": None}  # it is large, and follows from the rest


class Subset:
    """Some of the images, each once an epoch.

    Args:
        members: Their rows.
    """

    def __init__(self, members: Rows) -> None:
        self.members = members
        self.count = len(members)
        self._order = Shuffled(self.count)

    def rows(self, start: int, count: int, *, seed: int) -> Rows:  # noqa: D102
        return self.members[self._order.rows(start, count, seed=seed)]

    def fingerprint(self) -> str:  # noqa: D102
        return _digest({"": self.members})


class Balanced:
    """Groups of images equally often, however many images each of them has.

    Of n groups, each block of n samples holds every group once, in an order of its own. Within a
    group, no image comes again before all others of the group have come.

    Args:
        groups: Name -> rows; none is empty.
    """

    def __init__(self, groups: Mapping[str, Rows]) -> None:
        self.groups = groups
        self.count = sum(map(len, groups.values()))
        self._orders = [(name, Subset(rows)) for name, rows in groups.items()]

    @property
    def members(self) -> Rows:  # noqa: D102
        return np.concatenate(list(self.groups.values()))

    def rows(self, start: int, count: int, *, seed: int) -> Rows:  # noqa: D102
        size = len(self._orders)
        first, skipped = divmod(start, size)
        blocks = -(-(skipped + count) // size)
        drawn = uniforms(seed, "groups", start=first, count=blocks, width=size)
        groups = drawn.argsort(axis=1).ravel()[skipped : skipped + count]
        numbers = (skipped + np.arange(count)) // size + first
        rows = np.empty(count, dtype=np.int64)
        for group in np.unique(groups):
            name, order = self._orders[group]
            # It comes once a block: the block's number is how often it has come before.
            here = groups == group
            rows[here] = order.rows(
                int(numbers[here][0]), int(here.sum()), seed=stream_key(seed, f"group/{name}")
            )
        return rows

    def fingerprint(self) -> str:  # noqa: D102
        return _digest(self.groups)


# ---- flips


def mirrored(seed: int, start: int, count: int, flip: float) -> NDArray[np.bool_]:
    """Say which samples are mirrored.

    Args:
        seed: Of the run.
        start: Number of the first sample.
        count: Samples.
        flip: Probability of each.

    Returns:
        Array (count,).
    """
    return uniforms(seed, "flips", start=start, count=count, width=1)[:, 0] < flip


def mirror(images: NDArray[np.uint8], which: NDArray[np.bool_]) -> None:
    """Mirror some images left to right, in place.

    Args:
        images: Array (N, H, W, C).
        which: Array (N,).
    """
    for place in np.flatnonzero(which):
        image, before = images[place], images[place].copy()
        for channel in range(image.shape[2]):  # six times faster than whole pixels
            image[:, :, channel] = before[:, ::-1, channel]


# ---- two at a time

Images = TypeVar("Images", covariant=True)


class ImageStream(Protocol[Images]):
    """What gives batches: a dataset, or what keeps one elsewhere."""

    def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> Images:
        """Give images number `start` to `start + count`, uint8 (count, H, W, C)."""
        ...


class Pair(Generic[Images]):
    """Two streams side by side, for translation from one domain to the other.

    Their orders are independent, and their epochs end when they end.

    Args:
        first: Images of one domain, such as a dataset.
        second: Of the other; it may be another subset of the same dataset.
    """

    def __init__(self, first: ImageStream[Images], second: ImageStream[Images]) -> None:
        self.first, self.second = first, second

    def batch(
        self, start: int, count: int, *, seed: int, flip: float = 0.0
    ) -> tuple[Images, Images]:
        """Read consecutive samples of both.

        Args:
            start: Number of the first sample.
            count: Samples of each.
            seed: Of the run.
            flip: Probability that a sample is mirrored.

        Returns:
            Two arrays (count, H, W, C).
        """
        # With one seed, domains of equal size would be shuffled alike.
        return (
            self.first.batch(start, count, seed=stream_key(seed, "pair/first"), flip=flip),
            self.second.batch(start, count, seed=stream_key(seed, "pair/second"), flip=flip),
        )


def _digest(groups: Mapping[str, Rows]) -> str:
    found = hashlib.sha256()
    for name, rows in groups.items():
        found.update(f"{name}\0{len(rows)}\0".encode("utf-8", "surrogatepass"))
        found.update(rows.astype("<i8").tobytes())
    return found.hexdigest()
