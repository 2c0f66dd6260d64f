"""Parts by name: frozen dataclasses to and from plain dictionaries and short text.

Names exist for what is written on disk or typed at a prompt. In Python, pass the objects.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from facesmith.base.errors import UsageError

Part = TypeVar("Part", bound=type)
_parts: dict[str, type] = {}


def register(kind: Part) -> Part:
    """Make a frozen dataclass known by its class name.

    Args:
        kind: The dataclass.

    Returns:
        The same class, so that this serves as a decorator.

    Raises:
        UsageError: Another class has this name already.
    """
    key = _key(kind.__name__)
    known = _parts.setdefault(key, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise UsageError(
            f"Two parts are called {kind.__name__!r}: in {known.__module__} and in {kind.__module__}.",
            needed="one name for one part",
            todo=f"rename the class in {kind.__module__}",
        )
    _parts[key] = kind
    return kind


def registered(base: type) -> list[type]:
    """List the registered parts of one kind.

    Args:
        base: The base class or protocol that they implement.

    Returns:
        Classes sorted by name.
    """
    return sorted((p for p in _parts.values() if issubclass(p, base)), key=lambda p: p.__name__)


def own(base: type) -> list[type]:
    """List the registered parts of one kind that facesmith brings itself, without a user's.

    Args:
        base: The base class or protocol that they implement.

    Returns:
        Classes sorted by name.
    """
    return [part for part in registered(base) if part.__module__.startswith("facesmith.")]


def find(name: str) -> type:
    """Look a part up by name, ignoring case, hyphens and underscores.

    Args:
        name: Such as `"Hinge"` or `"least-squares"`.

    Returns:
        The registered class.

    Raises:
        UsageError: No part has this name; the message suggests near ones.
    """
    if (kind := _parts.get(_key(name))) is not None:
        return kind
    raise UsageError(
        f"There is no part called {name!r}{did_you_mean(name, [p.__name__ for p in _parts.values()])}.",
        needed=f"one of {', '.join(sorted(p.__name__ for p in _parts.values()))}",
        todo="correct the name, import the module that registers it, or name the file that does, as in "
        "facesmith generate RUN --recipe mine.py:function",
    )


def did_you_mean(given: str, known: list[str]) -> str:
    """Suggest what a misspelt name was meant to be.

    Args:
        given: What was typed.
        known: The names there are.

    Returns:
        Text to append to a sentence, empty when nothing is near.
    """
    by_key = {_key(name): name for name in known}
    near = difflib.get_close_matches(_key(given), by_key, n=1, cutoff=0.55)
    return f" (did you mean {by_key[near[0]]!r}?)" if near else ""


def to_dict(value: Any) -> Any:
    """Turn a tree of parts into what JSON can hold.

    Args:
        value: A dataclass instance, tuple, or plain value.

    Returns:
        Dictionaries with the class name under `"part"`, lists, and plain values.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_dict(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"part": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [to_dict(item) for item in value]
    return value


def from_dict(tree: Any) -> Any:
    """Rebuild a tree of parts from `to_dict`'s output.

    Args:
        tree: Dictionaries, lists and plain values, as read from JSON.

    Returns:
        The dataclass tree; lists become tuples.

    Raises:
        UsageError: A part or a field is unknown, or a value has the wrong type.
    """
    if isinstance(tree, dict) and "part" in tree:
        kind = find(str(tree["part"]))
        return build(kind, **{k: from_dict(v) for k, v in tree.items() if k != "part"})
    if isinstance(tree, list):
        return tuple(from_dict(item) for item in tree)
    return tree


def flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten a tree of dictionaries and lists to dotted names.

    Args:
        tree: As `to_dict` makes it.
        prefix: Put before each name.

    Returns:
        Plain values by dotted name.
    """
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list | tuple):
        items = {str(i): v for i, v in enumerate(tree)}.items()
    else:
        return {prefix.removesuffix("."): tree}
    return {k: v for name, value in items for k, v in flat(value, f"{prefix}{name}.").items()}


def build(kind: type, **values: Any) -> Any:
    """Construct a part after checking names and types of its fields.

    Args:
        kind: The dataclass.
        **values: Its fields.

    Returns:
        The instance.

    Raises:
        UsageError: A field is unknown, missing, or has a value of the wrong type.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values = {k: _convert(v, hints[k]) if k in fields else v for k, v in values.items()}
    for name, value in values.items():
        if name not in fields:
            raise UsageError(
                f"{kind.__name__} has no field {name!r}{did_you_mean(name, list(fields))}.",
                needed=f"one of {', '.join(fields)}",
                todo="correct the name; a file written by a newer facesmith needs that version",
            )
        if not _fits(value, hints[name]):
            raise UsageError(
                f"{kind.__name__}.{name} was given {value!r}.",
                needed=f"a value of type {_type_name(hints[name])}",
                todo="correct the value",
            )
    missing = [
        f.name
        for f in fields.values()
        if f.name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise UsageError(
            f"{kind.__name__} was given without {', '.join(missing)}.",
            needed=f"a value for {', '.join(missing)}",
            todo=f"write {kind.__name__}({', '.join(f'{m}=...' for m in missing)})",
        )
    return kind(**values)


def parse(text: str) -> Any:
    """Read a part written as a call: `r1(gamma=0.3, every=4)`, `cosine(4e-4, 1e-5, 500k)`, `hinge`.

    Args:
        text: The part's name, with its fields in parentheses; nested parts are allowed.
            Numbers may end in k or M.

    Returns:
        The part.

    Raises:
        UsageError: The text is not of this form, or names what does not exist.
    """
    spelled = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)([kM])\b", _expand, text.strip())
    # A hyphen inside a name is a habit of the command line, not a subtraction.
    spelled = re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", "_", spelled)
    try:
        return _evaluate(ast.parse(spelled, mode="eval").body)
    except UsageError:
        raise
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{text!r} does not name a part.",
            needed="a name, or a call such as r1(gamma=0.3, every=4)",
            todo="correct the text, and quote it for the shell",
        ) from error


