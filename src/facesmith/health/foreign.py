"""Metrics files of other programs, read as records."""

from __future__ import annotations

import csv
import io
import json
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from facesmith.base import records
from facesmith.base.errors import DataError
from facesmith.base.records import Record
from facesmith.health import facts
from facesmith.health.columns import OURS, plain
from facesmith.health.facts import RunFacts

log = logging.getLogger(__name__)
METRICS = "metrics.jsonl"
FILES = (METRICS, "stats.jsonl", "metrics.csv", "progress.csv", "log.csv", "losses.csv")
"""Where programs write their numbers, in a folder."""
PROGRESS = {"images_seen", "kimg", "steps", "seconds", "clock", "images_per_second", "memory_gb"}
LOSSES = ("discriminator_loss", "generator_loss")
INFORMATIVE = 0.9
"""A lower bound on the pairs ranked rightly that is worth having."""
Row = dict[str, float]
"""Numbers by our names; a standard deviation as `NAME.spread`."""


def read_any(path: Path, *, batch: int = 0) -> tuple[list[Record], RunFacts]:
    """Read what is known of a run, whosoever program made it.

    Args:
        path: A run folder, a metrics.jsonl of ours, or the metrics of another program: JSON lines (StyleGAN's
            stats.jsonl among them) or a table with a line of names (CSV).
        batch: Images of an update, to turn another program's steps into images.

    Returns:
        Records, oldest first, and what is known beside them.

    Raises:
        DataError: There is nothing that can be read, or no column that is understood.
    """
    if path.is_dir():
        found = [path / name for name in FILES if (path / name).is_file()]
        if not found:
            raise DataError(
                f"{path} is no run: it holds no metrics.",
                needed=f"a run folder, or one with {', '.join(FILES)}",
                todo="give the folder that train was given with --run, or a metrics file by its path",
            )
        path = found[0]
    if (own := _read_ours(path)) is not None:
        return own, facts.read(path.parent)
    return read_foreign(path, batch=batch), RunFacts(batch=batch)


