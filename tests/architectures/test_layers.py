import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from facesmith.architectures.layers import (
    Blur,
    Conv2d,
    ConvTranspose2d,
    LayerNoise,
    Linear,
    PixelNorm,
    Scaled,
    activation,
    constrain,
    downsample,
    initialize,
    normalization,
    upsample,
)
from facesmith.base.errors import UsageError


def images(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


# Resampling: a network exists exactly where arithmetic allows one

kernels, strides = st.integers(1, 9), st.integers(2, 5)
paddings = st.one_of(st.none(), st.integers(-1, 6))


@given(kernels, strides, paddings, st.integers(2, 5))
def test_a_transposed_convolution_enlarges_by_its_stride_or_is_refused(
    kernel, stride, padding, size
):
    # out = (in - 1) stride - 2 padding + kernel + extra with 0 <= extra < stride, as torch has it.
    possible = [
        (p, extra)
        for p in range(9)
        for extra in range(stride)
        if kernel + extra - 2 * p == stride and padding in (None, p)
    ]
    if possible and kernel >= stride:  # a smaller kernel would leave pixels that it never touches
        with torch.device("meta"):
            layers = upsample("transposed", 2, 3, kernel=kernel, stride=stride, padding=padding)
            made = layers(torch.zeros(1, 2, size, size))
        assert made.shape == (1, 3, size * stride, size * stride)
    else:
        with pytest.raises(UsageError, match="does not scale images"):
            upsample("transposed", 2, 3, kernel=kernel, stride=stride, padding=padding)


@given(kernels, strides, paddings, st.integers(2, 5))
def test_a_strided_convolution_shrinks_by_its_stride_or_is_refused(kernel, stride, padding, size):
    big = size * stride
    possible = [
        p for p in range(9) if padding in (None, p) and (big + 2 * p - kernel) // stride + 1 == size
    ]
    if possible and kernel >= stride:  # a smaller kernel would never look at some pixels
        with torch.device("meta"):
            layers = downsample("strided", 2, 3, kernel=kernel, stride=stride, padding=padding)
            made = layers(torch.zeros(1, 2, big, big))
        assert made.shape == (1, 3, size, size)
    else:
        with pytest.raises(UsageError, match="does not scale images"):
            downsample("strided", 2, 3, kernel=kernel, stride=stride, padding=padding)


@given(
    kernels,
    st.sampled_from([2, 4]),
    paddings,
    st.sampled_from(["nearest", "bilinear", "pixel-shuffle"]),
    st.sampled_from(["average", "max", "blur"]),
)
def test_other_resampling_needs_an_odd_kernel_that_keeps_the_size(
    kernel, stride, padding, up, down
):
    options = {"kernel": kernel, "stride": stride, "padding": padding}
    if kernel % 2 and padding in (None, (kernel - 1) // 2):
        with torch.device("meta"):
            big = upsample(up, 2, 3, **options)(torch.zeros(1, 2, 4, 4))
            assert big.shape == (1, 3, 4 * stride, 4 * stride)
            small = downsample(down, 3, 2, **options)(big)
            assert small.shape == (1, 2, 4, 4)
    else:
        for make, kind in ((upsample, up), (downsample, down)):
            with pytest.raises(UsageError, match="cannot keep the size"):
                make(kind, 2, 3, **options)


def box(x, stride):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // stride, stride, w // stride, stride)


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize(
    "kind, reference",
    [
        ("average", lambda x, s: box(x, s).mean(axis=(3, 5))),
        ("max", lambda x, s: box(x, s).max(axis=(3, 5))),
    ],
)
def test_pooling_follows_its_definition_after_the_convolution(kind, reference, stride):
    layers = downsample(kind, 2, 3, kernel=3, stride=stride, padding=None)
    x = images(2, 2, 8, 8)
    with torch.no_grad():
        meant = reference(layers[0](x).numpy(), stride)
        np.testing.assert_allclose(layers(x), meant, rtol=1e-5, atol=1e-6)


def test_nearest_and_bilinear_enlarge_before_the_convolution_and_pixel_shuffle_after_it():
    x = images(1, 2, 4, 4)
    options = {"kernel": 1, "stride": 2, "padding": None}
    with torch.no_grad():
        near = upsample("nearest", 2, 3, **options)
        big = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        torch.testing.assert_close(near(x), near[1](big))
        smooth = upsample("bilinear", 2, 2, **options)
        nn.init.dirac_(smooth[1].weight)
        # Without aligned corners a new pixel lies a quarter of the way from its old one to the next.
        rows = 0.75 * x[:, :, 1:3] + 0.25 * x[:, :, :2]
        meant = 0.75 * rows[..., 1:3] + 0.25 * rows[..., :2]
        torch.testing.assert_close(smooth(x)[:, :, 2:6:2, 2:6:2], meant)
        shuffled = upsample("pixel-shuffle", 2, 3, **options)
        dense = shuffled[0](x)
        assert dense.shape == (1, 12, 4, 4)
        torch.testing.assert_close(shuffled(x)[:, 1, 1::2, 0::2], dense[:, 4 + 2])


@pytest.mark.parametrize("stride", [2, 4])
def test_blur_pooling_follows_its_definition(stride):
    x = images(2, 3, 8, 8)
    padded = np.pad(x.double().numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    row = np.array([1, 3, 3, 1]) / 8
    meant = np.zeros((2, 3, 8 // stride, 8 // stride))
    for i in range(8 // stride):
        for j in range(8 // stride):
            patch = padded[:, :, i * stride : i * stride + 4, j * stride : j * stride + 4]
            meant[:, :, i, j] = np.einsum("nchw,h,w->nc", patch, row, row)
    np.testing.assert_allclose(Blur(stride)(x), meant, rtol=1e-5, atol=1e-6)


def test_blur_pooling_keeps_what_is_flat_and_removes_what_would_alias():
    blur = Blur(2)
    torch.testing.assert_close(blur(torch.full((1, 1, 8, 8), 3.0)), torch.full((1, 1, 4, 4), 3.0))
    stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(1, 1, 8, 8)
    torch.testing.assert_close(blur(stripes)[..., 1:-1], torch.zeros(1, 1, 4, 2))


def test_the_blur_kernel_is_no_part_of_saved_weights():
    assert Blur(2).state_dict() == {}


# Normalisation, activation, output, noise


def test_pixel_norm_follows_its_definition():
    x = images(2, 5, 3, 3) * 7
    exact = x.double().numpy()
    meant = exact / np.sqrt((exact**2).mean(axis=1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(PixelNorm()(x), meant, rtol=1e-5)
    assert PixelNorm()(torch.zeros(1, 4, 2, 2)).isfinite().all()


@pytest.mark.parametrize("channels", [3, 8, 24, 32, 48, 64, 100, 512])
@pytest.mark.parametrize(
    "kind, axes",
    [("batch", (0, 2, 3)), ("instance", (2, 3)), ("layer", (1, 2, 3))],
)
def test_a_normalisation_takes_mean_and_variance_over_its_own_axes(kind, axes, channels):
    x = images(4, channels, 5, 5) * 3 + images(4, channels, 1, 1, seed=1)
    exact = x.double().numpy()
    spread = np.sqrt(exact.var(axes, keepdims=True) + 1e-5)
    meant = (exact - exact.mean(axes, keepdims=True)) / spread
    found = normalization(kind, channels)(x).detach()
    np.testing.assert_allclose(found, meant, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "channels, groups", [(1, 1), (2, 1), (3, 1), (8, 4), (24, 12), (32, 16), (64, 32), (512, 32)]
)
def test_group_norm_takes_mean_and_variance_over_up_to_32_groups_of_channels(channels, groups):
    x = images(4, channels, 5, 5) * 3 + images(4, channels, 1, 1, seed=1)
    exact = x.double().numpy().reshape(4, groups, -1)
    meant = (exact - exact.mean(2, keepdims=True)) / np.sqrt(exact.var(2, keepdims=True) + 1e-5)
    found = normalization("group", channels)(x).detach()
    np.testing.assert_allclose(found, meant.reshape(x.shape), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["spectral", "none"])
def test_no_layer_is_put_where_activations_are_not_normalised(kind):
    assert isinstance(normalization(kind, 8), nn.Identity)


@pytest.mark.parametrize(
    "kind, reference",
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("leaky-relu", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("elu", lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)),
        ("silu", lambda x: x / (1 + np.exp(-x))),
        ("gelu", lambda x: x * np.array([1 + math.erf(v / 2**0.5) for v in x]) / 2),
        ("tanh", np.tanh),
    ],
)
def test_an_activation_follows_its_definition(kind, reference):
    x = torch.linspace(-4, 4, 41, dtype=torch.float64)
    np.testing.assert_allclose(activation(kind)(x.clone()), reference(x.numpy()), atol=1e-12)


@pytest.mark.parametrize(
    "kind, low, high, reference",
    [
        ("tanh", -1, 1, np.tanh),
        ("tanh", 0, 1, lambda x: (np.tanh(x) + 1) / 2),
        ("sigmoid", 0, 1, lambda x: 1 / (1 + np.exp(-x))),
        ("sigmoid", -2, 4, lambda x: 6 / (1 + np.exp(-x)) - 2),
        ("linear", -2, 4, lambda x: x),
    ],
)
def test_the_output_is_stretched_to_its_range(kind, low, high, reference):
    x = torch.linspace(-5, 5, 41, dtype=torch.float64)
    np.testing.assert_allclose(Scaled(kind, low, high)(x), reference(x.numpy()), atol=1e-12)


def test_layer_noise_has_the_stated_strength_and_no_mean():
    torch.manual_seed(0)
    layer = LayerNoise()
    x = images(100_000)
    assert layer(x) is x
    layer.strength = 0.3
    noise = layer(x) - x
    assert noise.std().item() == pytest.approx(0.3, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.005)
    assert layer.eval()(x) is x


# First weights

LAYERS = {
    "convolution": lambda: Conv2d(24, 32, 4),
    "transposed": lambda: ConvTranspose2d(32, 24, 4),
    "linear": lambda: Linear(400, 300),
}
# Terms of the sum that makes an output.
TERMS = {"convolution": 24 * 16, "transposed": 32 * 16, "linear": 400}
# Inputs and outputs of one weight as torch counts them: dimension 1 and 0, times the kernel's area.
FANS = {"convolution": (24 * 16, 32 * 16), "transposed": (24 * 16, 32 * 16), "linear": (400, 300)}


def learned_weight(layer):
    return next(p for name, p in layer.named_parameters() if "weight" in name).detach()


@pytest.mark.parametrize("kind", ["none", "spectral"])
@pytest.mark.parametrize("name", LAYERS)
def test_first_weights_follow_the_chosen_law(name, kind):
    fan_in, fan_out = FANS[name]
    stds = {
        "normal": 0.05,
        "xavier": (2 / (fan_in + fan_out)) ** 0.5,
        "kaiming": (2 / (1 + 0.2**2) / TERMS[name]) ** 0.5,
    }
    torch.manual_seed(0)
    for law, std in stds.items():
        layer = LAYERS[name]()
        initialize(layer, law, spread=0.05)
        constrain(layer, kind)
        weight = learned_weight(layer)
        # More than 12,000 numbers: the measured spread is right within 0.7 % (one sigma).
        assert weight.std().item() == pytest.approx(std, rel=0.03)
        assert weight.mean().item() == pytest.approx(0, abs=0.04 * std)
        tails = (weight.abs() > 2 * std).float().mean().item()
        assert tails == pytest.approx(0.0 if law == "xavier" else 0.0455, abs=0.01)
        if layer.bias is not None:
            assert not layer.bias.any()


@pytest.mark.parametrize(
    "layer", [Conv2d(64, 32, 4, 2, 1), ConvTranspose2d(64, 32, 4, 2, 1)], ids=str
)
def test_kaiming_keeps_the_size_of_numbers_through_leaky_layers(layer):
    torch.manual_seed(0)
    initialize(layer, "kaiming")
    numbers = torch.nn.functional.leaky_relu(torch.randn(8, 64, 32, 32), 0.2)
    with torch.no_grad():
        result = layer(numbers)[:, :, 2:-2, 2:-2]  # the border sees zeros
    # A unit normal has half its square left of zero: 1.04 / 2 on average behind the slope of 0.2.
    assert result.square().mean().item() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("kind", ["none", "spectral"])
@pytest.mark.parametrize("name", LAYERS)
def test_orthogonal_weights_keep_lengths(name, kind):
    layer = LAYERS[name]()
    initialize(layer, "orthogonal")
    constrain(layer, kind)
    singular = torch.linalg.svdvals(learned_weight(layer).flatten(1))
    torch.testing.assert_close(singular, torch.ones_like(singular), rtol=1e-4, atol=0)


@pytest.mark.parametrize("law, mean, std", [("normal", 1.0, 0.1), ("kaiming", 1.0, 0.0)])
def test_the_gain_of_batch_norm_starts_around_one(law, mean, std):
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(5000)
    initialize(nn.Sequential(layer), law, spread=0.1)
    assert layer.weight.mean().item() == pytest.approx(mean, abs=0.006)
    assert layer.weight.std().item() == pytest.approx(std, rel=0.05, abs=1e-9)
    assert not layer.bias.any()


# Spectral norm


def effective(layer):
    weight = layer.weight.detach()
    if isinstance(layer, nn.ConvTranspose2d):
        weight = weight.transpose(0, 1)
    return torch.linalg.svdvals(weight.flatten(1))[0].item()


@pytest.mark.parametrize("law", ["normal", "xavier", "kaiming", "orthogonal"])
@pytest.mark.parametrize("name", LAYERS)
def test_spectral_norm_bounds_the_largest_singular_value_near_one(name, law):
    torch.manual_seed(0)
    layer = LAYERS[name]()
    initialize(layer, law, spread=3.0)
    constrain(layer, "spectral")
    assert effective(layer) == pytest.approx(1, abs=0.15)  # from the first step on
    with torch.no_grad():
        learned_weight(layer).mul_(50).add_(torch.randn(learned_weight(layer).shape))
        for _ in range(60):
            layer(torch.zeros((1, 400) if name == "linear" else (1, layer.in_channels, 6, 6)))
    assert effective(layer) == pytest.approx(1, abs=0.03)


def test_other_normalisations_leave_weights_alone():
    layer = Linear(3, 3)
    constrain(layer, "batch")
    assert not hasattr(layer, "parametrizations")


# Precision


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_layer_computes_in_the_type_of_its_input(name, dtype):
    layer = LAYERS[name]()
    size = (2, 400) if name == "linear" else (2, layer.in_channels, 6, 6)
    with torch.no_grad():
        x = images(*size)
        found, exact = layer(x.to(dtype)), layer(x)
    assert found.dtype == dtype
    assert layer.weight.dtype == torch.float32
    assert not torch.equal(found.double(), exact.double())
    torch.testing.assert_close(found.float(), exact, rtol=0.05, atol=0.05)
