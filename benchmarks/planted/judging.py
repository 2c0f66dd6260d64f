"""Asks the doctor about trained cases, and compares what it says with what was planted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from facesmith.base import records
from facesmith.base.records import Record
from planted.case import HEALTHY
from planted.runner import TRUTH

FINISHED = "finished"
ALARMS = ("ill", "warning")
PARTS = 10
"""The doctor is asked after each tenth of the records."""


class Finding(Protocol):
    """What is looked at of a finding."""

    kind: str
    where: str
    severity: str


Diagnose = Callable[[Path, Sequence[Record]], Sequence[Finding]]
"""Run folder and records so far -> findings, most important first."""


@dataclass(frozen=True)
class Verdict:
    """What the doctor said of one case.

    Args:
        id: The case.
        kind: What was planted.
        where: In which network, or empty.
        said: Kinds of the findings that count, in order; `healthy` where there are none.
        severities: Of these findings.
        placed: Whether the first finding of the planted kind names the planted network.
        named: Share of the planned length that had passed since the onset when the planted kind was first
            among the findings; None where it never was.
    """

    id: str
    kind: str
    where: str
    said: tuple[str, ...]
    severities: tuple[str, ...]
    placed: bool
    named: float | None
    ill_moments: int = 0
    """Records of a healthy run after which it was called ill, whatever was said at its end."""

    @property
    def is_first(self) -> bool:
        """Whether the first finding is the planted one, at the planted place."""
        return self.said[0] == self.kind and self.placed

    def is_among(self, count: int) -> bool:
        """Whether the planted kind is among the first findings."""
        return self.kind in self.said[:count]

    @property
    def is_false_alarm(self) -> bool:
        """Whether a healthy run was called ill at its end."""
        return self.kind == HEALTHY and "ill" in self.severities


def judge(folder: Path, diagnose: Diagnose) -> Verdict:
    """Ask the doctor about one case: about all of it, and about its beginnings.

    Args:
        folder: Of the run.
        diagnose: The doctor.

    Returns:
        The verdict.
    """
    truth = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
    metrics = folder / "metrics.jsonl"
    course = list(records.read(metrics)) if metrics.exists() else []
    found = _counted(diagnose(folder, course))
    first = next((f for f in found if f.kind == truth["kind"]), None)
    return Verdict(
        id=truth["id"],
        kind=truth["kind"],
        where=truth["where"],
        said=tuple(f.kind for f in found) or (HEALTHY,),
        severities=tuple(str(f.severity) for f in found) or ("well",),
        placed=truth["kind"] == HEALTHY or (first is not None and first.where == truth["where"]),
        named=None if truth["kind"] == HEALTHY else _named(truth, folder, course, diagnose),
        ill_moments=_ill_moments(folder, course, diagnose) if truth["kind"] == HEALTHY else 0,
    )


def _ill_moments(folder: Path, course: Sequence[Record], diagnose: Diagnose) -> int:
    said = (diagnose(folder, course[:count]) for count in range(1, len(course) + 1))
    return sum(any(str(f.severity) == "ill" for f in found) for found in said)


def _named(
    truth: dict[str, Any], folder: Path, course: Sequence[Record], diagnose: Diagnose
) -> float | None:
    for part in range(1, PARTS + 1):
        passed = course[: max(1, round(part * len(course) / PARTS))]
        if passed and truth["kind"] in {f.kind for f in _counted(diagnose(folder, passed))}:
            return max(0.0, round(passed[-1].images_seen / truth["images"] - truth["onset"], 3))
    return None


def _counted(findings: Sequence[Finding]) -> list[Finding]:
    """Keep what is an alarm; of a run without any, the note that it is finished."""
    alarms = [f for f in findings if str(f.severity) in ALARMS]
    return alarms or [f for f in findings if f.kind == FINISHED]


def judge_all(
    out: Path, half: str, diagnose: Diagnose, *, matches: Callable[[str], bool] = lambda _: True
) -> list[Verdict]:
    """Judge all trained cases of a half.

    Args:
        out: The clinic's folder.
        half: Development or reporting.
        diagnose: The doctor.
        matches: Says by a case's id whether it is wanted.

    Returns:
        Verdicts, by id.
    """
    runs = out / "runs"
    folders = sorted(found.parent for found in (runs / half).rglob(TRUTH))
    wanted = [folder for folder in folders if matches(folder.relative_to(runs).as_posix())]
    return [judge(folder, diagnose) for folder in wanted]


def summarize(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Count.

    Args:
        verdicts: Of one half.

    Returns:
        Shares over all faults, false alarms, the confusion table and figures by kind, for JSON.
    """
    faults = [v for v in verdicts if v.kind != HEALTHY]
    healthy = [v for v in verdicts if v.kind == HEALTHY]
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    by_kind: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        confusion[verdict.kind][verdict.said[0]] += 1
        by_kind[verdict.kind].append(verdict)
    return {
        **_figures(faults),
        "healthy_runs": len(healthy),
        "false_alarms": [v.id for v in healthy if v.is_false_alarm],
        "false_alarms_on_the_way": {v.id: v.ill_moments for v in healthy if v.ill_moments},
        "false_warnings": [v.id for v in healthy if "warning" in v.severities],
        "kinds": {kind: _figures(those) for kind, those in sorted(by_kind.items())},
        "confusion": {kind: dict(said.most_common()) for kind, said in sorted(confusion.items())},
        "verdicts": [asdict(v) for v in verdicts],
    }


def _figures(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    count = max(1, len(verdicts))
    named = [v.named for v in verdicts if v.named is not None]
    return {
        "runs": len(verdicts),
        "first": round(sum(v.is_first for v in verdicts) / count, 3),
        "first_kind": round(sum(v.said[0] == v.kind for v in verdicts) / count, 3),
        "first_three": round(sum(v.is_among(3) for v in verdicts) / count, 3),
        "named_after": round(median(named), 3) if named else None,
        "named_within_a_quarter": round(sum(n <= 0.25 for n in named) / count, 3),
    }


def table(summary: dict[str, Any]) -> str:
    """Write a summary as Markdown.

    Args:
        summary: Of `summarize`.

    Returns:
        Two sentences and a table with a row for each kind.
    """
    lines = [
        f"{summary['runs']} faulty runs: the planted cause first in {summary['first']:.1%} (its kind, "
        f"whatever the network, in {summary['first_kind']:.1%}), among the first three in "
        f"{summary['first_three']:.1%}; named within a quarter of the planned length in "
        f"{summary['named_within_a_quarter']:.1%}.",
        f"{summary['healthy_runs']} healthy runs: {len(summary['false_alarms'])} called ill at their end, "
        f"{len(summary['false_alarms_on_the_way'])} at some record on the way, "
        f"{len(summary['false_warnings'])} warned of at their end.",
        "",
        "| planted | runs | first | first three | named after | said first |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind, figures in summary["kinds"].items():
        said = ", ".join(f"{name} {n}" for name, n in summary["confusion"][kind].items())
        after = "" if figures["named_after"] is None else f"{figures['named_after']:.0%}"
        lines.append(
            f"| {kind} | {figures['runs']} | {figures['first']:.0%} | {figures['first_three']:.0%} "
            f"| {after} | {said} |"
        )
    return "\n".join(lines) + "\n"
