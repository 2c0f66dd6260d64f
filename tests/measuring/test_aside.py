"""Copies that nothing listens to, and random numbers that are put back."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facesmith.measuring.aside import bare, duplicate, unnoticed

CPU = torch.device("cpu")


def test_random_numbers_go_on_as_if_nothing_had_been_drawn() -> None:
    def draw() -> list[float]:
        return [float(torch.rand(())), random.random(), float(np.random.random())]

    def seed() -> None:
        torch.manual_seed(1), random.seed(1), np.random.seed(1)

    seed()
    expected = [draw(), draw()]
    seed()
    got = [draw()]
    inside = []
    for _ in range(2):
        with unnoticed(CPU):
            inside.append(float(torch.rand(())))
            draw()
    assert [*got, draw()] == expected
    assert inside[0] == inside[1], "each occasion draws the same numbers"


def test_random_numbers_are_put_back_after_an_error_too() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), unnoticed(CPU):
        torch.rand(3)
        raise RuntimeError
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()


class Keeper(nn.Module):
    """Keeps what it has seen, in several places."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.seen: list[Tensor] = []
        self.by_name: dict[str, Tensor] = {}

    def forward(self, given: Tensor) -> Tensor:
        made = given * self.scale
        self.seen.append(made)
        self.by_name["last"] = made
        return made


@pytest.mark.parametrize("normed", [nn.utils.spectral_norm, nn.utils.weight_norm])
def test_copies_stand_on_their_own(normed: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # weight_norm of the older kind
        network = nn.Sequential(Keeper(), normed(nn.Linear(3, 2)))  # type: ignore[operator]
    heard: list[Tensor] = []
    network[1].register_forward_hook(lambda _m, _i, output: heard.append(output))
    network[1].register_forward_pre_hook(lambda _m, given: heard.append(given[0]))
    network(torch.ones(4, 3)).sum().backward()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    assert (len(heard), len(network[0].seen)) == (2, 1)
    copied = duplicate(network)
    copied.train()
    expected = duplicate(network).eval()(torch.ones(4, 3))
    for _ in range(3):
        copied(torch.ones(4, 3))
    assert (len(heard), len(network[0].seen)) == (2, 1)
    assert len(copied[0].seen) == 4  # type: ignore[index]
    assert copied[0].by_name["last"] is copied[0].seen[-1]  # type: ignore[index]
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert torch.allclose(expected, network.eval()(torch.ones(4, 3)))


def test_networks_are_taken_out_of_their_wrappers() -> None:
    network = nn.Linear(2, 2)
    assert bare(network) is network
    assert bare(nn.DataParallel(network)) is network
    compiled = nn.Module()
    compiled._orig_mod = nn.DataParallel(network)
    assert bare(compiled) is network
