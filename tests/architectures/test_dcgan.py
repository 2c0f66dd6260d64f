import io
from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from facesmith.architectures import (
    DCGANDiscriminator,
    DCGANGenerator,
    DecoderGenerator,
    ImageShape,
    MLPDiscriminator,
    MLPGenerator,
)
from facesmith.architectures.layers import Blur, LayerNoise, PixelNorm
from facesmith.base.errors import UsageError
from facesmith.recipes import find_recipe

LATENT = 5
SHAPE = ImageShape(16)
G = DCGANGenerator(width=4, spread=0.3)
D = DCGANDiscriminator(width=4, spread=0.3)
NORMALIZATIONS = ["batch", "instance", "group", "layer", "pixel", "spectral", "none"]
ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}
NORM_LAYERS = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "group": nn.GroupNorm,
    "layer": nn.GroupNorm,
    "pixel": PixelNorm,
}


def make_generator(part, shape=SHAPE, seed=0, latent_size=LATENT):
    torch.manual_seed(seed)
    return part.build(shape, latent_size=latent_size)


def make_discriminator(part, shape=SHAPE, seed=0):
    torch.manual_seed(seed)
    return part.build(shape)


def latents(count=6, dtype=torch.float32):
    return torch.randn(count, LATENT, generator=torch.Generator().manual_seed(1)).to(dtype)


def pictures(count=6, shape=SHAPE, dtype=torch.float32):
    size = (count, shape.channels, shape.resolution, shape.resolution)
    return torch.rand(size, generator=torch.Generator().manual_seed(2)).mul(2).sub(1).to(dtype)


def of_kind(network, kind):
    return [module for module in network.modules() if type(module) is kind]


