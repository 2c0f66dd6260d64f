"""Pictures and figures of docs/doctor.md, from the runs of the clinic.

python benchmarks/doctor_pictures.py draw DIR [--only REGEX]
python benchmarks/doctor_pictures.py attempts RUN RUN ...
python benchmarks/doctor_pictures.py table

`draw` makes docs/images/doctor/KIND.png for each diagnosis, from runs on drawn portraits of the development
half of the clinic in DIR: samples of the ill run above those of the healthy one of the same recipe, and the
curve that gives the fault away. `attempts` makes attempts.png, samples of several runs after as many images.
`table` copies the figures of benchmarks/results/clinic.json into the page.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from facesmith.applications.report import scales
from facesmith.applications.report.attempt import Attempt
from facesmith.health.finding import Finding
from planted.judging import table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "doctor.md"
PICTURES = ROOT / "docs" / "images" / "doctor"
FIGURES = ROOT / "benchmarks" / "results" / "clinic.json"
SHEET_SIDE, SHEET_GAP, SHEET_ROW, PIXEL = 64, 2, 8, 2
"""Of a sheet: pixels of a face and between faces, faces in a row, and how often a pixel is repeated."""
FACES, FACE, GAP = 5, 96, 4
STRIP = FACES * (FACE + GAP) - GAP
WIDTH, MARGIN, HEAD, LABEL = 880, 16, 44, 20
HEIGHT = HEAD + 2 * (LABEL + FACE) + 10 + MARGIN
PLOT = (MARGIN + STRIP + 72, HEAD + LABEL + 4, WIDTH - MARGIN - 8, HEIGHT - MARGIN - 24)
"""Left, top, right and bottom of the curves' frame."""
FINE = 4
"""Lines are drawn so many times as large: Pillow's have steps."""
COLOURS = 72
"""Of the faces; words and curves have their own."""
SHADES = 5
"""Of each ink on the ground, so that letters are smooth."""
EARLY = 0.04
"""Share of a run in whose first records a finding has no beginning: it was there from the start."""
GROUND, FRAME, INK, SOFT, LINE = "#fbfbfa", "#d9dde3", "#1b1f24", "#5b6570", "#e6e8eb"
ILL, WELL, BOUND = "#d9730d", "#2f6fdb", "#7b8490"

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Scene:
    """What shows a diagnosis best.

    Args:
        run: Below the development runs, without `-portraits-10`.
        signal: The curve that is drawn.
        words: What the curve is, for a newcomer.
        log: Whether its axis is logarithmic.
        course: Whether the strip shows the same face through time instead of several at the end.
        by_updates: Whether the axis counts updates instead of images.
    """

    run: str
    signal: str
    words: str
    log: bool = False
    course: bool = False
    by_updates: bool = False