def read_foreign(path: Path, *, batch: int = 0) -> list[Record]:
    """Read the metrics of another program.

    Args:
        path: JSON lines, or a table with a line of names.
        batch: Images of an update; without it, an update counts as one image where nothing else counts them.

    Returns:
        Records, oldest first. What they do not tell is NaN.

    Raises:
        DataError: The file cannot be read, or no column of it is understood.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="backslashreplace")
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}.",
            needed="a file with the numbers of a run",
            todo="check the path",
        ) from error
    tables = list(_json_lines(text) if text.lstrip()[:1] == "{" else _table(text))
    rows: list[Row] = []
    unknown: dict[str, None] = {}
    for table in tables:
        row, others = _understood(table)
        rows.append(row)
        unknown |= dict.fromkeys(others)
    if not any(row.keys() - PROGRESS for row in rows):
        raise DataError(
            f"{path} tells of no GAN that is understood"
            + (f"; its columns are {', '.join(unknown)}." if unknown else "."),
            needed="JSON lines or CSV with names such as loss_d, loss_g, D(x), D(G(z)), step",
            todo="rename its columns to such names",
        )
    if not any(math.isfinite(row[name]) for row in rows for name in row.keys() - PROGRESS):
        raise DataError(
            f"{path}: not one of its losses is a number.",
            needed="numbers such as 0.53, with a point",
            todo="write them so; if they were never finite, halve both learning rates and train anew",
        )
    if unknown:
        log.warning("%s: not understood, and left out: %s", path.name, ", ".join(unknown))
    if not batch and not any(row.keys() & {"images_seen", "kimg"} for row in rows):
        log.warning("%s counts updates, not images: each is taken for one image", path.name)
    return _records(rows, batch or 1)


def _read_ours(path: Path) -> list[Record] | None:
    try:
        with path.open(encoding="utf-8", errors="backslashreplace") as stream:
            has_header = stream.readline() == records.HEADER
        found = list(records.read(path))
    except OSError:
        return None
    return found if found or has_header else None


def _json_lines(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # such as one that a crash left half written
        if isinstance(entry, dict):
            yield entry


def _table(text: str) -> Iterator[Mapping[str, Any]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    yield from csv.DictReader(io.StringIO(text), delimiter=delimiter, restval="")


def _understood(entry: Mapping[str, Any]) -> tuple[Row, list[str]]:
    """Translate a row; name the numbers that have no translation."""
    row: Row = {}
    unknown = []
    for column, value in entry.items():
        if value == "":
            continue  # not measured at this moment
        spread = math.nan
        if isinstance(value, Mapping) and "mean" in value:  # as StyleGAN writes them
            value, spread = value["mean"], _number(value.get("std"))
        number = _number(value)
        name = OURS.get(plain(str(column)))
        if name is None:
            unknown += [str(column)] if not math.isnan(number) else []
            continue
        row[name] = number
        if not math.isnan(spread) and "." not in name:
            row[f"{name}.spread"] = spread
    return row, unknown


def _records(rows: list[Row], batch: int) -> list[Record]:
    found: list[Record] = []
    begin = next((row["clock"] for row in rows if "clock" in row), math.nan)
    for place, row in enumerate(rows):
        images = row.get("images_seen", 1000 * row.get("kimg", math.nan))
        steps = row.get("steps", images / batch)
        if not math.isfinite(images):
            images = (steps if math.isfinite(steps) else place + 1) * batch
        if not math.isfinite(steps):
            steps = images / batch
        # A run that went on from a checkpoint made its later records again.
        found = [record for record in found if record.images_seen < images]
        seconds = row.get("seconds", row.get("clock", math.nan) - begin)
        speed = row.get("images_per_second", math.nan)
        if math.isnan(speed) and found and seconds > found[-1].seconds:
            speed = (images - found[-1].images_seen) / (seconds - found[-1].seconds)
        memory = row.get("memory_gb", 0.0)
        known: dict[str, Any] = {
            **row,
            "images_seen": int(images),
            "steps": int(steps),
            "seconds": seconds,
            "images_per_second": speed,
            "memory_bytes": int(memory * 2**30) if math.isfinite(memory) else 0,
        }
        halves = [row.get(f"discriminator_loss_{kind}", math.nan) for kind in ("real", "fake")]
        known.setdefault("discriminator_loss", sum(halves))
        for name, other in (LOSSES, LOSSES[::-1]):
            if name not in row and other in row and found:
                known[name] = getattr(found[-1], name)  # of a player that was not updated since
        ranked = least_separation(
            *(row.get(f"{kind}_probability", math.nan) for kind in ("real", "fake"))
        )
        if ranked > INFORMATIVE:
            known["signals.separation"] = ranked
        found.append(_record(known))
    return found


def _record(known: Mapping[str, Any]) -> Record:
    plain_fields = [f.name for f in fields(Record) if f.default_factory is MISSING]
    groups: dict[str, Any] = {"penalties": {}, "learning_rates": {}, "signals": {}}
    for name, value in known.items():
        group, _, rest = name.partition(".")
        if group in groups:
            groups[group][rest] = value
        elif name not in plain_fields and (rest == "spread" or name == "fake_sign"):
            groups["signals"][name] = value
    values: dict[str, Any] = {name: known.get(name, math.nan) for name in plain_fields}
    return Record(**values, **groups)


def least_separation(real: float, fake: float) -> float:
    """Say how many pairs the discriminator ranks rightly at least, by mean probabilities alone.

    By Markov's inequality at most 2 (1 - D(real)) of the real images are on the wrong side of a half, and at
    most 2 D(fake) of the fakes; pairs of the others are ranked rightly.

    Args:
        real: Mean probability of real images, 0 to 1.
        fake: Of fakes.

    Returns:
        From 0 to 1; NaN where one is not known.
    """
    if not (0 <= real <= 1 and 0 <= fake <= 1):
        return math.nan
    return max(0.0, 2 * real - 1) * max(0.0, 1 - 2 * fake)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
