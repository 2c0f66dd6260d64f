"""Which faces of a photo are kept, and how much around them; a crop that is decided by detection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from facesmith.base.errors import UsageError
from facesmith.base.registry import did_you_mean
from facesmith.data.photos.alignment import Preset
from facesmith.data.photos.detection import LEAST_SCORE, DetectorName, choose, detector

Faces = Literal["all", "largest", "only"]
NUMBERS = {"margin": float, "min_size": int, "min_score": float}
MARGINS = (0.3, 4.0)
"""The least and the greatest; beyond, an eye or a landscape is what is cut."""


@dataclass(frozen=True)
class FaceCrop:
    """A square around each face, turned so that the eyes are level."""

    preset: Preset = "ffhq"
    """How much is shown: `ffhq` with hair and chin, `celeba` as the middle of an aligned CelebA photo."""
    margin: float = 1.0
    """The square's side over the preset's; more than 1 shows more."""
    faces: Faces = "all"
    """`all` makes an image of each, `largest` of one; `only` rejects photos of several people."""
    min_size: int | None = None
    """A square of fewer pixels is rejected; None for half the training image's side."""
    min_score: float | None = None
    """A less sure detection is no face; None for what suits the detector."""
    detector: DetectorName = "auto"
    """`yunet`, or `haar`; `auto` is yunet where its model is there."""
    digest: str = ""
    """First digits of the SHA-256 of yunet's model; empty for any model."""
    model: Path | None = field(default=None, compare=False)
    """Where yunet's model lies; None for the one that was downloaded."""

    def __post_init__(self) -> None:
        low, high = MARGINS
        for name, kind in (("preset", Preset), ("faces", Faces), ("detector", DetectorName)):
            self._check(name, getattr(self, name) in get_args(kind), "one of " + _listed(kind))
        self._check("margin", low <= self.margin <= high, f"a number from {low} to {high}")
        self._check("min_size", self.min_size is None or self.min_size >= 1, "1 pixel or more")
        self._check(
            "min_score",
            self.min_score is None or LEAST_SCORE <= self.min_score <= 1,
            f"a number from {LEAST_SCORE} to 1",
        )

    def _check(self, name: str, fits: bool, needed: str) -> None:
        if not fits:
            raise UsageError(
                f"A face crop was given the {name} {getattr(self, name)!r}.",
                needed=needed,
                todo=f"correct it, or leave {name} away",
            )

    def resolved(self) -> FaceCrop:
        """Settle what `auto` means on this machine, and load the detector once to see that it works.

        Returns:
            The crop that names its detector and its model, so that another makes another dataset.

        Raises:
            DataError: The model is missing, is another one, or is no YuNet.
            MissingExtraError: OpenCV is missing, broken, or too new.
            UsageError: A model is given to a detector that has none.
        """
        detector(self.detector, self.model, self.digest)
        name, model, digest = choose(self.detector, self.model)
        return replace(self, detector=name, model=model, digest=digest)

    def __str__(self) -> str:
        named = (
            ("margin", self.margin),
            ("faces", self.faces),
            ("min_size", self.min_size),
            ("min_score", self.min_score),
            ("detector", self.detector),
            ("model", self.digest),
        )
        usual = {each.name: each.default for each in fields(self)} | {"model": ""}
        given = [f"{name}={value}" for name, value in named if value != usual[name]]
        return f"face-{self.preset}" + (f"({','.join(given)})" if given else "")


def parse_face_crop(text: str) -> FaceCrop | None:
    """Read a face crop as the command line writes it.

    Args:
        text: `face`, `face-ffhq` or `face-celeba`; with values as in `face(margin=1.2,faces=largest)`.
            `model` stands for the digest, since a dataset must not depend on where a file lies.

    Returns:
        The crop, or None where the text is of another kind.

    Raises:
        UsageError: A value is unknown or out of range.
    """
    match = re.fullmatch(r"face(?:-(\w+))?(?:\((.*)\))?", text.replace(" ", ""))
    if match is None:
        return None
    values: dict[str, Any] = {"preset": match[1]} if match[1] else {}
    for part in filter(None, (match[2] or "").split(",")):
        name, equals, value = part.partition("=")
        name = name.replace("-", "_")
        if name not in KEYS or not equals or not value:
            raise UsageError(
                f"{part!r} is nothing that a face crop knows{did_you_mean(name, KEYS)}.",
                needed=f"name=value, with a name of {', '.join(KEYS)}",
                todo="write it as in face(margin=1.2,faces=largest,min_size=40)",
            )
        try:
            number = NUMBERS.get(name, str)(value)
        except ValueError:
            raise UsageError(
                f"{part!r} of a face crop is no number.",
                needed="a whole number" if name == "min_size" else "a number",
                todo="write it as in face(margin=1.2,min_size=40)",
            ) from None
        values["digest" if name == "model" else name] = number
    return FaceCrop(**values)


KEYS = ["margin", "faces", "min_size", "min_score", "detector", "model"]


def _listed(kind: Any) -> str:
    return ", ".join(get_args(kind))
