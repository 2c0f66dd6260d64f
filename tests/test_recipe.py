import math
import warnings
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from facesmith.architectures import (
    DCGANDiscriminator,
    DCGANGenerator,
    ImageShape,
    Latent,
    MLPDiscriminator,
)
from facesmith.base.errors import UsageError
from facesmith.base.registry import registered
from facesmith.base.schedules import Constant, Decay, Linear
from facesmith.data.scaling import Rescale
from facesmith.objectives.losses import Wasserstein
from facesmith.objectives.penalties import R1, GradientPenalty
from facesmith.recipe import SGD, Adam, Average, Optimizer, Optimizers, Recipe, RMSprop
from facesmith.recipes import NAMED, find_recipe

TINY = Recipe(
    resolution=16,
    latent=Latent(4),
    generator=DCGANGenerator(width=2),
    discriminator=DCGANDiscriminator(width=2),
)


# check


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_named_recipe_passes_its_own_check(name):
    recipe = find_recipe(name)
    assert recipe.name == name
    if name == "dcgan":  # the paper's own 5x5 kernels
        with pytest.warns(UserWarning, match="checkerboard"):
            recipe.check()
    else:
        recipe.check()


def test_a_gradient_penalty_with_batch_norm_in_the_discriminator_is_refused():
    recipe = replace(TINY, loss=Wasserstein(), penalties=(R1(), GradientPenalty()))
    with pytest.raises(UsageError, match="gradient penalty meets batch norm") as caught:
        recipe.check()
    assert "--discriminator.normalization instance" in caught.value.todo
    # Each way out that the message names is a way out, and other penalties are no reason.
    for kind in ("instance", "layer", "none"):
        replace(recipe, discriminator=DCGANDiscriminator(width=2, normalization=kind)).check()
    replace(recipe, penalties=(R1(),)).check()


@pytest.mark.parametrize(
    "changes, given",
    [
        ({"resolution": 48}, "resolution 48"),
        ({"resolution": 28}, "resolution 28"),
        ({"batch": 0}, "batch=0"),
        ({"discriminator_steps": 0}, "discriminator_steps=0"),
        ({"flip": 1.5}, "flip=1.5"),
        ({"flip": -0.1}, "flip=-0.1"),
        ({"flip": math.nan}, "flip=nan"),
        ({"generator": DCGANGenerator(kernel=1)}, "kernel 1"),
        ({"discriminator": DCGANDiscriminator(widths=(1, 2, 3))}, "3 widths"),
        ({"discriminator": MLPDiscriminator(())}, "widths ()"),
    ],
)
def test_what_cannot_work_is_refused(changes, given):
    with pytest.raises(UsageError) as caught:
        replace(TINY, **changes).check()
    assert given in caught.value.given


def test_batch_norm_over_a_handful_of_images_is_warned_about():
    with pytest.warns(UserWarning, match="Batch norm over 7 images"):
        replace(TINY, batch=7).check()
    replace(TINY, batch=8).check()
    replace(TINY, batch=7, discriminator=DCGANDiscriminator(2, normalization="none")).check()


def test_checkerboards_are_warned_about_once():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        replace(TINY, generator=DCGANGenerator(width=2, kernel=5)).check()
    assert ["checkerboard" in str(w.message) for w in seen] == [True]


def test_checking_computes_nothing_and_draws_nothing():
    before = torch.get_rng_state()
    find_recipe("seed-128-upsample").check()
    assert torch.equal(torch.get_rng_state(), before)


# Networks


