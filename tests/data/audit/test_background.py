from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.audit import background


def before(colour: tuple[int, int, int], seed: int = 0) -> NDArray[np.uint8]:
    """A noisy face before a wall, shoulders below it."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    wall = np.clip(np.array(colour) + random.integers(-8, 9, (1, 64, 64, 3)), 0, 255)
    image[:, :40, :10], image[:, :40, -10:] = wall[:, :40, :10], wall[:, :40, -10:]
    image[:, :10] = wall[:, :10]
    return image


@pytest.mark.parametrize(
    ("colour", "kind"),
    [((240, 240, 240), 0), ((40, 160, 90), 1), ((20, 10, 30), 2), ((255, 220, 60), 0)],
)
def test_a_plain_wall_is_told_by_its_shade(colour: tuple[int, int, int], kind: int) -> None:
    kinds, colours = background.borders(before(colour))
    assert kinds.tolist() == [kind]
    assert np.abs(colours[0] - colour).max() <= 4


def test_hair_over_a_quarter_of_the_border_leaves_it_plain_and_over_half_does_not() -> None:
    image = before((240, 240, 240))
    image[:, :8, 14:50] = 30
    assert background.borders(image)[0].tolist() == [0]
    image[:, :40, :30] = np.random.default_rng(1).integers(0, 256, (1, 40, 30, 3))
    assert background.borders(image)[0].tolist() == [background.BUSY]


def test_grey_images_have_backgrounds_too() -> None:
    kinds, colours = background.borders(before((20, 20, 20))[..., :1])
    assert kinds.tolist() == [2]
    assert colours.shape == (1, 3)


def test_the_commonest_colour_is_found_among_plain_backgrounds() -> None:
    walls = [(200, 30, 40)] * 5 + [(30, 200, 40)] * 3 + [(20, 20, 220)] * 2
    images = np.concatenate([before(colour, seed) for seed, colour in enumerate(walls)])
    busy = np.random.default_rng(9).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    found = background.sum_up(*background.borders(np.concatenate([images, busy])))
    assert found.kinds.number("busy") == 6
    assert found.alike == 5
    assert np.abs(np.array(list(bytes.fromhex(found.colour[1:]))) - walls[0]).max() <= 6
    none = background.sum_up(*background.borders(busy))
    assert (none.colour, none.alike) == ("", 0)
