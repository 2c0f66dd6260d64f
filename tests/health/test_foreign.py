"""Metrics of other programs become records."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from facesmith.base import records
from facesmith.base.errors import DataError
from facesmith.base.records import Record
from facesmith.health.columns import NAMES, OURS
from facesmith.health.course import Course
from facesmith.health.findings import diagnose
from facesmith.health.foreign import least_separation, read_any, read_foreign
from facesmith.measuring.logits import separation


def stylegan(kimg: float, loss: float) -> str:
    def stat(mean: float, std: float = 0.1) -> dict[str, float]:
        return {"num": 32, "mean": mean, "std": std}

    return json.dumps(
        {
            "Loss/scores/fake": stat(-1.5, 0.5),
            "Loss/signs/fake": stat(-0.8),
            "Loss/G/loss": stat(loss, 0.25),
            "Loss/scores/real": stat(1.25),
            "Loss/signs/real": stat(0.7),
            "Loss/D/loss": stat(0.9),
            "Loss/r1_penalty": stat(0.03),
            "Progress/kimg": {"num": 1, "mean": kimg, "std": 0.0},
            "Timing/total_sec": {"num": 1, "mean": 10 * kimg, "std": 0.0},
            "Resources/cpu_mem_gb": {"num": 1, "mean": 2.0, "std": 0.0},
            "Augment/p": {"num": 1, "mean": 0.3, "std": 0.0},
            "timestamp": 1.6e9 + kimg,
        }
    )


def test_stylegans_statistics_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "stats.jsonl"
    path.write_text(
        "\n".join(stylegan(4.0 * n, 1 / (n + 1)) for n in range(3)) + '\n{"half', "utf-8"
    )
    found, facts = read_any(tmp_path)
    assert [r.images_seen for r in found] == [0, 4000, 8000]
    last = found[-1]
    assert (last.generator_loss, last.discriminator_loss) == (pytest.approx(1 / 3), 0.9)
    assert (last.real_logits, last.fake_logits, last.real_sign) == (1.25, -1.5, 0.7)
    assert last.penalties == {"R1": 0.03}
    assert last.signals["fake_sign"] == -0.8
    assert last.signals["generator_loss.spread"] == 0.25
    assert last.signals["fake_logits.spread"] == 0.5
    assert last.seconds == 80.0
    assert last.images_per_second == 100.0
    assert last.memory_bytes == 2 * 2**30
    assert math.isnan(last.real_probability)
    assert math.isnan(last.generator_gradient)
    assert facts.planned == 0
    said = [r.message for r in caplog.records]
    assert said == ["stats.jsonl: not understood, and left out: Augment/p"]
    assert isinstance(diagnose(found, facts), list)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_the_tutorial_kind_are_read(tmp_path: Path, delimiter: str) -> None:
    rows = [["iteration", "errD", "errG", "D(x)", "D(G(z))", "time"]]
    rows += [[str(n), f"{1 / n}", "2.5", "0.75", "0.25", str(100 + n)] for n in range(1, 4)]
    path = tmp_path / "log.csv"
    path.write_text("\ufeff" + "\n".join(delimiter.join(row) for row in rows), "utf-8")
    found, facts = read_any(path, batch=64)
    assert [(r.steps, r.images_seen, r.seconds) for r in found] == [
        (1, 64, 0),
        (2, 128, 1),
        (3, 192, 2),
    ]
    assert [r.discriminator_loss for r in found] == pytest.approx([1, 1 / 2, 1 / 3])
    assert {(r.generator_loss, r.real_probability, r.fake_probability) for r in found} == {
        (2.5, 0.75, 0.25)
    }
    assert found[1].images_per_second == 64
    assert facts.batch == 64


@pytest.mark.parametrize(
    ("discriminator", "generator"),
    [
        ("errD", "errG"),
        ("loss_d", "loss_g"),
        ("D_loss", "G_loss"),
        ("d_loss", "g_loss"),
        ("Loss/D", "Loss/G"),
        ("Loss/D/loss", "Loss/G/loss"),
        ("lossD", "lossG"),
        ("discriminator_loss", "generator_loss"),
        ("disc_loss", "gen_loss"),
        ("critic loss", "generator loss"),
    ],
)
def test_losses_have_many_names(tmp_path: Path, discriminator: str, generator: str) -> None:
    path = tmp_path / "numbers.jsonl"
    path.write_text(json.dumps({"step": 3, discriminator: 0.5, generator: "1.5"}), "utf-8")
    (record,) = read_foreign(path, batch=10)
    assert (record.images_seen, record.discriminator_loss, record.generator_loss) == (30, 0.5, 1.5)


@pytest.mark.parametrize("seed", range(3))
def test_mean_probabilities_bound_the_pairs_that_are_ranked_rightly(seed: int) -> None:
    generator = np.random.default_rng(seed)
    real, fake = generator.beta(8, 1, 400), generator.beta(1, 12, 300)
    bound = least_separation(real.mean(), fake.mean())
    assert 0.5 < bound <= separation(real, fake)
    # Two values only: a share of reals at a half, a share of fakes there, and the bound is nearly reached.
    assert least_separation(1 - 0.5 * 0.1, 0.5 * 0.1) == pytest.approx(0.81)
    assert least_separation(0.4, 0.1) == 0
    assert math.isnan(least_separation(0.9, math.nan))


def test_a_discriminator_that_is_always_right_is_found_in_a_table(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"{500 * n},1e-4,{20 + n},0.9995,1e-6" for n in range(40)]
    path.write_text("\n".join(["iteration,errD,errG,D(x),D(G(z))", *lines]), "utf-8")
    found, facts = read_any(path, batch=64)
    first = diagnose(found, facts)[0]
    assert (first.kind, first.severity) == ("discriminator-too-strong", "ill")
    assert "nan" not in " ".join(evidence.text for evidence in first.evidence)
    mild = path.read_text("utf-8").replace("0.9995", "0.7").replace("1e-6", "0.3")
    path.write_text(mild, "utf-8")
    assert diagnose(*read_any(path, batch=64))[0].kind == "healthy"


def test_halves_of_a_loss_are_added(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("kimg,d_loss_real,d_loss_fake,lr_d,gp\n2,0.25,0.5,1e-4,0.75\n", "utf-8")
    (record,) = read_foreign(path)
    assert (record.images_seen, record.discriminator_loss) == (2000, 0.75)
    assert record.learning_rates == {"discriminator": 1e-4}
    assert record.penalties == {"GradientPenalty": 0.75}


def test_numbers_without_a_count_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("epoch,d_loss\n0,0.5\n0,nan\n1,\n", "utf-8")
    found = read_foreign(path)
    assert [r.images_seen for r in found] == [1, 2, 3]
    assert [math.isnan(r.discriminator_loss) for r in found] == [False, True, True]
    assert [r.message.partition(":")[2].strip() for r in caplog.records] == [
        "not understood, and left out: epoch",
        "each is taken for one image",
    ]


def test_what_was_made_again_after_a_restart_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("images,d_loss\n10,1\n20,2\n30,3\n20,4\n30,5\n", "utf-8")
    found = read_foreign(path)
    assert [(r.images_seen, r.discriminator_loss) for r in found] == [(10, 1), (20, 4), (30, 5)]


def test_our_own_files_are_read_as_they_are(tmp_path: Path) -> None:
    numbers = {name: 0.5 for name in Record.__dataclass_fields__ if name not in GROUPS}
    record = Record(**{**numbers, "images_seen": 64, "steps": 2, "memory_bytes": 5})  # type: ignore[arg-type]
    records.append(tmp_path / "metrics.jsonl", record)
    (tmp_path / "run.json").write_text(json.dumps({"run": {"images": 900}}), "utf-8")
    for path in (tmp_path, tmp_path / "metrics.jsonl"):
        found, facts = read_any(path)
        assert found == [record]
        assert facts.planned == 900
    (tmp_path / "metrics.jsonl").write_text(records.HEADER, "utf-8")  # nothing recorded yet
    assert read_any(tmp_path)[0] == []


GROUPS = ("penalties", "learning_rates", "signals", "layers", "quantiles")


@pytest.mark.parametrize("text", ["", "{}", "epoch,accuracy\n1,0.5\n", "just words", '{"step": 3}'])
def test_files_of_something_else_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match="tells of no GAN"):
        read_any(path)


def test_columns_that_are_not_understood_are_named_in_the_refusal(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("epoch,accuracy\n1,0.5\n", "utf-8")
    with pytest.raises(DataError, match="epoch, accuracy"):
        read_any(tmp_path / "some.csv")


def test_places_without_metrics_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no run"):
        read_any(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_any(tmp_path / "nothing.csv")


def test_no_name_means_two_things() -> None:
    assert len(OURS) == sum(map(len, NAMES.values()))


def test_a_course_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text(
        "images,d_loss,g_loss\n" + "".join(f"{n},1,{n}\n" for n in range(1, 9)), "utf-8"
    )
    course = Course(read_foreign(path))
    assert course.now("generator_loss", 1) == 8
    assert not course.knows("real_logits")


def test_counters_and_memory_that_are_no_numbers_end_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss_d,loss_g,cpu_mem_gb\n1,0.5,1,n/a\ninf,0.5,1,1\n3,0.5,1,1\n", "utf-8")
    assert [r.images_seen for r in read_foreign(path)] == [1, 2, 3]


def test_a_generator_that_is_updated_seldom_is_not_broken(tmp_path: Path) -> None:
    """A critic has several updates for each of the generator; their lines have no loss of it."""
    path = tmp_path / "log.csv"
    lines = ["step,loss_d,loss_g", *(f"{n},-0.5,{'' if n % 5 else 1.5}" for n in range(5, 60))]
    path.write_text("\n".join(lines), "utf-8")
    found, facts = read_any(path)
    assert {r.generator_loss for r in found} == {1.5}
    assert [f.kind for f in diagnose(found, facts)] == ["healthy"]


def test_losses_that_become_nan_are_said_to_without_another_nan(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss_d,loss_g\n1,0.5,1\n2,0.5,1\n3,nan,nan\n", "utf-8")
    (found,) = diagnose(*read_any(path))
    assert (found.kind, found.severity, found.since) == ("non-finite", "ill", 3)
    assert "nan" not in found.evidence[0].text


@pytest.mark.parametrize("loss", ["0,5", "nan"])
def test_losses_none_of_which_is_a_number_are_not_well(loss: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"step;loss_d;loss_g\n1;{loss};{loss}\n2;{loss};{loss}\n", "utf-8")
    with pytest.raises(DataError, match="not one"):
        read_any(path)
