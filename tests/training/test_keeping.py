"""Where images are kept, in which order they come, and that neither is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor

import facesmith
from facesmith import checkpoint, cli
from facesmith.base.errors import DataError, UsageError
from facesmith.base.records import Record
from facesmith.data.dataset import Dataset
from facesmith.data.plan import Preparation
from facesmith.data.prepare import prepare
from facesmith.data.streaming.streamed import Streamed, streamed
from facesmith.data.streams import Balanced
from facesmith.recipe import Recipe
from facesmith.training import keeping, loop, observers
from facesmith.training.draws import Draws
from facesmith.training.keeping import InMemory, OnDevice, keep
from facesmith.training.run import Run
from facesmith.training.view import View

RunIn = Callable[..., Run]
CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
SEED = 6


class StopAt:
    """Asks for a stop, and keeps the view."""

    def __init__(self, images: int = 10**9) -> None:
        self.images = images

    def started(self, view: View) -> None:
        self.view = view

    def stepped(self, view: View, record: Record) -> str | None:
        return "test" if record.images_seen >= self.images else None

    def finished(self, view: View, reason: str) -> None:
        pass


def final_tensors(run: Run) -> dict[str, Tensor]:
    tensors, _ = checkpoint.load(checkpoint.complete(run.folder / "checkpoints")[-1])
    return {f"{stem}/{name}": t for stem, named in tensors.items() for name, t in named.items()}


def different(one: dict[str, Tensor], two: dict[str, Tensor]) -> list[str]:
    assert one.keys() == two.keys()
    return [name for name in one if not torch.equal(one[name], two[name])]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty photos, one of which cannot be decoded."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    for number in range(20):
        noise = Image.effect_noise((20, 20), 20 + 5 * number).convert("RGB")
        noise.save(folder / f"{number:02d}.png")
    (folder / "07.png").write_bytes(b"")
    return folder


# ---- where images are kept


@pytest.mark.parametrize("kept", [InMemory, lambda dataset: OnDevice(dataset, CPU)])
@pytest.mark.parametrize("flip", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("balance", [(), ("glasses",)])
def test_batches_are_the_same_bytes_wherever_images_are_kept(
    kept: Callable[[Dataset], InMemory | OnDevice],
    flip: float,
    balance: tuple[str, ...],
    portraits: Dataset,
) -> None:
    dataset = portraits.balanced(*balance) if balance else portraits
    images = kept(dataset)
    for start, count in ((0, 64), (17, 5), (1000, 40), (3, 0)):
        batch = torch.as_tensor(images.batch(start, count, seed=SEED, flip=flip))
        expected = dataset.batch(start, count, seed=SEED, flip=flip)
        assert batch.dtype == torch.uint8
        np.testing.assert_array_equal(batch.numpy(), expected)
    torch.as_tensor(images.batch(0, 64, seed=SEED)).zero_()  # the caller's own
    assert torch.as_tensor(images.batch(0, 64, seed=SEED)).any()


def test_images_are_brought_to_the_device_in_blocks(
    portraits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BLOCK_BYTES", 16 * 16 * 3 * 4)
    kept = OnDevice(portraits, CPU)
    np.testing.assert_array_equal(kept.images.numpy(), portraits.images)


@pytest.mark.parametrize(
    ("cache", "free", "device", "expected"),
    [
        ("auto", 10, CPU, Dataset),
        ("disk", 0, CPU, Dataset),
        ("ram", 1, CPU, InMemory),
        ("device", 1, CPU, InMemory),
        ("auto", 4, GPU, OnDevice),
        ("auto", 3, GPU, Dataset),  # the networks need the rest
        ("device", 1, GPU, OnDevice),
        ("ram", 1, GPU, InMemory),
    ],
)
def test_images_are_kept_where_it_was_asked_for_or_pays(
    cache: str,
    free: float,
    device: torch.device,
    expected: type,
    portraits: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "free_memory", lambda _: free * portraits.nbytes)
    monkeypatch.setattr(keeping, "OnDevice", lambda dataset, place: OnDevice(dataset, CPU))
    assert portraits.nbytes == portraits.images.nbytes
    assert type(keep(portraits, cache, device)) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cache", "device", "said"),
    [("ram", GPU, "the memory has"), ("device", GPU, "the memory of cuda:0 has"),
     ("device", CPU, "the memory has")],
)  # fmt: skip
def test_images_that_do_not_fit_are_refused_and_leave_nothing_behind(
    cache: str, device: torch.device, said: str, portraits: Dataset, tiny: Recipe, run_in: RunIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked: list[torch.device] = []

    def free(place: torch.device) -> int:
        asked.append(place)
        return portraits.nbytes - 1

    monkeypatch.setattr(keeping, "free_memory", free)
    with pytest.raises(UsageError, match=f"--cache {cache} was asked for, and {said}") as caught:
        keep(portraits, cache, device)  # type: ignore[arg-type]
    assert "MB for all images" in caught.value.needed
    assert "leave out --cache" in caught.value.todo
    assert asked == [CPU if cache == "ram" else device]
    run = run_in("full", 16, cache=cache)
    with pytest.raises(UsageError, match="was asked for"):
        loop.train(tiny, run, portraits)
    assert not run.folder.exists()


def test_free_memory_is_that_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (11, 99))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=22))
    assert [keeping.free_memory(torch.device(d)) for d in ("cuda", "cpu", "mps")] == [11, 22, 22]


@pytest.mark.parametrize("cache", ["disk", "ram", "device"])
def test_where_images_are_kept_changes_no_weight_and_may_change(
    cache: str, tiny: Recipe, portraits: Dataset, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, broken = run_in("straight", 48), run_in("broken", 48, record_every=8)
    loop.train(tiny, straight, portraits)
    loop.train(tiny, replace(broken, cache="disk"), portraits, [StopAt(24)])
    used: list[int] = []

    class Noted(OnDevice):
        def __init__(self, dataset: Dataset) -> None:
            super().__init__(dataset, CPU)

        def batch(self, start: int, count: int, *, seed: int, flip: float = 0.0) -> Tensor:
            used.append(start)
            return super().batch(start, count, seed=seed, flip=flip)

    monkeypatch.setattr(keeping, "InMemory", Noted)
    loop.train(tiny, replace(broken, cache=cache), portraits)
    assert used == ([] if cache == "disk" else [24, 32, 40])
    assert different(final_tensors(broken), final_tensors(straight)) == []


def test_a_batch_that_lies_on_the_device_is_not_brought_there(
    tiny: Recipe, portraits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facesmith.training import compute

    pixels = tiny.scaling.fit(portraits.mean, portraits.std)
    at = compute.Compute(CPU)
    reals = [
        Draws(tiny, images, pixels, at, SEED).reals(24)
        for images in (portraits, InMemory(portraits), OnDevice(portraits, CPU))
    ]
    assert torch.equal(reals[0], reals[1]) and torch.equal(reals[0], reals[2])
    kept = OnDevice(portraits, CPU)
    batch = kept.batch(0, 8, seed=0)
    assert torch.as_tensor(batch).data_ptr() == batch.data_ptr()


# ---- in which order they come


def test_training_uses_the_balanced_stream(
    tiny: Recipe, portraits: Dataset, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Tensor] = []
    reals = Draws.reals

    def noted(self: Draws, images_seen: int) -> Tensor:
        drawn.append(reals(self, images_seen))
        return drawn[-1]

    monkeypatch.setattr(Draws, "reals", noted)
    run = run_in("run", 64, balance=("glasses",))
    watching = StopAt()
    loop.train(replace(tiny, flip=0.0), run, portraits, [*observers.standard(), watching])
    pixels = watching.view.pixels
    images = pixels.to_pixels(torch.cat(drawn)).numpy()
    rows = [np.flatnonzero((portraits.images == one).all((1, 2, 3)))[0] for one in images]
    glasses = portraits.labels["glasses"][rows]
    kinds, counts = np.unique(glasses, return_counts=True)
    assert len(kinds) == len(np.unique(portraits.labels["glasses"])) > 2
    assert counts.max() - counts.min() <= 1
    assert isinstance(
        watching.view.dataset.order, Balanced
    )  # what observers show is what is trained on
    told = json.loads((run.folder / "run.json").read_text())
    assert told["run"]["balance"] == ["glasses"]


def test_a_balanced_run_goes_on_to_the_bit_and_only_as_it_was_begun(
    tiny: Recipe, portraits: Dataset, run_in: RunIn, tmp_path: Path
) -> None:
    straight = run_in("straight", 48, balance=("glasses", "mouth"))
    broken = run_in("broken", 48, balance=("glasses", "mouth"), record_every=8)
    loop.train(tiny, straight, portraits)
    loop.train(tiny, broken, portraits, [StopAt(24)])
    for other, said in (((), "glasses,mouth -> None"), (("mouth",), "glasses,mouth -> mouth")):
        with pytest.raises(UsageError, match=f"balance {said}"):
            loop.train(tiny, replace(broken, balance=other), portraits)
    loop.train(tiny, broken, portraits)
    assert different(final_tensors(broken), final_tensors(straight)) == []
    plain = run_in("plain", 48)
    loop.train(tiny, plain, portraits)
    assert "generator/project.weight" in different(final_tensors(plain), final_tensors(straight))
    with pytest.raises(UsageError, match="balance None -> mouth"):
        loop.train(tiny, replace(plain, images=64, balance=("mouth",)), portraits)


def test_labels_that_have_changed_are_noticed(tiny: Recipe, run_in: RunIn, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    dataset = prepare("portraits:30", folder, resolution=16, workers=1)
    run, plain = run_in("run", 16, balance=("mouth",)), run_in("plain", 16)
    loop.train(tiny, run, dataset)
    loop.train(tiny, plain, dataset)
    head, *rows = (folder / "labels.csv").read_text().splitlines()
    place = head.split(",").index("mouth")
    cells = [row.split(",") for row in rows]
    for row in cells:
        row[place] = str(1 - int(row[place]))
    text = "\n".join([head, *map(",".join, cells)])
    (folder / "labels.csv").write_text(text.ljust((folder / "labels.csv").stat().st_size, "\n"))
    changed = Dataset.open(folder)
    with pytest.raises(DataError, match="labels have changed"):
        loop.train(tiny, replace(run, images=32), changed)
    loop.train(tiny, replace(plain, images=32), changed)  # which does not look at them


def test_what_cannot_be_balanced_is_refused_before_anything_begins(
    tiny: Recipe, portraits: Dataset, run_in: RunIn
) -> None:
    run = run_in("run", 16, balance=("glases",))
    with pytest.raises(UsageError, match="did you mean 'glasses'"):
        loop.train(tiny, run, portraits)
    assert not run.folder.exists()


# ---- without a pack


def test_photos_are_trained_on_without_a_pack_and_exactly(
    photos: Path, tiny: Recipe, run_in: RunIn, caplog: pytest.LogCaptureFixture
) -> None:
    straight = run_in("straight", 48, cache="none")
    broken = run_in("broken", 48, cache="none", record_every=8)
    how = Preparation(16, held_out=0.0)
    loop.train(tiny, straight, streamed(photos, how, workers=1), observers.standard())
    assert "07.png is not used: empty file" in caplog.text
    assert (straight.folder / "reals.png").is_file()
    told = json.loads((straight.folder / "run.json").read_text())["data"]
    assert told["count"] == 20
    loop.train(tiny, broken, streamed(photos, how, workers=1), [StopAt(24)])
    loop.train(tiny, broken, streamed(photos, how, workers=2))
    assert different(final_tensors(broken), final_tensors(straight)) == []


def test_a_run_goes_on_with_or_without_a_pack_as_it_was_begun(
    photos: Path, tiny: Recipe, portraits: Dataset, run_in: RunIn, tmp_path: Path
) -> None:
    packed, not_packed = run_in("packed", 16), run_in("streamed", 16, cache="none")
    loop.train(tiny, packed, portraits)
    stream = streamed(photos, Preparation(16), workers=1)
    loop.train(tiny, not_packed, stream)
    with pytest.raises(UsageError, match="cache a pack -> none"):
        loop.train(tiny, replace(packed, images=32, cache="none"), stream)
    with pytest.raises(UsageError, match="cache none -> a pack"):
        loop.train(tiny, replace(not_packed, images=32, cache="auto"), portraits)
    other = streamed("portraits:21", Preparation(16), workers=1)
    with pytest.raises(DataError, match="photos have changed"):
        loop.train(tiny, replace(not_packed, images=32), other)
    assert loop.train(tiny, replace(not_packed, images=32), stream).images_seen == 32


@pytest.mark.parametrize("cache", ["auto", "disk", "ram", "device"])
def test_where_to_keep_is_no_question_without_a_pack(
    cache: str, photos: Path, portraits: Dataset
) -> None:
    stream = streamed(photos, Preparation(16), workers=1)
    with pytest.raises(
        UsageError, match=f"--cache {cache} was asked for, and the photos are not packed"
    ):
        keep(stream, cache, CPU)  # type: ignore[arg-type]
    assert keep(stream, "none", CPU) is stream
    with pytest.raises(UsageError, match="--cache none was asked for, and the photos are packed"):
        keep(portraits, "none", CPU)


class Closed:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self, dataset: Streamed) -> None:
        self.times += 1


def test_what_decodes_is_closed_in_the_end_however_it_ends(
    photos: Path, tiny: Recipe, run_in: RunIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Closed()
    monkeypatch.setattr(Streamed, "close", lambda self: closed(self))
    stream = streamed(photos, Preparation(16), workers=1)
    loop.train(tiny, run_in("run", 16, cache="none"), stream)
    assert closed.times == 1
    with pytest.raises(UsageError):
        loop.train(tiny, replace(run_in("run", 32, cache="none"), seed=9), stream)
    assert closed.times == 2


# ---- the options


def test_the_command_line_and_python_pass_them_on(
    photos: Path, portraits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = "--images 8 --batch 8 --resolution 16 --device cpu --generator.width 4"
    nets = "--discriminator.width 4 --latent.size 6 --precision fp32"
    tuning = [*words.split(), *nets.split()]

    def trained(name: str, data: Path, *more: str) -> dict[str, object]:
        run = tmp_path / name
        places = ["--data", str(data), "--run", str(run)]
        assert cli.run(["train", "face", *places, *tuning, *more]) == 0
        told: dict[str, object] = json.loads((run / "run.json").read_text())
        return told

    told = trained("balanced", portraits.folder, "--balance", "glasses, mouth", "--cache", "ram")
    assert told["run"]["balance"] == ["glasses", "mouth"]  # type: ignore[index]
    assert told["run"]["cache"] == "ram"  # type: ignore[index]
    told = trained("streamed", photos, "--cache", "none")
    assert "streamed" in told["data"]["settings"]  # type: ignore[index]
    assert not (tmp_path / "cache").exists()
    again = ["--data", str(photos), "--run", str(tmp_path / "streamed"), *tuning, "--images", "16"]
    assert cli.run(["train", "face", *again]) == 2
    assert "cache none -> a pack" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()  # refused before hours of preparing

    how = {"resolution": 16, "images": 8, "device": "cpu", "progress": False}
    for name, balance in (("text", "glasses,mouth"), ("names", ["glasses", "mouth"])):
        facesmith.train("face", data=portraits, run=tmp_path / name, balance=balance, **how)  # type: ignore[arg-type]
        told = json.loads((tmp_path / name / "run.json").read_text())
        assert told["run"]["balance"] == ["glasses", "mouth"]  # type: ignore[index]
    stream = streamed(photos, Preparation(16), workers=1)
    facesmith.train("face", data=stream, run=tmp_path / "stream", **how)  # type: ignore[arg-type]
    told = json.loads((tmp_path / "stream/run.json").read_text())
    assert told["run"]["cache"] == "none"  # type: ignore[index]
