"""Which device and arithmetic a run gets, and that it computes in them to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from facesmith import checkpoint, cli
from facesmith.architectures import DiscriminatorPart, GeneratorPart, ImageShape
from facesmith.base.errors import UsageError
from facesmith.base.records import Record
from facesmith.data.dataset import Dataset
from facesmith.recipe import Recipe
from facesmith.training import compute as computing
from facesmith.training import loop
from facesmith.training.compute import Compute, choose, find_device, from_dict, has_bf16
from facesmith.training.run import Run
from facesmith.training.view import View

RunIn = Callable[..., Run]
CPU = torch.device("cpu")


# What the hardware has


@pytest.mark.parametrize(
    ("capability", "has"), [((7, 5), False), ((8, 0), True), ((8, 6), True), ((9, 0), True)]
)
def test_cuda_has_bf16_since_ampere(
    capability: tuple[int, int], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert has_bf16(torch.device("cuda")) is has


@pytest.mark.parametrize(
    ("amx", "vectors", "instruction", "has"),
    [
        (True, "AVX512", True, True),
        (True, "AVX2", False, True),
        (False, "AVX512", True, True),
        (False, "AVX512", False, False),
        (False, "AVX2", True, False),  # torch does not use what it was told to leave out
        (False, "DEFAULT", False, False),
    ],
)
def test_a_processor_has_bf16_if_it_multiplies_it_itself(
    amx: bool, vectors: str, instruction: bool, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: vectors)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: instruction)
    assert has_bf16(CPU) is has


def test_other_devices_are_not_trusted_with_bf16() -> None:
    assert not has_bf16(torch.device("mps"))


@pytest.mark.parametrize(
    ("cuda", "mps", "found"),
    [(True, False, "cuda"), (True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_device_there_is(
    cuda: bool, mps: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert find_device("auto") == torch.device(found)
    assert find_device("cpu") == CPU
    for kind, there in (("cuda", cuda), ("mps", mps)):
        if there:
            assert find_device(kind) == torch.device(kind)
        else:
            with pytest.raises(UsageError, match=f"Device '{kind}' was asked for") as caught:
                find_device(kind)
            assert kind not in caught.value.needed


# The choice


class Clock:
    """A time that passes only when a network computes."""

    def __init__(self, seconds: dict[torch.dtype, float], disturbance: float) -> None:
        self.seconds, self.disturbance, self.now = seconds, disturbance, 0.0
        self.passes: dict[torch.dtype, int] = dict.fromkeys(seconds, 0)

    def perf_counter(self) -> float:
        return self.now

    def compute(self, values: Tensor) -> None:
        trial = self.passes[values.dtype] // 2  # through both players
        self.passes[values.dtype] += 1
        # Other work of the machine lengthens all trials but the third.
        self.now += self.seconds[values.dtype] + self.disturbance * (trial != 2)


class Timed(nn.Module):
    def __init__(self, clock: Clock, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.clock, self.shape = clock, shape
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, values: Tensor) -> Tensor:
        self.clock.compute(values)
        means = values.flatten(1).mean(1) * self.gain.to(values.dtype)
        return means.view(-1, *[1 for _ in self.shape]).expand(-1, *self.shape)


@dataclass(frozen=True)
class TimedPart(GeneratorPart, DiscriminatorPart):
    clock: Clock

    def build(self, shape: ImageShape, *, latent_size: int = 0) -> nn.Module:
        size = (shape.channels, shape.resolution, shape.resolution)
        return Timed(self.clock, size if latent_size else ())


def timed(fp32: float, bf16: float, disturbance: float = 0.0) -> tuple[Recipe, Clock]:
    clock = Clock({torch.float32: fp32, torch.bfloat16: bf16}, disturbance)
    return Recipe(generator=TimedPart(clock), discriminator=TimedPart(clock)), clock


@pytest.fixture(params=[True, False], ids=["bf16", "no bf16"])
def hardware(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(computing, "has_bf16", lambda device: request.param)
    return bool(request.param)


@pytest.mark.parametrize(
    ("fp32", "bf16", "is_fast"),
    [(1.0, 0.5, True), (1.0, 0.79, True), (1.0, 0.81, False), (1.0, 1.0, False), (1.0, 300, False)],
)
@pytest.mark.parametrize("disturbance", [0.0, 50.0])
def test_auto_takes_bf16_where_it_saves_a_fifth_of_the_time(
    fp32: float,
    bf16: float,
    is_fast: bool,
    disturbance: float,
    hardware: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, clock = timed(fp32, bf16, disturbance)
    monkeypatch.setattr(computing, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    chosen = choose(recipe, device="cpu", precision="auto")
    expected = torch.bfloat16 if is_fast and hardware else torch.float32
    assert chosen == Compute(CPU, expected, torch.channels_last)
    if not hardware:
        assert clock.passes[torch.bfloat16] == 0, "emulated bf16 would take minutes to measure"


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_a_precision_that_was_asked_for_is_not_measured(
    precision: str, dtype: torch.dtype, hardware: bool
) -> None:
    recipe, clock = timed(fp32=1.0, bf16=0.1 if precision == "fp32" else 10.0)
    assert choose(recipe, device="cpu", precision=precision).dtype == dtype
    assert sum(clock.passes.values()) == 0


def test_the_mps_backend_gets_the_plain_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    recipe, _ = timed(1.0, 1.0)
    chosen = choose(recipe, device="mps", precision="auto")
    assert chosen == Compute(torch.device("mps"), torch.float32, torch.contiguous_format)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_a_choice_survives_its_way_through_a_checkpoint(
    dtype: torch.dtype, layout: torch.memory_format
) -> None:
    for device in ("cpu", "cuda:1"):
        chosen = Compute(torch.device(device), dtype, layout)
        assert from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen


def test_activations_get_the_type_and_images_the_layout_too() -> None:
    fast = Compute(CPU, torch.bfloat16, torch.channels_last)
    images, latents = fast.activations(torch.zeros(2, 3, 4, 4)), fast.activations(torch.zeros(2, 5))
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert (images.dtype, latents.dtype) == (torch.bfloat16, torch.bfloat16)
    placed = fast.place(nn.Conv2d(3, 4, 2))
    assert placed.weight.is_contiguous(memory_format=torch.channels_last)
    assert placed.weight.dtype == torch.float32, "small steps would vanish in bf16 weights"


# A run


class Types:
    """Notes in which type the networks of a run compute; may ask for a stop."""

    def __init__(self, stop_at: int = 10**9) -> None:
        self.stop_at = stop_at
        self.seen: set[torch.dtype] = set()

    def started(self, view: View) -> None:
        for network in (view.state.generator, view.state.discriminator):
            network.register_forward_pre_hook(self._note)

    def stepped(self, view: View, record: Record) -> str | None:
        return "test" if record.images_seen >= self.stop_at else None

    def finished(self, view: View, reason: str) -> None:
        pass

    def _note(self, network: nn.Module, given: tuple[Tensor]) -> None:
        self.seen.add(given[0].dtype)


def tensors_of(run: Run) -> dict[str, Tensor]:
    newest = checkpoint.complete(run.folder / "checkpoints")[-1]
    assert newest.name == f"{run.images:012d}"
    tensors, _ = checkpoint.load(newest)
    return {f"{stem}/{name}": t for stem, named in tensors.items() for name, t in named.items()}


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16)],
)
def test_a_run_computes_in_the_precision_that_was_asked_for(
    precision: str,
    dtype: torch.dtype,
    hardware: bool,
    tiny: Recipe,
    portraits: Dataset,
    run_in: RunIn,
) -> None:
    # Penalties look at the discriminator in fp32, whatever the run's precision.
    recipe, types = replace(tiny, penalties=()), Types()
    loop.train(recipe, run_in("run", 16, precision=precision), portraits, [types])
    assert types.seen == {dtype}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_command_line_passes_the_precision_on(
    precision: str, hardware: bool, portraits: Dataset, tmp_path: Path
) -> None:
    words = f"--images 8 --batch 8 --resolution 16 --device cpu --precision {precision}"
    nets = "--generator.width 4 --discriminator.width 4 --latent.size 6"
    places = ["--data", str(portraits.folder), "--run", str(tmp_path / "run")]
    assert cli.run(["train", "face", *places, *words.split(), *nets.split()]) == 0
    (saved,) = checkpoint.complete(tmp_path / "run/checkpoints")
    assert checkpoint.load(saved)[1]["compute"]["precision"] == precision


def test_a_bf16_run_keeps_its_weights_in_fp32(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("run", 16, precision="bf16")
    loop.train(tiny, run, portraits)
    for name, tensor in tensors_of(run).items():
        assert tensor.dtype == torch.float32 or not tensor.is_floating_point(), name


def test_a_continued_bf16_run_equals_the_uninterrupted_one(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    straight, broken = (run_in(name, 72, precision="bf16") for name in ("straight", "broken"))
    loop.train(tiny, straight, portraits)
    loop.train(tiny, replace(broken, record_every=8), portraits, [Types(stop_at=24)])
    loop.train(tiny, replace(broken, record_every=8), portraits, [Types(stop_at=48)])
    # It goes on as it began, even if nobody says so again.
    loop.train(tiny, replace(broken, precision="auto"), portraits)
    one, two = tensors_of(broken), tensors_of(straight)
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    exact = run_in("exact", 72, precision="fp32")
    loop.train(tiny, exact, portraits)
    assert not torch.equal(
        tensors_of(exact)["generator/project.weight"], one["generator/project.weight"]
    )