def convolutions(network):
    return [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def count(network):
    return sum(p.numel() for p in network.parameters())


# Published figures


@pytest.mark.parametrize(
    "name, generator, discriminator, within",
    [
        ("dcgan-tutorial", 3_576_704, 2_765_568, 0),
        ("seed-128-upsample", 2.3e6, 44.6e6, 0.05e6),
    ],
)
def test_a_named_recipe_has_the_published_number_of_parameters(
    name, generator, discriminator, within
):
    recipe = find_recipe(name)
    with torch.device("meta"):
        made = recipe.generator.build(recipe.shape, latent_size=recipe.latent.size)
        judge = recipe.discriminator.build(recipe.shape)
    assert abs(count(made) - generator) <= within
    assert abs(count(judge) - discriminator) <= within


def channels_first(flat):
    """Features are ordered by row, column, channel: the layout in which convolutions are fast."""
    return flat.view(-1, 4, 4, 8).permute(0, 3, 1, 2)


def test_the_projection_computes_what_the_tutorials_transposed_convolution_does():
    network = make_generator(G)
    reference = nn.ConvTranspose2d(LATENT, 8, 4, bias=False)
    with torch.no_grad():
        reference.weight.copy_(channels_first(network.project.weight.T))
        meant = reference(latents()[:, :, None, None])
        found = channels_first(network.project(latents()))
    torch.testing.assert_close(found, meant, rtol=1e-4, atol=1e-5)


def test_the_generator_is_the_tutorials_layer_by_layer():
    network = make_generator(G).train()
    project, first, last = network.project, *(stage[0][0] for stage in network.stages)
    z = latents()
    with torch.no_grad():
        x = channels_first(z @ project.weight.T)
        x = nn.functional.batch_norm(
            x, None, None, network.begin[0].weight, network.begin[0].bias, True
        ).relu()
        x = nn.functional.conv_transpose2d(x, first.weight, stride=2, padding=1)
        norm = network.stages[0][1]
        x = nn.functional.batch_norm(x, None, None, norm.weight, norm.bias, True).relu()
        x = nn.functional.conv_transpose2d(x, last.weight, stride=2, padding=1).tanh()
        torch.testing.assert_close(network(z), x, rtol=1e-4, atol=1e-5)


def test_the_discriminator_is_the_tutorials_layer_by_layer():
    network = make_discriminator(D).train()
    x = pictures()
    with torch.no_grad():
        y = nn.functional.conv2d(x, network.stages[0][0][0].weight, stride=2, padding=1)
        y = nn.functional.leaky_relu(y, 0.2)
        y = nn.functional.conv2d(y, network.stages[1][0][0].weight, stride=2, padding=1)
        norm = network.stages[1][1]
        y = nn.functional.batch_norm(y, None, None, norm.weight, norm.bias, True)
        y = nn.functional.leaky_relu(y, 0.2)
        logits = (y * channels_first(network.judge.weight)).sum((1, 2, 3))
        torch.testing.assert_close(network(x), logits, rtol=1e-4, atol=1e-4)


def test_spectral_norm_holds_the_projection_once_however_it_is_asked_for():
    for changes in (
        {"start_normalization": "spectral"},
        {"normalization": "spectral", "start_normalization": "spectral"},
    ):
        project = make_generator(replace(G, **changes)).project
        assert len(project.parametrizations.weight) == 1
        assert torch.linalg.matrix_norm(project.weight, 2).item() == pytest.approx(1, abs=0.05)


# Sizes and ranges


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("resolution", [16, 32, 64, 128, 256])
@pytest.mark.parametrize(
    "generator, discriminator",
    [
        (DCGANGenerator(width=2, max_width=4), DCGANDiscriminator(width=2, max_width=4)),
        (DecoderGenerator(width=2), DCGANDiscriminator(width=2, max_width=4, end=2)),
        (MLPGenerator((3,)), MLPDiscriminator((3,), pieces=2)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_every_resolution_gives_images_of_its_size_and_one_logit_each(
    generator, discriminator, resolution, channels
):
    shape = ImageShape(resolution, channels)
    images = make_generator(generator, shape)(latents(3))
    assert images.shape == (3, channels, resolution, resolution)
    assert images.min() >= -1
    assert images.max() <= 1
    assert make_discriminator(discriminator, shape)(images).shape == (3,)


@pytest.mark.parametrize("low, high", [(-1.0, 1.0), (0.0, 1.0), (-3.0, 0.5)])
@pytest.mark.parametrize("output", ["tanh", "sigmoid"])
@pytest.mark.parametrize(
    "part", [G, DecoderGenerator(width=4), MLPGenerator((8,))], ids=lambda p: type(p).__name__
)
def test_a_bounded_output_fills_the_range_of_the_data_and_stays_in_it(part, output, low, high):
    # Weights so large that every pixel is near an end of the range.
    part = replace(part, output=output, spread=9.0)
    images = make_generator(part, ImageShape(16, 3, low, high))(latents())
    assert images.min().item() == pytest.approx(low, abs=1e-3)
    assert images.max().item() == pytest.approx(high, abs=1e-3)


@pytest.mark.parametrize(
    "part", [G, DecoderGenerator(width=4), MLPGenerator((8,))], ids=lambda p: type(p).__name__
)
def test_a_linear_output_may_leave_the_range(part):
    images = make_generator(replace(part, output="linear", spread=9.0))(latents())
    assert images.min() < -2
    assert images.max() > 2


# Every option acts: (option, what must be true of the network that it builds)

GENERATOR_OPTIONS = [
    ({"width": 6}, lambda n: n.start == (4, 4, 12)),
    ({"max_width": 5}, lambda n: n.start == (4, 4, 5)),
    ({"widths": (9, 7)}, lambda n: [c.in_channels for c in convolutions(n)] == [9, 7]),
    ({"depth": 3}, lambda n: len(convolutions(n)) == 2 * 3),
    ({"start": 2}, lambda n: n.start == (2, 2, 16) and len(n.stages) == 3),
    ({"start": 8}, lambda n: n.start == (8, 8, 4) and len(n.stages) == 1),
    ({"kernel": 6}, lambda n: {c.kernel_size for c in convolutions(n)} == {(6, 6)}),
    ({"stride": 4}, lambda n: [c.stride for c in convolutions(n)] == [(4, 4)]),
    (
        {"stride": 4, "padding": 1},
        lambda n: [(c.padding, c.output_padding) for c in convolutions(n)] == [((1, 1), (2, 2))],
    ),
    (
        {"upsampling": "nearest", "kernel": 3},
        lambda n: [u.mode for u in of_kind(n, nn.Upsample)] == ["nearest"] * 2,
    ),
    (
        {"upsampling": "bilinear", "kernel": 5},
        lambda n: [u.mode for u in of_kind(n, nn.Upsample)] == ["bilinear"] * 2,
    ),
    (
        {"upsampling": "pixel-shuffle", "kernel": 3},
        lambda n: [u.upscale_factor for u in of_kind(n, nn.PixelShuffle)] == [2, 2],
    ),
    ({"dropout": 0.25}, lambda n: [d.p for d in of_kind(n, nn.Dropout)] == [0.25, 0.25]),
    ({"output": "sigmoid"}, lambda n: n.output.kind == "sigmoid"),
    ({"output": "linear"}, lambda n: n.output.kind == "linear"),
    ({"initialization": "xavier"}, lambda n: True),
    ({"initialization": "kaiming"}, lambda n: True),
    ({"initialization": "orthogonal"}, lambda n: True),
    ({"spread": 0.1}, lambda n: True),
    ({"start_normalization": "none"}, lambda n: [type(m) for m in n.begin] == [LayerNoise]),
    ({"start_normalization": "pixel"}, lambda n: type(n.begin[0]) is PixelNorm),
    ({"start_normalization": "spectral"}, lambda n: hasattr(n.project, "parametrizations")),
    *(
        ({"normalization": kind}, lambda n, k=kind: len(of_kind(n.stages, NORM_LAYERS[k])) == 1)
        for kind in NORM_LAYERS
    ),
    ({"normalization": "none"}, lambda n: not of_kind(n.stages, nn.BatchNorm2d)),
    (
        {"normalization": "spectral"},
        lambda n: all(hasattr(c, "parametrizations") for c in (*convolutions(n), n.project)),
    ),
    *(
        ({"activation": kind}, lambda n, layer=layer: len(of_kind(n, layer)) == 2)
        for kind, layer in ACTIVATIONS.items()
    ),
]
DISCRIMINATOR_OPTIONS = [
    ({"width": 6}, lambda n: [c.out_channels for c in convolutions(n)] == [6, 12]),
    ({"max_width": 5}, lambda n: [c.out_channels for c in convolutions(n)] == [4, 5]),
    ({"widths": (7, 9)}, lambda n: [c.out_channels for c in convolutions(n)] == [7, 9]),
    ({"depth": 3}, lambda n: len(convolutions(n)) == 2 * 3),
    ({"end": 2}, lambda n: len(n.stages) == 3 and n.judge.in_features == 16 * 2 * 2),
    ({"end": 8}, lambda n: len(n.stages) == 1 and n.judge.in_features == 4 * 8 * 8),
    ({"kernel": 5}, lambda n: {c.kernel_size for c in convolutions(n)} == {(5, 5)}),
    ({"stride": 4}, lambda n: [c.stride for c in convolutions(n)] == [(4, 4)]),
    ({"stride": 4, "padding": 1}, lambda n: [c.padding for c in convolutions(n)] == [(1, 1)]),
    ({"downsampling": "average", "kernel": 3}, lambda n: len(of_kind(n, nn.AvgPool2d)) == 2),
    ({"downsampling": "max", "kernel": 3}, lambda n: len(of_kind(n, nn.MaxPool2d)) == 2),
    ({"downsampling": "blur", "kernel": 3}, lambda n: len(of_kind(n, Blur)) == 2),
    ({"dropout": 0.25}, lambda n: [d.p for d in of_kind(n, nn.Dropout)] == [0.25, 0.25]),
    ({"initialization": "xavier"}, lambda n: True),
    ({"initialization": "kaiming"}, lambda n: True),
    ({"initialization": "orthogonal"}, lambda n: True),
    ({"spread": 0.1}, lambda n: True),
    *(
        ({"normalization": kind}, lambda n, k=kind: len(of_kind(n.stages, NORM_LAYERS[k])) == 1)
        for kind in NORM_LAYERS
    ),
    ({"normalization": "none"}, lambda n: not of_kind(n, nn.BatchNorm2d)),
    (
        {"normalization": "spectral"},
        lambda n: all(hasattr(c, "parametrizations") for c in (*convolutions(n), n.judge)),
    ),
    *(
        ({"activation": kind}, lambda n, layer=layer: len(of_kind(n, layer)) == 2)
        for kind, layer in ACTIVATIONS.items()
    ),
]


def shown(value):
    return ",".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else ""


def test_every_option_is_in_a_table():
    for part, table in ((G, GENERATOR_OPTIONS), (D, DISCRIMINATOR_OPTIONS)):
        assert {name for changes, _ in table for name in changes} == {f.name for f in fields(part)}


@pytest.mark.parametrize("changes, is_so", GENERATOR_OPTIONS, ids=shown)
def test_a_generator_option_acts(changes, is_so):
    network, plain = make_generator(replace(G, **changes)), make_generator(G)
    assert is_so(network)
    images = network(latents())
    assert images.shape == (6, 3, 16, 16)
    if changes not in ({"normalization": "batch"}, {"activation": "relu"}):
        assert (images - plain(latents())).abs().mean() > 0.01
    judged = make_discriminator(replace(D, normalization="none", activation="silu"))(images)
    judged.sigmoid().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize("changes, is_so", DISCRIMINATOR_OPTIONS, ids=shown)
def test_a_discriminator_option_acts(changes, is_so):
    network, plain = make_discriminator(replace(D, **changes)), make_discriminator(D)
    assert is_so(network)
    logits = network(pictures())
    assert logits.shape == (6,)
    if changes not in ({"normalization": "batch"}, {"activation": "leaky-relu"}):
        assert (logits - plain(pictures())).abs().mean() > 0.01
    logits.square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize("changes, is_so", DISCRIMINATOR_OPTIONS, ids=shown)
def test_second_derivatives_of_a_discriminator_are_finite_and_reach_its_convolutions(
    changes, is_so
):
    network = make_discriminator(replace(D, **changes))
    images = pictures().requires_grad_()
    (slope,) = torch.autograd.grad(network(images).sum(), images, create_graph=True)
    assert slope.abs().flatten(1).sum(1).min() > 0
    slope.square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
    for layer in (*convolutions(network), network.judge):
        weights = [p for name, p in layer.named_parameters() if "weight" in name]
        assert weights[0].grad.any()


@pytest.mark.parametrize("is_generator", [True, False])
def test_activations_that_share_all_weights_differ_only_by_their_function(is_generator):
    part, build = (G, make_generator) if is_generator else (D, make_discriminator)
    inputs = latents() if is_generator else pictures()
    results = []
    plain = build(part).state_dict()
    for kind in ACTIVATIONS:
        network = build(replace(part, activation=kind))
        for name, value in network.state_dict().items():
            torch.testing.assert_close(value, plain[name], rtol=0, atol=0)
        results.append(network(inputs))
    for index, one in enumerate(results):
        assert all((one - other).abs().max() > 1e-3 for other in results[:index])


# Dropout and noise


@pytest.mark.parametrize(
    "part", [G, replace(G, start=8), replace(G, start_normalization="none")], ids=str
)
def test_dropout_in_the_generator_acts_in_training_alone(part):
    network = make_generator(replace(part, dropout=0.5))
    torch.manual_seed(0)
    one = network(latents())
    other = network(latents())
    assert (one - other).abs().mean() > 0.01
    torch.manual_seed(0)
    again = network(latents())
    torch.testing.assert_close(one, again)
    network.eval()
    torch.testing.assert_close(network(latents()), network(latents()), rtol=0, atol=0)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_dropout_in_the_discriminator_drops_its_share_in_training_alone(share):
    network = make_discriminator(replace(D, dropout=share, activation="silu"))
    dropped = []
    for layer in of_kind(network, nn.Dropout):
        layer.register_forward_hook(lambda m, i, o: dropped.append((o == 0).float().mean().item()))
    torch.manual_seed(0)
    network(pictures(64))
    # 64 x 4 x 8 x 8 activations at least: a standard deviation below 0.004.
    assert dropped == pytest.approx([share, share], abs=0.02)
    network.eval()
    dropped.clear()
    torch.testing.assert_close(network(pictures()), network(pictures()), rtol=0, atol=0)
    assert max(dropped) == 0


@pytest.mark.parametrize(
    "part",
    [G, replace(G, start=8), replace(G, depth=2), DecoderGenerator(width=4), MLPGenerator((8,))],
    ids=lambda p: f"{type(p).__name__}-{getattr(p, 'start', '')}-{getattr(p, 'depth', '')}",
)
def test_layer_noise_acts_in_training_and_only_with_strength(part):
    network = make_generator(part)
    noises = of_kind(network, LayerNoise)
    torch.testing.assert_close(network(latents()), network(latents()), rtol=0, atol=0)
    for layer in noises:
        layer.strength = 0.5
    assert (network(latents()) - network(latents())).abs().mean() > 1e-3
    network.eval()
    torch.testing.assert_close(network(latents()), network(latents()), rtol=0, atol=0)


@pytest.mark.parametrize(
    "part, hidden",
    [(G, 2), (replace(G, start=8), 1), (replace(G, depth=2), 4), (DecoderGenerator(4), 4)],
    ids=["two stages", "one stage", "deeper", "decoder"],
)
def test_noise_follows_each_hidden_layer(part, hidden):
    assert len(of_kind(make_generator(part), LayerNoise)) == hidden


# Saving, seeds, precision


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_saved_weights_give_the_same_network(normalization):
    for part, build, inputs in (
        (G, make_generator, latents()),
        (D, make_discriminator, pictures()),
    ):
        part = replace(part, normalization=normalization)
        network, other = build(part), build(part, seed=1)
        network(inputs)  # so that running statistics are not those of the start
        stream = io.BytesIO()
        torch.save(network.state_dict(), stream)
        stream.seek(0)
        assert not torch.equal(network.eval()(inputs), other.eval()(inputs))
        other.load_state_dict(torch.load(stream))
        torch.testing.assert_close(network(inputs), other(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("normalization", ["batch", "spectral"])
def test_a_seed_decides_the_weights(normalization):
    for part, build in ((G, make_generator), (D, make_discriminator)):
        part = replace(part, normalization=normalization)
        one, same, other = (build(part, seed=seed) for seed in (3, 3, 4))
        for a, b, c in zip(one.parameters(), same.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
            assert a.ndim < 2 or not torch.equal(a, c)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_bf16_images_are_judged_in_bf16_near_the_fp32_judgement(normalization):
    network = make_discriminator(replace(D, normalization=normalization)).eval()
    exact = network(pictures())
    found = network(pictures(dtype=torch.bfloat16))
    assert found.dtype == torch.bfloat16
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    torch.testing.assert_close(found.float(), exact, rtol=0.05, atol=0.05 * exact.std().item())
    found.sum().backward()
    assert {p.grad.dtype for p in network.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    "part",
    [
        *(replace(G, normalization=kind) for kind in NORMALIZATIONS),
        *(replace(G, start_normalization=kind) for kind in ("instance", "group", "none")),
        replace(G, upsampling="bilinear", kernel=3),
        replace(G, upsampling="pixel-shuffle", kernel=3, output="sigmoid"),
        DecoderGenerator(width=4, spread=0.3),
        MLPGenerator((8,), spread=0.3),
    ],
    ids=lambda p: f"{type(p).__name__}-{getattr(p, 'normalization', '')}",
)
def test_bf16_latents_give_bf16_images_near_the_fp32_images(part):
    network = make_generator(part).train()
    exact = network(latents())
    found = network(latents(dtype=torch.bfloat16))
    assert found.dtype == torch.bfloat16
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    error = (found.float() - exact).square().mean() / exact.square().mean()
    assert 0 < error < 0.03**2  # above zero: bf16 was used indeed


# What cannot work is refused with the reason


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"kernel": 1}, "kernel 1, stride 2 does not scale images by 2"),
        ({"kernel": 3, "stride": 4}, "kernel 3, stride 4 does not scale images by 4"),
        ({"padding": 0}, "padding 0 does not scale"),
        ({"padding": 2}, "padding 2 does not scale"),
        ({"padding": -1}, "padding -1 does not scale"),
        ({"stride": 1}, "no whole number of steps of 1"),
        ({"stride": 3}, "no whole number of steps of 3"),
        ({"stride": 8}, "no whole number of steps of 8"),
        ({"widths": (8,) * 7}, "7 widths were given"),
        ({"widths": (8,)}, "1 widths were given"),
        ({"widths": (8, 0)}, "(8, 0) were asked for"),
        ({"width": 0}, "(0, 0) were asked for"),
        ({"max_width": 0}, "(0, 0) were asked for"),
        ({"depth": 0}, "depth was given 0"),
        ({"dropout": 1.0}, "dropout was given 1.0"),
        ({"dropout": -0.1}, "dropout was given -0.1"),
        ({"resample": "blur", "kernel": 4}, "4x4 kernel with padding 2 cannot keep the size"),
        ({"resample": "blur", "kernel": 3, "padding": 0}, "3x3 kernel with padding 0 cannot"),
        ({"smallest": 0}, "smallest feature map was given 0"),
        ({"smallest": -4}, "smallest feature map was given -4"),
        ({"smallest": 3}, "From 3 to 16 pixels"),
        ({"smallest": 16}, "From 16 to 16 pixels"),
        ({"smallest": 32}, "From 32 to 16 pixels"),
        ({"smallest": 1, "normalization": "instance", "depth": 2}, "is 1 pixel"),
    ],
    ids=str,
)
@pytest.mark.timeout(20)
def test_an_impossible_network_is_refused_with_the_reason(changes, reason):
    common = {k: v for k, v in changes.items() if k not in ("resample", "smallest")}
    for part, build, resampling, kind, size in (
        (G, make_generator, "upsampling", "nearest", "start"),
        (D, make_discriminator, "downsampling", "blur", "end"),
    ):
        special = {resampling: kind} if "resample" in changes else {}
        special |= {size: changes["smallest"]} if "smallest" in changes else {}
        with pytest.raises(UsageError) as caught:
            build(replace(part, **common, **special))
        assert reason in caught.value.given


@pytest.mark.parametrize("resolution", [8, 48, 100, 512])
@pytest.mark.parametrize("part", [G, D, DecoderGenerator()], ids=lambda p: type(p).__name__)
def test_a_resolution_that_is_no_power_of_two_in_reach_is_refused(part, resolution):
    build = make_discriminator if part is D else make_generator
    with pytest.raises(UsageError, match=f"resolution {resolution} was asked for") as caught:
        build(part, ImageShape(resolution))
    assert "16, 32, 64, 128, 256" in caught.value.needed


def test_a_resolution_out_of_reach_is_answered_with_a_near_one():
    with pytest.raises(UsageError, match=r"--resolution (32|64)"):
        make_generator(G, ImageShape(48))


@pytest.mark.parametrize("kernel, stride", [(3, 2), (5, 2), (6, 4)])
def test_a_kernel_that_its_stride_does_not_divide_is_advised_against(kernel, stride):
    (sentence,) = replace(G, kernel=kernel, stride=stride).advice()
    assert f"kernel {kernel} is no multiple of its stride {stride}" in sentence
    assert "checkerboard" in sentence
    assert replace(G, kernel=2 * stride, stride=stride).advice() == []  # what it recommends


@pytest.mark.parametrize("kernel, upsampling", [(3, "nearest"), (5, "bilinear")])
def test_a_kernel_without_checkerboards_is_not_advised_against(kernel, upsampling):
    assert replace(G, kernel=kernel, upsampling=upsampling).advice() == []
    assert D.advice() == []


def test_the_advice_on_checkerboards_is_true():
    # Equal weights on a flat input: neighbouring pixels differ exactly where the advice is given.
    for kernel, stride in ((3, 2), (4, 2), (5, 2), (6, 2), (4, 4), (6, 4), (8, 4)):
        part = replace(G, kernel=kernel, stride=stride)
        layer = convolutions(make_generator(part))[0]
        nn.init.ones_(layer.weight)
        made = layer(torch.ones(1, layer.in_channels, 8, 8))[0, 0, kernel:-kernel, kernel:-kernel]
        unevenness = (made.max() / made.min()).item()
        assert unevenness > 1.2 if part.advice() else unevenness == pytest.approx(1, abs=1e-5)
