"""The built-in portraits: their laws, their determinism, and what each attribute paints."""

from __future__ import annotations

import numpy as np
import pytest

from facesmith.base.errors import UsageError
from facesmith.data.portraits import (
    ATTRIBUTES,
    Attributes,
    Categorical,
    Continuous,
    Images,
    draw_attributes,
    portraits,
    render,
)

WHOLE = (-1.0, 1.0, -1.0, 1.0)
EYES = (-0.45, 0.45, -0.22, 0.25)
MOUTH = (-0.30, 0.30, 0.22, 0.56)
NOSE = (-0.22, 0.22, -0.30, 0.50)
UPPER_FACE = (-0.62, 0.62, -0.24, 0.30)
LOWER_FACE = (-0.60, 0.60, -0.02, 0.80)
HEAD = (-0.72, 0.72, -0.80, 0.70)

ACTS_WITHIN = {
    "eye_size": EYES,
    "eye_colour": EYES,
    "eye_spacing": EYES,
    "eye_opening": EYES,
    "gaze": EYES,
    "brow_thickness": (-0.45, 0.45, -0.30, 0.0),
    "brow_angle": (-0.45, 0.45, -0.30, 0.0),
    "nose_length": NOSE,
    "nose_width": NOSE,
    "mouth_width": MOUTH,
    "lip_fullness": MOUTH,
    "smile": MOUTH,
    "mouth": MOUTH,
    "glasses": UPPER_FACE,
    "beard": LOWER_FACE,
    "blush": (-0.52, 0.52, 0.0, 0.40),
    "jaw": LOWER_FACE,
    "clothing_colour": (-1.0, 1.0, 0.5, 1.0),
    "collar": (-1.0, 1.0, 0.5, 1.0),
}
"""For an attribute with a place of its own: left, right, top and bottom of that place."""


def plain(**changes: float) -> Attributes:
    """Return one upright portrait with everything at the middle of its range, then changed."""
    values: Attributes = {}
    for attribute in ATTRIBUTES:
        if isinstance(attribute, Categorical):
            values[attribute.name] = np.array([int(changes.get(attribute.name, 0))])
        else:
            middle = (attribute.low + attribute.high) / 2
            values[attribute.name] = np.array([changes.get(attribute.name, middle)])
    return values


def inside(region: tuple[float, float, float, float], resolution: int = 64) -> np.ndarray:
    """Return which pixels of a plain portrait lie in a region of the painter's coordinates."""
    laws = {attribute.name: attribute for attribute in ATTRIBUTES}
    scale, shift_y = laws["scale"], laws["shift_y"]
    assert isinstance(scale, Continuous) and isinstance(shift_y, Continuous)
    size = (scale.low + scale.high) / 2
    middle = (2 * np.arange(resolution) + 1) / resolution - 1
    x, y = middle / size, (middle - (shift_y.low + shift_y.high) / 2) / size
    left, right, top, bottom = region
    return ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right))[None, :]


def extremes(name: str) -> list[float]:
    attribute = next(attribute for attribute in ATTRIBUTES if attribute.name == name)
    if isinstance(attribute, Categorical):
        return list(range(len(attribute.choices)))
    return [attribute.low, attribute.high]


def change(first: Images, second: Images) -> np.ndarray:
    """Return by how much each pixel differs, summed over the colours."""
    return np.abs(first[0].astype(int) - second[0].astype(int)).sum(axis=-1)


def test_portraits_have_the_stated_shapes_and_types() -> None:
    images, attributes = portraits([3, 1, 4], 48)
    assert images.shape == (3, 48, 48, 3)
    assert images.dtype == np.uint8
    assert list(attributes) == [attribute.name for attribute in ATTRIBUTES]
    assert all(values.shape == (3,) for values in attributes.values())
    assert images.std() > 20


def test_a_portrait_depends_on_seed_and_index_alone() -> None:
    many, drawn = portraits(range(150), 64, seed=5)
    order = np.array([149, 0, 77, 77, 12, 63, 64])
    some, redrawn = portraits(order, 64, seed=5)
    assert np.array_equal(some, many[order])
    for name, values in redrawn.items():
        assert np.array_equal(values, drawn[name][order])
    for index in (7, 80, 131):
        assert np.array_equal(portraits([index], 64, seed=5)[0][0], many[index])


@pytest.mark.parametrize("resolution", [16, 33, 64, 100])
def test_batches_do_not_matter_at_any_resolution(resolution: int) -> None:
    many, _ = portraits(range(24), resolution)
    alone = np.concatenate([portraits([index], resolution)[0] for index in range(24)])
    assert np.array_equal(alone, many)


def test_seeds_and_distant_indices_give_different_people() -> None:
    images, attributes = portraits([0, 1, 2**40], 32)
    assert len({image.tobytes() for image in images}) == 3
    assert not np.array_equal(portraits([0], 32, seed=1)[0][0], images[0])
    assert len(set(attributes["skin_tone"])) == 3


def test_attributes_follow_their_laws() -> None:
    count = 20_000
    drawn = draw_attributes(np.arange(count), seed=3)
    for attribute in ATTRIBUTES:
        values = drawn[attribute.name]
        if isinstance(attribute, Categorical):
            assert abs(sum(attribute.weights) - 1) < 1e-12
            assert len(attribute.weights) == len(attribute.choices)
            found = np.bincount(values, minlength=len(attribute.choices)) / count
            weights = np.array(attribute.weights)
            error = np.sqrt(weights * (1 - weights) / count)
            assert values.dtype == np.int64
            assert np.all(np.abs(found - weights) < 4.5 * error), attribute.name
        else:
            share = (values - attribute.low) / (attribute.high - attribute.low)
            distance = np.abs(np.sort(share) - (np.arange(count) + 0.5) / count).max()
            assert values.dtype == np.float64
            assert share.min() >= 0 and share.max() < 1
            # Kolmogorov-Smirnov: 2.2 / sqrt(n) is exceeded about once in ten thousand.
            assert distance < 2.2 / np.sqrt(count), attribute.name


