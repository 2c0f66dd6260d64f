"""Generators and discriminators: what is chosen is a frozen dataclass, what is learned a module.

A part is built for an image shape and returns a plain `torch.nn.Module`. Modules know no loss,
optimiser, device or logging, and compute in the type of their input: weights stay fp32.
"""

from facesmith.architectures.contract import DiscriminatorPart, GeneratorPart, ImageShape
from facesmith.architectures.dcgan import DCGANDiscriminator, DCGANGenerator
from facesmith.architectures.decoder import DecoderGenerator
from facesmith.architectures.latents import Latent
from facesmith.architectures.mlp import MLPDiscriminator, MLPGenerator

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DecoderGenerator",
    "DiscriminatorPart",
    "GeneratorPart",
    "ImageShape",
    "Latent",
    "MLPDiscriminator",
    "MLPGenerator",
]
