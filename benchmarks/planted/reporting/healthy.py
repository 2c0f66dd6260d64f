"""Runs without a fault: recipes, datasets, rates and batches that people use."""

from __future__ import annotations

from functools import partial

from facesmith.architectures import Latent
from facesmith.base.schedules import Constant, Linear
from facesmith.objectives.losses import LeastSquares, NonSaturating
from facesmith.objectives.penalties import R1, R2
from facesmith.recipe import Average
from planted.case import FACES, IMAGES, sound
from planted.changes import discriminator, generator, rate, setting, then

LONGER = 3 * IMAGES // 2

_sound = partial(sound, "reporting")
HALF_R1 = R1(gamma=Constant(0.5), every=4, share=0.5)
BOTH = (R1(gamma=Constant(0.3), every=8), R2(gamma=Constant(0.3), every=8))

FAULTS = (
    _sound("face", *FACES, seeds=(20,)),
    _sound("tutorial", *FACES, seeds=(20,)),
    _sound("hinge", "celeba", seeds=(21,)),
    _sound("upsampling", "celeba", seeds=(21,)),
    _sound("wgan-gp", "portraits", seeds=(20,), images=LONGER),
    _sound("smoothed", "portraits", seeds=(20,)),
    _sound("decoder", "portraits", seeds=(20,)),
    # ---- losses
    _sound("face", "portraits", name="cross-entropy-r1", how=setting(loss=NonSaturating()), seeds=(20,)),
    _sound("face", "celeba", name="least-squares-r1",
           how=setting(loss=LeastSquares(), penalties=(HALF_R1,)), seeds=(21,)),
    _sound("face", "celeba", name="r1-and-r2", how=setting(penalties=BOTH), seeds=(22,)),
    # ---- latents
    _sound("face", "celeba", name="latent-32", how=setting(latent=Latent(size=32)), seeds=(20,)),
    _sound("hinge", "portraits", name="latent-256-uniform",
           how=setting(latent=Latent(size=256, law="uniform")), seeds=(20,)),
    _sound("tutorial", "portraits", name="latent-64-sphere",
           how=setting(latent=Latent(size=64, law="sphere")), seeds=(22,)),
    # ---- networks
    _sound("face", "celeba", name="leaky-generator", how=generator(activation="leaky-relu"), seeds=(20,)),
    _sound("tutorial", "celeba", name="group-norm", how=discriminator(normalization="group"), seeds=(20,)),
    _sound("face", "portraits", name="instance-norm", how=discriminator(normalization="instance"),
           seeds=(21,)),
    _sound("hinge", "celeba", name="silu", how=discriminator(activation="silu"), seeds=(22,)),
    _sound("face", "portraits", name="wide-generator", how=generator(width=24), seeds=(22,)),
    _sound("hinge", "celeba", name="blurred-downsampling",
           how=discriminator(downsampling="blur", kernel=3), seeds=(20,)),
    # ---- what is done to images
    _sound("hinge", "portraits", name="noise-0.1", how=setting(input_noise=Constant(0.1)), seeds=(22,)),
    _sound("tutorial", "portraits", name="noise-fading", how=setting(input_noise=Linear(0.1, 0.0, IMAGES)),
           seeds=(21,)),
    # ---- rates, batches, average
    _sound("hinge", "celeba", name="batch-64", how=then(setting(batch=64), rate(1.4)), seeds=(20,),
           images=LONGER),
    _sound("face", "portraits", name="batch-16", how=setting(batch=16), seeds=(20,)),
    _sound("hinge", "portraits", name="rate-1.8", how=rate(1.8), seeds=(21,)),
    _sound("upsampling", "celeba", name="rate-0.6", how=rate(0.6), seeds=(22,)),
    _sound("face", "celeba", name="average-8k",
           how=setting(average=Average(half_life=Constant(8000.0), ramp=0.15)), seeds=(21,)),
    # ---- other photos
    _sound("hinge", "utkface", name="hinge-utkface", seeds=(20,)),
    _sound("upsampling", "utkface", name="upsampling-utkface", seeds=(21,)),
    _sound("grey-tutorial", "mnist", name="grey-tutorial-mnist", seeds=(20,)),
    _sound("grey", "grey", name="grey-rate-1.5", how=rate(1.5), seeds=(20,)),
    _sound("hinge", "celeba-whole", name="whole-heads-hinge", seeds=(21,)),
)  # fmt: skip
