"""Do the rules of cleaning find what is wrong, and leave alone what is not?

Three ways to know what is wrong: dirt that is planted among photographs of CelebA and UTKFace; 1,500
images of UTKFace, labelled by eye before the bounds were chosen, and the near duplicates found in 20,000
of CelebA, looked at one by one (`labels/cleaning.json` holds names, no pictures); and sets with hardly
anything wrong. The photographs lie in a folder of research data beside the checkout, since their licences
keep them out of this repository. Run: python benchmarks/cleaning.py [--data DIR] [--only PART ...]
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import platform
import re
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, as in a worker

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from facesmith.data.photos.decoding import decode
from facesmith.data.photos.framing import Framing
from facesmith.data.portraits import portraits
from facesmith.data.quality.cleaning import STANDARD, judge
from facesmith.data.quality.lookalikes import lookalikes
from facesmith.data.quality.measures import measure
from facesmith.data.quality.registration import differences
from facesmith.data.quality.signatures import NEAR, groups, sign, thumbnails

DATA = Path(__file__).parents[2] / "shared/data"
LABELS = Path(__file__).parent / "labels" / "cleaning.json"
RESULT = Path(__file__).parent / "results" / "cleaning.json"
SETS = {"celeba": "celeba_20000.zip", "utkface": "utkface_1500.zip"}
RESOLUTION, CHUNK = 64, 64
CLEAN, DIRTY = {"celeba": 2000, "utkface": 1000}, 50
COPIED = 400
CELEBA_IMAGES = 202_599
SEED = 0

Pixels = NDArray[np.uint8]
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


@dataclass
class Photos:
    """Photographs that are prepared, and their sources."""

    names: list[str]
    pixels: Pixels
    sides: list[float]
    archive: zipfile.ZipFile

    @classmethod
    def open(cls, path: Path) -> Photos:
        """Prepare all photographs of a zip.

        Args:
            path: The zip.

        Returns:
            Their squares in the middle.
        """
        archive = zipfile.ZipFile(path)
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        cuts = [prepared(archive.read(name)) for name in names]
        return cls(names, np.stack([cut[0] for cut in cuts]), [cut[1] for cut in cuts], archive)

    def source(self, place: int) -> Image.Image:
        """Decode a photograph.

        Args:
            place: Of its name.

        Returns:
            All of it.
        """
        return Image.open(io.BytesIO(self.archive.read(self.names[place]))).convert("RGB")


def prepared(data: bytes) -> tuple[Pixels, float]:
    """Make a training image of a file; also the side of its crop."""
    cut = decode(data, Framing(RESOLUTION))[0]
    assert cut.pixels is not None
    return cut.pixels, cut.side


def encoded(image: Image.Image, quality: int = 90) -> bytes:
    """Encode as JPEG."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def judged(
    names: Sequence[str], digests: Sequence[str], pixels: Pixels, sides: Sequence[float]
) -> list[str]:
    """Let the standard rules judge training images."""
    chunks = [measure(pixels[i : i + CHUNK]) for i in range(0, len(pixels), CHUNK)]
    columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return judge(
        names,
        digests,
        columns | {"side": np.array(sides, np.float32)},
        signed(pixels),
        STANDARD,
        resolution=pixels.shape[1],
        channels=pixels.shape[3],
    )


def signed(pixels: Pixels) -> NDArray[np.uint64]:
    """Sign training images as workers do, chunk by chunk."""
    return np.concatenate([sign(pixels[i : i + CHUNK]) for i in range(0, len(pixels), CHUNK)])


def kinds(reasons: Sequence[str]) -> dict[str, int]:
    """Count reasons by their kind."""
    return dict(Counter(reason.partition(":")[0] or "kept" for reason in reasons).most_common())


# ---- what is planted


