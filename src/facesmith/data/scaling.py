"""Pixels to the numbers that the networks see, and back: standardise first, rescale second.

A scaling is chosen before the data is known; `fit` turns it into a `PixelMap`, which is all that a
trained generator needs to give pixels back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facesmith.base.errors import DataError, UsageError
from facesmith.base.images import scale
from facesmith.base.registry import register

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

TOP = 255
"""The brightest pixel."""
MIN_STD = 1e-3
"""Of pixels in [0, 1]: a quarter of a grey level; a channel that varies less is constant."""


@register
@dataclass(frozen=True)
class PixelMap:
    """A straight line for each channel: network value = gain x pixel / 255 + offset.

    Args:
        gain: One positive number a channel.
        offset: One number a channel.
        low: The lowest network value that a pixel of any channel can have.
        high: The highest; the generator's output range.
    """

    gain: tuple[float, ...]
    offset: tuple[float, ...]
    low: float
    high: float

    def to_network(self, pixels: torch.Tensor) -> torch.Tensor:
        """Turn pixels into network values.

        Args:
            pixels: uint8 tensor (N, H, W, C).

        Returns:
            float32 tensor (N, C, H, W) on the same device, in channels_last memory layout.
        """
        self._check(pixels.shape[3])
        # Permuting NHWC gives NCHW whose memory is channels_last already; float() keeps that.
        values = pixels.permute(0, 3, 1, 2).float()
        gain, offset = self._line(values)
        return values.mul_(gain).add_(offset)

    def to_pixels(self, values: torch.Tensor) -> torch.Tensor:
        """Turn network values into pixels; the exact inverse of `to_network`.

        Args:
            values: Float tensor (N, C, H, W) of any precision; what lies outside the range is cut.

        Returns:
            uint8 tensor (N, H, W, C) on the same device.
        """
        self._check(values.shape[1])
        gain, offset = self._line(values.float())
        pixels = ((values.float() - offset) / gain).round_().clamp_(0, TOP)
        return pixels.permute(0, 2, 3, 1).byte().contiguous()

    def _line(self, values: torch.Tensor) -> tuple[torch.Tensor | float, torch.Tensor | float]:
        """Give gain and offset for pixels in 0..255, as numbers where all channels agree."""
        gains = [gain / TOP for gain in self.gain]
        if len(set(gains)) == 1 and len(set(self.offset)) == 1:
            return gains[0], self.offset[0]
        shape = (1, len(gains), 1, 1)
        return values.new_tensor(gains).view(shape), values.new_tensor(self.offset).view(shape)

    def _check(self, channels: int) -> None:
        if channels != len(self.gain):
            raise UsageError(
                f"Images of {channels} channels met a scaling of {len(self.gain)}.",
                needed=f"images of {len(self.gain)} channels",
                todo="prepare the dataset with as many channels as the model was trained on",
            )


@dataclass(frozen=True)
class Scaling:
    """What the networks see; the generator's output has the same range.

    Args:
        low: The lowest network value.
        high: The highest.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise UsageError(
                f"The range {self.low} to {self.high} is empty.",
                needed="a lowest value below the highest",
                todo="use -1 and 1",
            )

    def fit(self, mean: Sequence[float], std: Sequence[float]) -> PixelMap:
        """Fit the scaling to a dataset.

        Args:
            mean: Of each channel, of pixels in [0, 1].
            std: Standard deviation of each channel.

        Returns:
            The map for images of these channels.

        Raises:
            DataError: The statistics cannot be used.
        """
        raise TypeError(f"{type(self).__name__} must define fit")


@register
@dataclass(frozen=True)
class Rescale(Scaling):
    """Pixels 0 to 255 become low to high; the data's statistics play no part."""

    def fit(self, mean: Sequence[float], std: Sequence[float]) -> PixelMap:  # noqa: D102
        _check_statistics(mean, std)
        target = (self.low, self.high)
        offset, top = scale(0.0, target=target), scale(1.0, target=target)
        return PixelMap((top - offset,) * len(mean), (offset,) * len(mean), self.low, self.high)


@register
@dataclass(frozen=True)
class Standardize(Scaling):
    """First zero mean and unit variance a channel, then one common rescale to low and high.

    The rescale is the same for all channels, so their equal variances stay equal; it sends the
    lowest and the highest value that a pixel of any channel can have to low and high.
    """

    def fit(self, mean: Sequence[float], std: Sequence[float]) -> PixelMap:  # noqa: D102
        _check_statistics(mean, std)
        if min(std) < MIN_STD:
            raise DataError(
                f"Channel {min(range(len(std)), key=std.__getitem__)} of the images hardly varies: "
                f"its standard deviation is {min(std):.2g} of the full range.",
                needed=f"at least {MIN_STD:g} in every channel, for it is divided by",
                todo="use Rescale, or photos that are not all alike; grey photos with channels=1",
            )
        # (pixel - mean) / std for the darkest and the brightest pixel.
        darkest = [(0 - m) / s for m, s in zip(mean, std, strict=True)]
        brightest = [(1 - m) / s for m, s in zip(mean, std, strict=True)]
        source, target = (min(darkest), max(brightest)), (self.low, self.high)
        offsets = [scale(z, source=source, target=target) for z in darkest]
        tops = [scale(z, source=source, target=target) for z in brightest]
        gains = tuple(top - offset for top, offset in zip(tops, offsets, strict=True))
        return PixelMap(gains, tuple(offsets), self.low, self.high)


def _check_statistics(mean: Sequence[float], std: Sequence[float]) -> None:
    if not mean or len(mean) != len(std):
        raise DataError(
            f"{len(mean)} means and {len(std)} standard deviations were given.",
            needed="one of each for every channel",
            todo="take both from the dataset: scaling.fit(dataset.mean, dataset.std)",
        )
