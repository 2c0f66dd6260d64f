"""What the discriminator's logits say: how well it tells real from fake, whatever its loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesmith.base.records import QUANTILES

Logits = NDArray[np.float64]


def separation(upper: Logits, lower: Logits) -> float:
    """Give the share of pairs in which a value of the first set is the larger: the area under the ROC curve.

    It needs no threshold and no scale, so it means the same for every loss: 0.5 is a blind discriminator, 1
    one that is never wrong.

    Args:
        upper: Logits (N,) that should be higher, such as those of real images.
        lower: Logits (M,).

    Returns:
        From 0 to 1; ties count half. NaN if a set is empty or not finite.
    """
    if not (len(upper) and len(lower) and np.isfinite(upper).all() and np.isfinite(lower).all()):
        return float("nan")
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, upper, side="left")
    up_to = np.searchsorted(ordered, upper, side="right")
    return float((below + up_to).mean() / 2 / len(lower))


def quantiles(logits: Logits) -> list[float]:
    """Give the logits at the places of `records.QUANTILES`; empty if there are none that are finite."""
    finite = logits[np.isfinite(logits)]
    return [float(value) for value in np.quantile(finite, QUANTILES)] if len(finite) else []


def probability(logits: Logits) -> Logits:
    """Give the sigmoid of logits of any size without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(logits / 2)))
