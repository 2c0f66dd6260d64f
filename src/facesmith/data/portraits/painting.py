"""The painter of portraits: the order of the layers, and the background, the body and the head.

The head is an egg about the origin with a relief of soft bumps (nose, cheeks, eye sockets, lips)
whose exact slopes turn its normals; yaw moves what stands out in front of the neck's axis.
"""

from __future__ import annotations

import numpy as np

from facesmith.data.portraits.anatomy import (
    HEAD_HEIGHT,
    NOSE_DEPTH,
    egg,
    eye_place,
    head_width,
    mouth_place,
    nose_tip,
)
from facesmith.data.portraits.canvas import (
    Array,
    Canvas,
    Patch,
    Sitters,
    blend,
    both,
    box,
    ellipse,
    fade,
    hump,
    pick,
    plane,
    rgb,
)
from facesmith.data.portraits.features import (
    paint_age,
    paint_beard,
    paint_brows,
    paint_eyes,
    paint_glasses,
    paint_mouth,
    paint_nostrils,
)
from facesmith.data.portraits.hair import Hair, paint_hair_behind, paint_hair_front, shape_hair

SKIN_TONES = np.concatenate(
    [rgb(code) for code in ("fbe3d4", "f8d8c2", "f4caac", "ebb892", "dba47c",
                            "c48a62", "a66e4b", "84543a", "633f2d", "4a2f25")]
)  # fmt: skip
CLOTHES = np.concatenate(
    [rgb(code) for code in ("33476b", "f0e6d2", "b9573a", "3f6650",
                            "d9a441", "74476b", "45464f", "6c93b8")]
)  # fmt: skip
"""In the order of the choices in `portraits.ATTRIBUTES`, as all numbers of choices are."""

BACKGROUNDS = np.concatenate(
    [rgb(code) for code in ("e6d3b3", "b5c7a8", "a9cbe0", "e8bfc0",
                            "c6bbe0", "7fb8b5", "f2bd92", "8c9bb0")]
)  # fmt: skip
"""In the order of the choices in `portraits.ATTRIBUTES`, as all numbers of choices are."""

CREW, V_NECK, SHIRT, ROLL_NECK = range(4)

SKIN_IN_SHADE = rgb("a5716a")
SKIN_IN_LIGHT = rgb("ffffff") * np.array([1.13, 1.10, 1.06], np.float32).reshape(1, 3, 1, 1)
WARM_SHADOW = rgb("a8645a")
WHITE = rgb("ffffff")

Bump = tuple[Array, Array | float, Array | float, float, float]
"""A bump's place to the right and downwards, half its width and height, and its rise."""


def paint(sitters: Sitters, resolution: int) -> Array:
    """Paint portraits, from the background to the hair.

    Args:
        sitters: the n people, with every attribute.
        resolution: the side of the pictures in pixels.

    Returns:
        RGB planes in 0..1, shape (n, 3, resolution, resolution).
    """
    canvas = Canvas(sitters, resolution)
    hair = shape_hair(canvas)
    paint_background(canvas)
    paint_hair_behind(canvas, hair)
    paint_neck(canvas)
    paint_clothes(canvas)
    paint_ears(canvas)
    paint_head(canvas, hair)
    paint_eyes(canvas)
    paint_nostrils(canvas)
    paint_beard(canvas)
    paint_mouth(canvas)
    paint_age(canvas)
    paint_brows(canvas)
    paint_glasses(canvas)
    paint_hair_front(canvas, hair)
    return canvas.colours


def paint_background(canvas: Canvas) -> None:
    """Fill the pictures with a colour, lighter on the side of the light and dark in the corners."""
    patch = canvas.upright()
    sitters = patch.sitters
    colour = pick(BACKGROUNDS, sitters["background_colour"])
    colour = colour * plane(1 + 0.10 * sitters["background_shade"])
    middle = canvas.frame_middles()
    x, y = middle[None, None, :], middle[None, :, None]
    lit = hump(x - 0.5 * sitters["light_side"], y + 0.35, 1.9, 1.9)
    corner = fade(x * x + y * y, 0.5, 2.2)
    patch.colours[:] = colour * plane(0.90 + 0.16 * lit - 0.20 * corner)
    canvas.put(patch)


def paint_neck(canvas: Canvas) -> None:
    """Paint the neck, in the shadow of the chin."""
    patch = canvas.upright(top=0.15)
    sitters, x, y = patch.sitters, patch.x, patch.y
    side, strength = sitters["light_side"], sitters["light_strength"]
    neck_width = 0.52 * head_width(sitters)
    skin = pick(SKIN_TONES, sitters["skin_tone"] * 9)
    lit = fade(x * side, -0.35, 0.35)
    tone = plane(0.62 + 0.30 * lit) * blend(WHITE, rgb("f0d4cc"), 0.8)
    # The neck flares into the shoulders: a waist that widens with the square of the depth.
    flare = np.maximum(y - 0.52, 0)
    neck = both(np.abs(x) - neck_width - 1.2 * flare * flare, 0.2 - y, 0.05)
    covered = patch.cover(neck)
    patch.lay(covered, skin * tone)
    chin = fade(y, 0.84, 0.50)
    patch.shade(covered * chin * (0.45 + 0.25 * strength), WARM_SHADOW)
    canvas.put(patch)


