"""The averaged generator and its statistics, recomputed on fixed latents."""

import copy
import warnings
from collections import defaultdict
from dataclasses import replace

import pytest
import torch
from torch import nn

from facesmith import checkpoint
from facesmith.architectures import DCGANDiscriminator, DCGANGenerator, Latent
from facesmith.base.randomness import uniforms
from facesmith.data.prepare import prepare
from facesmith.recipe import Recipe
from facesmith.snapshot import fixed_latents, load_snapshot, with_fresh_statistics
from facesmith.training import loop
from facesmith.training.run import Run

TINY = Recipe(
    name="tiny",
    resolution=16,
    latent=Latent(size=6),
    generator=DCGANGenerator(width=4, spread=0.2),
    discriminator=DCGANDiscriminator(width=4),
    batch=8,
)


def norms(network):
    return {n: m for n, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}


@pytest.fixture
def average():
    """A generator whose statistics belong to other weights, as an average's do."""
    network = TINY.build_generator(seed=0).eval().requires_grad_(False)
    for norm in norms(network).values():
        norm.running_mean.fill_(5.0)
        norm.running_var.fill_(9.0)
    return network


def statistics_by_hand(network, recipe):
    """Mean and variance of what each batch norm gets, each batch normalised by its own."""
    network = copy.deepcopy(network).train()
    means, variances = defaultdict(list), defaultdict(list)

    def note(name):
        def hook(norm, given):
            by_channel = given[0].transpose(0, 1).flatten(1)
            means[name].append(by_channel.mean(1))
            variances[name].append(by_channel.var(1))

        return hook

    for name, norm in norms(network).items():
        norm.register_forward_pre_hook(note(name))
    drawn = uniforms(0, "fixed/statistics", start=0, count=1024, width=recipe.latent.size)
    for latents in torch.special.ndtri(torch.from_numpy(drawn)).float().split(64):
        network(latents)
    return {
        name: (torch.stack(means[name]).mean(0), torch.stack(variances[name]).mean(0))
        for name in means
    }


def assert_statistics(network, expected):
    assert norms(network).keys() == expected.keys() != set()
    for name, norm in norms(network).items():
        mean, variance = expected[name]
        torch.testing.assert_close(norm.running_mean, mean, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(norm.running_var, variance, rtol=1e-3, atol=1e-5)


def test_statistics_are_those_of_the_averaged_weights_on_1024_fixed_latents(average):
    assert_statistics(with_fresh_statistics(average, TINY), statistics_by_hand(average, TINY))


def test_the_result_is_a_copy_in_evaluation_mode(average):
    before = copy.deepcopy(average.state_dict())
    result = with_fresh_statistics(average, TINY)
    assert not any(module.training for module in result.modules())
    torch.testing.assert_close(average.state_dict(), before, rtol=0, atol=0)
    for name, weight in result.named_parameters():
        assert torch.equal(weight, before[name])
        assert weight.data_ptr() != average.get_parameter(name).data_ptr()


def test_dropout_is_off_while_statistics_are_taken(average):
    dropping = replace(TINY, generator=replace(TINY.generator, dropout=0.5))
    network = dropping.build_generator(seed=0)
    network.load_state_dict(with_fresh_statistics(average, TINY).state_dict())
    assert_statistics(with_fresh_statistics(network, dropping), statistics_by_hand(average, TINY))


def test_a_generator_without_batch_norm_stays_as_it_is():
    recipe = replace(
        TINY, generator=DCGANGenerator(4, normalization="layer", start_normalization="layer")
    )
    network = recipe.build_generator(seed=0)
    result = with_fresh_statistics(network, recipe)
    torch.testing.assert_close(result.state_dict(), network.state_dict(), rtol=0, atol=0)


def test_spectral_norms_of_moved_weights_are_found_anew():
    generator = DCGANGenerator(4, normalization="spectral", start_normalization="none")
    recipe = replace(TINY, generator=generator)
    network = recipe.build_generator(seed=0).eval()
    with torch.no_grad():
        for constraint in network.project.parametrizations.weight:
            constraint._u.copy_(torch.eye(len(constraint._u))[0])
    assert torch.linalg.matrix_norm(network.project.weight, ord=2).item() > 1.1
    result = with_fresh_statistics(network, recipe)
    largest = torch.linalg.matrix_norm(result.project.weight, ord=2).item()
    assert largest == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("law", ["normal", "uniform", "sphere"])
def test_fixed_latents_follow_the_recipe_and_may_be_cut_anywhere(law):
    recipe = replace(TINY, latent=Latent(size=7, law=law))
    whole = fixed_latents(recipe, "samples", 0, 10)
    drawn = uniforms(0, "fixed/samples", start=0, count=10, width=7)
    assert torch.equal(whole, recipe.latent.from_uniforms(drawn))
    assert torch.equal(whole[6:], fixed_latents(recipe, "samples", 6, 4))
    assert not torch.equal(whole, fixed_latents(recipe, "statistics", 0, 10))


def test_a_run_leaves_its_average_with_fresh_statistics(tmp_path):
    data = prepare("portraits:20", tmp_path / "data", resolution=16, workers=1)
    run = Run(folder=tmp_path / "run", images=64, device="cpu", precision="fp32")
    loop.train(TINY, run, data)
    (folder,) = checkpoint.complete(run.folder / "checkpoints")
    tensors, _ = checkpoint.load(folder)
    average = TINY.build_generator(seed=9)
    average.load_state_dict(tensors["average"])
    snapshot = load_snapshot(run.folder)
    assert (snapshot.recipe, snapshot.images_seen, snapshot.folder) == (TINY, 64, folder)
    for name, weight in snapshot.generator.named_parameters():
        assert torch.equal(weight, tensors["average"][name])
        assert not torch.equal(weight, tensors["generator"][name])
    assert_statistics(snapshot.generator, statistics_by_hand(average, TINY))
    judge = snapshot.discriminator.state_dict()
    torch.testing.assert_close(judge, tensors["discriminator"], rtol=0, atol=0)
    for network in (snapshot.generator, snapshot.discriminator):
        assert not network.training
        assert not any(weight.requires_grad for weight in network.parameters())


def test_a_snapshot_skips_a_damaged_checkpoint_and_says_so(tmp_path):
    data = prepare("portraits:20", tmp_path / "data", resolution=16, workers=1)
    run = Run(folder=tmp_path / "run", images=16, device="cpu", precision="fp32")
    loop.train(TINY, run, data)
    loop.train(TINY, replace(run, images=32), data)
    older, newer = checkpoint.complete(run.folder / "checkpoints")
    (newer / "snapshot.safetensors").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="Skipped a damaged checkpoint"):
        assert load_snapshot(run.folder).folder == older
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_snapshot(older).images_seen == 16
