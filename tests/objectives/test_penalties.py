import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from facesmith.architectures import DCGANDiscriminator, ImageShape
from facesmith.base.errors import UsageError
from facesmith.base.registry import own
from facesmith.base.schedules import Constant, Linear
from facesmith.objectives.penalties import (
    R1,
    R2,
    Drift,
    GradientPenalty,
    Pass,
    Penalty,
    first,
    squared_gradient,
)

SHAPE = (5, 2, 3, 3)
ZERO_CENTRED = pytest.mark.parametrize("kind, which", [(R1, "real"), (R2, "fake")])


class Linearly(nn.Module):
    """w.x + 0.7: the gradient is w everywhere."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.w = nn.Parameter(torch.randn(SHAPE[1:]))

    def forward(self, images):
        return (images * self.w).flatten(1).sum(1) + 0.7


class Quadratically(nn.Module):
    """x.Ax / 2: the gradient at x is Ax."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        size = math.prod(SHAPE[1:])
        root = torch.randn(size, size) / size**0.5
        self.a = nn.Parameter(root + root.T)

    def forward(self, images):
        flat = images.flatten(1)
        return (flat @ self.a * flat).sum(1) / 2


def make_pass(discriminator, images_seen=0, dtype=torch.float32):
    torch.manual_seed(1)
    real, fake = torch.randn(SHAPE).to(dtype), torch.randn(SHAPE).to(dtype) + 0.5
    return Pass(real, fake, discriminator(real), discriminator(fake), discriminator, images_seen)


def test_every_registered_penalty_is_tested_here():
    assert {kind.__name__ for kind in own(Penalty)} == {
        "R1",
        "R2",
        "GradientPenalty",
        "Drift",
    }


@ZERO_CENTRED
def test_of_a_linear_critic_it_is_half_gamma_times_the_squared_weights(kind, which):
    critic = Linearly()
    found = kind(gamma=Constant(3.0))(make_pass(critic))
    meant = 3.0 / 2 * float((critic.w.detach().double() ** 2).sum())
    torch.testing.assert_close(found, torch.full((5,), meant), rtol=1e-5, atol=0)


@ZERO_CENTRED
def test_of_a_quadratic_critic_it_follows_from_the_matrix_at_the_right_images(kind, which):
    critic = Quadratically()
    pass_ = make_pass(critic)
    found = kind(gamma=Constant(0.6))(pass_).detach()
    points = getattr(pass_, which).flatten(1).double().numpy()
    matrix = critic.a.detach().double().numpy()
    np.testing.assert_allclose(found, 0.3 * ((points @ matrix) ** 2).sum(1), rtol=1e-4)


@ZERO_CENTRED
def test_its_gradient_reaches_the_weights_in_closed_form(kind, which):
    critic = Quadratically()
    pass_ = make_pass(critic)
    kind(gamma=Constant(0.6))(pass_).sum().backward()
    points = getattr(pass_, which).flatten(1).double()
    # D is x.(A + A')x / 4, so only the symmetric part S counts: d/dA of 0.3 |Sx|^2.
    towards = 0.6 * torch.einsum("ni,nj->ij", points @ critic.a.detach().double(), points)
    meant = (towards + towards.T) / 2
    torch.testing.assert_close(critic.a.grad.double(), meant, rtol=1e-4, atol=1e-4)


def finite_differences(discriminator, images, step=1e-4):
    """Squared gradient of the logits from differences of logits alone, in float64."""
    total = torch.zeros(len(images), dtype=torch.float64)
    with torch.no_grad():
        for pixel in range(images[0].numel()):
            moved = torch.zeros_like(images).flatten(1)
            moved[:, pixel] = step
            moved = moved.view_as(images)
            slope = discriminator(images + moved) - discriminator(images - moved)
            total += (slope / (2 * step)).square()
    return total


@pytest.fixture
def small_net():
    torch.manual_seed(0)
    part = DCGANDiscriminator(widths=(3, 4), normalization="none", activation="silu", spread=0.3)
    return part.build(ImageShape(16, 1))


