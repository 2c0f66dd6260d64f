"""How far are a run's samples from held-out faces?

python benchmarks/distance.py RUN... --data DATASET, where a RUN may also be one of its checkpoints:
runs/face/checkpoints/* gives the way that a run took.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import facesmith
from facesmith.base.allocator import keep_large_blocks
from judge import MobileNet, features, frechet


def main() -> None:
    """Print one JSON object a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset")
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument(
        "--reals", type=int, default=2_500, help="held-out faces, as far as there are"
    )
    options = parser.parse_args()
    keep_large_blocks()
    network = MobileNet()
    dataset = facesmith.Dataset.open(options.data)
    held_out = features(network, np.array(dataset.held_out[: options.reals]))
    train = features(network, np.array(dataset.images[: options.samples]))
    floor = frechet(train, held_out)
    for run in options.runs:
        model = facesmith.load(run)
        state = json.loads((model.snapshot.folder / "state.json").read_text(encoding="utf-8"))
        fakes = features(network, model.generate(range(options.samples)))
        print(
            json.dumps(
                {
                    "run": model.snapshot.folder.parents[1].name,
                    "recipe": model.snapshot.recipe.name,
                    "images_seen": model.snapshot.images_seen,
                    "seconds": round(state["seconds"]),
                    "frechet_mobilenet_v1": round(frechet(fakes, held_out), 2),
                    "real_against_real": round(floor, 2),
                    "samples": options.samples,
                    "held_out": len(held_out),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
