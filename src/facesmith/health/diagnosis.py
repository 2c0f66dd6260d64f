"""A diagnosed run: its records, what is known beside them, and the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facesmith.base import records
from facesmith.base.errors import DataError, UsageError
from facesmith.base.records import Record
from facesmith.health import facts as known
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Finding, Severity
from facesmith.health.findings import diagnose

METRICS = "metrics.jsonl"


@dataclass(frozen=True)
class Diagnosis:
    """What `facesmith diagnose` knows of a run."""

    source: Path
    records: Sequence[Record]
    facts: RunFacts
    findings: Sequence[Finding]

    @property
    def severity(self) -> Severity:
        """Of the gravest finding, which comes first."""
        return self.findings[0].severity if self.findings else "note"

    @property
    def images_seen(self) -> int:
        """At the newest record; 0 before the first."""
        return self.records[-1].images_seen if self.records else 0

    def headline(self) -> str:
        """Say in one line how the run is."""
        planned = f" of {self.facts.planned:,}" if self.facts.planned else ""
        seen = f"{self.source}, {self.images_seen:,}{planned} images seen"
        if not self.findings:
            return f"{seen}: too early to tell; the first record comes soon"
        return f"{seen}: {self.severity}"


def diagnose_run(source: Path) -> Diagnosis:
    """Diagnose a run folder, finished or not.

    Args:
        source: The folder, or its file of metrics.

    Returns:
        The diagnosis.

    Raises:
        UsageError: There is no such folder, or there are no metrics in it.
        DataError: What is there cannot be understood.
    """
    path = source / METRICS if source.is_dir() else source
    folder = path.parent
    if not source.exists() or not (path.exists() or (folder / "run.json").exists()):
        raise UsageError(
            f"{source} holds no metrics.",
            needed="a run folder, such as runs/face-64, or a file of metrics",
            todo="train first: facesmith train face --data PHOTOS, or try facesmith demo",
        )
    facts = known.read(folder)
    try:
        seen = list(records.read(path)) if path.exists() else []
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}.",
            needed="a file that this user may read",
            todo="correct its permissions",
        ) from error
    return Diagnosis(source, seen, facts, diagnose(seen, facts))
