"""The plain DCGAN loop, written as people write it, with the doctor beside it: three lines, marked 1, 2, 3.

    python examples/tutorial_loop.py                    # half a minute on a CPU
    python examples/tutorial_loop.py --rate 0.02        # and what becomes of it with a hundred times the rate

facesmith is used for two things here: it draws the pictures, and it watches. The training is plain PyTorch.
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import facesmith
from facesmith.data.portraits import portraits

LATENT = 100


def generator(width: int) -> nn.Module:
    """Latents (N, 100, 1, 1) to images (N, 3, 32, 32) from -1 to 1."""
    return nn.Sequential(
        nn.ConvTranspose2d(LATENT, 4 * width, 4, bias=False),
        nn.BatchNorm2d(4 * width),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def discriminator(width: int) -> nn.Module:
    """Images to the probability that they are real, (N, 1, 1, 1)."""
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4 * width),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(4 * width, 1, 4, bias=False),
        nn.Sigmoid(),
    )


def begin(module: nn.Module) -> None:
    """Draw the first weights as the paper does."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def main(images: int, drawn: int, batch: int, width: int, rate: float, folder: Path) -> None:
    """Train, and say how it went."""
    torch.manual_seed(0)
    pixels, _ = portraits(range(drawn), 32)
    real_images = torch.as_tensor(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    loader = DataLoader(TensorDataset(real_images), batch, shuffle=True, drop_last=True)

    net_g, net_d = generator(width).apply(begin), discriminator(width).apply(begin)
    opt_g = torch.optim.Adam(net_g.parameters(), rate, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(net_d.parameters(), rate, betas=(0.5, 0.999))
    criterion = nn.BCELoss()
    ones, zeros = torch.ones(batch, 1, 1, 1), torch.zeros(batch, 1, 1, 1)

    few = images // 40  # this training is short; long ones need no `every`
    monitor = facesmith.HealthMonitor(  # 1
        net_g, net_d, folder, optimizers=(opt_g, opt_d), images=images, every=few, loss=criterion
    )
    seen = 0
    while seen < images:
        for (real,) in loader:
            net_d.zero_grad()
            d_real = net_d(real)
            fake = net_g(torch.randn(batch, LATENT, 1, 1))
            d_fake = net_d(fake.detach())
            err_d = criterion(d_real, ones) + criterion(d_fake, zeros)
            err_d.backward()
            opt_d.step()

            net_g.zero_grad()
            err_g = criterion(net_d(fake), ones)
            err_g.backward()
            opt_g.step()

            monitor.step(  # 2
                real=real,
                fake=fake,
                real_logits=d_real,
                fake_logits=d_fake,
                discriminator_loss=err_d,
                generator_loss=err_g,
            )
            seen += batch
            if seen >= images:
                break
    print(monitor.health())  # 3
    for finding in monitor.findings():
        print(f"- {finding.title}\n  {finding.remedy.advice}")
    print(f"next: facesmith diagnose {folder}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=20_000, help="real images to see in all")
    options.add_argument("--drawn", type=int, default=1_000, help="portraits to draw")
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--width", type=int, default=16, help="channels next to the image")
    options.add_argument("--rate", type=float, default=2e-4, help="learning rate of both")
    options.add_argument("--folder", type=Path, default=Path("runs/tutorial-loop"))
    main(**vars(options.parse_args()))
