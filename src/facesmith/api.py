"""The command line's words as Python calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from facesmith.applications.sample import Model, load
from facesmith.base import registry
from facesmith.data.cache import cached
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.recipes import find_recipe
from facesmith.training import loop, observers
from facesmith.training.observers import Observer
from facesmith.training.run import Run


def train(
    recipe: str | Recipe,
    *,
    data: str | Path | Dataset,
    images: int | str = "200k",
    minutes: float | None = None,
    run: str | Path | None = None,
    resolution: int | None = None,
    crop: str = "center",
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    watch: Sequence[Observer] = (),
) -> Model:
    """Train a recipe on photos and give back the model.

    Args:
        recipe: A name such as `"face"`, or a Recipe.
        data: A folder of photos, a zip, a prepared dataset, `"portraits"`, or an open Dataset.
        images: Real images to see in all, such as 200_000 or `"200k"`.
        minutes: Stop earlier if training has taken so long, over all sittings.
        run: The run folder; `runs/RECIPE-RESOLUTION` by default. Calling again with the same one continues.
        resolution: Height and width in pixels; the recipe's own by default.
        crop: How photos become squares: `center`, `center:SIZE`, `x,y,width,height` or `none`.
        seed: Every random number follows from it.
        device: Where to compute.
        watch: Observers beside the usual ones.

    Returns:
        The trained model.

    Raises:
        FacesmithError: Something cannot work; the message says what to do.

    Example:
        >>> model = facesmith.train("face", data="photos/", images="500k")
        >>> pixels = model.generate(seeds=range(16))
    """
    chosen = find_recipe(recipe) if isinstance(recipe, str) else recipe
    if resolution is not None:
        chosen = dataclasses.replace(chosen, resolution=resolution)
    folder = Path(run) if run is not None else default_folder(chosen)
    length = registry.count(images) if isinstance(images, str) else images
    chosen.check()
    where = Run(folder=folder, images=length, minutes=minutes, seed=seed, device=device)
    dataset = data if isinstance(data, Dataset) else open_data(data, chosen, crop=crop)
    loop.train(chosen, where, dataset, observers.standard(*watch))
    return load(folder)


def open_data(
    data: str | Path,
    recipe: Recipe,
    *,
    crop: str = "center",
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Open photos for a recipe, preparing them on first use.

    Args:
        data: A folder of photos, a zip, MNIST files, a prepared dataset, or `"portraits"`.
        recipe: Gives resolution and channels.
        crop: How photos become squares.
        progress: Called with photos done and photos found.

    Returns:
        The dataset.
    """
    return cached(
        data,
        resolution=recipe.resolution,
        channels=recipe.channels,
        crop=crop,
        progress=progress,
    )


def default_folder(recipe: Recipe) -> Path:
    """Name the folder of a run that was given none."""
    return Path("runs") / f"{recipe.name}-{recipe.resolution}"
