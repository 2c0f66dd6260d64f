"""facesmith recipes"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from facesmith import cli
from facesmith.applications.describe import describe
from facesmith.cli import options
from facesmith.recipes import NAMED


@dataclass(frozen=True)
class Recipes:
    """List the recipes."""

    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print JSON instead of a table."""


def run(arguments: list[str]) -> int:
    """List the recipes.

    Args:
        arguments: Options.

    Returns:
        The exit code.
    """
    chosen = options.read(Recipes, arguments, verb="recipes")
    rows = []
    for name, make in NAMED.items():
        recipe = make()
        networks = describe(recipe)
        rows.append(
            {
                "recipe": name,
                "resolution": recipe.resolution,
                "generator_parameters": networks.generator.parameters,
                "discriminator_parameters": networks.discriminator.parameters,
                "loss": type(recipe.loss).__name__,
                "what": (make.__doc__ or "").splitlines()[0],
            }
        )
    if chosen.json:
        print(json.dumps(rows, indent=2))
        return 0
    table = Table()
    for heading in ("recipe", "px", "G", "D", "what it is"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["recipe"]),
            str(row["resolution"]),
            _millions(int(str(row["generator_parameters"]))),
            _millions(int(str(row["discriminator_parameters"]))),
            str(row["what"]),
        )
    console = Console()
    with console.capture() as tables:  # rich's own way to print takes a closed pipe for a failure
        console.print(table)
    print(tables.get(), end="")
    print(f"next: {cli.command()} describe face")
    return 0


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f} M"
