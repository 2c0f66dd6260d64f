"""OpenCV, once somebody needs it."""

from __future__ import annotations

from typing import Any

from facesmith.base.errors import MissingExtraError

INSTALL = "pip install 'opencv-python-headless>=4.10,<5'"


def opencv(*needed: str) -> Any:
    """Import OpenCV and keep it to one thread: photos are spread over processes already.

    Args:
        *needed: Classes that it must have; version 5 lost `CascadeClassifier`.

    Returns:
        The module `cv2`.

    Raises:
        MissingExtraError: It is missing, broken, or lacks a class.
    """
    try:
        import cv2
    except Exception as error:  # a broken build raises more than ImportError
        raise missing(f"OpenCV cannot be imported: {error}") from error
    for name in needed:
        if not hasattr(cv2, name):
            raise missing(f"OpenCV {cv2.__version__} has no {name}.")
    cv2.setNumThreads(1)
    return cv2


def missing(given: str) -> MissingExtraError:
    """Say what to install.

    Args:
        given: What is wrong with the OpenCV that is there.

    Returns:
        The error to raise.
    """
    return MissingExtraError(
        given, needed="OpenCV 4.10 or a later 4.x, to find faces", todo=INSTALL
    )
