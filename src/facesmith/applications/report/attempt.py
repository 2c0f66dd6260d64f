"""An attempt: a run as it stands in its folder, finished or not, with its diagnosis."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from facesmith.base.records import Record
from facesmith.health import facts as fact_files
from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import SEVERITIES, Finding, Severity
from facesmith.health.findings import diagnose
from facesmith.health.foreign import read_any
from facesmith.recipes import published

METRICS = "metrics.jsonl"
PATTERN = "fakes-*.png"


@dataclass(frozen=True)
class Attempt:
    """What a run folder holds; whatever is missing is empty."""

    folder: Path
    course: Course
    facts: RunFacts
    findings: tuple[Finding, ...]
    """Causes before their consequences."""
    tree: Mapping[str, Any] = field(default_factory=dict)
    """Of run.json."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, folder: Path, *, batch: int = 0) -> Attempt:
        """Read a run folder and diagnose it.

        Args:
            folder: Made by a training of ours or a monitor, or one with the metrics of another program; their
                file alone will do.
            batch: Images of an update, where another program counts updates.

        Returns:
            The attempt.

        Raises:
            DataError: Nothing in the folder tells of a run, or run.json cannot be understood.
        """
        if folder.name == METRICS and folder.is_file():
            folder = folder.parent
        known: list[Record] = []
        if (folder / "run.json").exists() and not (folder / METRICS).exists():
            facts = fact_files.read(folder)  # nothing recorded yet
        else:
            known, facts = read_any(folder, batch=batch)
        facts = replace(facts, usual=published(str(facts.recipe.get("name", ""))))
        course = Course(tuple(known))
        return cls(
            folder,
            course,
            facts,
            tuple(from_the_start(finding, course) for finding in diagnose(course.records, facts))
            if course.records
            else (),
            tree=_object(folder / "run.json"),
            environment=_object(folder / "env.json"),
            events=tuple(_lines(folder / "events.jsonl")),
        )

    @property
    def name(self) -> str:
        """What the folder is called."""
        return self.folder.resolve().name

    @property
    def recipe_name(self) -> str:
        """What the recipe is called; empty for a loop that is not ours."""
        return str(self.facts.recipe.get("name", ""))

    @property
    def settings(self) -> Mapping[str, Any]:
        """The run's own settings: length, seed, device."""
        found = self.tree.get("run", {})
        return found if isinstance(found, Mapping) else {}

    @property
    def images_seen(self) -> int:
        """Real images seen at the newest record."""
        return self.course.records[-1].images_seen if self.course.records else 0

    @property
    def seconds(self) -> float:
        """Time spent in training at the newest record."""
        return self.course.records[-1].seconds if self.course.records else 0.0

    @cached_property
    def ending(self) -> str:
        """How the last sitting ended, in words; empty while it goes on, or where nothing says so."""
        for event in reversed(self.events):
            if event.get("event") == "stopped":
                reason = str(event.get("reason", "stopped"))
                return f"stopped by {reason}" if reason.startswith("SIG") else reason
            if event.get("event") in ("failed", "diverged"):
                return str(event["event"])
            if event.get("event") == "started":
                return ""
        return ""

    @property
    def is_short(self) -> bool:
        """Whether fewer images were seen than planned."""
        return self.images_seen < self.facts.planned

    @property
    def severity(self) -> Severity | None:
        """The worst of all findings; None without any."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in SEVERITIES if severity in found), None)

    @property
    def worst(self) -> Finding | None:
        """The finding to read first: the most important one of the worst severity."""
        return next((f for f in self.findings if f.severity == self.severity), None)

    @cached_property
    def sheets(self) -> tuple[tuple[int, Path], ...]:
        """Sheets of samples by images seen, oldest first."""
        found = []
        for path in (self.folder / "samples").glob(PATTERN):
            with contextlib.suppress(ValueError):
                found.append((int(path.stem.rpartition("-")[2]), path))
        return tuple(sorted(found))


def from_the_start(finding: Finding, course: Course) -> Finding:
    """Date a finding to 0 images if it was there at the first record: nobody saw the time before."""
    return replace(finding, since=0) if finding.since <= course.images[0] else finding


def _object(path: Path) -> Mapping[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        return found if isinstance(found, dict) else {}
    return {}


def _lines(path: Path) -> list[Mapping[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: list[Mapping[str, Any]] = []
    for line in lines:
        with contextlib.suppress(ValueError):  # a crash may leave half a line
            event = json.loads(line)
            if isinstance(event, dict):
                found.append(event)
    return found
