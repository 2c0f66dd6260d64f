"""Measurements of the steps between two records; they stay on the device until the record is made."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Window = dict[str, NDArray[np.float64]]
"""All values of each measurement since the last reading."""


class Meter:
    """Collects values without computing anything and without making the host wait for the device."""

    def __init__(self) -> None:
        self._values: dict[str, list[Tensor]] = {}
        self.latest: dict[str, Tensor] = {}
        """What the first update of the newest round saw: `real`, `fake`, `real_logits`, `fake_logits`."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured since the last reading."""
        return not self._values

    def add(self, name: str, values: Tensor) -> None:
        """Add measurements.

        Args:
            name: What was measured.
            values: Any shape; each value counts.
        """
        self._values.setdefault(name, []).append(values.detach())

    def begin(self) -> None:
        """Forget what was kept: a new round of updates begins."""
        self.latest = {}

    def keep(self, **seen: Tensor) -> None:
        """Remember what the first update of a round saw: it met the networks as they were before.

        Args:
            **seen: Images or logits by name; a name that is kept already stays as it is.
        """
        self.latest = {**{name: values.detach() for name, values in seen.items()}, **self.latest}

    def read(self) -> Window:
        """Give all values of each measurement and begin anew; waits for the device once.

        Returns:
            Arrays (count,) by name.
        """
        if not self._values:
            return {}
        flat = {
            name: torch.cat([value.reshape(-1) for value in values]).float()
            for name, values in self._values.items()
        }
        self._values = {}
        everything = torch.cat(list(flat.values())).cpu().double().numpy()
        ends = np.cumsum([len(values) for values in flat.values()])
        return dict(zip(flat, np.split(everything, ends[:-1]), strict=True))
