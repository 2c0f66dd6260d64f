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
    DiscriminatorPart,
    GeneratorPart,
    ImageShape,
    Latent,
    MLPDiscriminator,
)
from facesmith.base.errors import UsageError
from facesmith.base.schedules import Constant, Linear
from facesmith.data.scaling import Rescale
from facesmith.objectives.losses import Wasserstein
from facesmith.objectives.penalties import R1, GradientPenalty
from facesmith.optimizers import Adam, Optimizers
from facesmith.recipe import Average, Recipe
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
    with pytest.warns(UserWarning, match="R1 and R2 look at one image at a time"):
        replace(recipe, penalties=(R1(),)).check()


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        (
            {"optimizers": Optimizers(generator=Adam(learning_rate=Constant(-1.0)))},
            "learning_rate reaches -1",
        ),
        ({"optimizers": Optimizers(generator=Adam(beta1=Constant(1.0)))}, "beta1 reaches 1"),
        ({"penalties": (R1(gamma=Constant(-1.0)),)}, r"penalties.0.gamma reaches -1"),
        ({"input_noise": Constant(-0.5)}, "input_noise reaches -0.5"),
        ({"average": Average(ramp=math.nan)}, "average.ramp was given nan"),
        ({"average": Average(ramp=-1.0)}, "average.ramp was given -1"),
        ({"input_noise": Linear(0.1, -0.1, 500)}, "input_noise reaches -0.1"),
        (
            {"optimizers": Optimizers(generator=Adam(beta1=Linear(0.0, 1.5, 100)))},
            "generator.beta1 reaches 1.5",
        ),
        ({"batch": 1}, "a batch of one image"),
    ],
)
def test_numbers_that_would_break_a_run_later_are_refused_before_it(changes, given):
    with pytest.raises(UsageError, match=given):
        replace(TINY, **changes).check()


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
    with pytest.warns(UserWarning, match="Batch norm over 7 images") as seen:
        replace(TINY, batch=7).check()
    assert len(seen) == 2
    replace(TINY, batch=8).check()
    without = DCGANDiscriminator(2, normalization="none")
    with pytest.warns(UserWarning, match="--generator.normalization layer"):
        replace(TINY, batch=7, discriminator=without).check()


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
    class Probe(GeneratorPart, DiscriminatorPart):
        def build(self, shape, *, latent_size=0):
            return nn.Linear(50, 50)

    recipe = replace(TINY, generator=Probe(), discriminator=Probe())
    one, other = recipe.build_generator(0).weight, recipe.build_discriminator(0).weight
    assert not torch.equal(one, other)


def test_the_output_range_is_that_of_the_scaling():
    recipe = replace(
        TINY, scaling=Rescale(-0.5, 2.0), channels=1, generator=DCGANGenerator(width=2, spread=9.0)
    )
    assert recipe.shape == ImageShape(16, 1, -0.5, 2.0)
    images = recipe.build_generator(0)(torch.randn(8, 4))
    assert images.shape == (8, 1, 16, 16)
    assert (images.min().item(), images.max().item()) == pytest.approx((-0.5, 2.0), abs=1e-3)


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
    assert (paper.batch, paper.latent, paper.generator.spread) == (
        128,
        Latent(100, "uniform"),
        0.02,
    )
    assert adam.settings(0) == {"lr": 2e-4, "betas": (0.5, 0.999)}
    assert paper.optimizers == Optimizers(adam, adam)
    diary = find_recipe("seed-128-upsample")
    assert diary.loss.real_label == 0.9
    rates = [diary.optimizers.discriminator.settings(64 * n)["lr"] for n in (0, 1499, 1500, 3000)]
    assert rates == pytest.approx([1e-4, 1e-4, 0.95e-4, 0.9025e-4])
