"""facesmith compare RUN..."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from facesmith import cli
from facesmith.applications.compare import Comparison, compare, page
from facesmith.applications.report.cards import verdict_words
from facesmith.base.errors import UsageError
from facesmith.cli import options
from facesmith.data.packing.files import explained, write_whole

FOLD = 26
"""Columns of a setting's name."""


@dataclass(frozen=True)
class Options:
    """Put runs side by side: what differs, what came of it, what is good and bad."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run folders, of any recipes and lengths, finished or not."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write a page too, with pictures and curves side by side, such as compare.html."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print JSON instead of tables."""


def run(arguments: list[str]) -> int:
    """Compare runs.

    Args:
        arguments: Run folders and options.

    Returns:
        The exit code.
    """
    chosen = options.read(Options, arguments, verb="compare")
    if len(chosen.runs) < 2:
        raise UsageError(
            f"{len(chosen.runs) or 'No'} run was given.",
            needed="two runs or more",
            todo="facesmith compare runs/first runs/second",
        )
    found = compare(chosen.runs)
    if chosen.out is not None:
        with explained(chosen.out.parent, "choose another place with --out"):
            chosen.out.parent.mkdir(parents=True, exist_ok=True)
            write_whole(chosen.out, page(found))
    if chosen.json:
        print(json.dumps(_numbers(found), indent=2))
        return 0
    console = Console()
    with console.capture() as tables:  # rich's own way to print takes a closed pipe for a failure
        console.print(_table(found))
        for place, name in enumerate(found.names):
            word, _ = verdict_words(found.attempts[place])
            console.print(Text("\n  ".join([f"{name}: {word}", *found.judgements[place].lines()])))
    print(tables.get(), end="")
    if found.caution:
        print(found.caution)
    if chosen.out is not None:
        print(f"pictures and curves side by side: {chosen.out}")
    print(f"next: {found.next_command.replace('facesmith', cli.command(), 1)}")
    return 0


def _table(found: Comparison) -> Table:
    table = Table()
    table.add_column("", no_wrap=True)  # options that are broken within a word cannot be typed
    for heading in found.names:
        table.add_column(Text(heading), overflow="fold")
    for name, values in found.settings.items():
        table.add_row(Text(_folded(name)), *map(Text, values))
    table.add_section()
    for figure in found.figures:
        if any(map(math.isfinite, figure.values)):
            cells = (
                Text(figure.said(place), style="bold" if place == figure.winner else "")
                for place in range(len(figure.values))
            )
            table.add_row(Text(figure.title), *cells)
    return table


def _folded(name: str) -> str:
    """Break a long setting after a dot rather than within a word."""
    lines = [""]
    for part in name.replace(".", ".\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > FOLD:
            lines.append("  ")
        lines[-1] += part
    return "\n".join(lines)


def _numbers(found: Comparison) -> dict[str, Any]:
    runs = [
        {
            "name": name,
            "folder": str(attempt.folder),
            "recipe": attempt.recipe_name,
            "severity": attempt.severity,
            "ending": attempt.ending,
            "figures": {
                figure.name: value if math.isfinite(value := figure.values[place]) else None
                for figure in found.figures
            },
            "good": found.judgements[place].good,
            "bad": found.judgements[place].bad,
            "findings": [asdict(finding) for finding in attempt.findings],
        }
        for place, (name, attempt) in enumerate(zip(found.names, found.attempts, strict=True))
    ]
    return {
        "runs": runs,
        "settings": found.settings,
        "caution": found.caution,
        "best": found.names[found.best],
        "next": found.next_command,
    }
