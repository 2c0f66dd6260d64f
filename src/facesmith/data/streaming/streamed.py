"""Photos without a pack: decoded while they are trained on, in an order that is exact all the same."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from facesmith.base.errors import DataError, UsageError
from facesmith.data.dataset import Dataset
from facesmith.data.groups import column
from facesmith.data.packing.files import JOURNAL
from facesmith.data.packing.manifest import is_dataset
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.photos.framing import Framing
from facesmith.data.plan import HELD_OUT, Plan, Preparation
from facesmith.data.sources.annotations import Cells
from facesmith.data.sources.contract import Entry, Source
from facesmith.data.statistics import channel_histogram, moments
from facesmith.data.streaming.decoder import Decoded, Decoder
from facesmith.data.streaming.sides import split
from facesmith.data.streaming.windows import MIXED, Pool, Window, Windowed
from facesmith.data.streams import mirror, mirrored
from facesmith.data.summary import Summary
from facesmith.data.workers import processors

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 32
"""Photos that are read in one go, where their images are small."""
POOL_BYTES = 2**28
"""Of images that are mixed; as many more are decoded ahead."""
SAMPLED = 32
"""Windows, evenly spaced, whose images give mean and deviation."""
WORKERS = 8
"""Processes that decode at most, unless told; the others are for training."""
BAD_SHARE = 0.01
"""Of the photos that were read; more that cannot be used end the training."""
GRACE = 1_000
"""Photos that count as read from the beginning, so that one bad photo of the first ten ends nothing."""
NAMED = 20
"""Bad photos that are named aloud; all are in the log."""

log = logging.getLogger(__name__)


class Streamed:
    """Training images and held-out images that are made of photos when they are wanted.

    Sample i is a function of the seed and i alone, as in a dataset; the order is another one. A photo that
    cannot be decoded is replaced by the next one that can, of those it is mixed with. Whether a photo is
    held out depends on its name alone, unless the source's authors say it. Nothing is cleaned, and
    copies are not found.

    Args:
        source: The photos.
        framing: How they are cropped and resized, to one image each.
        held_out: Share of photos kept away from training, 0 to 0.5; None for the split of the source's
            authors.
        workers: Processes that decode; by default one a processor, at most 8. With one, this one does.

    Raises:
        UsageError: The crop may give several images of a photo.
        DataError: The source can only be read from its beginning, or tells its split too late.
    """

    def __init__(
        self,
        source: Source,
        framing: Framing,
        *,
        held_out: float | None = HELD_OUT,
        workers: int | None = None,
    ) -> None:
        _check(source, framing)
        self.source = source
        self.resolution, self.channels = framing.resolution, framing.channels
        train, held = split(source, held_out)
        self._places = np.concatenate([train, held])
        """Of the entries: rows are numbered so that those to train on come first."""
        self.count = len(train)
        """Photos to train on; a few may turn out to be of no use."""
        self.summary = Summary(len(self._places), self.count, len(held))
        shape = (framing.resolution, framing.resolution, framing.channels)
        self._none = np.empty((0, *shape), np.uint8)
        window = max(1, min(WINDOW, POOL_BYTES // MIXED // math.prod(shape)))
        self.order = Windowed(max(1, self.count), window)
        self._plan = Plan(source, framing, held_out)
        workers = min(processors(), WORKERS) if workers is None else workers
        self._decoder = Decoder(source.reader, self._entries, framing, workers)
        self._pool: tuple[int, Pool, Decoded] | None = None
        self._read = self._failed = 0
        self._named: set[str] = set()

    # ---- what training asks of a dataset

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What decides the images and their order."""
        order = {"window": self.order.window, "mixed": self.order.mixed}
        return {**self._plan.settings, "streamed": order}

    def describe(self) -> dict[str, Any]:
        """Say which photos these are, so that a run can tell whether they are still the same.

        Returns:
            Name of the source, number of training photos, and the settings with the source's fingerprint.
        """
        return {"folder": self.source.title, "count": self.count, "settings": self.settings}

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel, in [0, 1], of a fixed sample of the training images."""
        return tuple(self._moments[0])

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of each channel of the sample."""
        return tuple(self._moments[1])

    @property
    def held_out(self) -> NDArray[np.uint8]:
        """Held-out images (M, H, W, C), decoded anew each time; 10,000 at most."""
        stop, step = len(self._places), self.order.window
        starts = range(self.count, stop, step)
        windows = [Window(range(start, min(start + step, stop))) for start in starts]
        return self._decode(windows).pixels if windows else self._none

    def balanced(self, *columns: str) -> NoReturn:
        """Refuse: the photos are not in memory to be chosen from.

        Args:
            *columns: Labels.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"Photos that are decoded while training were to be balanced by {' and '.join(columns)}.",
            needed="a pack, in which any image can be read at any time",
            todo="leave out --cache none, or --balance",
        )

    def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> NDArray[np.uint8]:
        """Give consecutive samples of the endless stream; fastest one after another.

        Args:
            start: Number of the first sample, counted from the beginning of the run.
            count: Samples.
            seed: Of the run.
            flip: Probability that a sample is mirrored left to right.

        Returns:
            Array (count, H, W, C), the caller's own.

        Raises:
            DataError: Too many photos cannot be used, or the source has changed or vanished.
            StorageError: Memory ran out.
        """
        parts = [part.pixels for part in self._samples(start, count, seed)]
        images = np.concatenate([self._none, *parts])
        if flip:
            mirror(images, mirrored(seed, start, count, flip))
        return images

    def batch_labels(
        self, start: int, count: int, *, seed: int, columns: Sequence[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Give the labels of a batch.

        Args:
            start: Number of the first sample.
            count: Samples.
            seed: Of the run.
            columns: Labels that are wanted; all by default.

        Returns:
            One array (count,) a label, in the order of the images of `batch`.

        Raises:
            UsageError: There is no such label.
        """
        parts = list(self._samples(start, count, seed))
        rows = np.concatenate([np.empty(0, np.int64), *(part.rows for part in parts)])
        labels = {name: values[rows] for name, values in self._told.items()}
        for number, name in enumerate(self.source.label_names):
            cells = Cells()
            read = (one[number] for part in parts for one in part.labels)
            cells.extend("" if value is None else str(value) for value in read)
            labels[name] = cells.column().array()
        wanted = self.source.columns if columns is None else columns
        return {name: column(labels, name) for name in wanted}

    def close(self) -> None:
        """End the processes that decode; the next batch starts new ones."""
        self._decoder.close()

    def __len__(self) -> int:
        return self.count

    # ---- inside

    def _samples(self, start: int, count: int, seed: int) -> Iterator[Decoded]:
        end = start + count
        while start < end:
            part = self._first_samples(start, end, seed)
            start += len(part.rows)
            yield part

    def _first_samples(self, start: int, end: int, seed: int) -> Decoded:
        """Give samples up to an end, or to that of their pool."""
        if self._pool is None or self._pool[0] != seed or not self._pool[1].holds(start):
            self._pool = None  # before the next one is in memory
            pool = self.order.pool(start, seed=seed)
            following = self.order.pool(pool.end, seed=seed)
            self._pool = seed, pool, self._decode(pool.windows, following.windows)
        _, pool, decoded = self._pool
        return decoded.take(pool.rows[start - pool.start : end - pool.start])

    def _decode(self, windows: Sequence[Window], then: Sequence[Window] = ()) -> Decoded:
        decoded = self._decoder.decode(windows, then)
        self._read += len(decoded.rows) + len(decoded.bad)
        self._failed += len(decoded.bad)
        for name, reason in decoded.bad:
            if name not in self._named:
                level = logging.WARNING if len(self._named) < NAMED else logging.DEBUG
                log.log(level, "%s is not used: %s; the next photo stands in", name, reason)
                self._named.add(name)
        if self._failed > BAD_SHARE * max(self._read, GRACE) or not len(decoded.rows):
            name, reason = decoded.bad[-1]
            raise DataError(
                f"{self._failed:,} of {self._read:,} photos of {self.source.title} cannot be used; the last "
                f"is {name}: {reason}.",
                needed=f"at most {BAD_SHARE:.0%} of such photos where they are decoded while training",
                todo="leave out --cache none: photos that are prepared may be bad in any number",
            )
        return decoded

    @cached_property
    def _moments(self) -> tuple[list[float], list[float]]:
        spaced = np.linspace(0, self.order.windows - 1, min(SAMPLED, self.order.windows))
        windows = [Window(self.order.range(number)) for number in spaced.astype(int).tolist()]
        return moments(channel_histogram(self._decode(windows).pixels))

    @cached_property
    def _told(self) -> dict[str, NDArray[Any]]:
        """Labels that are known without reading, by row."""
        annotations = self.source.annotations
        if annotations is None:
            return {}
        names = (self.source.entries[place].name for place in self._places.tolist())
        rows = np.array([annotations.rows.get(name, -1) for name in names], np.int32)
        columns = zip(annotations.names, annotations.columns, strict=True)
        return {name: values.take(rows).array() for name, values in columns}

    def _entries(self, window: range) -> list[Entry]:
        places = self._places[window.start : window.stop].tolist()
        return [self.source.entries[place] for place in places]


