"""How much two images differ once one is laid over the other.

A copy that was cropped, turned by a degree or brightened differs from its source in nearly every pixel,
and two faces that are aligned differ in few. So the move, zoom and turn that explain a difference best
are found first, in steps of least squares (Lucas and Kanade, An iterative image registration technique,
1981), and taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facesmith.data.quality.spectra import cosines, transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FIELDS = 5
"""What is fitted: moves across and down, zoom, turn, contrast."""
PLACES = 20
"""Along each side, at which images are compared: more than frequencies, so that slopes are true."""
SMOOTHING = (9.0, 12.0)
"""Of each step: the frequency of which 1/e is left. A coarse image sees further, a fine one better."""
FAR = 0.05
"""What is left of a coarse difference after the first step, beyond which two images are no copies."""
FURTHEST = np.float32(0.1)
"""How far a copy can be moved, as a part of its side, or zoomed; unlike images would be torn apart."""
STRONGEST = 1
"""How much contrast copies gain or lose at most, as a part of their mean: a third, or three times. Without
a bound it would explain any difference from an image that has none."""
MARGIN = 0.08
"""Part of the side that is left out at the borders of both images, where filters look beyond them."""
HALF = np.float32(0.5)
SLIGHT = np.float32(1e-3)
"""Keeps the equations of images without structure solvable."""

AT = ((np.arange(PLACES) + 0.5) / PLACES - 0.5).astype(np.float32)
"""The places, with the middle of the image at 0 and its sides at -0.5 and 0.5."""


def differences(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Floats:
    """Compare pairs of images, whatever small move, zoom, turn, brightness and contrast lie between.

    Args:
        one: Array (N, S, S) of grey images.
        other: As many, each to be compared with the one of its row.

    Returns:
        Array (N,): 1 minus the correlation of their detail; 0 for copies, about 0.5 and more for
        different photographs.
    """
    moving, still = _spectra(one), _spectra(other)
    coarse, fine = (_smooth(one.shape[1], reach) for reach in SMOOTHING)
    detail = fine * _radius(one.shape[1]) ** 2  # the Laplacian: edges, where faces differ most
    path = np.zeros((len(one), 3), np.float32)
    path, apart = _step(moving * coarse, still * coarse, path)
    near = apart <= FAR
    moving, still = moving[near], still[near]
    path, _ = _step(moving * fine, still * fine, path[near])
    differ = np.ones(len(one), np.float32)
    _, differ[near] = _step(moving * detail, still * detail, path)
    return differ


def _radius(side: int) -> Floats:
    down, across = np.mgrid[:side, :side]
    radius: Floats = np.hypot(down, across).astype(np.float32)
    return radius


def _smooth(side: int, reach: float) -> Floats:
    weights: Floats = np.exp(-((_radius(side) / np.float32(reach)) ** 2))
    return weights


def _spectra(images: NDArray[np.uint8]) -> Floats:
    """Give the cosines that images are made of, for a mean of zero and a variance of one."""
    side = images.shape[1]
    matrix = transform(side, side)
    spectra = matrix @ images @ matrix.T
    spectra[:, 0, 0] = 0
    # By Parseval's theorem the squares add up to the variance times the pixels.
    spread = np.sqrt(np.square(spectra).sum((1, 2), keepdims=True)) / side
    normalised: Floats = spectra / np.maximum(spread, 1)
    return normalised


def _step(moving: Floats, still: Floats, path: Floats) -> tuple[Floats, Floats]:
    """Follow the path, explain what still differs by a further move, zoom, turn and contrast.

    Returns:
        The path with the further move and zoom, and how much is left of the difference.
    """
    near, inside = _drawn(moving, path)
    far, _ = _drawn(still, np.zeros((1, 3), np.float32))
    mean = (near + far) * HALF
    matrix = (_fields(mean) * inside[:, None]).reshape(len(path), FIELDS, PLACES**2)
    wanted = ((far - near) * inside).reshape(len(path), PLACES**2, 1)
    normal = matrix @ matrix.transpose(0, 2, 1)
    normal += SLIGHT * np.eye(FIELDS, dtype=np.float32)
    projected = matrix @ wanted
    amounts = np.linalg.solve(normal, projected)
    left = np.square(wanted).sum((1, 2)) - (amounts * projected).sum((1, 2))
    left = np.maximum(left, 0)
    shared = np.square(mean * inside).sum((1, 2))
    differ: Floats = 2 * left / np.maximum(4 * shared + left, SLIGHT)
    differ[np.abs(amounts[:, -1, 0]) > STRONGEST] = 1
    further: Floats = (path + amounts[:, :3, 0]).clip(-FURTHEST, FURTHEST)
    return further, differ


def _drawn(spectra: Floats, path: Floats) -> tuple[Floats, Floats]:
    """Draw images after moves across and down and a zoom; also where the result lies inside."""
    side = spectra.shape[1]
    x = AT + path[:, :1] + path[:, 2:] * AT
    y = AT + path[:, 1:2] + path[:, 2:] * AT
    columns, rows = (cosines((at + 0.5) * side - 0.5, side, side) for at in (x, y))
    across, down = (np.maximum(np.abs(at), np.abs(AT)) <= 0.5 - MARGIN for at in (x, y))
    inside = (down[:, :, None] & across[:, None]).astype(np.float32)
    drawn: Floats = (rows @ spectra @ columns.transpose(0, 2, 1)).astype(np.float32, copy=False)
    return drawn, inside


def _fields(mean: Floats) -> Floats:
    """Give what a little move across, down, zoom, turn and contrast each add to an image."""
    fields = np.zeros((len(mean), FIELDS, PLACES, PLACES), np.float32)
    across, down, zoom, turn, contrast = fields.transpose(1, 0, 2, 3)
    across[:, :, 1:-1] = (mean[:, :, 2:] - mean[:, :, :-2]) * (PLACES / 2)
    down[:, 1:-1] = (mean[:, 2:] - mean[:, :-2]) * (PLACES / 2)
    x, y = AT, AT[:, None]
    zoom[:] = x * across + y * down
    turn[:] = x * down - y * across
    contrast[:] = mean
    return fields
