"""facesmith turns a folder of photos into a face generator that its owner can trust."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from facesmith.base.version import VERSION

__version__ = VERSION

# Public names and where they live. They are looked up on first use, so that `import facesmith` and
# `facesmith --help` do not wait for torch.
_PUBLIC = {
    "Dataset": "facesmith.data.dataset",
    "FacesmithError": "facesmith.base.errors",
    "HealthMonitor": "facesmith.monitor.monitor",
    "Model": "facesmith.applications.sample",
    "Recipe": "facesmith.recipe",
    "Run": "facesmith.training.run",
    "find_recipe": "facesmith.recipes",
    "load": "facesmith.applications.sample",
    "prepare": "facesmith.data.prepare",
    "train": "facesmith.api",
}

if TYPE_CHECKING:
    from facesmith.api import train as train
    from facesmith.applications.sample import Model as Model
    from facesmith.applications.sample import load as load
    from facesmith.base.errors import FacesmithError as FacesmithError
    from facesmith.data.dataset import Dataset as Dataset
    from facesmith.data.prepare import prepare as prepare
    from facesmith.monitor.monitor import HealthMonitor as HealthMonitor
    from facesmith.recipe import Recipe as Recipe
    from facesmith.recipes import find_recipe as find_recipe
    from facesmith.training.run import Run as Run

__all__ = [
    "Dataset",
    "FacesmithError",
    "HealthMonitor",
    "Model",
    "Recipe",
    "Run",
    "find_recipe",
    "load",
    "prepare",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"facesmith has no {name!r}; its public names are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
