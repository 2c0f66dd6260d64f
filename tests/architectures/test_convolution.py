"""Our ways of convolving against torch's own and against finite differences."""

import pytest
import torch
from torch.nn import functional as F

from facesmith.architectures import convolution
from facesmith.architectures.convolution import convolve, convolve_transposed

SHAPES = [
    (4, 2, 1),
    (3, 1, 1),
    (5, 2, 2),
    (5, 3, 0),
    (2, 2, 0),
    (6, 3, 2),
]  # kernel, stride, padding
WAYS = ["torch", "ours"]


def numbers(*shape):
    return torch.randn(*shape, dtype=torch.double, requires_grad=True)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def take(monkeypatch):
    """Send small fp64 layers down one way or the other."""

    def choose(way, *, deep=True, thin=True):
        ours = way == "ours"
        monkeypatch.setattr(convolution, "DEEP", 1 if ours and deep else 10**9)
        for limit in ("SMALL_MAP", "MEDIUM_MAP"):
            monkeypatch.setattr(convolution, limit, 10**9 if ours else 0)
        monkeypatch.setattr(convolution, "THIN", 10**9 if ours and thin else 0)

    return choose


@pytest.mark.parametrize(("kernel", "stride", "padding"), SHAPES)
@pytest.mark.parametrize("way", WAYS)
def test_convolution_has_the_gradients_of_its_finite_differences(
    kernel, stride, padding, way, take
):
    take(way)

    def convolution_of(images, weight):
        return convolution._Convolution.apply(images, weight, (stride,) * 2, (padding,) * 2)

    images, weight = numbers(2, 2, 8, 7), numbers(3, 2, kernel, kernel)
    torch.testing.assert_close(
        convolution_of(images, weight), F.conv2d(images, weight, None, stride, padding)
    )
    assert torch.autograd.gradcheck(convolution_of, (images, weight))
    # R1 and R2 differentiate twice.
    assert torch.autograd.gradgradcheck(convolution_of, (images, weight))


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "extra"),
    [(*shape, extra) for shape in SHAPES for extra in range(shape[1])],
)
@pytest.mark.parametrize("way", WAYS)
def test_transposed_has_the_gradients_of_its_finite_differences(
    kernel, stride, padding, extra, way, take
):
    take(way)

    def transposed_of(images, weight):
        return convolution._Transposed.apply(
            images, weight, (stride,) * 2, (padding,) * 2, (extra,) * 2
        )

    images, weight = numbers(2, 2, 3, 4), numbers(2, 3, kernel, kernel)
    expected = F.conv_transpose2d(images, weight, None, stride, padding, extra)
    torch.testing.assert_close(transposed_of(images, weight), expected)
    assert torch.autograd.gradcheck(transposed_of, (images, weight))
    assert torch.autograd.gradgradcheck(transposed_of, (images, weight))


def test_sizes_may_differ_down_and_across(take):
    take("ours")
    images, weight = numbers(2, 3, 6, 8), numbers(4, 3, 3, 4)
    stride, padding = (1, 2), (1, 1)
    ours = convolution._Convolution.apply(images, weight, stride, padding)
    torchs = F.conv2d(images, weight, None, stride, padding)
    torch.testing.assert_close(ours, torchs)
    gradients = [torch.autograd.grad(y.square().sum(), (images, weight)) for y in (ours, torchs)]
    torch.testing.assert_close(*gradients)


def layer_pair(transposed):
    if transposed:
        return (
            lambda x, w: convolve_transposed(x, w, None, (2, 2), (1, 1), (0, 0)),
            lambda x, w: F.conv_transpose2d(x, w, None, 2, 1),
        )
    return (
        lambda x, w: convolve(x, w, None, (2, 2), (1, 1)),
        lambda x, w: F.conv2d(x, w, None, 2, 1),
    )


@pytest.mark.parametrize("transposed", [False, True], ids=["convolution", "transposed"])
@pytest.mark.parametrize(
    ("shape", "size", "ways"),
    [
        ((256, 128, 4, 4), 8, {"_patches"}),  # deep
        ((32, 3, 4, 4), 8, {"_taps"}),  # thin
    ],
)
def test_bf16_layers_that_gain_go_our_way_and_agree_with_torch(
    shape, size, ways, transposed, monkeypatch
):
    taken = set()

    def spy(name):
        inner = getattr(convolution, name)
        monkeypatch.setattr(convolution, name, lambda *args: taken.add(name) or inner(*args))

    spy("_patches")
    spy("_taps")
    images = torch.randn(4, shape[0] if transposed else shape[1], size, size).bfloat16()
    images = images.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(shape).bfloat16()
    found = []
    for layer in layer_pair(transposed):
        leaves = images.clone().requires_grad_(), weight.clone().requires_grad_()
        result = layer(*leaves)
        assert result.is_contiguous(memory_format=torch.channels_last)
        assert not result._is_view()  # activations change it in place
        result.float().square().sum().backward()
        found.append([result, *(leaf.grad for leaf in leaves)])
    assert taken == ways
    for ours, torchs in zip(*found, strict=True):
        # Both add up in fp32 and round once to bf16, 2^-8 apart at most, in different orders.
        assert (ours - torchs).float().norm() < 2**-8 * torchs.float().norm()


def test_only_small_maps_are_made_by_the_product_and_medium_ones_differentiated(monkeypatch):
    calls = []
    inner = convolution._patches
    monkeypatch.setattr(convolution, "_patches", lambda *args: calls.append(1) or inner(*args))
    for size, forward, backward in [(8, 1, 1), (16, 0, 1), (32, 0, 0)]:  # maps of half the size
        weight = torch.randn(256, 128, 4, 4).bfloat16().requires_grad_()
        images = torch.randn(2, 128, size, size).bfloat16()
        result = convolve(images, weight, None, (2, 2), (1, 1))
        assert len(calls) == forward
        result.sum().backward()
        assert len(calls) == forward + backward
        calls.clear()


def test_everything_else_is_left_to_torch(monkeypatch):
    def refuse(*_args):
        raise AssertionError("taken")

    monkeypatch.setattr(convolution._Convolution, "apply", refuse)
    monkeypatch.setattr(convolution._Transposed, "apply", refuse)
    large, small = (256, 128, 4, 4), (32, 64, 4, 4)
    for shape, dtype, bias in [
        (large, torch.float32, False),
        ((32, 3, 4, 4), torch.float32, False),
        (small, torch.bfloat16, False),
        (large, torch.bfloat16, True),
    ]:
        weight = torch.randn(shape, dtype=dtype, requires_grad=True)
        images = torch.randn(1, shape[1], 8, 8, dtype=dtype)
        added = torch.zeros(shape[0], dtype=dtype) if bias else None
        convolve(images, weight, added, (2, 2), (1, 1)).sum().backward()
        images = torch.randn(1, shape[0], 4, 4, dtype=dtype)
        added = torch.zeros(shape[1], dtype=dtype) if bias else None
        convolve_transposed(images, weight, added, (2, 2), (1, 1), (0, 0)).sum().backward()
        assert weight.grad is not None
