import pytest
import torch
from torch import nn

from facesmith.base.registry import own
from facesmith.base.schedules import Constant, Decay, Linear
from facesmith.optimizers import SGD, Adam, Optimizer, RMSprop


def test_settings_follow_their_schedules():
    falling, rising = Linear(1e-3, 1e-4, over=1000), Linear(0.0, 0.8, over=1000)
    adam = Adam(learning_rate=falling, beta1=rising, beta2=Constant(0.9))
    sgd = SGD(learning_rate=falling, momentum=rising)
    for seen, rate, beta in ((0, 1e-3, 0.0), (500, 5.5e-4, 0.4), (1000, 1e-4, 0.8)):
        close = pytest.approx
        assert adam.settings(seen) == {"lr": close(rate), "betas": close((beta, 0.9))}
        assert sgd.settings(seen) == {"lr": close(rate), "momentum": close(beta)}
        assert RMSprop(learning_rate=falling).settings(seen) == {"lr": close(rate)}


@pytest.mark.parametrize("kind", own(Optimizer))
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
    speed = None
    for g, rate, momentum in zip(gradients, rates, momenta, strict=True):
        if momentum == 0:
            moved = g  # torch remembers nothing of a step without momentum
        else:
            moved = speed = g if speed is None else momentum * speed + g
        w = w - rate * moved
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
    torch.manual_seed(0)
    start, gradients = torch.randn(4), torch.randn(STEPS, 4)
    path = walk(chosen, nn.Parameter(start.clone()), gradients)
    meant = torch.stack(list(by_hand(start.double(), gradients.double(), **options)))
    torch.testing.assert_close(path, meant, rtol=1e-4, atol=1e-6)
