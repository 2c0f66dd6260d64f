"""Training throughput against the plain loop of a DCGAN tutorial: python benchmarks/throughput.py

Both train the same two networks at 64x64, batch 64, with data already in memory. The plain loop is
what people write: fp32, default layout, Adam, a discriminator that is not frozen in the generator's
step, `.item()` at each step. Each measurement runs in a process of its own, the two alternating, so
that neither profits from the other's allocator and a drift of the machine meets both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

BATCH, LATENT, WARM_UP = 64, 100, 3


def plain_networks() -> tuple[nn.Module, nn.Module]:
    """Make the tutorial's generator and discriminator from its published layer list."""
    made: list[nn.Module] = [nn.ConvTranspose2d(LATENT, 512, 4, 1, 0, bias=False)]
    for inputs, outputs in ((512, 256), (256, 128), (128, 64)):
        made += [nn.BatchNorm2d(inputs), nn.ReLU(True)]
        made += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    made += [nn.BatchNorm2d(64), nn.ReLU(True)]
    made += [nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh()]
    judged: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for inputs, outputs in ((64, 128), (128, 256), (256, 512)):
        judged += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)]
        judged += [nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]
    judged += [nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0)]
    return nn.Sequential(*made), nn.Sequential(*judged)


def plain(steps: int) -> float:
    """Run the plain loop; images a second."""
    generator, discriminator = plain_networks()
    generator_adam = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    discriminator_adam = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loss = nn.BCELoss()
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    reals = torch.rand(BATCH, 3, 64, 64) * 2 - 1
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            begin = time.perf_counter()
        discriminator.zero_grad()
        real_loss = loss(discriminator(reals), ones)
        real_loss.backward()
        fakes = generator(torch.randn(BATCH, LATENT, 1, 1))
        fake_loss = loss(discriminator(fakes.detach()), zeros)
        fake_loss.backward()
        discriminator_adam.step()
        generator.zero_grad()
        generator_loss = loss(discriminator(fakes), ones)
        generator_loss.backward()
        generator_adam.step()
        (real_loss + fake_loss).item(), generator_loss.item()
    return steps * BATCH / (time.perf_counter() - begin)


def ours(recipe_name: str, steps: int) -> float:
    """Run the updates of the training loop; images a second, data and average included."""
    from facesmith.base.allocator import keep_large_blocks
    from facesmith.measuring.meter import Meter
    from facesmith.recipes import find_recipe
    from facesmith.training import compute
    from facesmith.training.draws import Draws
    from facesmith.training.state import TrainingState
    from facesmith.training.step import update_discriminator, update_generator

    keep_large_blocks()
    recipe = find_recipe(recipe_name)
    state = TrainingState.begin(
        recipe, compute.choose(recipe, device="cpu", precision="auto"), seed=0
    )
    draws = Draws(recipe, _InMemory(), recipe.scaling.fit([0.5] * 3, [0.3] * 3), state.compute, 0)
    meter = Meter()
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            begin = time.perf_counter()
        state.apply_schedules()
        draws.seed_layers(state.images_seen)
        with state.finite_statistics():
            real = draws.reals(state.images_seen)
            fake = state.generator(draws.latents(state.images_seen))
            update_discriminator(state, real, fake, meter)
            state.images_seen += recipe.batch
            update_generator(state, real, fake, meter)
        state.update_average(recipe.batch)
    meter.read()
    print(state.compute, file=sys.stderr)
    return steps * recipe.batch / (time.perf_counter() - begin)


class _InMemory:
    def __init__(self) -> None:
        self.images = torch.randint(0, 256, (4096, 64, 64, 3), dtype=torch.uint8).numpy()

    def batch(self, start: int, count: int, *, seed: int, flip: float) -> object:
        # Rows anywhere, as a shuffled order reads them; the plain loop's reals never change.
        return self.images[(start * 7919 + np.arange(count) * 1237) % len(self.images)]


def dense_rate(dtype: torch.dtype, size: int = 1024, trials: int = 6) -> float:
    """Measure a square matrix product; GFLOP/s of the best trial."""
    one, two = (torch.randn(size, size).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(trials):
        begin = time.perf_counter()
        one @ two
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best / 1e9


def main() -> None:
    """Alternate, and print and save the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results/throughput.json"
    )
    parser.add_argument("--one", help="measure only this, in this process")
    options = parser.parse_args()
    if options.one:
        rate = plain(options.steps) if options.one == "plain" else ours(options.one, options.steps)
        print(rate)
        return
    from facesmith.training.folder import environment

    rates: dict[str, list[float]] = {"plain": [], "dcgan-tutorial": [], "face": []}
    for _ in range(options.rounds):
        for name, measured in rates.items():
            words = [sys.executable, __file__, "--one", name, "--steps", str(options.steps)]
            output = subprocess.run(words, check=True, capture_output=True, text=True)
            measured.append(float(output.stdout))
            print(f"{name:>15} {measured[-1]:7.1f} images/s   {output.stderr.strip()}", flush=True)
    ratios = {
        name: [mine / base for mine, base in zip(rates[name], rates["plain"], strict=True)]
        for name in ("dcgan-tutorial", "face")
    }
    result = {
        "environment": environment(),
        "dense_gflops": {
            "fp32": round(dense_rate(torch.float32), 1),
            # tiny where bf16 is emulated: there a large product would take minutes
            "bf16": round(dense_rate(torch.bfloat16, size=256), 1),
        },
        "images_per_second": {k: [round(v, 1) for v in values] for k, values in rates.items()},
        "ratio_to_plain": {
            name: {
                "median": round(statistics.median(values), 2),
                "lowest": round(min(values), 2),
                "highest": round(max(values), 2),
            }
            for name, values in ratios.items()
        },
        "batch": BATCH,
        "steps": options.steps,
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
