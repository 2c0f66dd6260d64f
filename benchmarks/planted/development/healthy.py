"""Runs without a fault: recipes, datasets, rates and batches that people use."""

from __future__ import annotations

from functools import partial

from planted.case import FACES, IMAGES, sound
from planted.changes import discriminator, rate, setting, then

LONGER = 3 * IMAGES // 2
"""For what learns more slowly, or updates its generator less often."""

_sound = partial(sound, "development")

FAULTS = (
    _sound("face", *FACES, seeds=(0, 10, 11)),
    _sound("tutorial", *FACES, seeds=(0, 10, 11)),
    _sound("hinge", *FACES, seeds=(0, 10)),
    _sound("wgan-gp", *FACES, seeds=(0, 10), images=LONGER),
    _sound("least-squares", "celeba", seeds=(10,), images=LONGER),
    _sound("upsampling", "portraits", seeds=(10,)),
    _sound("standardized", "celeba", seeds=(10,)),
    _sound("grey-tutorial", "mnist", seeds=(10,)),
    _sound("grey", "grey", seeds=(10,)),
    _sound("face", "utkface", name="face-batch-64", how=setting(batch=64), seeds=(10,)),
    _sound("tutorial", "celeba", name="tutorial-rate-1.7", how=rate(1.7), seeds=(10,)),
    _sound("face", "portraits", name="face-rate-0.6", how=rate(0.6), seeds=(10,)),
    _sound("least-squares", *FACES, seeds=(0,), images=LONGER),
    _sound("wgan-gp", "celeba", name="wgan-gp-3", how=setting(discriminator_steps=3),
           seeds=(1,), images=2 * IMAGES),
    _sound("bilinear", *FACES, seeds=(0,)),
    _sound("upsampling", "celeba", seeds=(1,)),
    _sound("decoder", "celeba", seeds=(0,)),
    _sound("standardized", *FACES, seeds=(0,)),
    _sound("spectral", *FACES, seeds=(0,)),
    _sound("smoothed", "celeba", seeds=(0,)),
    _sound("noisy", *FACES, seeds=(0,)),
    _sound("grey", "mnist", name="grey-mnist", seeds=(0,)),
    _sound("grey-tutorial", "grey", seeds=(0,)),
    _sound("grey", "grey", seeds=(0,)),
    _sound("seed-32-small", "celeba", seeds=(0,)),
    _sound("face", "utkface", name="face-utkface", seeds=(0,)),
    _sound("tutorial", "utkface", name="tutorial-utkface", seeds=(0,)),
    _sound("face", "celeba", name="face-batch-16", how=then(setting(batch=16), rate(0.7)),
           seeds=(0,)),
    _sound("tutorial", "celeba", name="tutorial-batch-128",
           how=then(setting(batch=128), rate(2.0)), seeds=(0,)),
    _sound("tutorial", "portraits", name="tutorial-batch-64", how=setting(batch=64),
           seeds=(0,)),
    _sound("face", "portraits", name="face-rate-1.9", how=rate(1.9), seeds=(0,)),
    _sound("face", "celeba", name="face-rate-0.55", how=rate(0.55), seeds=(0,)),
    _sound("tutorial", "portraits", name="tutorial-rates-apart",
           how=then(rate(1.6, "generator"), rate(0.8, "discriminator")), seeds=(0,)),
    _sound("face", "celeba", name="face-wide-discriminator", how=discriminator(width=24),
           seeds=(0,)),
)  # fmt: skip