def count(text: str) -> int:
    """Read a number of images: `800`, `500k`, `2.5M`.

    Args:
        text: Digits, with k for thousands or M for millions.

    Returns:
        The number.

    Raises:
        UsageError: The text is something else.
    """
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", text.strip().replace("_", "")):
        return round(float(match[1]) * {"": 1, "k": 1e3, "M": 1e6}[match[2]])
    raise UsageError(
        f"{text!r} is not a number of images.",
        needed="digits, with k for thousands or M for millions",
        todo="write it as 800, 500k or 2.5M",
    )


def _expand(match: re.Match[str]) -> str:
    return str(count(match[0]))


def _key(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


def _evaluate(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return build(find(node.id))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        kind = find(node.func.id)
        names = [f.name for f in dataclasses.fields(kind) if not f.kw_only]
        # Arguments beyond the last field, and a field given twice, must not vanish.
        if len(node.args) > len(names):
            raise TypeError(f"{kind.__name__} takes {len(names)} values, not {len(node.args)}")
        given = [*names[: len(node.args)], *(str(k.arg) for k in node.keywords)]
        if len(set(given)) < len(given):
            raise TypeError(f"a field of {kind.__name__} was given twice")
        arguments = (*node.args, *(k.value for k in node.keywords))
        return build(kind, **dict(zip(given, map(_argument, arguments), strict=True)))
    return ast.literal_eval(node)


def _argument(node: ast.expr) -> Any:
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_argument(item) for item in node.elts)
    # Words that are plain values inside a call (`downsampling=blur`) are strings unless a part has the name.
    if isinstance(node, ast.Name) and _key(node.id) not in _parts:
        return node.id
    return _evaluate(node)


def _convert(value: Any, hint: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and hint is float:
        # Whole numbers are welcome where a float is asked for, and stay floats on disk.
        return float(value)
    if is_number and hasattr(hint, "from_number"):
        return hint.from_number(value)  # a schedule may be given as the number that it always has
    if isinstance(value, str) and typing.get_origin(hint) is typing.Literal:
        # `leaky_relu` is `leaky-relu`, as everywhere.
        same = {_key(str(choice)): choice for choice in typing.get_args(hint)}
        return same.get(_key(value), value)
    return value


def _fits(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if hint is Any or isinstance(hint, TypeVar):
        return True
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin is typing.Annotated:
        return _fits(value, typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    if origin is tuple:
        inner = typing.get_args(hint)
        if not isinstance(value, tuple):
            return False
        if len(inner) == 2 and inner[1] is Ellipsis:
            return all(_fits(item, inner[0]) for item in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin is Callable or not isinstance(hint, type):
        return True
    return isinstance(value, hint)


def _type_name(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(hint)))
    return hint.__name__ if isinstance(hint, type) else str(hint)
