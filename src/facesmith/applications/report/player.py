"""Samples through time beside real images: a slider over sheets that are part of the page."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.scales import images

SHEETS = 24
"""That are shown at most, spread over the run."""
SIDE = 560
"""Pixels; a larger sheet is made smaller."""
BUDGET = 1_900_000
"""Bytes of all pictures together: a third more as text."""
QUALITIES = (88, 80, 70, 55, 40)


def player(attempt: Attempt) -> str:
    """Show how samples of the same latents changed.

    Args:
        attempt: Of a folder that may have no pictures.

    Returns:
        HTML; empty without pictures.
    """
    chosen = spread(attempt.sheets)
    reals = attempt.folder / "reals.png"
    pictures = encode([*(path for _, path in chosen), reals])
    shown = [(seen, path) for seen, path in chosen if path in pictures]
    sides = []
    if shown:
        until = max(attempt.images_seen, shown[-1][0]) or 1
        last = len(shown) - 1
        sheets = "".join(
            f'<img src="{pictures[path]}" alt="samples after {seen:,} images" '
            f'data-seen="{images(seen)} images" data-share="{100 * seen / until:.2f}"'
            f"{'' if place == last else ' hidden'}>"
            for place, (seen, path) in enumerate(shown)
        )
        controls = ""
        if last:
            controls = (
                "<div class=controls><button type=button title='p'>Play</button>"
                f'<input type="range" min="0" max="{last}" value="{last}" step="1" '
                'aria-label="images seen" title="left and right arrow">'
                f"<output>{images(shown[-1][0])} images</output></div>"
            )
        caption = "samples of the same latents, by the averaged generator"
        sides.append(
            f"<figure class=fakes><figcaption>{caption}</figcaption>{sheets}{controls}</figure>"
        )
    if reals in pictures:
        sides.append(
            "<figure><figcaption>training images</figcaption>"
            f'<img src="{pictures[reals]}" alt="training images"></figure>'
        )
    if not sides:
        return ""
    return f"<div class=player>{''.join(sides)}</div>"


def spread(sheets: Sequence[tuple[int, Path]], most: int = SHEETS) -> list[tuple[int, Path]]:
    """Choose sheets evenly over a run, the first and the last among them."""
    places = np.linspace(0, len(sheets) - 1, min(most, len(sheets))).round().astype(int)
    return [sheets[place] for place in places]


def encode(paths: Sequence[Path], budget: int = BUDGET) -> dict[Path, str]:
    """Turn pictures into text that a page can hold.

    Args:
        paths: Of pictures; those that are missing or damaged are left out.
        budget: Bytes that all of them together may take, if a quality exists at which they do.

    Returns:
        Data URIs by path.
    """
    opened: dict[Path, tuple[Image.Image, str]] = {}
    for path in paths:
        with (
            contextlib.suppress(OSError, Image.DecompressionBombError),
            Image.open(path) as picture,
        ):
            small = picture.convert("RGB")
            small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            opened[path] = small, str(picture.info.get("Source", ""))
    coded: dict[Path, bytes] = {}
    for quality in QUALITIES:
        coded = {path: _jpeg(*known, quality) for path, known in opened.items()}
        if sum(map(len, coded.values())) <= budget:
            break
    return {
        path: f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"
        for path, data in coded.items()
    }


def _jpeg(picture: Image.Image, source: str, quality: int) -> bytes:
    stream = io.BytesIO()
    # A copied picture goes on saying that no camera took it.
    picture.save(stream, format="JPEG", quality=quality, optimize=True, comment=source)
    return stream.getvalue()