def test_attributes_are_independent_of_each_other_and_of_their_neighbours() -> None:
    count = 20_000
    drawn = draw_attributes(np.arange(count))
    table = np.stack([np.asarray(values, float) for values in drawn.values()])
    bound = 5 / np.sqrt(count)
    between = np.corrcoef(table) - np.eye(len(table))
    assert np.abs(between).max() < bound
    for values in table:
        assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < bound


@pytest.mark.parametrize("name", [attribute.name for attribute in ATTRIBUTES])
def test_every_attribute_acts_where_it_should(name: str) -> None:
    # Off the middle, so that light, gaze and shift have something to act upon.
    settings = {"hair_style": 2, "age": 0.3, "light_side": 0.4}
    first, *others = extremes(name)
    before = render(plain(**{**settings, name: first}), 64)
    for value in others:
        moved = change(before, render(plain(**{**settings, name: value}), 64))
        assert (moved > 12).sum() >= 8, (name, value)
        region = ACTS_WITHIN.get(name, WHOLE)
        share = moved[inside(region)].sum() / moved.sum()
        assert share > 0.97 or region == WHOLE, (name, value, share)


@pytest.mark.parametrize(
    ("name", "value", "region"),
    [
        ("glasses", 2, UPPER_FACE),
        ("eye_colour", 3, EYES),
        ("gaze", 1.0, EYES),
        ("mouth", 1, MOUTH),
        ("beard", 3, LOWER_FACE),
        ("hair_style", 1, HEAD),
    ],
)
def test_an_edit_leaves_the_rest_of_the_picture_alone(
    name: str, value: float, region: tuple[float, float, float, float]
) -> None:
    before = render(plain(), 64)
    edited = change(before, render(plain(**{name: value}), 64))
    assert edited[inside(region)].max() > 30
    assert edited[~inside(region)].max() == 0


def test_editing_one_portrait_leaves_the_others_alone() -> None:
    images, attributes = portraits(range(8), 64)
    attributes["glasses"][3] = (attributes["glasses"][3] + 1) % 4
    edited = render(attributes, 64)
    same = [np.array_equal(first, second) for first, second in zip(images, edited, strict=True)]
    assert same == [index != 3 for index in range(8)]


@pytest.mark.parametrize(("fine", "coarse"), [(128, 64), (256, 128), (128, 32), (64, 16)])
def test_a_portrait_is_the_same_person_at_every_resolution(fine: int, coarse: int) -> None:
    large, _ = portraits(range(24), fine)
    small, _ = portraits(range(24), coarse)
    factor = fine // coarse
    reduced = large.reshape(24, coarse, factor, coarse, factor, 3).mean(axis=(2, 4))
    error = np.abs(reduced - small).mean(axis=(1, 2, 3))
    others = np.abs(reduced - np.roll(small, 1, axis=0)).mean(axis=(1, 2, 3))
    assert error.max() < 2.5
    assert others.min() > 5 * error.max()


def test_skin_tones_go_from_light_to_dark() -> None:
    tones = np.linspace(0, 1, 10)
    pictures = [render(plain(skin_tone=tone, blush=0), 64)[0] for tone in tones]
    brightness = [picture[inside((-0.2, 0.2, -0.42, -0.25))].mean() for picture in pictures]
    assert np.all(np.diff(brightness) < -3)


def test_light_comes_from_its_side() -> None:
    left, right = inside((-0.42, -0.30, 0.05, 0.25)), inside((0.30, 0.42, 0.05, 0.25))
    for side in (-1.0, 1.0):
        picture = render(plain(light_side=side), 64)[0].astype(float)
        assert side * (picture[right].mean() - picture[left].mean()) > 10


@pytest.mark.parametrize("resolution", [0, 15, 257, -64])
def test_a_resolution_out_of_range_is_refused(resolution: int) -> None:
    with pytest.raises(UsageError):
        portraits([0], resolution)


@pytest.mark.parametrize("indices", [[], [-1], [0, -3], [[0, 1]], [0.5], 7, [True]])
def test_indices_that_number_no_portraits_are_refused(indices: object) -> None:
    with pytest.raises(UsageError):
        draw_attributes(indices)  # type: ignore[arg-type]


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UsageError):
        draw_attributes([0], seed=-1)


@pytest.mark.parametrize(
    "changes",
    [
        {"smile": np.array([1.5])},
        {"smile": np.array([np.nan])},
        {"glasses": np.array([4])},
        {"glasses": np.array([-1])},
        {"glasses": np.array([0.5])},
        {"glasses": np.array([0, 1])},
        {"hat": np.array([1])},
    ],
)
def test_attributes_that_cannot_be_painted_are_refused(changes: Attributes) -> None:
    with pytest.raises(UsageError):
        render({**plain(), **changes}, 64)


def test_a_missing_attribute_is_refused() -> None:
    attributes = plain()
    del attributes["nose_width"]
    with pytest.raises(UsageError, match="nose_width"):
        render(attributes, 64)


def test_no_portraits_at_all_are_refused() -> None:
    with pytest.raises(UsageError):
        render({name: values[:0] for name, values in plain().items()}, 64)
