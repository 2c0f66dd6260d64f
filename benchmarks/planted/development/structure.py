"""Faults of networks and losses."""

from __future__ import annotations

import numpy as np

from facesmith.architectures import Latent
from facesmith.base.schedules import Constant
from facesmith.objectives.losses import NonSaturating, Wasserstein
from facesmith.objectives.penalties import R1, R2, GradientPenalty
from planted import discriminators, generators
from planted.albums import edited
from planted.case import Fault, Spoil, Subject
from planted.changes import (
    discriminator,
    generator,
    loss_around,
    optimizer,
    rate,
    setting,
    then,
)
from planted.edits import blanks
from planted.parts import (
    AdamOfCopies,
    GrowingAdam,
    SigmoidBefore,
    SwappedForDiscriminator,
    SwappedForGenerator,
)

G, D = "generator", "discriminator"


def remembering(count: int, blend: float, *, mirrored: bool) -> Spoil:
    """Plant a generator that shows training images."""

    def spoil(subject: Subject) -> Subject:
        name = f"{subject.dataset.folder.name}-{count}"
        generators.MEMORY[name] = np.array(subject.dataset.images[:count])
        change = generator(generators.Memory, of=name, count=count, blend=blend, mirrored=mirrored)
        return change(subject)

    return spoil


def r1(gamma: float, every: int = 1) -> R1:
    """Give R1 on the whole batch."""
    return R1(gamma=Constant(gamma), every=every)