def test_a_seed_decides_the_weights_and_leaves_the_global_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for build in (TINY.build_generator, TINY.build_discriminator):
        one, same, other = build(1), build(1), build(2)
        for a, b, c in zip(one.parameters(), same.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
            assert a.ndim < 2 or not torch.equal(a, c)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_two_networks_do_not_share_their_random_numbers():
    shape = (6, 3, 3, 3)
    part = {"widths": (6,), "kernel": 3, "normalization": "none"}
    recipe = replace(
        TINY,
        generator=DCGANGenerator(start=8, upsampling="nearest", **part),
        discriminator=DCGANDiscriminator(end=8, downsampling="average", **part),
    )
    made, judge = recipe.build_generator(0), recipe.build_discriminator(0)
    assert judge.stages[0][0][0].weight.shape == shape
    one, other = made.project.weight.flatten()[:162], judge.stages[0][0][0].weight.flatten()[:162]
    assert not torch.equal(one, other)


def test_the_output_range_is_that_of_the_scaling():
    recipe = replace(
        TINY, scaling=Rescale(-0.5, 2.0), channels=1, generator=DCGANGenerator(width=2, spread=9.0)
    )
    assert recipe.shape == ImageShape(16, 1, -0.5, 2.0)
    images = recipe.build_generator(0)(torch.randn(8, 4))
    assert images.shape == (8, 1, 16, 16)
    assert (images.min().item(), images.max().item()) == pytest.approx((-0.5, 2.0), abs=1e-3)


# Optimisers


def test_settings_follow_their_schedules():
    falling, rising = Linear(1e-3, 1e-4, over=1000), Linear(0.0, 0.8, over=1000)
    adam = Adam(learning_rate=falling, beta1=rising, beta2=Constant(0.9))
    sgd = SGD(learning_rate=falling, momentum=rising)
    for seen, rate, beta in ((0, 1e-3, 0.0), (500, 5.5e-4, 0.4), (1000, 1e-4, 0.8)):
        close = pytest.approx
        assert adam.settings(seen) == {"lr": close(rate), "betas": close((beta, 0.9))}
        assert sgd.settings(seen) == {"lr": close(rate), "momentum": close(beta)}
        assert RMSprop(learning_rate=falling).settings(seen) == {"lr": close(rate)}


@pytest.mark.parametrize("kind", registered(Optimizer))
def test_every_setting_is_a_key_of_the_torch_optimisers_group(kind):
    built = kind().build([nn.Parameter(torch.ones(3))])
    assert set(kind().settings(0)) <= set(built.param_groups[0])


def walk(chosen, weights, gradients):
    """Apply the optimiser as the training loop does, with its settings at 64 images a step."""
    optimizer = chosen.build([weights])
    path = []
    for step, gradient in enumerate(gradients):
        optimizer.param_groups[0].update(chosen.settings(64 * step))
        weights.grad = gradient.clone()
        optimizer.step()
        path.append(weights.detach().clone().double())
    return torch.stack(path)


def adam_by_hand(w, gradients, *, rate, beta1, beta2, decay):
    first = second = torch.zeros_like(w)
    for step, g in enumerate(gradients, start=1):
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g**2
        w = w - rate * decay * w
        moved = first / (1 - beta1**step) / ((second / (1 - beta2**step)).sqrt() + 1e-8)
        w = w - rate * moved
        yield w


def sgd_by_hand(w, gradients, *, rates, momenta):
    speed = torch.zeros_like(w)
    for g, rate, momentum in zip(gradients, rates, momenta, strict=True):
        speed = momentum * speed + g
        w = w - rate * speed
        yield w


def rmsprop_by_hand(w, gradients, *, rate, alpha):
    second = torch.zeros_like(w)
    for g in gradients:
        second = alpha * second + (1 - alpha) * g**2
        w = w - rate * g / (second.sqrt() + 1e-8)
        yield w


STEPS = 8
RATES = [0.1 * 0.5 ** (64 * step // 128) for step in range(STEPS)]


@pytest.mark.parametrize(
    "chosen, by_hand, options",
    [
        (
            Adam(Constant(0.01), Constant(0.5), Constant(0.9)),
            adam_by_hand,
            {"rate": 0.01, "beta1": 0.5, "beta2": 0.9, "decay": 0.0},
        ),
        (
            Adam(Constant(0.01), Constant(0.0), Constant(0.99), weight_decay=0.3),
            adam_by_hand,
            {"rate": 0.01, "beta1": 0.0, "beta2": 0.99, "decay": 0.3},
        ),
        (
            SGD(Decay(0.1, 0.5, 128), momentum=Constant(0.7)),
            sgd_by_hand,
            {"rates": RATES, "momenta": [0.7] * STEPS},
        ),
        (
            # Momentum may grow from zero.
            SGD(Constant(0.1), momentum=Linear(0.0, 0.7, over=64 * (STEPS - 1))),
            sgd_by_hand,
            {"rates": [0.1] * STEPS, "momenta": [0.1 * step for step in range(STEPS)]},
        ),
        (
            RMSprop(Constant(0.01), alpha=0.8),
            rmsprop_by_hand,
            {"rate": 0.01, "alpha": 0.8},
        ),
    ],
    ids=["adam", "adamw", "sgd", "growing momentum", "rmsprop"],
)
def test_an_optimiser_moves_weights_as_its_formula_says(chosen, by_hand, options):
    if by_hand is sgd_by_hand and options["momenta"][0] == 0:
        # With momentum 0 torch keeps no speed: the first step's gradient is not carried on.
        pass
    torch.manual_seed(0)
    start, gradients = torch.randn(4), torch.randn(STEPS, 4)
    path = walk(chosen, nn.Parameter(start.clone()), gradients)
    meant = torch.stack(list(by_hand(start.double(), gradients.double(), **options)))
    torch.testing.assert_close(path, meant, rtol=1e-4, atol=1e-6)


# Average


def test_a_weight_counts_half_after_the_half_life():
    average = Average(half_life=Constant(6400.0), ramp=0.08)
    kept = math.prod(average.decay(seen, 64) for seen in range(200_064, 206_401, 64))
    assert kept == pytest.approx(0.5, rel=1e-9)


@given(st.integers(1, 512), st.floats(1.0, 1e6))
def test_the_decay_depends_on_images_not_on_how_they_are_cut_into_batches(batch, half_life):
    average = Average(half_life=Constant(half_life))
    one = average.decay(10**9, 2 * batch)
    assert one == pytest.approx(average.decay(10**9, batch) ** 2, rel=1e-9)


def test_the_default_is_the_usual_0_999_a_step():
    assert Average().decay(10**7, 64) == pytest.approx(0.999, abs=1e-5)


def test_early_the_half_life_is_a_share_of_the_images_seen():
    average = Average(half_life=Constant(44_000.0), ramp=0.25)
    assert average.decay(64, 64) == pytest.approx(0.5**4)
    assert average.decay(6400, 64) == pytest.approx(0.5 ** (64 / 1600))
    assert average.decay(175_999, 64) < average.decay(176_000, 64) == average.decay(10**8, 64)


def test_nothing_is_kept_before_the_first_image_or_without_a_half_life():
    assert Average().decay(0, 64) == 0
    assert Average(half_life=Constant(0.0)).decay(10**6, 64) == 0


def test_the_half_life_follows_its_schedule():
    average = Average(half_life=Linear(100.0, 300.0, over=1000), ramp=1.0)
    assert average.decay(500, 50) == pytest.approx(0.5 ** (50 / 200))


# Names


def test_a_recipe_is_found_by_its_name():
    assert find_recipe("dcgan-tutorial") == Recipe(name="dcgan-tutorial", flip=0.0)


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("dcgan-tutorail", "dcgan-tutorial"),
        ("DCGAN", "dcgan"),
        ("dcgan_tutorial", "dcgan-tutorial"),
        ("faces", "face"),
        ("seed32", "seed-32"),
    ],
)
def test_a_misspelt_recipe_is_answered_with_the_near_one(typed, meant):
    with pytest.raises(UsageError, match=f"did you mean '{meant}'") as caught:
        find_recipe(typed)
    assert all(name in caught.value.needed for name in NAMED)


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(UsageError, match="no recipe called 'qqqqqq'") as caught:
        find_recipe("qqqqqq")
    assert "did you mean" not in str(caught.value)


def test_every_named_recipe_says_in_one_line_what_it_is():
    for name, make in NAMED.items():
        first = (make.__doc__ or "").splitlines()[0]
        assert 20 < len(first) < 120, name


def test_the_documented_settings_of_the_published_recipes():
    paper = find_recipe("dcgan")
    adam = paper.optimizers.generator
    assert (paper.batch, paper.latent, paper.generator.spread) == (128, Latent(100, "uniform"), 0.02)
    assert adam.settings(0) == {"lr": 2e-4, "betas": (0.5, 0.999)}
    assert paper.optimizers == Optimizers(adam, adam)
    diary = find_recipe("seed-128-upsample")
    assert diary.loss.real_label == 0.9
    rates = [diary.optimizers.discriminator.settings(64 * n)["lr"] for n in (0, 1499, 1500, 3000)]
    assert rates == pytest.approx([1e-4, 1e-4, 0.95e-4, 0.9025e-4])
