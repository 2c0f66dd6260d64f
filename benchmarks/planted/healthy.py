"""Runs without a fault: recipes, datasets, rates and batches that people use."""

from __future__ import annotations

from planted.case import HEALTHY, IMAGES, Fault, Half, Spoil, Subject
from planted.changes import discriminator, rate, setting, then


def _as_it_is(subject: Subject) -> Subject:
    return subject


def _sound(
    half: Half,
    base: str,
    *datasets: str,
    name: str = "",
    how: Spoil = _as_it_is,
    seeds: tuple[int, ...],
    images: int = IMAGES,
) -> Fault:
    return Fault(
        HEALTHY, name or base, half, base, how, images=images, datasets=datasets, seeds=seeds
    )


_FACES = ("portraits", "celeba")
_LONGER = 3 * IMAGES // 2
"""For what learns more slowly, or updates its generator less often."""

FAULTS = (
    _sound("development", "face", *_FACES, seeds=(10, 11)),
    _sound("development", "tutorial", *_FACES, seeds=(10, 11)),
    _sound("development", "hinge", *_FACES, seeds=(10,)),
    _sound("development", "wgan-gp", *_FACES, seeds=(10,), images=_LONGER),
    _sound("development", "least-squares", "celeba", seeds=(10,), images=_LONGER),
    _sound("development", "upsampling", "portraits", seeds=(10,)),
    _sound("development", "standardized", "celeba", seeds=(10,)),
    _sound("development", "grey-tutorial", "mnist", seeds=(10,)),
    _sound("development", "grey", "grey", seeds=(10,)),
    _sound("development", "face", "utkface", name="face-batch-64", how=setting(batch=64), seeds=(10,)),
    _sound("development", "tutorial", "celeba", name="tutorial-rate-1.7", how=rate(1.7), seeds=(10,)),
    _sound("development", "face", "portraits", name="face-rate-0.6", how=rate(0.6), seeds=(10,)),
    # ----
    _sound("reporting", "face", *_FACES, seeds=(0, 1, 2)),
    _sound("reporting", "tutorial", *_FACES, seeds=(0, 1, 2)),
    _sound("reporting", "hinge", *_FACES, seeds=(0,)),
    _sound("reporting", "least-squares", *_FACES, seeds=(0,), images=_LONGER),
    _sound("reporting", "wgan-gp", *_FACES, seeds=(0,), images=_LONGER),
    _sound("reporting", "wgan-gp", "celeba", name="wgan-gp-3", how=setting(discriminator_steps=3),
           seeds=(1,), images=2 * IMAGES),
    _sound("reporting", "bilinear", *_FACES, seeds=(0,)),
    _sound("reporting", "upsampling", "celeba", seeds=(1,)),
    _sound("reporting", "decoder", "celeba", seeds=(0,)),
    _sound("reporting", "standardized", *_FACES, seeds=(0,)),
    _sound("reporting", "spectral", *_FACES, seeds=(0,)),
    _sound("reporting", "smoothed", "celeba", seeds=(0,)),
    _sound("reporting", "noisy", *_FACES, seeds=(0,)),
    _sound("reporting", "grey", "mnist", name="grey-mnist", seeds=(0, 1)),
    _sound("reporting", "grey-tutorial", "grey", seeds=(0,)),
    _sound("reporting", "grey", "grey", seeds=(0,)),
    _sound("reporting", "seed-32-small", "celeba", seeds=(0,)),
    _sound("reporting", "face", "utkface", name="face-utkface", seeds=(0,)),
    _sound("reporting", "tutorial", "utkface", name="tutorial-utkface", seeds=(0,)),
    _sound("reporting", "face", "celeba", name="face-batch-16", how=then(setting(batch=16), rate(0.7)),
           seeds=(0,)),
    _sound("reporting", "tutorial", "celeba", name="tutorial-batch-128",
           how=then(setting(batch=128), rate(2.0)), seeds=(0,)),
    _sound("reporting", "tutorial", "portraits", name="tutorial-batch-64", how=setting(batch=64),
           seeds=(0,)),
    _sound("reporting", "face", "portraits", name="face-rate-1.9", how=rate(1.9), seeds=(0,)),
    _sound("reporting", "face", "celeba", name="face-rate-0.55", how=rate(0.55), seeds=(0,)),
    _sound("reporting", "tutorial", "portraits", name="tutorial-rates-apart",
           how=then(rate(1.6, "generator"), rate(0.8, "discriminator")), seeds=(0,)),
    _sound("reporting", "face", "celeba", name="face-wide-discriminator", how=discriminator(width=24),
           seeds=(0,)),
)  # fmt: skip
