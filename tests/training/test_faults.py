"""What goes wrong in training: kills, signals, full disks, numbers that are not finite."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import facesmith
from facesmith import checkpoint
from facesmith.architectures import DCGANGenerator
from facesmith.base import records
from facesmith.base.errors import DataError, DivergedError, StorageError, UsageError
from facesmith.base.records import Record
from facesmith.base.schedules import Constant
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.measuring import stopwatch
from facesmith.optimizers import SGD, Adam, Optimizers
from facesmith.recipe import Recipe
from facesmith.training import loop, observers
from facesmith.training.draws import Draws
from facesmith.training.run import Run
from facesmith.training.view import View

RunIn = Callable[..., Run]

TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from facesmith.architectures import DCGANDiscriminator, DCGANGenerator, Latent
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.training import loop, observers
from facesmith.training.run import Run

class Ready:
    def started(self, view): Path(sys.argv[5]).touch()
    def stepped(self, view, record): return None
    def finished(self, view, reason): pass

recipe = Recipe(resolution=16, latent=Latent(size=6), batch=8,
                generator=DCGANGenerator(width=16), discriminator=DCGANDiscriminator(width=16))
run = Run(folder=Path(sys.argv[2]), images=int(sys.argv[3]), device="cpu", sample_every=10**9,
          record_every=8, checkpoint_every=int(sys.argv[4]), keep=3)

def train():
    outcome = loop.train(recipe, run, Dataset.open(sys.argv[1]), [*observers.standard(), Ready()])
    sys.exit(128 + outcome.signal_number if outcome.signal_number else 0)

train()
"""


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


RUNNING: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _no_training_outlives_its_test() -> Iterator[None]:
    yield
    while RUNNING:
        process = RUNNING.pop()
        process.kill()
        process.wait()


def start(
    dataset: Dataset, folder: Path, images: int = 10**9, checkpoint_every: int = 8
) -> subprocess.Popen[bytes]:
    """Train in a process of its own and wait until it has begun."""
    ready = folder.with_name(f"{folder.name}-{uuid.uuid4()}")
    words = [dataset.folder, folder, images, checkpoint_every, ready]
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, *map(str, words)],
        env=ONE_THREAD,
    )
    RUNNING.append(process)
    wait_until(ready.exists, process)
    return process


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None and time.monotonic() < deadline, (
            "training does not come so far"
        )
        time.sleep(0.02)


KILLS = """
import os, signal, sys
from pathlib import Path
import facesmith
from facesmith import checkpoint

# What a save does, in order: six tensor files and the state are written (7 acts) and synced (7); the
# manifest is written and synced, the folder synced and renamed, its parent synced (5); old ones are pruned.
ACTS = ["save_file", "_write_json", "_sync"]

def newest_in(folder):
    return max((int(p.name) for p in checkpoint.complete(folder / "checkpoints")), default=0)

def die_in_second_save(at):
    acts = None
    def begin(*args, **named):  # a first save is whole; from then on acts count
        nonlocal acts
        prune(*args, **named)
        if acts is None and newest_in(folder) > newest:
            acts = 0
    prune, checkpoint.prune = checkpoint.prune, begin
    def dying(inner):
        def act(*args, **named):
            nonlocal acts
            acts = acts if acts is None else acts + 1
            if acts == at and inner is checkpoint_save_file:  # half of the file is on the disk
                inner(*args, **named)
                os.truncate(args[1], os.path.getsize(args[1]) // 2)
            if acts == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return inner(*args, **named)
        return act
    checkpoint_save_file = checkpoint.save_file
    for name in ACTS:
        setattr(checkpoint, name, dying(getattr(checkpoint, name)))
    Path.rename = dying(Path.rename)

folder, torn = Path(sys.argv[2]), 0
for kill in range(15):
    newest = newest_in(folder)
    child = os.fork()  # sharing what is imported already makes fifteen starts cheap
    if child == 0:
        die_in_second_save(at=1 + round(kill * 19 / 14))  # from the first act to the last
        train()
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    torn += any((folder / "checkpoints").glob("*.tmp-*"))
    model = facesmith.load(folder)
    assert model.snapshot.images_seen > newest
    assert model.generate([0]).shape == (1, 16, 16, 3)
assert torn == 13, f"{torn} kills fell into a save, before its rename"
"""


