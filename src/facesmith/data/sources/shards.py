"""Which files are meant by a pattern of shards, such as `data/{000000..000146}.tar`."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from facesmith.base.errors import DataError, UsageError

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}", re.ASCII)
MAX_SHARDS = 100_000


def is_pattern(text: str) -> bool:
    """Say whether a text names several tars.

    Args:
        text: What a user wrote.

    Returns:
        Whether it ends like a tar and holds a range or a wild card.
    """
    wild = RANGE.search(text) is not None or glob.has_magic(text)
    return wild and text.lower().endswith(".tar")


def expand(pattern: str) -> list[Path]:
    """Find the shards that a pattern names.

    Args:
        pattern: With ranges `{000..146}`, of which every number must be there, or wild cards.

    Returns:
        The files, sorted.

    Raises:
        DataError: A file is missing, or there is none.
        UsageError: A range goes backwards or is too long.
    """
    paths: list[Path] = []
    for text in _numbered(pattern):
        found = [Path(name) for name in glob.glob(text)] or [Path(text)]  # noqa: PTH207
        missing = next((path for path in found if not path.is_file()), None)
        if missing is not None:
            raise DataError(
                f"The shard {missing} is missing.",
                needed=f"every file that {pattern} names",
                todo="check the pattern, or download what is missing",
            )
        paths += found
    return sorted(paths)


def _numbered(pattern: str) -> list[str]:
    texts = [pattern]
    while (match := RANGE.search(texts[0])) is not None:
        first, last = int(match[1]), int(match[2])
        if not 0 < (last - first + 1) * len(texts) <= MAX_SHARDS:
            raise UsageError(
                f"{match[0]} is no range of shards.",
                needed=f"the lower number first, and at most {MAX_SHARDS:,} files",
                todo="write a range such as {000000..000146}",
            )
        width = len(match[1])
        numbers = [f"{number:0{width}d}" for number in range(first, last + 1)]
        texts = [RANGE.sub(number, text, count=1) for text in texts for number in numbers]
    return texts
