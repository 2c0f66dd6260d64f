"""facesmith audit DATASET"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from facesmith import cli
from facesmith.base.errors import DataError, UsageError
from facesmith.cli import options
from facesmith.data import audit as audits
from facesmith.data.audit import Audit, Finding
from facesmith.data.audit.advice import training
from facesmith.data.dataset import Dataset
from facesmith.data.packing.files import JOURNAL, explained, write_whole
from facesmith.data.packing.manifest import is_dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAGE, NUMBERS = "audit.html", "audit.json"
MANY = 30_000
"""Images; the search for copies takes the square of them."""
SHOWN = 5
"""Findings in the terminal; all are on the page."""
PLACEHOLDERS = {"PHOTOS", "DATASET", "RUN", "COLUMN"}
"""Words of a command that its reader has to replace."""


@dataclass(frozen=True)
class Options:
    """Say who is in a dataset and who is not, in what state it is, and what helps."""

    dataset: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATASET")]
    """A folder that prepare made."""
    samples: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """A trained model, to be compared with its data: a run folder, or one of its checkpoints."""
    count: int = 2000
    """Images that the model makes."""
    truncation: float = 1.0
    """Of what it makes; smaller is more typical and less varied."""
    recipe: str | None = None
    """file.py:function of a model with parts of your own; the file is run, so trust it."""
    sample: int = 20_000
    """Images of the dataset that are measured, spread evenly; labels and copies are counted on all."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder for audit.html and audit.json; the dataset itself by default."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the numbers as JSON."""


def run(arguments: list[str]) -> int:
    """Audit a dataset.

    Args:
        arguments: The dataset and options.

    Returns:
        The exit code.
    """
    chosen = options.read(Options, arguments, verb="audit")
    for name, number in (("count", chosen.count), ("sample", chosen.sample)):
        if number < 1:
            raise UsageError(
                f"--{name} was given {number}.",
                needed="1 image or more",
                todo=f"leave --{name} out",
            )
    if chosen.samples is None:
        usual = {field.name: field.default for field in fields(Options)}
        for name in ("count", "truncation", "recipe"):
            if getattr(chosen, name) != usual[name]:
                raise UsageError(
                    f"--{name} was given, and no model.",
                    needed="--samples RUN, whose images it is about",
                    todo=f"add --samples RUN, or leave --{name} out",
                )
    dataset = _open(chosen.dataset)
    if dataset.count > MANY and not chosen.json:
        print(f"comparing {dataset.count:,} images with each other takes a moment", file=sys.stderr)
    made = None
    if chosen.samples is not None:
        images = _generate(chosen, chosen.samples, dataset)
        made = audits.audit_images(images, title=str(chosen.samples))
    found = audits.audit(dataset, sample=chosen.sample)
    findings = audits.findings(found)
    drift = audits.drift(found, made) if made is not None else []
    numbers = json.dumps(_numbers(found, made, findings, drift), indent=2)

    folder = chosen.out or chosen.dataset
    with explained(folder, "choose another folder with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / NUMBERS, f"{numbers}\n")
        write_whole(folder / PAGE, audits.page(found, made))
    if chosen.json:
        print(numbers)
        return 0
    _say(found, [*drift, *findings], folder / PAGE)
    return 0


def _open(folder: Path) -> Dataset:
    drawn = str(folder).partition(":")[0] == "portraits"
    unfinished = (folder / JOURNAL).exists()
    if (folder.exists() or drawn) and not (is_dataset(folder) or unfinished):
        name = options.quoted(f"{folder.stem.replace(':', '-') or 'faces'}-64")
        raise DataError(
            f"{folder} is no dataset.",
            needed="a folder that facesmith prepare made, with images that are square and of one size",
            todo=f"{cli.command()} prepare {options.quoted(folder)} --out {name}, then "
            f"{cli.command()} audit {name}",
        )
    return Dataset.open(folder)


def _generate(chosen: Options, run: Path, dataset: Dataset) -> NDArray[np.uint8]:
    # Heavy, and not needed for a dataset alone.
    from facesmith.applications import sample
    from facesmith.recipes import find_recipe

    if chosen.recipe is not None:
        find_recipe(chosen.recipe)  # registers the parts that the checkpoint names
    model = sample.load(run)
    recipe = model.snapshot.recipe
    ours, theirs = (recipe.resolution, recipe.channels), (dataset.resolution, dataset.channels)
    if ours != theirs:
        raise UsageError(
            f"{run} makes images of {ours[0]} pixels and {ours[1]} channels, {dataset.folder} holds "
            f"{theirs[0]} and {theirs[1]}.",
            needed="a model and the dataset that it learned from",
            todo="give the dataset that was trained on",
        )
    return model.generate(range(chosen.count), truncation=chosen.truncation)


def _numbers(
    found: Audit, made: Audit | None, findings: list[Finding], drift: list[Finding]
) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "dataset": found.to_dict(),
        "findings": [asdict(finding) for finding in findings],
    }
    if made is not None:
        numbers |= {
            "samples": made.to_dict(),
            "drift": [asdict(finding) for finding in drift],
        }
    return numbers


def _say(found: Audit, findings: list[Finding], page: Path) -> None:
    looked = (
        f", {found.pixels.measured:,} measured" if found.pixels.measured < found.pixels.of else ""
    )
    print(f"{found.title}: {found.pixels.of:,} training images{looked}")
    for finding in findings[:SHOWN]:
        print(f"{finding.severity}: {finding.title}")
    if not findings:
        print("nothing stands out")
    if len(findings) > SHOWN:
        print(f"and {len(findings) - SHOWN} more")
    print(f"what to do about it, with pictures: {page}")
    ready = (f.command for f in findings if f.command and not PLACEHOLDERS & set(f.command.split()))
    print(f"next: {next(ready, training(found)).replace('facesmith', cli.command(), 1)}")
