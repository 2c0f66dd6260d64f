"""All diagnoses that there are: what each means, and which troubles each is able to cause."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from facesmith.health.finding import Evidence, Finding, Player, Remedy, Severity

Stage = Literal[
    "scaling", "data", "structure", "settings", "gradients", "balance", "samples", "course"
]
STAGES: tuple[Stage, ...] = (
    "scaling",
    "data",
    "structure",
    "settings",
    "gradients",
    "balance",
    "samples",
    "course",
)
"""The order of advice: scaling first, then what is wrong in data and code, then hyper-parameters, then
gradients, and only then what one sees in losses and samples."""


@dataclass(frozen=True)
class Kind:
    """One diagnosis."""

    stage: Stage
    explanation: str
    """Why it happens, for a newcomer."""
    causes: tuple[str, ...] = ()
    """Kinds that it can bring about: where they are seen too, they are its consequences."""


def found(
    kind: str,
    severity: Severity,
    since: int,
    title: str,
    remedy: Remedy,
    *evidence: Evidence,
    where: Player = "",
) -> Finding:
    """Make a finding of a known kind.

    Args:
        kind: One of `KINDS`, which has the explanation.
        severity: How bad it is.
        since: Images seen when it began.
        title: One sentence.
        remedy: What to do.
        *evidence: What shows it.
        where: The network that it is about.

    Returns:
        The finding.
    """
    return Finding(
        kind=kind,
        severity=severity,
        title=title,
        since=max(0, since),
        explanation=KINDS[kind].explanation,
        remedy=remedy,
        where=where,
        evidence=tuple(e for e in evidence if e.value is None or not math.isnan(e.value)),
    )


UNSTABLE = (
    "exploding-gradient",
    "non-finite",
    "dead-units",
    "saturated-output",
    "discriminator-too-strong",
    "discriminator-too-weak",
    "total-collapse",
    "partial-collapse",
    "oscillation",
    "late-drift",
    "not-learning",
)
"""What a training out of control shows."""

KINDS: dict[str, Kind] = {
    # ---- scaling
    "scaling-wrong": Kind(
        "scaling",
        "The networks do not see pictures but numbers of another size: standardised after they were "
        "brought to the generator's range, divided by 255 twice, or squeezed into a sliver of it. The "
        "generator's output layer can only make its own range, so the discriminator tells real from fake "
        "by the numbers' size alone and has nothing to teach. Standardise first, rescale last.",
        UNSTABLE,
    ),
    "range-mismatch": Kind(
        "scaling",
        "Real images and generated ones live in different ranges. A tanh makes numbers from -1 to 1; if "
        "the real pixels run from 0 to 1 or from 0 to 255, no generator can ever match them, and the "
        "discriminator wins without looking at a face.",
        UNSTABLE,
    ),
    # ---- data
    "data-constant": Kind(
        "data",
        "All images are the same picture, or one even colour. There is nothing to learn but that one "
        "picture.",
        (*UNSTABLE, "memorised", "discriminator-overfits", "data-duplicated"),
    ),
    "data-duplicated": Kind(
        "data",
        "The same pictures occur again and again. The discriminator learns them by heart, the generator "
        "makes them more often than others, and the number of photos says more than there is.",
        ("memorised", "discriminator-overfits", "partial-collapse"),
    ),
    "data-corrupted": Kind(
        "data",
        "Some of the images are damaged: noise, blocks of one colour, halves missing. A generator learns "
        "damage as faithfully as faces, and the discriminator uses it as an easy tell.",
        ("discriminator-too-strong", "partial-collapse"),
    ),
    "data-sorted": Kind(
        "data",
        "Images come in an order, similar ones together, instead of shuffled. Each stretch of training "
        "then pulls both networks towards what is passing by and lets them forget the rest.",
        (
            "oscillation",
            "partial-collapse",
            "total-collapse",
            "discriminator-too-strong",
            "late-drift",
        ),
    ),
    "channels-swapped": Kind(
        "data",
        "Red and blue are exchanged: OpenCV reads pictures as BGR, everybody else as RGB. Skin comes out "
        "blue, and so will all generated faces.",
    ),
    "grey-mixed": Kind(
        "data",
        "Grey and coloured pictures are mixed. The discriminator sees at once which is which, and the "
        "generator spends itself on jumping between both.",
        ("partial-collapse",),
    ),
    "too-few-images": Kind(
        "data",
        "A discriminator can learn a few hundred pictures by heart. From then on it rejects everything "
        "else, good faces included, and the generator can only copy.",
        (
            "discriminator-overfits",
            "memorised",
            "partial-collapse",
            "discriminator-too-strong",
            "late-drift",
        ),
    ),
    "augmentation-leaks": Kind(
        "data",
        "The discriminator is shown changed real images - turned, cut out, recoloured - and never the "
        "true ones. The generator therefore learns to make the changes too. Changes must be applied to "
        "reals and fakes alike.",
    ),
    # ---- structure: what is wrong in the code
    "labels-swapped": Kind(
        "structure",
        "Real and fake labels are exchanged: the discriminator learns to call fakes real, or the "
        "generator is rewarded for being caught. The losses may look splendid; the pictures get worse and "
        "worse.",
        UNSTABLE,
    ),
    "labels-leaking": Kind(
        "structure",
        "Something that has nothing to do with faces gives the real images away: a border, a rounding, an "
        "offset. The discriminator needs nothing else, so it teaches nothing else.",
        UNSTABLE,
    ),
    "net-not-updated": Kind(
        "structure",
        "Weights stand still although they should learn: the optimiser was given other parameters, its "
        "rate is 0, gradients are switched off, or a detach cuts the way to them.",
        (*UNSTABLE, "labels-swapped"),
    ),
    "sigmoid-twice": Kind(
        "structure",
        "The discriminator's output passes two sigmoids, its own and that of a loss which expects raw "
        "logits. What comes out lies between 0.5 and 0.73, so the loss has a floor, gradients are small, "
        "and being surely wrong costs hardly more than being right.",
        UNSTABLE,
    ),
    "batch-statistics-leak": Kind(
        "structure",
        "Real and generated images pass the discriminator in one batch, and its batch norm mixes their "
        "statistics. It can then tell a whole batch apart by its means, which says nothing about a single "
        "face.",
        UNSTABLE,
    ),
    "batch-norm-small-batch": Kind(
        "structure",
        "Batch norm takes mean and variance of the batch. Over a handful of images these are mostly "
        "chance, so each image depends on its neighbours, and training is driven by noise.",
        UNSTABLE,
    ),
    "batch-norm-gradient-penalty": Kind(
        "structure",
        "A gradient penalty looks at the discriminator's answer to one image. With batch norm the answer "
        "depends on all images of the batch, so the penalty does not hold what it promises (WGAN-GP, "
        "1704.00028).",
        UNSTABLE,
    ),
    "bad-initialization": Kind(
        "structure",
        "The first weights are far too large, too small, or all equal. Signals die away or explode from "
        "layer to layer before anything is learned; equal weights learn the same thing for ever.",
        UNSTABLE,
    ),
    "latent-too-small": Kind(
        "structure",
        "A face has dozens of independent features; so few latent numbers cannot vary them. Samples look "
        "like points on one path, however long it trains.",
        ("partial-collapse", "total-collapse"),
    ),
    "checkerboard": Kind(
        "samples",
        "A kernel whose size is no multiple of the stride covers some pixels more often than others, "
        "which leaves a grid in the samples (Odena, Deconvolution and Checkerboard Artifacts, 2016). Where "
        "kernels overlap evenly, young networks still have one, from their strided layers, and lose it.",
    ),
    # ---- settings
    "learning-rate-too-high": Kind(
        "settings",
        "Each step changes the weights by a large part of themselves. What one step learns the next one "
        "tears down: losses jump, samples flip between looks, and often all variety is lost.",
        UNSTABLE,
    ),
    "learning-rate-too-low": Kind(
        "settings",
        "Each step changes the weights by next to nothing: at this pace the run would have to be many "
        "times as long.",
        (
            "discriminator-too-strong",
            "discriminator-too-weak",
            "total-collapse",
            "partial-collapse",
            "not-learning",
        ),
    ),
    "beta1-too-high": Kind(
        "settings",
        "Momentum averages gradients over the past, but in a game yesterday's direction is wrong today. "
        "With beta1 at 0.9 both players overshoot and chase each other in circles; the DCGAN paper took "
        "0.5, R3GAN 0.",
        UNSTABLE,
    ),
    "batch-too-small": Kind(
        "settings",
        "A few images say little about all faces: gradients are mostly noise, and the networks follow it.",
        UNSTABLE,
    ),
    "noise-too-strong": Kind(
        "settings",
        "So much noise lies over the images that the discriminator cannot see the faces, and cannot teach "
        "them.",
        (
            "discriminator-too-weak",
            "discriminator-too-strong",
            "total-collapse",
            "partial-collapse",
            "not-learning",
        ),
    ),
    "dropout-too-strong": Kind(
        "settings",
        "So many units are switched off at random that hardly anything gets through. Noise and dropout "
        "come last in the order of remedies, in small doses.",
        UNSTABLE,
    ),
    "unconstrained-critic": Kind(
        "settings",
        "A Wasserstein critic is rewarded for larger and larger outputs. Without a gradient penalty, "
        "clipped weights or spectral norm nothing stops it, and its gradients are no distances any more "
        "(1701.07875).",
        UNSTABLE,
    ),
    "penalty-too-strong": Kind(
        "settings",
        "The penalty holds the discriminator so flat that it gives nearly the same answer to every image, "
        "and the generator learns nothing from it.",
        ("discriminator-too-weak", "total-collapse", "partial-collapse", "not-learning"),
    ),
    # ---- gradients
    "non-finite": Kind(
        "gradients",
        "A loss or a gradient became infinite or not a number. facesmith does not make such updates: the "
        "weights stay whole, but do not learn. In a loop that makes them the weights are lost: go back to a "
        "copy from before.",
    ),
    "exploding-gradient": Kind(
        "gradients",
        "Gradients are many times as large as they were: the discriminator has become so steep that "
        "small changes of an image turn its verdict upside down.",
        ("non-finite", "total-collapse", "oscillation"),
    ),
    "dead-units": Kind(
        "gradients",
        "Many units are never above zero, for any image. A ReLU passes no gradient there, so they stay "
        "dead: that part of the network is lost.",
        ("total-collapse", "partial-collapse", "discriminator-too-strong"),
    ),
    "saturated-output": Kind(
        "gradients",
        "The generator's pixels sit at the ends of their range, pure black and pure colour, where a tanh "
        "passes no gradient. Such a generator hardly gets out by itself.",
        ("total-collapse", "partial-collapse", "discriminator-too-strong"),
    ),
    # ---- balance
    "discriminator-too-strong": Kind(
        "balance",
        "The discriminator is always right. For the generator every change is equally wrong: the slope "
        "that it should follow has gone, and it stands still or wanders off.",
        ("total-collapse", "partial-collapse", "oscillation"),
    ),
    "discriminator-too-weak": Kind(
        "balance",
        "The discriminator cannot tell these samples from photographs, although they are far from them. "
        "Its advice is worth nothing, and the generator drifts.",
        ("total-collapse", "partial-collapse", "checkerboard"),
    ),
    "discriminator-overfits": Kind(
        "balance",
        "The discriminator recognises the images it was trained on and rejects real ones that it never "
        "saw: it has learned them by heart instead of learning what a face is.",
        ("memorised", "late-drift", "partial-collapse", "discriminator-too-strong"),
    ),
    # ---- samples
    "total-collapse": Kind(
        "samples",
        "Whatever the latent, the generator makes the same picture. It found one that passes and has no "
        "reason to make others.",
    ),
    "partial-collapse": Kind(
        "samples",
        "The generator makes a few pictures over and over, with much less variety than the data.",
    ),
    "memorised": Kind(
        "samples",
        "Samples are nearer to single training images than other photographs are: the generator repeats "
        "what it was shown. Who publishes such samples publishes the photographs.",
    ),
    "not-learning": Kind(
        "samples",
        "Samples do not come nearer to the data. A finding before this one is the likely reason; without "
        "one, two settings that are sound by themselves may not go together.",
    ),
    # ---- course
    "oscillation": Kind(
        "course",
        "The two players run in circles: samples change their look completely from one record to the next "
        "and come back, without getting better.",
        (
            "total-collapse",
            "partial-collapse",
            "discriminator-too-weak",
            "discriminator-too-strong",
        ),
    ),
    "late-drift": Kind(
        "course",
        "The best samples lie behind: since then the distance to the data has grown again. Learning rates "
        "that were right in the beginning are too high near the end, or the discriminator overfits.",
        (
            "discriminator-too-weak",
            "discriminator-too-strong",
            "partial-collapse",
            "total-collapse",
            "oscillation",
        ),
    ),
    "average-lags": Kind(
        "course",
        "The averaged generator, which is what is used in the end, is far behind the one that is trained: "
        "its memory is too long, or it is not updated.",
        ("discriminator-too-weak", "discriminator-too-strong", "late-drift", "memorised"),
    ),
    "data-starves": Kind(
        "course",
        "The networks wait for images. The processor that should learn stands idle while files are read.",
    ),
    "finished": Kind(
        "course",
        "Samples have not come nearer to the data for a long time, and nothing is broken: this recipe has "
        "given what it can with these data.",
    ),
    "healthy": Kind("course", "Nothing that this doctor knows is wrong."),
}