def paint_clothes(canvas: Canvas) -> None:
    """Paint the shoulders and the collar."""
    patch = canvas.upright(top=0.55)
    sitters, x, y = patch.sitters, patch.x, patch.y
    neck_width = 0.52 * head_width(sitters)
    far = np.abs(x)
    collar = sitters["collar"]
    rise = fade(far, 0.95, 0.15)
    shoulder = 0.99 - 0.26 * rise
    slope = np.float32(1.1)
    outside = (shoulder - y) / slope
    crew = ellipse(x, y - 0.70, neck_width + 0.07, 0.15)
    vee = both(far * 0.85 + (y - 1.02) * 0.55, far - neck_width - 0.06, 0.04)
    opening = np.where(collar == CREW, crew, np.where(collar == ROLL_NECK, np.float32(9), vee))
    cloth = both(outside, -opening, 0.02)
    colour = pick(CLOTHES, sitters["clothing_colour"])
    lit = fade(x * sitters["light_side"] - 0.4 * y, -0.9, 0.5)
    fold = hump(far - 0.52, y - 1.0, 0.10, 0.22)
    tone = plane(0.70 + 0.36 * lit - 0.10 * fold)
    # Under the chin and beside the neck less light arrives.
    bare = patch.cover(np.maximum(opening, outside))
    patch.shade(bare * fade(opening, -0.07, 0) * 0.35, WARM_SHADOW)
    covered = patch.cover(cloth)
    patch.lay(covered, colour * tone)
    patch.shade(covered * hump(x, y - 0.66, 0.42, 0.22) * 0.5, rgb("6a5a70"))
    rim = patch.stroke(opening - 0.028, 0.024) * covered
    patch.lay(rim * (collar != SHIRT), colour * tone * np.float32(0.88))

    flap = _collar_flap(x, y, neck_width)
    light_cloth = blend(colour, WHITE, 0.72) * plane(0.80 + 0.22 * lit)
    is_shirt = (collar == SHIRT).astype(np.float32)
    patch.shade(is_shirt * fade(flap, 0.07, 0.0) * covered * 0.5, rgb("6a5a70"))
    patch.lay(is_shirt * patch.cover(flap), light_cloth)

    roll = box(x, y - 0.72, neck_width + 0.05, 0.12, 0.05)
    is_rolled = (collar == ROLL_NECK).astype(np.float32)
    rolled = is_rolled * patch.cover(roll)
    ribs = plane(1 - 0.18 * fade(np.abs(y - 0.735), 0.035, 0.0) - 0.1 * fade(y, 0.72, 0.60))
    tone = plane(0.74 + 0.34 * fade(x * sitters["light_side"], -0.3, 0.3))
    patch.lay(rolled, colour * tone * ribs)
    canvas.put(patch)


def _collar_flap(x: Array, y: Array, neck_width: Array) -> Array:
    """Return the distance to a shirt's two collar flaps: slanted leaves beside the opening."""
    across = np.abs(x) - neck_width * 0.84
    along = y - 0.79
    slanted = 0.80 * across + 0.60 * along
    return box(slanted, 0.80 * along - 0.60 * across, 0.105, 0.17, 0.02)


def paint_ears(canvas: Canvas) -> None:
    """Paint both ears; the head covers what the yaw turns away."""
    for side in (-1.0, 1.0):
        width = head_width(canvas.sitters)
        middle = side * width * 0.97 - canvas.sitters.turned(0.045)
        patch = canvas.head(middle - 0.2, middle + 0.2, -0.2, 0.3)
        sitters = patch.sitters
        x, y = patch.x - middle, patch.y - 0.05
        skin = pick(SKIN_TONES, sitters["skin_tone"] * 9)
        light = 0.80 + 0.16 * side * sitters["light_side"] * sitters["light_strength"]
        ear = patch.cover(ellipse(x - 0.12 * side * -y, y, 0.076, 0.130))
        patch.lay(ear, skin * plane(light) * rgb("fff0ea"))
        inner = fade(ellipse(x + 0.01 * side - 0.12 * side * -y, y, 0.05, 0.09), 0.02, -0.04)
        patch.shade(inner * ear * 0.55, WARM_SHADOW)
        canvas.put(patch)


