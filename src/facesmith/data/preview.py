"""A look at some photos beside what would be made of them, before anything is written."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from facesmith.data.packing.processing import process_chunk
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.photo import FORMATS
from facesmith.data.plan import Plan
from facesmith.data.sources.contract import Item

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE = 160
"""Pixels along each picture."""
CAPTION = 16
"""Pixels of a line of text."""
GAP = 8
COLUMNS = 3
"""Photos beside each other."""
FACES = 4
"""Images of one photo that are shown; a group may hold hundreds."""
LETTERS = 26
"""Of a caption below one picture."""


@dataclass(frozen=True)
class Look:
    """One photo and what would be made of it."""

    name: str
    photo: NDArray[np.uint8] | None
    """Array (H, W, 3), reduced; None where it cannot be decoded."""
    images: Sequence[NDArray[np.uint8]]
    """Arrays (resolution, resolution, C) of the images that training would see."""
    reasons: Sequence[str]
    """Of what is not used, as `kind: detail`."""


def look(plan: Plan, count: int) -> list[Look]:
    """Prepare a few photos without writing anything.

    Args:
        plan: The listed photos and how they become images.
        count: How many photos, spread evenly over the list.

    Returns:
        What became of each. Copies are not noticed: that takes all photos.
    """
    entries = plan.source.entries
    places = np.unique(np.linspace(0, len(entries) - 1, min(count, len(entries))).round())
    looks = []
    for entry in (entries[int(place)] for place in places):
        chunk = process_chunk(plan.source.reader, [entry], plan.framing)
        shown = [outcome for outcome in chunk.outcomes if outcome.shown]
        used = [not outcome.reason for outcome in shown]
        reasons = [outcome.reason for outcome in chunk.outcomes if outcome.reason]
        [item] = plan.source.reader.read([entry])
        photo = None if isinstance(item, PhotoError) else _thumbnail(item)
        looks.append(Look(entry.name, photo, list(chunk.pixels[used]), reasons))
    return looks


def picture(
    looks: Sequence[Look], seen: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Draw photos beside what the networks would see of them.

    Args:
        looks: Of `look`.
        seen: Takes images (N, H, W, C) to what the networks see, and that back to pixels.

    Returns:
        One image (H, W, 3).
    """
    pairs = [_pair(each, seen) for each in looks]
    columns = [pairs[start::COLUMNS] for start in range(min(COLUMNS, len(pairs)))]
    width = max(pair.width for pair in pairs)
    height = max(pair.height for pair in pairs)
    rows = max(len(column) for column in columns)
    canvas = Image.new("RGB", (len(columns) * width, rows * height), "white")
    for index, pair in enumerate(pairs):
        canvas.paste(pair, (index % COLUMNS * width, index // COLUMNS * height))
    return np.asarray(canvas)


def _pair(one: Look, seen: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Image.Image:
    images: Sequence[NDArray[np.uint8]] = ()
    if one.images:
        images = list(seen(np.stack(one.images[:FACES])))
    tiles = [_fitted(one.photo), *map(_fitted, images)]
    canvas = Image.new("RGB", ((TILE + GAP) * 2 + GAP, TILE + GAP + CAPTION), "white")
    canvas.paste(tiles[0], (GAP, GAP))
    # The faces share the second tile: one large, or up to four small.
    if len(tiles) == 2:
        canvas.paste(tiles[1], (TILE + 2 * GAP, GAP))
    for index, tile in enumerate(tiles[1:] if len(tiles) > 2 else []):
        at = (TILE + 2 * GAP + index % 2 * TILE // 2, GAP + index // 2 * TILE // 2)
        canvas.paste(tile.resize((TILE // 2, TILE // 2)), at)
    draw = ImageDraw.Draw(canvas)
    draw.text((GAP, TILE + GAP), one.name[-LETTERS:], fill="black")
    more = len(one.images) - FACES
    kinds = dict.fromkeys(reason.partition(":")[0] for reason in one.reasons)
    note = ", ".join(kinds) or (f"and {more} more" if more > 0 else "")
    draw.text((TILE + 2 * GAP, TILE + GAP), note[:LETTERS], fill="firebrick")
    return canvas


def _fitted(pixels: NDArray[np.uint8] | None) -> Image.Image:
    tile = Image.new("RGB", (TILE, TILE), "whitesmoke")
    if pixels is None:
        return tile
    image = Image.fromarray(pixels.squeeze()).convert("RGB")
    small = max(image.size) < TILE
    # Each pixel that the networks see should be seen here as well.
    fitted = ImageOps.contain(
        image, tile.size, Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
    )
    tile.paste(fitted, ((TILE - fitted.width) // 2, (TILE - fitted.height) // 2))
    return tile


def _thumbnail(item: Item) -> NDArray[np.uint8] | None:
    if not isinstance(item.content, bytes):
        return np.asarray(Image.fromarray(item.content).convert("RGB"))
    try:
        with Image.open(io.BytesIO(item.content), formats=FORMATS) as image:
            image.draft("RGB", (TILE * 2, TILE * 2))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((TILE, TILE))
            return np.asarray(upright)
    except Exception:  # hostile bytes; the reason stands beside the empty tile
        return None
