"""How fast are photos prepared, against the plain loop: python benchmarks/preparing.py PHOTOS.zip

Both make 64x64 images of the centre square of the same JPEG files in a zip, with the same Lanczos filter.
The plain loop is what people write: open, convert, crop, resize, save as PNG. facesmith also checks,
hashes, measures and signs each photo, looks for copies, and writes a dataset that survives a kill. Each
runs in a process of its own, the two alternating, so that a drift of the machine meets both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESOLUTION = 64
RESULT = Path(__file__).parent / "results" / "preparing.json"


def plain(photos: Path, out: Path, count: int) -> int:
    """Run the plain loop.

    Args:
        photos: The zip.
        out: An empty folder.
        count: Photos to prepare.

    Returns:
        How many were.
    """
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(photos) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[:count]
        for index, name in enumerate(names):
            with archive.open(name) as file:
                image = Image.open(file).convert("RGB")
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.crop((left, top, left + side, top + side))
            small = square.resize((RESOLUTION, RESOLUTION), Image.Resampling.LANCZOS)
            small.save(out / f"{index:06d}.png")
    return len(names)


def facesmith(photos: Path, out: Path, count: int) -> int:
    """Prepare the photos as a user would."""
    from facesmith import prepare

    return prepare(photos, out / "dataset", resolution=RESOLUTION, limit=count).summary.found


WAYS = {"plain": plain, "facesmith": facesmith}


def measure(way: str, photos: Path, count: int) -> float:
    """Measure one way in a process of its own, its start included.

    Args:
        way: Of `WAYS`.
        photos: The zip.
        count: Photos.

    Returns:
        Photos a second.
    """
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        command = [sys.executable, __file__, photos, "--photos", str(count)]
        subprocess.run([*command, "--way", way, "--out", out], check=True)
        return count / (time.perf_counter() - begin)


def main() -> None:
    """Run all rounds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        WAYS[given.way](given.zip, given.out, given.photos)
        return
    from facesmith.training.folder import environment

    figures: dict[str, list[float]] = {way: [] for way in WAYS}
    for round_number in range(given.rounds):
        for way in WAYS:
            figures[way].append(round(measure(way, given.zip, given.photos), 1))
        ratio = figures["facesmith"][-1] / figures["plain"][-1]
        print(f"round {round_number}: {figures['plain'][-1]:,.0f} photos/s plain, "
              f"{figures['facesmith'][-1]:,.0f} facesmith: {ratio:.2f} times")  # fmt: skip
    ratios = [ours / theirs for ours, theirs in zip(*reversed(figures.values()), strict=True)]
    result = {
        "environment": environment(),
        "photos": given.photos,
        "resolution": RESOLUTION,
        "photos_per_second": figures,
        "ratio_median": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
