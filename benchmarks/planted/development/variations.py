"""Other ways to the same faults, planted when rules were right about the first: do they follow causes?"""

from __future__ import annotations

from facesmith.architectures import Latent
from facesmith.base.schedules import Constant, Cosine, Linear, Schedule, Switch
from facesmith.objectives.losses import Hinge, LeastSquares, Minimax, NonSaturating
from facesmith.objectives.penalties import R1, GradientPenalty
from facesmith.optimizers import SGD, Optimizer, RMSprop
from facesmith.recipe import Average
from planted import discriminators, generators
from planted.albums import disturbed, edited, fewer, slow, sorted_by
from planted.case import HEALTHY, IMAGES, Fault, Spoil
from planted.changes import (
    discriminator,
    generator,
    loss_around,
    optimizer,
    rate,
    scheduled,
    setting,
    then,
    trained_by,
)
from planted.development.structure import remembering
from planted.edits import (
    blurred,
    channels,
    contrast,
    even_colours,
    greyed,
    jittered,
    striped,
    torn_rows,
    zoomed,
)
from planted.parts import (
    AdamOfCopies,
    AdamOfHalf,
    Blocks,
    GrowingAdam,
    Misscaled,
    NaiveLog,
    SwappedForDiscriminator,
)

G, D = "generator", "discriminator"
THIRD = IMAGES // 3


def both(made: Optimizer) -> Spoil:
    """Train both players by another optimiser."""
    return then(trained_by(G, made), trained_by(D, made))


def later(factor: float, begin: int) -> type[Schedule]:
    """Make a rate that changes at once."""
    return lambda base: Switch(base.value, factor * base.value, begin)  # type: ignore[return-value]


def _of(
    dataset: str,
    kind: str,
    name: str,
    base: str,
    spoil: Spoil,
    where: str = "",
    onset: float = 0.0,
    images: int = IMAGES,
) -> Fault:
    return Fault(kind, name, "development", base, spoil, where, onset, images=images,
                 datasets=(dataset,), seeds=(11,))  # fmt: skip


