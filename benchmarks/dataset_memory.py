"""Does a dataset of CelebA's size train in a small, bounded amount of memory, and how fast is it read?

Prepares a dataset of 64x64 images, of photos in a zip that are repeated under other names until there are
enough, or of noise; reads one epoch of batches; and trains for a while, each in a fresh process.
Run: python benchmarks/dataset_memory.py [--images 202599] [--photos celeba.zip]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesmith.data.sources.contract import Entry, Item, Source

CELEBA_IMAGES = 202_599
RESOLUTION = 64
BATCH = 64
TRAINED = 12_800
SEED = 0
RESULT = Path(__file__).parent / "results" / "dataset_memory.json"


class Synthetic:
    """Images of noise that differ from each other, made as they are read."""

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        """Make some images.

        Args:
            entries: Which.

        Yields:
            One item an entry.
        """
        import numpy as np

        from facesmith.data.sources.contract import Item

        for entry in entries:
            random = np.random.default_rng(entry.index)
            yield Item(random.integers(0, 256, (RESOLUTION, RESOLUTION, 3), dtype=np.uint8))


@lru_cache(maxsize=1)
def listed(photos: Path) -> Source:
    """List the photos of a zip, once in each process: a reader is sent along with every chunk."""
    from facesmith.data.sources.opening import open_source

    return open_source(photos, resolution=RESOLUTION, labels="none")


class Repeated:
    """The photos of a zip, again and again."""

    def __init__(self, photos: Path) -> None:
        self.photos = photos

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        """Read some photos.

        Args:
            entries: Which.

        Yields:
            One item an entry.
        """
        found = listed(self.photos)
        these = [found.entries[entry.index % len(found.entries)] for entry in entries]
        yield from found.reader.read(these)


def source(images: int, photos: Path | None) -> Source:
    """List the images.

    Args:
        images: How many.
        photos: A zip of photos to repeat; None for noise.

    Returns:
        The source.
    """
    from facesmith.data.sources.contract import Entry, Source

    size = RESOLUTION * RESOLUTION * 3
    entries = [Entry(f"{index:06d}", size, index) for index in range(images)]
    if photos is None:
        return Source("synthetic", entries, Synthetic())
    return Source("repeated", entries, Repeated(photos))


def write(folder: Path, images: int, photos: Path | None) -> int:
    """Prepare the dataset with as many processes as a user would.

    Args:
        folder: Where.
        images: How many.
        photos: A zip of photos to repeat; None for noise.

    Returns:
        Images written.
    """
    from facesmith.data.photos.framing import Framing
    from facesmith.data.plan import Plan
    from facesmith.data.prepare import carry_out

    plan = Plan(source(images, photos), Framing(RESOLUTION))
    return carry_out(plan, folder).summary.used


def read(folder: Path) -> int:
    """Read one epoch of flipped batches, as training does.

    Args:
        folder: The dataset.

    Returns:
        Images read.
    """
    from facesmith.data import Dataset

    dataset = Dataset.open(folder)
    for start in range(0, dataset.count, BATCH):
        dataset.batch(start, BATCH, seed=SEED, flip=0.5)
    return dataset.count


def read_map(folder: Path) -> int:
    """Read the same images through the memory map, for comparison.

    Args:
        folder: The dataset.

    Returns:
        Images read.
    """
    from facesmith.data import Dataset

    dataset = Dataset.open(folder)
    mapped = dataset.images
    for start in range(0, dataset.count, BATCH):
        mapped[dataset.batch_indices(start, BATCH, seed=SEED)]
    return dataset.count


def train(recipe_name: str, folder: Path) -> int:
    """Train for a while, from the reals' first batch to the last checkpoint.

    Args:
        recipe_name: Of a 64-pixel recipe.
        folder: The dataset.

    Returns:
        Images trained on.
    """
    from facesmith import Dataset, Run, find_recipe
    from facesmith.training import loop, observers

    with tempfile.TemporaryDirectory() as run:
        settings = Run(Path(run), images=TRAINED)
        recipe = find_recipe(recipe_name)
        return loop.train(recipe, settings, Dataset.open(folder), observers.standard()).images_seen


# The first reading may find the file on the disk, the second finds it in the page cache.
PHASES = {
    "prepare": write,
    "read_first": lambda folder, *_: read(folder),
    "read": lambda folder, *_: read(folder),
    "read_memory_map": lambda folder, *_: read_map(folder),
    "train_face": lambda folder, *_: train("face", folder),
    "train_dcgan_tutorial": lambda folder, *_: train("dcgan-tutorial", folder),
}


def peak_megabytes() -> float:
    """Give the largest resident memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(
            x for x in status.read_text(encoding="utf-8").splitlines() if x.startswith("VmHWM")
        )
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


class Family:
    """Watches the memory of this process and of the workers it starts; pages they share count twice."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Family:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        me = psutil.Process()
        while not self._ended.wait(1):  # looking at all processes costs more than their work
            total = 0
            for process in (me, *me.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += process.memory_info().rss
            self.peak = max(self.peak, total / 2**20)


def run_phase(name: str, folder: Path, images: int, photos: Path | None) -> dict[str, float]:
    """Run one phase in this process and measure it.

    Args:
        name: Of `PHASES`.
        folder: Of the dataset.
        images: How many.
        photos: A zip of photos to repeat.

    Returns:
        The figures.
    """
    import facesmith.data.prepare  # noqa: F401  the libraries' own memory

    before = peak_megabytes()
    started, worked = time.perf_counter(), time.process_time()
    with Family() as family:
        count = PHASES[name](folder, images, photos)
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - worked
    return {
        "images": count,
        "seconds": round(seconds, 2),
        "images_per_second": round(count / seconds),
        # Where other work shares the machine, this is nearer to what the reader can do.
        "images_per_processor_second": round(count / processor_seconds),
        "peak_rss_mb": round(peak_megabytes(), 1),
        "peak_rss_with_workers_mb": round(max(family.peak, peak_megabytes()), 1),
        "libraries_rss_mb": round(before, 1),
    }


def main() -> None:
    """Run all phases and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=CELEBA_IMAGES)
    parser.add_argument("--photos", type=Path, help="a zip of photos to repeat")
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        print(json.dumps(run_phase(given.phase, given.folder, given.images, given.photos)))
        return
    from facesmith.training.folder import processor

    result: dict[str, Any] = {
        "photos": given.photos.name if given.photos else "noise",
        "resolution": RESOLUTION,
        "batch": BATCH,
        "processor": processor(),
        "processors": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        for phase in PHASES:
            options = [
                "--phase",
                phase,
                "--folder",
                f"{folder}/pack",
                "--images",
                str(given.images),
                *(["--photos", str(given.photos)] if given.photos else []),
            ]
            command = [sys.executable, __file__, *options]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            result[phase] = json.loads(done.stdout)
            print(f"{phase}: {result[phase]}", flush=True)
        result["pack_mb"] = round(Path(folder, "pack", "train.npy").stat().st_size / 1e6)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