FAULTS = (
    # ---- what the players are told
    Fault("labels-swapped", "for-discriminator", "development", "tutorial",
          loss_around(SwappedForDiscriminator)),
    Fault("labels-swapped", "for-generator", "development", "face", loss_around(SwappedForGenerator),
          seeds=(0,)),
    Fault("labels-swapped", "for-discriminator-pairs", "development", "face",
          loss_around(SwappedForDiscriminator), datasets=("celeba",), seeds=(0,)),
    Fault("net-not-updated", "zero-rate", "development", "tutorial", rate(0.0, G), G),
    Fault("net-not-updated", "zero-rate", "development", "face", rate(0.0, D), D),
    Fault("net-not-updated", "gradient-cut", "development", "face", generator(generators.Cut), G, seeds=(0,)),
    Fault("net-not-updated", "optimiser-of-copies", "development", "tutorial",
          optimizer(D, kind=AdamOfCopies), D, seeds=(1,)),
    Fault("sigmoid-twice", "in-loss", "development", "tutorial", loss_around(SigmoidBefore)),
    Fault("sigmoid-twice", "in-network", "development", "face",
          then(discriminator(discriminators.SigmoidLast), setting(loss=NonSaturating())),
          seeds=(0,)),
    # ---- batch norm
    Fault("batch-statistics-leak", "together", "development", "tutorial",
          discriminator(discriminators.MixedNorm)),
    Fault("batch-statistics-leak", "running", "development", "face",
          then(discriminator(discriminators.RunningNorm, normalization="batch"), setting(penalties=())),
          seeds=(0,)),
    Fault("batch-norm-small-batch", "two", "development", "tutorial", setting(batch=2),
          images=6_000, mendable=True),
    Fault("batch-norm-small-batch", "four-in-generator", "development", "face", setting(batch=4),
          images=10_000, mendable=True, seeds=(0,)),
    Fault("batch-norm-gradient-penalty", "r1", "development", "tutorial",
          setting(penalties=(r1(10.0),)), mendable=True),
    Fault("batch-norm-gradient-penalty", "r1-and-r2", "development", "face",
          then(discriminator(normalization="batch"),
               setting(penalties=(r1(5.0, 2), R2(gamma=Constant(5.0), every=2)))), mendable=True,
          seeds=(0,)),
    Fault("batch-norm-gradient-penalty", "homemade-norm", "development", "wgan-gp",
          discriminator(discriminators.HomemadeNorm, normalization="batch"),
          datasets=("celeba",), seeds=(0,)),
    # ---- weights and units
    Fault("bad-initialization", "far-too-wide", "development", "face",
          discriminator(initialization="normal", spread=0.6), D, mendable=True),
    Fault("bad-initialization", "far-too-wide", "development", "tutorial",
          generator(spread=1.5, normalization="none", start_normalization="none"), G,
          mendable=True),
    Fault("bad-initialization", "near-zero", "development", "face",
          discriminator(initialization="normal", spread=1e-4), D, mendable=True, seeds=(1,)),
    Fault("bad-initialization", "all-equal", "development", "tutorial",
          generator(generators.EqualGenerator), G, seeds=(0,)),
    Fault("dead-units", "shifted", "development", "tutorial",
          discriminator(discriminators.DeadDiscriminator, activation="relu"), D),
    Fault("dead-units", "shifted", "development", "face", generator(generators.DeadGenerator), G,
          datasets=("celeba",)),
    Fault("dead-units", "most", "development", "tutorial",
          generator(generators.DeadGenerator, share=0.8), G, seeds=(0,)),
    Fault("dead-units", "most", "development", "face",
          discriminator(discriminators.DeadDiscriminator, share=0.95, activation="relu"), D, seeds=(1,)),
    Fault("saturated-output", "amplified", "development", "face",
          generator(generators.Amplified, gain=3000.0)),
    Fault("saturated-output", "off-centre", "development", "tutorial",
          generator(generators.Amplified, gain=8.0, offset=12.0), seeds=(0,)),
    Fault("latent-too-small", "one-number", "development", "face",
          setting(latent=Latent(size=1)), mendable=True),
    Fault("latent-too-small", "two-numbers", "development", "tutorial",
          setting(latent=Latent(size=2, law="uniform")), mendable=True, seeds=(0,)),
    Fault("checkerboard", "kernel-3", "development", "tutorial", generator(kernel=3),
          mendable=True),
    Fault("checkerboard", "kernel-2", "development", "face", generator(kernel=2), mendable=True,
          seeds=(0,)),
    Fault("checkerboard", "kernel-5", "development", "tutorial", generator(kernel=5),
          datasets=("celeba",), seeds=(0,), mendable=True),
    # ---- numbers that grow
    Fault("unconstrained-critic", "no-penalty", "development", "tutorial",
          then(setting(loss=Wasserstein()), discriminator(normalization="none")), mendable=True),
    Fault("unconstrained-critic", "penalty-in-name-only", "development", "face",
          setting(loss=Wasserstein(), penalties=(r1(1e-6, 8),)), mendable=True, seeds=(0,)),
    Fault("exploding-gradient", "decay-of-wrong-sign-without-norm", "development", "tutorial",
          then(discriminator(normalization="none", initialization="kaiming"),
               optimizer(D, kind=GrowingAdam, growth=20.0))),
    Fault("exploding-gradient", "decay-of-wrong-sign", "development", "face",
          optimizer(D, kind=GrowingAdam, growth=8.0), seeds=(0,)),
    Fault("non-finite", "sixteen-bits", "development", "tutorial",
          discriminator(discriminators.Overflowing)),
    Fault("non-finite", "blank-divided-by-nothing", "development", "face",
          then(edited(blanks(0.01)), discriminator(discriminators.Standardizing)), seeds=(0,)),
    Fault("penalty-too-strong", "r1", "development", "face",
          setting(penalties=(R1(gamma=Constant(300.0), every=8, share=0.5),)), mendable=True),
    Fault("penalty-too-strong", "gradient-penalty", "development", "wgan-gp",
          setting(penalties=(GradientPenalty(strength=Constant(1e4)),)), mendable=True,
          seeds=(0,)),
    # ---- what comes out
    Fault("total-collapse", "deaf", "development", "tutorial", generator(generators.Deaf)),
    Fault("total-collapse", "unchanging", "development", "face",
          generator(generators.Unchanging, normalization="none", start_normalization="none",
                    initialization="kaiming"), seeds=(0,)),
    Fault("partial-collapse", "codebook", "development", "face", generator(generators.Codebook)),
    Fault("partial-collapse", "signs", "development", "tutorial", generator(generators.Signs),
          seeds=(0,)),
    Fault("memorised", "shown", "development", "face", remembering(200, 0.1, mirrored=False)),
    Fault("memorised", "mirrored-and-touched-up", "development", "tutorial",
          remembering(600, 0.2, mirrored=True), seeds=(0,)),
)  # fmt: skip
