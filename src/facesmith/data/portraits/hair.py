"""The hair of portraits: its colour, the shape of each style, and its sheen.

A style is two shapes: what hangs behind the neck, and what lies upon the head. The second is
mostly an outline around the skull less an opening for the face, both arches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facesmith.data.portraits.anatomy import head_width
from facesmith.data.portraits.canvas import (
    Array,
    Canvas,
    Patch,
    Sitters,
    arch,
    blend,
    both,
    box,
    curve,
    either,
    ellipse,
    fade,
    pick,
    plane,
    rgb,
    ripple,
)

HAIR = np.concatenate(
    [rgb(code) for code in ("2b2528", "4f3427", "80502f", "d8ad6a", "b2552c", "b4b0ad")]
)  # fmt: skip
"""In the order of the choices in `portraits.ATTRIBUTES`, as all numbers of choices are."""

GREY = rgb("bdb9b6")
NOWHERE = np.float32(9)
BALD, CROPPED, QUIFF, SIDE_PARTED, BOB, LONG, CURLY, BUN = range(8)


@dataclass(frozen=True)
class Hair:
    """The signed distances to the hair, each of shape (n, resolution, resolution)."""

    front: Array
    behind: Array


def hair_colour(sitters: Sitters) -> Array:
    """Return the colour of hair, greyed by age, shape (n, 3, 1, 1)."""
    colour = pick(HAIR, sitters["hair_colour"]) * plane(1 + 0.16 * sitters["hair_shade"])
    return blend(colour, GREY, plane(0.75 * fade(sitters["age"], 0.7, 1.1)))


def shape_hair(canvas: Canvas) -> Hair:
    """Return where each sitter's hair lies, by the style."""
    size = (len(canvas.sitters), canvas.resolution, canvas.resolution)
    hair = Hair(np.full(size, NOWHERE, np.float32), np.full(size, NOWHERE, np.float32))
    for code, style in enumerate(STYLES, start=CROPPED):
        rows = canvas.sitters.where("hair_style", code)
        if len(rows) > 0:
            patch = canvas.head(bottom=REACH[code], rows=rows)
            _, lines, columns = patch.window
            front, behind = style(patch)
            hair.front[rows, lines, columns] = front
            hair.behind[rows, lines, columns] = behind
    return hair


def _sideburns(patch: Patch, bottom: float) -> Array:
    """Return the distance below a cut that rises outwards, above the ears."""
    outwards = np.abs(patch.x - patch.sitters.turned(0.02)) - 0.88 * head_width(patch.sitters)
    below: Array = (patch.y - bottom + 2.2 * np.maximum(outwards, 0)) * np.float32(0.6)
    return below


