"""For all tests."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

# The first call into torch takes seconds on a busy machine; pytest's own timeout stops what hangs.
settings.register_profile("facesmith", deadline=None)
settings.load_profile("facesmith")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more threads, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