def cropped(share: float) -> Change:
    """Make a crop that loses this share of both sides, wherever it lies."""

    def change(image: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = (round(side * (1 - share)) for side in image.size)
        left = int(random.integers(0, image.width - width + 1))
        top = int(random.integers(0, image.height - height + 1))
        return image.crop((left, top, left + width, top + height))

    return change


def bent(gamma: float) -> Change:
    """Make a change of gamma."""
    curve = [round(255 * (value / 255) ** gamma) for value in range(256)] * 3
    return lambda image, random: image.point(curve)


def watermarked(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Write across an image."""
    layer = Image.new("RGBA", image.size)
    place = (
        int(random.integers(0, image.width // 2)),
        int(random.integers(image.height // 5, image.height * 4 // 5)),
    )
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(layer).text(place, "© PHOTO AGENCY", fill=(255, 255, 255, 160), font=font)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def compressed(quality: int) -> Change:
    """Make a compression."""
    return lambda image, random: Image.open(io.BytesIO(encoded(image, quality)))


COPIES: dict[str, Change] = {
    "JPEG 95": compressed(95),
    "JPEG 50": compressed(50),
    "JPEG 30": compressed(30),
    "half the size": lambda image, random: image.resize((image.width // 2, image.height // 2)),
    "cropped by 2 %": cropped(0.02),
    "cropped by 4 %": cropped(0.04),
    "cropped by 6 %": cropped(0.06),
    "brighter by 30 %": lambda image, random: ImageEnhance.Brightness(image).enhance(1.3),
    "darker by 30 %": lambda image, random: ImageEnhance.Brightness(image).enhance(0.7),
    "contrast x 1.4": lambda image, random: ImageEnhance.Contrast(image).enhance(1.4),
    "contrast x 0.65": lambda image, random: ImageEnhance.Contrast(image).enhance(0.65),
    "gamma 1.5": bent(1.5),
    "gamma 0.67": bent(0.67),
    "turned by 2 degrees": lambda image, random: image.rotate(
        float(random.choice([-2, 2])), Image.Resampling.BICUBIC
    ),
    "watermark": watermarked,
    "grey": lambda image, random: ImageOps.grayscale(image),
    "mirrored": lambda image, random: ImageOps.mirror(image),
}


def blurred(radius: float) -> Change:
    """Make a blur; of 178 pixels, 3 are 1.1 at 64."""
    return lambda image, random: image.filter(ImageFilter.GaussianBlur(radius))


def centred(side: int) -> Change:
    """Make a small copy of the square in the middle."""
    return lambda image, random: ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)


DIRT: dict[str, tuple[Change, set[str]]] = {
    "blurred by 3 pixels": (blurred(3), {"blurred"}),
    "blurred by 4 pixels": (blurred(4), {"blurred"}),
    "blurred by 6 pixels": (blurred(6), {"blurred"}),
    "dark x 0.15": (lambda image, random: image.point(lambda v: v * 0.15), {"dark"}),
    "over-exposed x 3": (lambda image, random: image.point(lambda v: min(255, v * 3)), {"bright"}),
    "grey": (lambda image, random: ImageOps.grayscale(image), {"grey"}),
    "20 pixels": (centred(20), {"tiny"}),
    "one colour": (
        lambda image, random: Image.new("RGB", image.size, tuple(random.integers(64, 192, 3))),
        {"flat"},
    ),
}


def planted(photos: Photos, clean: int) -> dict[str, Any]:
    """Plant dirt of each kind, and copies, among photographs."""
    random = np.random.default_rng(SEED)
    order = random.permutation(len(photos.names))
    base, others = order[:clean], order[clean:]
    names = [photos.names[i] for i in base]
    digests, pixels = list(names), [photos.pixels[i] for i in base]
    sides = [photos.sides[i] for i in base]
    expected: list[set[str]] = [{""} for _ in base]
    labels = ["clean"] * clean

    def add(label: str, image: Image.Image, kind: set[str], number: int) -> None:
        square, side = prepared(encoded(image.convert("RGB")))
        names.append(f"planted/{label} {number}")
        digests.append(names[-1])
        pixels.append(square)
        sides.append(side)
        expected.append(kind)
        labels.append(label)

    sources = iter(np.resize(others, len(DIRT) * DIRTY).tolist())
    for label, (change, kind) in DIRT.items():
        for number in range(DIRTY):
            add(label, change(photos.source(next(sources)), random), kind, number)
    for number, place in enumerate(base[:DIRTY].tolist()):
        add("exact copy", photos.source(place), {"duplicate"}, number)
        digests[-1] = digests[number]
        pixels[-1], sides[-1] = pixels[number], sides[number]
    originals = iter(base[DIRTY:].tolist())
    for label, change in COPIES.items():
        if label == "grey":
            continue  # planted as dirt
        for number in range(DIRTY):
            add(label, change(photos.source(next(originals)), random), {"near duplicate"}, number)

    reasons = judged(names, digests, np.stack(pixels), sides)
    found: dict[str, dict[str, int]] = {}
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for label, wanted, reason in zip(labels, expected, reasons, strict=True):
        kind = reason.partition(":")[0]
        if kind == "near duplicate" and label == "clean":
            best = reason.removeprefix("near duplicate: of ").rpartition(",")[0]
            if best in names[clean:]:  # the copy was kept instead, which is no fault
                copy = labels[names.index(best)]
                found.setdefault(copy, {}).setdefault("kept instead of the original", 0)
                found[copy]["kept instead of the original"] += 1
                right[kind] += 1
                continue
        counts = found.setdefault(label, {})
        counts[kind or "kept"] = counts.get(kind or "kept", 0) + 1
        if kind:
            (right if kind in wanted else wrong)[kind] += 1
    return {
        "found": found,
        "rejected as planted": dict(right),
        "rejected otherwise": dict(wrong),
        "clean and rejected": [
            f"{name}: {reason}"
            for name, label, reason in zip(names, labels, reasons, strict=True)
            if label == "clean" and reason and not reason.startswith("near")
        ],
    }


def copies(photos: Photos) -> dict[str, float]:
    """Find copies of some photographs among all; the share that is found, kind by kind."""
    random = np.random.default_rng(SEED)
    count = len(photos.names)
    places = np.sort(random.permutation(count)[: min(COPIED, count // 5)])
    signatures = signed(photos.pixels)
    shares = {}
    for label, change in COPIES.items():
        images = [change(photos.source(i), random).convert("RGB") for i in places.tolist()]
        more = signed(np.stack([prepared(encoded(image))[0] for image in images]))
        leads = groups(np.concatenate([signatures, more]), NEAR)
        shares[label] = round(float(np.mean(leads[count:] == leads[places])), 4)
        print(f"  {label}: {shares[label]}", flush=True)
    return shares


# ---- what was labelled


def labelled(photos: Photos, labels: dict[str, list[str]]) -> dict[str, Any]:
    """Compare with what the eye saw at 64 pixels."""
    reasons = judged(photos.names, photos.names, photos.pixels, photos.sides)
    seen = {kind: set(names) for kind, names in labels.items()}
    soft = seen["slightly blurred"]
    result: dict[str, Any] = {"rejected": kinds(reasons)}
    short = [name.rpartition("/")[2] for name in photos.names]
    for kind in ("blurred", "grey", "dark"):
        found = {n for n, r in zip(short, reasons, strict=True) if r.startswith(f"{kind}:")}
        right = found & seen[kind]
        result[kind] = {
            "seen": len(seen[kind]),
            "found": len(found),
            "right": len(right),
            "recall": round(len(right) / len(seen[kind]), 3),
            "wrong": sorted(found - seen[kind] - (soft if kind == "blurred" else set())),
        }
    return result


def natural(photos: Photos, pairs: list[list[str]]) -> dict[str, Any]:
    """Count what the standard rules reject of photographs as they are, and look pairs up by eye."""
    reasons = judged(photos.names, photos.names, photos.pixels, photos.sides)
    known = {frozenset(pair[:2]): pair[2] for pair in pairs}
    seen: Counter[str] = Counter()
    for name, reason in zip(photos.names, reasons, strict=True):
        if reason.startswith("near duplicate: of "):
            best = reason.removeprefix("near duplicate: of ").rpartition(",")[0]
            pair = frozenset(path.rpartition("/")[2] for path in (name, best))
            seen[known.get(pair, "not labelled")] += 1
    small = thumbnails(signed(photos.pixels))
    mirrored = []
    for one, other, turned in lookalikes(small):
        mirrored.append(differences(small[one[turned]], small[other[turned]][:, :, ::-1]))
    apart = np.concatenate(mirrored)
    return {
        "images": len(photos.names),
        "rejected": kinds(reasons),
        "near duplicates, by eye": dict(seen),
        # Few photographs are mirrored, so mirrored pairs show how near others come.
        "mirrored pairs nearer than": {
            str(bound): int((apart <= bound).sum()) for bound in (0.02, 0.04, 0.06, 0.08, 0.1, 0.15)
        },
        "other rejections": [
            f"{name}: {reason}"
            for name, reason in zip(photos.names, reasons, strict=True)
            if reason and not reason.startswith("near")
        ],
    }


# ---- what is no set of photographs


def drawn(count: int = 10_000) -> dict[str, Any]:
    """Judge built-in portraits."""
    pixels = np.concatenate([portraits(range(i, i + 250), 64)[0] for i in range(0, count, 250)])
    return curated(pixels)


def digits(data: Path) -> dict[str, Any]:
    """Judge MNIST."""
    with gzip.open(data / "mnist" / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return curated(pixels.reshape(-1, 28, 28, 1))


def curated(pixels: Pixels) -> dict[str, Any]:
    """Judge images of which no two are equal."""
    names = [f"{index:06d}" for index in range(len(pixels))]
    begin = time.process_time()
    reasons = judged(names, names, pixels, [pixels.shape[1]] * len(pixels))
    seconds = round(time.process_time() - begin, 1)
    return {"images": len(pixels), "rejected": kinds(reasons), "seconds": seconds}


# ---- cost


def speed(photos: Photos) -> dict[str, float]:
    """Time a chunk of 64 images; the best of many, in milliseconds."""
    chunk = photos.pixels[:CHUNK]
    result = {}
    for name, work in (("measure", measure), ("sign", sign)):
        trials = []
        for _ in range(200):
            begin = time.perf_counter()
            work(chunk)  # type: ignore[operator]
            trials.append(time.perf_counter() - begin)
        result[f"{name} {CHUNK} images, ms"] = round(min(trials) * 1e3, 2)
    return result


def many(some: Pixels) -> Pixels:
    """Make as many signatures as CelebA has images.

    Args:
        some: Those of 20,000 photographs. The others mix three of them each, so that they are as alike
            as photographs of people are.

    Returns:
        Them all.
    """
    random = np.random.default_rng(SEED)
    all_of_them = np.empty((CELEBA_IMAGES, *some.shape[1:]), np.uint8)
    all_of_them[: len(some)] = some
    for begin in range(len(some), CELEBA_IMAGES, 4096):
        block = all_of_them[begin : begin + 4096]
        shares = random.dirichlet((1, 1, 1), len(block)).astype(np.float32)
        chosen = some[random.integers(0, len(some), (len(block), 3))]
        mixed = np.einsum("nk,nkhw->nhw", shares, chosen)
        block[:] = (128 + 1.6 * (mixed - 128)).clip(0, 255)
    return all_of_them


def peak_mb() -> int:
    """Read the most memory that this process held since it began."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024)


def scale(file: Path) -> dict[str, Any]:
    """Group many signatures in this process, which has done nothing else."""
    signatures = np.load(file)
    before = peak_mb()
    begin = time.process_time()
    leads = groups(signatures, NEAR)
    return {
        "signatures": len(signatures),
        "load": os.getloadavg()[0],
        "processor_seconds": round(time.process_time() - begin, 1),
        "peak_rss_mb": peak_mb(),
        "rss_before_mb": before,
        "near_duplicates": int((leads != np.arange(len(leads))).sum()),
    }


def main() -> None:
    """Measure all parts or some, and keep the results of the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", nargs="*", help="parts to measure")
    parser.add_argument("--signatures", type=Path, help="measure the scale, in this process")
    given = parser.parse_args()
    if given.signatures:
        print(json.dumps(scale(given.signatures)))
        return
    labels = json.loads(LABELS.read_text(encoding="utf-8"))
    opened: dict[str, Photos] = {}

    def photos(name: str) -> Photos:
        if name not in opened:
            opened[name] = Photos.open(given.data / SETS[name])
        return opened[name]

    def in_child() -> Any:
        file = RESULT.with_name("signatures.npy")
        signatures = many(thumbnails(signed(photos("celeba").pixels)))
        np.save(file, signatures.reshape(CELEBA_IMAGES, -1).view(np.uint64))
        command = [sys.executable, __file__, "--signatures", str(file)]
        try:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        finally:
            file.unlink()
        return json.loads(done.stdout)

    parts: dict[str, Callable[[], Any]] = {
        "planted": lambda: {name: planted(photos(name), count) for name, count in CLEAN.items()},
        "copies": lambda: {name: copies(photos(name)) for name in SETS},
        "labelled": lambda: labelled(photos("utkface"), labels["utkface"]),
        "celeba": lambda: natural(photos("celeba"), labels["celeba pairs"]),
        "portraits": drawn,
        "digits": lambda: digits(given.data),
        "speed": lambda: speed(photos("celeba")),
        "scale": in_child,
    }
    result = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    from facesmith.training.folder import processor  # the child needs no torch

    result["environment"] = {
        "processor": processor(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "bounds": str(STANDARD),
    }
    for name, part in parts.items():
        if given.only and name not in given.only:
            continue
        print(name, flush=True)
        result[name] = part()
        print(json.dumps(result[name], indent=1), flush=True)
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
