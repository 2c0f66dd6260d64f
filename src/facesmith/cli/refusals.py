"""Refused options in three parts: our own errors as they were raised, tyro's translated."""

from __future__ import annotations

import re

from facesmith.base.errors import UsageError

WORDS = {
    r"^Error parsing ": "",
    r"invalid literal for int\(\) with base 10: (.*)$": r"\1 is no whole number",
    r"could not convert string to float: (.*)$": r"\1 is no number",
    r"Expected one of \((.*)\)": r"Expected one of \1",
    r"Expected 1 values": "Expected a value",
}
"""What Python and tyro say, and what we do."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def refusal(left: SystemExit, shown: str, verb: str) -> UsageError:
    """Say what was wrong with the options when tyro left.

    Args:
        left: How it left.
        shown: The box that it printed: a title, the matter, and more below rules.
        verb: What the options were for.

    Returns:
        The error, in three parts.
    """
    # tyro prints the first part of an error that a field's class raises, then leaves while handling it.
    cause: BaseException | None = left
    while cause is not None:
        if isinstance(cause, UsageError):
            return cause
        cause = cause.__context__
    todo = f"see all options: facesmith {verb} --help"
    matter, *more = _sections(shown) or [[f"An option of {verb} was refused."]]
    said = _sentence(matter)
    if said.startswith("Missing from"):
        missing = _entries(matter)
        unknown = f"; {_sentence(more[0][1:])} is not known" if more else ""
        return UsageError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing{unknown}.",
            needed="; ".join(f"{name}: {what}" for name, what in missing.items()),
            todo=todo,
        )
    if said.startswith("Unrecognized options:"):
        words = said.partition(": ")[2].split(", ")
        near = {name: what for rows in more for name, what in _entries(rows).items()}
        if options := [word for word in words if word.startswith("-")]:
            given = f"There is no option {' or '.join(options)}"
        else:
            given = f"{' '.join(words)!r} is more than {verb} takes"
        return UsageError(
            given + (f" (did you mean {' or '.join(near)}?)." if near else "."),
            needed="; ".join(f"{name}: {what}" for name, what in near.items())
            or "what the help lists",
            todo=todo,
        )
    for pythons, ours in WORDS.items():
        said = re.sub(pythons, ours, said)
    given, _, needed = said.partition(" Expected ")
    if more and len(more[0]) > 1:  # a heading, then the option with its help
        needed = f"{more[0][1].strip()}: {_sentence(more[0][2:])}"
    return UsageError(
        f"{given[:1].upper()}{given[1:].removesuffix('.')}.",
        needed=needed.removesuffix(".") or "a value of the right kind",
        todo=todo,
    )


def _sections(box: str) -> list[list[str]]:
    """Cut a box into the rows between its rules, without the last section, which names the help."""
    rows = [line[2:-1].rstrip() for line in COLOUR.sub("", box).splitlines()[1:-1]]
    sections: list[list[str]] = [[]]
    for row in rows:
        if row and set(row) <= set("─-"):
            sections.append([])
        else:
            sections[-1].append(row)
    return [rows for rows in sections if rows and not rows[0].startswith("For full helptext")]


def _entries(rows: list[str]) -> dict[str, str]:
    """Read options from rows: the names are indented by four, the help below each by more."""
    found: dict[str, str] = {}
    for row in rows:
        indent = len(row) - len(row.lstrip())
        if indent == 4:
            name = row.split()[0]
            found[name] = ""
        elif indent > 4:
            found[name] = f"{found[name]} {row.strip()}".strip()
    return {name: re.sub(r"\.? \(required\)$", "", what) for name, what in found.items()}


def _sentence(rows: list[str]) -> str:
    return " ".join(row.strip() for row in rows)
