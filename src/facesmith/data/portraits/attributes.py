"""Built-in data: portraits of invented people, each a pure function of a seed and an index.

Every attribute is drawn independently of all others, uniformly for a continuous one and with the
stated weights for a categorical one, so the joint law of the data is the product of the laws in
`ATTRIBUTES`. What an attribute looks like is the business of the painter, not of this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facesmith.base.errors import UsageError
from facesmith.data.portraits.canvas import Array, Sitters
from facesmith.data.portraits.painting import paint

Attributes = dict[str, NDArray[Any]]
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Categorical:
    """An attribute that is one of some choices; its values are the choices' numbers from 0.

    Args:
        name: the attribute's name.
        choices: what it can be.
        weights: the probability of each choice; they add up to 1.
    """

    name: str
    choices: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Continuous:
    """An attribute that is uniform between two numbers.

    Args:
        name: the attribute's name.
        low: its least value.
        high: its greatest value.
    """

    name: str
    low: float
    high: float


Attribute = Categorical | Continuous

ATTRIBUTES: tuple[Attribute, ...] = (
    Continuous("head_width", 0.0, 1.0),
    Continuous("jaw", 0.0, 1.0),
    Continuous("skin_tone", 0.0, 1.0),
    Categorical(
        "hair_style",
        ("bald", "cropped", "quiff", "side_parted", "bob", "long", "curly", "bun"),
        (0.06, 0.10, 0.14, 0.15, 0.15, 0.17, 0.12, 0.11),
    ),
    Categorical(
        "hair_colour",
        ("black", "brown", "chestnut", "blond", "red", "grey"),
        (0.25, 0.22, 0.17, 0.16, 0.11, 0.09),
    ),
    Continuous("hair_shade", -1.0, 1.0),
    Continuous("eye_size", 0.0, 1.0),
    Categorical(
        "eye_colour",
        ("brown", "hazel", "green", "blue", "grey"),
        (0.38, 0.18, 0.14, 0.20, 0.10),
    ),
    Continuous("eye_spacing", -1.0, 1.0),
    Continuous("eye_opening", 0.0, 1.0),
    Continuous("gaze", -1.0, 1.0),
    Continuous("brow_thickness", 0.0, 1.0),
    Continuous("brow_angle", -1.0, 1.0),
    Continuous("nose_length", 0.0, 1.0),
    Continuous("nose_width", 0.0, 1.0),
    Continuous("mouth_width", 0.0, 1.0),
    Continuous("lip_fullness", 0.0, 1.0),
    Continuous("smile", -1.0, 1.0),
    Categorical("mouth", ("closed", "open"), (0.65, 0.35)),
    Categorical("glasses", ("none", "round", "square", "dark"), (0.70, 0.12, 0.12, 0.06)),
    Categorical("beard", ("none", "stubble", "moustache", "full"), (0.70, 0.11, 0.07, 0.12)),
    Continuous("age", 0.0, 1.0),
    Continuous("blush", 0.0, 1.0),
    Continuous("yaw", -1.0, 1.0),
    Continuous("roll", -0.12, 0.12),
    Continuous("light_side", -1.0, 1.0),
    Continuous("light_strength", 0.0, 1.0),
    Categorical(
        "clothing_colour",
        ("navy", "cream", "rust", "forest", "mustard", "plum", "charcoal", "denim"),
        (0.125,) * 8,
    ),
    Categorical(
        "collar", ("crew", "v_neck", "shirt", "roll_neck"), (0.32, 0.20, 0.26, 0.22)
    ),
    Categorical(
        "background_colour",
        ("sand", "sage", "sky", "rose", "lavender", "teal", "apricot", "slate"),
        (0.125,) * 8,
    ),
    Continuous("background_shade", -1.0, 1.0),
    Continuous("shift_x", -0.05, 0.05),
    Continuous("shift_y", -0.02, 0.05),
    Continuous("scale", 1.06, 1.20),
)  # fmt: skip
"""All attributes in order. `roll` is in radians; `shift_x`, `shift_y` in half picture sides; a
positive `yaw`, `gaze` or `light_side` is towards the picture's right; `smile` below 0 is a frown.
`age` brings wrinkles from 0.4 and greys hair, brows and beard from 0.7."""

RESOLUTIONS = (16, 256)
"""The least and the greatest side of a portrait, in pixels."""

_CANVAS_PIXELS = 2**18
_FINEST_NEED = 64


def draw_attributes(indices: ArrayLike, *, seed: int = 0) -> Attributes:
    """Draw the attributes of portraits, each from (seed, index) alone.

    Args:
        indices: which portraits, whole numbers from 0, shape (N,), in any order.
        seed: which endless collection of portraits, from 0.

    Returns:
        For each name in `ATTRIBUTES` an array of shape (N,): int64 numbers of choices, or float64.
    """
    chosen = _checked_indices(indices)
    if seed < 0:
        raise UsageError(f"seed {seed}", needed="a seed from 0", todo="use 0 or more")
    drawn: Attributes = {}
    for number, attribute in enumerate(ATTRIBUTES):
        uniform = _uniform(seed, chosen, number)
        if isinstance(attribute, Categorical):
            edges = np.cumsum(attribute.weights)[:-1]
            drawn[attribute.name] = np.searchsorted(edges, uniform, side="right").astype(np.int64)
        else:
            drawn[attribute.name] = attribute.low + (attribute.high - attribute.low) * uniform
    return drawn


def render(attributes: Mapping[str, ArrayLike], resolution: int) -> Images:
    """Paint the portraits that have the given attributes.

    Args:
        attributes: every name in `ATTRIBUTES` with N values of its kind and range.
        resolution: the side of the pictures in pixels, 16 to 256.

    Returns:
        RGB pictures of shape (N, resolution, resolution, 3).
    """
    low, high = RESOLUTIONS
    if not low <= resolution <= high:
        raise UsageError(
            f"resolution {resolution}",
            needed=f"a side between {low} and {high} pixels",
            todo="ask for a resolution in that range",
        )
    values = _checked_attributes(attributes)
    _let_memory_be_reused()
    count = len(values["yaw"])
    # Eyes and glasses need pixels: small pictures are painted larger and averaged down.
    finer = -(-_FINEST_NEED // resolution)
    side = resolution * finer
    images = np.empty((count, resolution, resolution, 3), np.uint8)
    step = max(1, _CANVAS_PIXELS // (side * side))
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        sitters = Sitters({name: value[part].reshape(-1, 1, 1) for name, value in values.items()})
        images[part] = _as_bytes(paint(sitters, side), finer)
    return images


def portraits(indices: ArrayLike, resolution: int, *, seed: int = 0) -> tuple[Images, Attributes]:
    """Draw and paint portraits.

    Args:
        indices: which portraits, whole numbers from 0, shape (N,), in any order.
        resolution: the side of the pictures in pixels, 16 to 256.
        seed: which endless collection of portraits, from 0.

    Returns:
        The RGB pictures, shape (N, resolution, resolution, 3), and their attributes.
    """
    attributes = draw_attributes(indices, seed=seed)
    return render(attributes, resolution), attributes


def _checked_indices(indices: ArrayLike) -> NDArray[np.int64]:
    chosen = np.asarray(indices)
    whole = chosen.ndim == 1 and chosen.size > 0 and chosen.dtype.kind in "iu"
    if not whole or int(chosen.min()) < 0:
        raise UsageError(
            f"indices of shape {chosen.shape} and type {chosen.dtype}, least "
            f"{chosen.min() if chosen.size else 'missing'}",
            needed="a list of at least one whole number from 0",
            todo="number the portraits you want, such as range(64)",
        )
    return chosen.astype(np.int64)


def _checked_attributes(attributes: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float32]]:
    names = [attribute.name for attribute in ATTRIBUTES]
    if set(attributes) != set(names):
        raise UsageError(
            f"attributes that differ in {sorted(set(attributes) ^ set(names))}",
            needed="every name in ATTRIBUTES and no other",
            todo="start from draw_attributes and edit what it returns",
        )
    values = {name: np.asarray(attributes[name]) for name in names}
    shapes = {value.shape for value in values.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or shape[0] == 0:
        raise UsageError(
            f"attributes of shapes {sorted({value.shape for value in values.values()})}",
            needed="the same number of values, at least one, for every attribute",
            todo="start from draw_attributes and edit what it returns",
        )
    for attribute in ATTRIBUTES:
        _check_range(attribute, values[attribute.name])
    return {name: value.astype(np.float32) for name, value in values.items()}


def _check_range(attribute: Attribute, value: NDArray[Any]) -> None:
    if isinstance(attribute, Categorical):
        last = len(attribute.choices) - 1
        fits = value.dtype.kind in "iu" and 0 <= int(value.min()) <= int(value.max()) <= last
        needed = f"whole numbers from 0 to {last}, for {', '.join(attribute.choices)}"
    else:
        # A NaN fails both comparisons, as it should.
        fits = bool(np.all((value >= attribute.low) & (value <= attribute.high)))
        needed = f"numbers from {attribute.low} to {attribute.high}"
    if not fits:
        raise UsageError(
            f"{attribute.name} from {value.min()} to {value.max()} of type {value.dtype}",
            needed=needed,
            todo=f"bring {attribute.name} into that range",
        )


def _let_memory_be_reused() -> None:
    """Make glibc keep what the painter frees and takes again, in place of returning its pages."""
    # Freeing one large block raises glibc's thresholds to its size; its pages are never touched.
    np.empty(31 * 2**20, np.uint8)


def _uniform(seed: int, indices: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Return a uniform in [0, 1) for each index: a hash of (seed, index, number)."""
    start = _scrambled(np.array([seed % 2**64], np.uint64))
    each = _scrambled(start + indices.astype(np.uint64))
    mixed = _scrambled(each + np.uint64(number))
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _scrambled(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each word after one step of splitmix64 (Steele, Lea and Flood, 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _as_bytes(colours: Array, finer: int) -> Images:
    count, _, side, _ = colours.shape
    kept = side // finer
    total: NDArray[np.float32] = np.zeros((count, 3, kept, kept), np.float32)
    # Added in a fixed order: a library's mean may group the terms by the shape of the batch.
    for line in range(finer):
        for column in range(finer):
            total += colours[:, :, line::finer, column::finer]
    scaled = np.clip(total / (finer * finer), 0, 1) * 255 + 0.5
    return np.ascontiguousarray(scaled.transpose(0, 2, 3, 1)).astype(np.uint8)
