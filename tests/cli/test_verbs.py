"""The command line as a newcomer meets it; most run in this process, where torch is loaded already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from facesmith import cli


def test_help_names_every_verb_and_the_first_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in cli.VERBS)
    assert "facesmith demo" in shown


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_explains_itself(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as left:
        cli.run([verb, "--help"])
    assert left.value.code == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert f"facesmith {verb}" in first
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["trian"], 2, "did you mean 'train'?"),
        (["train", "fase", "--data", "x"], 2, "did you mean 'face'?"),
        (["train"], 2, "No recipe was named"),
        (["train", "face", "--data", "/nowhere"], 3, "/nowhere"),
        (["train", "face", "--data", "x", "--resolution", "48"], 2, "one of 16, 32, 64, 128, 256"),
        (["train", "face", "--data", "x", "--images", "many"], 2, "not a number of images"),
        (["train", "face", "--data", "x", "--loss", "hing"], 2, "did you mean 'Hinge'?"),
        (["train", "face", "--data", "x", "--loss", "r1"], 2, "Recipe.loss"),
        (["train", "face", "--data", "x", "--generator.kernel", "1"], 2, "kernel 1, stride 2"),
        (["train", "face", "--data", "x", "--device", "cuda"], 2, "cuda"),
        (["train", "face", "--data", "x", "--epochs", "0"], 2, "epochs was given 0"),
        (["generate", "/nowhere"], 2, "holds no snapshot"),
        (["generate", "/nowhere", "--out", "faces.jpg"], 2, "faces.png"),
        (["generate", "/nowhere", "--seeds", "9-5"], 2, "rising ranges"),
        (["describe", "dcgan-tutoral"], 2, "did you mean 'dcgan-tutorial'?"),
    ],
)
def test_mistakes_are_answered_in_three_parts(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    dataset: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if "cuda" in words:
        pytest.importorskip("torch")
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU (cuda)")
        words = [*words[:3], str(dataset), "--resolution", "16", *words[4:]]
    assert cli.run(words) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert "needed:" in shown
    assert "to do:" in shown


def test_train_leaves_a_whole_run_folder_and_says_what_is_next(
    trained: Path,
    dataset: Path,
    tiny: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("facesmith.training.watch.diagnose", lambda *_: [])  # a run of a moment
    names = {path.name for path in trained.iterdir()}
    assert {
        "run.json",
        "env.json",
        "metrics.jsonl",
        "events.jsonl",
        "log.txt",
        "reals.png",
        "samples",
        "checkpoints",
    } <= names
    assert len(list((trained / "samples").glob("*.png"))) == 3  # 0, 16 and 32 images
    # The same command again has nothing left to do, and says so.
    words = ["train", "face", "--data", str(dataset), "--run", str(trained), *tiny]
    assert cli.run([*words, "--images", "32"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("next: facesmith generate")


@pytest.mark.parametrize(
    ("words", "path", "expected"),
    [
        (["--loss", "hinge"], ["loss", "part"], "Hinge"),
        (["--loss=hinge"], ["loss", "part"], "Hinge"),
        (["--input-noise=linear(0.1, 0, over=50k)"], ["input_noise", "over"], 50_000),
        (["--loss", "nonsaturating(real_label=0.9)"], ["loss", "real_label"], 0.9),
        (["--penalties", "none"], ["penalties"], []),
        (["--penalties", "r1(gamma=2)", "r2"], ["penalties", 1, "part"], "R2"),
        (["--penalties.0.gamma", "7"], ["penalties", 0, "gamma", "value"], 7.0),
        (
            ["--optimizers.discriminator", "sgd", "--optimizers.discriminator.momentum", "0.4"],
            ["optimizers", "discriminator", "momentum", "value"],
            0.4,
        ),
        (
            ["--optimizers.generator.learning-rate", "cosine(4e-4, 1e-5, 500k)"],
            ["optimizers", "generator", "learning_rate", "over"],
            500_000,
        ),
        (["--scaling", "standardize"], ["scaling", "part"], "Standardize"),
        (["--generator", "decoder-generator(width=32)"], ["generator", "width"], 32),
        (
            ["--generator.upsampling", "bilinear", "--generator.kernel", "3"],
            ["generator", "kernel"],
            3,
        ),
        (["--latent.law", "sphere"], ["latent", "law"], "sphere"),
        (["--batch", "16"], ["batch"], 16),
    ],
)
def test_options_reach_the_recipe(
    words: list[str],
    path: list[str | int],
    expected: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["train", "face", "--data", "x", "--dry-run", *words]) == 0
    found = json.loads(capsys.readouterr().out)["recipe"]
    for key in path:
        found = found[key]
    assert found == expected


def test_generate_makes_a_sheet_and_single_files_that_say_what_they_are(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    assert cli.run(["generate", str(trained), "--seeds", "0-8", "--out", str(sheet)]) == 0
    assert "next: facesmith generate" in capsys.readouterr().out
    assert cli.run(["generate", str(trained), "--seeds", "3,7", "--out", str(tmp_path / "f")]) == 0
    with Image.open(tmp_path / "f" / "face-000007.png") as face:
        assert face.size == (16, 16)
        assert face.text["facesmith:seeds"] == "7"
        assert "generated" in face.text["Source"]


def test_truncation_and_seeds_act(trained: Path, tmp_path: Path) -> None:
    def face(seed: int, truncation: float) -> bytes:
        out = tmp_path / f"{seed}-{truncation}"
        words = ["--seeds", str(seed), "--truncation", str(truncation), "--out", str(out)]
        assert cli.run(["generate", str(trained), *words]) == 0
        with Image.open(out / f"face-{seed:06d}.png") as image:
            return image.tobytes()

    assert face(1, 1.0) == face(1, 1.0)
    assert face(1, 1.0) != face(2, 1.0)
    assert face(1, 1.0) != face(1, 0.5)
    assert cli.run(["generate", str(trained), "--truncation", "2"]) == 2
    assert cli.run(["generate", str(trained), "--seeds", "5-x"]) == 2


def test_prepare_prints_where_every_photo_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        Image.effect_noise((40, 40), 50 + number).convert("RGB").save(photos / f"{number}.png")
    (photos / "page.jpg").write_text("<!DOCTYPE html><html>quota</html>")
    out = tmp_path / "out"
    words = ["prepare", str(photos), "--out", str(out), "--resolution", "16", "--workers", "1"]
    assert cli.run([*words, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["found"] == 13
    assert summary["train"] + summary["held_out"] == 12
    assert sum(summary["rejected"].values()) == 1
    assert "page.jpg" in (out / "files.csv").read_text()
    assert cli.run(words) == 0
    assert "next: facesmith train face --data" in capsys.readouterr().out


def test_a_first_training_names_the_photos_it_could_not_use_and_counts_epochs(
    tmp_path: Path,
    tiny: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(9):
        Image.effect_noise((40, 40), 50 + number).convert("RGB").save(photos / f"{number}.png")
    (photos / "page.jpg").write_text("<!DOCTYPE html><html>quota</html>")
    run = tmp_path / "run"
    words = ["train", "face", "--data", str(photos), "--run", str(run), *tiny, "--epochs", "3"]
    assert cli.run(words) == 0
    shown = capsys.readouterr().out
    assert "1 rejected" in shown
    assert "files.csv" in shown
    assert "finished at 32 images" in shown  # three times nine, in batches of eight


@pytest.mark.parametrize("words", [["--help"], ["recipes"], ["describe", "face"]])
def test_tables_fit_eighty_columns(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.run(words) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_describe_and_recipes_speak_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["describe", "dcgan-tutorial", "--json"]) == 0
    networks = json.loads(capsys.readouterr().out)
    assert networks["generator"]["parameters"] == 3_576_704
    assert networks["discriminator"]["parameters"] == 2_765_568
    assert cli.run(["recipes", "--json"]) == 0
    assert "face" in [row["recipe"] for row in json.loads(capsys.readouterr().out)]


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m facesmith recipes | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 141)


def test_demo_trains_and_shows_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cli.run(["demo", "--images", "64", "--portraits", "80"]) == 0
    assert (tmp_path / "runs/demo/faces.png").is_file()
    assert "next:" in capsys.readouterr().out.splitlines()[-1]


OWN = """
from dataclasses import dataclass, replace
from facesmith import find_recipe
from facesmith.architectures import DCGANDiscriminator, DCGANGenerator
from facesmith.base.registry import register

