"""The diagnosis: from the records of a run to what is wrong with it, most important first."""

from __future__ import annotations

from collections.abc import Sequence

from facesmith.base.records import Record
from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Finding


def diagnose(records: Sequence[Record], facts: RunFacts) -> list[Finding]:
    """Say what is wrong with a run.

    Args:
        records: Of the run so far, oldest first; those of an unfinished run will do.
        facts: What is known beside them.

    Returns:
        Findings, causes before their consequences; a run without any fault has one that says so.
    """
    course = Course(records)
    assert course is not None and facts is not None
    return []
