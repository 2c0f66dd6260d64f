"""One setting in a tree of parts: found by its dotted name, and set from text as on the command line."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from facesmith.base import registry
from facesmith.base.errors import UsageError
from facesmith.base.schedules import Schedule, schedule

Tree = TypeVar("Tree")


def look_up(tree: Any, option: str) -> Any:
    """Find a setting.

    Args:
        tree: A dataclass, whose fields may be dataclasses, tuples or plain values.
        option: Dotted, such as `penalties.0.gamma`.

    Returns:
        Its value.

    Raises:
        AttributeError, IndexError, ValueError: There is none of this name.
    """
    for name in option.split("."):
        tree = tree[int(name)] if isinstance(tree, tuple) else getattr(tree, name)
    return tree


def holds_part(tree: Any, option: str) -> bool:
    """Say whether a whole part is kept there, or several, rather than a number, word or schedule.

    Args:
        tree: A dataclass.
        option: Dotted.

    Returns:
        Whether it is; no where there is nothing of this name.
    """
    try:
        value = look_up(tree, option)
    except (AttributeError, IndexError, ValueError):
        return False
    if option.split(".")[-1] == "penalties":
        return True
    return dataclasses.is_dataclass(value) and not isinstance(value, Schedule | type)


def put(tree: Tree, option: str, new: Any) -> Tree:
    """Give the tree with another value of a setting.

    Args:
        tree: A dataclass.
        option: Dotted; must be there.
        new: The value.

    Returns:
        A new tree.

    Raises:
        UsageError: The value is of the wrong kind.
    """
    replaced: Tree = _put(tree, option.split("."), new)
    return replaced


def put_parts(tree: Tree, option: str, texts: Sequence[str]) -> Tree:
    """Exchange a whole part, or all parts of a place that holds several.

    Args:
        tree: A dataclass.
        option: Dotted; `holds_part` says that it can be exchanged.
        texts: Such as `["r1(gamma=1, every=4) r2"]`; `none` is no part.

    Returns:
        A new tree.

    Raises:
        UsageError: A part does not exist or does not fit its place.
    """
    words = [word for text in texts for word in _words(text)]
    parts = tuple(registry.parse(word) for word in words if word != "none")
    if isinstance(look_up(tree, option), tuple):
        return put(tree, option, parts)
    if len(parts) != 1:
        raise UsageError(
            f"--{option.replace('_', '-')} was given {len(parts)} parts.",
            needed="exactly one",
            todo=f'write for example --{option.replace("_", "-")} "hinge"',
        )
    return put(tree, option, parts[0])


def put_text(tree: Tree, option: str, text: str) -> Tree:
    """Set a setting from text: a number, a word, a schedule or a part.

    Args:
        tree: A dataclass.
        option: Dotted, with underscores.
        text: As the command line takes it, such as `1e-4`, `leaky-relu`, `linear(2e-4, 0, 500k)`.

    Returns:
        A new tree.

    Raises:
        UsageError: There is no such setting, or the text does not suit it.
    """
    try:
        value = look_up(tree, option)
    except (AttributeError, IndexError, ValueError) as error:
        raise UsageError(
            f"{type(tree).__name__} has no setting {option!r}.",
            needed="one that it has, as its options are called",
            todo="facesmith train face --help lists those of a recipe",
        ) from error
    if holds_part(tree, option):
        return put_parts(tree, option, [text])
    if isinstance(value, Schedule):
        return put(tree, option, schedule(text))
    if isinstance(value, tuple):
        return put(tree, option, tuple(_plain(word) for word in text.split()))
    return put(tree, option, _plain(text))


def written(value: Any) -> str:
    """Write the value of a setting as `put_text` reads it.

    Args:
        value: A plain value, a schedule, a part, or a tuple of these.

    Returns:
        The text; of a part, only what is not as usual.
    """
    if isinstance(value, Schedule):
        return str(value)
    if isinstance(value, tuple):
        return " ".join(map(written, value)) or "none"
    if not dataclasses.is_dataclass(value):
        return str(value)
    given = ", ".join(
        f"{field.name}={_argument(getattr(value, field.name))}"
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    )
    name = re.sub("(?<=[a-z])(?=[A-Z])", "-", type(value).__name__).lower()  # gradient-penalty
    return f"{name}({given})" if given else name


def _argument(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({''.join(f'{_argument(item)}, ' for item in value)})"
    return repr(value) if isinstance(value, str) else written(value)


def _words(text: str) -> list[str]:
    """Cut a text at its spaces, but not at those inside of parentheses."""
    words, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == " " and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [word for word in words if word]


def _plain(text: str) -> Any:
    if re.fullmatch(r"\d+(\.\d+)?[kM]", text):
        return registry.count(text)
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a word; whether it is one of those that are possible is seen when it is put


def _put(value: Any, path: list[str], new: Any) -> Any:
    if not path:
        return new
    name, rest = path[0], path[1:]
    if isinstance(value, tuple):
        index = int(name)
        return (*value[:index], _put(value[index], rest, new), *value[index + 1 :])
    changed = _put(getattr(value, name), rest, new)
    fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    # build, not replace: it refuses a part of the wrong kind in a message that can be understood
    return registry.build(type(value), **{**fields, name: changed})