def _cropped(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x = patch.x - sitters.turned(0.02)
    outline = arch(x, patch.y + 0.04, width + 0.018, 0.585)
    face = patch.x - sitters.turned(0.05)
    opening = box(face, patch.y - 0.36, width * 0.85, 0.70, 0.17)
    front = both(both(outline, -opening, 0.05), _sideburns(patch, 0.04), 0.04)
    return front, np.full_like(front, NOWHERE)


def _quiff(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x = patch.x - sitters.turned(0.02)
    sides = arch(x, patch.y + 0.04, width + 0.035, 0.60)
    top_x = x - sitters.turned(0.05) - 0.05
    tufts = 0.022 * ripple(top_x * 3.6 + 0.3 * patch.y) + 0.012 * ripple(top_x * 8.1)
    top = ellipse(top_x, patch.y + 0.505 + tufts, width * 0.90, 0.235)
    outline = either(sides, top, 0.08)
    face = patch.x - sitters.turned(0.05)
    opening = box(face, patch.y - 0.36 - 0.03 * ripple(face * 1.1 + 0.2), width * 0.85, 0.72, 0.18)
    front = both(both(outline, -opening, 0.03), _sideburns(patch, 0.05), 0.04)
    return front, np.full_like(front, NOWHERE)


def _side_parted(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x = patch.x - sitters.turned(0.02)
    outline = arch(x, patch.y + 0.06, width + 0.055, 0.64 + 0.05 * fade(x, -0.3, 0.25))
    face = patch.x - sitters.turned(0.08)
    from_part = face + 0.20
    long_side = 0.30 * from_part + 0.55 * from_part * from_part
    sweep = np.where(from_part > 0, long_side, 3.2 * from_part * from_part)
    below_fringe = (-0.46 + sweep - patch.y) / np.sqrt(np.float32(1.6))
    opening = both(arch(face, patch.y - 0.02, width * 0.87, 0.55), below_fringe, 0.04)
    front = both(both(outline, -opening, 0.02), _sideburns(patch, 0.08), 0.05)
    return front, np.full_like(front, NOWHERE)


def _bob(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x = patch.x - sitters.turned(0.01)
    flare = 0.05 * fade(patch.y, -0.2, 0.35)
    outline = arch(x, patch.y + 0.08, width + 0.10 + flare, 0.62)
    ends = patch.y - 0.46 - 0.25 * np.abs(x) + 0.012 * ripple(x * 7)
    face = patch.x - sitters.turned(0.085)
    bangs = -0.225 + 0.5 * face * face + 0.005 * ripple(face * 15) - patch.y
    opening = both(arch(face, patch.y + 0.05, width * 0.84, 0.45), bangs, 0.06)
    whole = both(outline, ends, 0.09)
    return both(whole, -opening, 0.02), whole + 0.01


def _long(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x = patch.x - sitters.turned(0.01)
    wave = 0.020 * ripple(patch.y * 2.3 + 0.25) * fade(patch.y, -0.1, 0.3)
    flare = 0.11 * fade(patch.y, -0.3, 0.8) + wave
    outline = arch(x, patch.y + 0.08, width + 0.085 + flare, 0.63)
    ends = both(outline, patch.y - 1.3, 0.1)
    face = patch.x - sitters.turned(0.085)
    from_part = np.abs(face - 0.06)
    curtain = -0.45 + 0.12 * from_part + 1.9 * from_part * from_part - patch.y
    shift = 0.03 * fade(patch.y, 0.1, 0.7)
    opening = both(arch(face, patch.y - 0.02, width * 0.86 + shift, 0.56), curtain * 0.7, 0.08)
    return both(ends, -opening, 0.02), ends + 0.01


def _curly(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x, y = patch.x - sitters.turned(0.01), patch.y
    cloud = ellipse(x, y + 0.24, width + 0.21, 0.60)
    for place_x, place_y, radius in CURLS:
        curl_x, curl_y = x - place_x * (width + 0.19), y + 0.24 - place_y * 0.57
        curl = np.sqrt(curl_x * curl_x + curl_y * curl_y) - np.float32(radius)
        cloud = either(cloud, curl, 0.02)
    face = patch.x - sitters.turned(0.08)
    edge = 0.022 * ripple(face * 5.2) + 0.012 * ripple(y * 6.3)
    opening = arch(face, y - 0.04, width * 0.90, 0.40) - edge
    front = both(both(cloud, -opening, 0.03), y - 0.10, 0.08)
    return front, cloud + 0.01


def _bun(patch: Patch) -> tuple[Array, Array]:
    sitters, width = patch.sitters, head_width(patch.sitters)
    x = patch.x - sitters.turned(0.02)
    outline = arch(x, patch.y + 0.05, width + 0.028, 0.595)
    face = patch.x - sitters.turned(0.075)
    hairline = curve(face, patch.y, -0.42, 1.25)
    opening = both(arch(face, patch.y - 0.05, width * 0.90, 0.56), -hairline, 0.08)
    front = both(both(outline, -opening, 0.03), _sideburns(patch, 0.02), 0.05)
    bun_x = patch.x + sitters.turned(0.06)
    bun = ellipse(bun_x, patch.y + 0.715, 0.205, 0.165)
    return front, np.minimum(bun, outline + 0.02 + np.maximum(patch.y, 0) * 9)


STYLES = (_cropped, _quiff, _side_parted, _bob, _long, _curly, _bun)
"""The styles that have hair, in the order of their numbers from 1."""

REACH = (-9.0, 0.16, 0.16, 0.20, 0.75, 9.0, 0.60, 0.20)
"""Below which height each style has no hair, in the order of their numbers from 0."""

CURLS = tuple(
    (x, y, 0.105 + 0.02 * (number % 3))
    for number, (x, y) in enumerate(
        ((-0.97, 0.34), (-1.0, 0.05), (-0.95, -0.25), (-0.82, -0.52), (-0.60, -0.77),
         (-0.32, -0.93), (0.0, -0.99), (0.32, -0.93), (0.60, -0.77), (0.82, -0.52),
         (0.95, -0.25), (1.0, 0.05), (0.97, 0.34))
    )
)  # fmt: skip
"""The curls around the cloud of curly hair: their places on the unit circle, and radii."""


def paint_hair_behind(canvas: Canvas, hair: Hair) -> None:
    """Paint the hair behind the neck, dark because the head keeps the light away."""
    for code in (BOB, LONG, CURLY, BUN):
        rows = canvas.sitters.where("hair_style", code)
        if len(rows) > 0:
            patch = canvas.head(bottom=REACH[code], rows=rows)
            _paint_behind(patch, hair.behind[patch.window])
            canvas.put(patch)


def _paint_behind(patch: Patch, distance: Array) -> None:
    above = fade(patch.y, 0.1, -0.5)
    tone = 0.58 + 0.42 * above - 0.2 * fade(distance, -0.16, -0.3)
    tone = tone * (1 + 0.10 * _strands(patch))
    patch.lay(patch.cover(distance), hair_colour(patch.sitters) * plane(tone))


def paint_hair_front(canvas: Canvas, hair: Hair) -> None:
    """Paint the hair upon the head, with strands and a band of sheen."""
    for code in range(CROPPED, BUN + 1):
        rows = canvas.sitters.where("hair_style", code)
        if len(rows) > 0:
            patch = canvas.head(bottom=REACH[code], rows=rows)
            _paint_front(patch, hair.front[patch.window], code)
            canvas.put(patch)


def _paint_front(patch: Patch, distance: Array, code: int) -> None:
    sitters, x, y = patch.sitters, patch.x, patch.y
    covered = patch.cover(distance) if code != CROPPED else fade(distance, 0.012, -0.025) * 0.94
    strands = _strands(patch)
    across, down = x / 0.62, (y + 0.1) / 0.75
    depth = np.sqrt(np.maximum(1 - across * across - down * down, 0.05))
    side, strength = sitters["light_side"], 0.55 + 0.45 * sitters["light_strength"]
    light = 0.60 * side * across - 0.50 * down + 0.62 * depth
    tone = 0.80 + strength * 0.55 * (light - 0.45) + 0.09 * strands
    tone = tone - 0.20 * fade(distance, -0.045, 0.0) * fade(y, -0.62, -0.40)
    colour = hair_colour(sitters)
    patch.lay(covered, colour * plane(tone))
    middle = 0.30 * side
    ring = y + 0.47 - 0.55 * (x - middle) * (x - middle) + 0.030 * strands
    sheen = fade(np.abs(ring), 0.085, 0.0) * fade(np.abs(x - middle), 0.55, 0.05)
    smooth = 0.19 if code in (CROPPED, CURLY) else 0.55
    patch.glow(covered * sheen * smooth * strength, blend(colour, rgb("fff0dc"), 0.35))


def _strands(patch: Patch) -> Array:
    """Return a field between -1 and 1 that varies across the strands and little along them."""
    x, y = patch.x, patch.y
    if np.all(patch.sitters["hair_style"] == CURLY):
        across, down = x * 6.1 + 0.5 * ripple(y * 5.3), y * 5.7 + 0.5 * ripple(x * 4.9)
        return 0.8 * ripple(across) * ripple(down)
    height = np.minimum((y + 0.10) / 0.75, 0)
    longitude = x / (0.35 + np.sqrt(np.maximum(1 - height * height, 0)))
    return 0.5 * ripple(longitude * 5.3 + 0.25 * y) + 0.3 * ripple(longitude * 17 - 0.6 * y)
