"""An independent judge for development: Frechet distance on MobileNet v1 features.

The network is not ours and is not shipped; its weights lie in a folder of research data beside the
checkout, which its licence keeps out of this repository. Numbers from it are comparable with each
other and not with any published FID.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

WEIGHTS = Path(__file__).parents[2] / "shared/data/weights/mobilenetv1_100_imagenet_to_pw12.pt"
CHANNELS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024)
STRIDED = (2, 4, 6, 12)  # depthwise layers of stride 2
INPUT = 224


class MobileNet(nn.Module):
    """MobileNet v1 up to its twelfth pointwise layer (1704.04861), padded as TensorFlow pads."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        """Load the weights, a plain state dict."""
        super().__init__()
        state = torch.load(weights, weights_only=True)
        names = {key.rsplit(".", 2)[0] for key in state}
        self.layers = nn.ModuleDict()
        previous = 3
        for name, outputs, kernel, stride, groups in self._plan():
            if name not in names:
                raise ValueError(f"{weights} lacks {name}")
            conv = nn.Conv2d(previous, outputs, kernel, stride, groups=groups, bias=False)
            self.layers[name] = nn.Sequential(conv, nn.BatchNorm2d(outputs, eps=1e-3))
            previous = outputs
        self.layers.load_state_dict(state)
        self.eval().requires_grad_(False)

    @staticmethod
    def _plan() -> list[tuple[str, int, int, int, int]]:
        plan, inputs = [("conv1", 32, 3, 2, 1)], 32
        for number, outputs in enumerate(CHANNELS, start=1):
            plan.append((f"dw{number}", inputs, 3, 2 if number in STRIDED else 1, inputs))
            plan.append((f"pw{number}", outputs, 1, 1, 1))
            inputs = outputs
        return plan

    def forward(self, images: Tensor) -> Tensor:
        """Give features (N, 1024) of images (N, 3, 224, 224) in [-1, 1]."""
        for layer in self.layers.values():
            conv = layer[0]
            if conv.kernel_size == (3, 3):
                # "same" padding on even sizes: only right and bottom at stride 2, all sides at 1
                images = F.pad(images, (0, 1, 0, 1) if conv.stride == (2, 2) else (1, 1, 1, 1))
            images = F.relu6(layer(images))
        return images.mean(dim=(2, 3))


def features(network: MobileNet, pixels: NDArray[np.uint8], batch: int = 50) -> NDArray[np.float64]:
    """Extract features of uint8 images (N, H, W, 3); rows (N, 1024) in float64."""
    rows = []
    for start in range(0, len(pixels), batch):
        chunk = torch.from_numpy(np.ascontiguousarray(pixels[start : start + batch]))
        images = chunk.permute(0, 3, 1, 2).float() / 127.5 - 1
        large = F.interpolate(images, size=(INPUT, INPUT), mode="bilinear", antialias=True)
        rows.append(network(large.contiguous(memory_format=torch.channels_last)).numpy())
    return np.concatenate(rows).astype(np.float64)


def frechet(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Frechet distance between Gaussians fitted to two sets of features (1706.08500)."""
    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    # The trace of (one two)^(1/2) is the sum of the roots of its eigenvalues, which are not negative.
    roots = np.sqrt(np.maximum(np.linalg.eigvals(one @ two).real, 0)).sum()
    return float(gap @ gap + np.trace(one) + np.trace(two) - 2 * roots)