def test_fifteen_kills_while_saving_leave_fifteen_loadable_runs(
    portraits: Dataset, tmp_path: Path
) -> None:
    # A checkpoint at each update; each process dies in its second save, every time at a later act of it.
    words = [portraits.folder, tmp_path / "run", 10**9, 8, tmp_path / "ready"]
    program = TRAIN.replace("\ntrain()\n", KILLS)
    subprocess.run([sys.executable, "-c", program, *map(str, words)], env=ONE_THREAD, check=True)
    process = start(portraits, tmp_path / "run")
    process.terminate()
    assert process.wait() == 143
    assert not any((tmp_path / "run/checkpoints").glob("*.tmp-*")), "leftovers are cleared"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_within_a_step_and_stops(
    number: signal.Signals, code: int, portraits: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    process = start(portraits, folder, checkpoint_every=10**9)
    time.sleep(0.3)
    process.send_signal(number)
    assert process.wait(timeout=30) == code
    (saved,) = checkpoint.complete(folder / "checkpoints")
    last = json.loads((folder / "events.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["reason"]) == ("stopped", number.name)
    assert int(saved.name) == last["images_seen"] > 0


def test_a_second_interrupt_leaves_at_once_and_breaks_nothing(
    portraits: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    process = start(portraits, folder, checkpoint_every=64)
    wait_until(lambda: len(checkpoint.complete(folder / "checkpoints")) >= 2, process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) in (-signal.SIGINT, 130)
    assert facesmith.load(folder).snapshot.images_seen > 0


def test_two_runs_in_one_folder_are_refused_and_a_dead_one_frees_it(
    portraits: Dataset, tiny: Recipe, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    process = start(portraits, folder)
    with pytest.raises(StorageError, match=f"in use by process {process.pid}"):
        loop.train(tiny, Run(folder=folder, images=8), portraits)
    process.kill()
    process.wait()
    again = start(portraits, folder)
    again.terminate()
    assert again.wait() == 143


class Poison:
    """Spoils the discriminator's weights at a moment."""

    def __init__(self, at: int, value: float) -> None:
        self.at, self.value = at, value

    def started(self, view: View) -> None:
        pass

    def stepped(self, view: View, record: Record) -> str | None:
        if record.images_seen == self.at:
            with torch.no_grad():
                next(view.state.discriminator.parameters()).fill_(self.value)
        return None

    def finished(self, view: View, reason: str) -> None:
        pass


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_stop_the_run_and_are_never_saved(
    value: float, tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("nan", 400, record_every=8, checkpoint_every=16)
    with pytest.raises(DivergedError) as caught:
        loop.train(tiny, run, portraits, [*observers.standard(), Poison(40, value)])
    assert caught.value.exit_code == 4
    saved = checkpoint.complete(run.folder / "checkpoints")
    assert int(saved[-1].name) <= 40
    model = facesmith.load(run.folder)
    assert all(bool(torch.isfinite(p).all()) for p in model.snapshot.generator.parameters())


@pytest.mark.parametrize("optimizer", [Adam(learning_rate=Constant(1e-3))], ids=["fused adam"])
def test_one_bad_batch_moves_no_weight(
    optimizer: Adam, tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    class BadOnce:
        """A loss that is not finite at one update."""

        def __init__(self) -> None:
            self.before: dict[str, torch.Tensor] = {}

        def started(self, view: View) -> None:
            weights = view.state.discriminator.parameters()
            self.hook = next(iter(weights)).register_hook(lambda gradient: gradient * float("nan"))
            self.before = {k: v.clone() for k, v in view.state.discriminator.state_dict().items()}

        def stepped(self, view: View, record: Record) -> str | None:
            if record.images_seen == 8:
                now = view.state.discriminator.named_parameters()
                assert all(torch.equal(p, self.before[name]) for name, p in now)
                self.hook.remove()
            return None

        def finished(self, view: View, reason: str) -> None:
            now = dict(view.state.discriminator.named_parameters())
            assert any(not torch.equal(p, self.before[name]) for name, p in now.items())

    recipe = replace(tiny, optimizers=Optimizers(generator=optimizer, discriminator=optimizer))
    run = run_in("once", 24, record_every=8)
    loop.train(recipe, run, portraits, [*observers.standard(), BadOnce()])
    shares = [record.non_finite for record in records.read(run.folder / "metrics.jsonl")]
    assert shares == [1.0, 0.0, 0.0]  # the worse player's updates, then none


class Dead:
    """Makes the gradients of one player not finite at every n-th update."""

    def __init__(self, player: str, every: int = 1) -> None:
        self.player, self.every, self.updates = player, every, 0

    def started(self, view: View) -> None:
        weight = next(getattr(view.state, self.player).parameters())
        self.hook = weight.register_hook(self.spoil)

    def spoil(self, gradient: torch.Tensor) -> torch.Tensor:
        self.updates += 1
        return gradient * float("nan") if self.updates % self.every == 0 else gradient

    def stepped(self, view: View, record: Record) -> str | None:
        return None

    def finished(self, view: View, reason: str) -> None:
        self.reason = reason


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize(
    ("every", "images", "stopped_at"),
    [
        (1, 1000, 3 * 16),  # three records
        (2, 1000, 3 * 16),  # a lazy penalty that fails whenever it is due
        (1, 16, 16),  # a run that ends before there are three
    ],
)
def test_a_player_that_cannot_step_ends_the_run(
    player: str,
    every: int,
    images: int,
    stopped_at: int,
    tiny: Recipe,
    portraits: Dataset,
    run_in: RunIn,
) -> None:
    run, dead = run_in("dead", images, record_every=16, checkpoint_every=10**9), Dead(player, every)
    with pytest.raises(DivergedError, match="not finite"):
        loop.train(tiny, run, portraits, [*observers.standard(), dead])
    read = list(records.read(run.folder / "metrics.jsonl"))
    assert [r.images_seen for r in read] == list(range(16, stopped_at + 1, 16))
    assert all(r.non_finite == pytest.approx(1 / every) for r in read)
    last = json.loads((run.folder / "events.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["images_seen"]) == ("diverged", stopped_at)
    assert dead.reason.startswith("failed: ")


def test_a_diverged_run_stays_so_when_it_is_repeated(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("dead", 16, record_every=16)
    for watching in ([Dead("discriminator")], []):
        with pytest.raises(DivergedError):
            loop.train(tiny, run, portraits, [*observers.standard(), *watching])
    # A longer run may recover.
    outcome = loop.train(tiny, replace(run, images=48), portraits, observers.standard())
    assert outcome.reason == "finished"


def test_a_run_is_judged_even_if_no_record_was_due(
    tiny: Recipe, portraits: Dataset, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(10**6))  # a second goes by at each look at the clock
    clock = SimpleNamespace(perf_counter=lambda: float(next(looks)))
    monkeypatch.setattr(stopwatch, "time", clock)
    paces = dict.fromkeys(("record_every", "sample_every", "checkpoint_every"), 10**6)
    run = run_in("rare", 10**6, minutes=1, **paces)
    with pytest.raises(DivergedError):
        loop.train(tiny, run, portraits, [*observers.standard(), Dead("generator")])
    assert len(list(records.read(run.folder / "metrics.jsonl"))) == 1


def test_a_rare_bad_update_is_passed_over(tiny: Recipe, portraits: Dataset, run_in: RunIn) -> None:
    run = run_in("often", 8 * 60, record_every=8 * 20, sample_every=10**9)
    watching = [*observers.standard(), Dead("discriminator", every=20)]
    assert loop.train(tiny, run, portraits, watching).reason == "finished"


def test_one_bad_forward_spoils_neither_statistics_nor_later_checkpoints(
    tiny: Recipe, portraits: Dataset, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Draws.latents

    def bad_once(self: Draws, images_seen: int) -> torch.Tensor:
        latents = good(self, images_seen)
        return latents / 0 if images_seen == 24 else latents

    monkeypatch.setattr(Draws, "latents", bad_once)
    run = run_in("forward", 64, record_every=8)
    loop.train(tiny, run, portraits, observers.standard())
    shares = [record.non_finite for record in records.read(run.folder / "metrics.jsonl")]
    assert shares == [0, 0, 0, 1, 0, 0, 0, 0]
    assert facesmith.load(run.folder).snapshot.images_seen == 64


def test_momentum_is_filled_even_if_the_first_step_is_skipped() -> None:
    weight = torch.nn.Parameter(torch.ones(1000))
    optimizer = SGD(learning_rate=Constant(0.1), momentum=Constant(0.9)).build([weight])
    optimizer.param_groups[0].update({"lr": 0.1, "momentum": 0.9})
    for found_inf in (1.0, 0.0):
        weight.grad = torch.ones(1000)
        optimizer.found_inf = torch.tensor(found_inf)  # type: ignore[attr-defined]
        optimizer.step()
    assert torch.allclose(weight, torch.full((1000,), 0.9))


def test_the_average_of_a_spectral_generator_keeps_its_norm(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    generator = DCGANGenerator(width=4, normalization="spectral", start_normalization="none")
    adam = Adam(learning_rate=Constant(2e-3))
    optimizers = Optimizers(generator=adam, discriminator=adam)
    recipe = replace(tiny, generator=generator, optimizers=optimizers)
    run = run_in("spectral", 800, record_every=400)
    loop.train(recipe, run, portraits)
    averaged = facesmith.load(run.folder).snapshot.generator
    weight = averaged.get_parameter("project.parametrizations.weight.original")
    divided = averaged.get_submodule("project").weight
    assert isinstance(divided, torch.Tensor)
    assert not torch.equal(weight, divided)
    assert 0.98 < float(torch.linalg.matrix_norm(divided, ord=2)) < 1.02


def test_a_full_disk_in_a_checkpoint_keeps_the_old_one(
    tiny: Recipe, portraits: Dataset, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_in("full", 16)
    loop.train(tiny, run, portraits)
    (good,) = checkpoint.complete(run.folder / "checkpoints")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # The largest file of a checkpoint does not fit, everything that is written before it does.
    limit = max(path.stat().st_size for path in good.iterdir()) - 1
    assert limit > 2 * (run.folder / "run.json").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(StorageError) as caught:
            loop.train(tiny, replace(run, images=32), portraits)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.exit_code == 5
    assert str(good.with_name("000000000032")) in caught.value.given
    assert "room for" in caught.value.needed, "the system says that the file is too large"
    assert list((run.folder / "checkpoints").iterdir()) == [good]
    checkpoint.verify(good)


def test_metrics_and_samples_that_cannot_be_written_do_not_end_the_training(
    tiny: Recipe,
    portraits: Dataset,
    run_in: RunIn,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(records, "append", refuse)
    run = run_in("metrics", 48)
    run.folder.mkdir()
    (run.folder / "reals.png").mkdir()  # cannot be replaced by a file
    outcome = loop.train(tiny, run, portraits, observers.standard())
    assert outcome.reason == "finished"
    assert caplog.text.count("metrics.jsonl is not being written") == 1
    assert "reals.png was not written" in caplog.text


def test_a_run_folder_that_cannot_be_made_is_refused(
    tiny: Recipe, portraits: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        loop.train(tiny, Run(folder=tmp_path / "file" / "run", images=8), portraits)


def test_a_dataset_of_another_size_is_refused(tiny: Recipe, run_in: RunIn, tmp_path: Path) -> None:
    large = prepare("portraits:12", tmp_path / "large", resolution=32, workers=1)
    with pytest.raises(DataError, match="32x32 images of 3 channels") as caught:
        loop.train(tiny, run_in("size", 8), large)
    assert "--resolution 32" in caught.value.todo


def test_fewer_photos_than_a_batch_train_with_a_warning(
    tiny: Recipe, run_in: RunIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = prepare("portraits:5", tmp_path / "few", resolution=16, held_out=0.0, workers=1)
    loop.train(tiny, run_in("few", 16), few)
    assert "fewer than a batch" in caplog.text


def test_one_photo_is_refused(tiny: Recipe, run_in: RunIn, tmp_path: Path) -> None:
    one = prepare("portraits:1", tmp_path / "one", resolution=16, held_out=0.0, workers=1)
    with pytest.raises(DataError, match="1 photo"):
        loop.train(tiny, run_in("one", 16), one)


def test_a_length_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="images"):
        Run(folder=tmp_path, images=0)
