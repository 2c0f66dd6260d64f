"""Errors that a user can act on: what was given, what is needed, what to do."""

from __future__ import annotations

import errno

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No room on the disk, in the user's quota, or below the limit of a file's length."""


class FacesmithError(Exception):
    """A failure explained in three parts.

    Args:
        given: What was found or passed, as one sentence.
        needed: What facesmith needs instead.
        todo: The next thing to do or to type.
    """

    exit_code = 1

    def __init__(self, given: str, *, needed: str, todo: str) -> None:
        super().__init__(given)
        self.given = given
        self.needed = needed
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.given}\n  needed: {self.needed}\n  to do:  {self.todo}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and worker processes pickle errors.
        return _rebuild, (type(self), self.given, self.needed, self.todo)


def _rebuild(kind: type[FacesmithError], given: str, needed: str, todo: str) -> FacesmithError:
    return kind(given, needed=needed, todo=todo)


def is_full(error: Exception) -> bool:
    """Say whether a write failed for lack of room, and not of permission.

    Args:
        error: Of the operating system, or of safetensors.

    Returns:
        True where freeing space, or raising a limit, would help.
    """
    # safetensors keeps the system's number only in its text: "File too large (os error 27)".
    said = str(error)
    return getattr(error, "errno", None) in FULL or any(f"(os error {n})" in said for n in FULL)


class UsageError(FacesmithError, ValueError):
    """An argument, option or recipe that cannot work."""

    exit_code = 2


class DataError(FacesmithError):
    """Photos or datasets that cannot be used."""

    exit_code = 3


class DivergedError(FacesmithError):
    """A training run whose numbers are no longer finite."""

    exit_code = 4


class StorageError(FacesmithError):
    """A disk that is full, a folder that cannot be written, a file that is damaged or in use."""

    exit_code = 5


class MissingExtraError(FacesmithError):
    """An optional package that this command needs is not installed."""

    exit_code = 6


class DownloadError(FacesmithError):
    """A download that failed or is not what it claims to be."""

    exit_code = 7
