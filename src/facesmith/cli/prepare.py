"""facesmith prepare PHOTOS --out DATASET"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from facesmith import cli
from facesmith.cli import options
from facesmith.data.prepare import prepare


@dataclass(frozen=True)
class Prepare:
    """Turn photos into a dataset: square, upright, one size, a part held out."""

    photos: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PHOTOS")]
    """A folder, a zip (never extracted), MNIST idx files, or portraits:COUNT."""
    out: Path
    """The dataset folder to make."""
    resolution: int = 64
    """Height and width of the images in pixels."""
    crop: str = "center"
    """How photos become squares: center, center:SIZE, x,y,width,height, or none."""
    channels: Literal[1, 3] = 3
    """3 for colour, 1 for grey."""
    held_out: float = 0.1
    """Share of the photos that training never sees."""
    resampling: str = "lanczos"
    """Filter of the downscale; nearest keeps pixel art crisp."""
    limit: int | None = None
    """Use only the first so many photos."""
    workers: int | None = None
    """Processes that decode; one for each core by default."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the summary as JSON."""


def run(arguments: list[str]) -> int:
    """Prepare photos.

    Args:
        arguments: Photos and options.

    Returns:
        The exit code.
    """
    chosen = options.read(Prepare, arguments, verb="prepare")
    dataset = prepare(
        chosen.photos,
        chosen.out,
        resolution=chosen.resolution,
        crop=chosen.crop,
        channels=chosen.channels,
        held_out=chosen.held_out,
        resampling=chosen.resampling,
        limit=chosen.limit,
        workers=chosen.workers,
        progress=counter("preparing"),
    )
    if chosen.json:
        print(json.dumps(asdict(dataset.summary), indent=2))
        return 0
    print("\n".join(dataset.summary.lines()))
    recipe = "mlp" if (chosen.resolution, chosen.channels) == (28, 1) else "face"
    tuning = ""
    if recipe == "face" and chosen.resolution != 64:
        tuning += f" --resolution {chosen.resolution}"
    if recipe == "face" and chosen.channels != 3:
        tuning += f" --channels {chosen.channels}"
    print(f"next: {cli.command()} train {recipe} --data {options.quoted(chosen.out)}{tuning}")
    return 0


def counter(what: str) -> Callable[[int, int], None]:
    """Make a counter that redraws one line of a terminal and is silent elsewhere.

    Args:
        what: The work, as a word.

    Returns:
        A function of photos done and photos found.
    """

    def show(done: int, found: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= found else ""
            print(f"\r{what} {done:,} / {found:,}", end=end, file=sys.stderr, flush=True)

    return show
