"""What is painted upon the head: eyes, nostrils, beard, mouth, lines of age, brows, glasses.

All places are in the head's coordinates; each carries the depth by which yaw moves it.
"""

from __future__ import annotations

import numpy as np

from facesmith.data.portraits.anatomy import (
    EYE_DEPTH,
    egg,
    eye_half_width,
    eye_place,
    head_width,
    mouth_place,
    nose_tip,
)
from facesmith.data.portraits.canvas import (
    Canvas,
    Patch,
    blend,
    both,
    box,
    curve,
    either,
    ellipse,
    fade,
    hump,
    pick,
    plane,
    rgb,
    ripple,
)
from facesmith.data.portraits.hair import hair_colour

IRISES = np.concatenate(
    [rgb(code) for code in ("5b3822", "8a6a35", "5d8a57", "4d87b8", "7d8d99")]
)  # fmt: skip
"""In the order of the choices in `portraits.ATTRIBUTES`, as all numbers of choices are."""

STUBBLE, MOUSTACHE, FULL_BEARD = 1, 2, 3
ROUND, SQUARE, SUNGLASSES = 1, 2, 3

DARK = rgb("2a1c1e")
SHADOW = rgb("8d5650")
WHITE = rgb("ffffff")
EYE_WHITE = rgb("f6f1ec")
LIP_TINT = rgb("d27872")
MOUTH_INSIDE = rgb("571f27")
TONGUE = rgb("c8626a")
TEETH = rgb("fbf6ee")


def paint_eyes(canvas: Canvas) -> None:
    """Paint both eyes: white, iris, pupil, catchlight, lashes and the crease of the lid."""
    for side in (-1.0, 1.0):
        middle_x, middle_y = eye_place(canvas.sitters, side)
        patch = canvas.head(middle_x - 0.19, middle_x + 0.19, middle_y - 0.17, middle_y + 0.15)
        _paint_eye(patch, side)
        canvas.put(patch)


def _paint_eye(patch: Patch, side: float) -> None:
    sitters = patch.sitters
    middle_x, middle_y = eye_place(sitters, side)
    width = eye_half_width(sitters, side)
    # The outer corner lies a little higher than the inner one.
    x = patch.x - middle_x
    y = patch.y - middle_y + 0.05 * side * x
    high = width * (0.56 + 0.30 * sitters["eye_opening"])
    low = width * 0.50
    upper = curve(x, y, -high, high / (width * width))
    lower = curve(x, y, low, -low / (width * width))
    inside = np.maximum(-upper, lower)
    open_eye = patch.cover(inside)

    white = EYE_WHITE * plane(0.80 + 0.20 * fade(upper, 0.0, 0.07))
    patch.lay(open_eye, white)
    size = 0.64 * (0.098 + 0.026 * sitters["eye_size"])
    gaze = 0.034 * sitters["gaze"] + 0.012 * sitters["yaw"]
    iris_x, iris_y = x - gaze, y + 0.10 * high
    radius = np.sqrt(iris_x * iris_x + iris_y * iris_y)
    colour = pick(IRISES, sitters["eye_colour"])
    bright = 0.72 + 0.65 * fade(iris_y, -size, size) - 0.55 * fade(radius, 0.72 * size, size)
    patch.lay(open_eye * patch.cover(radius - size), colour * plane(bright))
    patch.lay(open_eye * patch.cover(radius - 0.50 * size), rgb("17100f"))
    patch.shade(open_eye * fade(upper, 0.05, 0.0) * 0.55, SHADOW)
    spark_x = iris_x - 0.018 - 0.014 * sitters["light_side"]
    spark = np.sqrt(spark_x * spark_x + (iris_y + 0.024) * (iris_y + 0.024)) - 0.30 * size
    patch.lay(open_eye * patch.cover(spark) * 0.95, WHITE)
    low_x, low_y = iris_x + 0.5 * size, iris_y - 0.5 * size
    low_spark = np.sqrt(low_x * low_x + low_y * low_y) - 0.13 * size
    patch.lay(open_eye * patch.cover(low_spark) * 0.5, WHITE)

    within = np.maximum(1 - x * x / (1.3 * width * width), 0)
    lash = patch.stroke(upper + 0.006, 0.006 + 0.011 * within)
    patch.lay(lash * fade(np.abs(x), 1.16 * width, width), DARK)
    beyond = side * x - width
    wing = np.abs(y + 0.012 + 0.55 * beyond) - 0.009 + 0.25 * np.abs(beyond)
    patch.lay(patch.cover(wing) * patch.cover(np.abs(beyond) - 0.03) * 0.85, DARK)
    patch.shade(patch.stroke(lower, 0.007) * fade(np.abs(x), width, 0.6 * width) * 0.6, SHADOW)
    crease = curve(x, y, -high - 0.034, 0.75 * high / (width * width))
    patch.shade(patch.stroke(crease, 0.008) * fade(np.abs(x), width, 0.5 * width) * 0.6, SHADOW)


