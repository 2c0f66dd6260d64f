"""Named recipes: one function each; its docstring says where it comes from and what to expect."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from facesmith.architectures import (
    DCGANDiscriminator,
    DCGANGenerator,
    DecoderGenerator,
    Latent,
    MLPDiscriminator,
    MLPGenerator,
)
from facesmith.base.errors import UsageError
from facesmith.base.registry import did_you_mean, to_dict
from facesmith.base.schedules import Constant, Decay
from facesmith.data.scaling import Rescale
from facesmith.objectives.losses import NonSaturating, Relativistic
from facesmith.objectives.penalties import R1
from facesmith.optimizers import Adam, Optimizers
from facesmith.recipe import Recipe

NAMED: dict[str, Callable[[], Recipe]] = {}


def named(make: Callable[[], Recipe]) -> Callable[[], Recipe]:
    """Make a recipe known by its function's name, with hyphens."""
    NAMED[make.__name__.replace("_", "-")] = make
    return make


def find_recipe(name: str) -> Recipe:
    """Look a recipe up.

    Args:
        name: As `facesmith recipes` lists them, or `file.py:function`, a function of one's own that
            returns a Recipe.

    Returns:
        The recipe.

    Raises:
        UsageError: There is none of this name; the message suggests a near one.
    """
    if (make := NAMED.get(name)) is not None:
        return make()
    file, colon, function = name.rpartition(":")
    if colon and file.endswith(".py"):
        return _from_file(Path(file), function)
    raise UsageError(
        f"There is no recipe called {name!r}{did_you_mean(name, list(NAMED))}.",
        needed=f"one of {', '.join(NAMED)}, or file.py:function",
        todo="list them with: facesmith recipes",
    )


def published(name: str) -> dict[str, Any]:
    """Give a named recipe as plain values, as it is before anybody changes its options.

    Args:
        name: As `facesmith recipes` lists them.

    Returns:
        The tree of `registry.to_dict`; empty where there is no recipe of this name.
    """
    make = NAMED.get(name)
    return to_dict(make()) if make is not None else {}


def _from_file(path: Path, function: str) -> Recipe:
    if not path.is_file():
        raise UsageError(
            f"There is no file {path}.",
            needed="a Python file with a function that returns a Recipe",
            todo="correct the path; it is looked for from where you stand",
        )
    module = _imported(path.resolve())
    functions = [key for key, value in vars(module).items() if callable(value)]
    if function not in functions:
        raise UsageError(
            f"{path} has no function {function!r}{did_you_mean(function, functions)}.",
            needed="a function without arguments that returns a Recipe",
            todo=f"write facesmith train {path}:FUNCTION",
        )
    with _in_words(path):
        recipe = getattr(module, function)()
    if not isinstance(recipe, Recipe):
        raise UsageError(
            f"{path}:{function} returned {type(recipe).__name__}.",
            needed="a Recipe",
            todo="begin with: from dataclasses import replace; return replace(find_recipe('face'), ...)",
        )
    return recipe


def _imported(path: Path) -> ModuleType:
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known  # a second import would make other classes of the same names
    if known is not None:
        raise UsageError(
            f"{path} has the name of a module that is in use already.",
            needed="a name of its own",
            todo=f"rename it, for example to my_{path.name}",
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # as for any .py file
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their own module up there to understand the annotations of their fields.
    sys.modules[path.stem] = module
    try:
        with _in_words(path):
            spec.loader.exec_module(module)
    except UsageError:
        del sys.modules[path.stem]
        raise
    return module


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{path} could not be run: {type(error).__name__}: {error}.",
            needed="a Python file that can be imported, with a function that takes no arguments",
            todo=f"mend it, and try it with: python {path}",
        ) from error


