"""What does alignment do? Draws docs/images/alignment.png: python benchmarks/alignment_picture.py MODEL

Nobody in it exists: prints of portraits that facesmith draws lie on tables, turned, small or large, off the
middle. At the left is what `--crop center` makes of the pictures, at the right what `--crop face` does, with
a red frame where it finds nobody; below, the mean of 400 without those. MODEL is a YuNet file: it was not
taught with drawings, but it finds most of these.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facesmith.data import CenterCrop, FaceCrop
from facesmith.data.photos.decoding import frame_pixels
from facesmith.data.photos.framing import Cut, Framing
from facesmith.data.portraits import portraits

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "alignment.png"
PHOTOS, SHOWN, COLUMNS = 400, 20, 5
TABLE, PRINT, BORDER = 360, 200, 10
RESOLUTION = 96
TILE, MEAN, GAP, CAPTION = 72, 152, 4, 26

Pixels = NDArray[np.uint8]


def photo(portrait: Pixels, random: np.random.Generator) -> Pixels:
    """Lay the print of a portrait on a table and take a picture of it.

    Args:
        portrait: Array (PRINT, PRINT, 3).
        random: Where, how large, and how turned.

    Returns:
        Array (TABLE, TABLE, 3).
    """
    side = PRINT + 2 * BORDER
    framed = Image.new("RGBA", (side, side), (246, 244, 238, 255))
    framed.paste(Image.fromarray(portrait), (BORDER, BORDER))
    size = round(side * random.uniform(0.75, 1.3))
    turned = framed.resize((size, size), Image.Resampling.LANCZOS).rotate(
        random.uniform(-28, 28), Image.Resampling.BICUBIC, expand=True
    )
    warm = random.uniform(0.7, 1.0)
    table = Image.new(
        "RGB", (TABLE, TABLE), (round(150 * warm), round(126 * warm), round(104 * warm))
    )
    room = TABLE - turned.width
    at = [round(room / 2 + random.uniform(-45, 45)) for _ in range(2)]
    table.paste(turned, (at[0], at[1]), turned)
    return np.asarray(table)


def shown(cut: Cut) -> Pixels:
    """Give the pixels that every cut of a photo that can be decoded has."""
    assert cut.pixels is not None
    return cut.pixels


def sheet(cuts: list[Cut]) -> Image.Image:
    """Lay tiles in rows, and the mean of all that are used below them, in large."""
    rows = SHOWN // COLUMNS
    pitch = TILE + GAP
    canvas = Image.new("RGB", (COLUMNS * pitch - GAP, rows * pitch + GAP + MEAN), "white")
    for number, cut in enumerate(cuts[:SHOWN]):
        left, top = number % COLUMNS * pitch, number // COLUMNS * pitch
        tile = Image.fromarray(shown(cut)).resize((TILE, TILE), Image.Resampling.LANCZOS)
        canvas.paste(tile, (left, top))
        if cut.reason:
            frame = left, top, left + TILE - 1, top + TILE - 1
            ImageDraw.Draw(canvas).rectangle(frame, outline="firebrick", width=3)
    mean = np.mean([shown(cut) for cut in cuts if not cut.reason], axis=0).round().astype(np.uint8)
    large = Image.fromarray(mean).resize((MEAN, MEAN), Image.Resampling.LANCZOS)
    canvas.paste(large, ((canvas.width - MEAN) // 2, rows * pitch + GAP))
    return canvas


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a YuNet file")
    model: Path = parser.parse_args().model
    random = np.random.default_rng(0)
    drawn, _ = portraits(range(PHOTOS), PRINT)
    taken = [photo(portrait, random) for portrait in drawn]
    sheets = []
    for crop in (CenterCrop(), FaceCrop(faces="largest", model=model)):
        cuts = [frame_pixels(pixels, Framing(RESOLUTION, crop))[0] for pixels in taken]
        reasons = Counter(cut.reason.partition(":")[0] for cut in cuts if cut.reason)
        print(f"--crop {crop}: {dict(reasons)} of {PHOTOS}")
        sheets.append(sheet(cuts))
    width = sheets[0].width
    canvas = Image.new("RGB", (2 * width + 40, sheets[0].height + CAPTION), "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(15)
    for number, (one, words) in enumerate(
        zip(sheets, ("--crop center", "--crop face"), strict=True)
    ):
        left = number * (width + 40)
        draw.text((left + width / 2, CAPTION / 2), words, fill="black", font=font, anchor="mm")
        canvas.paste(one, (left, CAPTION))
    PICTURE.parent.mkdir(exist_ok=True)
    canvas.save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} KB, {canvas.size}")


if __name__ == "__main__":
    main()
