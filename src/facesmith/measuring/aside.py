"""Work beside a training that it does not notice: copies of networks, and random numbers put back."""

from __future__ import annotations

import copy
import random
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
SEED = 0


def duplicate(network: nn.Module) -> nn.Module:
    """Copy a network so that nothing done with the copy reaches the original or what listens to it.

    Args:
        network: Any module, between two updates.

    Returns:
        The copy. Hooks stay behind, but for those that torch itself computes weights with: a hook that
        collects activations for a loss must not collect ours.
    """
    memo: dict[int, Any] = {}
    for module in network.modules():
        for name in HOOKS:
            hooks = getattr(module, name)
            memo[id(hooks)] = OrderedDict((k, h) for k, h in hooks.items() if _is_of_torch(h))
        # deepcopy refuses tensors with a graph: features that a module remembers, and the weights that
        # norms of the older kind compute.
        for tensor in _tensors(list(vars(module).values())):
            if not tensor.is_leaf:
                memo[id(tensor)] = tensor.detach().clone()
    return copy.deepcopy(network, memo)


def bare(network: nn.Module) -> nn.Module:
    """Take a network out of what compiles it or spreads it over devices."""
    inner = getattr(network, "_orig_mod", None)
    if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
        inner = network.module
    return bare(inner) if isinstance(inner, nn.Module) else network


@contextmanager
def unnoticed(device: torch.device) -> Iterator[None]:
    """Put random numbers back to where they were, and draw the same ones at each occasion.

    Args:
        device: Where networks compute. Generators of other devices are not touched.
    """
    python, arrays = random.getstate(), np.random.get_state()
    devices = [] if device.type == "cpu" else [device.index or 0]
    kind = "cuda" if device.type == "cpu" else device.type
    with torch.random.fork_rng(devices, device_type=kind), torch.no_grad():
        # Not torch.manual_seed, which seeds every device, even one that is not in use yet.
        torch.default_generator.manual_seed(SEED)
        if device.type == "cuda":
            torch.cuda.default_generators[device.index or 0].manual_seed(SEED)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


def _is_of_torch(hook: Any) -> bool:
    return str(getattr(hook, "__module__", "")).startswith("torch.")


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple | deque):
        for item in value:
            yield from _tensors(item)
