from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, log_expit

from facesmith.base.errors import UsageError
from facesmith.base.registry import own
from facesmith.objectives.losses import (
    Hinge,
    LeastSquares,
    Loss,
    Minimax,
    NonSaturating,
    Relativistic,
    Wasserstein,
    cross_entropy,
)


def bce(x, y):
    # Not the form of the code under test: the definition, with logarithms that do not overflow.
    return -(y * log_expit(x) + (1 - y) * log_expit(-x))


# Each loss against its published formula in numpy: (discriminator, generator) of (real, fake).
REFERENCES = {
    NonSaturating(): (lambda r, f: bce(r, 1) + bce(f, 0), lambda r, f: bce(f, 1)),
    NonSaturating(real_label=0.9): (
        lambda r, f: bce(r, 0.9) + bce(f, 0),
        lambda r, f: -np.log(expit(f)),
    ),
    NonSaturating(real_label=1.2, fake_label=0.1): (
        lambda r, f: bce(r, 1.2) + bce(f, 0.1),
        lambda r, f: bce(f, 1),
    ),
    Minimax(): (lambda r, f: bce(r, 1) + bce(f, 0), lambda r, f: np.log(1 - expit(f))),
    Minimax(real_label=0.8): (lambda r, f: bce(r, 0.8) + bce(f, 0), lambda r, f: -bce(f, 0)),
    LeastSquares(): (lambda r, f: 0.5 * (r - 1) ** 2 + 0.5 * f**2, lambda r, f: 0.5 * (f - 1) ** 2),
    LeastSquares(real_label=0.9, fake_label=-1.0): (
        lambda r, f: 0.5 * (r - 0.9) ** 2 + 0.5 * (f + 1) ** 2,
        lambda r, f: 0.5 * (f - 0.9) ** 2,
    ),
    Hinge(): (
        lambda r, f: np.where(r < 1, 1 - r, 0) + np.where(f > -1, 1 + f, 0),
        lambda r, f: -f,
    ),
    Wasserstein(): (lambda r, f: f - r, lambda r, f: -f),
    Relativistic(): (lambda r, f: bce(r - f, 1), lambda r, f: bce(f - r, 1)),
}
CASES = pytest.mark.parametrize("loss", REFERENCES, ids=str)
REAL = torch.tensor([-3.0, -1.0001, -0.2, 0.0, 0.5, 0.9999, 4.0, 7.0], dtype=torch.float64)
FAKE = torch.tensor([2.0, -0.9999, 0.3, 0.0, -6.0, 0.7, -1.0001, 7.5], dtype=torch.float64)


def test_every_registered_loss_has_a_reference():
    assert {type(loss) for loss in REFERENCES} == set(own(Loss))


@CASES
def test_a_loss_agrees_with_its_formula_image_by_image(loss):
    discriminator, generator = REFERENCES[loss]
    real, fake = REAL.numpy(), FAKE.numpy()
    found = loss.discriminator(REAL, FAKE)
    assert found.shape == (8,)
    np.testing.assert_allclose(found, discriminator(real, fake), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        loss.generator(REAL, FAKE), generator(real, fake), rtol=1e-12, atol=1e-14
    )


@CASES
@settings(max_examples=40)
@given(logits=st.lists(st.floats(-30, 30), min_size=2, max_size=2))
def test_a_loss_agrees_with_its_formula_anywhere(loss, logits):
    discriminator, _ = REFERENCES[loss]
    real, fake = (torch.tensor([x], dtype=torch.float64) for x in logits)
    meant = discriminator(real.numpy(), fake.numpy())
    np.testing.assert_allclose(loss.discriminator(real, fake), meant, rtol=1e-9, atol=3e-9)


@CASES
def test_the_gradients_agree_with_numerical_ones(loss):
    for player in (loss.discriminator, loss.generator):
        inputs = [REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()]
        assert torch.autograd.gradcheck(player, inputs, eps=1e-6, atol=1e-7, rtol=1e-6)


@CASES
def test_the_discriminator_is_rewarded_for_the_right_judgement_and_the_generator_for_fooling(loss):
    real = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([0.2], dtype=torch.float64, requires_grad=True)
    towards_real, towards_fake = torch.autograd.grad(loss.discriminator(real, fake), (real, fake))
    assert towards_real < 0 < towards_fake  # descent raises D(real) and lowers D(fake)
    (fooling,) = torch.autograd.grad(loss.generator(real, fake).sum(), fake)
    assert fooling < 0


@CASES
def test_the_generator_looks_at_reals_exactly_when_it_says_so(loss):
    empty = torch.empty(0)
    if loss.needs_real:
        moved = loss.generator(REAL + 1, FAKE) - loss.generator(REAL, FAKE)
        assert moved.abs().min() > 0
    else:
        torch.testing.assert_close(loss.generator(empty, FAKE), loss.generator(REAL, FAKE))


def test_only_the_relativistic_loss_needs_reals():
    assert [kind.__name__ for kind in own(Loss) if kind.needs_real] == ["Relativistic"]


