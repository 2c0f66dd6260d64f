"""Tiny runs: 16 pixels, a few channels, a second or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facesmith.architectures import DCGANDiscriminator, DCGANGenerator, Latent
from facesmith.base.schedules import Constant, Linear
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.objectives.losses import Relativistic
from facesmith.objectives.penalties import R1, R2
from facesmith.optimizers import Adam, Optimizers
from facesmith.recipe import Recipe
from facesmith.training.run import Run

BATCH = 8


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Thirty portraits of 16 pixels: an epoch ends within a run, in the middle of a batch."""
    folder = tmp_path_factory.mktemp("data") / "portraits"
    return prepare("portraits:30", folder, resolution=16, workers=1)


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """Everything that could break an exact resume: batch norm, dropout, noise, schedules, lazy penalties."""
    adam = Adam(learning_rate=Linear(1e-3, 1e-4, over=200), beta1=Constant(0.5))
    return Recipe(
        name="tiny",
        resolution=16,
        latent=Latent(size=6),
        generator=DCGANGenerator(width=4, dropout=0.2),
        discriminator=DCGANDiscriminator(width=4, dropout=0.2, normalization="layer"),
        loss=Relativistic(),
        penalties=(R1(every=3, share=0.5), R2(every=2)),
        optimizers=Optimizers(generator=adam, discriminator=adam),
        batch=BATCH,
        input_noise=Linear(0.1, 0.0, over=200),
        layer_noise=Constant(0.05),
    )


@pytest.fixture
def run_in(tmp_path: Path) -> Callable[..., Run]:
    def make(name: str, images: int, **more: object) -> Run:
        paces = {"record_every": 16, "sample_every": 64, "checkpoint_every": 1000, **more}
        # auto measures, and on a busy machine two runs would not choose alike
        run = Run(folder=tmp_path / name, images=images, device="cpu", precision="fp32")
        return replace(run, **paces)

    return make
