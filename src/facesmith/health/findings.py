"""The diagnosis: from the records of a run to what is wrong with it, most important first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from facesmith.base.records import Record
from facesmith.health.course import Course
from facesmith.health.facts import RunFacts
from facesmith.health.finding import SEVERITIES, Evidence, Finding, Remedy
from facesmith.health.kinds import KINDS, STAGES, found
from facesmith.health.rules import (
    balance,
    data,
    game,
    gradients,
    networks,
    progress,
    samples,
    scaling,
    settings,
)

SOON, EARLY = 1.25, 3_000
"""How much later a cause may be noticed than its effect: a factor, and images."""
FEW = 10
"""Records before which most rules have nothing to go by."""
RULES = (
    *scaling.RULES,
    *data.RULES,
    *game.RULES,
    *networks.RULES,
    *settings.RULES,
    *gradients.RULES,
    *balance.RULES,
    *samples.RULES,
    *progress.RULES,
)


def diagnose(records: Sequence[Record], facts: RunFacts) -> list[Finding]:
    """Say what is wrong with a run.

    Args:
        records: Of the run so far, oldest first; those of an unfinished run will do.
        facts: What is known beside them.

    Returns:
        Findings, causes before their consequences; that it is healthy where nothing is wrong; none before the
        first record unless the facts alone say something.
    """
    course = Course(records)
    seen = diagnose_course(course, facts)
    if records and not any(finding.severity in ("ill", "warning") for finding in seen):
        return [healthy(course), *seen]
    return seen


def diagnose_course(course: Course, facts: RunFacts) -> list[Finding]:
    """Apply all rules.

    Args:
        course: Of the run; without any record, only recipe, networks and data speak.
        facts: What is known beside it.

    Returns:
        Findings, causes before their consequences; empty where nothing is wrong.
    """
    named: dict[str, Finding] = {}
    for rule in RULES:
        for finding in rule(course, facts):
            named.setdefault(finding.name, finding)  # two rules may come to the same conclusion
    seen = list(named.values())
    if not any(finding.severity == "ill" for finding in seen):
        seen += samples.unexplained(course, facts)
    seen = [graver(finding, seen) for finding in seen]
    return sorted(seen, key=lambda finding: rank(finding, seen))


def may_cause(cause: Finding, effect: Finding) -> bool:
    """Say whether one finding explains another: its kind can, and it did not come later."""
    return effect.kind in KINDS[cause.kind].causes and cause.since <= SOON * effect.since + EARLY


def graver(finding: Finding, others: Sequence[Finding]) -> Finding:
    """Raise a cause to the severity of what it brought about: alone it may do no harm."""
    harms = any(other.severity == "ill" and may_cause(finding, other) for other in others)
    return replace(finding, severity="ill") if finding.severity == "warning" and harms else finding


def rank(finding: Finding, others: Sequence[Finding]) -> tuple[int, int, int, int]:
    """Say where a finding stands among others.

    Args:
        finding: One of them.
        others: All.

    Returns:
        What to sort by: severity; how many others may have caused it; the order of advice; its time.
    """
    alarming = [other for other in others if other.severity in ("ill", "warning")]
    causes = sum(may_cause(other, finding) for other in alarming)
    stage = STAGES.index(KINDS[finding.kind].stage)
    return SEVERITIES.index(finding.severity), causes, stage, finding.since


def healthy(course: Course) -> Finding:
    """Say that nothing is wrong, and what speaks for it."""
    evidence = [
        Evidence(text.format(course.now(name)), name, course.now(name))
        for name, text in (
            ("separation", "the discriminator ranks {:.0%} of all pairs rightly"),
            ("batch.diversity", "samples are {:.0%} as diverse as the data"),
            ("distance", "distance to the data {:.2f}"),
        )
        if course.knows(name)
    ]
    if not evidence:
        return found(
            "healthy",
            "well",
            0,
            "Nothing speaks against this run, but losses alone say little.",
            Remedy(
                "Look at samples; facesmith.HealthMonitor, in your own loop, measures what losses hide."
            ),
        )
    advice = Remedy("Let it run.")
    title = "The run is healthy."
    if len(course.records) < FEW:
        title = "Nothing is wrong so far; it is too early to say more."
    return found("healthy", "well", 0, title, advice, *evidence)
