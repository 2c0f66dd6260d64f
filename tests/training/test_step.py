"""Who is asked what in a round, as hooks on the networks of a real run see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from facesmith.base.records import Record
from facesmith.base.schedules import Constant
from facesmith.data.dataset import Dataset
from facesmith.objectives.losses import NonSaturating, Relativistic
from facesmith.optimizers import SGD, Adam, Optimizers
from facesmith.recipe import Recipe
from facesmith.training import loop
from facesmith.training.run import Run
from facesmith.training.view import View

RunIn = Callable[..., Run]
ROUNDS = 3


@pytest.fixture
def bare(tiny: Recipe) -> Recipe:
    """Without penalties, which would ask the discriminator once more."""
    return replace(tiny, penalties=(), loss=NonSaturating())


class Watch:
    """Counts forward passes and gradients of each player; keeps the images that D saw."""

    def __init__(self) -> None:
        self.passes: Counter[str] = Counter()
        self.gradients: dict[str, Counter[str]] = {}
        self.frozen: list[bool] = []
        self.judged: list[Tensor] = []
        self.optimizers: dict[str, torch.optim.Optimizer] = {}

    def started(self, view: View) -> None:
        state = view.state
        players = {"generator": state.generator, "discriminator": state.discriminator}
        for player, network in players.items():
            network.register_forward_hook(self._note_pass(player))
            counts = self.gradients[player] = Counter()
            for name, weight in network.named_parameters():
                weight.register_post_accumulate_grad_hook(self._note_gradient(counts, name))
        self.optimizers = {
            "generator": state.generator_optimizer,
            "discriminator": state.discriminator_optimizer,
        }

    def stepped(self, view: View, record: Record) -> str | None:
        self.frozen += [
            not weight.requires_grad for weight in view.state.discriminator.parameters()
        ]
        return None

    def finished(self, view: View, reason: str) -> None:
        pass

    def _note_pass(self, player: str) -> Callable[..., None]:
        def note(network: nn.Module, given: tuple[Tensor], made: Tensor) -> None:
            self.passes[player] += 1
            if player == "discriminator":
                self.judged.append(given[0].detach().clone())

        return note

    @staticmethod
    def _note_gradient(counts: Counter[str], name: str) -> Callable[[Tensor], None]:
        def note(weight: Tensor) -> None:
            counts[name] += 1

        return note


def watched(recipe: Recipe, run_in: RunIn, data: Dataset) -> Watch:
    watch = Watch()
    images = ROUNDS * recipe.batch * recipe.discriminator_steps
    loop.train(recipe, run_in("run", images, record_every=recipe.batch), data, [watch])
    return watch


@pytest.mark.parametrize("steps", [1, 2])
def test_the_generators_update_makes_no_gradient_of_the_discriminators_weights(
    steps: int, bare: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    watch = watched(replace(bare, discriminator_steps=steps), run_in, portraits)
    for player, updates in (("discriminator", steps * ROUNDS), ("generator", ROUNDS)):
        counts = watch.gradients[player]
        assert set(counts.values()) == {updates}, player
    assert not any(watch.frozen), "the discriminator learns on after the generator's turn"


@pytest.mark.parametrize(
    ("loss", "steps", "passes"),
    [
        (NonSaturating(), 1, {"generator": 1, "discriminator": 3}),
        (NonSaturating(), 2, {"generator": 2, "discriminator": 5}),
        (Relativistic(), 1, {"generator": 1, "discriminator": 4}),
    ],
    ids=["one step", "two steps", "relativistic"],
)
def test_no_pass_is_made_that_no_loss_needs(
    loss: Any, steps: int, passes: dict[str, int], bare: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    recipe = replace(bare, loss=loss, discriminator_steps=steps)
    made = watched(recipe, run_in, portraits).passes
    assert made == {player: ROUNDS * count for player, count in passes.items()}


def test_both_players_look_at_the_same_fakes_and_never_twice_at_a_batch(
    bare: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    recipe = replace(bare, input_noise=Constant(0.0), loss=Relativistic(), discriminator_steps=2)
    judged = watched(recipe, run_in, portraits).judged
    rounds = [judged[start : start + 6] for start in range(0, len(judged), 6)]
    assert [len(seen) for seen in rounds] == [6] * ROUNDS
    for _, _, last_real, last_fake, real, fake in rounds:
        assert torch.equal(real, last_real)
        assert torch.equal(fake, last_fake)
    different = [images for seen in rounds for images in seen[:4]]
    for number, one in enumerate(different):
        assert not any(torch.equal(one, other) for other in different[:number])


def test_every_look_gets_noise_of_its_own(bare: Recipe, portraits: Dataset, run_in: RunIn) -> None:
    recipe = replace(bare, input_noise=Constant(0.5))
    judged = watched(recipe, run_in, portraits).judged
    for _, fake, again in zip(judged[::3], judged[1::3], judged[2::3], strict=True):
        noise = (fake - again).std().item()
        assert noise == pytest.approx(0.5 * 2**0.5, rel=0.1)


def test_each_player_has_its_own_optimiser(bare: Recipe, portraits: Dataset, run_in: RunIn) -> None:
    chosen = Optimizers(generator=Adam(Constant(1e-3)), discriminator=SGD(Constant(0.1)))
    made = watched(replace(bare, optimizers=chosen), run_in, portraits).optimizers
    assert isinstance(made["generator"], torch.optim.AdamW)
    assert isinstance(made["discriminator"], torch.optim.SGD)
    assert [made[player].param_groups[0]["lr"] for player in made] == [1e-3, 0.1]
