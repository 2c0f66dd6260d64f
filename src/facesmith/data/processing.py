"""Entries become training images, in this process or in several others."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.base.errors import StorageError
from facesmith.data.crops import PhotoError
from facesmith.data.decoding import Framing, decode, frame_pixels
from facesmith.data.entries import Entry, Item, Reader, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNKS_AHEAD = 2
"""Chunks for each worker that may wait for the writer, so that memory stays bounded."""
MAX_WORKERS = 32
SERIAL_CHUNKS = 4
"""Fewer chunks are not worth the start of worker processes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What processing made of one entry, without its pixels."""

    name: str
    reason: str
    """Why it is rejected; empty when it is used."""
    sha256: str
    enlarged: bool
    side: Side | None
    """Where the source's authors put it."""
    labels: tuple[Any, ...]


Chunk = tuple[list[Outcome], "NDArray[np.uint8]"]
"""Outcomes of some entries, and the pixels (N, resolution, resolution, channels) of those used."""


def process(
    reader: Reader, chunks: Sequence[Sequence[Entry]], framing: Framing, workers: int | None
) -> Iterator[Chunk]:
    """Read and frame all chunks.

    Args:
        reader: Of the source.
        chunks: Its entries, cut into chunks.
        framing: How photos are cropped and resized.
        workers: Processes; None for one a processor, or none where that does not pay.

    Yields:
        One result a chunk, in order, whatever the number of workers.

    Raises:
        StorageError: A worker was killed, most often for lack of memory.
    """
    if workers is None:
        workers = _processors() if len(chunks) >= SERIAL_CHUNKS else 1
    workers = min(workers, MAX_WORKERS, len(chunks))
    if workers <= 1:
        yield from (process_chunk(reader, chunk, framing) for chunk in chunks)
        return
    # Spawned, not forked: the parent may hold torch's threads and locks.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)
    running: deque[Future[Chunk]] = deque()
    try:
        for chunk in chunks:
            running.append(pool.submit(process_chunk, reader, chunk, framing))
            if len(running) > workers * CHUNKS_AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    except BrokenProcessPool as error:
        raise StorageError(
            "A worker process died while it decoded photos.",
            needed="enough memory for all workers; and, in a script of your own, the call below "
            '`if __name__ == "__main__":`',
            todo="run the same command again with fewer workers: it continues",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def process_chunk(reader: Reader, entries: Sequence[Entry], framing: Framing) -> Chunk:
    """Read and frame some entries.

    Args:
        reader: Of the source.
        entries: What to read.
        framing: How photos are cropped and resized.

    Returns:
        An outcome for each entry, and the pixels of those that are used.
    """
    outcomes, images = [], []
    for entry, item in zip(entries, reader.read(entries), strict=True):
        outcome, image = _process_one(entry, item, framing)
        outcomes.append(outcome)
        if image is not None:
            images.append(image)
    shape = (len(images), framing.resolution, framing.resolution, framing.channels)
    return outcomes, np.array(images, dtype=np.uint8).reshape(shape)


def _process_one(
    entry: Entry, item: Item | PhotoError, framing: Framing
) -> tuple[Outcome, NDArray[np.uint8] | None]:
    if isinstance(item, PhotoError):
        return Outcome(entry.name, str(item), "", False, None, ()), None
    try:
        if isinstance(item.content, bytes):
            digest = hashlib.sha256(item.content).hexdigest()
            framed = decode(item.content, framing)
        else:
            digest = hashlib.sha256(item.content.tobytes()).hexdigest()
            framed = frame_pixels(item.content, framing)
    except PhotoError as reason:
        return Outcome(entry.name, str(reason), digest, False, item.side, item.labels), None
    outcome = Outcome(entry.name, "", digest, framed.enlarged, item.side, item.labels)
    return outcome, framed.pixels


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _prepare_worker() -> None:
    """Leave signals to the parent, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
