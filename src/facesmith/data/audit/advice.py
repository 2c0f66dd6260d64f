"""A finding: what was seen, what a generator will make of it, and what helps."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from facesmith.data.audit.contents import Audit

Severity = Literal["serious", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("serious", "warning", "note")

REPRODUCED = (
    "A generator repeats the shares of its data ([arXiv 2209.02836](https://arxiv.org/abs/2209.02836)); "
    "what it saw little of may come out rarer still, and worse "
    "([arXiv 2001.09528](https://arxiv.org/abs/2001.09528))."
)
"""What is known of imbalance in generators."""


@dataclass(frozen=True)
class Finding:
    """One thing that its owner should know about a dataset or a model."""

    kind: str
    """A few words by which findings are told apart."""
    severity: Severity
    title: str
    evidence: str
    """The numbers."""
    effect: str
    """What it will do to a generator; may hold links as [text](address)."""
    advice: str
    command: str = ""
    """What to type; empty where no command helps."""


def percent(share: float) -> str:
    """Write a share in words.

    Args:
        share: From 0 to 1.

    Returns:
        Two digits are enough: "0.13 %", "4.1 %", "41 %".
    """
    value = 100 * share
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 1 else 2
    return f"{value:.{digits}f} %"


def number_of(count: int, total: int, what: str = "images") -> str:
    """Write a count with its share.

    Args:
        count: Of them.
        total: Of all.
        what: They are.

    Returns:
        Such as "65 of 5,000 images (1.3 %)".
    """
    return f"{count:,} of {total:,} {what} ({percent(count / total if total else 0)})"


def level(share: float, note: float, warning: float, serious: float) -> Severity | None:
    """Say how serious a share is.

    Args:
        share: Of the images.
        note: Where it is worth a word.
        warning: Where it will be seen.
        serious: Where it spoils the result.

    Returns:
        The severity, or None below all of them.
    """
    bounds: Sequence[tuple[float, Severity]] = (
        (serious, "serious"),
        (warning, "warning"),
        (note, "note"),
    )
    return next((name for bound, name in bounds if share >= bound), None)


def dataset(audit: Audit) -> str:
    """Write the dataset's folder for a command.

    Args:
        audit: Of it.

    Returns:
        What can be pasted into a shell.
    """
    return shlex.quote(audit.folder) if audit.folder else "DATASET"


def training(audit: Audit, *, balance: str = "") -> str:
    """Write the command that trains on a dataset.

    Args:
        audit: Of it.
        balance: A label whose classes should be drawn equally often; empty for none.

    Returns:
        What can be pasted into a shell.
    """
    command = f"facesmith train face --data {dataset(audit)}"
    if audit.pixels.resolution != 64:
        command += f" --resolution {audit.pixels.resolution}"
    if audit.pixels.channels != 3:
        command += f" --channels {audit.pixels.channels}"
    return f"{command} --balance {shlex.quote(balance)}" if balance else command


def beside(audit: Audit, suffix: str) -> str:
    """Write the name of another dataset for a command.

    Args:
        audit: Of the first.
        suffix: Of the new folder.

    Returns:
        What can be pasted into a shell.
    """
    return shlex.quote(f"{audit.folder or 'DATASET'}-{suffix}")
