"""Faults of numbers: rates, momentum, batch, noise, and the balance between the players."""

from __future__ import annotations

from facesmith.base.schedules import Constant, Cosine, Cyclic, Linear, Schedule, Switch
from facesmith.objectives.losses import Minimax, NonSaturating
from facesmith.recipe import Average
from planted import discriminators
from planted.albums import fewer
from planted.case import IMAGES, Fault
from planted.changes import discriminator, generator, optimizer, rate, scheduled, setting, then
from planted.parts import Blocks

G, D = "generator", "discriminator"
LATE = round(0.4 * IMAGES)
HALFWAY = IMAGES // 2


def jump(factor: float) -> type[Schedule]:
    """Make a rate that is multiplied late."""
    return lambda base: Switch(base.value, factor * base.value, LATE)  # type: ignore[return-value]


FAULTS = (
    # ---- rates
    Fault("learning-rate-too-high", "times-25", "development", "face", rate(25.0), mendable=True),
    Fault("learning-rate-too-high", "times-40", "development", "tutorial", rate(40.0, G), G,
          mendable=True),
    Fault("learning-rate-too-high", "times-40", "development", "face", rate(40.0, D), D,
          mendable=True),
    Fault("learning-rate-too-high", "late-times-50", "development", "tutorial",
          scheduled(jump(50.0)), onset=0.4, mendable=True, seeds=(0,)),
    Fault("learning-rate-too-high", "times-25", "development", "face", rate(25.0, G), G,
          mendable=True, seeds=(0,)),
    Fault("learning-rate-too-high", "times-60", "development", "tutorial", rate(60.0, D), D,
          mendable=True, seeds=(1,)),
    Fault("learning-rate-too-low", "divided-by-60", "development", "face", rate(1 / 60),
          mendable=True),
    Fault("learning-rate-too-low", "divided-by-60", "development", "tutorial", rate(1 / 60, G), G,
          mendable=True),
    Fault("learning-rate-too-low", "divided-by-80", "development", "face", rate(1 / 80, D), D,
          mendable=True),
    Fault("learning-rate-too-low", "divided-by-40", "development", "tutorial", rate(1 / 40),
          mendable=True, seeds=(0,)),
    Fault("learning-rate-too-low", "divided-by-80", "development", "face", rate(1 / 80, G), G,
          mendable=True, seeds=(0,)),
    Fault("learning-rate-too-low", "divided-by-100", "development", "tutorial", rate(1 / 100, D), D,
          mendable=True, seeds=(1,)),
    Fault("beta1-too-high", "0.97", "development", "tutorial",
          optimizer(beta1=Constant(0.97)), mendable=True),
    Fault("beta1-too-high", "0.95", "development", "face",
          optimizer(beta1=Constant(0.95), beta2=Constant(0.999)), mendable=True, seeds=(0,)),
    Fault("batch-too-small", "two", "development", "face",
          then(setting(batch=2), generator(normalization="layer", start_normalization="layer")),
          images=6_000, mendable=True),
    Fault("batch-too-small", "three", "development", "tutorial",
          then(setting(batch=3),
               generator(normalization="pixel", start_normalization="pixel"),
               discriminator(normalization="layer")), images=8_000, mendable=True, seeds=(0,)),
    # ---- noise
    Fault("noise-too-strong", "on-images", "development", "face",
          setting(input_noise=Constant(1.5)), mendable=True),
    Fault("noise-too-strong", "in-layers", "development", "tutorial",
          setting(layer_noise=Constant(3.0)), mendable=True, seeds=(0,)),
    Fault("noise-too-strong", "on-images-late", "development", "face",
          setting(input_noise=Switch(0.0, 2.0, LATE)), onset=0.4, datasets=("celeba",), seeds=(0,),
          mendable=True),
    Fault("dropout-too-strong", "0.8", "development", "tutorial", discriminator(dropout=0.8), D,
          mendable=True),
    Fault("dropout-too-strong", "0.6", "development", "face", generator(dropout=0.6), G,
          mendable=True),
    Fault("dropout-too-strong", "0.9", "development", "face", discriminator(dropout=0.9), D,
          mendable=True, seeds=(1,)),
    Fault("dropout-too-strong", "0.8", "development", "tutorial", generator(dropout=0.8), G,
          mendable=True, seeds=(0,)),
    # ---- balance
    Fault("discriminator-too-strong", "wide-and-minimax", "development", "tutorial",
          then(setting(loss=Minimax(), discriminator_steps=4), discriminator(width=48),
               generator(width=8)), mendable=True),
    Fault("discriminator-too-strong", "many-steps", "development", "face",
          then(setting(loss=NonSaturating(), penalties=(), discriminator_steps=6),
               discriminator(width=40), generator(width=8)), mendable=True, seeds=(0,)),
    Fault("discriminator-too-weak", "one-channel", "development", "tutorial",
          discriminator(widths=(1, 1, 1)), mendable=True),
    Fault("discriminator-too-weak", "shortsighted", "development", "face",
          discriminator(discriminators.Shortsighted), seeds=(0,)),
    Fault("discriminator-too-weak", "labels-flipped", "development", "tutorial",
          setting(loss=NonSaturating(flip=0.47)), datasets=("celeba",), seeds=(0,), mendable=True),
    Fault("discriminator-overfits", "few-and-unpunished", "development", "face",
          then(fewer(500), setting(penalties=(), flip=0.0), discriminator(width=32)),
          mendable=True),
    Fault("discriminator-overfits", "deep", "development", "tutorial",
          then(fewer(700), discriminator(width=32, depth=2, normalization="layer")), seeds=(0,)),
    # ---- time
    Fault("oscillation", "in-turns", "development", "face",
          then(scheduled(lambda b: Blocks(b.value, 4000), G),
               scheduled(lambda b: Blocks(b.value, 4000, begins=False), D))),
    Fault("oscillation", "triangles", "development", "tutorial",
          then(scheduled(lambda b: Cyclic(0.0, 12 * b.value, 8000), G),
               scheduled(lambda b: Cyclic(12 * b.value, 0.0, 8000), D)), seeds=(0,)),
    Fault("learning-rate-too-high", "rising", "development", "tutorial",
          scheduled(lambda b: Linear(b.value, 20 * b.value, HALFWAY, begin=HALFWAY), G),
          G, onset=0.5, mendable=True),
    Fault("late-drift", "generator-stands-still", "development", "tutorial",
          scheduled(lambda b: Switch(b.value, 0.0, HALFWAY), G), onset=0.5, mendable=True),
    Fault("late-drift", "judge-stands-still", "development", "face",
          scheduled(lambda b: Switch(b.value, 0.0, HALFWAY), D), onset=0.5, mendable=True,
          seeds=(0,)),
    Fault("average-lags", "stale", "development", "face",
          setting(average=Average(half_life=Constant(1e6), ramp=100.0)), mendable=True),
    Fault("average-lags", "half-of-the-run", "development", "tutorial",
          setting(average=Average(half_life=Constant(60_000.0), ramp=2.0)), mendable=True,
          seeds=(0,)),
    Fault("finished", "linear-to-nothing", "development", "face",
          scheduled(lambda b: Linear(b.value, 0.0, HALFWAY)), onset=0.5),
    Fault("finished", "cosine-to-nothing", "development", "tutorial",
          scheduled(lambda b: Cosine(b.value, 0.0, HALFWAY)), onset=0.5, seeds=(0,)),
)  # fmt: skip
