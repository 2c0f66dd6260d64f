"""facesmith generate RUN"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from facesmith import cli
from facesmith.applications import sample
from facesmith.base.errors import StorageError, UsageError, is_full
from facesmith.cli import options
from facesmith.recipes import find_recipe

OTHER_PICTURES = (".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Generate:
    """Make faces with a trained model: one sheet, or one file for each seed."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run folder, or one of its checkpoints."""
    seeds: str = "0-15"
    """Numbers and ranges, such as 0-15,42; a seed always means the same face."""
    truncation: float = 1.0
    """Above 0, up to 1; smaller is more typical and less varied."""
    out: Path | None = None
    """A .png file for a sheet, or a folder for single files; a sheet in the run folder by default."""
    recipe: str | None = None
    """file.py:function of a model with parts of your own; the file is run, so trust it."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print what was written as JSON."""


def run(arguments: list[str]) -> int:
    """Generate faces.

    Args:
        arguments: The model and options.

    Returns:
        The exit code.
    """
    chosen = options.read(Generate, arguments, verb="generate")
    seeds = options.seeds(chosen.seeds)
    if chosen.out is not None and chosen.out.suffix.lower() in OTHER_PICTURES:
        raise UsageError(
            f"--out {chosen.out} asks for a {chosen.out.suffix} file.",
            needed="a .png file for a sheet, or a folder for single files",
            todo=f"write --out {chosen.out.with_suffix('.png')}",
        )
    if chosen.recipe is not None:
        find_recipe(chosen.recipe)  # registers the parts that the checkpoint names
    model = sample.load(chosen.model)
    target = chosen.out or sheet_of(chosen.model)
    try:
        if target.suffix.lower() == ".png":
            target.parent.mkdir(parents=True, exist_ok=True)
            sample.write_grid(model, seeds, target, truncation=chosen.truncation)
            written = [target]
        else:
            written = sample.write_files(model, seeds, target, truncation=chosen.truncation)
    except OSError as error:
        raise StorageError(
            f"{target} could not be written: {error.strerror}.",
            needed="free space" if is_full(error) else "a place that this user may write",
            todo="choose another with --out",
        ) from error
    if chosen.json:
        print(json.dumps({"files": [str(path) for path in written], "seeds": seeds}))
        return 0
    print(f"{len(seeds)} generated faces in {target}")
    folder = options.quoted(chosen.model)
    print(f"next: {cli.command()} generate {folder} --seeds 0-999 --out faces/")
    return 0


def sheet_of(model: Path) -> Path:
    """Name the sheet of a model: in its run, for the run deletes its old checkpoints.

    Args:
        model: A run folder, or one of its checkpoints.

    Returns:
        The PNG file.
    """
    place = model if model.name else model.resolve()
    if place.parent.name == "checkpoints":
        return place.parent.parent / f"faces-{place.name}.png"
    return model / "faces.png"
