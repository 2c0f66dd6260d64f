from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from facesmith.architectures import DecoderGenerator, ImageShape
from facesmith.base.errors import UsageError

PART = DecoderGenerator(width=4, spread=0.3)
OPTIONS = [
    {"width": 6},
    {"start": 4},
    {"normalization": "batch"},
    {"normalization": "pixel"},
    {"normalization": "spectral"},
    {"activation": "relu"},
    {"output": "linear"},
    {"initialization": "orthogonal"},
    {"spread": 0.1},
]


def build(part, resolution=16, seed=0):
    torch.manual_seed(seed)
    return part.build(ImageShape(resolution), latent_size=5)


def latents():
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(1))


def test_every_option_is_in_the_table():
    assert {name for changes in OPTIONS for name in changes} == {f.name for f in fields(PART)}


@pytest.mark.parametrize("changes", OPTIONS, ids=str)
def test_an_option_acts_and_gradients_reach_every_parameter(changes):
    network = build(replace(PART, **changes))
    images = network(latents())
    assert images.shape == (6, 3, 16, 16)
    assert (images - build(PART)(latents())).abs().mean() > 0.01
    images.sigmoid().square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


def test_it_convolves_twice_at_each_size_and_enlarges_by_nearest_neighbour():
    network = build(PART, resolution=32)
    functional = nn.functional
    convolutions = iter(m for m in network.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        x = (latents() @ network.project.weight.T).view(6, 4, 8, 8)
        for _ in range(3):
            for _ in range(2):
                x = functional.elu(functional.conv2d(x, next(convolutions).weight, padding=1))
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3) if len(x[0, 0]) < 32 else x
        x = functional.conv2d(x, next(convolutions).weight, padding=1).tanh()
        torch.testing.assert_close(network(latents()), x, rtol=1e-4, atol=1e-5)
    assert next(convolutions, None) is None


@pytest.mark.parametrize(
    "changes, given",
    [({"width": 0}, "width was given 0"), ({"start": 0}, "was given 0"), ({"start": 16}, "16")],
)
@pytest.mark.timeout(20)
def test_an_impossible_decoder_is_refused(changes, given):
    with pytest.raises(UsageError) as caught:
        build(replace(PART, **changes))
    assert given in caught.value.given