SCENES = {
    "scaling-wrong": Scene("scaling-wrong/divided-twice", "reals.std", "spread of the real values"),
    "range-mismatch": Scene("range-mismatch/unit-range", "reals.low", "lowest real value"),
    "data-constant": Scene("data-constant/one-photo", "reals.copies", "equal pairs of images"),
    "data-duplicated": Scene(
        "data-duplicated/forty-photos", "reals.copies", "equal pairs of images"
    ),
    "data-corrupted": Scene("data-corrupted/cut-off", "reals.odd", "images unlike the others"),
    "data-sorted": Scene("data-sorted/by-brightness", "reals.shift", "how far a batch lies off"),
    "channels-swapped": Scene("channels-swapped/bgr", "reals.cold", "more blue than red inside"),
    "grey-mixed": Scene("grey-mixed/many", "reals.grey", "share of grey images"),
    "too-few-images": Scene("too-few-images/sixty", "held_out_gap", "known above unseen images"),
    "augmentation-leaks": Scene(
        "augmentation-leaks/upside-down", "reals.bias", "real images off the data"
    ),
    "labels-swapped": Scene("labels-swapped/for-discriminator", "separation", "pairs D has right"),
    "labels-leaking": Scene("labels-leaking/told", "distance", "distance to real images"),
    "net-not-updated": Scene("net-not-updated-generator/zero-rate", "generator.update", "G's step"),
    "sigmoid-twice": Scene("sigmoid-twice/in-loss", "distance", "distance to real images"),
    "batch-statistics-leak": Scene(
        "batch-statistics-leak/together", "leak", "verdict that needs the batch"
    ),
    "batch-norm-small-batch": Scene(
        "batch-norm-small-batch/two", "distance", "distance to real images", by_updates=True
    ),
    "batch-norm-gradient-penalty": Scene(
        "batch-norm-gradient-penalty/r1", "distance", "distance to real images"
    ),
    "bad-initialization": Scene(
        "bad-initialization-discriminator/far-too-wide",
        "discriminator_gradient",
        "D's gradient",
        log=True,
    ),
    "latent-too-small": Scene("latent-too-small/one-number", "fakes.dimension", "directions"),
    "checkerboard": Scene("checkerboard/kernel-3", "fakes.grid", "strength of a grid"),
    "learning-rate-too-high": Scene(
        "learning-rate-too-high-generator/times-40", "generator.update", "G's step", log=True
    ),
    "learning-rate-too-low": Scene(
        "learning-rate-too-low/divided-by-60",
        "generator.update",
        "G's step over its weights",
        log=True,
    ),
    "beta1-too-high": Scene("beta1-too-high/0.97", "distance", "distance to real images"),
    "batch-too-small": Scene(
        "batch-too-small/two", "movement", "movement of the samples", by_updates=True
    ),
    "noise-too-strong": Scene("noise-too-strong/on-images", "distance", "distance to real images"),
    "dropout-too-strong": Scene(
        "dropout-too-strong-discriminator/0.8", "distance", "distance to real images"
    ),
    "unconstrained-critic": Scene(
        "unconstrained-critic/no-penalty", "logits.high", "D's largest output", log=True
    ),
    "penalty-too-strong": Scene(
        "penalty-too-strong/r1", "real_logits.spread", "spread of D's outputs", log=True
    ),
    "non-finite": Scene("non-finite/sixteen-bits", "non_finite", "updates skipped"),
    "exploding-gradient": Scene(
        "exploding-gradient/decay-of-wrong-sign-without-norm",
        "generator_gradient",
        "G's gradient",
        log=True,
    ),
    "dead-units": Scene(
        "dead-units-discriminator/shifted", "discriminator.dead", "dead units of D"
    ),
    "saturated-output": Scene(
        "saturated-output/amplified", "fakes.saturated", "values at the ends"
    ),
    "discriminator-too-strong": Scene(
        "discriminator-too-strong/wide-and-minimax",
        "generator_gradient",
        "gradient that reaches G",
        log=True,
    ),
    "discriminator-too-weak": Scene(
        "discriminator-too-weak/one-channel", "separation", "pairs D has right"
    ),
    "discriminator-overfits": Scene(
        "discriminator-overfits/few-and-unpunished", "held_out_gap", "known above unseen images"
    ),
    "total-collapse": Scene("total-collapse/deaf", "batch.diversity", "variety, 1 as the data"),
    "partial-collapse": Scene(
        "partial-collapse/codebook", "batch.copies", "equal pairs of samples"
    ),
    "memorised": Scene("memorised/shown", "nearest", "to the nearest training image"),
    "not-learning": Scene(
        "dropout-too-strong-discriminator/0.8", "distance", "distance to real images", course=True
    ),
    "oscillation": Scene("oscillation/in-turns", "separation", "pairs D has right", course=True),
    "late-drift": Scene(
        "learning-rate-too-high/times-25", "distance", "distance to real images", course=True
    ),
    "average-lags": Scene("average-lags/stale", "average.distance", "average and trained, apart"),
    "data-starves": Scene("data-starves/slow-decoding", "time.data", "time spent waiting"),
    "finished": Scene("finished/linear-to-nothing", "movement", "movement", log=True, course=True),
    "healthy": Scene("healthy/face", "distance", "distance to real images", course=True),
}


def draw(kind: str, scene: Scene, runs: Path) -> Image.Image:
    """Draw one diagnosis.

    Args:
        kind: Its name.
        scene: What shows it.
        runs: The folder of the development runs.

    Returns:
        A picture on a ground of its own, for light and dark pages.
    """
    ill = Attempt.read(runs / f"{scene.run}-portraits-10")
    truth = json.loads((ill.folder / "case.json").read_text(encoding="utf-8"))
    well = Attempt.read(runs / f"healthy/{truth['base']}-portraits-10")
    said = next((finding for finding in ill.findings if finding.kind == kind), None)
    canvas = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    brush = ImageDraw.Draw(canvas)
    brush.rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), 10, outline=FRAME)
    title = said.title if said else ""
    brush.text((MARGIN, 15), title, fill=INK, font=fitting(title, WIDTH - 2 * MARGIN))
    is_well = kind == "healthy"
    top = HEAD
    for attempt, words, colour in ((ill, kind, ILL), (well, "healthy", WELL)):
        if is_well and attempt is ill:
            words, colour = "the same face through time", WELL
        elif is_well:
            words = "faces at the end"
        elif scene.course and attempt is ill:
            words = f"{kind}: the same face through time"
        brush.text((MARGIN, top), words, fill=colour, font=font(13))
        canvas.paste(strip(attempt, course=scene.course and attempt is ill), (MARGIN, top + LABEL))
        top += LABEL + FACE + 10
    plot(canvas, scene, said, ill, None if is_well else well)
    return canvas


