"""What can be said of a run before its first step."""

from __future__ import annotations

from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Finding
from facesmith.health.findings import diagnose_course

CERTAIN = (
    "data-constant",
    "labels-swapped",
    "bad-initialization",
    "net-not-updated",
    "sigmoid-twice",
)
"""Kinds that no training gets over, where they are ill."""


def preflight(facts: RunFacts) -> list[Finding]:
    """Judge the recipe, the first weights, the loss and the data.

    Args:
        facts: Of a run that has no record yet.

    Returns:
        Findings, most important first; empty where nothing speaks against beginning.
    """
    found = diagnose_course(Course([]), facts)
    return [finding for finding in found if finding.severity in ("ill", "warning")]


def is_hopeless(finding: Finding) -> bool:
    """Say whether a finding is certain to spoil the run, so that it need not begin."""
    return finding.severity == "ill" and finding.kind in CERTAIN
