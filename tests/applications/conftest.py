"""A run folder made by hand, and a reader that checks pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesmith.applications.report import attempt as attempts
from facesmith.base import images, records
from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.health.finding import Change, Evidence, Finding, Remedy
from facesmith.recipes import find_recipe

VOID = {"meta", "img", "input", "wbr"}
EVIL = '<script>alert("x")</script>"\'>&'


class Reader(HTMLParser):
    """Checks that tags close in order, and keeps what a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))  # SVG's own way

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        """Give the attributes of all tags of a name, and of a class."""
        return [a for t, a in self.tags if t == tag and (not kind or kind in str(a.get("class")))]


@pytest.fixture(autouse=True)
def no_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules change; pages are tested with findings that a test gives them."""
    monkeypatch.setattr(attempts, "diagnose", lambda records, facts: [])


@pytest.fixture
def reader() -> type[Reader]:
    return Reader


def record(number: int, **more: Any) -> Record:
    """Make the n-th record of a run whose curves are known."""
    signals = {
        "discriminator_loss.spread": 0.1,
        "separation": 0.9,
        "fakes.diversity": 0.8,
        "fakes.mean": 0.4,
        "fakes.red": 0.6,
        "fakes.green": 0.5,
        "fakes.blue": 0.4,
        "time.compute": 0.7,
        "time.data": 0.3,
        "generator.update": 0.01 / number,
    }
    if number % 4 == 0:
        signals |= {"distance": 5.0 - number / 100, "distance.floor": 1.0}
    layers = {
        f"{player}/{layer}": {"gradient_to_weight": 0.1, "update_to_weight": 1e-3}
        for player, layer in (
            ("generator", "project"),
            ("generator", "stages.0"),
            ("discriminator", "judge"),
        )
    }
    quantiles = {
        name: [float(q) for q in np.linspace(-1, 1, 9)]
        for name in ("real_logits", "fake_logits", "held_out_logits")
    }
    values: dict[str, Any] = {
        "images_seen": 100 * number,
        "steps": number,
        "seconds": 2.0 * number,
        "images_per_second": 50.0,
        "memory_bytes": 2**30,
        "discriminator_loss": 1.0,
        "generator_loss": 2.0,
        "real_logits": 1.0,
        "fake_logits": -1.0,
        "real_probability": 0.8,
        "fake_probability": 0.2,
        "real_sign": 0.9,
        "discriminator_gradient": 3.0,
        "generator_gradient": 4.0,
        "non_finite": 0.0,
        "penalties": {"0.R1": 0.2},
        "learning_rates": {"generator": 2e-4, "discriminator": 1e-4},
        "signals": signals,
        "layers": layers,
        "quantiles": quantiles,
    }
    return Record(**{**values, **more})


def write_run(folder: Path, count: int = 20, name: str = "face", **recipe: Any) -> Path:
    """Write a run folder of so many records, with three sheets of samples."""
    (folder / "samples").mkdir(parents=True)
    for number in range(1, count + 1):
        records.append(folder / "metrics.jsonl", record(number))
    tree = {
        "recipe": {**to_dict(find_recipe(name)), **recipe},
        "run": {"folder": str(folder), "images": 4000, "seed": 0},
        "data": {"folder": "/data/faces", "count": 1000},
        "facts": {"data": {"pictures": {"mean": 0.5, "red": 0.7, "green": 0.5, "blue": 0.3}}},
    }
    (folder / "run.json").write_text(json.dumps(tree))
    (folder / "env.json").write_text(json.dumps({"torch": "2.0", "accelerator": None}))
    events = [
        {"time": "2030-01-01T10:00:00+0000", "event": "started", "images_seen": 0},
        {
            "time": "2030-01-01T10:10:00+0000",
            "event": "stopped",
            "images_seen": 2000,
            "reason": EVIL,
        },
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    noise = np.random.default_rng(0)
    for seen in (0, 1000, 2000):
        sheet = noise.integers(0, 256, (40, 40, 3), np.uint8)
        images.write_png(folder / f"samples/fakes-{seen:012d}.png", sheet, text={"Source": "made"})
    images.write_png(folder / "reals.png", sheet, text={"Source": "training images"})
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Give a maker of run folders, which takes their name."""
    return lambda folder, **more: write_run(tmp_path / folder, **more)


@pytest.fixture
def run_folder(tmp_path: Path) -> Callable[..., Path]:
    return lambda *args, **more: write_run(tmp_path / "faces-64", *args, **more)


@pytest.fixture
def findings() -> tuple[Finding, ...]:
    """One of each severity; the words are a stranger's."""
    return (
        Finding(
            "learning-rate-too-high",
            "ill",
            f"D learns too fast {EVIL}",
            500,
            f"explained {EVIL}",
            Remedy(
                f"halve it {EVIL}",
                (Change("optimizers.discriminator.learning_rate", "0.0001"),),
                trusted=True,
            ),
            "discriminator",
            (
                Evidence(f"separation is high {EVIL}", "separation", 0.9, 0.7),
                Evidence("the spread too", "discriminator_loss.spread", 0.1, 0.05),
            ),
        ),
        Finding("partial-collapse", "warning", "many twins", 900, "why", Remedy("more data")),
        Finding("average-lags", "note", "the average lags", 0, "why so", Remedy("wait")),
    )
