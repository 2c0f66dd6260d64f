"""Which square of a photo is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from facesmith.base.errors import UsageError
from facesmith.data.photos.facecrop import FaceCrop, parse_face_crop

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the upright photo."""


class PhotoError(Exception):
    """One photo cannot be used.

    Args:
        kind: A few words by which rejections are counted, such as `"too small"`.
        detail: What was found in this photo.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


@dataclass(frozen=True)
class CenterCrop:
    """The largest square in the middle, or a smaller one."""

    size: int | None = None
    """Side of the square in pixels; a photo that is smaller gives its largest square."""

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise _bad_crop(str(self))

    def box(self, width: int, height: int) -> Box:
        """Place the crop on a photo.

        Args:
            width: Pixels across, after the photo was turned upright.
            height: Pixels down.

        Returns:
            The square.
        """
        side = min(width, height, self.size or width)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side

    def __str__(self) -> str:
        return "center" if self.size is None else f"center:{self.size}"


@dataclass(frozen=True)
class BoxCrop:
    """The same square of every photo, for photos that are aligned already."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.left, self.top) < 0 or self.width < 1:
            raise _bad_crop(str(self))
        if self.width != self.height:
            raise UsageError(
                f"The crop {self} is not square.",
                needed="a width and a height that are equal: training images are square",
                todo=f"write {self.left},{self.top},{self.width},{self.width}",
            )

    def box(self, width: int, height: int) -> Box:
        """Place the crop on a photo.

        Args:
            width: Pixels across, after the photo was turned upright.
            height: Pixels down.

        Returns:
            The square.

        Raises:
            PhotoError: The photo is too small to hold it.
        """
        right, bottom = self.left + self.width, self.top + self.height
        if right > width or bottom > height:
            raise PhotoError("outside the crop", f"{width}x{height} pixels do not hold {self}")
        return self.left, self.top, right, bottom

    def __str__(self) -> str:
        return f"{self.left},{self.top},{self.width},{self.height}"


@dataclass(frozen=True)
class WholeImage:
    """Everything; photos that are not square are rejected, never squashed."""

    def box(self, width: int, height: int) -> Box:
        """Place the crop on a photo.

        Args:
            width: Pixels across, after the photo was turned upright.
            height: Pixels down.

        Returns:
            The whole photo.

        Raises:
            PhotoError: The photo is not square.
        """
        if width != height:
            raise PhotoError("not square", f"{width}x{height} pixels")
        return 0, 0, width, height

    def __str__(self) -> str:
        return "none"


Crop = CenterCrop | BoxCrop | WholeImage | FaceCrop


def parse_crop(text: str) -> Crop:
    """Read a crop as the command line writes it.

    Args:
        text: `center`, `center:108` (a square of at most 108 pixels), `none` (square photos only),
            `x,y,w,h` in pixels from the upper left corner, or a face crop such as `face`,
            `face-celeba`, `face(margin=1.2,faces=largest)`.

    Returns:
        The crop; `str()` gives the text back.

    Raises:
        UsageError: The text is something else, or the box is empty or not square.
    """
    if (face := parse_face_crop(text)) is not None:
        return face
    if text == "none":
        return WholeImage()
    if match := re.fullmatch(r"cent(?:er|re)(?::(\d+))?", text):
        return CenterCrop(int(match[1]) if match[1] else None)
    if match := re.fullmatch(r"(\d+),(\d+),(\d+),(\d+)", text.replace(" ", "")):
        return BoxCrop(*map(int, match.groups()))
    raise _bad_crop(text)


def _bad_crop(text: str) -> UsageError:
    return UsageError(
        f"{text!r} is not a crop.",
        needed="center, center:108, none, x,y,w,h in pixels such as 20,40,138,138, or a face crop: "
        "face, face-celeba, face(margin=1.2,faces=largest)",
        todo="correct the crop; center suits aligned faces, face suits other photos of people",
    )
