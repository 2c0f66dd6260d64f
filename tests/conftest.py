"""For all tests."""

import signal
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

# The first call into torch takes seconds on a busy machine; pytest's own timeout stops what hangs.
# The same examples every time: what fails here fails for whoever looks into it.
settings.register_profile("facesmith", deadline=None, derandomize=True)
settings.load_profile("facesmith")

# A shell starts what it puts into the background deaf to Ctrl-C, and all that this starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more threads, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
