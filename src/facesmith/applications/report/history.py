"""What happened to a run: starts, stops, findings that came and went, changes that were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.scales import images
from facesmith.data.audit.charts import text

SAID = ("time", "event", "images_seen")
"""What has a column of its own."""


def history(attempt: Attempt) -> str:
    """List the events of a run.

    Args:
        attempt: The run.

    Returns:
        A table in HTML; empty where nothing was noted.
    """
    rows = "".join(_row(event) for event in attempt.events)
    if not rows:
        return ""
    return (
        "<div class=wrap><table class='plain events'><tr><th class=text>when</th><th>images</th>"
        f"<th class=text>what</th><th></th></tr>{rows}</table></div>"
    )


def _row(event: Mapping[str, Any]) -> str:
    when = str(event.get("time", ""))[:16].replace("T", " ")
    seen = event.get("images_seen")
    shown = images(seen) if isinstance(seen, int | float) else ""
    kind = str(event.get("event", ""))
    strong = f"<b class=changed>{text(kind)}</b>" if kind == "intervention" else text(kind)
    rest = "; ".join(
        f"{name.replace('_', ' ')}: {_said(value)}"
        for name, value in event.items()
        if name not in SAID and value not in (None, "", [], {})
    )
    return (
        f"<tr><td class=text>{text(when)}</td><td>{text(shown)}</td><td class=text>{strong}</td>"
        f"<td class=text>{text(rest)}</td></tr>"
    )


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {_said(inner)}" for name, inner in value.items()
        )
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return str(value)
