"""Convolutions that go another way than torch where that is faster; the results are the same.

On CPUs with bf16 hardware oneDNN's kernels leave two kinds of layer behind. Times are of one core of a
Zen 5, batch 64, 4x4 kernels of stride 2.

- Deep layers (256 to 512 channels, 8x8 to 4x4 pixels) are faster as one matrix product with the
  patches that the output pixels see: 10.0 against 17.9 ms for the weight's gradient, `gradsᵀ @ patches`,
  and, where the map is small, 9.5 against 13.0 ms forward, `patches @ weightᵀ`.
- Thin layers between images and features (64 to 3 channels, 32x32 to 64x64 pixels) are faster when
  each phase of the enlarged image is a channel of a plain convolution: 3.5 against 6.7 ms. It makes the
  generator's last layer and the discriminator's gradient by its images.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

# Below this many (in, out) channel pairs the patches cost what the product saves.
DEEP = 128 * 256
# So they do, forward and for the gradient, where the map that is made has more pixels than these.
SMALL_MAP = 4 * 4
MEDIUM_MAP = 8 * 8
# Channels of an image: colour or grey, perhaps with a mask.
THIN = 4

Pair = tuple[int, int]


def convolve(
    images: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair
) -> Tensor:
    """Convolve: `F.conv2d` in all but the way there.

    Args:
        images: (N, C, H, W).
        weight: (K, C, kernel height, kernel width), in the images' type.
        bias: (K), added to each pixel.
        stride: Step of the kernel in pixels, down and across.
        padding: Zeros added at each side, down and across.

    Returns:
        (N, K, H', W').
    """
    if _is_at_home(images, bias) and (_is_deep(weight) or _is_thin(weight)):
        return _Convolution.apply(images, weight, stride, padding)  # type: ignore[no-any-return]
    return F.conv2d(images, weight, bias, stride, padding)


def convolve_transposed(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Pair,
    padding: Pair,
    output_padding: Pair,
) -> Tensor:
    """Convolve in the opposite direction: `F.conv_transpose2d` in all but the way there.

    Args:
        images: (N, C, H, W).
        weight: (C, K, kernel height, kernel width), in the images' type.
        bias: (K), added to each pixel.
        stride: Factor of enlargement, down and across.
        padding: Pixels cut at each side, down and across.
        output_padding: Pixels added at the bottom and at the right.

    Returns:
        (N, K, H', W').
    """
    if _is_at_home(images, bias) and (_is_deep(weight) or _is_thin(weight)):
        return _Transposed.apply(images, weight, stride, padding, output_padding)  # type: ignore[no-any-return]
    return F.conv_transpose2d(images, weight, bias, stride, padding, output_padding)


def _is_at_home(images: Tensor, bias: Tensor | None) -> bool:
    return bias is None and images.dtype == torch.bfloat16 and images.device.type == "cpu"


def _is_deep(weight: Tensor) -> bool:
    return weight.shape[0] * weight.shape[1] >= DEEP


def _is_thin(weight: Tensor) -> bool:
    return weight.shape[1] <= THIN


# A convolution and a transposed one are each other's gradient by their images, so that each backward
# pass is made of the other: penalties may differentiate through it as often as they like.
class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return _reduce(images, weight, stride, padding)

    @staticmethod
    def backward(ctx: Any, grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        by_images = by_weight = None
        if ctx.needs_input_grad[0]:
            # Pixels at the end of the images that no kernel reached.
            extra = tuple(
                extent + 2 * pad - kernel - (outputs - 1) * step
                for extent, outputs, kernel, step, pad in zip(
                    images.shape[2:],
                    grads.shape[2:],
                    weight.shape[2:],
                    stride,
                    padding,
                    strict=True,
                )
            )
            by_images = _Transposed.apply(grads, weight, stride, padding, extra)
        if ctx.needs_input_grad[1]:
            by_weight = _weight_gradient(images, grads, weight, stride, padding)
        return by_images, by_weight, None, None


class _Transposed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        stride: Pair,
        padding: Pair,
        output_padding: Pair,
    ) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return _enlarge(images, weight, stride, padding, output_padding)

    @staticmethod
    def backward(ctx: Any, grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        images, weight = ctx.saved_tensors
        by_images = by_weight = None
        if ctx.needs_input_grad[0]:
            by_images = _Convolution.apply(grads, weight, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            # Read backwards: what the gradient of the larger images saw of the smaller ones.
            by_weight = _weight_gradient(grads, images, weight, ctx.stride, ctx.padding)
        return by_images, by_weight, None, None, None


def _reduce(images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    rows, columns = (
        (extent + 2 * pad - kernel) // step + 1
        for extent, pad, kernel, step in zip(
            images.shape[2:], padding, weight.shape[2:], stride, strict=True
        )
    )
    if not _is_deep(weight) or rows * columns > SMALL_MAP:
        return F.conv2d(images, weight, None, stride, padding)
    patches = _patches(images, (rows, columns), weight, stride, padding)
    result = _empty(images, len(weight), rows, columns)
    pixels = result.permute(0, 2, 3, 1).view(-1, len(weight))
    torch.mm(patches, weight.permute(0, 2, 3, 1).flatten(1).t(), out=pixels)
    return result


def _enlarge(
    images: Tensor, weight: Tensor, stride: Pair, padding: Pair, output_padding: Pair
) -> Tensor:
    kernel = (weight.shape[2], weight.shape[3])
    # Each output pixel belongs to one phase only if the result is just `stride` times the images.
    fits = all(
        extra == 2 * pad - (size - step)
        for extra, pad, size, step in zip(output_padding, padding, kernel, stride, strict=True)
    )
    if not _is_thin(weight) or not fits:
        return F.conv_transpose2d(images, weight, None, stride, padding, output_padding)
    down, across = (_taps(*sizes) for sizes in zip(kernel, stride, padding, strict=True))
    outputs = weight.shape[1]
    # (C, K, phases, taps, phases, taps), with a tap of zero at the end for what no kernel reaches
    phases = F.pad(weight, (0, 1, 0, 1))[:, :, down][..., across]
    dense = phases.permute(2, 4, 1, 0, 3, 5).flatten(0, 2)
    reach = (down.shape[1] // 2, across.shape[1] // 2)
    made = F.conv2d(images, dense.contiguous(memory_format=torch.channels_last), None, 1, reach)
    count, _, rows, columns = made.shape
    result = _empty(images, outputs, rows * stride[0], columns * stride[1])
    pixels = result.permute(0, 2, 3, 1).view(count, rows, stride[0], columns, -1)
    pixels.copy_(made.permute(0, 2, 3, 1).view(count, rows, columns, stride[0], -1).transpose(2, 3))
    return result


def _empty(like: Tensor, channels: int, rows: int, columns: int) -> Tensor:
    """Make room for a result, which must not be a view: the next activation changes it in place."""
    return torch.empty(
        (len(like), channels, rows, columns),
        dtype=like.dtype,
        device=like.device,
        memory_format=torch.channels_last,
    )


def _taps(kernel: int, stride: int, padding: int) -> Tensor:
    """Say which tap of a kernel joins output pixel `stride * i + phase` with input pixel `i + offset`.

    Args:
        kernel: Taps.
        stride: Phases.
        padding: Pixels cut at each side.

    Returns:
        Index (phases, offsets from -reach to reach); `kernel` where none does.
    """
    reach = max((stride - 1 + padding) // stride, (kernel - 1 - padding) // stride)
    phase = torch.arange(stride)[:, None]
    taps = phase + padding - stride * torch.arange(-reach, reach + 1)
    return torch.where((taps >= 0) & (taps < kernel), taps, kernel)


def _weight_gradient(
    images: Tensor, grads: Tensor, weight: Tensor, stride: Pair, padding: Pair
) -> Tensor:
    """Differentiate a convolution by its weight: `images` were convolved, `grads` came back."""
    rows, columns = grads.shape[2:]
    if not _is_deep(weight) or rows * columns > MEDIUM_MAP:
        by_weight: Tensor = conv2d_weight(images, weight.shape, grads, stride, padding)
        return by_weight
    patches = _patches(images, (rows, columns), weight, stride, padding)
    product = grads.permute(0, 2, 3, 1).flatten(0, 2).t() @ patches
    outputs, channels, *kernel = weight.shape
    return product.view(outputs, *kernel, channels).permute(0, 3, 1, 2)


def _patches(images: Tensor, size: Pair, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    """Lay out what each output pixel sees: (N * height * width, kernel area * C)."""
    # Channels last: a patch is then a few long runs of memory.
    padded = F.pad(
        images.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])
    )
    # The images may end in pixels that no kernel reached.
    patches = padded.unfold(1, weight.shape[2], stride[0])[:, : size[0]]
    patches = patches.unfold(2, weight.shape[3], stride[1])[:, :, : size[1]]
    return patches.permute(0, 1, 2, 4, 5, 3).reshape(len(images) * size[0] * size[1], -1)
