"""What a stretch of training measured, one JSON object a line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

VERSION = 1
QUANTILES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
DIGITS = 6  # significant ones that a number is written with
HEADER = json.dumps({"facesmith_metrics": VERSION}) + "\n"


@dataclass(frozen=True)
class Record:
    """Means over the updates since the last record.

    Logits are the discriminator's raw outputs; D(x) is their sigmoid, averaged.
    """

    images_seen: int
    """Real images drawn since the start of training."""
    steps: int
    """Generator updates since the start of training."""
    seconds: float
    """Time spent in training so far, over all sittings."""
    images_per_second: float
    """Real images a second since the last record, everything included."""
    memory_bytes: int
    """Resident memory of the process now."""
    discriminator_loss: float
    """Without penalties."""
    generator_loss: float
    real_logits: float
    fake_logits: float
    real_probability: float
    """D(real)."""
    fake_probability: float
    """D(fake)."""
    real_sign: float
    """Share of real images with a positive logit, times 2, minus 1."""
    discriminator_gradient: float
    """Norm of the gradient of all discriminator weights, penalties included."""
    generator_gradient: float
    """Norm of the gradient of all generator weights."""
    non_finite: float
    """Share of a player's updates that were not made because a loss or gradient was not finite; the worse
    player's."""
    penalties: dict[str, float] = field(default_factory=dict)
    """Mean value of each penalty when it was due, strength included, times its interval."""
    learning_rates: dict[str, float] = field(default_factory=dict)
    """In force for each player."""
    signals: dict[str, float] = field(default_factory=dict)
    """What else was measured, by dotted name; `health/signals.py` says what each is. What is absent was not
    measured."""
    layers: dict[str, dict[str, float]] = field(default_factory=dict)
    """By player and layer, such as `generator/stages.0.0`: norms of `gradient` and `weight`, and
    `gradient_to_weight`, `update_to_weight`; of activations the shares `dead` and `saturated`."""
    quantiles: dict[str, list[float]] = field(default_factory=dict)
    """Of `real_logits`, `fake_logits`, `held_out_logits`, at the places of `QUANTILES`."""


def append(path: Path, record: Record) -> None:
    """Add one line to a metrics file, beginning it with a header if it is new.

    Args:
        path: The file, `metrics.jsonl`.
        record: The numbers.
    """
    header = "" if path.exists() else HEADER
    with path.open("a", encoding="utf-8") as stream:
        stream.write(header + _line(record))


def read(path: Path) -> Iterator[Record]:
    """Read a metrics file, skipping a line that a crash left half written.

    Args:
        path: The file.

    Yields:
        Records in order; numbers that were not finite are NaN.
    """
    names = {f.name for f in fields(Record)}
    needed = {f.name for f in fields(Record) if f.default_factory is MISSING}
    with path.open(encoding="utf-8", errors="backslashreplace") as stream:
        for line in stream:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            # The header, and lines of another version, are no records.
            if isinstance(entry, dict) and needed <= entry.keys():
                known = {k: _restored(v) for k, v in entry.items() if k in names}
                yield Record(**known)


def forget_after(path: Path, images_seen: int) -> None:
    """Drop the records that a resumed run will make again.

    Args:
        path: The file; nothing happens where there is none.
        images_seen: Of the checkpoint that training goes on from.
    """
    if not path.exists():
        return
    write(path, (record for record in read(path) if record.images_seen <= images_seen))


def write(path: Path, found: Iterable[Record]) -> None:
    """Write a metrics file, whole or not at all.

    Args:
        path: Its final name; what is there is replaced.
        found: The records, in order.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        temporary.write_text("".join([HEADER, *map(_line, found)]), encoding="utf-8")
        # At once: a crash in between must leave the old records or the new.
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _line(record: Record) -> str:
    return json.dumps(_storable(asdict(record))) + "\n"


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _restored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item) for item in value]
    return math.nan if value is None else value


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, float):
        # JSON has no NaN: a number that is not finite becomes null.
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
