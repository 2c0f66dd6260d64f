"""Our gradient of a convolution's weight against torch's own and against finite differences."""

import pytest
import torch
from torch.nn import functional as F

from facesmith.architectures import convolution
from facesmith.architectures.convolution import convolve, convolve_transposed

SHAPES = [(4, 2, 1), (3, 1, 1), (5, 2, 2), (5, 3, 0)]  # kernel, stride, padding


def numbers(*shape):
    return torch.randn(*shape, dtype=torch.double, requires_grad=True)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize(("kernel", "stride", "padding"), SHAPES)
def test_convolution_has_the_gradients_of_its_finite_differences(kernel, stride, padding):
    def convolution_of(images, weight):
        return convolution._Convolution.apply(images, weight, (stride,) * 2, (padding,) * 2)

    images, weight = numbers(2, 2, 8, 7), numbers(3, 2, kernel, kernel)
    assert torch.equal(
        convolution_of(images, weight), F.conv2d(images, weight, None, stride, padding)
    )
    assert torch.autograd.gradcheck(convolution_of, (images, weight))
    # R1 and R2 differentiate twice.
    assert torch.autograd.gradgradcheck(convolution_of, (images, weight))


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "extra"),
    [(*shape, extra) for shape in SHAPES for extra in range(shape[1])],
)
def test_transposed_has_the_gradients_of_its_finite_differences(kernel, stride, padding, extra):
    def transposed_of(images, weight):
        return convolution._Transposed.apply(
            images, weight, (stride,) * 2, (padding,) * 2, (extra,) * 2
        )

    images, weight = numbers(2, 2, 3, 4), numbers(2, 3, kernel, kernel)
    expected = F.conv_transpose2d(images, weight, None, stride, padding, extra)
    assert torch.equal(transposed_of(images, weight), expected)
    assert torch.autograd.gradcheck(transposed_of, (images, weight))
    assert torch.autograd.gradgradcheck(transposed_of, (images, weight))


@pytest.mark.parametrize("transposed", [False, True])
def test_large_bf16_weights_take_the_product_and_agree_with_torch(transposed, monkeypatch):
    calls = []
    inner = convolution.weight_gradient
    monkeypatch.setattr(
        convolution, "weight_gradient", lambda *args: calls.append(1) or inner(*args)
    )
    channels = (256, 128)
    images = torch.randn(4, channels[0] if transposed else channels[1], 8, 8).bfloat16()
    weight = torch.randn(*channels, 4, 4).bfloat16()

    def gradient(convolved):
        leaf = weight.clone().requires_grad_()
        convolved(leaf).float().square().sum().backward()
        return leaf.grad.float()

    if transposed:
        ours = gradient(lambda w: convolve_transposed(images, w, None, (2, 2), (1, 1), (0, 0)))
        torchs = gradient(lambda w: F.conv_transpose2d(images, w, None, 2, 1))
    else:
        ours = gradient(lambda w: convolve(images, w, None, (2, 2), (1, 1)))
        torchs = gradient(lambda w: F.conv2d(images, w, None, 2, 1))
    assert calls
    # Both add up in fp32 and round once to bf16, 2^-8 apart at most, in different orders.
    assert (ours - torchs).norm() < 2**-8 * torchs.norm()


def test_everything_else_is_left_to_torch(monkeypatch):
    def refuse(*_args):
        raise AssertionError("taken")

    monkeypatch.setattr(convolution, "weight_gradient", refuse)
    large, small = (256, 128, 4, 4), (32, 64, 4, 4)
    for shape, dtype, bias in [
        (large, torch.float32, None),
        (small, torch.bfloat16, None),
        (large, torch.bfloat16, torch.zeros(256, dtype=torch.bfloat16)),
    ]:
        images = torch.randn(1, shape[1], 8, 8, dtype=dtype)
        weight = torch.randn(shape, dtype=dtype, requires_grad=True)
        convolve(images, weight, bias, (2, 2), (1, 1)).sum().backward()
        assert weight.grad is not None
