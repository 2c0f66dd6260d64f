"""Three lines in a loop that is not ours: what they measure, and that they change nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import facesmith
from facesmith.base import records
from facesmith.base.errors import StorageError, UsageError
from facesmith.health import facts
from facesmith.health.finding import Finding, Remedy
from facesmith.monitor import monitor as monitoring
from facesmith.monitor.journal import PHOTOS, REALS, sheet_name
from facesmith.training import observers

from .conftest import BATCH, LATENT, Loop, make_discriminator, make_generator

ROOT = Path(__file__).parents[2]


def watch(loop: Loop, folder: Path, rounds: int = 12, **more: Any) -> facesmith.HealthMonitor:
    more = {"optimizers": loop.optimizers, "every": BATCH, **more}
    monitor = facesmith.HealthMonitor(loop.generator, loop.discriminator, folder, **more)
    torch.manual_seed(1)
    for _ in range(rounds):
        monitor.step(**loop.round())
    return monitor


def written(folder: Path) -> list[records.Record]:
    return list(records.read(folder / "metrics.jsonl"))


def test_a_loop_with_a_monitor_is_the_same_to_the_bit(tmp_path: Path) -> None:
    alone, watched = Loop(), Loop()
    heard: list[torch.Tensor] = []
    for loop in (alone, watched):
        loop.discriminator[1].register_forward_hook(lambda _m, _i, output: heard.append(output))
    torch.manual_seed(1), random.seed(1), np.random.seed(1)
    for _ in range(12):
        alone.round()
    calls, drawn = len(heard), (random.random(), np.random.random())
    heard.clear(), random.seed(1), np.random.seed(1)
    average = make_generator()
    kept = {name: value.clone() for name, value in average.state_dict().items()}
    more = {
        "latents": torch.randn(8, LATENT, 1, 1),
        "held_out": alone.images[:20],
        "average": average,
    }
    monitor = watch(watched, tmp_path, **more)
    assert len(written(tmp_path)) == 11
    assert len(heard) == calls, "hooks of the loop heard the monitor's own passes"
    assert (random.random(), np.random.random()) == drawn
    before, after = alone.state(), watched.state()
    assert before.keys() == after.keys()
    for name, value in before.items():
        if not name.endswith(".hooks"):
            assert torch.equal(value, after[name]), name
    assert all(torch.equal(value, kept[name]) for name, value in average.state_dict().items())
    assert all(module.training for module in average.modules())
    monitor.close()
    for name, value in alone.state().items():
        assert torch.equal(value, watched.state()[name]), name


def test_every_record_says_what_an_own_run_says(loop: Loop, tmp_path: Path) -> None:
    held_out = loop.images[64:]
    monitor = watch(loop, tmp_path, held_out=held_out, average=make_generator(), images=12 * BATCH)
    found = written(tmp_path)
    assert [r.images_seen for r in found] == [BATCH * n for n in range(2, 13)]
    first = found[0]
    assert found[-1].steps == 12
    assert first.learning_rates == {"generator": 2e-3, "discriminator": 2e-3}
    assert first.signals["generator.beta1"] == 0.5
    assert np.isfinite(
        [first.discriminator_loss, first.generator_loss, first.images_per_second]
    ).all()
    parts = (
        "reals.",
        "fakes.",
        "batch.",
        "trivial.",
        "time.signals",
        "average.distance",
        "held_out_gap",
        "leak",
    )
    for part in (*parts, "distance", "distance.floor", "generator.update", "discriminator.dead"):
        known = any(name.startswith(part) for name in first.signals)
        assert known == (part != "discriminator.dead"), part  # a leaky one cannot die
    assert "movement.turn" in found[2].signals
    assert first.layers["generator/5"].keys() == {"saturated"}
    assert first.layers["discriminator/1"].keys() >= {"gradient", "update_to_weight"}
    assert {*first.quantiles} == {"real_logits", "fake_logits", "held_out_logits"}
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["run"]["images"] == 12 * BATCH
    assert told["facts"]["optimizers"]["generator"]["betas"] == [0.5, 0.999]
    read = facts.read(tmp_path)
    assert read == monitor.facts
    assert (read.planned, read.batch, read.low, read.high) == (12 * BATCH, BATCH, -1.0, 1.0)
    assert read.network("discriminator", "outputs") == "probabilities"
    assert read.data["held_out"] == 32
    assert not read.has_recipe


def test_the_folder_is_that_of_a_run(loop: Loop, tmp_path: Path) -> None:
    watch(loop, tmp_path)
    assert sheet_name(7) == observers.sheet_name(7)
    assert (REALS, PHOTOS) == (observers.REALS, observers.PHOTOS)
    assert (tmp_path / REALS).is_file()
    assert (tmp_path / sheet_name(2 * BATCH)).is_file()
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "started"


def test_gradients_are_those_that_each_optimiser_used(loop: Loop, tmp_path: Path) -> None:
    watch(loop, tmp_path, rounds=3)
    found, norms = written(tmp_path), np.array(loop.norms)
    # After the update, the discriminator's would hold those of the generator's loss too.
    assert found[0].discriminator_gradient == pytest.approx(norms[:2, 1].mean(), rel=1e-4)
    assert found[0].generator_gradient == pytest.approx(norms[:2, 0].mean(), rel=1e-4)
    assert found[1].signals["discriminator_gradient.max"] == pytest.approx(norms[2, 1], rel=1e-4)
    layer = found[1].layers["discriminator/5"]
    assert 0 < layer["gradient"] < norms[2, 1]
    polluted = float(loop.discriminator[5].weight.grad.norm())  # type: ignore[union-attr]
    assert layer["gradient"] != pytest.approx(polluted, rel=1e-3)


def test_without_optimisers_nobody_knows_whose_gradients_these_are(
    loop: Loop, tmp_path: Path
) -> None:
    watch(loop, tmp_path, rounds=3, optimizers=None)
    record = written(tmp_path)[-1]
    assert np.isnan(
        [record.discriminator_gradient, record.generator_gradient, record.non_finite]
    ).all()
    assert not any("gradient" in name for name in record.signals)
    assert {*record.layers["generator/0"]} == {"weight", "update_to_weight"}
    assert record.learning_rates == {}


@pytest.mark.parametrize(
    ("sigmoid", "criterion", "outputs", "count"),
    [
        (True, nn.BCELoss(), "probabilities", 1.0),
        (False, nn.BCEWithLogitsLoss(), "logits", 1.0),
        (True, nn.BCEWithLogitsLoss(), "probabilities", 2.0),
        (False, nn.MSELoss(), "logits", None),
    ],
    ids=["tutorial", "logits", "twice", "least squares"],
)
def test_sigmoids_are_counted(
    sigmoid: bool, criterion: nn.Module, outputs: str, count: float | None, tmp_path: Path
) -> None:
    loop = Loop(sigmoid, criterion)
    monitor = watch(loop, tmp_path, loss=criterion)
    assert monitor.facts.network("discriminator", "outputs") == outputs
    record = written(tmp_path)[-1]
    assert record.signals.get("loss.sigmoids") == count
    given = loop.given["real_logits"].detach().double().numpy().ravel()
    logits = np.log(given / (1 - given)) if sigmoid else given
    assert record.real_logits == pytest.approx(logits.mean(), rel=1e-3, abs=1e-5)
    assert record.real_probability == pytest.approx((1 / (1 + np.exp(-logits))).mean(), rel=1e-4)
    loss = monitor.facts.loss
    if count == 1:
        assert loss["discriminator_right"] == pytest.approx(0, abs=1e-6)
        assert loss["discriminator_wrong"] >= 40
    elif count == 2:
        assert loss["discriminator_wrong"] - loss["discriminator_right"] == pytest.approx(
            1, rel=1e-3
        )


def test_the_pieces_that_are_missing_leave_gaps_and_nothing_else(tmp_path: Path) -> None:
    loop = Loop()
    monitor = facesmith.HealthMonitor(loop.generator, loop.discriminator, tmp_path, every=BATCH)
    for _ in range(3):
        given = loop.round()
        monitor.step(real=given["real"], fake=given["fake"], generator_loss=0.5)
    record = written(tmp_path)[-1]
    assert np.isnan([record.real_logits, record.discriminator_loss]).all()
    assert record.generator_loss == 0.5
    assert "separation" not in record.signals
    assert "fakes.mean" in record.signals
    assert monitor.facts.loss == {}


class Conditional(nn.Module):
    """A network that cannot be asked with one tensor alone."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, given: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.inner(given) + 0 * label.sum()
        return found


