"""What a recipe's networks are made of: layers, shapes, parameters, arithmetic, memory, receptive field."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facesmith.architectures.layers import Blur, LayerNoise
from facesmith.recipe import Recipe

# (generator, discriminator) as published, by recipe at its own resolution.
PUBLISHED = {
    ("dcgan-tutorial", 64): (3_576_704, 2_765_568, "PyTorch DCGAN tutorial"),
}


@dataclass(frozen=True)
class Layer:
    """One layer as it stands in the network.

    Args:
        name: Its path in the module.
        kind: Its class, with kernel, stride and padding where it has them.
        shape: Its output for one image, without the batch.
        parameters: Learned numbers it owns.
        multiply_adds: For one image, forward.
        receptive_field: Input pixels across that one output pixel depends on; None in a generator,
            whose input has no pixels.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: int | None


@dataclass(frozen=True)
class Network:
    """A network's layers and totals.

    Args:
        title: `generator` or `discriminator`.
        layers: In order of computation.
        parameters: Learned numbers in all.
        multiply_adds: For one image, forward.
        activation_bytes: Outputs of all layers for one image in fp32, forward and backward: what
            training holds in memory for each image of a batch.
    """

    title: str
    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int


@dataclass(frozen=True)
class Description:
    """Both networks of a recipe and a verdict against published figures."""

    generator: Network
    discriminator: Network
    verdict: str


def describe(recipe: Recipe) -> Description:
    """Look into a recipe's networks without computing anything.

    Args:
        recipe: What to describe.

    Returns:
        Layers and totals of both networks.

    Raises:
        UsageError: No such network exists.
    """
    with torch.device("meta"):
        generator = recipe.generator.build(recipe.shape, latent_size=recipe.latent.size)
        discriminator = recipe.discriminator.build(recipe.shape)
        latent = torch.zeros(1, recipe.latent.size)
        image = torch.zeros(1, recipe.channels, recipe.resolution, recipe.resolution)
    for module in generator.modules():
        if isinstance(module, LayerNoise):
            module.strength = recipe.layer_noise(0)
    made = _trace("generator", generator, latent)
    judged = _trace("discriminator", discriminator, image)
    return Description(made, judged, _verdict(recipe, made, judged))


def _trace(title: str, network: nn.Module, example: Tensor) -> Network:
    layers: list[Layer] = []
    # Field and step between neighbouring outputs, both in input pixels: r' = r + (k - 1) j, j' = j s.
    field, step = (1, 1) if example.ndim == 4 else (0, 0)
    values = 0

    def note(name: str, module: nn.Module, inputs: Tensor, output: Tensor) -> None:
        nonlocal field, step, values
        if isinstance(module, LayerNoise) and module.strength == 0:
            return  # it stands there for recipes that schedule noise, and does nothing in this one
        if field and output.ndim == 4:
            kernel, stride = _window(module)
            field, step = field + (kernel - 1) * step, step * stride
        elif field:
            field = example.shape[-1]  # a fully connected layer sees everything
        is_view = output.untyped_storage() is inputs.untyped_storage()
        values += 0 if is_view else output[0].numel()
        layers.append(
            Layer(
                name=name,
                kind=_kind(module),
                shape=tuple(output.shape[1:]),
                parameters=sum(p.numel() for p in module.parameters()),
                multiply_adds=_multiply_adds(module, inputs, output),
                receptive_field=min(field, example.shape[-1]) if field else None,
            )
        )

    for name, module in network.named_modules():
        is_leaf = not any(True for _ in module.children()) or hasattr(module, "parametrizations")
        if is_leaf and ".parametrizations" not in f".{name}":
            module.register_forward_hook(
                lambda m, args, output, name=name: note(name, m, args[0], output)
            )
    network.eval()(example)
    return Network(
        title=title,
        layers=tuple(layers),
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        activation_bytes=2 * 4 * values,
    )


def _window(module: nn.Module) -> tuple[int, int]:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return int(module.kernel_size[0]), int(module.stride[0])
    if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
        size = int(module.kernel_size)  # type: ignore[arg-type]
        return size, size
    if isinstance(module, Blur):
        return module.kernel.shape[-1], module.stride
    return 1, 1


def _kind(module: nn.Module) -> str:
    name = type(module).__name__.removeprefix("Parametrized").lstrip("_")
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        kernel, stride, padding = module.kernel_size[0], module.stride[0], module.padding[0]
        return f"{name} {kernel}x{kernel} s{stride} p{padding}"
    return name


def _multiply_adds(module: nn.Module, inputs: Tensor, output: Tensor) -> int:
    if isinstance(module, nn.ConvTranspose2d):  # every input pixel meets the whole kernel
        return int(inputs[0].numel() * module.out_channels * _area(module))
    if isinstance(module, nn.Conv2d):
        return int(output[0].numel() * module.in_channels * _area(module))
    if isinstance(module, Blur):
        return int(output[0].numel() * module.kernel.numel())
    if isinstance(module, nn.Linear):
        return module.in_features * module.out_features
    return 0


def _area(module: nn.Conv2d | nn.ConvTranspose2d) -> int:
    return int(module.kernel_size[0]) * int(module.kernel_size[1])


def _verdict(recipe: Recipe, generator: Network, discriminator: Network) -> str:
    published = PUBLISHED.get((recipe.name, recipe.resolution))
    if published is None:
        ratio = discriminator.parameters / generator.parameters
        size = "about as large as" if 0.5 < ratio < 2 else f"{ratio:.2g} times the size of"
        return f"No published figures are known for it; D is {size} G."
    found = (generator.parameters, discriminator.parameters)
    if found == published[:2]:
        return f"Parameters agree with the published figures ({published[2]})."
    return (
        f"Parameters {found[0]:,} and {found[1]:,} differ from the published {published[0]:,} and "
        f"{published[1]:,} ({published[2]}): options were changed."
    )
