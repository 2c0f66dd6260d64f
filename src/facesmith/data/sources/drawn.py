"""The portraits that facesmith draws, as a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facesmith.base.errors import UsageError
from facesmith.base.version import VERSION
from facesmith.data.photos.crops import PhotoError
from facesmith.data.sources.contract import Entry, Item, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_PORTRAITS = 10_000
PORTRAITS_SEED = 0


@dataclass(frozen=True)
class PortraitsReader:
    """Draws portraits."""

    resolution: int

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:  # noqa: D102
        images, columns = _draw([entry.index for entry in entries], self.resolution)
        for row, image in enumerate(images):
            yield Item(image, labels=tuple(values[row].item() for values in columns.values()))


def source(count: str, resolution: int) -> Source:
    """List portraits to be drawn.

    Args:
        count: How many, as text; empty for the default.
        resolution: Side in pixels.

    Returns:
        The source, with the portraits' attributes as labels.

    Raises:
        UsageError: The count is no number above zero.
    """
    if count and not (count.isdecimal() and int(count)):
        raise UsageError(
            f"portraits:{count} does not say how many portraits.",
            needed="a number above zero",
            todo=f"write portraits:{DEFAULT_PORTRAITS}",
        )
    number = int(count or DEFAULT_PORTRAITS)
    size = resolution * resolution * 3
    entries = [Entry(f"portrait-{index:07d}", size, index) for index in range(number)]
    _, columns = _draw([0], resolution)
    reader = PortraitsReader(resolution)
    return Source(
        "portraits", entries, reader, label_names=tuple(columns), curated=True, revision=VERSION
    )


def _draw(
    indices: Sequence[int], resolution: int
) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
    from facesmith.data.portraits import portraits

    images, attributes = portraits(indices, resolution, seed=PORTRAITS_SEED)
    columns: dict[str, NDArray[Any]] = {}
    for name, values in attributes.items():
        if values.ndim == 1:
            columns[name] = values
        else:  # a colour or a position: one column a number
            flat = values.reshape(len(values), -1)
            columns |= {f"{name}_{i}": flat[:, i] for i in range(flat.shape[1])}
    return images, columns