P, C = "portraits", "celeba"
FAULTS = (
    _of(P, "scaling-wrong", "quarter", "tutorial", setting(scaling=Misscaled(gain=0.5, offset=-0.25))),
    _of(C, "scaling-wrong", "gain-forgotten", "face", setting(scaling=Misscaled(gain=3.0, offset=-1.0))),
    _of(C, "range-mismatch", "half-tanh", "face",
        generator(generators.ElsewhereRanged, low=-0.5, high=0.5)),
    _of(P, "range-mismatch", "bytes-centred", "tutorial",
        setting(scaling=Misscaled(gain=255.0, offset=-128.0))),
    _of(P, "data-constant", "even-colours", "face", edited(even_colours)),
    _of(P, "data-corrupted", "torn-rows", "face", edited(torn_rows(0.3))),
    _of(C, "data-corrupted", "striped", "tutorial", edited(striped(0.25))),
    _of(C, "data-sorted", "by-contrast-window", "face", sorted_by(contrast, window=256)),
    _of(C, "channels-swapped", "other-way-round", "face", edited(channels(2, 0, 1))),
    _of(P, "grey-mixed", "few", "tutorial", edited(greyed(0.1))),
    _of(C, "too-few-images", "two-hundred-and-twenty", "tutorial", fewer(220)),
    _of(C, "augmentation-leaks", "jittered", "face", disturbed(jittered)),
    _of(P, "augmentation-leaks", "zoomed", "tutorial", disturbed(zoomed)),
    _of(C, "augmentation-leaks", "blurred", "tutorial", disturbed(blurred)),
    _of(P, "data-starves", "a-little", "tutorial", slow(0.03), images=16_000),
    _of(P, "labels-swapped", "hinge", "hinge", loss_around(SwappedForDiscriminator)),
    _of(C, "net-not-updated", "half", "face", optimizer(D, kind=AdamOfHalf), D),
    _of(P, "net-not-updated", "half", "tutorial", optimizer(G, kind=AdamOfHalf), G),
    _of(C, "net-not-updated", "copies", "face", optimizer(G, kind=AdamOfCopies), G),
    _of(P, "sigmoid-twice", "minimax", "tutorial",
        then(discriminator(discriminators.SigmoidLast), setting(loss=Minimax()))),
    _of(C, "batch-statistics-leak", "together", "face",
        then(setting(penalties=()), discriminator(discriminators.MixedNorm,
             normalization="batch", initialization="normal"))),
    _of(P, "batch-norm-small-batch", "six", "tutorial", setting(batch=6), images=12_000),
    _of(C, "batch-norm-gradient-penalty", "lazy", "tutorial",
        setting(penalties=(R1(gamma=Constant(2.0), every=8),))),
    _of(C, "bad-initialization", "near-zero", "tutorial", generator(spread=1e-5), G),
    _of(P, "bad-initialization", "wide", "face", discriminator(initialization="normal", spread=0.35), D),
    _of(C, "dead-units", "some", "tutorial",
        discriminator(discriminators.DeadDiscriminator, share=0.7, activation="relu"), D),
    _of(C, "latent-too-small", "three", "face", setting(latent=Latent(size=3))),
    _of(C, "learning-rate-too-high", "sgd", "tutorial", both(SGD(learning_rate=Constant(3.0)))),
    _of(P, "learning-rate-too-high", "rmsprop", "face",
        both(RMSprop(learning_rate=Constant(0.01)))),
    _of(C, "learning-rate-too-high", "times-15", "tutorial", rate(15.0)),
    _of(C, "learning-rate-too-high", "times-20", "hinge", rate(20.0, D), D),
    _of(P, "learning-rate-too-low", "sgd", "tutorial", both(SGD(learning_rate=Constant(1e-5)))),
    _of(C, "learning-rate-too-low", "divided-by-30", "hinge", rate(1 / 30, G), G),
    _of(C, "beta1-too-high", "0.9-and-fast", "tutorial", then(optimizer(beta1=Constant(0.9)), rate(4.0))),
    _of(P, "beta1-too-high", "sgd-momentum", "tutorial",
        trained_by(D, SGD(learning_rate=Constant(0.05), momentum=Constant(0.97)))),
    _of(C, "discriminator-too-strong", "narrow-generator", "tutorial",
        then(generator(width=2, max_width=16), discriminator(width=48), setting(discriminator_steps=3))),
    _of(P, "discriminator-too-weak", "two-channels", "hinge", discriminator(widths=(1, 2, 2))),
    _of(C, "discriminator-overfits", "three-hundred", "tutorial",
        then(fewer(320), discriminator(width=40, normalization="none", initialization="kaiming"))),
    _of(C, "penalty-too-strong", "each-step", "face", setting(penalties=(R1(gamma=Constant(150.0)),))),
    _of(P, "penalty-too-strong", "thousand", "wgan-gp",
        setting(penalties=(GradientPenalty(strength=Constant(2e3)),))),
    _of(C, "noise-too-strong", "on-images", "tutorial", setting(input_noise=Constant(1.0))),
    _of(P, "dropout-too-strong", "0.7", "hinge", discriminator(dropout=0.75), D),
    _of(C, "batch-too-small", "four", "wgan-gp",
        then(setting(batch=4), generator(normalization="layer", start_normalization="layer")), images=10_000),
    _of(C, "unconstrained-critic", "layer-norm", "wgan-gp", setting(penalties=())),
    _of(P, "non-finite", "naive-log", "tutorial", then(setting(loss=NaiveLog()), rate(6.0, D))),
    _of(C, "exploding-gradient", "slowly", "hinge", optimizer(D, kind=GrowingAdam, growth=12.0)),
    _of(C, "total-collapse", "mute", "face", generator(generators.Mute)),
    _of(C, "partial-collapse", "codebook-12", "tutorial",
        generator(generators.Codebook, modes=10, spread_within=0.05)),
    _of(C, "memorised", "few", "tutorial", remembering(60, 0.05, mirrored=False)),
    _of(C, "oscillation", "in-long-turns", "tutorial",
        then(scheduled(lambda b: Blocks(3 * b.value,
             3000), G), scheduled(lambda b: Blocks(3 * b.value, 3000, begins=False), D))),
    _of(C, "late-drift", "generator-stands-still", "face", scheduled(later(0.0, THIRD), G), onset=1 / 3),
    _of(C, "average-lags", "as-if-for-days", "tutorial",
        setting(average=Average(half_life=Constant(2.2e5), ramp=50.0))),
    _of(C, "finished", "at-once", "face", scheduled(later(0.0, IMAGES // 2)), onset=0.5),
    _of(P, "finished", "cosine", "hinge", scheduled(lambda b: Cosine(b.value, 0.0, IMAGES // 2)), onset=0.5),
    *(
        Fault(HEALTHY, name, "development", base, how, datasets=(dataset,), seeds=(12,), images=images)
        for dataset, name, base, how, images in (
            (C, "face-wide", "face", then(generator(width=24), discriminator(width=20)), IMAGES),
            (P, "face-latent-32", "face", setting(latent=Latent(size=32)), IMAGES),
            (C, "tutorial-latent-256", "tutorial", setting(latent=Latent(size=256)), IMAGES),
            (C, "hinge-r1-3", "hinge", setting(penalties=(R1(gamma=Constant(3.0), every=4),)), IMAGES),
            (P, "least-squares-r1", "face", setting(loss=LeastSquares()), IMAGES),
            (C, "face-no-flips", "face", setting(flip=0.0), IMAGES),
            (P, "tutorial-smooth-noisy", "tutorial",
             setting(loss=NonSaturating(real_label=0.9), input_noise=Constant(0.1)), IMAGES),
            (C, "face-batch-128", "face", then(setting(batch=128), rate(2.0)), 2 * IMAGES),
            (C, "tutorial-batch-16", "tutorial", setting(batch=16), IMAGES),
            (P, "spectral-two-steps", "spectral", setting(discriminator_steps=2), 3 * IMAGES // 2),
            (C, "face-fading", "face", scheduled(lambda b: Linear(b.value, 0.2 * b.value, IMAGES)), IMAGES),
            ("utkface", "hinge-utkface", "hinge", setting(loss=Hinge()), IMAGES),
            (C, "face-average-short", "face", setting(average=Average(half_life=Constant(3000.0))), IMAGES),
            (P, "wgan-gp-leaky", "wgan-gp", generator(activation="leaky-relu"), 3 * IMAGES // 2),
        )
    ),
)  # fmt: skip
