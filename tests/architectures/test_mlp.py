import pytest
import torch
from torch import nn

from facesmith.architectures import ImageShape, MLPDiscriminator, MLPGenerator
from facesmith.base.errors import UsageError
from facesmith.recipes import find_recipe

MNIST = ImageShape(28, 1)


def test_the_first_gan_makes_and_judges_mnist_images():
    recipe = find_recipe("mlp")
    generator, discriminator = recipe.build_generator(0), recipe.build_discriminator(0)
    images = generator(torch.rand(3, 100) * 2 - 1)
    assert images.shape == (3, 1, 28, 28)
    assert discriminator(images).shape == (3,)
    hidden = [layer.out_features for layer in generator if isinstance(layer, nn.Linear)]
    assert hidden == [1200, 1200, 784]
    parameters = sum(p.numel() for p in discriminator.parameters())
    assert parameters == 785 * 240 * 5 + 241 * 240 * 5 + 241


def test_a_generator_is_a_chain_of_dense_layers():
    torch.manual_seed(0)
    network = MLPGenerator((6, 4), activation="tanh", spread=0.5).build(MNIST, latent_size=3)
    dense = [layer for layer in network if isinstance(layer, nn.Linear)]
    z = torch.randn(5, 3)
    x = z
    with torch.no_grad():
        for layer in dense[:-1]:
            x = torch.tanh(x @ layer.weight.T)
        x = torch.sigmoid(x @ dense[-1].weight.T) * 2 - 1
        torch.testing.assert_close(network(z), x.view(5, 1, 28, 28), rtol=1e-4, atol=1e-5)


def test_a_maxout_unit_takes_its_largest_piece():
    torch.manual_seed(0)
    network = MLPDiscriminator((4,), pieces=3, spread=0.5).build(MNIST).eval()
    maxout, judge = network[2], network[4]
    images = torch.randn(5, 1, 28, 28)
    with torch.no_grad():
        nn.init.normal_(maxout.dense.bias)
        dense = images.flatten(1) @ maxout.dense.weight.T + maxout.dense.bias
        units = torch.stack([dense[:, i * 3 : i * 3 + 3].max(1).values for i in range(4)], 1)
        torch.testing.assert_close(network(images), units @ judge.weight[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("pixels, units", [(0.2, 0.0), (0.0, 0.5)])
def test_dropout_of_pixels_and_of_units_acts_in_training_alone(pixels, units):
    part = MLPDiscriminator((50,), input_dropout=pixels, dropout=units, spread=0.5)
    network = part.build(MNIST)
    dropped = []
    for layer in network:
        if isinstance(layer, nn.Dropout):
            layer.register_forward_hook(
                lambda m, i, o: dropped.append((o == 0).float().mean().item())
            )
    images = torch.randn(40, 1, 28, 28)
    torch.manual_seed(0)
    assert not torch.equal(network(images), network(images))
    assert dropped[:2] == pytest.approx([pixels, units], abs=0.05)
    network.eval()
    torch.testing.assert_close(network(images), network(images), rtol=0, atol=0)


@pytest.mark.parametrize("spread", [0.01, 0.3])
def test_first_weights_have_the_stated_spread(spread):
    torch.manual_seed(0)
    for network in (
        MLPGenerator((90,), spread=spread).build(MNIST, latent_size=100),
        MLPDiscriminator((40,), spread=spread).build(MNIST),
    ):
        for name, parameter in network.named_parameters():
            if "bias" in name:
                assert not parameter.any()
            elif parameter.numel() > 5000:
                assert parameter.std().item() == pytest.approx(spread, rel=0.04)


@pytest.mark.parametrize("law", ["xavier", "kaiming", "orthogonal"])
def test_other_initialisations_act(law):
    torch.manual_seed(0)
    layer = MLPGenerator((90,), initialization=law).build(MNIST, latent_size=100)[0]
    std = {"xavier": (2 / 190) ** 0.5, "kaiming": (2 / 1.04 / 100) ** 0.5, "orthogonal": 0.1}[law]
    assert layer.weight.std().item() == pytest.approx(std, rel=0.04)


def test_gradients_reach_every_parameter_twice():
    torch.manual_seed(0)
    generator = MLPGenerator((8, 8), spread=0.3).build(MNIST, latent_size=3)
    discriminator = MLPDiscriminator((8, 8), spread=0.3).build(MNIST)
    images = generator(torch.randn(6, 3))
    logits = discriminator(images)
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    (slope.square().sum() + logits.square().sum()).backward()
    for network in (generator, discriminator):
        assert all(p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize(
    "part, given",
    [
        (MLPGenerator(()), "widths ()"),
        (MLPGenerator((8, 0)), "widths (8, 0)"),
        (MLPDiscriminator(()), "widths ()"),
        (MLPDiscriminator(pieces=0), "pieces was given 0"),
        (MLPDiscriminator(dropout=1.0), "discriminator.dropout was given 1.0"),
        (MLPDiscriminator(input_dropout=-0.1), "input_dropout was given -0.1"),
    ],
)
def test_impossible_networks_are_refused(part, given):
    with pytest.raises(UsageError) as caught:
        if isinstance(part, MLPGenerator):
            part.build(MNIST, latent_size=3)
        else:
            part.build(MNIST)
    assert given in caught.value.given