def attempts(runs: Sequence[Path]) -> Image.Image:
    """Lay samples of runs among each other, with what was changed for each and how far it came.

    Args:
        runs: Run folders, each an attempt after the one before.

    Returns:
        A picture of generated faces alone.
    """
    read = [Attempt.read(run) for run in runs]
    images = min(attempt.sheets[-1][0] for attempt in read)
    row = LABEL + 2 * (SHEET_SIDE + SHEET_GAP) + 12
    count = (WIDTH - 2 * MARGIN) // (SHEET_SIDE + SHEET_GAP)
    canvas = Image.new("RGB", (WIDTH, len(read) * row + MARGIN), GROUND)
    brush = ImageDraw.Draw(canvas)
    brush.rounded_rectangle((0, 0, WIDTH - 1, canvas.height - 1), 10, outline=FRAME)
    for number, attempt in enumerate(read):
        top = MARGIN // 2 + number * row
        distance = attempt.course.now("distance", 1)
        words = f"{attempt.name}, after {images:,} images: distance {distance:.2f}"
        brush.text((MARGIN, top), words, fill=INK, font=font(13))
        path = next(path for seen, path in attempt.sheets if seen >= images)
        sheet = Image.open(path).convert("RGB")
        for place in range(2 * count):
            left, above = (
                SHEET_GAP + (SHEET_SIDE + SHEET_GAP) * n for n in divmod(place, SHEET_ROW)[::-1]
            )
            face = sheet.crop((left, above, left + SHEET_SIDE, above + SHEET_SIDE))
            x, y = (n * (SHEET_SIDE + SHEET_GAP) for n in (place % count, place // count))
            canvas.paste(face, (MARGIN + x, top + LABEL + y))
    return canvas


def strip(attempt: Attempt, *, course: bool) -> Image.Image:
    """Lay faces in a row: several of the last sheet, or the same one of several sheets."""
    seen = [sheet for sheet in attempt.sheets if sheet[0] > 0] or list(attempt.sheets)
    row = Image.new("RGB", (STRIP, FACE), GROUND)
    if not seen:
        return row
    places = np.linspace(0, len(seen) - 1, FACES).round().astype(int) if course else [-1] * FACES
    for number, place in enumerate(places):
        pixels = np.asarray(Image.open(seen[place][1]).convert("RGB"))
        across = 0 if course else number
        left = SHEET_GAP + across % SHEET_ROW * (SHEET_SIDE + SHEET_GAP)
        face = pixels[SHEET_GAP : SHEET_GAP + SHEET_SIDE : PIXEL, left : left + SHEET_SIDE : PIXEL]
        large = Image.fromarray(face).resize((FACE, FACE), Image.Resampling.NEAREST)
        row.paste(large, (number * (FACE + GAP), 0))
    return row


def plot(
    canvas: Image.Image, scene: Scene, said: Finding | None, ill: Attempt, well: Attempt | None
) -> None:
    """Draw the curve of the ill run over the healthy one's, with the bound and the onset."""
    brush = ImageDraw.Draw(canvas)
    bounds = [e.bound for e in said.evidence if e.curve == scene.signal] if said else []
    bound = next((value for value in bounds if value is not None), None)
    floor = ill.course.now("distance.floor") if scene.signal == "distance" else None
    line = bound if bound is not None and scene.signal != "distance" else floor
    shown = [measured(attempt, scene) for attempt in (ill, well) if attempt]
    values = [curve[1] for curve in shown]
    include = [value for value in (line, None if scene.log else 0.0) if value is not None]
    make = scales.logarithmic if scene.log else scales.linear
    axis = make(values, include)
    end = max(float(curve[0][-1]) for curve in shown if len(curve[0]))
    left, top, right, bottom = PLOT
    brush.text((left - 44, HEAD), scene.words, fill=INK, font=font(13))

    def at(images: float, value: float) -> tuple[float, float]:
        y = bottom - (bottom - top) * min(max(axis.place(value), 0.0), 1.0)
        return left + (right - left) * images / end, y

    for value in axis.ticks(4):
        y = at(0, value)[1]
        brush.line((left, y, right, y), fill=LINE)
        brush.text((left - 6, y), scales.tick(value), fill=SOFT, font=font(11), anchor="rm")
    for share in (0.0, 0.5, 1.0):
        x = left + (right - left) * share
        words = scales.images(end * share)
        anchor = "la" if not share else "ma" if share < 1 else "ra"
        words += f" {'updates' if scene.by_updates else 'images'}" if share == 1 else ""
        brush.text((x, bottom + 5), words, fill=SOFT, font=font(11), anchor=anchor)
    brush.line((left, bottom, right, bottom), fill=BOUND)
    if line is not None:
        dashed(brush, left, at(0, line)[1], right)
    if said is not None and said.since > EARLY * end and not scene.by_updates:
        x = at(said.since, axis.low)[0]
        brush.line((x, top, x, bottom), fill=BOUND)
        brush.text((x + 4, top - 1), "since", fill=SOFT, font=font(11))
    for attempt_curve, colour in zip(reversed(shown), (WELL, ILL)[-len(shown) :], strict=True):
        chosen = WELL if well is None else colour
        if len(attempt_curve[0]) > 1:
            smooth_line(canvas, [at(x, y) for x, y in zip(*attempt_curve, strict=True)], chosen)


def indexed(picture: Image.Image) -> Image.Image:
    """Give a picture a palette in which inks keep their colour whatever the faces need."""
    faces = picture.crop((0, HEAD, MARGIN + STRIP, HEIGHT)).quantize(COLOURS)
    colours = (faces.getpalette() or [])[: 3 * COLOURS]
    ground = np.array(ImageColor.getrgb(GROUND))
    for ink in (INK, SOFT, LINE, FRAME, ILL, WELL, BOUND):
        for share in np.linspace(1 / SHADES, 1, SHADES):
            mixed = ground + share * (np.array(ImageColor.getrgb(ink)) - ground)
            colours += [int(value) for value in mixed.round()]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*colours, *map(int, ground)])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def measured(attempt: Attempt, scene: Scene) -> Curve:
    """Give a curve where it was measured."""
    values = attempt.course.curve(scene.signal)
    known = np.isfinite(values)
    places = attempt.course.curve("steps") if scene.by_updates else attempt.course.images
    return places[known], values[known]