TrainingSet = Dataset | Streamed
"""What a recipe may be trained on."""


def streamed(source: str | Path, how: Preparation, *, workers: int | None = None) -> Streamed:
    """List photos that are to be decoded while they are trained on.

    Args:
        source: Whatever `prepare` takes.
        how: As for `prepare`; nothing is cleaned.
        workers: Processes that decode.

    Returns:
        The photos.

    Raises:
        DataError: The source is missing, empty or damaged, or cannot be streamed.
        UsageError: It is a prepared dataset, or a setting is out of range or cannot be streamed.
    """
    path = Path(source)
    if is_dataset(path) or (path / JOURNAL).is_file():
        raise UsageError(
            f"--cache none was asked for, and {path} is a prepared dataset.",
            needed="photos, which are decoded while training",
            todo="leave out --cache none, or pass the photos",
        )
    plan = how.plan(source)
    return Streamed(plan.source, plan.framing, held_out=plan.held_out, workers=workers)


def _check(source: Source, framing: Framing) -> None:
    if isinstance(framing.crop, FaceCrop) and framing.crop.faces == "all":
        raise UsageError(
            f"--crop {framing.crop} was asked for with --cache none.",
            needed="a crop that makes one image of each photo, whose number is known before it is decoded",
            todo="leave out --cache none, so that faces are looked for once; or, where each photo shows one, "
            "choose --crop 'face(faces=largest)'",
        )
    if source.sequential:
        raise DataError(
            f"{source.title} can only be read from its beginning.",
            needed="photos that can be read in any order",
            todo="unpack it to plain tar files; or leave out --cache none",
        )
