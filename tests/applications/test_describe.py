from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from facesmith.applications.describe import describe
from facesmith.architectures import (
    DCGANDiscriminator,
    DCGANGenerator,
    DecoderGenerator,
    Latent,
    MLPDiscriminator,
    MLPGenerator,
)
from facesmith.base.schedules import Constant
from facesmith.recipe import Recipe
from facesmith.recipes import NAMED, find_recipe

TINY = Recipe(
    resolution=32,
    latent=Latent(5),
    generator=DCGANGenerator(width=4),
    discriminator=DCGANDiscriminator(width=4),
)


def with_parts(generator=TINY.generator, discriminator=TINY.discriminator, **changes):
    return replace(TINY, generator=generator, discriminator=discriminator, **changes)


VARIANTS = {
    "plain": TINY,
    "spectral": with_parts(
        DCGANGenerator(width=4, normalization="spectral"),
        DCGANDiscriminator(width=4, normalization="spectral"),
    ),
    "deep, no norm, grey": with_parts(
        DCGANGenerator(width=4, depth=2, normalization="none"),
        DCGANDiscriminator(width=4, depth=3, normalization="none", kernel=5),
        channels=1,
    ),
    "nearest, average": with_parts(
        DCGANGenerator(width=4, kernel=3, upsampling="nearest"),
        DCGANDiscriminator(width=4, kernel=3, downsampling="average"),
    ),
    "bilinear, max": with_parts(
        DCGANGenerator(width=4, kernel=5, upsampling="bilinear", normalization="pixel"),
        DCGANDiscriminator(width=4, kernel=5, downsampling="max"),
    ),
    "shuffle, blur": with_parts(
        DCGANGenerator(width=4, kernel=3, upsampling="pixel-shuffle"),
        DCGANDiscriminator(width=4, kernel=3, downsampling="blur"),
    ),
    "stride 4": with_parts(
        DCGANGenerator(width=4, start=2, stride=4, kernel=8),
        DCGANDiscriminator(width=4, end=2, stride=4, kernel=6, dropout=0.1),
    ),
    "decoder": with_parts(DecoderGenerator(width=4, normalization="batch")),
    "mlp": with_parts(MLPGenerator((9, 8)), MLPDiscriminator((7,), pieces=3), resolution=28),
}
EACH = pytest.mark.parametrize("recipe", VARIANTS.values(), ids=VARIANTS)


def both(recipe):
    """Give (description, network, example) of both players, the networks on the CPU."""
    found = describe(recipe)
    image = torch.zeros(1, recipe.channels, recipe.resolution, recipe.resolution)
    yield found.generator, recipe.build_generator(0).eval(), torch.zeros(1, recipe.latent.size)
    yield found.discriminator, recipe.build_discriminator(0).eval(), image


@EACH
def test_multiply_adds_are_half_of_the_operations_that_torch_counts(recipe):
    for found, network, example in both(recipe):
        with FlopCounterMode(display=False) as counter:
            network(example)
        assert 2 * found.multiply_adds == counter.get_total_flops()
        assert found.multiply_adds == sum(layer.multiply_adds for layer in found.layers) > 0


@EACH
def test_parameters_are_those_of_the_network_and_of_its_layers(recipe):
    for found, network, _ in both(recipe):
        assert found.parameters == sum(p.numel() for p in network.parameters())
        assert found.parameters == sum(layer.parameters for layer in found.layers)


@EACH
def test_shapes_are_those_of_a_real_forward_in_order(recipe):
    for found, network, example in both(recipe):
        seen = []
        for name, module in network.named_modules():
            module.register_forward_hook(
                lambda m, i, o, name=name, seen=seen: seen.append((name, tuple(o.shape[1:])))
            )
        network(example)
        shown = [(layer.name, layer.shape) for layer in found.layers]
        assert shown == [
            entry for entry in seen if entry[0] in {layer.name for layer in found.layers}
        ]
        learned = {
            name
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d)
        }
        assert learned <= {layer.name for layer in found.layers}


def influence(network, name, resolution):
    """Measure how many pixels across act on the central output of a layer."""
    kept = {}
    layer = dict(network.named_modules())[name]
    handle = layer.register_forward_hook(lambda m, i, o: kept.update(output=o))
    # Several images: a maximum looks at one pixel of its window at a time.
    images = torch.rand(64, 3, resolution, resolution, requires_grad=True)
    network(images)
    handle.remove()
    output = kept["output"]
    middle = output.shape[-1] // 2
    (gradient,) = torch.autograd.grad(output[:, :, middle, middle].sum(), images)
    touched = gradient.abs().sum(dim=(0, 1)) > 0
    rows = touched.any(1).nonzero().flatten()
    return int(rows[-1] - rows[0]) + 1


