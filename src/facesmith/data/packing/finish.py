"""The last pass over a pack: the split is settled, the lists and the manifest are written."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from facesmith.base.errors import DataError
from facesmith.base.version import VERSION
from facesmith.data.dataset import FORMAT, channel_statistics
from facesmith.data.packing.files import (
    FILES,
    LABELS,
    PARTIAL,
    ROWS,
    explained,
    file_sha256,
    remove_partials,
    sync,
)
from facesmith.data.packing.pack import Fate, Pack, Record
from facesmith.data.packing.processing import Outcome
from facesmith.data.sources.contract import Source

MAX_HELD_OUT = 10_000
"""Images; more do not make an evaluation better."""
MIN_FOR_HELD_OUT = 10
"""Usable photos; with fewer, all are for training."""


def record(outcome: Outcome, held_out: float, found: int) -> Record:
    """Decide by its content whether an image trains or is held out.

    Args:
        outcome: What processing made of it.
        held_out: Share of images to hold out.
        found: Images in the source.

    Returns:
        What the journal keeps.
    """
    fate: Fate
    if outcome.reason:
        fate = "rejected"
    elif outcome.side is not None:
        fate = outcome.side
    else:
        share = min(held_out, MAX_HELD_OUT / found)
        fate = "held-out" if int(outcome.sha256[:16], 16) < share * 2**64 else "train"
    return Record(
        outcome.name, fate, outcome.reason, outcome.sha256, outcome.enlarged, outcome.labels
    )


def finish(pack: Pack, source: Source, settings: dict[str, Any]) -> None:
    """Turn a pack whose every chunk is written into a dataset.

    Args:
        pack: The open pack.
        source: Where its images came from.
        settings: What decided its bytes; `held_out` is read.

    Raises:
        DataError: No image was usable for training.
        StorageError: The disk is full or failing.
    """
    tally = Tally()
    for entry in pack.records():
        tally.add(entry)
    if not tally.used or (source.own_split and not pack.rows["train"]):
        remove_partials(pack.folder)
        raise _nothing_usable(source, tally)

    moved = frozenset() if source.own_split else tally.moved(settings["held_out"])
    with explained(pack.folder):
        pack.close_rows(moved)
        _write_lists(pack, moved, source.label_names)
        names = [*ROWS.values(), FILES, *([LABELS] if source.label_names else [])]
        mean, std = channel_statistics(pack.folder / ROWS["train"])
        pack.complete(
            {
                "format": FORMAT,
                "facesmith": VERSION,
                "source": source.title,
                "settings": settings,
                "shape": list(pack.shape),
                "counts": tally.counts(pack),
                "mean": mean,
                "std": std,
                "labels": list(source.label_names),
                "files": {
                    name: {
                        "bytes": (pack.folder / name).stat().st_size,
                        "sha256": file_sha256(pack.folder / name),
                    }
                    for name in names
                },
            }
        )


@dataclass
class Tally:
    """Counts over all images of a source."""

    found: int = 0
    used: int = 0
    enlarged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    held_out: dict[str, bool] = field(default_factory=dict)
    """Content hash of each different image that is used -> whether it was held out."""

    def add(self, entry: Record) -> None:
        """Count one image.

        Args:
            entry: What became of it.
        """
        self.found += 1
        if entry.fate == "rejected":
            self.rejected[entry.reason.partition(":")[0]] += 1
            return
        self.used += 1
        self.enlarged += entry.enlarged
        self.held_out[entry.sha256] = entry.fate == "held-out"

    def moved(self, share: float) -> frozenset[str]:
        """Find what must change sides because chance left one side empty.

        Args:
            share: The part of the images that should be held out.

        Returns:
            Content hashes.
        """
        held_out = frozenset(digest for digest, held in self.held_out.items() if held)
        if share == 0 or self.used < MIN_FOR_HELD_OUT or len(self.held_out) == 1:
            return held_out
        lowest = min(self.held_out)
        if not held_out:
            return frozenset({lowest})
        return held_out - {lowest} if len(held_out) == len(self.held_out) else frozenset()

    def counts(self, pack: Pack) -> dict[str, Any]:
        """Give the manifest's counts.

        Args:
            pack: Whose rows are closed.

        Returns:
            What adds up: found = train + held_out + all rejected.
        """
        return {
            "found": self.found,
            "train": pack.rows["train"],
            "held_out": pack.rows["held-out"],
            "rejected": dict(sorted(self.rejected.items())),
            "duplicates": self.used - len(self.held_out),
            "enlarged": self.enlarged,
        }


def _write_lists(pack: Pack, moved: AbstractSet[str], labels: tuple[str, ...]) -> None:
    next_row = dict.fromkeys(ROWS, 0)
    with _new_list(pack.folder / FILES) as files, _new_list(pack.folder / LABELS) as values:
        file_rows = csv.writer(files, lineterminator="\n")
        label_rows = csv.writer(values, lineterminator="\n")
        file_rows.writerow(["name", "fate", "row", "reason", "sha256"])
        label_rows.writerow(["split", "row", *labels])
        for entry in pack.records(moved):
            row: int | str = ""
            if entry.fate != "rejected":
                row = next_row[entry.fate]
                next_row[entry.fate] += 1
                label_rows.writerow([entry.fate, row, *entry.labels])
            note = "enlarged" if entry.enlarged else entry.reason
            file_rows.writerow([entry.name, entry.fate, row, note, entry.sha256])
    if not labels:
        (pack.folder / LABELS).unlink()


@contextmanager
def _new_list(path: Path) -> Iterator[TextIO]:
    temporary = path.with_name(f"{path.name}{PARTIAL}")
    # Names may hold bytes that are no UTF-8.
    with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield file
        sync(file)
    temporary.replace(path)


def _nothing_usable(source: Source, tally: Tally) -> DataError:
    reasons = ", ".join(f"{count} x {kind}" for kind, count in tally.rejected.most_common())
    return DataError(
        f"None of the {tally.found:,} files of {source.title} is a usable photo: {reasons}.",
        needed="at least one whole photo that the crop fits",
        todo="look at the reasons; try another crop, or another folder",
    )
