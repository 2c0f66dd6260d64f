"""facesmith describe RECIPE"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from facesmith import cli
from facesmith.applications.describe import Network, describe
from facesmith.base.errors import UsageError
from facesmith.cli import options
from facesmith.recipe import Recipe
from facesmith.recipes import NAMED, find_recipe


@dataclass(frozen=True)
class Describe:
    """Show a recipe's networks layer by layer; takes the recipe options of train."""

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print JSON instead of tables."""


def run(arguments: list[str]) -> int:
    """Describe a recipe.

    Args:
        arguments: The recipe's name and options.

    Returns:
        The exit code.
    """
    if not arguments or arguments[0].startswith("-"):
        if set(arguments) & {"-h", "--help"}:
            arguments = ["face", *arguments]
        else:
            raise UsageError(
                "No recipe was named.",
                needed="the name of a recipe first",
                todo="list them with: facesmith recipes",
            )
    name, *rest = arguments
    recipe, rest = options.swap_parts(find_recipe(name), rest)
    chosen = options.read(Describe, rest, verb=f"describe {name}", default=Describe(recipe=recipe))
    chosen.recipe.check()
    found = describe(chosen.recipe)
    if chosen.json:
        print(json.dumps(asdict(found), indent=2))
        return 0
    console = Console()
    with console.capture() as tables:  # rich's own way to print takes a closed pipe for a failure
        if (make := NAMED.get(name)) is not None and make.__doc__:
            console.print(f"{name}: {make.__doc__.splitlines()[0]}", markup=False, highlight=False)
        for network in (found.generator, found.discriminator):
            console.print(_table(network))
    print(tables.get(), end="")
    print(found.verdict)
    tuned = f" {shlex.join(arguments[1:])}" if len(arguments) > 1 else ""
    print(f"next: {cli.command()} train {name} --data PHOTOS{tuned}")
    return 0


def _table(network: Network) -> Table:
    totals = (
        f"{network.title}: {network.parameters:,} parameters, "
        f"{network.multiply_adds / 1e6:,.1f} M multiply-adds an image, "
        f"{network.activation_bytes / 2**20:.1f} MB of activations forward and backward"
    )
    table = Table(title=totals, title_justify="left")
    table.add_column("layer", overflow="fold")
    table.add_column("kind", overflow="fold")
    columns = ["output", "params", "mult-adds"]
    if network.layers[-1].receptive_field:  # a generator's input has no pixels to see
        columns.append("sees")
    for heading in columns:
        table.add_column(heading, justify="right")
    for layer in network.layers:
        cells = [
            layer.name,
            layer.kind,
            "x".join(map(str, layer.shape)) or "1",
            f"{layer.parameters:,}" if layer.parameters else "",
            f"{layer.multiply_adds / 1e6:,.2f} M" if layer.multiply_adds else "",
            f"{layer.receptive_field} px" if layer.receptive_field else "",
        ]
        table.add_row(*cells[: 2 + len(columns)])
    return table