def test_of_a_convolution_net_it_agrees_with_finite_differences_of_the_logits(small_net):
    torch.manual_seed(0)
    images = torch.randn(3, 1, 16, 16)
    found = squared_gradient(small_net, images).detach().double()
    meant = finite_differences(small_net, images.double())
    torch.testing.assert_close(found, meant, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", ["stages.0.0.0.weight", "stages.1.0.0.weight", "judge.weight"])
def test_its_gradient_for_one_weight_agrees_with_a_numerical_derivative(small_net, name):
    torch.manual_seed(0)
    images = torch.randn(2, 1, 16, 16)
    squared_gradient(small_net, images).sum().backward()
    weight = dict(small_net.named_parameters())[name]
    place = weight.grad.abs().argmax()
    values = []
    for step in (1e-3, -1e-3):
        with torch.no_grad():
            weight.view(-1)[place] += step
        values.append(finite_differences(small_net, images.double()).sum().item())
        with torch.no_grad():
            weight.view(-1)[place] -= step
    numerical = (values[0] - values[1]) / 2e-3
    assert weight.grad.view(-1)[place].item() == pytest.approx(numerical, rel=2e-3)


def test_the_gradient_penalty_of_a_linear_critic_is_the_distance_of_its_slope_from_one():
    critic = Linearly()
    norm = float(critic.w.detach().double().norm())
    found = GradientPenalty(strength=Constant(7.0))(make_pass(critic))
    torch.testing.assert_close(found, torch.full((5,), 7 * (norm - 1) ** 2), rtol=1e-4, atol=0)
    assert GradientPenalty().strength == Constant(10.0)  # the paper's


def test_the_gradient_penalty_vanishes_at_slope_one_and_has_a_finite_gradient_at_slope_zero():
    critic = Linearly()
    with torch.no_grad():
        critic.w /= critic.w.norm()
    torch.testing.assert_close(
        GradientPenalty()(make_pass(critic)), torch.zeros(5), rtol=0, atol=1e-8
    )
    with torch.no_grad():
        critic.w.zero_()
    value = GradientPenalty()(make_pass(critic))
    torch.testing.assert_close(value, torch.full((5,), 10.0), rtol=1e-4, atol=0)
    value.sum().backward()
    assert critic.w.grad.isfinite().all()


def test_the_gradient_penalty_looks_at_a_new_even_place_between_each_fake_and_its_real():
    seen = []

    def watch(images):
        seen.append(images.detach())
        return images.flatten(1).sum(1)

    real, fake = torch.full((2000, 1, 2, 2), 3.0), torch.full((2000, 1, 2, 2), -1.0)
    none = torch.empty(0)
    torch.manual_seed(0)
    for _ in range(2):
        GradientPenalty()(Pass(real, fake, none, none, watch, 0))
    ways = [(points + 1) / 4 for points in seen]
    for way in ways:
        torch.testing.assert_close(way, way[:, :1, :1, :1].expand_as(way))  # one for each image
        counts = torch.histc(way[:, 0, 0, 0], bins=10, min=0, max=1)
        assert counts.sum() == 2000
        assert 140 < counts.min() <= counts.max() < 260  # 200 expected, sigma 13
    assert not torch.equal(*ways)


def test_drift_is_the_squared_logit_of_reals():
    pass_ = make_pass(Linearly())
    found = Drift(strength=Constant(0.01))(pass_)
    meant = 0.01 * pass_.real_logits.detach().double().numpy() ** 2
    np.testing.assert_allclose(found.detach(), meant, rtol=1e-5)
    found.sum().backward()
    critic = pass_.discriminator
    weights = 0.02 * torch.einsum("n,nchw->chw", pass_.real_logits.detach(), pass_.real)
    torch.testing.assert_close(critic.w.grad, weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind, field", [(R1, "gamma"), (R2, "gamma"), (Drift, "strength")])
@pytest.mark.parametrize("seen, factor", [(0, 2.0), (500, 1.5), (1000, 1.0), (9000, 1.0)])
def test_the_strength_follows_its_schedule(kind, field, seen, factor):
    critic = Quadratically()
    plain = kind(**{field: Constant(1.0)})(make_pass(critic))
    scheduled = kind(**{field: Linear(2.0, 1.0, 1000)})(make_pass(critic, images_seen=seen))
    torch.testing.assert_close(scheduled, factor * plain)


def test_the_strength_of_the_gradient_penalty_follows_its_schedule():
    critic = Linearly()
    penalty = GradientPenalty(strength=Linear(2.0, 1.0, 1000))
    early, late = (penalty(make_pass(critic, images_seen=seen))[0].item() for seen in (0, 1000))
    assert early == pytest.approx(2 * late, rel=1e-4)


@ZERO_CENTRED
@pytest.mark.parametrize("share, count", [(1.0, 5), (0.6, 3), (0.5, 2), (0.1, 1), (0.0, 1)])
def test_a_share_looks_at_the_first_images_alone(kind, which, share, count):
    critic = Quadratically()
    whole = kind()(make_pass(critic))
    part = kind(share=share)(make_pass(critic))
    assert len(part) == count
    torch.testing.assert_close(part, whole[:count])
    assert len(first(torch.zeros(SHAPE), share)) == count


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
@ZERO_CENTRED
def test_a_share_outside_zero_to_one_is_refused(kind, which, share):
    with pytest.raises(UsageError, match=f"{kind.__name__}.share was given"):
        kind(share=share)


@pytest.mark.parametrize("kind", own(Penalty))
@pytest.mark.parametrize("every", [0, -3])
def test_an_interval_below_one_is_refused(kind, every):
    with pytest.raises(UsageError, match=f"{kind.__name__}.every was given {every}"):
        kind(every=every)
    assert replace(kind(), every=4).every == 4


@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty(), Drift()])
def test_penalties_are_fp32_even_for_bf16_images(penalty):
    types = []

    def critic(images):
        types.append(images.dtype)
        return (images.float() ** 3 / 3).flatten(1).sum(1).to(images.dtype)

    pass_ = make_pass(critic, dtype=torch.bfloat16)
    types.clear()
    torch.manual_seed(0)
    found = penalty(pass_)
    assert found.dtype == torch.float32
    if not isinstance(penalty, Drift):
        assert types == [torch.float32]  # computed, not merely returned, in fp32
    exact = replace(
        pass_, real=pass_.real.float(), fake=pass_.fake.float(), real_logits=pass_.real_logits
    )
    torch.manual_seed(0)
    torch.testing.assert_close(found, penalty(exact))


@ZERO_CENTRED
def test_no_gradient_flows_into_the_images(kind, which):
    pass_ = make_pass(Quadratically())
    pass_ = replace(pass_, real=pass_.real.requires_grad_(), fake=pass_.fake.requires_grad_())
    kind()(pass_).sum().backward()
    assert pass_.real.grad is None
    assert pass_.fake.grad is None


def test_a_penalty_without_a_formula_says_what_is_missing():
    @dataclass(frozen=True)
    class Nothing(Penalty):
        pass

    with pytest.raises(TypeError, match="Nothing must define __call__"):
        Nothing()(make_pass(Linearly()))
