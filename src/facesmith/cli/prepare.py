"""facesmith prepare PHOTOS --out DATASET"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from facesmith import cli
from facesmith.base.errors import UsageError
from facesmith.base.images import write_png
from facesmith.cli import options
from facesmith.data.packing.files import explained
from facesmith.data.plan import Preparation, refuse_inside
from facesmith.data.prepare import prepare
from facesmith.data.scaling import Rescale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREVIEW = 24
"""Photos that a preview shows."""


@dataclass(frozen=True)
class Prepare:
    """Turn photos into a dataset: square, upright, one size, a part held out."""

    photos: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PHOTOS")]
    """A folder, a zip or tar (never extracted), parquet or MNIST files, portraits:COUNT, or a name that
    `facesmith download` lists."""
    out: Path | None = None
    """The dataset folder to make."""
    preview: Path | None = None
    """Instead of making a dataset, draw some photos beside what the networks would see of them here."""
    resolution: int = 64
    """Height and width of the images in pixels."""
    crop: str = "center"
    """How photos become squares: face, face-celeba, center, center:SIZE, x,y,width,height, or none; a face
    crop takes values, as in "face(margin=1.2,faces=largest,min_size=40)"."""
    detector_model: Path | None = None
    """The YuNet model that finds faces; by default the one that `facesmith download yunet` fetched, or else
    the Haar cascade of OpenCV."""
    channels: Literal[1, 3] = 3
    """3 for colour, 1 for grey."""
    held_out: float | None = None
    """Share of the photos that training never sees; by default the split of their authors, or a tenth."""
    resampling: str = "lanczos"
    """Filter of the downscale; nearest keeps pixel art crisp."""
    labels: str | None = None
    """A file of labels, such as a table whose first column names the photos, or a folder of such files; none
    for none. Well-known ones, such as CelebA's, are found beside the photos."""
    clean: str | None = None
    """What is rejected though it can be decoded: standard, none, or with numbers of your own,
    "standard(blurred=0.4,grey=0)". Photos are cleaned, published sets and drawings are not, unless told."""
    keep_rejects: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write each rejected image into the folder rejected, too, beside the sheets that show them."""
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
    if chosen.preview is not None:
        return _preview(chosen, arguments)
    if chosen.out is None:
        raise UsageError(
            "No dataset folder was named.",
            needed="a place for the dataset",
            todo=f"facesmith prepare {options.quoted(chosen.photos)} --out DATASET",
        )
    dataset = prepare(
        chosen.photos,
        chosen.out,
        **_decided(chosen),
        keep_rejects=chosen.keep_rejects,
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


def _decided(chosen: Prepare) -> dict[str, Any]:
    """Take out the options that decide how photos become images; both have one name for each."""
    return {field.name: getattr(chosen, field.name) for field in fields(Preparation)}


def _preview(chosen: Prepare, typed: list[str]) -> int:
    """Draw what would be made of some photos."""
    idle = {"keep-rejects": chosen.keep_rejects, "json": chosen.json, "workers": chosen.workers}
    for name, given in idle.items():
        if given not in (None, False):
            raise UsageError(
                f"--{name} was given beside --preview, which makes no dataset.",
                needed="options that decide how photos become images",
                todo=f"leave --{name} out, or --preview",
            )
    assert chosen.preview is not None
    if chosen.preview.is_dir():
        raise UsageError(
            f"--preview was given the folder {chosen.preview}.",
            needed="the picture that shall be written",
            todo="name a file, such as --preview look.png",
        )
    refuse_inside(chosen.photos, chosen.preview)
    import torch

    from facesmith.data.preview import look, picture

    how = Preparation(**_decided(chosen))
    looks = look(how.plan(chosen.photos), PREVIEW)
    pixels = Rescale().fit((0.5,) * chosen.channels, (0.25,) * chosen.channels)

    def seen(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return pixels.to_pixels(pixels.to_network(torch.from_numpy(images))).numpy()

    with explained(chosen.preview.parent):
        write_png(chosen.preview, picture(looks, seen))
    used = sum(len(one.images) for one in looks)
    size = chosen.resolution
    print(f"{used} images of {len(looks)} photos: {chosen.preview}")
    print(
        f"the networks see ({chosen.channels}, {size}, {size}) numbers from {pixels.low:g} (black) to "
        f"{pixels.high:g} (white)"
    )
    again = options.without("--preview", typed)
    out = "" if chosen.out else " --out DATASET"
    print(f"next: {cli.command()} prepare {shlex.join(again)}{out}")
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