def paint_nostrils(canvas: Canvas) -> None:
    """Paint the nostrils and the soft line under the tip of the nose."""
    tip_x, tip_y = nose_tip(canvas.sitters)
    patch = canvas.head(tip_x - 0.18, tip_x + 0.18, tip_y - 0.08, tip_y + 0.12)
    sitters = patch.sitters
    wide = 0.8 + 0.5 * sitters["nose_width"]
    x, y = patch.x - tip_x, patch.y - tip_y
    under = curve(x, y, 0.052, -1.3)
    patch.shade(patch.stroke(under, 0.010) * fade(np.abs(x), 0.07 * wide, 0.02) * 0.55, SHADOW)
    for side in (-1.0, 1.0):
        hole_x = x - side * 0.042 * wide + 0.012 * sitters["yaw"]
        hole = ellipse(hole_x, y - 0.040 + 0.25 * side * hole_x, 0.019 * wide, 0.012)
        patch.shade(patch.cover(hole) * 0.8, rgb("6b3535"))
        wing = ellipse(x - side * 0.068 * wide, y - 0.016, 0.034 * wide, 0.042)
        outer = fade(side * x, 0.076 * wide, 0.10 * wide) * fade(y, -0.022, 0.012)
        patch.shade(patch.stroke(wing, 0.008) * outer * 0.45, SHADOW)
    shine = hump(x - 0.014 * sitters["light_side"], y + 0.022, 0.036, 0.032)
    patch.glow(shine * 0.30, rgb("fff2e0"))
    canvas.put(patch)


def paint_mouth(canvas: Canvas) -> None:
    """Paint the lips and, where the mouth is open, the teeth and the tongue."""
    middle_x, middle_y = mouth_place(canvas.sitters)
    patch = canvas.head(middle_x - 0.26, middle_x + 0.26, middle_y - 0.15, middle_y + 0.19)
    sitters = patch.sitters
    smile = sitters["smile"]
    bright = np.maximum(smile, 0)
    width = 0.125 + 0.04 * sitters["mouth_width"] + 0.03 * bright
    width = width * (1 - 0.06 * np.abs(sitters["yaw"]))
    bow = -0.022 - 0.042 * smile
    opening = sitters["mouth"] * (0.045 + 0.04 * bright)
    x, y = patch.x - middle_x, patch.y - middle_y + 0.25 * bow
    share = np.clip(x / width, -1, 1)
    arc = 1 - share * share
    line = bow * (share * share - 1)
    full = 0.026 + 0.026 * sitters["lip_fullness"]
    # Two humps with a dip between: the bow of the upper lip.
    crest = np.sqrt(arc) * (0.72 + 0.9 * share * share * arc) * full
    top = line - crest - 0.3 * opening * arc
    upper_edge = line - 0.3 * opening * arc
    lower_edge = line + opening * arc
    bottom = lower_edge + np.sqrt(arc) * arc * full * 1.35
    beyond = np.abs(x) - width
    lips = np.maximum(np.maximum(top - y, y - bottom), beyond)
    gap = np.maximum(np.maximum(upper_edge - y, y - lower_edge), beyond)

    skin_like = blend(patch.colours, LIP_TINT, 0.45)
    tint = skin_like * rgb("e8b4ae")
    covered = patch.cover(lips)
    patch.lay(covered * 0.85, tint)
    patch.shade(covered * fade(y, line + 0.004, line - 0.004) * 0.35, rgb("a8605e"))
    shine = hump(x - 0.03 * sitters["light_side"], y - lower_edge - 0.45 * full, 0.09, 0.022)
    patch.glow(covered * shine * 0.28, WHITE)
    open_mouth = patch.cover(gap) * sitters["mouth"]
    patch.lay(open_mouth, MOUTH_INSIDE)
    tongue = ellipse(x, y - lower_edge - 0.012, 0.6 * width, 0.5 * opening + 0.004)
    patch.lay(open_mouth * patch.cover(tongue), TONGUE)
    teeth = y - upper_edge - 0.55 * opening * np.sqrt(arc) - 0.004
    patch.lay(open_mouth * patch.cover(np.maximum(teeth, np.abs(x) - 0.86 * width)), TEETH)
    patch.shade(open_mouth * fade(y - upper_edge, 0.02, 0.0) * 0.4, SHADOW)
    seam = patch.stroke(upper_edge - y, 0.0065) * patch.cover(beyond)
    patch.shade(seam * 0.85, rgb("703138"))
    for side in (-1.0, 1.0):
        corner = hump(x - side * width, y, 0.032, 0.026)
        patch.shade(corner * 0.5, SHADOW)
    canvas.put(patch)


