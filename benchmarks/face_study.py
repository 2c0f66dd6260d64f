"""What makes `face` good? Variants of the recipe, each judged along its way.

python benchmarks/face_study.py face r1-r2 --data DATASET --runs DIR [--images 100k] [--judge-every 50k]

Every variant differs from `face` by what its line in VARIANTS says. Each is judged by the Frechet distance
of `distance.py` between 2,000 samples of its averaged generator and the held-out faces, and again with
averages of longer half-lives. Lines are appended to results/face-study.jsonl.
"""

from __future__ import annotations

import argparse
import copy
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import facesmith
from facesmith.base.allocator import keep_large_blocks
from facesmith.base.records import Record
from facesmith.base.registry import count
from facesmith.base.schedules import Constant
from facesmith.objectives.losses import NonSaturating
from facesmith.objectives.penalties import R1, R2
from facesmith.optimizers import Adam, Optimizers
from facesmith.recipe import Recipe
from facesmith.snapshot import fixed_latents, with_fresh_statistics
from facesmith.training import loop, observers
from facesmith.training.run import Run
from facesmith.training.view import View
from judge import MobileNet, features, frechet

SAMPLES, CHUNK = 2_000, 50
LONGER = (100_000, 200_000)  # half-lives of further averages, in images


FACE = facesmith.find_recipe("face")


def tuned(
    *,
    batch: int = 32,
    rate: float = 4e-4,
    discriminator_rate: float | None = None,
    beta2: float = 0.99,
    gamma: float = 0.3,
    every: int = 8,
    share: float = 0.5,
    r2: bool = False,
) -> Recipe:
    """Give `face` with other numbers; the defaults are its own."""
    generator, discriminator = (
        Adam(learning_rate=Constant(r), beta1=Constant(0.0), beta2=Constant(beta2))
        for r in (rate, discriminator_rate or rate)
    )
    kinds = (R1, R2) if r2 else (R1,)
    return replace(
        FACE,
        batch=batch,
        optimizers=Optimizers(generator, discriminator),
        penalties=tuple(kind(gamma=Constant(gamma), every=every, share=share) for kind in kinds),
    )


VARIANTS: dict[str, Recipe] = {
    "face": FACE,
    "rate-2e-4": tuned(rate=2e-4),
    "rate-3e-4": tuned(rate=3e-4),
    "rate-3e-4-r1-every-4": tuned(rate=3e-4, every=4),
    "rate-d-2e-4": tuned(discriminator_rate=2e-4),
    "rate-g-2e-4": tuned(rate=2e-4, discriminator_rate=4e-4),
    "beta2-0.9": tuned(beta2=0.9),
    "beta2-0.999": tuned(beta2=0.999),
    "r1-every-4": tuned(every=4),
    "r1-every-16": tuned(every=16),
    "r1-gamma-0.1": tuned(gamma=0.1),
    "r1-gamma-1": tuned(gamma=1.0),
    "r1-r2": tuned(share=0.25, r2=True),
    "batch-16-rate-2e-4": tuned(batch=16, rate=2e-4),
    "batch-64-rate-4e-4": tuned(batch=64, rate=4e-4, every=4),
    "batch-64-rate-4e-4-nonsaturating": replace(
        tuned(batch=64, rate=4e-4, every=4), loss=NonSaturating()
    ),
    "dcgan-tutorial": facesmith.find_recipe("dcgan-tutorial"),
}
assert tuned() == FACE


@dataclass
class Judge:
    """Measures the distance to held-out faces now and then."""

    held_out: NDArray[np.float64]
    network: MobileNet
    every: int
    variant: str
    out: Path
    longer: dict[int, nn.Module] = field(default_factory=dict)
    last: int = 0

    def started(self, view: View) -> None:
        """Begin the further averages."""
        self.longer = {half_life: copy.deepcopy(view.state.average) for half_life in LONGER}

    def stepped(self, view: View, record: Record) -> None:
        """Move the further averages; judge all of them where it is due."""
        passed, seen = record.images_seen - self.last, record.images_seen
        for half_life, average in self.longer.items():
            kept = 0.5 ** (passed / min(half_life, 0.08 * seen))
            with torch.no_grad():
                for own, other in zip(
                    average.parameters(), view.state.generator.parameters(), strict=True
                ):
                    own.lerp_(other, 1 - kept)
        if seen // self.every > self.last // self.every:
            distances = {"recipe": self.distance(view, view.snapshot_generator())}
            for half_life, average in self.longer.items():
                fresh = with_fresh_statistics(average, view.recipe)
                distances[str(half_life)] = self.distance(view, fresh)
            line = {
                "variant": self.variant,
                "images_seen": seen,
                "seconds": round(record.seconds),
                "images_per_second": round(record.images_per_second, 1),
                "threads": torch.get_num_threads(),
                "distance_by_average": distances,
                "discriminator_loss": round(record.discriminator_loss, 3),
                "generator_loss": round(record.generator_loss, 3),
            }
            with self.out.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
        self.last = seen

    def finished(self, view: View, reason: str) -> None:
        """Nothing is left to do."""

    def distance(self, view: View, generator: nn.Module) -> float:
        """Give the Frechet distance of a generator's samples to the held-out faces."""
        latents = fixed_latents(view.recipe, "samples", 0, SAMPLES)
        pixels = []
        with torch.no_grad():
            for chunk in latents.split(CHUNK):
                images = generator(view.state.compute.activations(chunk))
                pixels.append(view.pixels.to_pixels(images.float()).numpy())
        return round(frechet(features(self.network, np.concatenate(pixels)), self.held_out), 2)


def main() -> None:
    """Train the variants one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", nargs="+", choices=VARIANTS)
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset of 64 pixels")
    parser.add_argument("--runs", required=True, type=Path, help="where run folders go")
    parser.add_argument("--images", default="100k")
    parser.add_argument("--judge-every", default="50k")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results/face-study.jsonl"
    )
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    keep_large_blocks()
    dataset = facesmith.Dataset.open(options.data)
    network = MobileNet()
    held_out = features(network, np.array(dataset.held_out))
    for name in options.variants:
        recipe = VARIANTS[name]
        run = Run(options.runs / f"{name}-{options.seed}", count(options.images), seed=options.seed)
        judge = Judge(held_out, network, count(options.judge_every), name, options.out)
        loop.train(recipe, run, dataset, observers.standard(judge))


if __name__ == "__main__":
    main()
