"""Windows of photos are decoded by workers, those of the next pool while training uses this one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.decoding import decode, frame_pixels
from facesmith.data.photos.framing import Framing
from facesmith.data.sources.contract import Entry, Item, Reader
from facesmith.data.streaming.windows import Window
from facesmith.data.workers import Workers, enough_memory, while_wanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decoded:
    """What became of some photos."""

    rows: NDArray[np.int64]
    """Of the photos that can be used, rising."""
    pixels: NDArray[np.uint8]
    """Array (len(rows), H, W, C)."""
    labels: list[tuple[Any, ...]]
    """Of each of them."""
    bad: list[tuple[str, str]]
    """Names of the others, and the reasons."""

    @classmethod
    def of(cls, parts: Sequence[Decoded]) -> Decoded:
        """Put parts together, at least one; rows rise from part to part."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.pixels for part in parts]),
            [labels for part in parts for labels in part.labels],
            [one for part in parts for one in part.bad],
        )

    def take(self, rows: NDArray[np.int64]) -> Decoded:
        """Pick photos, in any order.

        Args:
            rows: For one that cannot be used, the next one that can stands in, round to the beginning.

        Returns:
            Copies, one for each row.
        """
        places = np.searchsorted(self.rows, rows) % len(self.rows)
        labels = [self.labels[place] for place in places.tolist()]
        return Decoded(self.rows[places], self.pixels[places], labels, [])


def decode_window(
    reader: Reader, rows: range, entries: Sequence[Entry], framing: Framing
) -> Decoded:
    """Read and decode photos that lie together.

    Args:
        reader: Of the source.
        rows: Their numbers.
        entries: One for each row.
        framing: How photos are cropped and resized; it gives one image of each.

    Returns:
        What became of them.

    Raises:
        CancelledError: This process is a worker, and nobody waits for its work any more.
    """
    used, images, labels, bad = [], [], [], []
    for row, entry, item in zip(rows, while_wanted(entries), reader.read(entries), strict=True):
        try:
            if isinstance(item, PhotoError):
                raise item
            images.append(_one_image(item, framing))
        except PhotoError as error:
            bad.append((entry.name, str(error)))
        else:
            used.append(row)
            labels.append(item.labels)
    shape = (len(images), framing.resolution, framing.resolution, framing.channels)
    pixels = np.array(images, np.uint8).reshape(shape)
    return Decoded(np.array(used, np.int64), pixels, labels, bad)


def _one_image(item: Item, framing: Framing) -> NDArray[np.uint8]:
    content = item.content
    cuts = (
        decode(content, framing) if isinstance(content, bytes) else frame_pixels(content, framing)
    )
    (cut,) = cuts
    if cut.reason or cut.pixels is None:
        kind, _, detail = cut.reason.partition(": ")
        raise PhotoError(kind, detail)
    return cut.pixels


class Decoder:
    """Decodes windows, in this process or in several others.

    Args:
        reader: Of the source.
        entries: Gives the entries of some rows.
        framing: How photos are cropped and resized.
        workers: Processes; with one, this one decodes, and nothing ahead.
    """

    def __init__(
        self,
        reader: Reader,
        entries: Callable[[range], Sequence[Entry]],
        framing: Framing,
        workers: int,
    ) -> None:
        self.reader, self.entries, self.framing, self.count = reader, entries, framing, workers
        self._workers: Workers | None = None
        self._running: dict[Window, Future[Decoded]] = {}

    def decode(self, wanted: Sequence[Window], then: Sequence[Window] = ()) -> Decoded:
        """Decode windows, and have those begun that will be wanted next.

        Args:
            wanted: At least one.
            then: Others that are begun now are given up, unless they run already.

        Returns:
            What became of the photos of those wanted.

        Raises:
            StorageError: Memory did not suffice, or workers are killed again and again.
        """
        with enough_memory():
            if self.count <= 1:
                return Decoded.of([decode_window(*self._job(window)) for window in wanted])
            try:
                return self._wait(wanted, then)
            except BrokenProcessPool:
                # A signal to all processes of a group reaches them, too; this one may want to save first.
                log.warning("a process that decodes photos has died, and is replaced")
                self.close()
            return self._wait(wanted, then)

    def close(self) -> None:
        """End the workers; decoding starts new ones."""
        if self._workers is not None:
            self._workers.close()
        self._workers, self._running = None, {}

    def _wait(self, wanted: Sequence[Window], then: Sequence[Window]) -> Decoded:
        self._workers = self._workers or Workers(self.count)
        for window in self._running.keys() - {*wanted, *then}:
            self._running.pop(window).cancel()
        for window in (*wanted, *then):
            if window not in self._running:
                job = self._job(window)
                self._running[window] = self._workers.submit(decode_window, *job)
        return Decoded.of([self._running.pop(window).result() for window in wanted])

    def _job(self, window: Window) -> tuple[Reader, range, Sequence[Entry], Framing]:
        return self.reader, window.rows, self.entries(window.rows), self.framing
