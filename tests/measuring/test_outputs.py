"""Logits or probabilities, and how many sigmoids lie between them and a loss."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from facesmith.measuring.networks import describe_loss
from facesmith.measuring.outputs import kind_of, losses_of_logits, sigmoids, to_logits

REAL, FAKE = torch.linspace(-1, 3, 16), torch.linspace(-4, 1, 16)
ONES, ZEROS = torch.ones(16), torch.zeros(16)


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 1, 1, 1)])
def test_one_logit_an_image(shape: tuple[int, ...]) -> None:
    values = torch.linspace(-3, 3, 6)
    assert torch.equal(to_logits(values.reshape(shape), "logits"), values)
    back = to_logits(values.sigmoid().reshape(shape), "probabilities")
    assert torch.allclose(back, values, atol=1e-5)


def test_patches_are_averaged_as_logits() -> None:
    values = torch.randn(5, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    found = to_logits(values.sigmoid(), "probabilities")
    assert torch.allclose(found, values.mean(dim=(1, 2, 3)), atol=1e-5)


def test_certainty_has_a_finite_logit_and_no_number_stays_none() -> None:
    found = to_logits(torch.tensor([0.0, 1.0, math.nan]), "probabilities")
    assert found[:2].tolist() == pytest.approx([-13.8, 13.8], abs=0.2)
    assert bool(found[2].isnan())


def test_half_precision_is_read_as_single() -> None:
    assert (
        to_logits(torch.tensor([0.5], dtype=torch.bfloat16), "probabilities").dtype == torch.float32
    )


@pytest.mark.parametrize("share", [1.0, 0.5], ids=["sum", "mean"])
def test_sigmoids_are_counted_by_the_loss(share: float) -> None:
    once = share * (
        F.binary_cross_entropy(REAL.sigmoid(), ONES) + F.binary_cross_entropy(FAKE.sigmoid(), ZEROS)
    )
    twice = share * (
        F.binary_cross_entropy_with_logits(REAL.sigmoid(), ONES)
        + F.binary_cross_entropy_with_logits(FAKE.sigmoid(), ZEROS)
    )
    given = (REAL.sigmoid(), FAKE.sigmoid())
    assert sigmoids("probabilities", *given, once) == 1
    assert sigmoids("probabilities", *given, twice) == 2
    assert sigmoids("logits", REAL, FAKE, float(once)) == 1
    assert math.isnan(sigmoids("logits", REAL, FAKE, (REAL - 1).square().mean()))
    assert math.isnan(sigmoids("logits", REAL, FAKE))


def test_a_functional_sigmoid_is_noticed_by_the_loss_alone() -> None:
    network = nn.Linear(3, 1)
    given = (REAL.sigmoid(), FAKE.sigmoid())
    proper = F.binary_cross_entropy(given[0], ONES) + F.binary_cross_entropy(given[1], ZEROS)
    assert kind_of(network, *given, proper) == "probabilities"
    # Least squares may give such values too.
    squares = (given[0] - 1).square().mean() + given[1].square().mean()
    assert kind_of(network, *given, squares) == "logits"
    assert kind_of(network, *given) == "logits"
    assert kind_of(network, REAL, FAKE, proper) == "logits"
    assert kind_of(nn.Sequential(network, nn.Sigmoid())) == "probabilities"


def test_losses_of_a_loop_are_told_as_functions_of_logits() -> None:
    proper = describe_loss(*losses_of_logits(nn.BCELoss(), "probabilities"))
    same = describe_loss(*losses_of_logits(nn.BCEWithLogitsLoss(), "logits"))
    for name in (
        "discriminator_at_zero",
        "generator_at_zero",
        "discriminator_right",
        "generator_passed",
    ):
        assert proper[name] == pytest.approx(same[name], abs=1e-6), name
    twice = describe_loss(*losses_of_logits(nn.BCEWithLogitsLoss(), "probabilities"))
    assert twice["discriminator_wrong"] - twice["discriminator_right"] == pytest.approx(1, rel=1e-6)
    pair = (lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean())
    critic = describe_loss(*losses_of_logits(pair, "logits"))
    assert (critic["discriminator_right"], critic["generator_caught"]) == (-40, 20)
