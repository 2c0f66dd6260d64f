"""Faults of numbers: rates, momentum, batch, noise, and the balance between the players."""

from __future__ import annotations

from facesmith.base.schedules import Constant, Cosine, Decay, Linear, Switch, Warmup
from facesmith.objectives.losses import Minimax
from facesmith.optimizers import SGD, RMSprop
from facesmith.recipe import Average
from planted import discriminators
from planted.albums import fewer
from planted.case import IMAGES, Fault
from planted.changes import (
    discriminator,
    generator,
    optimizer,
    rate,
    scheduled,
    setting,
    then,
    trained_by,
)
from planted.parts import AdamPutBack

G, D = "generator", "discriminator"
EARLY, LATE = round(0.3 * IMAGES), round(0.4 * IMAGES)

FAULTS = (
    # ---- rates
    Fault("learning-rate-too-high", "of-another-optimiser", "reporting", "hinge",
          then(trained_by(G, RMSprop(learning_rate=Constant(1e-2))),
               trained_by(D, RMSprop(learning_rate=Constant(1e-2)))), mendable=True, seeds=(20,)),
    Fault("learning-rate-too-high", "exponent-slipped", "reporting", "hinge", rate(40.0, G), G,
          mendable=True, seeds=(21,)),
    Fault("learning-rate-too-high", "warmed-up-too-far", "reporting", "smoothed",
          scheduled(lambda b: Warmup(LATE, Constant(80 * b.value)), D), D, onset=0.1,
          mendable=True, seeds=(22,)),
    Fault("learning-rate-too-low", "halved-too-often", "reporting", "hinge",
          scheduled(lambda b: Decay(b.value, 0.5, 400, floor=b.value / 80)), onset=0.05,
          mendable=True, seeds=(20,)),
    Fault("learning-rate-too-low", "sgd-at-adams-rate", "reporting", "smoothed",
          trained_by(G, SGD(learning_rate=Constant(2e-4))), G, mendable=True, seeds=(21,)),
    Fault("learning-rate-too-low", "warm-up-without-end", "reporting", "upsampling",
          scheduled(lambda b: Warmup(60 * IMAGES, b), D), D, mendable=True, seeds=(22,)),
    Fault("beta1-too-high", "of-generator", "reporting", "spectral",
          optimizer(G, beta1=Constant(0.98)), mendable=True, seeds=(20,)),
    Fault("beta1-too-high", "of-discriminator", "reporting", "hinge",
          optimizer(D, beta1=Constant(0.98)), mendable=True, seeds=(21,)),
    Fault("beta1-too-high", "rising", "reporting", "upsampling",
          optimizer(beta1=Linear(0.0, 0.98, LATE)), onset=0.25, mendable=True, seeds=(22,)),
    Fault("batch-too-small", "one", "reporting", "hinge",
          then(setting(batch=1), generator(normalization="group", start_normalization="group")),
          images=4_000, mendable=True, datasets=("celeba",), seeds=(20,)),
    # ---- noise
    Fault("noise-too-strong", "grows-instead-of-fading", "reporting", "spectral",
          setting(input_noise=Linear(0.0, 8.0, IMAGES // 2)), onset=0.15, mendable=True,
          seeds=(20, 21)),
    Fault("noise-too-strong", "in-layers", "reporting", "hinge",
          setting(layer_noise=Constant(2.0)), mendable=True, seeds=(22,)),
    Fault("dropout-too-strong", "0.75", "reporting", "upsampling", generator(dropout=0.75), G,
          mendable=True, datasets=("celeba",), seeds=(22,)),
    # ---- balance
    Fault("discriminator-too-strong", "wide-against-narrow", "reporting", "hinge",
          then(setting(loss=Minimax(), penalties=()), generator(width=6), discriminator(width=40)),
          mendable=True, seeds=(20,)),
    Fault("discriminator-too-weak", "keyhole", "reporting", "hinge",
          discriminator(discriminators.Keyhole)),
    Fault("discriminator-overfits", "penalty-forgotten", "reporting", "hinge",
          then(fewer(400), setting(penalties=(), flip=0.0)), mendable=True, images=54_000,
          datasets=("celeba",), seeds=(20,)),
    # ---- time
    Fault("oscillation", "judge-begins-again", "reporting", "smoothed",
          optimizer(D, kind=AdamPutBack, every=150), datasets=("portraits",), seeds=(20,)),
    Fault("late-drift", "judge-fades", "reporting", "hinge",
          scheduled(lambda b: Cosine(b.value, 0.0, IMAGES // 2), D), onset=0.4, mendable=True,
          seeds=(20,)),
    Fault("average-lags", "stops-following", "reporting", "spectral",
          setting(average=Average(half_life=Switch(2000.0, 1e8, EARLY), ramp=1e5)), onset=0.3,
          mendable=True, seeds=(20,)),
    Fault("finished", "stairs", "reporting", "upsampling",
          scheduled(lambda b: Warmup(1000, Decay(b.value, 0.02, LATE))), onset=0.4,
          datasets=("portraits",), seeds=(20,)),
)  # fmt: skip
