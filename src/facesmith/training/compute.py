"""Where and in which arithmetic a run computes, chosen by a short measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facesmith.base.errors import UsageError
from facesmith.recipe import Recipe

TRIALS = 3  # timed passes of each candidate
TRIAL_BATCH = 16
CLEARLY = 0.8  # bf16 must save a fifth of the time, or noise would decide


@dataclass(frozen=True)
class Compute:
    """Device, type of the activations, and layout of weights and images."""

    device: torch.device
    dtype: torch.dtype = torch.float32
    memory_format: torch.memory_format = torch.channels_last

    def place(self, network: nn.Module) -> nn.Module:
        """Move a network to the device and layout; its weights stay fp32."""
        # torch's annotations know memory_format only together with other arguments.
        return network.to(device=self.device).to(memory_format=self.memory_format)  # type: ignore[call-overload,no-any-return]

    def activations(self, values: Tensor) -> Tensor:
        """Bring latents or images to the device, type and layout that networks compute in."""
        moved = values.to(self.device, self.dtype, non_blocking=True)
        return moved.contiguous(memory_format=self.memory_format) if moved.ndim == 4 else moved

    def synchronize(self) -> None:
        """Wait until the device has done what was asked of it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def __str__(self) -> str:
        """Name the choice in a word or two."""
        kind = "bf16" if self.dtype == torch.bfloat16 else "fp32"
        layout = "channels_last" if self.memory_format == torch.channels_last else "contiguous"
        return f"{self.device} {kind} {layout}"

    def to_dict(self) -> dict[str, str]:
        """Write the choice for the checkpoint: a resumed run must compute the same way."""
        device, kind, layout = str(self).split()
        return {"device": device, "precision": kind, "layout": layout}

    @property
    def precision(self) -> str:
        """`bf16` or `fp32`."""
        return self.to_dict()["precision"]


def from_dict(saved: dict[str, str]) -> Compute:
    """Read what `Compute.to_dict` wrote."""
    return Compute(
        torch.device(saved["device"]),
        torch.bfloat16 if saved["precision"] == "bf16" else torch.float32,
        torch.channels_last if saved["layout"] == "channels_last" else torch.contiguous_format,
    )


def choose(recipe: Recipe, *, device: str, precision: str) -> Compute:
    """Choose device and precision for a recipe.

    The layout is not measured: channels_last was never slower, and a choice between near equals
    would let noise decide, so that the same seed gave different bits from one start to the next.

    Args:
        recipe: Whose networks are timed.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `auto`, `fp32` or `bf16`; auto times both where the hardware has bf16.

    Returns:
        The choice.

    Raises:
        UsageError: The device is not there.
    """
    place = find_device(device)
    exact, fast = with_precision(place, "fp32"), with_precision(place, "bf16")
    if precision == "bf16":
        return fast
    if precision == "fp32" or not has_bf16(place):
        return exact
    seconds = {candidate: _seconds_a_pass(recipe, candidate) for candidate in (exact, fast)}
    return fast if seconds[fast] < CLEARLY * seconds[exact] else exact


def with_precision(device: torch.device, precision: str) -> Compute:
    """Give the way to compute on a device.

    Args:
        device: Where.
        precision: `fp32` or `bf16`.

    Returns:
        It, with the layout that suits the device.
    """
    # Plain layout is what the mps backend is tested with.
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    return Compute(device, torch.bfloat16 if precision == "bf16" else torch.float32, layout)


def find_device(name: str) -> torch.device:
    """Find the device to compute on.

    Args:
        name: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        The device.

    Raises:
        UsageError: It is not there.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present.get(name, False):
        raise UsageError(
            f"Device {name!r} was asked for.",
            needed=f"a device of this machine: {', '.join(k for k, there in present.items() if there)}",
            todo="leave out --device, or install a torch that knows your accelerator",
        )
    return torch.device(name)


def has_bf16(device: torch.device) -> bool:
    """Say whether the hardware multiplies bf16 numbers itself; emulation is hundreds of times slower.

    Args:
        device: The device.

    Returns:
        Whether it does.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return bool(
            torch.cpu._is_amx_tile_supported()
            or (
                torch.backends.cpu.get_cpu_capability() == "AVX512"
                and torch.cpu._is_avx512_bf16_supported()
            )
        )
    return False


def _seconds_a_pass(recipe: Recipe, compute: Compute) -> float:
    generator = compute.place(recipe.build_generator(seed=0))
    discriminator = compute.place(recipe.build_discriminator(seed=0))
    latents = compute.activations(torch.zeros(TRIAL_BATCH, recipe.latent.size))
    best = float("inf")
    for _ in range(TRIALS + 1):  # the first pass, which warms up, is never the fastest
        compute.synchronize()
        begin = time.perf_counter()
        discriminator(generator(latents)).float().mean().backward()
        compute.synchronize()
        best = min(best, time.perf_counter() - begin)
    return best