@named
def face() -> Recipe:
    """Our default for faces: relativistic loss, zero-centred gradient penalty, no batch norm in D.

    A discriminator that is asked "more real than that fake?" and kept smooth at the data neither wins
    nor loses, so its gradients stay useful to the end. The generator keeps batch norm, which learns
    fastest at this size; its average gets fresh statistics. No momentum (R3GAN, 2501.05441), and small
    batches, which make more updates of the same images. `benchmarks/face_study.py` has the figures.
    """
    adam = Adam(learning_rate=Constant(4e-4), beta1=Constant(0.0), beta2=Constant(0.99))
    return Recipe(
        name="face",
        discriminator=DCGANDiscriminator(normalization="none", initialization="kaiming"),
        loss=Relativistic(),
        penalties=(R1(gamma=Constant(0.3), every=8, share=0.5),),
        optimizers=Optimizers(generator=adam, discriminator=adam),
        batch=32,
    )


@named
def dcgan() -> Recipe:
    """The DCGAN of the paper's face experiment: 5x5 kernels, 128 to 1024 channels (1511.06434).

    Batch 128, Adam 2e-4 with beta1 0.5, uniform latents, weights N(0, 0.02). Four times the arithmetic
    of `dcgan-tutorial`. Its odd kernels with stride 2 make the checkerboards that it is known for.
    """
    return Recipe(
        name="dcgan",
        latent=Latent(size=100, law="uniform"),
        generator=DCGANGenerator(width=128, kernel=5),
        discriminator=DCGANDiscriminator(width=128, kernel=5),
        batch=128,
        flip=0.0,
    )


@named
def dcgan_tutorial() -> Recipe:
    """The DCGAN of the well-known PyTorch tutorial: 4x4 kernels, 64 to 512 channels.

    Generator 3,576,704 and discriminator 2,765,568 parameters at 64 pixels. What everybody begins with;
    here with an averaged generator, which the tutorial lacks, and batches of 64 (the tutorial's: 128).
    """
    return Recipe(name="dcgan-tutorial", flip=0.0)


@named
def mlp() -> Recipe:
    """The first GAN, fully connected, on MNIST (1406.2661): train it with --data MNIST-FOLDER.

    Generator of two layers of 1200 units and a sigmoid, maxout discriminator with dropout, pixels from
    0 to 1. The paper's plain gradient descent at a rate of 0.1 stands on bounded column norms, without
    which it diverged here after 40,000 images; Adam takes its place.
    """
    return Recipe(
        name="mlp",
        resolution=28,
        channels=1,
        latent=Latent(size=100, law="uniform"),
        scaling=Rescale(low=0.0, high=1.0),
        generator=MLPGenerator(),
        discriminator=MLPDiscriminator(),
        batch=100,
        flip=0.0,
    )


@named
def seed_32_small() -> Recipe:
    """The smallest net of the founding diaries: three stages from 32 channels, batch 200, 32 pixels.

    Its diary saw little change after 50 of 100 epochs, with a discriminator that had won by epoch 30.
    """
    return Recipe(
        name="seed-32-small",
        resolution=32,
        latent=Latent(size=100, law="uniform"),
        generator=DCGANGenerator(width=32, start_normalization="none"),
        discriminator=DCGANDiscriminator(width=32),
        batch=200,
        flip=0.0,
    )


@named
def seed_32() -> Recipe:
    """A founding diary's net of four stages from 64 channels, down to 2x2 pixels, batch 128, 32 pixels."""
    return Recipe(
        name="seed-32",
        resolution=32,
        latent=Latent(size=100, law="uniform"),
        generator=DCGANGenerator(start=2, start_normalization="none"),
        discriminator=DCGANDiscriminator(end=2),
        batch=128,
        flip=0.0,
    )


@named
def seed_128_upsample() -> Recipe:
    """The diary that fought collapse at 128 pixels: an upsampling decoder against a wide discriminator.

    Its last attempt, which held: learning rate 1e-4, times 0.95 every 1500 updates of 64 images, real
    labels of 0.9. Generator 2.3 M, discriminator 44.6 M parameters.
    """
    adam = Adam(learning_rate=Decay(start=1e-4, factor=0.95, every=96_000))
    return Recipe(
        name="seed-128-upsample",
        resolution=128,
        latent=Latent(size=100, law="uniform"),
        generator=DecoderGenerator(width=128, normalization="batch"),
        discriminator=DCGANDiscriminator(width=128),
        loss=NonSaturating(real_label=0.9),
        optimizers=Optimizers(generator=adam, discriminator=adam),
        flip=0.0,
    )
