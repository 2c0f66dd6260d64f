"""What HealthMonitor costs: the plain 64-pixel loop with and without it, in turns.

python benchmarks/monitor_overhead.py [--batch 64] [--blocks 6]
"""

import argparse
import statistics
import tempfile
import time

import torch
from torch import nn

import facesmith

LATENT, WIDTH = 100, 64


def networks() -> tuple[nn.Module, nn.Module]:
    """DCGAN as the paper has it, at 64 pixels."""
    up, down = [], []
    channels = [8 * WIDTH, 4 * WIDTH, 2 * WIDTH, WIDTH]
    up += [nn.ConvTranspose2d(LATENT, channels[0], 4, bias=False)]
    for one, other in zip(channels, [*channels[1:], 3], strict=True):
        up += [nn.BatchNorm2d(one), nn.ReLU(inplace=True)]
        up += [nn.ConvTranspose2d(one, other, 4, 2, 1, bias=False)]
    for one, other in zip([3, *channels[:0:-1]], channels[::-1], strict=True):
        down += [nn.Conv2d(one, other, 4, 2, 1, bias=False)]
        down += [nn.BatchNorm2d(other)] if one > 3 else []
        down += [nn.LeakyReLU(0.2, inplace=True)]
    down += [nn.Conv2d(channels[0], 1, 4, bias=False), nn.Sigmoid()]
    return nn.Sequential(*up, nn.Tanh()), nn.Sequential(*down)


class Loop:
    """A plain loop on noise, with a monitor or without."""

    def __init__(self, batch: int, watched: bool, device: str) -> None:
        torch.manual_seed(0)
        self.batch, self.device = batch, device
        self.net_g, self.net_d = (net.to(device) for net in networks())
        self.opt_g, self.opt_d = (
            torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999))
            for net in (self.net_g, self.net_d)
        )
        self.monitor = None
        if watched:
            folder = tempfile.mkdtemp()
            optimizers = (self.opt_g, self.opt_d)
            self.monitor = facesmith.HealthMonitor(
                self.net_g, self.net_d, folder, optimizers=optimizers, images=10**6
            )

    def block(self, steps: int) -> float:
        """Train a while; give the seconds that it took."""
        criterion, shape = nn.BCELoss(), (self.batch, 1, 1, 1)
        ones, zeros = (make(shape, device=self.device) for make in (torch.ones, torch.zeros))
        # The processor's time where it computes: other jobs on the machine disturb it least.
        clock = time.process_time if self.device == "cpu" else time.perf_counter
        begin = clock()
        for _ in range(steps):
            real = torch.rand(self.batch, 3, 64, 64, device=self.device) * 2 - 1
            self.net_d.zero_grad()
            d_real = self.net_d(real)
            fake = self.net_g(torch.randn(self.batch, LATENT, 1, 1, device=self.device))
            d_fake = self.net_d(fake.detach())
            err_d = criterion(d_real, ones) + criterion(d_fake, zeros)
            err_d.backward()
            self.opt_d.step()
            self.net_g.zero_grad()
            err_g = criterion(self.net_d(fake), ones)
            err_g.backward()
            self.opt_g.step()
            if self.monitor is not None:
                self.monitor.step(
                    real=real,
                    fake=fake,
                    real_logits=d_real,
                    fake_logits=d_fake,
                    discriminator_loss=err_d,
                    generator_loss=err_g,
                )
        if self.device == "cuda":
            torch.cuda.synchronize()
        return clock() - begin


def main() -> None:
    """Measure, in turns, so that whatever else the machine does falls on both."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--blocks", type=int, default=6)
    options.add_argument("--steps", type=int, default=16)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    plain, watched = (Loop(chosen.batch, on, chosen.device) for on in (False, True))
    plain.block(2), watched.block(2)  # the first steps are slow
    times: dict[str, list[float]] = {"plain": [], "watched": []}
    for _ in range(chosen.blocks):
        times["plain"].append(plain.block(chosen.steps))
        times["watched"].append(watched.block(chosen.steps))
        print({name: round(values[-1], 2) for name, values in times.items()}, flush=True)
    one, other = (statistics.median(values) for values in times.values())
    total = [sum(values) for values in times.values()]
    assert watched.monitor is not None
    records = watched.monitor.history.records
    print(
        f"batch {chosen.batch}: {1000 * one / chosen.steps:.0f} ms a step; the monitor adds "
        f"{other / one - 1:+.1%} (median block), {total[1] / total[0] - 1:+.1%} in all, "
        f"{len(records)} records; by its own account "
        + ", ".join(f"{r.signals['time.signals']:.2%}" for r in records)
    )


if __name__ == "__main__":
    main()