def paint_beard(canvas: Canvas) -> None:
    """Paint stubble, a moustache or a full beard."""
    rows = canvas.sitters.where("beard", STUBBLE, MOUSTACHE, FULL_BEARD)
    if len(rows) == 0:
        return
    patch = canvas.head(-0.56, 0.56, 0.0, 0.74, rows)
    sitters, x, y = patch.sitters, patch.x, patch.y
    width = head_width(sitters)
    kind = sitters["beard"]
    middle_x, middle_y = mouth_place(sitters)
    _, tip_y = nose_tip(sitters)
    turned = sitters.turned(0.07)
    jaw = 0.12 * (1 - sitters["jaw"])
    _, _, skin_edge = egg(patch)
    grown = skin_edge - np.where(kind == FULL_BEARD, 0.07 * fade(y, 0.15, 0.6), -0.005)
    cheek = ellipse(x - turned, y - 0.02, 0.80 * width, 0.315 + 0.25 * jaw)
    lips = ellipse(x - middle_x, y - middle_y - 0.01, 0.10 + 0.03 * sitters["mouth_width"], 0.035)
    curls = ripple(x * 13 + 0.8 * ripple(y * 5)) * ripple(y * 8 + 0.6 * ripple(x * 7))
    whole = both(both(grown, -cheek, 0.05), 0.04 - y, 0.05)
    far = np.abs(x - middle_x)
    above_lip = curve(x - middle_x, y, middle_y - 0.045, 1.6)
    below_nose = -curve(x - middle_x, y, tip_y + 0.075, 2.2)
    tache = both(both(above_lip, below_nose, 0.02), far - 0.19, 0.03)
    whole = np.where(kind == MOUSTACHE, tache, either(whole, tache, 0.03)) + 0.005 * curls
    hair = hair_colour(sitters) * np.float32(0.82)
    sparse, dense = fade(whole, 0.05, -0.07) * 0.38, fade(whole, 0.012, -0.018) * 0.96
    soft = np.where(kind == STUBBLE, sparse, dense)
    inside = soft * np.where(kind == STUBBLE, fade(lips, 0.0, 0.02), 1)
    tone = 0.84 + 0.25 * fade(x * sitters["light_side"], -0.3, 0.4) + 0.16 * fade(y, 0.62, 0.3)
    tone = tone + 0.10 * curls - 0.12 * fade(lips, 0.06, 0.0)
    patch.lay(inside * patch.cover(skin_edge - 0.08), hair * plane(tone))
    canvas.put(patch)


def paint_age(canvas: Canvas) -> None:
    """Paint lines beside the nose, across the brow and under the eyes, deeper with age."""
    rows = np.flatnonzero(canvas.sitters["age"].ravel() > 0.4)
    if len(rows) == 0:
        return
    patch = canvas.head(-0.46, 0.46, -0.36, 0.40, rows)
    sitters, x, y = patch.sitters, patch.x, patch.y
    depth = fade(sitters["age"], 0.4, 1.0)
    tip_x, tip_y = nose_tip(sitters)
    for side in (-1.0, 1.0):
        fold_x = side * (x - tip_x) - 0.115
        fold = (fold_x - 0.10 * fade(y, tip_y - 0.03, 0.40)) * 0.9
        along = fade(y, tip_y - 0.04, tip_y + 0.04) * fade(y, 0.37, 0.29)
        patch.shade(fade(np.abs(fold), 0.022, 0.0) * along * depth * 0.55, SHADOW)
        eye_x, eye_y = eye_place(sitters, side)
        bag = curve(x - eye_x, y, eye_y + 0.115, -4.0)
        near = fade(np.abs(x - eye_x), 0.12, 0.04)
        patch.shade(fade(np.abs(bag), 0.016, 0.0) * near * depth * 0.45, SHADOW)
    for height in (-0.30, -0.245):
        line = curve(x - sitters.turned(0.09), y, height, 0.25)
        near = fade(np.abs(x - sitters.turned(0.09)), 0.24, 0.10)
        patch.shade(fade(np.abs(line), 0.013, 0.0) * near * depth * 0.40, SHADOW)
    canvas.put(patch)


