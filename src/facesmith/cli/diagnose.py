"""facesmith diagnose RUN"""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from facesmith import cli
from facesmith.applications.report import Attempt, publish
from facesmith.applications.report.command import next_command
from facesmith.base.errors import StorageError
from facesmith.cli import options
from facesmith.health.finding import Finding, Severity

EXIT_CODES: dict[Severity | None, int] = {"ill": 9, "warning": 8}
"""Of the gravest finding; 0 where nothing has to be done."""
WIDTH = 96
SHOWN = 3
"""Findings that are explained; the others are named, and explained on the page."""


@dataclass(frozen=True)
class Options:
    """Say what is wrong with a run, show it, and name the change that mends it.

    It works while a run trains, and afterwards.

    Exit codes: 9 it is ill, 8 something should be changed, 0 it is well.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run folder, or another program's metrics: CSV or JSON lines."""
    batch: int = 0
    """Images of an update, where another program's metrics count updates."""
    page: bool = True
    """Write report.html, with pictures and curves, into the folder."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the findings as JSON."""


def run(arguments: list[str]) -> int:
    """Diagnose a run.

    Args:
        arguments: The run and options.

    Returns:
        The exit code, by severity.
    """
    chosen = options.read(Options, arguments, verb="diagnose")
    attempt = Attempt.read(chosen.run, batch=chosen.batch)
    code = EXIT_CODES.get(attempt.severity, 0)
    shown = page_of(attempt) if chosen.page else None
    if chosen.json:
        print(json.dumps(as_json(attempt), indent=2))
        return code
    print(headline(attempt))
    for finding in attempt.findings[:SHOWN]:
        print(f"\n{described(finding)}")
    if further := attempt.findings[SHOWN:]:
        said = "; ".join(finding.title.rstrip(".") for finding in further)
        print(f"\n{paragraph('also: ', f'{said}.')}")
    print()
    if shown is not None:
        print(f"with pictures and curves: {shown}")
    if not attempt.tree:  # another program's metrics
        print(
            "next: watch your own loop with facesmith.HealthMonitor, as in examples/tutorial_loop.py"
        )
        return code
    print(f"next: {next_command(attempt).replace('facesmith', cli.command(), 1)}")
    return code


def page_of(attempt: Attempt) -> str | None:
    """Write the report; a folder that cannot be written keeps nobody from the diagnosis."""
    try:
        return str(publish(attempt))
    except StorageError as error:
        return f"not written: {error.given}"


def headline(attempt: Attempt) -> str:
    """Say in one line how far the run is, and how it is."""
    planned = f" of {attempt.facts.planned:,}" if attempt.facts.planned else ""
    seen = f"{attempt.folder}, {attempt.images_seen:,}{planned} images seen"
    return f"{seen}: {attempt.severity or 'too early to tell'}"


def as_json(attempt: Attempt) -> dict[str, Any]:
    """Give a diagnosis as plain values."""
    return {
        "run": str(attempt.folder),
        "images_seen": attempt.images_seen,
        "planned": attempt.facts.planned,
        "severity": attempt.severity,
        "findings": [
            {"name": finding.name, **asdict(finding), "options": finding.remedy.options()}
            for finding in attempt.findings
        ],
    }


def described(finding: Finding) -> str:
    """Write a finding in paragraphs."""
    since = f", since {finding.since:,} images" if finding.since else ", from the start"
    lines = [paragraph(f"{finding.severity}: ", finding.title)]
    if finding.evidence:
        seen = "; ".join(evidence.text for evidence in finding.evidence)
        lines.append(paragraph("  seen:  ", f"{seen}{since}"))
    lines.append(paragraph("  why:   ", finding.explanation))
    lines.append(paragraph("  do:    ", finding.remedy.advice))
    if finding.remedy.changes:
        lines.append(f"  type:  {finding.remedy.options()}")
    return "\n".join(lines)


def paragraph(head: str, text: str) -> str:
    """Wrap a text, its further lines under its first word."""
    return textwrap.fill(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )
