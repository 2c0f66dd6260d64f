"""The training loop against a plain one, written out here in torch alone from what the docs say.

Each case switches one feature on, so that a failure says which.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesmith import checkpoint
from facesmith.architectures import (
    DCGANDiscriminator,
    DCGANGenerator,
    Latent,
    MLPDiscriminator,
    MLPGenerator,
)
from facesmith.architectures.layers import LayerNoise
from facesmith.base.randomness import step_seed, uniforms
from facesmith.base.schedules import Constant, Linear, Switch
from facesmith.data.dataset import Dataset
from facesmith.objectives.losses import NonSaturating, Relativistic
from facesmith.objectives.penalties import R1, R2
from facesmith.optimizers import SGD, Adam, Optimizer, Optimizers
from facesmith.recipe import Average, Recipe
from facesmith.training import loop
from facesmith.training.run import Run
from facesmith.training.state import TrainingState

RunIn = Callable[..., Run]
Weights = dict[str, dict[str, Tensor]]
BATCH = 4
LENGTH = 48  # twelve updates of the discriminator, more than an epoch
SEED = 3
CLOSE = {"rtol": 1e-3, "atol": 1e-5}  # sums in another order make 1e-6
APART = 1e-3  # what a feature changes at the least; most change a hundred times as much

# Plain gradient descent shows the size of a gradient, which Adam would divide away.
SGDS = Optimizers(generator=SGD(Constant(0.2)), discriminator=SGD(Constant(0.05)))
PLAIN = Recipe(
    name="plain",
    resolution=16,
    latent=Latent(size=5),
    generator=MLPGenerator(widths=(8,), output="tanh", initialization="kaiming"),
    discriminator=MLPDiscriminator(
        widths=(6,), pieces=2, input_dropout=0.0, dropout=0.0, initialization="kaiming"
    ),
    optimizers=SGDS,
    average=Average(half_life=Constant(20.0), ramp=1.0),
    batch=BATCH,
    flip=0.0,
)
ADAM = Adam(learning_rate=Constant(2e-3), beta1=Constant(0.5), beta2=Constant(0.9))
ADAMS = Optimizers(generator=ADAM, discriminator=ADAM)
FALLING, RISING = Linear(0.2, 0.01, over=LENGTH), Linear(0.0, 0.9, over=LENGTH)

FEATURES: dict[str, dict[str, Any]] = {
    "flip": {"flip": 0.5},
    "input noise": {"input_noise": Linear(0.3, 0.0, over=LENGTH)},
    "layer noise": {"layer_noise": Linear(0.0, 0.5, over=LENGTH)},
    "dropout": {"discriminator": replace(PLAIN.discriminator, dropout=0.3)},
    "R1": {"penalties": (R1(gamma=Constant(0.2)),)},
    "lazy R1": {"penalties": (R1(gamma=Linear(0.2, 0.0, over=LENGTH), every=3),)},
    "lazy R1 and R2": {
        "penalties": (R1(gamma=Constant(0.1), every=2, share=0.5), R2(gamma=Constant(0.1), every=3))
    },
    "relativistic": {"loss": Relativistic()},
    "two discriminator steps": {"discriminator_steps": 2},
    "two relativistic steps, lazy R1": {
        "discriminator_steps": 2,
        "loss": Relativistic(),
        "penalties": (R1(gamma=Constant(0.1), every=3),),
    },
    "adam": {"optimizers": ADAMS},
    "adam for G": {"optimizers": replace(SGDS, generator=ADAM)},
    "adam for D": {"optimizers": replace(SGDS, discriminator=ADAM)},
    "learning rate": {
        "optimizers": Optimizers(generator=SGD(FALLING), discriminator=SGD(Switch(0.05, 0.2, 16)))
    },
    "momentum": {"optimizers": replace(SGDS, discriminator=SGD(Constant(0.02), momentum=RISING))},
    "beta1": {"optimizers": replace(ADAMS, generator=replace(ADAM, beta1=RISING))},
    "beta2": {"optimizers": replace(ADAMS, discriminator=replace(ADAM, beta2=RISING))},
    "half-life": {"average": Average(half_life=Linear(5.0, 40.0, over=LENGTH), ramp=1.0)},
    "ramp": {"average": Average(half_life=Constant(1e6), ramp=0.25)},
    "sphere": {"latent": Latent(size=5, law="sphere")},
    "batch norm": {
        "generator": DCGANGenerator(width=4, spread=0.1),
        "discriminator": DCGANDiscriminator(width=4, spread=0.1),
        "batch": 8,
    },
}
EVERYTHING = {
    **FEATURES["batch norm"],
    **FEATURES["flip"],
    **FEATURES["input noise"],
    **FEATURES["layer noise"],
    **FEATURES["two relativistic steps, lazy R1"],
    **FEATURES["half-life"],
    "discriminator": DCGANDiscriminator(width=4, normalization="none", dropout=0.2, spread=0.1),
    "optimizers": Optimizers(generator=replace(ADAM, beta1=RISING), discriminator=SGD(FALLING)),
}


def train_by_hand(recipe: Recipe, data: Dataset) -> Weights:
    """Train with the seed 3 and no help but that of the networks, the schedules and the streams."""
    with torch.random.fork_rng():
        return _train_by_hand(recipe, data)


def _train_by_hand(recipe: Recipe, data: Dataset) -> Weights:
    # Noise is drawn in the order of memory, so the layout must be that of the loop.
    generator = recipe.build_generator(SEED).to(memory_format=torch.channels_last)
    discriminator = recipe.build_discriminator(SEED).to(memory_format=torch.channels_last)
    average = copy.deepcopy(generator)
    move_generator = mover(recipe.optimizers.generator, generator)
    move_discriminator = mover(recipe.optimizers.discriminator, discriminator)
    seen = 0
    while seen < LENGTH:
        begin = seen
        for layer in generator.modules():
            if isinstance(layer, LayerNoise):
                layer.strength = recipe.layer_noise(begin)
        for _ in range(recipe.discriminator_steps):
            torch.manual_seed(step_seed(SEED, "layers", seen))
            real, fake = reals(recipe, data, seen), generator(latents(recipe, seen))
            strength = recipe.input_noise(seen)
            seen_real, seen_fake = blurred(real, strength), blurred(fake.detach(), strength)
            loss = judge(recipe, discriminator(seen_real), discriminator(seen_fake))
            for penalty in recipe.penalties:
                if (seen // recipe.batch) % penalty.every == 0:
                    points = seen_real if isinstance(penalty, R1) else seen_fake
                    points = points[: round(penalty.share * recipe.batch)]
                    half = penalty.gamma(seen) / 2
                    slope = squared_slope(discriminator, points).mean()
                    loss = loss + penalty.every * half * slope
            move_discriminator(loss, begin)
            seen += recipe.batch
        strength = recipe.input_noise(seen)
        if isinstance(recipe.loss, Relativistic):
            real_logits = discriminator(blurred(real, strength)).detach()
            fake_logits = discriminator(blurred(fake, strength))
            move_generator(F.softplus(real_logits - fake_logits).mean(), begin)
        else:
            fake_logits = discriminator(blurred(fake, strength))
            move_generator(-F.logsigmoid(fake_logits).mean(), begin)
        half_life = min(recipe.average.half_life(seen), recipe.average.ramp * seen)
        follow(average, generator, keep=0.5 ** ((seen - begin) / half_life))
    networks = {"generator": generator, "discriminator": discriminator, "average": average}
    return {name: network.state_dict() for name, network in networks.items()}


def reals(recipe: Recipe, data: Dataset, seen: int) -> Tensor:
    pixels = data.images[data.batch_indices(seen, recipe.batch, seed=SEED)]
    drawn = uniforms(SEED, "flips", start=seen, count=recipe.batch, width=1)
    pixels = np.where(drawn[:, :, None, None] < recipe.flip, pixels[:, :, ::-1], pixels)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1


def latents(recipe: Recipe, seen: int) -> Tensor:
    size = recipe.latent.size
    drawn = uniforms(SEED, "latents", start=seen, count=recipe.batch, width=size)
    normal = torch.special.ndtri(torch.from_numpy(drawn))
    if recipe.latent.law == "sphere":
        normal = size**0.5 * F.normalize(normal)
    return normal.float()


def blurred(images: Tensor, strength: float) -> Tensor:
    return images + strength * torch.randn_like(images) if strength else images


def judge(recipe: Recipe, real: Tensor, fake: Tensor) -> Tensor:
    if isinstance(recipe.loss, Relativistic):
        return -F.logsigmoid(real - fake).mean()
    assert recipe.loss == NonSaturating()
    return -F.logsigmoid(real).mean() - F.logsigmoid(-fake).mean()


def squared_slope(discriminator: nn.Module, images: Tensor) -> Tensor:
    points = images.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(points).sum(), points, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3))


def mover(chosen: Optimizer, network: nn.Module) -> Callable[[Tensor, int], None]:
    """Make a function that moves one player's weights against the gradient of its loss."""
    weights = list(network.parameters())
    made: torch.optim.Optimizer
    if isinstance(chosen, Adam):
        made = torch.optim.Adam(weights, fused=False, foreach=False)
    else:
        made = torch.optim.SGD(weights, fused=False, foreach=False)

    def move(loss: Tensor, seen: int) -> None:
        group = made.param_groups[0]
        group["lr"] = chosen.learning_rate(seen)
        if isinstance(chosen, Adam):
            group["betas"] = (chosen.beta1(seen), chosen.beta2(seen))
        elif isinstance(chosen, SGD):
            group["momentum"] = chosen.momentum(seen)
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = slope
        made.step()

    return move


