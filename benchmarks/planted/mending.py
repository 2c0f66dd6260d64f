"""Mendable cases once more, with the autopilot: how near do they come to the run without the fault?"""

from __future__ import annotations

import json
import shutil
import statistics
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import facesmith
from facesmith.base import records
from facesmith.base.errors import FacesmithError
from facesmith.training import autopilot, loop, observers
from facesmith.training.preflight import Preflight
from facesmith.training.watch import Health
from planted.bases import BASES
from planted.case import Case
from planted.catalogue import all_cases
from planted.runner import run_of, subject_of, watching

RESULT = "mended.json"
NEAR = 1.2
"""Times the distance of the run without the fault, up to which a run counts as mended."""
DISTANCES = ("distance", "spectrum_distance")


def mend(case_id: str, out: Path) -> tuple[str, str | None]:
    """Train a mendable case with the autopilot, and its base without the fault.

    Args:
        case_id: As the catalogue has it.
        out: The clinic's folder; the plain run of the case is in its `runs`.

    Returns:
        The id, and how near it came; None if that was measured before.
    """
    case = all_cases()[case_id]
    folder = out / "mended" / case.id
    if (folder / RESULT).exists():
        return case_id, None
    try:
        found = _mended(case, out, folder)
    except Exception as error:  # a bug in one case leaves the others to be tried
        return case_id, f"NOT TRIED: {error!r}"
    (folder / RESULT).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return case_id, f"{found['interventions']}; {found['ratio']:.2f} times the healthy distance"


def _mended(case: Case, out: Path, folder: Path) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    dataset = facesmith.Dataset.open(out / "data" / case.dataset)
    healthy = out / "healthy" / f"{case.fault.base}-{case.dataset}-{case.seed}-{case.fault.images}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a recipe's advice is what the cases are about
        if not (healthy / "done").exists():
            shutil.rmtree(healthy, ignore_errors=True)
            loop.train(BASES[case.fault.base](), run_of(case, healthy), dataset, watching())
            shutil.rmtree(healthy / "checkpoints")
            (healthy / "done").touch()
        subject = subject_of(case, dataset)
        run = autopilot.with_checkpoints(run_of(case, folder), None, None)
        health = Health()
        watched = observers.standard(health=health)
        watched = [each for each in watched if not isinstance(each, Preflight)]
        ended = "finished"
        try:
            autopilot.train(subject.recipe, replace(run), subject.dataset, watched, health)
        except FacesmithError as error:
            ended = type(error).__name__
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    at_last = {name: last(which) for name, which in (("healthy", healthy), ("mended", folder))}
    at_last["left alone"] = last(out / "runs" / case.id)
    ratios = {
        which: max(at_last[which][name] / at_last["healthy"][name] for name in DISTANCES)
        for which in ("mended", "left alone")
    }
    return {
        **case.truth(),
        "ended": ended,
        "interventions": _interventions(folder),
        "distances": at_last,
        "ratio": ratios["mended"],
        "ratio_left_alone": ratios["left alone"],
    }


def last(folder: Path) -> dict[str, float]:
    """Give the distances of a run's samples at its last sheet; infinite where it never came so far."""
    found = dict.fromkeys(DISTANCES, float("inf"))
    path = folder / "metrics.jsonl"
    for record in records.read(path) if path.exists() else ():
        found |= {name: record.signals[name] for name in DISTANCES if name in record.signals}
    return found


def _interventions(folder: Path) -> list[str]:
    events = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    made = [event for event in map(json.loads, events) if event["event"] == "intervention"]
    said = []
    for event in made:
        changes = ", ".join(f"{c['option']} {c['old']} -> {c['new']}" for c in event["changes"])
        said.append(f"{event['kind']}: {changes}")
    return said


def summary(out: Path, half: str) -> dict[str, Any]:
    """Count what was mended.

    Args:
        out: The clinic's folder.
        half: Of the cases.

    Returns:
        Shares and each case's ratios. A run that is near without any help is not counted as mendable.
    """
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((out / "mended" / half).rglob(RESULT))
    ]
    harmed = [each for each in found if not each["ratio_left_alone"] <= NEAR]
    return {
        "cases": len(found),
        "harmed_if_left_alone": len(harmed),
        "mended": sum(each["ratio"] <= NEAR for each in harmed),
        "as_near_as_healthy": sum(each["ratio"] <= NEAR for each in found),
        "median_ratio": statistics.median(each["ratio"] for each in found) if found else None,
        "runs": [
            {
                key: each[key]
                for key in ("id", "interventions", "ratio", "ratio_left_alone", "ended")
            }
            for each in found
        ],
    }
