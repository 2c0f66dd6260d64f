"""Counter-based randomness: every draw is a function of (seed, stream, index).

Nothing has a random state that could be lost: sample number 81,920 of a stream is the same
whether it is drawn alone, in a batch, after a resume, or on the second of four machines.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS_PER_BLOCK = 4  # Philox-4x64 makes four 64-bit words at each tick of its counter


def stream_key(seed: int, stream: str) -> int:
    """Name a random stream.

    Args:
        seed: The run's seed, any integer.
        stream: What the numbers are for, such as `"latents"` or `"flips"`.

    Returns:
        A 128-bit key; two streams of one seed are independent.
    """
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def uniforms(seed: int, stream: str, *, start: int, count: int, width: int) -> NDArray[np.float64]:
    """Draw uniform numbers for a run of consecutive samples.

    Args:
        seed: The run's seed.
        stream: Name of the random stream.
        start: Index of the first sample, counted over the whole run.
        count: Number of samples.
        width: Numbers a sample needs.

    Returns:
        Array (count, width) in the open interval (0, 1); row i depends on `start + i` alone.
    """
    blocks = -(-width // WORDS_PER_BLOCK)
    # Python integers: a counter beyond 2**64 must not wrap.
    counter = int(start) * blocks
    bits = np.random.Philox(key=stream_key(seed, stream), counter=counter)
    drawn = np.random.Generator(bits).random((count, blocks * WORDS_PER_BLOCK))[:, :width]
    # random() may return exactly 0, whose normal quantile is -inf.
    return np.maximum(drawn, 2.0**-54)


def permutation(seed: int, stream: str, size: int) -> NDArray[np.int64]:
    """Shuffle `range(size)` as a pure function of seed and stream.

    Args:
        seed: The run's seed.
        stream: Name of the shuffle, such as `"order/epoch-3"`.
        size: Number of items.

    Returns:
        Array (size,) holding each index once.
    """
    bits = np.random.Philox(key=stream_key(seed, stream))
    return np.random.Generator(bits).permutation(size)


def step_seed(seed: int, stream: str, index: int) -> int:
    """Make a 63-bit seed for a generator that is seeded anew at each step.

    Args:
        seed: The run's seed.
        stream: Name of the random stream.
        index: Position, counted in images seen.

    Returns:
        An integer for `torch.manual_seed`.
    """
    return stream_key(seed, f"{stream}/{index}") % 2**63
