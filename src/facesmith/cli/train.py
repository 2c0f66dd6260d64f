"""facesmith train RECIPE --data PHOTOS"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from facesmith import cli
from facesmith.api import check_start, columns, default_folder, first_length, open_data, with_epochs
from facesmith.applications import report
from facesmith.base import registry
from facesmith.base.errors import UsageError
from facesmith.cli import options
from facesmith.cli.prepare import counter
from facesmith.cli.progress import progress_display
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.recipes import find_recipe
from facesmith.training import autopilot, loop, observers
from facesmith.training.progress import say
from facesmith.training.run import Cache, Run
from facesmith.training.watch import Health

USAGE = "facesmith train RECIPE --data PHOTOS [options]; recipes are listed by: facesmith recipes"


@dataclass(frozen=True)
class Train:
    """Train a recipe on photos; the same command again continues where it stopped.

    Whole parts are exchanged by name:
    --loss hinge --scaling standardize --optimizers.discriminator "sgd(0.01)"
    --loss "nonsaturating(real_label=0.9)" --penalties "r1(gamma=1, every=4)" r2

    Losses: nonsaturating minimax least-squares hinge wasserstein relativistic.

    Penalties: r1, r2, gradient-penalty, drift; or none.
    """

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    data: str
    """A folder, zip or tar of photos, parquet or MNIST files, a prepared dataset, the word portraits, or a
    name that `facesmith download` lists."""
    images: str | None = None
    """Real images to see in all, with k or M; 200k by default."""
    epochs: int | None = None
    """Length in passes over the photos, instead of images."""
    minutes: float | None = None
    """Stop earlier if training has taken so long, over all sittings."""
    run: Path | None = None
    """The run folder; runs/RECIPE-RESOLUTION by default."""
    crop: str = "center"
    """How photos become squares: face, face-celeba, center, center:SIZE, x,y,width,height, or none."""
    seed: int = 0
    """Every random number follows from it."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the networks; auto measures."""
    balance: str | None = None
    """Labels whose groups of images are drawn equally often, such as male or male,young."""
    cache: Cache = "auto"
    """Where the images are kept: on disk, in ram, or on the device; with none, not even on disk: photos are
    decoded while training, for sets that do not fit the disk."""
    record_every: str = "1k"
    """Images between two lines of metrics.jsonl."""
    sample_every: str = "10k"
    """Images between two sheets of samples."""
    checkpoint_every: str | None = None
    """Images between two checkpoints; 50k by default, with --autopilot a tenth of the run at most."""
    keep: int | None = None
    """Checkpoints that are kept; 3 by default, 6 with --autopilot."""
    autopilot: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """At a fault whose remedy is trusted, go back to where the run was well, change the recipe, and go on."""
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print what would run, as JSON, and stop."""


def run(arguments: list[str]) -> int:
    """Train.

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
                todo=USAGE,
            )
    name, *rest = arguments
    recipe, rest = options.swap_parts(find_recipe(name), rest)
    default = Train(recipe=recipe, data=tyro.MISSING)
    chosen = options.read(Train, rest, verb=f"train {name}", default=default)
    return train(chosen, arguments)


def train(chosen: Train, typed: list[str]) -> int:
    """Train as chosen and say how to go on.

    Args:
        chosen: The options.
        typed: The words they came from.

    Returns:
        The exit code.
    """
    recipe = chosen.recipe
    recipe.check()
    where = chosen.run or default_folder(recipe)
    every = None if chosen.checkpoint_every is None else registry.count(chosen.checkpoint_every)
    settings = Run(
        folder=where,
        images=first_length(chosen.images, chosen.epochs),
        minutes=chosen.minutes,
        seed=chosen.seed,
        device=chosen.device,
        precision=chosen.precision,
        balance=columns(chosen.balance),
        cache=chosen.cache,
        record_every=registry.count(chosen.record_every),
        sample_every=registry.count(chosen.sample_every),
        checkpoint_every=Run.checkpoint_every if every is None else every,
        keep=Run.keep if chosen.keep is None else chosen.keep,
    )

    def paced(run: Run) -> Run:
        return autopilot.with_checkpoints(run, every, chosen.keep) if chosen.autopilot else run

    if chosen.dry_run:
        plan = {**asdict(paced(settings)), "folder": str(where), "epochs": chosen.epochs}
        if chosen.epochs is not None:
            plan["images"] = None  # known once the photos are counted
        tree = {"recipe": registry.to_dict(recipe), "run": plan, "data": chosen.data}
        print(json.dumps(tree, indent=2))
        return 0
    check_start(recipe, settings)
    preparing = counter("preparing photos")
    dataset = open_data(
        chosen.data, recipe, crop=chosen.crop, cache=chosen.cache, progress=preparing
    )
    summary = dataset.summary
    if isinstance(dataset, Dataset) and (summary.seconds > 0 or summary.rejected):
        say("\n".join(summary.lines()))  # just made, or worth a reminder
        say(f"prepared in {options.quoted(dataset.folder)}")
    settings = paced(with_epochs(settings, chosen.epochs, dataset))
    say(f"{recipe.name} on {dataset.count:,} images of {recipe.resolution} px into {where}")
    health = Health()
    watching = observers.standard(progress_display(settings), health=health)
    if chosen.autopilot:
        outcome = autopilot.train(recipe, settings, dataset, watching, health)
    else:
        outcome = loop.train(recipe, settings, dataset, watching)
    shown = options.quoted(where)
    report.write(where)
    if outcome.signal_number is not None:
        say(f"stopped by {outcome.reason} at {outcome.images_seen:,} images; everything is saved")
        say(f"next, to continue: {cli.command()} {shlex.join(['train', *typed])}")
        return 128 + outcome.signal_number
    sheet = where / observers.sheet_name(outcome.images_seen)
    say(f"{outcome.reason} at {outcome.images_seen:,} images; look at {sheet}")
    say(f"how it went: {where / report.PAGE}")
    if outcome.images_seen < settings.images:
        # The same command would find its minutes spent.
        again = shlex.join(["train", *options.without("--minutes", typed)])
        say(f"to go on, with a larger --minutes or without it: {cli.command()} {again}")
    if health.now.ill:
        say(f"next: {cli.command()} diagnose {shown}")
        return 0
    # Parts of one's own are known only once their file was run.
    own = f" --recipe {options.quoted(typed[0])}" if ".py:" in typed[0] else ""
    say(f"next: {cli.command()} generate {shown} --seeds 0-63{own}")
    return 0