def smooth_line(canvas: Image.Image, points: list[tuple[float, float]], colour: str) -> None:
    """Draw a line without steps."""
    mask = Image.new("L", (canvas.width * FINE, canvas.height * FINE))
    large = [(x * FINE, y * FINE) for x, y in points]
    ImageDraw.Draw(mask).line(large, fill=255, width=2 * FINE, joint="curve")
    small = mask.resize(canvas.size, Image.Resampling.BOX)
    canvas.paste(Image.new("RGB", canvas.size, colour), (0, 0), small)


def dashed(brush: ImageDraw.ImageDraw, left: float, y: float, right: float) -> None:
    """Draw a dashed level line."""
    for x in np.arange(left, right, 8):
        brush.line((x, y, min(x + 4, right), y), fill=BOUND, width=1)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give Pillow's own font."""
    return ImageFont.load_default(size)


def fitting(words: str, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give the largest font in which a line fits."""
    sizes = np.arange(15, 9, -0.5)
    return font(next((s for s in sizes if font(s).getlength(words) <= width), sizes[-1]))


def fill(page: str, summaries: dict[str, dict[str, object]]) -> str:
    """Put the clinic's figures into the page.

    Args:
        page: Its text, with a place between two marks.
        summaries: By half, as `clinic.py judge --json` writes them.

    Returns:
        The new text.
    """
    inside = table(summaries["reporting"])
    begin, end = "<!-- clinic -->", "<!-- /clinic -->"
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}\n\n{inside}\n{end}{after}"


def main() -> None:
    """Draw, or fill in the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    drawing = verbs.add_parser("draw", help="make the pictures")
    drawing.add_argument("clinic", type=Path, help="what clinic.py was given as --out")
    drawing.add_argument("--only", default="", help="a regular expression for the kinds")
    trying = verbs.add_parser("attempts", help="lay samples of runs among each other")
    trying.add_argument("runs", type=Path, nargs="+", help="run folders")
    verbs.add_parser("table", help="copy the figures into the page")
    options = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    if options.verb == "attempts":
        made = attempts(options.runs).quantize(COLOURS, dither=Image.Dither.NONE)
        made.save(PICTURES / "attempts.png", optimize=True)
        return
    if options.verb == "table":
        summaries = json.loads(FIGURES.read_text(encoding="utf-8"))
        PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), summaries), encoding="utf-8")
        return
    for kind, scene in SCENES.items():
        if not re.search(options.only, kind):
            continue
        runs = options.clinic / "runs" / "development"
        if not (runs / f"{scene.run}-portraits-10" / "case.json").exists():
            print(f"{kind}: its run is not trained")
            continue
        indexed(draw(kind, scene, runs)).save(PICTURES / f"{kind}.png", optimize=True)
        print(f"{kind}: {(PICTURES / f'{kind}.png').stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
