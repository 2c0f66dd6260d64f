"""Convolutions whose weight gradient is one matrix product, where that is faster.

The gradient of a kernel is `gradsᵀ @ patches`: each output pixel's gradient against the patch of the
input that it saw. On CPUs with bf16 hardware oneDNN's own kernel for it runs deep layers at less than
half the rate of that plain product (256 to 512 channels, 8x8, batch 64: 12.5 against 4.7 ms).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

# Below this many (in, out) channel pairs the patches cost what the product saves.
WORTHWHILE = 128 * 256

Pair = tuple[int, int]


def convolve(
    images: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair
) -> Tensor:
    """Convolve: `F.conv2d` in all but the way to the weight's gradient.

    Args:
        images: (N, C, H, W).
        weight: (K, C, kernel height, kernel width), in the images' type.
        bias: (K), added to each pixel.
        stride: Step of the kernel in pixels, down and across.
        padding: Zeros added at each side, down and across.

    Returns:
        (N, K, H', W').
    """
    if bias is None and _worthwhile(images, weight):
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
    """Convolve in the opposite direction, `F.conv_transpose2d` in all but the weight's gradient.

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
    if bias is None and _worthwhile(images, weight):
        return _Transposed.apply(images, weight, stride, padding, output_padding)  # type: ignore[no-any-return]
    return F.conv_transpose2d(images, weight, bias, stride, padding, output_padding)


def weight_gradient(
    images: Tensor, grads: Tensor, kernel: Pair, stride: Pair, padding: Pair
) -> Tensor:
    """Differentiate a convolution by its weight.

    Args:
        images: What was convolved, (N, C, H, W).
        grads: Gradient of its result, (N, K, H', W').
        kernel: Height and width of the weight.
        stride: Step of the kernel in pixels.
        padding: Zeros added at each side.

    Returns:
        (K, C, kernel height, kernel width).
    """
    count, channels = images.shape[:2]
    outputs, rows, columns = grads.shape[1:]
    # Channels last: a patch is then a few long runs of memory.
    padded = F.pad(
        images.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])
    )
    # The input may end in pixels that no kernel reached (and a transposed one's is cut by its own).
    patches = padded.unfold(1, kernel[0], stride[0])[:, :rows].unfold(2, kernel[1], stride[1])
    patches = patches[:, :, :columns].permute(0, 1, 2, 4, 5, 3)
    flat = patches.reshape(count * rows * columns, kernel[0] * kernel[1] * channels)
    product = grads.permute(0, 2, 3, 1).reshape(-1, outputs).t() @ flat
    return product.view(outputs, *kernel, channels).permute(0, 3, 1, 2)


def _worthwhile(images: Tensor, weight: Tensor) -> bool:
    return (
        images.dtype == torch.bfloat16
        and images.device.type == "cpu"
        and weight.requires_grad
        and torch.is_grad_enabled()
        and weight.shape[0] * weight.shape[1] >= WORTHWHILE
    )


# The backward passes are made of differentiable operations: penalties differentiate through them.
class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(images, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        by_images = by_weight = None
        if ctx.needs_input_grad[0]:
            by_images = conv2d_input(images.shape, weight, grads, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            kernel = (weight.shape[2], weight.shape[3])
            by_weight = weight_gradient(images, grads, kernel, ctx.stride, ctx.padding)
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
        return F.conv_transpose2d(images, weight, None, stride, padding, output_padding)

    @staticmethod
    def backward(ctx: Any, grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        images, weight = ctx.saved_tensors
        by_images = by_weight = None
        if ctx.needs_input_grad[0]:
            by_images = F.conv2d(grads, weight, None, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            # A transposed convolution is a convolution read backwards: gradient and input change places.
            kernel = (weight.shape[2], weight.shape[3])
            by_weight = weight_gradient(grads, images, kernel, ctx.stride, ctx.padding)
        return by_images, by_weight, None, None, None