def test_networks_that_cannot_be_asked_are_watched_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generator, discriminator = Conditional(make_generator()), Conditional(make_discriminator())
    more = {
        "latents": torch.randn(8, LATENT, 1, 1),
        "held_out": torch.rand(9, 3, 16, 16),
        "every": BATCH,
    }
    monitor = facesmith.HealthMonitor(generator, discriminator, tmp_path, **more)
    for _ in range(6):
        real, label = torch.rand(BATCH, 3, 16, 16) * 2 - 1, torch.zeros(BATCH)
        fake = generator(torch.randn(BATCH, LATENT, 1, 1), label)
        judged = [discriminator(images, label) for images in (real, fake)]
        monitor.step(real=real, fake=fake, real_logits=judged[0], fake_logits=judged[1])
    record = written(tmp_path)[-1]
    assert "batch.diversity" in record.signals
    assert "reals.mean" in record.signals
    assert "fakes.mean" not in record.signals
    assert "held_out_gap" not in record.signals
    left_out = [r.message for r in caplog.records if "left out" in r.message]
    assert len(left_out) == 2  # each said once


def test_vectors_instead_of_pictures_are_no_reason_to_stop(tmp_path: Path) -> None:
    networks = nn.Linear(3, 12), nn.Linear(12, 1)
    monitor = facesmith.HealthMonitor(*networks, tmp_path, every=BATCH)
    for _ in range(3):
        real, fake = torch.rand(BATCH, 12), networks[0](torch.randn(BATCH, 3))
        monitor.step(
            real=real, fake=fake, real_logits=networks[1](real), fake_logits=networks[1](fake)
        )
    record = written(tmp_path)[-1]
    assert "separation" in record.signals
    assert not any(name.startswith(("reals.", "fakes.")) for name in record.signals)


