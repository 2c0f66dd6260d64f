"""The last pass over a pack: what needs all images is decided, the lists and the manifest are written."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import nan
from pathlib import Path
from typing import TextIO

import numpy as np

from facesmith.base.errors import DataError
from facesmith.base.version import VERSION
from facesmith.data.packing.files import (
    FILE_COLUMNS,
    FILES,
    LABELS,
    PARTIAL,
    ROWS,
    explained,
    file_sha256,
    remove_partials,
    sync,
)
from facesmith.data.packing.ledger import Ledger
from facesmith.data.packing.manifest import FORMAT
from facesmith.data.packing.pack import FATES, Fate, Pack, Record
from facesmith.data.packing.processing import Outcome
from facesmith.data.packing.rejects import show_rejects
from facesmith.data.plan import HELD_OUT, Plan
from facesmith.data.quality.cleaning import judge
from facesmith.data.sources.contract import Side, Source
from facesmith.data.statistics import channel_statistics

MAX_HELD_OUT = 10_000
"""Images; more do not make an evaluation better."""


def record(outcome: Outcome, plan: Plan) -> Record:
    """Decide by its content, or as its authors did, whether an image trains or is held out.

    Args:
        outcome: What processing made of it.
        plan: By which it was made.

    Returns:
        What the journal keeps.
    """
    fate: Fate
    if outcome.reason:
        fate = "rejected"
    elif plan.held_out is None and (side := _authors_side(outcome, plan.source)) is not None:
        fate = side
    else:
        share = HELD_OUT if plan.held_out is None else plan.held_out
        share = min(share, MAX_HELD_OUT / len(plan.source.entries))
        fate = "held-out" if int(outcome.sha256[:16], 16) < share * 2**64 else "train"
    return Record(
        outcome.name,
        outcome.face,
        fate,
        outcome.reason,
        outcome.sha256,
        outcome.shown,
        outcome.labels,
        outcome.facts,
        outcome.signature,
    )


def _authors_side(outcome: Outcome, source: Source) -> Side | None:
    told = source.annotations.side(outcome.name) if source.annotations else None
    return outcome.side or told


def finish(pack: Pack, plan: Plan, *, keep_rejects: bool = False) -> None:
    """Turn a pack whose every chunk is written into a dataset.

    Args:
        pack: The open pack.
        plan: By which it was made.
        keep_rejects: Whether to write a picture of each image that is rejected.

    Raises:
        DataError: No image was usable for training.
        StorageError: The disk is full or failing.
    """
    source = plan.source
    ledger = Ledger.read(pack.records())
    clean(ledger, plan)
    if plan.held_out is not None:
        ledger.settle(plan.held_out)
    counts = ledger.counts(pack.done, plan.framing.resolution)
    if not counts["train"]:
        remove_partials(pack.folder)
        raise _nothing_usable(source, ledger)

    with explained(pack.folder):
        show_rejects(pack, ledger, keep=keep_rejects)
        _close_rows(pack, ledger)
        _write_lists(pack, ledger, source)
        names = [*ROWS.values(), FILES, *([LABELS] if source.columns else [])]
        mean, std = channel_statistics(pack.folder / ROWS["train"])
        pack.complete(
            {
                "format": FORMAT,
                "facesmith": VERSION,
                "source": source.title,
                "settings": plan.settings,
                "shape": list(pack.shape),
                "counts": counts,
                "mean": mean,
                "std": std,
                "labels": list(source.columns),
                "files": {
                    name: {
                        "bytes": (pack.folder / name).stat().st_size,
                        "sha256": file_sha256(pack.folder / name),
                    }
                    for name in names
                },
            }
        )


def clean(ledger: Ledger, plan: Plan) -> None:
    """Reject what the plan's cleaning finds among the images that are usable so far.

    Args:
        ledger: Whose fates change.
        plan: Says what is rejected.
    """
    places = ledger.used
    if not len(places):
        return
    reasons = judge(
        [ledger.title(place) for place in places.tolist()],
        [f"{ledger.digests[place]}/{ledger.faces[place]}" for place in places.tolist()],
        {name: values[places] for name, values in ledger.columns.items()},
        ledger.signatures[places],
        plan.cleaning,
        resolution=plan.framing.resolution,
        channels=plan.framing.channels,
    )
    ledger.reject(places, reasons)


def _close_rows(pack: Pack, ledger: Ledger) -> None:
    numbers = ledger.rows(ledger.written)
    changed = ledger.shown & (ledger.fates != ledger.written)
    # Before any file gets its final name: what moved is read from the files as they were written.
    for fate, side in enumerate(ROWS):
        mine = ledger.shown & (ledger.fates == fate)
        moved = changed & (mine | (ledger.written == fate))
        rows: Iterable[tuple[Fate, int]] | None = None
        if moved.any():
            places = np.flatnonzero(mine)
            fates = (FATES[was] for was in ledger.written[places].tolist())
            rows = zip(fates, numbers[places].tolist(), strict=True)
        pack.close_rows(side, rows)


def _write_lists(pack: Pack, ledger: Ledger, source: Source) -> None:
    rows = ledger.rows(ledger.fates).tolist()
    facts = list(ledger.columns)
    with _new_list(pack.folder / FILES) as files, _new_list(pack.folder / LABELS) as values:
        file_rows = csv.writer(files, lineterminator="\n")
        label_rows = csv.writer(values, lineterminator="\n")
        file_rows.writerow([*FILE_COLUMNS, *facts])
        label_rows.writerow(["split", "row", *source.columns])
        for place, entry in enumerate(pack.records()):
            fate = FATES[ledger.fates[place]]
            row: int | str = ""
            if fate != "rejected":
                row = rows[place]
                told = source.annotations.labels(entry.name) if source.annotations else ()
                label_rows.writerow([fate, row, *entry.labels, *told])
            # What is not known is NaN, which alone differs from itself.
            known = (entry.facts.get(key, nan) for key in facts)
            file_rows.writerow(
                [
                    entry.name,
                    entry.face or "",
                    fate,
                    row,
                    ledger.reasons.get(place, ""),
                    entry.sha256,
                    *(
                        "" if fact != fact else f"{fact:.4g}" for fact in known
                    ),  # NaN alone differs from itself
                ]
            )
    if not source.columns:
        (pack.folder / LABELS).unlink()


@contextmanager
def _new_list(path: Path) -> Iterator[TextIO]:
    temporary = path.with_name(f"{path.name}{PARTIAL}")
    # Names may hold bytes that are no UTF-8.
    with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield file
        sync(file)
    temporary.replace(path)


def _nothing_usable(source: Source, ledger: Ledger) -> DataError:
    kinds = Counter(reason.partition(":")[0] for reason in ledger.reasons.values())
    reasons = ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())
    first = min(ledger.reasons, default=0)
    crops = {"no face", "small face", "several people", "at the edge", "not square", "too small"}
    other = "another crop" if crops & set(kinds) else "other photos"
    return DataError(
        f"None of the {len(source.entries):,} files of {source.title} is a usable photo: {reasons}. The "
        f"first is {ledger.names[first]}: {ledger.reasons.get(first, 'held out')}.",
        needed="at least one whole photo that the crop fits",
        todo=f"try {other}",
    )
