"""Options of a verb: dataclasses read by tyro, with the project's own text forms for parts and counts."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any, TypeVar, cast

import tyro

from facesmith.base import settings
from facesmith.base.errors import UsageError
from facesmith.base.schedules import Schedule, schedule
from facesmith.cli.refusals import refusal
from facesmith.recipe import Recipe

Options = TypeVar("Options")
WIDE = 300  # columns
MOST_SEEDS = 1_000_000
_forms = tyro.constructors.ConstructorRegistry()


@_forms.primitive_rule
def _schedule_form(
    info: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if not (isinstance(info.type, type) and issubclass(info.type, Schedule)):
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="NUMBER|SCHEDULE",
        instance_from_str=lambda words: schedule(words[0]),
        is_instance=lambda value: isinstance(value, Schedule),
        str_from_instance=lambda value: [str(value)],
    )


def read(
    kind: type[Options], arguments: list[str], *, verb: str, default: Options | None = None
) -> Options:
    """Read a verb's options.

    Args:
        kind: The dataclass of options; the docs beside its fields are the help.
        arguments: What was typed after the verb.
        verb: Its name, for messages.
        default: Values to start from.

    Returns:
        The options.

    Raises:
        SystemExit: Help was asked for.
        UsageError: An option is missing, unknown or wrong.
    """

    def parse() -> Options:
        with _forms:
            return tyro.cli(
                kind,
                args=arguments,
                prog=f"facesmith {verb}",
                default=cast(Options, default),  # tyro takes None, its types do not
                config=(tyro.conf.OmitSubcommandPrefixes,),
            )

    heard = io.StringIO()
    try:
        with contextlib.redirect_stderr(heard):
            return parse()
    except SystemExit as left:
        if left.code != 2:
            raise
        # Said again for a wide terminal, so that no name is broken by the end of a line.
        heard, columns = io.StringIO(), os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = str(WIDE)
        try:
            with contextlib.redirect_stderr(heard), contextlib.suppress(SystemExit):
                parse()
        finally:
            if columns is None:
                del os.environ["COLUMNS"]
            else:
                os.environ["COLUMNS"] = columns
        raise refusal(left, heard.getvalue(), verb) from None


def swap_parts(recipe: Recipe, arguments: list[str]) -> tuple[Recipe, list[str]]:
    """Take out the options that exchange a whole part, such as `--loss hinge`, and apply them.

    Args:
        recipe: The recipe to change.
        arguments: What was typed; `--penalties` may be followed by several parts or by `none`.

    Returns:
        The changed recipe and the remaining arguments, whose dotted options then tune the new parts.

    Raises:
        UsageError: A part does not exist or does not fit its place.
    """
    remaining: list[str] = []
    words = list(arguments)
    while words:
        word, equals, value = words.pop(0).partition("=")
        if equals:  # --loss=hinge is --loss hinge; an = inside a value has no option before it
            words.insert(0, value)
        path = word.removeprefix("--").replace("-", "_")
        if not (word.startswith("--") and settings.holds_part(recipe, path)):
            remaining.append(f"{word}={words.pop(0)}" if equals else word)
            continue
        given: list[str] = []
        while words and not words[0].startswith("--"):
            given.append(words.pop(0))
        recipe = settings.put_parts(recipe, path, given)
    return recipe, remaining


def seeds(text: str) -> list[int]:
    """Read seeds written as `0-15,42`.

    Args:
        text: Numbers and ranges, separated by commas.

    Returns:
        The seeds in the order given.

    Raises:
        UsageError: The text is something else.
    """
    found: list[int] = []
    try:
        for piece in text.split(","):
            first, _, last = piece.strip().partition("-")
            span = range(int(first), int(last or first) + 1)
            if not 0 < len(span) <= MOST_SEEDS:
                raise ValueError(piece)
            found += span
    except ValueError:
        found = []
    if found:
        return found
    raise UsageError(
        f"Seeds were given as {text!r}.",
        needed=f"numbers and rising ranges of up to {MOST_SEEDS:,}, such as 0-15,42",
        todo="try --seeds 0-15",
    )


def without(option: str, typed: list[str]) -> list[str]:
    """Leave an option and its value out of what was typed.

    Args:
        option: Such as `--minutes`.
        typed: The words.

    Returns:
        The other words.
    """
    kept: list[str] = []
    words = iter(typed)
    for word in words:
        if word == option:
            next(words, None)
        elif not word.startswith(f"{option}="):
            kept.append(word)
    return kept


def quoted(path: Path | str) -> str:
    """Write a path so that it can be pasted into a shell."""
    import shlex

    return shlex.quote(str(path))
