"""The doctor's instruments, set up for a run of facesmith."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facesmith.data.streaming.streamed import Streamed, TrainingSet
from facesmith.data.streams import mirror, mirrored
from facesmith.evaluation.distances import between_slices, slice_pictures, spectrum_distance
from facesmith.measuring import networks, pictures
from facesmith.measuring.layers import Examination, Layers
from facesmith.measuring.meter import Meter
from facesmith.measuring.pictures import Pictures
from facesmith.measuring.probe import FIXED, Found, Probe
from facesmith.measuring.reference import Reference
from facesmith.snapshot import fixed_latents
from facesmith.training.observers import Pace
from facesmith.training.step import noisy
from facesmith.training.view import View

REFERENCE = 256
"""Real images that fakes are compared with, and fakes whose distance is measured."""
NEIGHBOURS = 4_096
"""Training images among which the nearest to a fake is looked for."""
CHUNK = 256


class Signals:
    """Measures what a diagnosis needs, at each record and, what is dear, at each sheet of samples.

    Args:
        view: The run.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        recipe, place = view.recipe, view.state.compute
        self.train = some_of(view.dataset, view.run.seed)
        held_out = view.dataset.held_out  # which photos that are not packed are decoded for
        self.held_out_count = len(held_out)
        self.held_out = sample(held_out, REFERENCE) if len(held_out) else None
        self.pixels = of_pixels(_unit(self.train))
        if recipe.flip > 0:
            for images in (self.train, self.held_out):
                if images is not None:
                    mirror(images, mirrored(0, 0, len(images), recipe.flip))
        self.probe = Probe(
            place.activations(fixed_latents(recipe, "signals", 0, FIXED)),
            self._seen(self.train),
            None if self.held_out is None else self._seen(self.held_out),
            low=recipe.scaling.low,
            high=recipe.scaling.high,
        )
        self.pace = Pace(view.run.sample_every, view.state.images_seen)
        self.examination: Examination | None = None

    def facts(self) -> dict[str, Any]:
        """Describe the run for run.json, beside its recipe.

        Returns:
            What `health.facts.read` reads: networks, loss, data, batch and range.
        """
        state, recipe = self.view.state, self.view.recipe
        described = {
            player: networks.describe(network)
            for player, network in (
                ("generator", state.generator),
                ("discriminator", state.discriminator),
            )
        }
        described["generator"]["latent"] = recipe.latent.size
        return {
            "networks": described,
            "loss": networks.describe_loss(recipe.loss.discriminator, recipe.loss.generator),
            "data": {
                "train": self.view.dataset.count,
                "held_out": self.held_out_count,
                "pixels": self.pixels,
                "seen": self.probe.reference.measured,
            },
            "batch": recipe.batch,
            "low": recipe.scaling.low,
            "high": recipe.scaling.high,
        }

    @contextmanager
    def examine(self, *, due: bool) -> Iterator[None]:
        """Watch an update from before it to after it, if a record follows.

        Args:
            due: Whether one does.
        """
        self.examination = None
        if not due:
            yield
            return
        with Examination(self.view.state.generator, self.view.state.discriminator) as examination:
            yield
        self.examination = examination

    def look(self, meter: Meter) -> tuple[Found, Layers]:
        """Measure at a record.

        Args:
            meter: Gives what the newest update saw.

        Returns:
            Signals and quantiles; numbers of each layer.
        """
        state = self.view.state
        if self.examination is None:
            return Found(), {}
        layers = self.examination.layers()
        found = self.probe.look(
            state.generator,
            state.average,
            self.examination,
            meter.latest,
            self._judge,
            state.images_seen // self.view.run.probe_every,
        )
        self.examination = None
        if self.pace.is_due(state.images_seen):
            found.signals.update(self._distances())
        return found, layers

    def _judge(self, discriminator: nn.Module, images: Tensor) -> Tensor:
        logits: Tensor = discriminator(noisy(images, self.view.state))
        return logits

    def _seen(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Turn pixels into what the networks see."""
        view = self.view
        tensor = torch.as_tensor(pixels).to(view.state.compute.device)
        return view.state.compute.activations(view.pixels.to_network(tensor))

    @torch.no_grad()
    def _distances(self) -> dict[str, float]:
        """Measure how far samples are from real images, and how near to single ones."""
        fakes = _unit(self.view.fakes(REFERENCE))
        spectrum = pictures.spectrum(fakes)
        reals = self._reals
        measured = {
            "distance": between_slices(slice_pictures(fakes), reals.slices),
            "distance.floor": reals.floor,
            "spectrum_distance": spectrum_distance(spectrum, reals.spectrum),
            "spectrum_distance.floor": reals.spectrum_floor,
        }
        if reals.train_features is not None:
            near = nearness(fakes, reals.train_features, reals.held_out_features)
            measured["nearest"] = near / max(reals.nearest, 1e-9)
        return measured

    @cached_property
    def _reals(self) -> Reals:
        train = _unit(self.train)
        held_out = train if self.held_out is None else _unit(self.held_out)
        slices, spectrum = slice_pictures(held_out), pictures.spectrum(held_out)
        features, nearest = None, 0.0
        if self.held_out is not None and not isinstance(self.view.dataset, Streamed):
            chosen = sample(self.view.dataset.images, NEIGHBOURS)
            features = np.concatenate(
                [
                    pictures.features(_unit(chosen[begin : begin + CHUNK]))
                    for begin in range(0, len(chosen), CHUNK)
                ]
            )
            nearest = nearness(held_out, features, pictures.features(held_out), themselves=True)
        return Reals(
            slices=slices,
            spectrum=spectrum,
            floor=between_slices(slice_pictures(train), slices),
            spectrum_floor=spectrum_distance(pictures.spectrum(train), spectrum),
            train_features=features,
            held_out_features=pictures.features(held_out),
            nearest=nearest,
        )


@dataclass(frozen=True)
class Reals:
    """What samples are compared with at each sheet; it stays the same."""

    slices: NDArray[np.float64]
    """Of held-out images, of training images where none are held out."""
    spectrum: NDArray[np.float64]
    floor: float
    """Distance of training images from the held-out ones."""
    spectrum_floor: float
    train_features: NDArray[np.float64] | None
    held_out_features: NDArray[np.float64]
    nearest: float
    """How much nearer a held-out image is to its nearest training image than to its nearest held-out one."""


def of_pixels(images: Pictures) -> dict[str, float]:
    """Measure training images as they are on disk, whatever the networks get to see.

    Args:
        images: Shape (N, H, W, C), from 0 to 1.

    Returns:
        What `pictures.describe` measures; `copies`, the share of pairs that are the same picture; `odd`, the
        share of pictures that are unlike the others.
    """
    # Blank pictures are equal, and another fault than copies.
    rows = pictures.flatten(images[~pictures.is_flat(images)])
    others = pictures.pairs(pictures.distances(rows, rows)) if len(rows) > 1 else np.empty(0)
    return {
        **pictures.describe(images),
        "copies": float((others < pictures.SAVED_AGAIN).mean()) if len(others) else 0.0,
        "odd": Reference.of(images).odd(pictures.describe_each(images)),
    }


def nearness(
    images: Pictures,
    train: NDArray[np.float64],
    held_out: NDArray[np.float64],
    *,
    themselves: bool = False,
) -> float:
    """Say how much nearer pictures are to training images than to held-out ones.

    Blurred pictures are near to everything; only copies are nearer to what was shown than to what was not.

    Args:
        images: Shape (N, H, W, C).
        train: Features of training images.
        held_out: Features of held-out ones.
        themselves: Whether the pictures are the held-out ones.

    Returns:
        Median ratio of the distances to the nearest of each.
    """
    apart = neighbours(images, held_out, themselves=themselves)
    return float(np.median(neighbours(images, train) / np.maximum(apart, 1e-9)))


def neighbours(
    images: Pictures, features: NDArray[np.float64], *, themselves: bool = False
) -> NDArray[np.float64]:
    """Give the distance of each picture, as it is or in a mirror, to the nearest of many.

    Args:
        images: Shape (N, H, W, C).
        features: Of the many, rows of `pictures.features`.
        themselves: Whether the many are the same pictures, of which none is its own neighbour.

    Returns:
        Shape (N,).
    """
    ways = (images, np.ascontiguousarray(images[:, :, ::-1]))
    near = []
    for way in ways:
        between = pictures.distances(pictures.features(way), features)
        if themselves:
            np.fill_diagonal(between, np.inf)
        near.append(between.min(axis=1))
    return np.asarray(np.minimum(*near))


def some_of(dataset: TrainingSet, seed: int) -> NDArray[np.uint8]:
    """Take some training images as they are on disk.

    Args:
        dataset: Packed, or photos that are decoded now.
        seed: Of the order in which photos are decoded.

    Returns:
        An array (N, H, W, C) of its own.
    """
    if isinstance(dataset, Streamed):
        return dataset.batch(0, min(REFERENCE, dataset.count), seed=seed)
    return sample(dataset.images, REFERENCE)


def sample(images: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Take evenly spaced images out of many.

    Args:
        images: Shape (N, H, W, C).
        count: Of those that are wanted.

    Returns:
        An array of its own, of N images at most.
    """
    places = np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)
    return np.array(images[places])


def _unit(pixels: NDArray[np.uint8]) -> Pictures:
    return (np.asarray(pixels, np.float32) / 255).astype(np.float32)
