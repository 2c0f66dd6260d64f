"""Recipes as settings to be read and typed: dotted names, schedules and parts in their short form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from facesmith.base.errors import UsageError
from facesmith.base.registry import find, from_dict, to_dict
from facesmith.base.schedules import Schedule

LISTS = ("penalties",)
"""Settings that hold several parts, which are exchanged together."""


def spoken(tree: Any, prefix: str = "") -> dict[str, str]:
    """Flatten a recipe to settings.

    Args:
        tree: As run.json has it.
        prefix: Put before each name.

    Returns:
        Text by dotted name; a part's own name stands beside its fields, as in `loss` and `loss.real_label`.
    """
    if not isinstance(tree, Mapping) or _schedule(tree) is not None:
        return {prefix: written(tree)}
    found = {prefix: _part_name(tree)} if prefix and "part" in tree else {}
    for name, value in tree.items():
        if name != "part":
            found |= spoken(value, f"{prefix}.{name}".removeprefix("."))
    return found


def written(value: Any) -> str:
    """Write a value as the command line reads it.

    Args:
        value: A plain value, a part or a list of these, as run.json has them.

    Returns:
        Such as `0.0002`, `r1(gamma=0.3, every=4)`, `none`.
    """
    if isinstance(value, list | tuple):
        return " ".join(map(written, value)) or "none"
    if not isinstance(value, Mapping):
        return "none" if value is None else f"{value:g}" if _is_short(value) else str(value)
    schedule = _schedule(value)
    if schedule is not None:
        return str(schedule)
    usual = _defaults(value)
    given = [
        f"{name}={written(inner)}"
        for name, inner in value.items()
        if name != "part" and inner != usual.get(name, MISSING)
    ]
    name = _part_name(value)
    return f"{name}({', '.join(given)})" if given else name


def differences(tree: Any, base: Any, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Find what has to be typed to make one recipe out of another.

    Args:
        tree: The one that is wanted.
        base: The one to start from.
        prefix: Put before each name.

    Yields:
        Options with their words; whole parts where these are others.
    """
    if tree == base:
        return
    nested = isinstance(tree, Mapping) and isinstance(base, Mapping)
    if nested and tree.get("part") == base.get("part") and _schedule(tree) is None:
        for name, value in tree.items():
            yield from differences(value, base.get(name), f"{prefix}.{name}".removeprefix("."))
    elif isinstance(tree, list | tuple):
        yield prefix, [written(item) for item in tree] or ["none"] * (prefix in LISTS)
    elif prefix:
        yield prefix, [written(tree)]


def _schedule(tree: Mapping[str, Any]) -> Schedule | None:
    try:
        part = from_dict(dict(tree)) if "part" in tree else None
    except UsageError:  # a part of somebody's own, whose file was not run
        return None
    return part if isinstance(part, Schedule) else None


def _part_name(tree: Mapping[str, Any]) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", str(tree.get("part", ""))).lower()


def _defaults(tree: Mapping[str, Any]) -> dict[str, Any]:
    try:
        kind = find(str(tree.get("part", "")))
    except UsageError:
        return {}
    return {f.name: to_dict(f.default) for f in fields(kind) if f.default is not MISSING}


def _is_short(value: Any) -> bool:
    return isinstance(value, float) and float(f"{value:g}") == value
