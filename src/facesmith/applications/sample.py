"""Generate faces from a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facesmith.base import images
from facesmith.base.errors import UsageError
from facesmith.base.randomness import uniforms
from facesmith.snapshot import Snapshot, describe_provenance, load_snapshot

BATCH = 64  # faces generated at a time
SEEDS = 2**63  # how many there are; the numbers behind a seed are found by counting to it


@dataclass(frozen=True)
class Model:
    """A trained model, ready to use; make one with `facesmith.load`.

    Args:
        snapshot: Weights, recipe and provenance.
    """

    snapshot: Snapshot

    def latents(self, seeds: Sequence[int], *, truncation: float = 1.0) -> Tensor:
        """Give the latent of each seed.

        Args:
            seeds: Integers from 0 to below 2**63; a seed means the same face whatever else is asked for.
            truncation: 1 takes latents as they are, smaller values pull them towards the mean: more
                typical faces, less variety.

        Returns:
            Tensor (len(seeds), size).

        Raises:
            UsageError: A seed or the truncation is out of range.
        """
        _check(seeds, truncation)
        latent = self.snapshot.recipe.latent
        rows = [uniforms(0, "seeds", start=s, count=1, width=latent.size) for s in seeds]
        return latent.from_uniforms(np.concatenate(rows)) * truncation

    def generate(self, seeds: Sequence[int], *, truncation: float = 1.0) -> NDArray[np.uint8]:
        """Generate one face for each seed.

        Args:
            seeds: Integers from 0 to below 2**63.
            truncation: From above 0 to 1; smaller is more typical and less varied.

        Returns:
            Pixels, uint8 (len(seeds), H, W, C).

        Raises:
            UsageError: A seed or the truncation is out of range.
        """
        return np.concatenate(list(self._batches(list(seeds), truncation)))

    def probability(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Ask the discriminator how real pictures look: the sigmoid of its logits, applied once.

        Args:
            pictures: uint8 (N, H, W, C) of the model's resolution.

        Returns:
            D(x) in (0, 1), shape (N,); uncalibrated, and only comparable within this model.
        """
        inside = self.snapshot.pixels.to_network(torch.from_numpy(np.ascontiguousarray(pictures)))
        with torch.no_grad():
            logits: Tensor = self.snapshot.discriminator(inside)
        return np.asarray(logits.sigmoid().numpy(), dtype=np.float32)

    def _batches(self, seeds: list[int], truncation: float) -> Iterator[NDArray[np.uint8]]:
        latents = self.latents(seeds, truncation=truncation)
        for chunk in latents.split(BATCH):
            with torch.no_grad():
                made = self.snapshot.generator(chunk)
            yield np.asarray(self.snapshot.pixels.to_pixels(made).numpy())


def load(path: Path | str) -> Model:
    """Load a trained model.

    Args:
        path: A run folder, or one of its checkpoints.

    Returns:
        The model: averaged generator and discriminator.

    Raises:
        UsageError: There is no snapshot.
        StorageError: It is damaged.
    """
    return Model(load_snapshot(path))


def write_grid(model: Model, seeds: Sequence[int], path: Path, *, truncation: float = 1.0) -> None:
    """Write one picture with a face for each seed.

    Args:
        model: What generates.
        seeds: One for each face.
        path: The PNG file; the picture says in its text that it was generated.
        truncation: See `Model.generate`.
    """
    sheet = images.sheet(model.generate(seeds, truncation=truncation))
    images.write_png(path, sheet, text=_provenance(model, seeds, truncation))


def write_files(
    model: Model, seeds: Sequence[int], folder: Path, *, truncation: float = 1.0
) -> list[Path]:
    """Write one picture for each seed, `face-SEED.png`.

    Args:
        model: What generates.
        seeds: One for each face.
        folder: Where; made if it does not exist.
        truncation: See `Model.generate`.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for start in range(0, len(seeds), BATCH):
        chunk = seeds[start : start + BATCH]
        for seed, face in zip(chunk, model.generate(chunk, truncation=truncation), strict=True):
            path = folder / f"face-{seed:06d}.png"
            images.write_png(path, face, text=_provenance(model, [seed], truncation))
            written.append(path)
    return written


def _provenance(model: Model, seeds: Sequence[int], truncation: float) -> dict[str, str]:
    return {
        **describe_provenance(model.snapshot),
        "facesmith:seeds": ",".join(map(str, seeds)),
        "facesmith:truncation": f"{truncation:g}",
    }


def _check(seeds: Sequence[int], truncation: float) -> None:
    if not seeds or not 0 <= min(seeds) <= max(seeds) < SEEDS:
        # Not spelled out: a million seeds, or one of a thousand digits, would bury the message.
        wrong = "negative" if seeds and min(seeds) < 0 else "too large"
        raise UsageError(
            f"A seed was {wrong}." if seeds else "No seeds were given.",
            needed="one or more whole numbers from 0 to below 2**63",
            todo="try --seeds 0-15",
        )
    if not 0 < truncation <= 1:
        raise UsageError(
            f"A truncation of {truncation} was given.",
            needed="a number above 0, up to 1",
            todo="use 1 for full variety, 0.7 for more typical faces",
        )
