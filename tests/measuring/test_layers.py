"""An update as the examination sees it, against the same worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from facesmith.measuring.layers import Examination, layer_of


def make() -> tuple[nn.Sequential, nn.Sequential]:
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 8), nn.Tanh())
    discriminator = nn.Sequential(
        nn.Linear(8, 6), nn.BatchNorm1d(6), nn.LeakyReLU(0.2), nn.Linear(6, 1)
    )
    return generator, discriminator


def update(generator: nn.Module, discriminator: nn.Module, rate: float = 0.1) -> Tensor:
    """One step of gradient descent of both; gradients are left in place."""
    torch.manual_seed(1)
    fake = generator(torch.randn(10, 4))
    loss = discriminator(fake).mean() + 0.01 * fake.square().sum()
    generator.zero_grad()
    discriminator.zero_grad()
    loss.backward()
    with torch.no_grad():
        for network in (generator, discriminator):
            for weight in network.parameters():
                weight -= rate * weight.grad
    return fake


def test_numbers_of_weights_are_those_worked_out_by_hand() -> None:
    generator, discriminator = make()
    old = {n: w.detach().clone() for n, w in discriminator.named_parameters()}
    with Examination(generator, discriminator) as examination:
        update(generator, discriminator)
    found = examination.layers()
    for layer in ("0", "3"):
        weight = dict(discriminator.named_parameters())[f"{layer}.weight"]
        values = found[f"discriminator/{layer}"]
        before, gradient = float(old[f"{layer}.weight"].norm()), float(weight.grad.norm())
        assert values["weight"] == pytest.approx(before)
        assert values["gradient"] == pytest.approx(gradient)
        assert values["gradient_to_weight"] == pytest.approx(gradient / before)
        # Plain descent moves by the rate times the gradient.
        assert values["update_to_weight"] == pytest.approx(0.1 * gradient / before, rel=1e-4)
    assert found.keys() == {
        *("generator/0", "generator/1", "generator/2", "generator/3"),
        *("discriminator/0", "discriminator/3"),
    }, "biases and the gains of norms are not listed; a leaky rectifier cannot die"


def test_a_layer_that_gets_no_gradient_and_one_that_is_not_moved() -> None:
    generator, discriminator = make()
    generator[0].weight.requires_grad_(False)
    with Examination(generator, discriminator) as examination:
        fake = generator(torch.randn(10, 4))
        discriminator(fake).mean().backward()
    found = examination.layers()
    assert found["generator/0"]["gradient"] == 0
    assert found["generator/2"]["gradient"] > 0
    assert {found[f"generator/{n}"]["update_to_weight"] for n in (0, 2)} == {0.0}


def test_gradients_that_were_noted_stay() -> None:
    generator, discriminator = make()
    with Examination(generator, discriminator) as examination:
        update(generator, discriminator)
        examination.note_gradients("discriminator")
        noted = float(discriminator[0].weight.grad.norm())
        discriminator(torch.randn(5, 8)).sum().backward()  # as a loop does that does not freeze it
    found = examination.layers()
    assert found["discriminator/0"]["gradient"] == pytest.approx(noted)
    assert float(discriminator[0].weight.grad.norm()) != pytest.approx(noted)


def test_dead_channels_and_saturated_values_are_counted() -> None:
    generator, discriminator = make()
    with torch.no_grad():
        generator[0].bias[:2] = -100.0  # two of six are never above zero
        generator[2].weight[:4], generator[2].bias[:4] = 0.0, 9.0  # four of eight values at an end
        generator[2].weight[4:], generator[2].bias[4:] = 0.0, 0.5
    with Examination(generator, discriminator) as examination:
        update(generator, discriminator, rate=0.0)
    found = examination.layers()
    assert found["generator/1"]["dead"] == pytest.approx(2 / 6)
    assert found["generator/3"]["saturated"] == 0.5


def test_a_channel_that_lives_in_one_pass_is_not_dead() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU())
    with torch.no_grad():
        network[0].weight[:] = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
    for passes, dead in (([1.0], 0.5), ([1.0, -1.0], 0.0)):
        with Examination(network, nn.Linear(1, 1)) as examination:
            for sign in passes:
                network(sign * torch.ones(3, 1, 2, 2))
        assert examination.layers()["generator/1"]["dead"] == dead


def test_an_examination_changes_nothing() -> None:
    plain, watched = make(), make()
    fakes = [update(*plain)]
    with Examination(*watched) as examination:
        fakes.append(update(*watched))
    examination.layers()
    assert torch.equal(*fakes)
    for one, other in zip(plain, watched, strict=True):
        for (name, value), second in zip(
            one.state_dict().items(), other.state_dict().values(), strict=True
        ):
            assert torch.equal(value, second), name
        assert not any(module._forward_hooks for module in other.modules())
    copied = examination.before["discriminator"]
    assert torch.equal(copied[1].running_mean, torch.zeros(6)), "the copy is from before the update"  # type: ignore[index]


@pytest.mark.parametrize(
    ("parameter", "layer"),
    [
        ("stages.0.0.weight", "stages.0.0"),
        ("judge.weight_orig", "judge"),
        ("judge.weight_v", "judge"),
        ("judge.parametrizations.weight.original", "judge"),
        ("judge.parametrizations.weight.original1", "judge"),
        ("judge.bias", None),
        ("judge.weight_g", None),
        ("scale", None),
    ],
)
def test_layers_are_named_by_their_weights(parameter: str, layer: str | None) -> None:
    assert layer_of(parameter) == layer
