"""facesmith demo"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from facesmith import cli
from facesmith.api import check_start
from facesmith.applications import sample
from facesmith.base import registry
from facesmith.base.schedules import Constant
from facesmith.cli import options
from facesmith.cli.prepare import counter
from facesmith.cli.progress import progress_display
from facesmith.data.cache import cached
from facesmith.data.plan import Preparation
from facesmith.optimizers import Optimizers
from facesmith.recipe import Recipe
from facesmith.recipes import find_recipe
from facesmith.training import loop, observers
from facesmith.training.progress import say
from facesmith.training.run import Run

PORTRAITS = 6_000
RESOLUTION = 32


@dataclass(frozen=True)
class Demo:
    """Train the face recipe on portraits that facesmith draws; a few minutes on a CPU."""

    run: Path = Path("runs/demo")
    """The run folder; the same command again continues."""
    minutes: float = 4.0
    """Time for training; more make better faces."""
    images: str = "2M"
    """Real images to see at most."""
    portraits: int = PORTRAITS
    """How many portraits to draw."""


def run(arguments: list[str]) -> int:
    """Run the demo.

    Args:
        arguments: Options.

    Returns:
        The exit code.
    """
    chosen = options.read(Demo, arguments, verb="demo")
    recipe = demo_recipe()
    settings = Run(
        folder=chosen.run,
        images=registry.count(chosen.images),
        minutes=chosen.minutes,
        sample_every=20_000,
    )
    check_start(recipe, settings)
    say(f"drawing {chosen.portraits:,} portraits of {RESOLUTION} px")
    how = Preparation(RESOLUTION)
    dataset = cached(f"portraits:{chosen.portraits}", how, progress=counter("drawing"))
    say(f"training face on them for {chosen.minutes:g} minutes into {chosen.run}")
    watching = observers.standard(progress_display(settings))
    outcome = loop.train(recipe, settings, dataset, watching)
    where = options.quoted(chosen.run)
    if outcome.signal_number is not None:
        say(f"stopped by {outcome.reason}; everything is saved")
        say(f"next, to continue: {cli.command()} {shlex.join(['demo', *arguments])}")
        return 128 + outcome.signal_number
    faces = chosen.run / "faces.png"
    sample.write_grid(sample.load(chosen.run), range(64), faces)
    say(f"64 faces that never existed: {faces}")
    say(f"what they learned from:      {chosen.run / 'reals.png'}")
    say(f"next: {cli.command()} generate {where} --seeds 0-99 --out {where}/faces/")
    return 0


def demo_recipe() -> Recipe:
    """Give `face` for small pictures, which bear larger steps: 12.3 against 15.8 from the data at 4e-4."""
    recipe = replace(find_recipe("face"), resolution=RESOLUTION)
    players = {
        player: replace(getattr(recipe.optimizers, player), learning_rate=Constant(6e-4))
        for player in ("generator", "discriminator")
    }
    return replace(recipe, optimizers=Optimizers(**players))