@CASES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_loss_stays_finite_and_right_at_enormous_logits(loss, dtype):
    real = torch.tensor([1e4, -1e4, 1e4, -1e4], dtype=dtype, requires_grad=True)
    fake = torch.tensor([1e4, -1e4, -1e4, 1e4], dtype=dtype, requires_grad=True)
    with np.errstate(divide="ignore"):
        meant = REFERENCES[loss][0](real.detach().double().numpy(), fake.detach().double().numpy())
    found = loss.discriminator(real, fake)
    np.testing.assert_allclose(found.detach().double(), meant, rtol=1e-5, atol=1e-5)
    total = found.sum() + loss.generator(real, fake).sum()
    for gradient in torch.autograd.grad(total, (real, fake)):
        assert gradient.isfinite().all()


@CASES
def test_the_parts_on_reals_and_on_fakes_add_up(loss):
    if loss.needs_real:
        with pytest.raises(TypeError, match="judges pairs"):
            loss.real_loss(REAL)
        with pytest.raises(TypeError, match="judges pairs"):
            loss.fake_loss(FAKE)
    else:
        both = loss.real_loss(REAL) + loss.fake_loss(FAKE)
        torch.testing.assert_close(loss.discriminator(REAL, FAKE), both, rtol=0, atol=0)


def test_a_loss_without_formulas_says_what_is_missing():
    with pytest.raises(TypeError, match="must define generator"):
        Loss().generator(REAL, FAKE)


def test_label_smoothing_is_one_sided():
    plain, smooth = NonSaturating(), NonSaturating(real_label=0.9)
    torch.testing.assert_close(smooth.fake_loss(FAKE), plain.fake_loss(FAKE), rtol=0, atol=0)
    torch.testing.assert_close(
        smooth.generator(REAL, FAKE), plain.generator(REAL, FAKE), rtol=0, atol=0
    )
    torch.testing.assert_close(smooth.real_loss(REAL) - plain.real_loss(REAL), 0.1 * REAL)


def test_the_smoothed_loss_is_least_where_the_probability_is_the_label():
    logits = torch.linspace(-5, 5, 10_001, dtype=torch.float64)
    best = logits[NonSaturating(real_label=0.9).real_loss(logits).argmin()]
    assert best.sigmoid().item() == pytest.approx(0.9, abs=1e-3)


def labels_of(loss, player, count=40_000):
    """Read the drawn labels back out of the loss: softplus(1) - y * 1."""
    torch.manual_seed(0)
    logits = torch.ones(count, dtype=torch.float64)
    return (np.log1p(np.e) - getattr(loss, player)(logits)).numpy()


@pytest.mark.parametrize("player, centre", [("real_loss", 0.9), ("fake_loss", 0.1)])
def test_noisy_labels_are_even_around_their_target(player, centre):
    labels = labels_of(NonSaturating(real_label=0.9, fake_label=0.1, noise=0.3), player)
    law = stats.uniform(centre - 0.3, 0.6)
    assert stats.kstest(labels, law.cdf).pvalue > 1e-3
    assert labels.min() == pytest.approx(centre - 0.3, abs=1e-3)
    assert labels.max() == pytest.approx(centre + 0.3, abs=1e-3)


@pytest.mark.parametrize("flip", [0.05, 0.5])
@pytest.mark.parametrize("player, own, other", [("real_loss", 0.9, 0), ("fake_loss", 0, 0.9)])
def test_labels_are_swapped_at_the_stated_rate(player, own, other, flip):
    labels = labels_of(NonSaturating(real_label=0.9, flip=flip), player)
    swapped = np.isclose(labels, other)
    assert np.isclose(labels[~swapped], own).all()
    assert swapped.mean() == pytest.approx(flip, abs=4 * (flip * (1 - flip) / 40_000) ** 0.5)


def test_flips_and_noise_act_together_and_anew_at_each_step():
    loss = NonSaturating(noise=0.1, flip=0.25)
    labels = labels_of(loss, "real_loss")
    assert (labels < 0.2).mean() == pytest.approx(0.25, abs=0.01)
    assert ((labels > 0.2) & (labels < 0.89)).sum() == 0
    again = loss.real_loss(REAL)
    assert not torch.equal(again, loss.real_loss(REAL))


def test_the_generator_sees_true_labels_whatever_the_discriminator_sees():
    noisy = NonSaturating(real_label=0.7, fake_label=0.2, noise=0.3, flip=0.5)
    torch.testing.assert_close(noisy.generator(REAL, FAKE), NonSaturating().generator(REAL, FAKE))


@pytest.mark.parametrize(
    "changes",
    [
        {"real_label": -0.1},
        {"real_label": 1.6},
        {"fake_label": 1.1},
        {"noise": -0.1},
        {"flip": 0.51},
        {"flip": float("nan")},
    ],
)
def test_labels_that_make_no_sense_are_refused(changes):
    (name,) = changes
    with pytest.raises(UsageError, match=f"{name} was given"):
        replace(NonSaturating(), **changes)


@given(st.floats(-50, 50), st.floats(-0.5, 1.5))
def test_cross_entropy_follows_its_definition(logit, label):
    found = cross_entropy(torch.tensor(logit).double(), torch.tensor(label).double())
    exact = float(torch.tensor(logit)), float(torch.tensor(label))
    assert found.item() == pytest.approx(bce(*exact), rel=1e-9, abs=3e-9)
