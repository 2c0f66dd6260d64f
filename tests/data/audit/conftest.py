"""A healthy collection: portraits, whose every attribute is drawn evenly and independently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facesmith.data.audit import Audit, audit_images
from facesmith.data.portraits import portraits

Labels = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def images() -> NDArray[np.uint8]:
    return portraits(np.arange(400), 32)[0]


@pytest.fixture(scope="session")
def labels() -> Labels:
    attributes = portraits(np.arange(400), 16)[1]
    return {name: values for name, values in attributes.items() if values.ndim == 1}


@pytest.fixture(scope="session")
def healthy(images: NDArray[np.uint8], labels: Labels) -> Audit:
    return audit_images(images, labels)
