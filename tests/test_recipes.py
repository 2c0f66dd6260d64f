"""Recipes by name, and from a file of one's own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesmith.base import registry
from facesmith.base.errors import UsageError
from facesmith.base.registry import parse
from facesmith.recipes import NAMED, find_recipe

OWN = """
from __future__ import annotations
from dataclasses import dataclass, replace
from facesmith import find_recipe
from facesmith.base.registry import register
from facesmith.objectives.losses import Hinge

@register
@dataclass(frozen=True)
class Mine(Hinge):
    margin: float = 1.0

def mine():
    return replace(find_recipe("face"), name="mine", loss=Mine(margin=2.0))

def other():
    return 3
"""


@pytest.fixture(autouse=True)
def _as_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_parts", dict(registry._parts))
    yield
    sys.modules.pop("own", None)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_recipe_carries_its_name_and_can_work(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.name == name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the paper's odd kernels are warned about, and rightly so
        recipe.check()


def test_a_function_in_a_file_is_a_recipe(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    recipe = find_recipe(f"{tmp_path / 'own.py'}:mine")
    assert (recipe.name, type(recipe.loss).__name__) == ("mine", "Mine")
    assert parse("mine(margin=3)").margin == 3.0  # and its parts are known by name
    assert find_recipe(f"{tmp_path / 'own.py'}:mine") == recipe


def test_a_file_does_not_take_the_place_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(OWN)
    with pytest.raises(UsageError, match="in use already"):
        find_recipe(f"{tmp_path / 'json.py'}:mine")


@pytest.mark.parametrize(
    ("content", "function", "said"),
    [
        (OWN, "min", "did you mean 'mine'"),
        (OWN, "other", "returned int"),
        ("import nowhere_at_all", "mine", "ModuleNotFoundError"),
        ("def mine(): return 1 / 0", "mine", "ZeroDivisionError"),
        ("def mine(size): pass", "mine", "TypeError"),
        ("import sys; sys.exit(3)", "mine", "SystemExit: 3"),
        ("def", "mine", "SyntaxError"),
        (None, "mine", "There is no file"),
    ],
)
def test_a_file_that_holds_no_recipe_is_refused(
    content: str | None, function: str, said: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "own.py").write_text(content)
    with pytest.raises(UsageError, match=said):
        find_recipe(f"{tmp_path / 'own.py'}:{function}")


@pytest.mark.parametrize(
    ("unmade", "said"),
    [("@register\n", "cannot be read back"), ("@dataclass(frozen=True)\n", "part")],
)
def test_a_part_that_no_checkpoint_could_name_is_refused_before_training(
    unmade: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN.replace(unmade, ""))
    with pytest.raises((UsageError, TypeError), match=said):
        find_recipe(f"{tmp_path / 'own.py'}:mine").check()
