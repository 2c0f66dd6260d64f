"""Folders that survive a kill: written whole, read only when whole, read no more than is needed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import facesmith
from facesmith import checkpoint
from facesmith.architectures import DCGANDiscriminator, DCGANGenerator, Latent
from facesmith.base.errors import DivergedError, StorageError, UsageError
from facesmith.base.registry import to_dict
from facesmith.data.scaling import PixelMap
from facesmith.recipe import Recipe

TENSORS = {
    "snapshot": {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3)},
    "optimizer": {"0.moment": torch.full((4,), 0.5, dtype=torch.bfloat16)},
}
FILES = ["MANIFEST.json", "optimizer.safetensors", "snapshot.safetensors", "state.json"]
PIXELS = PixelMap(gain=(2.0,) * 3, offset=(-1.0,) * 3, low=-1.0, high=1.0)
Change = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "checkpoints" / "000000000064"
    target.parent.mkdir()
    checkpoint.save(target, TENSORS, {"images_seen": 64})
    return target


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with two checkpoints of everything that a training saves."""
    recipe = Recipe(
        resolution=16,
        latent=Latent(size=4),
        generator=DCGANGenerator(width=4),
        discriminator=DCGANDiscriminator(width=4),
    )
    run = tmp_path_factory.mktemp("trained") / "run"
    (run / "checkpoints").mkdir(parents=True)
    generator, discriminator = recipe.build_generator(0), recipe.build_discriminator(0)
    tensors = {
        "snapshot": generator.state_dict(),
        "discriminator": discriminator.state_dict(),
        "generator": generator.state_dict(),
        "average": generator.state_dict(),
        "generator-optimizer": {"0.moment": torch.zeros(4)},
        "discriminator-optimizer": {"0.moment": torch.zeros(4)},
    }
    for images in (64, 128):
        state = {"images_seen": images, "recipe": to_dict(recipe), "pixels": to_dict(PIXELS)}
        checkpoint.save(run / "checkpoints" / f"{images:012d}", tensors, state)
    return run


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "run")


def sign(folder: Path) -> None:
    """Make a manifest true again after its files were changed."""
    manifest = folder / "MANIFEST.json"
    files = {
        path.name: {"sha256": checkpoint._sha256(path), "bytes": path.stat().st_size}
        for path in folder.iterdir()
        if path != manifest
    }
    manifest.write_text(json.dumps({"format": checkpoint.FORMAT, "files": files}))


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_tensors(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def test_tensors_and_state_come_back_to_the_bit(folder: Path) -> None:
    tensors, state = checkpoint.load(folder)
    assert state == {"format": 1, "images_seen": 64}
    assert tensors.keys() == TENSORS.keys()
    for stem, named in TENSORS.items():
        assert tensors[stem].keys() == named.keys()
        for name, tensor in named.items():
            assert tensors[stem][name].dtype == tensor.dtype
            assert torch.equal(tensors[stem][name], tensor)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert list(folder.parent.iterdir()) == [folder]


def test_all_bytes_are_on_the_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: list[tuple[str, int, int]] = []
    rename, fsync = Path.rename, os.fsync

    def syncing(handle: int) -> None:
        found = os.fstat(handle)
        acts.append(("sync", found.st_ino, found.st_size))
        fsync(handle)

    def renaming(self: Path, target: Path) -> Path:
        acts.append(("rename", self.stat().st_ino, 0))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "rename", renaming)
    folder = tmp_path / "000000000064"
    checkpoint.save(folder, TENSORS, {})
    at = acts.index(("rename", folder.stat().st_ino, 0))
    synced = {(number, length) for _, number, length in acts[:at]}
    files = {(path.stat().st_ino, path.stat().st_size) for path in folder.iterdir()}
    assert len(files) == len(FILES)
    assert files <= synced, "each file was synced at its full length"
    assert acts[at - 1][1] == folder.stat().st_ino, "then the names in the folder"
    assert [act[:2] for act in acts[at + 1 :]] == [("sync", tmp_path.stat().st_ino)]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_not_written(number: float, tmp_path: Path) -> None:
    spoiled = {**TENSORS, "optimizer": {"0.moment": torch.tensor([0.0, number])}}
    with pytest.raises(DivergedError, match=r"optimizer\.0\.moment"):
        checkpoint.save(tmp_path / "000000000064", spoiled, {})
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_the_disk_cannot_hold_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(total=10**9, free=3_000_000)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(Path, "mkdir", lambda *_: pytest.fail("it began"))
    with pytest.raises(StorageError, match="was not written") as caught:
        checkpoint.save(tmp_path / "1", {"snapshot": {"weight": torch.zeros(1_000_000)}}, {})
    assert caught.value.needed == "room for 5.0 MB; the disk has 3.0 MB free"
    assert "free some space" in caught.value.todo
    monkeypatch.undo()
    usage.free = 6_000_000
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage)
    checkpoint.save(tmp_path / "1", {"snapshot": {"weight": torch.zeros(1_000_000)}}, {})
    usage.total = usage.free = 0  # what a disk says that does not tell
    checkpoint.save(tmp_path / "2", TENSORS, {})


