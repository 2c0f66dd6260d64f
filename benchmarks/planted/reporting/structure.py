"""Faults of networks and losses."""

from __future__ import annotations

import numpy as np

from facesmith.architectures import Latent
from facesmith.base.schedules import Constant, Linear, Switch
from facesmith.objectives.losses import NonSaturating
from facesmith.objectives.penalties import R1, R2, GradientPenalty
from planted import discriminators, generators
from planted.case import IMAGES, Fault, Spoil, Subject
from planted.changes import (
    discriminator,
    generator,
    loss_around,
    optimizer,
    setting,
)
from planted.parts import (
    AdamOfLoudLastLayer,
    AdamPutBack,
    AdamPutOff,
    SwappedForGenerator,
)

G, D = "generator", "discriminator"
EARLY = round(0.3 * IMAGES)


def recalling(count: int) -> Spoil:
    """Plant a generator that blends training images."""

    def spoil(subject: Subject) -> Subject:
        name = f"{subject.dataset.folder.name}-{count}"
        generators.MEMORY[name] = np.array(subject.dataset.images[:count])
        return generator(generators.Recalling, of=name, count=count)(subject)

    return spoil


FAULTS = (
    # ---- what the players are told
    Fault("labels-swapped", "smoothed-on-the-wrong-side", "reporting", "smoothed",
          setting(loss=NonSaturating(real_label=0.1, fake_label=0.9)), mendable=True,
          seeds=(20, 21)),
    Fault("labels-swapped", "sign-of-the-generator", "reporting", "spectral",
          loss_around(SwappedForGenerator), seeds=(22,)),
    Fault("net-not-updated", "put-off", "reporting", "hinge", optimizer(G, kind=AdamPutOff), G,
          seeds=(20, 21)),
    Fault("net-not-updated", "put-back", "reporting", "least-squares",
          optimizer(D, kind=AdamPutBack), D, seeds=(22,)),
    Fault("sigmoid-twice", "in-network", "reporting", "smoothed",
          discriminator(discriminators.SigmoidLast), seeds=(20, 21)),
    Fault("sigmoid-twice", "before-comparing", "reporting", "face",
          discriminator(discriminators.SigmoidLast), seeds=(22,)),
    # ---- batch norm
    Fault("batch-statistics-leak", "of-the-other-class", "reporting", "smoothed",
          discriminator(discriminators.OthersNorm), datasets=("portraits",), seeds=(20,)),
    Fault("batch-norm-small-batch", "two-in-generator", "reporting", "spectral", setting(batch=2),
          images=6_000, mendable=True, datasets=("celeba",), seeds=(20,)),
    Fault("batch-norm-gradient-penalty", "hinge", "reporting", "hinge",
          discriminator(normalization="batch"), mendable=True, seeds=(21,)),
    # ---- weights and units
    Fault("bad-initialization", "whispering", "reporting", "smoothed",
          generator(spread=0.001, normalization="none", start_normalization="none"), G,
          mendable=True, seeds=(20, 21)),
    Fault("bad-initialization", "loud-judge", "reporting", "hinge",
          discriminator(discriminators.LoudJudge), D, seeds=(22,)),
    Fault("dead-units", "sunk", "reporting", "smoothed", generator(generators.SunkGenerator), G,
          seeds=(20, 21)),
    Fault("dead-units", "negative-filters", "reporting", "hinge",
          discriminator(discriminators.NegativeDiscriminator, activation="relu"), D, seeds=(22,)),
    Fault("saturated-output", "hard-limited", "reporting", "hinge",
          generator(generators.HardLimited)),
    Fault("latent-too-small", "circle", "reporting", "hinge",
          setting(latent=Latent(size=2, law="sphere")), mendable=True),
    Fault("checkerboard", "stride-4", "reporting", "smoothed",
          generator(start=2, stride=4, kernel=5), mendable=True, datasets=("celeba",), seeds=(20,)),
    # ---- numbers that grow
    Fault("unconstrained-critic", "penalty-ends", "reporting", "wgan-gp",
          setting(penalties=(GradientPenalty(strength=Switch(10.0, 0.0, EARLY)),)), onset=0.3,
          mendable=True, seeds=(20,)),
    Fault("exploding-gradient", "last-layer-grows", "reporting", "smoothed",
          optimizer(D, kind=AdamOfLoudLastLayer), datasets=("celeba",), seeds=(20,)),
    Fault("non-finite", "root-of-nothing", "reporting", "hinge",
          discriminator(discriminators.Rootless, activation="relu"), datasets=("portraits",),
          seeds=(20,)),
    Fault("penalty-too-strong", "fakes-alone", "reporting", "hinge",
          setting(penalties=(R2(gamma=Constant(1000.0)),)), mendable=True,
          seeds=(20, 21)),
    Fault("penalty-too-strong", "growing", "reporting", "face",
          setting(penalties=(R1(gamma=Linear(1.0, 3000.0, IMAGES // 2), every=4, share=0.5),)),
          onset=0.1, mendable=True, seeds=(22,)),
    # ---- what comes out
    Fault("total-collapse", "one-latent-expanded", "reporting", "hinge",
          generator(generators.Expanded)),
    Fault("partial-collapse", "favourite", "reporting", "upsampling",
          generator(generators.Favourite)),
    Fault("memorised", "blended", "reporting", "hinge", recalling(1000)),
)  # fmt: skip
