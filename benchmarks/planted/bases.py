"""Sound recipes, narrow enough for one core, and the data that they are trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import facesmith
from facesmith.architectures import DCGANDiscriminator, DecoderGenerator
from facesmith.base.schedules import Constant
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.data.scaling import Standardize
from facesmith.objectives.losses import Hinge, LeastSquares, NonSaturating, Wasserstein
from facesmith.objectives.penalties import R1, GradientPenalty
from facesmith.optimizers import Adam, Optimizers
from facesmith.recipe import Recipe

WIDTH = 16
"""Channels next to the image: a run takes about twenty seconds on one core."""


def _narrow(name: str, **changes: Any) -> Recipe:
    recipe = facesmith.find_recipe(name)
    return replace(
        recipe,
        resolution=32,
        generator=replace(recipe.generator, width=WIDTH),
        discriminator=replace(recipe.discriminator, width=WIDTH),
        **changes,
    )


def _adams(rate: float, beta1: float, beta2: float, *, critic: float | None = None) -> Optimizers:
    generator, discriminator = (
        Adam(learning_rate=Constant(r), beta1=Constant(beta1), beta2=Constant(beta2))
        for r in (rate, critic or rate)
    )
    return Optimizers(generator, discriminator)


def face() -> Recipe:
    """The default for faces."""
    return _narrow("face")


def tutorial() -> Recipe:
    """The tutorial's DCGAN; batches of 32, so that there are as many updates as with `face`."""
    return _narrow("dcgan-tutorial", batch=32)


def hinge() -> Recipe:
    """Hinge loss with R1."""
    return replace(face(), loss=Hinge(), penalties=(R1(gamma=Constant(1.0), every=4, share=0.5),))


def least_squares() -> Recipe:
    """The tutorial's networks with squared errors."""
    return replace(tutorial(), loss=LeastSquares())


def wgan_gp() -> Recipe:
    """The Wasserstein critic with gradient penalty, layer norm and several steps."""
    recipe = tutorial()
    return replace(
        recipe,
        loss=Wasserstein(),
        penalties=(GradientPenalty(),),
        discriminator=replace(recipe.discriminator, normalization="layer"),
        optimizers=_adams(1e-3, 0.0, 0.9),
        discriminator_steps=2,
    )


def upsampling() -> Recipe:
    """A generator that enlarges by nearest neighbour and convolves."""
    recipe = face()
    return replace(recipe, generator=replace(recipe.generator, upsampling="nearest", kernel=3))


def bilinear() -> Recipe:
    """The tutorial with bilinear enlargement."""
    recipe = tutorial()
    return replace(recipe, generator=replace(recipe.generator, upsampling="bilinear", kernel=3))


def decoder() -> Recipe:
    """The decoder of constant width, with batch norm, against the tutorial's discriminator."""
    return replace(tutorial(), generator=DecoderGenerator(width=24, normalization="batch"))


def standardized() -> Recipe:
    """`face` on pixels that are standardised first and rescaled second."""
    return replace(face(), scaling=Standardize())


def spectral() -> Recipe:
    """Spectral norm and the hinge loss."""
    recipe = tutorial()
    return replace(
        recipe,
        loss=Hinge(),
        discriminator=DCGANDiscriminator(width=WIDTH, normalization="spectral"),
        optimizers=_adams(2e-4, 0.0, 0.9, critic=4e-4),
    )


def smoothed() -> Recipe:
    """The tutorial with one-sided label smoothing."""
    return replace(tutorial(), loss=NonSaturating(real_label=0.9))


def noisy() -> Recipe:
    """The tutorial with a little noise on what the discriminator sees, and a little dropout in it."""
    recipe = tutorial()
    softened = replace(recipe.discriminator, dropout=0.1)
    return replace(recipe, input_noise=Constant(0.05), discriminator=softened)


def seed_32_small() -> Recipe:
    """The smallest net of the founding diaries, at half its width and a quarter of its batch."""
    recipe = facesmith.find_recipe("seed-32-small")
    return replace(
        recipe,
        generator=replace(recipe.generator, width=WIDTH),
        discriminator=replace(recipe.discriminator, width=WIDTH),
        batch=50,
    )


def grey(make: Callable[[], Recipe] = face) -> Recipe:
    """A recipe for one channel."""
    return replace(make(), channels=1)


def grey_tutorial() -> Recipe:
    """The tutorial for one channel."""
    return grey(tutorial)


BASES: dict[str, Callable[[], Recipe]] = {
    make.__name__.replace("_", "-"): make
    for make in (
        face,
        tutorial,
        hinge,
        least_squares,
        wgan_gp,
        upsampling,
        bilinear,
        decoder,
        standardized,
        spectral,
        smoothed,
        noisy,
        seed_32_small,
        grey,
        grey_tutorial,
    )
}


def open_data(out: Path, shared: Path) -> dict[str, Dataset]:
    """Prepare the datasets once, and open them.

    Args:
        out: They are kept in its folder `data`.
        shared: Where the photos are; without it there are portraits alone.

    Returns:
        Datasets by name.
    """
    celeba = shared / "celeba_20000.zip"
    sources: dict[str, tuple[str | Path, dict[str, Any]]] = {
        "portraits": ("portraits:4000", {}),
        "celeba": (celeba, {"crop": "center:148", "limit": 6000}),
        "celeba-whole": (celeba, {"crop": "center:178", "limit": 4000}),
        "utkface": (shared / "utkface_1500.zip", {}),
        "mnist": (shared / "mnist", {"channels": 1, "limit": 12_000}),
        "grey": (celeba, {"crop": "center:148", "limit": 4000, "channels": 1}),
    }
    there = {name: s for name, s in sources.items() if name == "portraits" or Path(s[0]).exists()}
    return {
        name: prepare(source, out / "data" / name, **{"resolution": 32, **options})
        for name, (source, options) in there.items()
    }
