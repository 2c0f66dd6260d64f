"""Wrong options end in three parts, whoever noticed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesmith import cli
from facesmith.cli.refusals import refusal

TRAIN = ["train", "face", "--data", "x"]
OURS = [
    (["--latent.size", "0"], "latent.size was given 0", "at least one number"),
    (["--loss", "nonsaturating", "--loss.real-label", "3"], "real_label", "from 0 to 1.5"),
    (["--scaling.low", "2"], "The range 2.0 to 1.0 is empty", "below the highest"),
    (["--penalties.0.share", "3"], "R1.share was given 3", "0 to 1"),
    (["--penalties.0.every", "0"], "R1.every was given 0", "1 or more"),
    (["--optimizers.generator.weight-decay", "2"], "weight_decay was given 2", "including, 1"),
    (["--input-noise", "foo"], "no part called 'foo'", "Linear"),
]
TYROS = [
    (["train", "face"], "--data is missing.", "A folder, zip or tar of photos"),
    (["train", "face", "--dta", "x"], "--data is missing; --dta x is not known.", "photos"),
    (
        [*TRAIN, "--latent.sizes", "0"],
        "--latent.sizes (did you mean --latent.size?)",
        "Numbers in a",
    ),
    ([*TRAIN, "--zzzz", "0"], "There is no option --zzzz.", "the help lists"),
    ([*TRAIN, "--seed", "q"], "--seed: 'q' is no whole number", "Every random number"),
    ([*TRAIN, "--minutes", "q"], "--minutes", "Stop earlier"),
    ([*TRAIN, "--device", "tpu"], "Invalid choice 'tpu'", "'cpu', 'cuda', 'mps'"),
    (["train", "face", "--data"], "Missing value", "a value"),
    (["generate"], "RUN is missing.", "A run folder"),
    (["generate", "a", "b"], "'b' is more than generate takes", "the help lists"),
    (["prepare"], "PHOTOS is missing.", "A folder, a zip"),
]


@pytest.mark.parametrize(
    ("words", "given", "needed"), [*(([*TRAIN, *words], *parts) for words, *parts in OURS), *TYROS]
)
def test_a_wrong_option_is_answered_in_three_parts(
    words: list[str], given: str, needed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    shown = capsys.readouterr()
    first, second, third = shown.err.splitlines()
    assert given in first
    assert second.startswith("  needed: ")
    assert needed in second
    assert third.startswith("  to do:  ")
    assert not shown.out


def test_a_terminals_colours_and_width_are_no_part_of_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["train", "face"])
    plain = capsys.readouterr().err
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    cli.run(["train", "face"])
    assert capsys.readouterr().err == plain


def test_a_box_of_another_make_is_still_refused() -> None:
    for box in ("", "error: --seed is odd\n", "+---+\n| ? |\n+---+\n"):
        error = refusal(SystemExit(2), box, "train face")
        assert error.exit_code == 2
        assert error.given
        assert "facesmith train face --help" in error.todo


@pytest.mark.parametrize("columns", ["30", "80", "200"])
def test_a_narrow_terminal_breaks_no_name(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert cli.run([*TRAIN, "--optimizers.generator.learningrate", "5"]) == 2
    meant = "(did you mean --optimizers.generator.learning-rate or "
    assert meant in capsys.readouterr().err


def test_a_refused_training_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["train", "face", "--data", "nowhere", "--run", "new"]) == 3
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    (tmp_path / "old/mine.txt").touch()
    assert cli.run(["train", "face", "--data", "nowhere", "--run", "old"]) == 3
    assert (tmp_path / "old/mine.txt").exists()