@torch.no_grad()
def follow(average: nn.Module, generator: nn.Module, *, keep: float) -> None:
    now = generator.state_dict()
    for name, old in average.state_dict().items():
        is_counter = not old.is_floating_point()
        old.copy_(now[name] if is_counter else keep * old + (1 - keep) * now[name])


def train(recipe: Recipe, run: Run, data: Dataset) -> Weights:
    run = replace(run, seed=SEED, precision="fp32")
    loop.train(recipe, run, data)
    tensors, _ = checkpoint.load(run.folder / "checkpoints" / f"{LENGTH:012d}")
    return {name: tensors[name] for name in ("generator", "discriminator", "average")}


def assert_close(one: Weights, two: Weights) -> None:
    far = [
        f"{network}.{name}: {(tensor - two[network][name]).abs().max().item():.1e} apart"
        for network, tensors in one.items()
        for name, tensor in tensors.items()
        if not torch.allclose(tensor, two[network][name], **CLOSE)
    ]
    assert far == []


def distance(one: Weights, two: Weights) -> float:
    return max(
        (tensor - two[network][name]).abs().max().item()
        for network, tensors in one.items()
        for name, tensor in tensors.items()
    )


@pytest.fixture(scope="module")
def plain(portraits: Dataset) -> Weights:
    return train_by_hand(PLAIN, portraits)


