"""Facts of networks and losses, against what data that pass through them do."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from facesmith.measuring import networks
from facesmith.objectives.losses import Hinge, LeastSquares, NonSaturating


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(64, 50), (400, 64)),
        (nn.Conv2d(8, 6, 3), (20, 8, 16, 16)),
        (nn.ConvTranspose2d(8, 6, 4, 2, 1), (20, 8, 12, 12)),
        (nn.ConvTranspose2d(16, 6, 4), (400, 16, 1, 1)),
    ],
    ids=["linear", "convolution", "enlarging", "from a latent"],
)
def test_gains_are_what_white_noise_gains(layer: nn.Module, shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        layer.weight.normal_(0, 0.1, generator=generator)  # type: ignore[operator, union-attr]
        layer.bias.zero_()  # type: ignore[operator, union-attr]
        output = layer(torch.randn(shape, generator=generator))
    if isinstance(layer, nn.ConvTranspose2d) and layer.stride[0] > 1:
        output = output[..., 2:-2, 2:-2]  # fewer terms reach a border
    assert networks.gains(layer)[""] == pytest.approx(float(output.std()), rel=0.06)


def test_a_network_is_described() -> None:
    network = nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4),
        nn.BatchNorm2d(8),
        nn.Dropout(0.1),
        nn.ConvTranspose2d(8, 8, 5, 2),
        nn.Sequential(nn.Dropout2d(0.3), nn.Sigmoid()),
    )
    found = networks.describe(network)
    assert found["parameters"] == 4 * 8 * 16 + 8 + 16 + 8 * 8 * 25 + 8
    assert found["batch_norm"]
    assert found["dropout"] == 0.3
    assert found["transposed"] == [[5, 2]]
    assert found["ends_in_sigmoid"]
    assert not found["spectral_norm"]
    assert found["equal_weights"] == []
    assert [*found["gains"]] == ["0", "3"]


def test_equal_weights_and_both_kinds_of_spectral_norm_are_seen() -> None:
    same = nn.Linear(3, 4)
    nn.init.constant_(same.weight, 0.2)
    network = nn.Sequential(nn.Linear(3, 3), same)
    assert networks.describe(network)["equal_weights"] == ["1"]
    for normed in (nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm):
        assert networks.describe(normed(nn.Linear(3, 3)))["spectral_norm"]
    assert not networks.describe(network)["ends_in_sigmoid"]


def test_losses_have_their_closed_forms() -> None:
    cross = NonSaturating()
    found = networks.describe_loss(cross.discriminator, cross.generator)
    assert found["discriminator_at_zero"] == pytest.approx(2 * math.log(2))
    assert found["generator_at_zero"] == pytest.approx(math.log(2))
    assert found["discriminator_wrong"] == pytest.approx(40, rel=1e-6)
    assert found["discriminator_right"] < 1e-8
    assert found["generator_caught"] == pytest.approx(20)
    assert found["generator_passed"] < 1e-8
    hinge = networks.describe_loss(Hinge().discriminator, Hinge().generator)
    assert (hinge["discriminator_at_zero"], hinge["discriminator_right"]) == (2, 0)
    assert (hinge["discriminator_wrong"], hinge["generator_caught"]) == (42, 20)
    squares = networks.describe_loss(LeastSquares().discriminator, LeastSquares().generator)
    assert squares["discriminator_wrong"] > squares["discriminator_at_zero"] > 0


def test_trying_a_loss_draws_nothing_from_the_training() -> None:
    noisy = NonSaturating(noise=0.3)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one = networks.describe_loss(noisy.discriminator, noisy.generator)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    assert networks.describe_loss(noisy.discriminator, noisy.generator) == one
