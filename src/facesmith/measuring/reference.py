"""Real pictures that others are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesmith.measuring import pictures
from facesmith.measuring.pictures import Pictures

STILL = 0.02
"""A feature that varies less, such as an empty corner, is the same in all pictures."""
ODD = (5.4, 12.0, 12.0, 6.5)
"""Median deviations from the median, beyond which a picture is unlike the others, for each measure of
`pictures.describe_each`: of five kinds of pictures, less than 1 in 100 of the sound ones were."""
SAMPLE = 48
"""Pictures among which a real one looks for its nearest fellow; as many as there are fakes."""


@dataclass(frozen=True)
class Reference:
    """What fakes are compared with: how far real pictures are from each other."""

    distance: float
    """Mean distance of two real pictures, pixel by pixel."""
    features_distance: float
    twin: float
    """Two fakes that are nearer in features than this are twins: 2 % of real pictures have such a fellow."""
    mean: NDArray[np.float64]
    """Of the features."""
    spread: NDArray[np.float64]
    """Standard deviation of the features."""
    each: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Median, and median deviation from it, of `pictures.describe_each`."""
    count: int
    measured: dict[str, float]
    """As of `pictures.describe`."""

    @classmethod
    def of(cls, reals: Pictures) -> Reference:
        """Measure real pictures (N, H, W, C)."""
        rows, features = pictures.flatten(reals), pictures.features(reals)
        apart = pictures.distances(features, features)
        parts = len(rows) // SAMPLE
        near = [
            pictures.nearest(apart[np.ix_(part, part)])
            for part in np.array_split(np.arange(len(rows)), max(1, parts))
            if len(part) > 2
        ]
        each = pictures.describe_each(reals)
        middle = np.median(each, axis=0)
        return cls(
            each=(middle, np.median(np.abs(each - middle), axis=0) + 0.02),
            count=len(reals),
            distance=max(float(pictures.pairs(pictures.distances(rows, rows)).mean()), 1e-6),
            features_distance=max(float(pictures.pairs(apart).mean()), 1e-6),
            twin=float(np.quantile(np.concatenate(near), 0.02)) if near else 0.0,
            mean=features.mean(axis=0),
            spread=np.maximum(features.std(axis=0), STILL),
            measured=pictures.describe(reals),
        )

    def shift(self, features: NDArray[np.float64]) -> float:
        """Say how far the mean of a batch's features lies from that of real ones.

        Args:
            features: Shape (N, F).

        Returns:
            Root mean squared distance in standard errors: about 1 for a batch of the same law.
        """
        gap = (features.mean(axis=0) - self.mean) / self.spread
        return float(np.sqrt((gap**2).mean() * len(features)))

    def bias(self, features: NDArray[np.float64]) -> tuple[float, float]:
        """Say how far many batches together are from the reference, in mean and in spread.

        Args:
            features: Shape (N, F), of all of them.

        Returns:
            Root mean squared differences in standard errors: both about 1 for images of the same law.
        """
        error = np.sqrt(1 / len(features) + 1 / self.count)
        gap = (features.mean(axis=0) - self.mean) / self.spread
        ratio = np.log(np.maximum(features.std(axis=0), STILL) / self.spread)
        # The logarithm of a standard deviation has the error of a mean over the root of two.
        return (
            float(np.sqrt((gap**2).mean()) / error),
            float(np.sqrt((ratio**2).mean()) / error * np.sqrt(2)),
        )

    def odd(self, each: NDArray[np.float64]) -> float:
        """Give the share of pictures that are unlike the reference in detail, bare rows or contrast.

        Args:
            each: As `pictures.describe_each` gives it.
        """
        middle, deviation = self.each
        return float((np.abs(each - middle) > ODD * deviation).any(axis=1).mean())
