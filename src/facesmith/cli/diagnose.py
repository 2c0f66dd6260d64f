"""facesmith diagnose RUN"""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from facesmith import cli
from facesmith.cli import options
from facesmith.health.diagnosis import Diagnosis, diagnose_run
from facesmith.health.finding import Finding, Severity

EXIT_CODES: dict[Severity, int] = {"ill": 9, "warning": 8, "note": 0, "well": 0}
"""Of the gravest finding."""
WIDTH = 96
SHOWN = 3
"""Findings that are explained; the others are named."""


@dataclass(frozen=True)
class Options:
    """Say what is wrong with a run, show it, and name the change that mends it.

    Works while it trains and afterwards. Leaves with 9 if the run is ill, 8 if something should be changed,
    0 if it is well.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run folder, or its metrics.jsonl."""
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
    found = diagnose_run(chosen.run)
    if chosen.json:
        print(json.dumps(as_json(found), indent=2))
        return EXIT_CODES[found.severity]
    print(found.headline())
    for finding in found.findings[:SHOWN]:
        print()
        print(described(finding))
    if further := found.findings[SHOWN:]:
        print()
        print(
            paragraph("also: ", "; ".join(finding.title.rstrip(".") for finding in further) + ".")
        )
    print(f"next: {next_command(found)}")
    return EXIT_CODES[found.severity]


def as_json(found: Diagnosis) -> dict[str, Any]:
    """Give a diagnosis as plain values."""
    return {
        "run": str(found.source),
        "images_seen": found.images_seen,
        "planned": found.facts.planned,
        "severity": found.severity,
        "findings": [
            {"name": finding.name, **asdict(finding), "options": finding.remedy.options()}
            for finding in found.findings
        ],
    }


def described(finding: Finding) -> str:
    """Write a finding in paragraphs."""
    since = f", since {finding.since:,} images" if finding.since else ""
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


def next_command(found: Diagnosis) -> str:
    """Give the command to type after a diagnosis: train again with the change, or use what was made."""
    folder = found.source if found.source.is_dir() else found.source.parent
    shown = options.quoted(folder)
    remedy = found.findings[0].remedy if found.findings else None
    if remedy is not None and remedy.changes and found.severity in ("ill", "warning"):
        recipe = found.facts.recipe.get("name", "face")
        data = options.quoted(found.facts.data.get("folder", "PHOTOS"))
        again = options.quoted(f"{folder}-again")
        return f"{cli.command()} train {recipe} --data {data} --run {again} {remedy.options()}"
    return f"{cli.command()} generate {shown} --seeds 0-63"
