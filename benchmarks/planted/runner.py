"""Trains cases, a process each; what is finished is not trained again."""

from __future__ import annotations

import functools
import json
import multiprocessing
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

import facesmith
from facesmith.base.errors import FacesmithError
from facesmith.base.registry import to_dict
from facesmith.training import loop, observers
from facesmith.training.preflight import Preflight
from facesmith.training.run import Run
from planted.bases import BASES, open_data
from planted.case import RECORDS, SHEETS, Case, Subject
from planted.catalogue import all_cases

TRUTH = "case.json"
RUNS_A_PROCESS = 8
"""Starting one takes seconds; one that lives long keeps the albums of many faults."""
BEFORE = "trained before"
NEVER = 10**9
"""Images between checkpoints: a case is judged by its records."""


def chosen(half: str | None, only: str | None, data: dict[str, Any] | None = None) -> list[Case]:
    """Choose cases.

    Args:
        half: Of this half alone, or None.
        only: A regular expression that their id must match somewhere, or None.
        data: Datasets that are there; None takes cases of all.

    Returns:
        Cases in the order in which they are trained.
    """
    return [
        case
        for case in all_cases().values()
        if half in (None, case.fault.half)
        and re.search(only or "", case.id)
        and (data is None or case.dataset in data)
    ]


def subject_of(case: Case, dataset: facesmith.Dataset) -> Subject:
    """Plant a case's fault in its base recipe and dataset."""
    return case.fault.spoil(Subject(BASES[case.fault.base](), dataset))


def run_of(case: Case, folder: Path) -> Run:
    """Say how a case is trained."""
    images = case.fault.images
    return Run(
        folder,
        images,
        seed=case.seed,
        device="cpu",
        precision="fp32",
        record_every=images // RECORDS,
        sample_every=images // SHEETS,
        checkpoint_every=NEVER,
    )


def watching() -> list[observers.Observer]:
    """Give the usual observers without the check before the first step, which would refuse many a case."""
    return [each for each in observers.standard() if not isinstance(each, Preflight)]


def train_case(case_id: str, out: Path) -> dict[str, Any]:
    """Train one case, unless it was; its truth is written last, so that what was killed is done again.

    Args:
        case_id: As the catalogue has it.
        out: The clinic's folder; the datasets are in it.

    Returns:
        What case.json holds: the truth, and how the training ended.
    """
    case = all_cases()[case_id]
    folder = out / "runs" / case.id
    began = time.monotonic()
    dataset = facesmith.Dataset.open(out / "data" / case.dataset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a recipe's advice is what the cases are about
        subject = subject_of(case, dataset)
        if (known := _trained_before(case, subject, folder)) is not None:
            return known
        shutil.rmtree(folder, ignore_errors=True)
        try:
            outcome = loop.train(subject.recipe, run_of(case, folder), subject.dataset, watching())
            ended: dict[str, Any] = {"ended": outcome.reason}
        except FacesmithError as error:  # a run that diverges is a case like any other
            ended = {"ended": type(error).__name__, "error": error.given}
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    found = {**case.truth(), **ended, "seconds": round(time.monotonic() - began, 1)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRUTH).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def _trained_before(case: Case, subject: Subject, folder: Path) -> dict[str, Any] | None:
    """Read what case.json holds, if the case was the same then as it is now."""
    if not (folder / TRUTH).exists():
        return None
    found: dict[str, Any] = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
    if not (folder / "run.json").exists() or case.truth().items() - found.items():
        return None
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    is_same = run["recipe"] == json.loads(json.dumps(to_dict(subject.recipe)))
    return {**found, "ended": BEFORE} if is_same else None


def train_all(
    out: Path, shared: Path, *, half: str | None, only: str | None, workers: int
) -> Iterator[str]:
    """Train the cases that are not trained yet, or whose recipe has changed since.

    Args:
        out: Runs go to its folder `runs`, datasets to `data`.
        shared: Where the photos are.
        half: As for `chosen`.
        only: As for `chosen`.
        workers: Trainings at a time.

    Yields:
        A line for each case, with the time that is left.
    """
    data = open_data(out, shared)
    wanted = chosen(half, only, data)
    if missing := len(chosen(half, only)) - len(wanted):
        yield f"LEFT OUT: {missing} cases, whose photos are not in {shared}"
    yield f"{len(wanted)} cases"
    yield from in_processes(
        functools.partial(_attempt, out=out), [case.id for case in wanted], workers
    )


def in_processes(
    work: Callable[[str], tuple[str, str | None]], names: Sequence[str], workers: int
) -> Iterator[str]:
    """Do a piece of work for each name, in processes that are replaced now and then.

    Args:
        work: Gives the name back, and a few words on how it went; None where there was nothing to do.
        names: Of the pieces.
        workers: Processes.

    Yields:
        A line for each piece, with the time that is left.
    """
    began, done, worked = time.monotonic(), 0, 0
    # Not an executor of concurrent.futures: where its processes end after some tasks, it may wait for ever.
    context = multiprocessing.get_context("spawn")
    with context.Pool(
        workers, torch.set_num_threads, (1,), maxtasksperchild=RUNS_A_PROCESS
    ) as pool:
        for name, said in pool.imap_unordered(work, names):
            done += 1
            if said is None:
                continue
            worked += 1
            left = (time.monotonic() - began) / worked * (len(names) - done)
            yield f"[{done}/{len(names)}] {name}: {said}; {left / 60:.0f} min left"


def _attempt(case_id: str, out: Path) -> tuple[str, str | None]:
    """Train a case; say in a few words how it went, None if it was trained before.

    A bug in one case leaves the others to be trained.
    """
    try:
        found = train_case(case_id, out)
    except Exception as error:
        return case_id, f"NOT TRAINED: {error!r}"
    return case_id, None if found["ended"] == BEFORE else _said(found)


def _said(found: dict[str, Any]) -> str:
    return f"{found['ended']} after {found['seconds']:.0f} s"