@register
@dataclass(frozen=True)
class Narrow(DCGANGenerator):
    width: int = 4

def narrow():
    discriminator = DCGANDiscriminator(width=4, normalization="none")
    return replace(find_recipe("face"), name="narrow", resolution=16, batch=8,
                   generator=Narrow(), discriminator=discriminator)
"""


def test_a_recipe_with_parts_of_ones_own_trains_and_generates(
    tmp_path: Path, dataset: Path
) -> None:
    (tmp_path / "own_parts.py").write_text(OWN, encoding="utf-8")

    def facesmith(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "facesmith", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    trained = facesmith("train", "own_parts.py:narrow", "--data", str(dataset), "--images", "16")
    assert trained.returncode == 0, trained.stderr
    following = trained.stdout.splitlines()[-1]
    assert following.endswith("generate runs/narrow-16 --seeds 0-63 --recipe own_parts.py:narrow")
    refused = facesmith("generate", "runs/narrow-16")
    assert (refused.returncode, "--recipe" in refused.stderr) == (2, True)
    words = following.partition(" generate ")[2].split()
    assert facesmith("generate", *words).returncode == 0


def test_a_crop_that_the_dataset_does_not_have_is_refused(
    tmp_path: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "face", "--data", str(dataset), "--resolution", "16", "--run", "x"]
    assert cli.run([*words, "--crop", "center:100"]) == 3
    assert "was prepared with --crop center" in capsys.readouterr().err
    assert cli.run([*words, "--crop", "foo"]) == 2
