"""Entries become training images, in this process or in several others."""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.decoding import decode, frame_pixels
from facesmith.data.photos.framing import Framing
from facesmith.data.quality.measures import measure
from facesmith.data.quality.signatures import sign
from facesmith.data.sources.contract import Entry, Item, Reader, Side
from facesmith.data.workers import MAX_WORKERS, Workers, enough_memory, processors, while_wanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNKS_AHEAD = 2
"""Chunks for each worker that may wait for the writer, so that memory stays bounded."""
DIGITS = 4
"""Of what was measured, after the point."""
SERIAL_CHUNKS = 4
"""Fewer chunks are not worth the start of worker processes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What processing made of one cut of a photo, without its pixels."""

    name: str
    face: int
    """Which of the photo's faces, from 1; 0 where the photo gives one image."""
    reason: str
    """Why it is rejected; empty when it is used."""
    sha256: str
    """Of the photo's bytes; empty when they could not be read."""
    side: Side | None
    """Where the source's authors put it."""
    labels: tuple[Any, ...]
    shown: bool
    """Whether there are pixels of it; what is rejected may have some, too."""
    facts: Mapping[str, float]
    """What was measured."""
    signature: str = ""
    """Of the image as it is trained on, in base64; by it copies are found."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What became of some entries."""

    photos: int
    outcomes: list[Outcome]
    """At least one for each photo."""
    pixels: NDArray[np.uint8]
    """Array (N, resolution, resolution, channels): of the outcomes that are shown, in their order."""


def process(
    reader: Reader, chunks: Sequence[Sequence[Entry]], framing: Framing, workers: int | None
) -> Generator[Chunk]:
    """Read and frame all chunks.

    Closing the generator ends the workers: each stops before its next photo.

    Args:
        reader: Of the source.
        chunks: Its entries, cut into chunks.
        framing: How photos are cropped and resized.
        workers: Processes; None for one a processor, or none where that does not pay.

    Yields:
        One result a chunk, in order, whatever the number of workers.

    Raises:
        StorageError: Memory did not suffice, or a worker was killed, most often for that reason.
    """
    if workers is None:
        workers = processors() if len(chunks) >= SERIAL_CHUNKS else 1
    workers = min(workers, MAX_WORKERS, len(chunks))
    if workers <= 1:
        with enough_memory():
            yield from (process_chunk(reader, chunk, framing) for chunk in chunks)
        return
    pool = Workers(workers)
    running: deque[Future[Chunk]] = deque()
    try:
        with enough_memory():
            for chunk in chunks:
                running.append(pool.submit(process_chunk, reader, chunk, framing))
                if len(running) > workers * CHUNKS_AHEAD:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
    finally:
        pool.close()


def process_chunk(reader: Reader, entries: Sequence[Entry], framing: Framing) -> Chunk:
    """Read and frame some entries.

    Args:
        reader: Of the source.
        entries: What to read.
        framing: How photos are cropped and resized.

    Returns:
        What became of them.

    Raises:
        CancelledError: This process is a worker, and nobody waits for its work any more.
    """
    outcomes, images = [], []
    for entry, item in zip(while_wanted(entries), reader.read(entries), strict=True):
        for outcome, image in _process_one(entry, item, framing):
            outcomes.append(outcome)
            if image is not None:
                images.append(image)
    shape = (len(images), framing.resolution, framing.resolution, framing.channels)
    pixels = np.array(images, dtype=np.uint8).reshape(shape)
    return Chunk(len(entries), _measured(outcomes, pixels), pixels)


def _measured(outcomes: list[Outcome], pixels: NDArray[np.uint8]) -> list[Outcome]:
    """Add what is measured on the training images, all of a chunk at once."""
    if not len(pixels):
        return outcomes
    columns = measure(pixels)
    signatures = sign(pixels)
    found = []
    row = -1
    for outcome in outcomes:
        if not outcome.shown:
            found.append(outcome)
            continue
        row += 1
        facts = {name: round(float(values[row]), DIGITS) for name, values in columns.items()}
        found.append(
            replace(
                outcome,
                facts={**outcome.facts, **facts},
                signature=base64.b64encode(signatures[row].tobytes()).decode(),
            )
        )
    return found


def _process_one(
    entry: Entry, item: Item | PhotoError, framing: Framing
) -> Iterator[tuple[Outcome, NDArray[np.uint8] | None]]:
    if isinstance(item, PhotoError):
        yield Outcome(entry.name, 0, str(item), "", None, (), False, {}), None
        return
    try:
        if isinstance(item.content, bytes):
            digest = hashlib.sha256(item.content).hexdigest()
            cuts = decode(item.content, framing)
        else:
            digest = hashlib.sha256(item.content.tobytes()).hexdigest()
            cuts = frame_pixels(item.content, framing)
    except PhotoError as reason:
        yield Outcome(entry.name, 0, str(reason), digest, item.side, item.labels, False, {}), None
        return
    for number, cut in enumerate(cuts, 1 if len(cuts) > 1 else 0):
        outcome = Outcome(
            entry.name,
            number,
            cut.reason,
            digest,
            item.side,
            item.labels,
            cut.pixels is not None,
            {"side": cut.side, **cut.facts},
        )
        yield outcome, cut.pixels