def paint_head(canvas: Canvas, hair: Hair) -> None:
    """Paint the skin of the head under the light, with the shadow of the hair upon it."""
    width = head_width(canvas.sitters)
    patch = canvas.head(-width - 0.06, width + 0.06, -HEAD_HEIGHT - 0.02, HEAD_HEIGHT + 0.02)
    sitters = patch.sitters
    across, down, distance = egg(patch)
    covered = patch.cover(distance)
    skin = pick(SKIN_TONES, sitters["skin_tone"] * 9)

    slope_x, slope_y = _relief(patch)
    normal_x, normal_y = 0.95 * across - slope_x, 0.80 * down - slope_y
    depth = np.sqrt(np.maximum(1 - across * across - down * down, 0.04))
    length = np.sqrt(normal_x * normal_x + normal_y * normal_y + depth * depth)
    side = sitters["light_side"]
    light = (0.62 * side * normal_x - 0.42 * normal_y + 0.66 * depth) / length
    strength = 0.55 + 0.45 * sitters["light_strength"]
    tone = np.clip(0.78 + strength * (0.95 * light - 0.60), 0, 1.06)
    patch.lay(covered, skin * blend(SKIN_IN_SHADE, SKIN_IN_LIGHT, plane(tone)))

    # Light that the background throws on the edge away from the lamp.
    edge = (1 - depth) * (1 - depth) * fade(-side * across, 0.1, 0.9)
    patch.glow(covered * edge * 0.35, pick(BACKGROUNDS, sitters["background_colour"]))
    shine = np.maximum(light - 0.90, 0) * 4.0
    patch.glow(covered * shine * strength * 0.40, rgb("fff2e0"))

    _, lines, columns = patch.window
    shadow = fade(hair.front[:, lines, columns], 0.10, -0.01) * covered
    patch.shade(shadow * 0.55, WARM_SHADOW)
    _paint_occlusion(patch, covered)
    _paint_blush(patch, covered)
    canvas.put(patch)


def _relief(patch: Patch) -> tuple[Array, Array]:
    """Return the slopes, to the right and downwards, of the bumps upon the head."""
    sitters = patch.sitters
    tip_x, tip_y = nose_tip(sitters)
    mouth_x, mouth_y = mouth_place(sitters)
    wide = 0.8 + 0.5 * sitters["nose_width"]
    root_x = sitters.turned(0.10)
    lean = (tip_x - root_x) / (tip_y + 0.10)
    ridge_x = root_x + lean * (patch.y + 0.10)
    cheek_x, chin_x = sitters.turned(0.09), sitters.turned(0.08)
    bumps: list[Bump] = [
        (ridge_x, tip_y * 0.45 - 0.02, 0.085 * wide, 0.26, 0.020),
        (tip_x, tip_y - 0.01, 0.085 * wide, 0.080, 0.020),
        (mouth_x, mouth_y, 0.24, 0.13, 0.014),
        (chin_x, 0.50, 0.16, 0.11, 0.016),
    ]
    for side in (-1.0, 1.0):
        eye_x, eye_y = eye_place(sitters, side)
        bumps += [
            (tip_x + side * 0.070 * wide, tip_y + 0.015, 0.05 * wide, 0.05, 0.008),
            (eye_x, eye_y - 0.01, 0.17, 0.12, -0.016),
            (eye_x * 1.12, eye_y - 0.16, 0.22, 0.12, 0.010),
            (cheek_x + side * 0.25, 0.22, 0.22, 0.18, 0.024),
        ]
    slope_x, slope_y = np.zeros_like(patch.x), np.zeros_like(patch.x)
    for x, y, width, height, rise in bumps:
        # A bump is rise (1 - u^2 - v^2)^3 inside the ellipse, with u = across and v = down.
        across, down = (patch.x - x) / width, (patch.y - y) / height
        inside = np.maximum(1 - across * across - down * down, 0)
        steep = inside * inside * (-6 * rise)
        slope_x += steep * across / width
        slope_y += steep * down / height
    return slope_x, slope_y


def _paint_occlusion(patch: Patch, covered: Array) -> None:
    """Darken where little light arrives: eye sockets, below the nose, below the lower lip."""
    sitters, x, y = patch.sitters, patch.x, patch.y
    tip_x, tip_y = nose_tip(sitters)
    mouth_x, mouth_y = mouth_place(sitters)
    for side in (-1.0, 1.0):
        eye_x, eye_y = eye_place(sitters, side)
        inner = sitters.turned(NOSE_DEPTH - 0.04) + side * 0.075
        patch.shade(covered * hump(x - eye_x, y - eye_y + 0.02, 0.19, 0.13) * 0.20, WARM_SHADOW)
        patch.shade(covered * hump(x - inner, y - eye_y + 0.03, 0.07, 0.13) * 0.22, WARM_SHADOW)
    away = 0.03 * sitters["light_side"]
    below_nose = hump(x - tip_x + away, y - tip_y - 0.065, 0.115, 0.05)
    patch.shade(covered * below_nose * 0.42, WARM_SHADOW)
    patch.shade(covered * hump(x - mouth_x, y - mouth_y - 0.115, 0.13, 0.045) * 0.35, WARM_SHADOW)


def _paint_blush(patch: Patch, covered: Array) -> None:
    sitters = patch.sitters
    strength = 0.10 + 0.42 * sitters["blush"]
    for side in (-1.0, 1.0):
        middle = sitters.turned(0.09) + side * 0.60 * head_width(sitters)
        spot = hump(patch.x - middle, patch.y - 0.19, 0.20, 0.15)
        patch.shade(covered * spot * strength, rgb("e88880"))
    tip_x, tip_y = nose_tip(sitters)
    spot = hump(patch.x - tip_x, patch.y - tip_y, 0.11, 0.09)
    patch.shade(covered * spot * strength * 0.6, rgb("e88880"))