def paint_brows(canvas: Canvas) -> None:
    """Paint the brows, tapering outwards, in a darker tone of the hair."""
    colour = blend(hair_colour(canvas.sitters), rgb("3a2620"), 0.42) * np.float32(0.85)
    for side in (-1.0, 1.0):
        middle_x, middle_y = eye_place(canvas.sitters, side)
        patch = canvas.head(middle_x - 0.21, middle_x + 0.21, middle_y - 0.28, middle_y - 0.05)
        sitters = patch.sitters
        turned_away = np.maximum(side * sitters["yaw"], 0)
        outward = side * (patch.x - middle_x) / (1 - 0.16 * turned_away)
        y = patch.y - middle_y + 0.150 + 0.012 * sitters["eye_opening"]
        bend = outward - 0.01
        line = -0.16 * (sitters["brow_angle"] - 0.4) * outward + 2.2 * bend * bend
        taper = fade(outward, 0.17, -0.06)
        thick = (0.011 + 0.017 * sitters["brow_thickness"]) * (0.30 + 0.70 * taper)
        ends = patch.cover(np.abs(outward - 0.012) - 0.135) * fade(outward, -0.135, -0.095)
        patch.lay(patch.stroke(y - line, thick) * ends * 0.92, colour)
        canvas.put(patch)


def paint_glasses(canvas: Canvas) -> None:
    """Paint the frames, their arms towards the ears, and the glint or the tint of the lenses."""
    rows = canvas.sitters.where("glasses", ROUND, SQUARE, SUNGLASSES)
    if len(rows) == 0:
        return
    patch = canvas.head(-0.62, 0.62, -0.20, 0.24, rows)
    sitters, x = patch.sitters, patch.x
    width = head_width(sitters)
    kind = sitters["glasses"]
    frame = np.where(plane(kind) == ROUND, rgb("6b4226"), rgb("26242b"))
    dark = (kind == SUNGLASSES).astype(np.float32)
    bridge_x = sitters.turned(EYE_DEPTH + 0.02)
    y = patch.y - 0.035
    for side in (-1.0, 1.0):
        eye_x, _ = eye_place(sitters, side)
        middle = eye_x + sitters.turned(0.015)
        turned_away = np.maximum(side * sitters["yaw"], 0)
        lens_x = (x - middle) / (1 - 0.14 * turned_away)
        size = 0.428 * width * (0.94 + 0.02 * sitters["eye_spacing"])
        circle = ellipse(lens_x, y, size, size * 0.98)
        lens = np.where(kind == ROUND, circle, box(lens_x, y, size, size * 0.80, 0.055))
        glass = patch.cover(lens)
        tint = blend(rgb("2b2b3a"), rgb("7a6a78"), plane(fade(y, -0.1, 0.16)))
        patch.lay(glass * dark * 0.96, tint)
        slant = np.abs(lens_x - 0.5 * y + 0.045) - 0.030
        patch.glow(glass * fade(slant, 0.02, 0.0) * (0.16 + 0.10 * dark), WHITE)
        ear_x = side * width * 0.96 - sitters.turned(0.05)
        edge = middle + side * size * (1 - 0.14 * turned_away)
        along = side * (x - edge)
        arm = patch.stroke(y + 0.045, 0.014) * (along > 0) * patch.cover(side * (x - ear_x))
        patch.lay(arm, frame * np.float32(0.8))
        patch.shade(fade(np.abs(lens - 0.012), 0.03, 0.0) * fade(y, -0.02, 0.1) * 0.25, SHADOW)
        patch.lay(patch.stroke(lens, 0.0125), frame)
    nose = curve(x - bridge_x, y, -0.045, 3.0)
    gap = np.abs(x - bridge_x) - 0.035
    patch.lay(patch.stroke(nose, 0.011) * patch.cover(gap - 0.015), frame)
    canvas.put(patch)