@pytest.mark.parametrize(
    ("error", "needed"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "room for 1.0 MB"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "room for 1.0 MB"),
        (OSError(errno.EFBIG, "File too large"), "room for 1.0 MB"),
        (SafetensorError(f"I/O error: File too large (os error {errno.EFBIG})"), "room for 1.0 MB"),
        (OSError(errno.EACCES, "Permission denied"), "can be written"),
        (SafetensorError("I/O error: Permission denied (os error 13)"), "can be written"),
    ],
    ids=str,
)
def test_a_failed_save_says_what_it_lacked_and_leaves_nothing(
    error: Exception, needed: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(tensors: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise error

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(StorageError, match="could not be written") as caught:
        checkpoint.save(folder.with_name("000000000128"), TENSORS, {})
    assert needed in caught.value.needed
    assert list(folder.parent.iterdir()) == [folder]


DAMAGES: dict[str, tuple[Change, str]] = {
    "a missing file": (lambda f: (f / "snapshot.safetensors").unlink(), "cannot be read"),
    "a cut file": (lambda f: os.truncate(f / "snapshot.safetensors", 20), "bytes long"),
    "a flipped bit": (
        lambda f: (f / "snapshot.safetensors").write_bytes(
            (f / "snapshot.safetensors").read_bytes()[:-1] + b"\1"
        ),
        "SHA-256",
    ),
    "no manifest": (lambda f: (f / "MANIFEST.json").unlink(), "never finished"),
    "half a manifest": (lambda f: os.truncate(f / "MANIFEST.json", 30), "never finished"),
    "a list for a manifest": (lambda f: (f / "MANIFEST.json").write_text("[1]"), "never finished"),
    "a deep manifest": (
        lambda f: (f / "MANIFEST.json").write_text("[" * 100_000),
        "never finished",
    ),
    "a format without end": (
        lambda f: (f / "MANIFEST.json").write_text('{"format": Infinity, "files": {}}'),
        "never finished",
    ),
    "a manifest without sums": (
        lambda f: change_json(f / "MANIFEST.json", files={"state.json": {}}),
        "does not name all",
    ),
    "a manifest without state": (
        lambda f: change_json(f / "MANIFEST.json", files={}),
        "does not name all",
    ),
    "a name with a null": (
        lambda f: change_json(
            f / "MANIFEST.json",
            files={n: {"sha256": "", "bytes": 0} for n in ("\0.safetensors", "state.json")},
        ),
        "bytes long, not 0|cannot be read",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("read", [checkpoint.load, checkpoint.verify])
def test_a_damage_is_found_and_named(read: Change, damage: str, folder: Path) -> None:
    change, message = DAMAGES[damage]
    change(folder)
    with pytest.raises(StorageError, match=message) as caught:
        read(folder)
    assert caught.value.exit_code == 5


def header(entry: dict[str, object], data: bytes) -> bytes:
    text = json.dumps({"weight": entry}).encode()
    return struct.pack("<Q", len(text)) + text + data


HOSTILE = {
    "nothing": b"",
    "no safetensors": b"pickled, perhaps",
    "a length beyond its data": header(
        {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}, b"1234"
    ),
    "a type of tomorrow": header({"dtype": "Q9", "shape": [1], "data_offsets": [0, 4]}, b"1234"),
    "an endless shape": header(
        {"dtype": "F32", "shape": [2**63, 0], "data_offsets": [0, 0]}, b""
    ),
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_whose_sum_is_right_and_whose_content_is_not_is_refused(
    content: bytes, folder: Path
) -> None:
    (folder / "snapshot.safetensors").write_bytes(content)
    sign(folder)
    checkpoint.verify(folder)
    with pytest.raises(StorageError, match="cannot be understood"):
        checkpoint.load(folder)


@pytest.mark.parametrize("text", ["{", "3", '"text"', "\xff"])
def test_a_state_that_is_none_is_refused(text: str, folder: Path) -> None:
    (folder / "state.json").write_text(text, encoding="latin-1")
    sign(folder)
    with pytest.raises(StorageError, match="cannot be understood"):
        checkpoint.load(folder)


def test_what_is_not_named_in_the_manifest_is_not_read(folder: Path) -> None:
    (folder / "snapshot.safetensors").rename(folder / "snapshot.note")
    sign(folder)  # now a note is named, and has the name of a tensor file but for its end
    (folder / "snapshot.safetensors").write_bytes(b"anything")
    assert checkpoint.load(folder)[0].keys() == {"optimizer"}
    with pytest.raises(StorageError, match=r"holds no snapshot\.safetensors"):
        checkpoint.load(folder, only=("snapshot", "optimizer"))


def test_only_what_is_wanted_is_read(folder: Path) -> None:
    (folder / "optimizer.safetensors").unlink()
    tensors, state = checkpoint.load(folder, only=("snapshot",))
    assert tensors.keys() == {"snapshot"}
    assert state["images_seen"] == 64
    with pytest.raises(StorageError, match="optimizer"):
        checkpoint.load(folder)


def test_the_newest_whole_one_is_read_and_the_damaged_are_told(run: Path) -> None:
    older, newer = checkpoint.complete(run / "checkpoints")
    assert checkpoint.newest(newer.parent, lambda f: f) == (newer, {})
    (newer / "state.json").unlink()
    found, damaged = checkpoint.newest(newer.parent, checkpoint.load)
    assert found is not None
    assert found[1]["images_seen"] == 64
    assert [*damaged] == [newer]
    (older / "MANIFEST.json").unlink()
    found, damaged = checkpoint.newest(newer.parent, checkpoint.load)
    assert found is None
    assert [*damaged] == [newer, older]
    assert checkpoint.newest(run / "nowhere", checkpoint.load) == (None, {})


def test_an_older_checkpoint_does_not_stand_in_for_one_of_a_newer_format(run: Path) -> None:
    newest = checkpoint.complete(run / "checkpoints")[-1]
    change_json(newest / "MANIFEST.json", format=checkpoint.FORMAT + 1)
    for read in (checkpoint.load, checkpoint.verify):
        with pytest.raises(checkpoint.NewerFormatError, match="format 2") as caught:
            checkpoint.newest(newest.parent, read)
        assert "update facesmith" in caught.value.todo
    with pytest.raises(checkpoint.NewerFormatError):
        facesmith.load(run)


def test_pruning_keeps_the_newest_and_clears_what_the_dead_left(tmp_path: Path) -> None:
    for images in (8, 16, 24, 32):
        checkpoint.save(tmp_path / f"{images:012d}", TENSORS, {})
    (tmp_path / "000000000016.damaged").mkdir()
    # A number that a process has today says nothing: it may have been another's yesterday.
    for number in {1, os.getpid(), os.getppid(), 2**22}:
        (tmp_path / f"000000000040.tmp-{number}").mkdir()
        (tmp_path / f"000000000040.tmp-{number}" / "state.json").touch()
    checkpoint.prune(tmp_path, keep=2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["000000000016.damaged", "000000000024", "000000000032"]
    for folder in checkpoint.complete(tmp_path):
        checkpoint.verify(folder)


def test_a_checkpoint_set_aside_frees_its_name_and_is_kept(folder: Path) -> None:
    for images in (1, 2):  # the second time, one lies there already
        change_json(folder / "state.json", images_seen=images)
        checkpoint.set_aside(folder)
        assert checkpoint.complete(folder.parent) == []
        checkpoint.save(folder, TENSORS, {"images_seen": 64})
    checkpoint.verify(folder)
    aside = folder.with_name(f"{folder.name}.damaged")
    assert json.loads((aside / "state.json").read_text())["images_seen"] == 2


def test_a_model_reads_and_hashes_each_file_that_it_needs_once(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    loaded: list[str] = []
    for name, seen in (("_sha256", hashed), ("load_file", loaded)):
        inner = getattr(checkpoint, name)

        def spy(path: Path, inner: Any = inner, seen: list[str] = seen) -> Any:
            seen.append(f"{path.parent.name}/{path.name}")
            return inner(path)

        monkeypatch.setattr(checkpoint, name, spy)
    assert facesmith.load(run).snapshot.images_seen == 128
    networks = [f"000000000128/{stem}.safetensors" for stem in ("discriminator", "snapshot")]
    assert sorted(loaded) == networks
    assert sorted(hashed) == [*networks, "000000000128/state.json"]


def without(*names: str) -> Change:
    def change(folder: Path) -> None:
        state = json.loads((folder / "state.json").read_text())
        for name in names:
            del state[name]
        (folder / "state.json").write_text(json.dumps(state))

    return change


def other_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    return lambda folder: change_tensors(folder / "snapshot.safetensors", change)


STRANGERS: dict[str, tuple[Change, str]] = {
    "no snapshot": (lambda f: (f / "snapshot.safetensors").unlink(), r"no snapshot\.safetensors"),
    "no discriminator": (lambda f: (f / "discriminator.safetensors").unlink(), "no discriminator"),
    "no recipe": (without("recipe"), "'recipe'"),
    "no pixels": (without("pixels"), "'pixels'"),
    "no count": (without("images_seen"), "'images_seen'"),
    "a count that is none": (lambda f: change_json(f / "state.json", images_seen=[]), "int"),
    "a recipe that is none": (lambda f: change_json(f / "state.json", recipe={}), "something else"),
    "pixels that are none": (lambda f: change_json(f / "state.json", pixels=3), "something else"),
    "a missing weight": (other_weights(lambda t: t.pop("project.weight")), "Missing key"),
    "a weight too many": (other_weights(lambda t: t.update(x=torch.ones(1))), "Unexpected key"),
    "a wrong shape": (
        other_weights(lambda t: t.update({"project.weight": torch.ones(1)})),
        "size mismatch",
    ),
    "no safetensors": (lambda f: (f / "snapshot.safetensors").write_bytes(b"x" * 40), "understood"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_signed_checkpoint_that_is_no_model_is_refused_and_passed_over(
    stranger: str, run: Path
) -> None:
    older, newest = checkpoint.complete(run / "checkpoints")
    change, message = STRANGERS[stranger]
    change(newest)
    sign(newest)
    checkpoint.verify(newest)
    with pytest.raises(StorageError, match=message) as caught:
        facesmith.load(newest)
    assert "\n" not in caught.value.given
    with pytest.warns(UserWarning, match=f"Skipped a damaged checkpoint.*{newest.name}"):
        assert facesmith.load(run).snapshot.folder == older
    shutil.rmtree(older)
    with pytest.raises(StorageError, match=f"All checkpoints.*{message}"):
        facesmith.load(run)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([], "No seeds"), ([3, -1], "negative"), ([2**63], "too large"), ([0, 10**80], "too large")],
    ids=["none", "negative", "2**63", "80 digits"],
)
def test_seeds_have_a_range(seeds: list[int], message: str, trained: Path) -> None:
    model = facesmith.load(trained)
    with pytest.raises(UsageError, match=message) as caught:
        model.generate(seeds)
    assert "2**63" in caught.value.needed
    largest = model.generate([2**63 - 1, 2**63 - 2])
    assert (largest[0] != largest[1]).any()
