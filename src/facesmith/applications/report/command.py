"""The next command: the same run again with a change, the rest of an unfinished one, or pictures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.settings import differences
from facesmith.base.registry import to_dict
from facesmith.data.audit.charts import text
from facesmith.health.finding import Change
from facesmith.recipes import NAMED

USUAL = {"seed": 0, "device": "auto", "precision": "auto"}
"""Settings of a run that need not be typed."""
NEEDED = ("ill", "warning")
"""Severities at which a change comes before everything else."""

OF_PHOTOS = (
    "data-constant",
    "data-duplicated",
    "data-corrupted",
    "channels-swapped",
    "grey-mixed",
    "too-few-images",
    "memorised",
)
"""Findings that no option of the recipe mends: the photos want to be looked at."""


def next_command(attempt: Attempt) -> str:
    """Say what to type next.

    Args:
        attempt: The run.

    Returns:
        One command: a look at photos that are at fault, the run again with the first remedy, its
        continuation, or pictures by it.
    """
    gravest = next((f for f in attempt.findings if f.severity == "ill"), None)
    data = attempt.facts.data.get("folder")
    if gravest is not None and data and gravest.kind in OF_PHOTOS:
        return f"facesmith audit {shlex.quote(str(data))}"
    cure = next(
        (f for f in attempt.findings if f.severity in NEEDED and f.remedy.changes),
        None,
    )
    if cure is not None and attempt.facts.has_recipe:
        return train(attempt, cure.remedy.changes, fresh(attempt.folder))
    if not attempt.facts.has_recipe:
        return f"facesmith diagnose {shlex.quote(str(attempt.folder))}"
    if attempt.is_short:
        return train(attempt, (), attempt.folder)
    return f"facesmith generate {shlex.quote(str(attempt.folder))} --seeds 0-63"


def train(attempt: Attempt, changes: Sequence[Change], folder: Path) -> str:
    """Write the command that trains the recipe of an attempt, changed.

    Args:
        attempt: Whose recipe, data and length are taken.
        changes: Of the recipe.
        folder: Of the new run; the attempt's own, to go on with it.

    Returns:
        The command. Where the recipe is not one of ours, RECIPE stands for what the user has.
    """
    recipe, settings = attempt.facts.recipe, attempt.settings
    named = NAMED.get(attempt.recipe_name)
    words = ["facesmith", "train", attempt.recipe_name if named is not None else "RECIPE"]
    data = attempt.facts.data.get("folder")
    words += ["--data", str(data) if data else "PHOTOS"]
    if attempt.facts.planned:
        words += ["--images", str(attempt.facts.planned)]
    for name, usual in USUAL.items():
        if settings.get(name, usual) != usual:
            words += [f"--{name}", str(settings[name])]
    if balance := settings.get("balance"):
        words += ["--balance", ",".join(map(str, balance))]
    changed = {change.option for change in changes}
    if named is not None:
        for option, values in differences(recipe, to_dict(named())):
            if option not in changed and option != "name":
                words += [typed(option), *values]
    for change in changes:
        # Several penalties are several words; a schedule's commas are one.
        parts = re.findall(r"[^\s(]+(?:\([^)]*\))?", change.value)
        words += [
            typed(change.option),
            *(parts if change.option == "penalties" else [change.value]),
        ]
    return shlex.join([*words, "--run", str(folder)])


def shown(command: str) -> str:
    """Write a command for a page: it breaks between options, not within them."""
    pieces: list[list[str]] = [[]]
    for word in shlex.split(command):
        if word.startswith("--"):
            pieces.append([])
        pieces[-1].append(shlex.quote(word))
    spans = (f"<span>{text(' '.join(piece))}</span>" for piece in pieces if piece)
    return f"<code>{' '.join(spans)}</code>"


def typed(option: str) -> str:
    """Write an option's name as it is typed."""
    return f"--{option.replace('_', '-')}"


def fresh(folder: Path) -> Path:
    """Name a folder that is not there yet: `face-64-2` after `face-64`."""
    stem, _, last = folder.name.rpartition("-")
    # A resolution is no count of attempts: those are small.
    counted = stem and last.isdigit() and 1 < int(last) < 10
    base, number = (stem, int(last)) if counted else (folder.name, 1)
    while True:
        number += 1
        candidate = folder.with_name(f"{base}-{number}")
        if not candidate.exists():
            return candidate
