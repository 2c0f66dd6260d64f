"""Settings as tables: the recipe beside the one that it was made from, and the environment."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.settings import spoken
from facesmith.base.registry import to_dict
from facesmith.data.audit.charts import text
from facesmith.recipes import NAMED


def recipe(attempt: Attempt) -> str:
    """Show a recipe: what differs from the named one first, the rest on demand."""
    ours = spoken(attempt.facts.recipe)
    if not ours:
        return ""
    make = NAMED.get(attempt.recipe_name)
    usual = spoken(to_dict(make())) if make is not None else ours
    changed = {name for name in {*ours, *usual} if ours.get(name) != usual.get(name)}
    said = f"<p>As the recipe {text(attempt.recipe_name)} has it.</p>" if make is not None else ""
    if changed:
        rows = "".join(
            f"<tr><th>{text(name)}</th><td class='text changed'>{text(ours.get(name, ''))}</td>"
            f"<td class=text>{text(usual.get(name, ''))}</td></tr>"
            for name in sorted(changed)
        )
        said = (
            f"<p>What differs from the recipe {text(attempt.recipe_name)}:</p><div class=wrap><table>"
            f"<tr><th></th><th class=text>here</th><th class=text>there</th></tr>{rows}</table></div>"
        )
    return f"{said}<details><summary>all settings</summary>{table(ours, changed)}</details>"


def table(values: dict[str, Any], changed: Set[str] = frozenset()) -> str:
    """Show settings, those that belong together side by side.

    Args:
        values: By dotted name.
        changed: Names that are set off.

    Returns:
        HTML.
    """
    if not values:
        return ""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for name, value in values.items():
        groups.setdefault(name.partition(".")[0], []).append((name, value))
    tables = "".join(
        "<table>"
        + "".join(
            f"<tr><th>{text(name)}</th><td class='text{' changed' if name in changed else ''}'>"
            f"{text('' if value is None else value)}</td></tr>"
            for name, value in group
        )
        + "</table>"
        for group in _merged(groups)
    )
    return f"<div class=sides>{tables}</div>"


def _merged(groups: dict[str, list[tuple[str, Any]]]) -> list[list[tuple[str, Any]]]:
    """Put settings that stand alone into one table."""
    alone = [pair for group in groups.values() if len(group) == 1 for pair in group]
    return [group for group in groups.values() if len(group) > 1] + ([alone] if alone else [])