@pytest.mark.parametrize(
    "part",
    [
        DCGANDiscriminator(width=3),
        DCGANDiscriminator(width=3, kernel=5),
        DCGANDiscriminator(width=3, depth=2),
        DCGANDiscriminator(width=3, kernel=8, stride=4),
        DCGANDiscriminator(width=3, kernel=3, downsampling="average"),
        DCGANDiscriminator(width=3, kernel=3, downsampling="max"),
        DCGANDiscriminator(width=3, kernel=3, downsampling="blur"),
    ],
    ids=lambda p: f"{p.downsampling}-{p.kernel}-{p.stride}-{p.depth}",
)
def test_the_receptive_field_is_the_measured_one(part):
    # Smooth activations, no normalisation across pixels, and room enough around the centre.
    part = replace(part, activation="silu", normalization="none", spread=0.5)
    recipe = with_parts(discriminator=part, resolution=64)
    network = recipe.build_discriminator(0).eval()
    checked = 0
    for layer in describe(recipe).discriminator.layers:
        if layer.receptive_field < 40 and len(layer.shape) == 3:
            assert influence(network, layer.name, 64) == layer.receptive_field, layer.name
            checked += 1
    assert checked >= 4


def test_the_receptive_field_is_never_larger_than_the_image_and_whole_at_the_logit():
    found = describe(with_parts(discriminator=DCGANDiscriminator(width=2, kernel=8))).discriminator
    fields = [layer.receptive_field for layer in found.layers]
    assert fields == sorted(fields)
    assert fields[0] == 8
    assert fields[-1] == 32


def test_a_generator_has_no_receptive_field():
    assert {layer.receptive_field for layer in describe(TINY).generator.layers} == {None}


def test_layers_name_kernel_stride_and_padding():
    found = describe(VARIANTS["stride 4"])
    kinds = {layer.kind for layer in (*found.generator.layers, *found.discriminator.layers)}
    assert {"ConvTranspose2d 8x8 s4 p2", "Conv2d 6x6 s4 p1", "BatchNorm2d", "Linear"} <= kinds
    kinds = {layer.kind for layer in describe(VARIANTS["spectral"]).discriminator.layers}
    assert "Conv2d 4x4 s2 p1" in kinds
    assert not any("Parametri" in kind for kind in kinds)


def test_activation_memory_counts_each_kept_output_twice_in_fp32():
    # conv -> leaky in place, twice with a norm between; then the logit.
    found = describe(with_parts(discriminator=DCGANDiscriminator(widths=(2, 3, 5)))).discriminator
    kept = 2 * 16 * 16 + 2 * 3 * 8 * 8 + 2 * 5 * 4 * 4 + 1
    assert found.activation_bytes == 2 * 4 * kept


def test_the_verdict_agrees_with_the_published_figures():
    verdict = describe(find_recipe("dcgan-tutorial")).verdict
    assert verdict.startswith("Parameters agree with the published figures")
    assert "PyTorch DCGAN tutorial" in verdict


@pytest.mark.parametrize(
    "changes, found",
    [
        ({"latent": Latent(64)}, "3,281,792 and 2,765,568"),
        ({"discriminator": DCGANDiscriminator(normalization="none")}, "3,576,704 and 2,763,776"),
    ],
)
def test_the_verdict_shows_figures_that_changed_options_made_differ(changes, found):
    verdict = describe(replace(find_recipe("dcgan-tutorial"), **changes)).verdict
    assert f"Parameters {found} differ from the published 3,576,704 and 2,765,568" in verdict


def test_without_published_figures_the_verdict_compares_the_sizes():
    assert "D is about as large as G" in describe(find_recipe("face")).verdict
    large = with_parts(discriminator=DCGANDiscriminator(width=64))
    found = describe(large)
    ratio = found.discriminator.parameters / found.generator.parameters
    assert ratio > 2
    assert f"D is {ratio:.2g} times the size of G" in found.verdict
    assert (
        "No published figures"
        in describe(replace(find_recipe("dcgan-tutorial"), resolution=32)).verdict
    )


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_named_recipe_can_be_described_without_computing(name):
    before = torch.get_rng_state()
    found = describe(find_recipe(name))
    assert found.generator.layers[-1].shape[-1] == find_recipe(name).resolution
    assert found.discriminator.layers[-1].shape in ((), (1,))
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_layers_are_listed_only_where_noise_is_scheduled():
    def kinds(noise):
        recipe = replace(find_recipe("face"), layer_noise=Constant(noise))
        return [layer.kind for layer in describe(recipe).generator.layers]

    assert "LayerNoise" not in kinds(0.0)
    assert kinds(0.1).count("LayerNoise") == 4
