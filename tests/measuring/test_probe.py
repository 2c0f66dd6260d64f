"""What is tried once a record, on networks whose faults are planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facesmith.measuring.layers import Examination
from facesmith.measuring.probe import FIXED, HELD_OUT, Probe

SIZE = 16


def pictures(count: int, seed: int, middle: float = 0.0) -> Tensor:
    """Smooth pictures from -1 to 1."""
    coarse = torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    return nn.functional.interpolate(0.3 * coarse + middle, SIZE, mode="bilinear").clamp(-1, 1)


class Drawn(nn.Module):
    """A generator that gives a picture for each of its latents."""

    def __init__(self, shown: Tensor) -> None:
        super().__init__()
        self.shown = nn.Parameter(shown)

    def forward(self, latents: Tensor) -> Tensor:
        return self.shown[: len(latents)]


class Judge(nn.Module):
    """Weighs pixels, and knows some pictures by heart."""

    def __init__(self, known: Tensor | None = None, mixes: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, SIZE, SIZE) / (3 * SIZE * SIZE))
        self.known, self.mixes = known, mixes

    def forward(self, images: Tensor) -> Tensor:
        logits = (images * self.weight).sum(dim=(1, 2, 3))
        if self.mixes:
            logits = logits - logits.mean()
        if self.known is not None:
            near = torch.cdist(images.flatten(1), self.known.flatten(1)).amin(dim=1)
            logits = logits + 10 * (near < 0.1)  # cdist rounds
        return logits


def plainly(discriminator: nn.Module, images: Tensor) -> Tensor:
    found: Tensor = discriminator(images)
    return found


def probe(held_out: Tensor | None = None) -> Probe:
    return Probe(torch.zeros(FIXED, 2), pictures(200, 0), held_out, low=-1, high=1)


def batch(judge: nn.Module, fake: Tensor | None = None) -> dict[str, Tensor]:
    real = pictures(32, 1)
    fake = pictures(32, 2, middle=-0.3) if fake is None else fake
    with torch.no_grad():
        return {"real": real, "fake": fake, "real_logits": judge(real), "fake_logits": judge(fake)}


def ask(
    judge: Judge, latest: dict[str, Tensor], held_out: Tensor | None = None, number: int = 0
) -> dict[str, float]:
    with Examination(nn.Linear(1, 1), judge) as examination:
        pass
    return probe(held_out).ask_discriminator(examination, latest, plainly, number).signals


def test_a_discriminator_that_knows_its_images_by_heart_is_noticed() -> None:
    unseen = pictures(64, 5)
    fair, by_heart = Judge(), Judge(known=pictures(32, 1))
    assert ask(fair, batch(fair), unseen)["held_out_gap"] == pytest.approx(0.5, abs=0.1)
    assert ask(by_heart, batch(by_heart), unseen)["held_out_gap"] == 1


def test_held_out_images_take_turns() -> None:
    unseen = pictures(2 * HELD_OUT, 5)
    judge = Judge()
    with torch.no_grad():
        halves = [float(judge(half).mean()) for half in unseen.split(HELD_OUT)]
    found = [ask(judge, batch(judge), unseen, number)["held_out_logits"] for number in range(3)]
    assert found == pytest.approx([halves[0], halves[1], halves[0]], abs=1e-6)


def test_a_verdict_that_depends_on_the_mixture_is_noticed() -> None:
    apart, mixed = Judge(), Judge(mixes=True)
    assert ask(apart, batch(apart))["leak"] == pytest.approx(0, abs=1e-3)
    latest = batch(mixed)
    with torch.no_grad():  # trained on both in one batch, judged alone each half is centred
        logits = mixed(torch.cat([latest["real"], latest["fake"]]))
    latest |= {"real_logits": logits[:32], "fake_logits": logits[32:]}
    found = ask(mixed, latest)
    assert found["leak"] > 1
    assert found["leak.mixed"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("cue", ["ring", "level"])
def test_trivial_marks_of_real_images_are_noticed(cue: str) -> None:
    judge = Judge()
    latest = batch(judge, pictures(32, 2))
    real = latest["real"].clone()
    if cue == "ring":
        judge.weight.data.zero_()
        judge.weight.data[:, 0] = 1.0
        real[:, :, 0] += 0.8
    else:
        real = real + 0.4
    with torch.no_grad():
        latest |= {"real": real, "real_logits": judge(real)}
    found = ask(judge, latest)
    other = {"ring": "level", "level": "ring"}[cue]
    assert found[f"trivial.{cue}"] < 0.1
    assert found["trivial.grain"] == pytest.approx(1, abs=0.1)
    if cue == "level":
        assert found[f"trivial.{other}"] > 0.5


def test_dear_questions_are_asked_now_and_then() -> None:
    judge = Judge()
    assert "leak" in ask(judge, batch(judge), number=4)
    assert "leak" not in ask(judge, batch(judge), number=3)


def look(shown: list[Tensor], fake: Tensor | None = None) -> list[dict[str, float]]:
    own, judge = probe(), Judge()
    return [own.look_at_pictures(Drawn(one), None, batch(judge, fake)) for one in shown]


def test_collapse_shows_in_every_measure_of_diversity() -> None:
    varied = pictures(FIXED, 3)
    one = varied[:1].expand(FIXED, -1, -1, -1)
    few = varied[:3].repeat(FIXED // 3, 1, 1, 1) + 0.002 * torch.randn(
        FIXED, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)
    )
    (healthy,), (total,), (partly,) = look([varied], varied), look([one], one), look([few], few)
    for name in ("fakes.diversity", "fakes.features_diversity", "batch.diversity"):
        assert healthy[name] == pytest.approx(1, abs=0.1), name
        assert total[name] == pytest.approx(0, abs=1e-3), name
    assert healthy["fakes.twins"] < 0.2
    assert partly["fakes.twins"] == total["fakes.twins"] == 1
    assert partly["fakes.diversity"] > 0.4  # which is why twins are counted
    assert (healthy["batch.copies"], total["batch.copies"]) == (0, 1)
    # Within a third of the pairs pictures are the same up to the noise, which is below a copy's.
    assert partly["batch.copies"] == pytest.approx(15 / 47, abs=0.01)
    assert (
        healthy["fakes.dimension"] > 10 > 3 > partly["fakes.dimension"] > total["fakes.dimension"]
    )


def test_movement_goes_on_returns_or_stands() -> None:
    begin = pictures(FIXED, 3)
    step = 0.1 * pictures(1, 4)
    on = look([begin, begin + step, begin + 2 * step])
    back = look([begin, begin + step, begin])
    still = look([begin, begin, begin])
    assert "movement" not in on[0]
    assert on[2]["movement.turn"] == pytest.approx(1, abs=1e-3)
    assert back[2]["movement.turn"] == pytest.approx(-1, abs=1e-3)
    assert (still[2]["movement"], still[2]["movement.turn"]) == (0, 0)
    # Of the range from 0 to 1, in units of the distance of two real pictures.
    size = float((step / 2).square().mean().sqrt()) / probe().reference.distance
    assert on[1]["movement"] == pytest.approx(size, rel=1e-3)
    assert on[1]["movement.mean"] == pytest.approx(size, rel=1e-3)


def test_each_picture_may_move_while_their_mean_stands() -> None:
    begin = pictures(FIXED, 3)
    found = look([begin, begin.roll(1, dims=0)])[1]
    assert found["movement"] == pytest.approx(1, abs=0.1)
    assert found["movement.mean"] == pytest.approx(0, abs=1e-3)


def test_an_average_is_compared_with_its_generator() -> None:
    own, judge = probe(), Judge()
    shown = pictures(FIXED, 3)
    behind = Drawn(shown + 0.1)
    found = [own.look_at_pictures(Drawn(shown), behind, batch(judge)) for _ in range(2)]
    assert found[1]["average.distance"] == pytest.approx(0.05 / own.reference.distance, rel=0.05)
    assert found[1]["average.movement"] == 0
    assert own.fakes is not None
    assert own.fakes == pytest.approx(own.pictures(behind.shown), abs=1e-6)


def test_sorted_and_repeated_batches_are_noticed() -> None:
    own, judge = probe(), Judge()
    latest = batch(judge)
    mixed = own.look_at_pictures(Drawn(pictures(FIXED, 3)), None, latest)
    assert mixed["reals.order"] == pytest.approx(1, abs=0.15)
    assert mixed["reals.copies"] == 0
    order = np.argsort(latest["real"].mean(dim=(1, 2, 3)).numpy())
    bright = latest["real"] + torch.linspace(-0.5, 0.5, 32)[:, None, None, None]
    by_brightness = {**latest, "real": bright}
    assert own.look_at_pictures(Drawn(pictures(FIXED, 3)), None, by_brightness)["reals.order"] < 0.9
    repeated = {**latest, "real": latest["real"][order[:8]].repeat(4, 1, 1, 1)}
    found = own.look_at_pictures(Drawn(pictures(FIXED, 3)), None, repeated)
    assert found["reals.copies"] == pytest.approx(3 / 31)


def test_a_generator_that_gives_no_numbers_leaves_gaps_and_no_warnings() -> None:
    own, judge = probe(), Judge()
    shown = pictures(FIXED, 3)
    shown[0, 0, 0, 0], shown[1, 0, 0, 0] = torch.inf, -torch.inf
    found = own.look_at_pictures(Drawn(shown), None, batch(judge, shown))
    assert "fakes.diversity" not in found
    assert "batch.diversity" not in found
    assert "reals.diversity" in found
