"""What watching costs: python benchmarks/health_overhead.py [--resolution 64] [--recipe face]

The same training with the doctor and without, in turns, each in a process of its own. With it, every signal
is measured at each record (1,000 images) and each sheet of samples (10,000), and the findings are diagnosed;
without it, losses and logits are kept as before and nothing else. Sheets of samples are written by both.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facesmith.base.records import Record
from facesmith.data.dataset import Dataset
from facesmith.data.prepare import prepare
from facesmith.measuring.meter import Meter
from facesmith.measuring.probe import Found
from facesmith.recipes import find_recipe
from facesmith.training import loop, observers
from facesmith.training.folder import processor
from facesmith.training.run import Run
from facesmith.training.signals import Signals
from facesmith.training.view import View
from facesmith.training.watch import Health

PLANNED = 200_000
"""Images of a usual run, by which its pace of probes is chosen."""


class Until:
    """Asks for a stop when enough was measured."""

    def __init__(self, images: int) -> None:
        """Take note of the images that are enough."""
        self.images = images

    def started(self, view: View) -> None:
        """Wait."""

    def stepped(self, view: View, record: Record) -> str | None:
        """Ask, once it is time."""
        return "measured" if record.images_seen >= self.images else None

    def finished(self, view: View, reason: str) -> None:
        """Leave."""


class Blind(Signals):
    """Measures nothing."""

    def __init__(self, view: View) -> None:
        """Take note of the run."""
        self.view = view

    def facts(self) -> dict[str, Any]:
        """Know nothing of it."""
        return {}

    def examine(self, *, due: bool) -> Any:
        """Look at no update."""
        return contextlib.nullcontext()

    def look(self, meter: Meter) -> tuple[Found, dict[str, dict[str, float]]]:
        """Look at no record."""
        return Found(), {}


def one(
    recipe_name: str, resolution: int, images: int, data: Path, *, watched: bool
) -> dict[str, float]:
    """Train once; images a second without the first record, which warms up."""
    recipe = replace(find_recipe(recipe_name), resolution=resolution)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run", PLANNED, record_every=1_000, sample_every=10_000)
        chosen = observers.standard(Until(images))
        if not watched:
            loop.Signals = Blind  # type: ignore[misc]
            chosen = [each for each in chosen if not isinstance(each, Health | observers.Preflight)]
        loop.train(recipe, run, Dataset.open(data), chosen)
        lines = (run.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    records = [json.loads(line) for line in lines]
    spent = records[-1]["seconds"] - records[0]["seconds"]
    shares = [record["signals"].get("time.signals", 0.0) for record in records[1:]]
    return {
        "images_per_second": (records[-1]["images_seen"] - records[0]["images_seen"]) / spent,
        "time_signals": float(np.mean(shares)),
    }


def main() -> None:
    """Alternate, and print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="face")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument(
        "--images", type=int, default=21_000, help="of each training that are measured"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--one", choices=("watched", "blind"), help="of the processes that this one starts"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "facesmith-overhead"
    )
    options = parser.parse_args()
    data = options.data / str(options.resolution)
    if options.one:
        found = one(
            options.recipe,
            options.resolution,
            options.images,
            data,
            watched=options.one == "watched",
        )
        print(json.dumps(found))
        return
    if not (data / "dataset.json").exists():
        prepare("portraits:4000", data, resolution=options.resolution)
    measured: dict[str, list[dict[str, float]]] = {"watched": [], "blind": []}
    for _ in range(options.rounds):
        for which, results in measured.items():
            command = [sys.executable, __file__, "--one", which, "--recipe", options.recipe]
            command += ["--resolution", str(options.resolution), "--images", str(options.images)]
            command += ["--data", str(options.data)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results.append(json.loads(done.stdout.splitlines()[-1]))
            print(which, results[-1], flush=True)
    speeds = {
        which: [result["images_per_second"] for result in results]
        for which, results in measured.items()
    }
    ratios = [b / w - 1 for w, b in zip(speeds["watched"], speeds["blind"], strict=True)]
    summary = {
        "recipe": options.recipe,
        "resolution": options.resolution,
        "processor": processor(),
        "images_per_second": {
            which: round(statistics.median(all_)) for which, all_ in speeds.items()
        },
        "cost_of_watching": round(statistics.median(ratios), 4),
        "each_round": [round(ratio, 4) for ratio in ratios],
        "time_in_signals": round(
            statistics.median(r["time_signals"] for r in measured["watched"]), 4
        ),
    }
    print(json.dumps(summary, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