def test_trouble_of_the_monitors_own_never_stops_a_training(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(monitoring, "make_record", broken)
    watch(loop, tmp_path, rounds=5)
    assert [r.message for r in caplog.records].count(
        "not measured (RuntimeError: broken); training goes on"
    ) == 1


def test_a_diverged_loop_is_recorded_as_such(loop: Loop, tmp_path: Path) -> None:
    monitor = watch(loop, tmp_path, rounds=3)
    with torch.no_grad():
        loop.generator[4].weight.fill_(torch.nan)  # type: ignore[operator]
    loop.criterion = nn.MSELoss()  # a cross entropy refuses such numbers
    for _ in range(3):
        monitor.step(**loop.round())
    record = written(tmp_path)[-1]
    assert record.non_finite == 1
    assert record.signals["non_finite.generator"] == 1
    assert np.isnan(record.generator_loss)


def test_findings_are_told_once_and_so_is_recovery(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ill = Finding("oscillation", "ill", "It goes in circles.", 32, "Why.", Remedy("Do this."))

    def diagnose(known: list[records.Record], _: facts.RunFacts) -> list[Finding]:
        return [ill] if 3 <= len(known) < 6 else []

    monkeypatch.setattr(monitoring, "diagnose", diagnose)
    monitor = watch(loop, tmp_path, rounds=5)
    assert monitor.findings() == [ill]
    assert monitor.health() == "health: ill, It goes in circles, since 32"
    for _ in range(5):
        monitor.step(**loop.round())
    assert monitor.health() == "health: well"
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    told = [(e["event"], e["images_seen"]) for e in events]
    assert told == [("started", 0), ("finding", 4 * BATCH), ("recovered", 7 * BATCH)]
    assert [r.message for r in caplog.records] == [
        "ill since 32 images: It goes in circles.\n  to do:  Do this."
    ]


def test_nothing_is_said_before_something_was_recorded(loop: Loop, tmp_path: Path) -> None:
    monitor = watch(loop, tmp_path, rounds=1)
    assert monitor.health() == "health: nothing recorded yet"
    assert monitor.findings() == []


def test_a_loop_that_goes_on_keeps_its_records(loop: Loop, tmp_path: Path) -> None:
    first = watch(loop, tmp_path, rounds=6)
    gains = first.facts.network("generator", "gains")
    first.close()
    second = watch(loop, tmp_path, rounds=2, images_seen=4 * BATCH)
    assert [r.images_seen // BATCH for r in written(tmp_path)] == [2, 3, 4, 6]
    assert [r.images_seen // BATCH for r in second.history.records] == [2, 3, 4, 6]
    assert second.steps == 6
    assert second.facts.network("generator", "gains") == gains  # those of the first weights
    second.close()
    watch(loop, tmp_path, rounds=2)
    assert [r.images_seen // BATCH for r in written(tmp_path)] == [2]


def test_measuring_waits_until_it_is_affordable(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    clock = type("Clock", (), {"perf_counter": staticmethod(lambda: now[0])})
    monkeypatch.setattr(monitoring, "time", clock)
    monkeypatch.setattr("facesmith.measuring.stopwatch.time", clock)
    looked = monitoring.Instruments.look

    def dear(*given: Any) -> Any:
        now[0] += 0.5
        return looked(*given)

    monkeypatch.setattr(monitoring.Instruments, "look", dear)
    monitor = watch(loop, tmp_path, rounds=0, every=None, images=16_000)
    assert monitor.every == 160
    for _ in range(150):
        now[0] += 0.5
        monitor.step(**loop.round())
    # The first waits for 256 images to compare with and sets everything up, the second for 160 images, the
    # others until half a second is 2 % of the time.
    moments = [r.images_seen // BATCH for r in written(tmp_path)]
    assert moments == [17, 27, 78, 129]
    shares = [r.signals["time.signals"] for r in written(tmp_path)[2:]]
    assert shares == pytest.approx([0.5 / 26, 0.5 / 26], rel=1e-5)


def test_waiting_for_data_is_told_apart(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    clock = type("Clock", (), {"perf_counter": staticmethod(lambda: now[0])})
    monkeypatch.setattr(monitoring, "time", clock)
    monkeypatch.setattr("facesmith.measuring.stopwatch.time", clock)

    def slow() -> Any:
        for number in range(4):
            now[0] += 3.0
            yield number

    monitor = watch(loop, tmp_path, rounds=0)
    seen = []
    for number in monitor.loading(slow()):
        seen.append(number)
        now[0] += 1.0
        monitor.step(**loop.round())
    assert seen == [0, 1, 2, 3]
    record = written(tmp_path)[-1]
    assert record.signals["time.data"] == pytest.approx(0.75)
    assert record.signals["time.compute"] == pytest.approx(0.25)
    watch(loop, tmp_path / "other", rounds=3)
    assert "time.compute" not in written(tmp_path / "other")[-1].signals


def test_optimisers_in_the_wrong_order_are_refused(loop: Loop, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="weights of the other network"):
        watch(loop, tmp_path, optimizers=loop.optimizers[::-1])


def test_places_that_cannot_be_are_refused(loop: Loop, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        watch(loop, tmp_path / "file/run")
    (tmp_path / "own/checkpoints").mkdir(parents=True)
    with pytest.raises(UsageError, match="run of facesmith's own"):
        watch(loop, tmp_path / "own")


def test_wrapped_networks_are_unwrapped(loop: Loop, tmp_path: Path) -> None:
    wrapped = nn.DataParallel(loop.generator)
    monitor = facesmith.HealthMonitor(wrapped, loop.discriminator, tmp_path, every=BATCH)
    for _ in range(2):
        monitor.step(**loop.round())
    assert "generator/0" in written(tmp_path)[-1].layers


def test_the_example_runs(tmp_path: Path) -> None:
    few = ["--images", "200", "--drawn", "40", "--batch", "20", "--width", "4"]
    done = subprocess.run(
        [sys.executable, ROOT / "examples/tutorial_loop.py", *few, "--folder", tmp_path / "run"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
    )
    assert done.stdout.startswith("health: ")
    assert done.stdout.splitlines()[-1] == f"next: facesmith diagnose {tmp_path / 'run'}"
    assert done.stderr == ""
    assert len(written(tmp_path / "run")) >= 1
