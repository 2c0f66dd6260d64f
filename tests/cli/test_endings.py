"""How verbs end: read or not, interrupted, refused early, and what they say is next."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from facesmith import cli
from facesmith.base.records import Record
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Change, Finding, Remedy
from facesmith.training.folder import RunFolder


@contextlib.contextmanager
def unread() -> Iterator[None]:
    """Send output into a pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    with (
        io.TextIOWrapper(io.FileIO(writer, "w"), encoding="utf-8") as stdout,
        contextlib.redirect_stdout(stdout),
    ):
        yield


@pytest.fixture
def words(dataset: Path, tiny: list[str], tmp_path: Path) -> list[str]:
    """A training in a folder of its own, without a length."""
    return ["train", "face", "--data", str(dataset), "--run", str(tmp_path / "run"), *tiny]


@pytest.fixture
def no_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preparing photos is not to be reached."""
    monkeypatch.setattr("facesmith.cli.train.open_data", lambda *_, **__: pytest.fail("prepared"))
    monkeypatch.setattr("facesmith.cli.demo.cached", lambda *_, **__: pytest.fail("drawn"))


def test_train_goes_on_when_nobody_reads(words: list[str], tmp_path: Path) -> None:
    with unread():
        assert cli.run([*words, "--images", "16"]) == 0
    assert (tmp_path / "run/checkpoints/000000000016").is_dir()


def test_demo_goes_on_when_nobody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = tmp_path / "demo"
    with unread():
        assert cli.run(["demo", "--run", str(run), "--images", "32", "--portraits", "40"]) == 0
    assert (run / "faces.png").is_file()


@pytest.mark.parametrize("typed", [["recipes"], ["describe", "face"], ["recipes", "--json"]])
def test_other_verbs_leave_quietly_when_nobody_reads(typed: list[str]) -> None:
    with unread():
        assert cli.run(typed) == 0


@pytest.mark.parametrize(
    ("place", "typed"),
    [
        ("train.open_data", ["train", "face", "--data", "my photos", "--run", "{tmp}/a run"]),
        ("demo.cached", ["demo", "--run", "{tmp}/a run"]),
        ("prepare.prepare", ["prepare", "my photos", "--out", "{tmp}/out"]),
    ],
)
def test_an_interruption_before_training_says_how_to_continue(
    place: str,
    typed: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"facesmith.cli.{place}", stop)
    typed = [word.format(tmp=tmp_path) for word in typed]
    assert cli.run(typed) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    said, _, again = last.partition(": ")
    assert said == "interrupted; the same command continues"
    assert shlex.split(again) == ["facesmith", *typed]


@pytest.mark.usefixtures("no_photos")
@pytest.mark.parametrize("verb", [["train", "face", "--data", "x"], ["demo"]])
def test_a_place_that_cannot_be_written_is_refused_before_the_photos(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert cli.run([*verb, "--run", str(tmp_path / "file/run")]) == 5
    assert "cannot be written" in capsys.readouterr().err
    with RunFolder(tmp_path / "held"):
        assert cli.run([*verb, "--run", str(tmp_path / "held")]) == 5
    assert "in use" in capsys.readouterr().err


@pytest.mark.usefixtures("no_photos")
def test_another_recipe_and_a_missing_device_are_refused_before_the_photos(
    words: list[str],
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    shutil.copytree(trained, tmp_path / "run")
    assert cli.run([*words, "--loss", "hinge"]) == 2
    assert "begun with other settings: loss.part Relativistic -> Hinge" in capsys.readouterr().err
    assert cli.run([*words, "--seed", "1"]) == 2
    assert "seed 0 -> 1" in capsys.readouterr().err
    assert (
        cli.run(["train", "face", "--data", "x", "--run", str(tmp_path / "new"), "--device", "mps"])
        == 2
    )
    assert "'mps' was asked for" in capsys.readouterr().err


def test_when_time_is_up_the_way_on_is_told(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, "--minutes", "1e-9", "--images", "10k"]) == 0
    *_, on, following = capsys.readouterr().out.splitlines()
    said, _, again = on.partition(": ")
    assert said == "to go on, with a larger --minutes or without it"
    assert shlex.split(again) == ["facesmith", *words, "--images", "10k"]
    assert following.startswith("next: facesmith generate")


def test_an_ill_run_is_to_be_diagnosed_next(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    remedy = Remedy("Slow it down.", (Change("optimizers.discriminator.learning_rate", "1e-4"),))
    found = Finding("discriminator-too-strong", "ill", "D is too strong.", 8, "It learns.", remedy)
    monkeypatch.setattr("facesmith.training.watch.diagnose", lambda *_: [found])
    assert cli.run([*words, "--images", "16"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == f"next: facesmith diagnose {tmp_path / 'run'}"
    todo = "to do:  --optimizers.discriminator.learning-rate 1e-4"
    assert f"ill since 8 images: D is too strong.\n  {todo}" in said.err
    monkeypatch.setattr("facesmith.training.watch.diagnose", lambda *_: [])
    assert cli.run([*words, "--images", "24"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("next: facesmith generate")


def test_the_autopilot_mends_and_says_so(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def diagnose(known: Sequence[Record], facts: RunFacts) -> list[Finding]:
        noisy = facts.number("input_noise") > 0
        remedy = Remedy("Take it away.", (Change("input_noise", "0"),), trusted=True)
        return [Finding("noise-too-strong", "ill", "Noise.", 16, "So.", remedy)] if noisy else []

    monkeypatch.setattr("facesmith.training.watch.diagnose", diagnose)
    typed = [*words, "--images", "32", "--input-noise", "0.5"]
    assert cli.run([*typed, "--autopilot"]) == 0
    said = capsys.readouterr()
    assert "autopilot, intervention 1 of 4: Noise.\n  at 16 images, back to 8" in said.err
    assert "as changed in 1 interventions: --input-noise 0 (was 0.5)" in said.err
    assert said.out.splitlines()[-1].startswith("next: facesmith generate")
    # Without the autopilot, and a little longer: the recipe in force goes on.
    typed[typed.index("32")] = "40"
    assert cli.run(typed) == 0
    said = capsys.readouterr()
    assert "as changed in 1 interventions: --input-noise 0 (was 0.5)" in said.err
    assert (tmp_path / "run/checkpoints/000000000040").is_dir()


@pytest.mark.parametrize(
    ("more", "paces"),
    [
        ([], (50_000, 3)),
        (["--autopilot"], (20_000, 6)),
        (["--autopilot", "--checkpoint-every", "30k", "--keep", "2"], (30_000, 2)),
    ],
)
def test_the_autopilot_keeps_checkpoints_to_go_back_to(
    more: list[str],
    paces: tuple[int, int],
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = words[: words.index("--record-every")]
    assert cli.run([*words, "--images", "200k", "--dry-run", *more]) == 0
    run = json.loads(capsys.readouterr().out)["run"]
    assert (run["checkpoint_every"], run["keep"]) == paces


@pytest.mark.parametrize("more", [["--keep", "0"], ["--checkpoint-every", "0"]])
@pytest.mark.parametrize("flying", [[], ["--autopilot"]])
def test_checkpoints_that_cannot_be_are_refused(
    more: list[str], flying: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, *more, *flying]) == 2
    assert "1 or more of each" in capsys.readouterr().err


def test_a_run_that_reached_its_length_needs_no_way_on(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, "--minutes=60", "--images", "16"]) == 0
    assert "to go on" not in capsys.readouterr().out


def test_a_sheet_of_a_checkpoint_lies_where_no_pruning_comes(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    saved = run / "checkpoints/000000000032"
    before = sorted(saved.iterdir())
    assert cli.run(["generate", str(saved), "--seeds", "0-3"]) == 0
    assert (run / "faces-000000000032.png").is_file()
    (run / "faces-000000000032.png").unlink()
    monkeypatch.chdir(saved)
    assert cli.run(["generate", ".", "--seeds", "0-3"]) == 0
    assert (run / "faces-000000000032.png").is_file()
    assert cli.run(["generate", str(run), "--seeds", "0-3"]) == 0
    assert (run / "faces.png").is_file()
    assert sorted(saved.iterdir()) == before


def test_a_name_that_the_terminal_cannot_spell_is_printed_all_the_same(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(heard, encoding="ascii"))
    assert (
        cli.run(["generate", str(trained), "--out", str(tmp_path / "Gesichter für Zoë.png")]) == 0
    )
    assert rb"Gesichter f\xfcr Zo\xeb.png" in heard.getvalue()


@pytest.mark.parametrize(
    ("typed", "following"),
    [
        (["recipes"], "next: facesmith describe face"),
        (["describe", "face"], "next: facesmith train face --data PHOTOS"),
        (
            ["describe", "face", "--loss", "nonsaturating(real_label=0.9)"],
            "next: facesmith train face --data PHOTOS --loss 'nonsaturating(real_label=0.9)'",
        ),
        (
            ["generate", "{run}", "--out", "{tmp}/s.png"],
            "next: facesmith generate '{run}' --seeds 0-999 --out faces/",
        ),
    ],
)
def test_the_next_command_can_be_pasted(
    typed: list[str],
    following: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = shutil.copytree(trained, tmp_path / "a run")
    assert cli.run([word.format(run=run, tmp=tmp_path) for word in typed]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == following.format(run=run)


def test_generate_speaks_json(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", str(trained), "--seeds", "3,5-6", "--out", str(tmp_path / "f"), "--json"]
    assert cli.run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seeds"] == [3, 5, 6]
    assert [Path(file).name for file in told["files"]] == [f"face-00000{n}.png" for n in (3, 5, 6)]
    assert all(Path(file).is_file() for file in told["files"])


def test_one_length_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "face", "--data", "x", "--epochs", "1", "--images", "5k"]) == 2
    assert "5k images and 1 epochs" in capsys.readouterr().err
