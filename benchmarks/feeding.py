"""How fast do training images come: from a pack on disk, from memory, or straight from photos?

Alone, and while `face` trains on them; each measurement in a fresh process.
Run: python benchmarks/feeding.py PHOTOS.zip [--crop center:178] [--workers 2] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesmith.data.dataset import Dataset
    from facesmith.data.streaming.streamed import Streamed

RESOLUTION, BATCH, SEED = 64, 64, 0
RESULT = Path(__file__).parent / "results" / "feeding.json"


def pack(given: argparse.Namespace) -> Dataset:
    """Open the pack, making it at first."""
    from facesmith.data.prepare import prepare

    return prepare(given.photos, given.folder, resolution=RESOLUTION, crop=given.crop, clean="none")


def photos(given: argparse.Namespace) -> Streamed:
    """List the photos, to be decoded when they are wanted."""
    from facesmith.data.plan import Preparation
    from facesmith.data.streaming.streamed import streamed

    return streamed(given.photos, Preparation(RESOLUTION, given.crop), workers=given.workers)


def read(batch: Callable[..., Any], images: int) -> dict[str, Any]:
    """Read flipped batches as training does, after one that brings everything to its place."""
    batch(0, BATCH, seed=SEED, flip=0.5)
    began = Clock()
    for start in range(BATCH, images, BATCH):
        batch(start, BATCH, seed=SEED, flip=0.5)
    return began.rates(images - BATCH)


def read_disk(given: argparse.Namespace) -> dict[str, Any]:
    """Read the pack's file."""
    return read(pack(given).batch, given.read)


def read_ram(given: argparse.Namespace) -> dict[str, Any]:
    """Read a pack that is kept in memory."""
    from facesmith.training.keeping import InMemory

    return read(InMemory(pack(given)).batch, given.read)


def read_photos(given: argparse.Namespace) -> dict[str, Any]:
    """Decode in workers."""
    return read(photos(given).batch, given.decoded)


def train(given: argparse.Namespace, opened: Dataset | Streamed) -> dict[str, Any]:
    """Train `face` for a while; from the first record to the last, so that starting does not count.

    On one thread, so that what decodes has a processor of its own.
    """
    from dataclasses import replace

    import torch

    from facesmith import Run, find_recipe
    from facesmith.training import compute, loop

    torch.set_num_threads(1)
    precision = "bf16" if compute.has_bf16(torch.device("cpu")) else "fp32"
    clocks: list[Clock] = []
    images: list[int] = []

    class Watch:
        def started(self, view: Any) -> None:
            pass

        def stepped(self, view: Any, record: Any) -> None:
            images.append(record.images_seen)
            clocks.append(Clock())

        def finished(self, view: Any, reason: str) -> None:
            pass

    with tempfile.TemporaryDirectory() as run:
        settings = Run(Path(run), images=given.trained, record_every=BATCH, device="cpu")
        cache = "auto" if given.phase == "train_pack" else "none"
        loop.train(
            find_recipe("face"),
            replace(settings, cache=cache, precision=precision),
            opened,
            [Watch()],
        )
    return clocks[0].rates(images[-1] - images[0], clocks[-1])


PHASES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "read_disk": read_disk,
    "read_ram": read_ram,
    "read_photos": read_photos,
    "train_pack": lambda given: train(given, pack(given)),
    "train_photos": lambda given: train(given, photos(given)),
}


class Clock:
    """A moment: by the wall, and by what this process and its workers have worked."""

    def __init__(self) -> None:
        import psutil

        self.wall = time.perf_counter()
        self.own = time.process_time()
        children = psutil.Process().children()
        self.workers = sum(sum(child.cpu_times()[:2]) for child in children)
        self.workers_mb = sum(child.memory_info().rss for child in children) / 2**20

    def rates(self, images: int, now: Clock | None = None) -> dict[str, Any]:
        """Give what was done since then."""
        now = now or Clock()
        return {
            "images": images,
            "images_per_second": round(images / (now.wall - self.wall)),
            # Where other work shares the machine, this is nearer to what the code can do.
            "images_per_processor_second": round(
                images / (now.own - self.own + now.workers - self.workers)
            ),
            "own_share_of_processor_time": round(
                (now.own - self.own) / (now.own - self.own + now.workers - self.workers), 3
            ),
            "workers_rss_mb": round(now.workers_mb),
        }


def main() -> None:
    """Run all phases, in turns, and write the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--crop", default="center")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--read", type=int, default=64_000)
    parser.add_argument("--decoded", type=int, default=16_000)
    parser.add_argument("--trained", type=int, default=4_800)  # several pools
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        found = PHASES[given.phase](given)
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        print(json.dumps({**found, "peak_rss_mb": round(int(peak.split()[1]) / 2**10)}))
        return
    from facesmith.training.folder import processor

    measured: dict[str, list[dict[str, Any]]] = {phase: [] for phase in PHASES}
    with tempfile.TemporaryDirectory() as folder:
        given.folder = Path(folder, "pack")
        images = pack(given).count
        for _ in range(given.rounds):
            for phase, rounds in measured.items():
                command = [sys.executable, __file__, *sys.argv[1:]]
                command += ["--folder", str(given.folder), "--phase", phase]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                rounds.append({**json.loads(done.stdout), "load": round(os.getloadavg()[0], 1)})
                print(f"{phase}: {rounds[-1]}", flush=True)
    result = {
        "photos": given.photos.name,
        "images": images,
        "resolution": RESOLUTION,
        "batch": BATCH,
        "workers": given.workers,
        "processor": processor(),
        "processors": os.cpu_count(),
        "rounds": given.rounds,
        "median": {
            phase: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
            for phase, rounds in measured.items()
        },
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result["median"], indent=2))


if __name__ == "__main__":
    main()
