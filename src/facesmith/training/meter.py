"""Sums of measurements that stay on the device until somebody asks."""

from __future__ import annotations

import torch
from torch import Tensor


class Meter:
    """Collects means without making the host wait for the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured since the last reading."""
        return not self._sums

    def add(self, name: str, values: Tensor) -> None:
        """Add measurements.

        Args:
            name: What was measured.
            values: Any shape; their mean counts once.
        """
        mean = values.detach().float().mean()
        known = self._sums.get(name)
        self._sums[name] = mean if known is None else known + mean
        self._counts[name] = self._counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        """Give the mean of each measurement and begin anew; waits for the device once.

        Returns:
            Means by name.
        """
        if not self._sums:
            return {}
        values = torch.stack(list(self._sums.values())).tolist()
        means = {
            name: value / self._counts[name] for name, value in zip(self._sums, values, strict=True)
        }
        self._sums, self._counts = {}, {}
        return means