def test_the_loop_is_the_plain_one(plain: Weights, portraits: Dataset, run_in: RunIn) -> None:
    begin = {
        "generator": PLAIN.build_generator(SEED).state_dict(),
        "discriminator": PLAIN.build_discriminator(SEED).state_dict(),
    }
    for network, weights in begin.items():
        for name, weight in weights.items():
            assert (plain[network][name] - weight).abs().max() > APART, f"{network}.{name} stood"
    assert_close(train(PLAIN, run_in("plain", LENGTH), portraits), plain)


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.filterwarnings("ignore:R1 and R2 look at one image")
def test_a_feature_acts_as_in_the_plain_loop(
    feature: str, plain: Weights, portraits: Dataset, run_in: RunIn
) -> None:
    recipe = replace(PLAIN, **FEATURES[feature])
    by_hand = train_by_hand(recipe, portraits)
    if feature != "batch norm":  # which has other networks
        assert distance(by_hand, plain) > APART, "the feature does nothing even by hand"
    assert_close(train(recipe, run_in("run", LENGTH), portraits), by_hand)


def test_all_features_together_act_as_in_the_plain_loop(portraits: Dataset, run_in: RunIn) -> None:
    recipe = replace(PLAIN, **EVERYTHING)
    by_hand = train_by_hand(recipe, portraits)
    assert_close(train(recipe, run_in("run", LENGTH), portraits), by_hand)


def test_the_allocator_is_told_to_keep_large_blocks_before_there_are_any(
    portraits: Dataset, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(loop, "keep_large_blocks", lambda: calls.append("told"))
    begin = TrainingState.begin
    monkeypatch.setattr(
        TrainingState, "begin", lambda *given: calls.append("built") or begin(*given)
    )
    loop.train(PLAIN, run_in("run", BATCH), portraits)
    assert calls == ["told", "built"]
