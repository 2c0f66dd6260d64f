"""Where files are kept that nobody gave a place."""

from __future__ import annotations

import os
from pathlib import Path

from facesmith.base.errors import StorageError


def cache_folder(kind: str) -> Path:
    """Say where this user's files of a kind are kept.

    Args:
        kind: What they are, such as `datasets`; it names the folder.

    Returns:
        A folder in `$XDG_CACHE_HOME/facesmith` or `~/.cache/facesmith`; it may not exist yet.

    Raises:
        StorageError: Nobody says where this user's files are.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        cache = Path(base) if base else Path.home() / ".cache"
    except RuntimeError as error:  # in containers whose user has no name
        raise StorageError(
            f"This user has no home folder for the cache of {kind}.",
            needed="a place for it",
            todo="set the environment variable XDG_CACHE_HOME to a folder that can be written",
        ) from error
    return cache / "facesmith" / kind
