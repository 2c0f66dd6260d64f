"""How photos become a dataset: everything that decides its bytes, checked before the first photo is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from facesmith.base.errors import UsageError
from facesmith.data.packing.manifest import is_dataset
from facesmith.data.photos.crops import Crop, parse_crop
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.photos.framing import RESAMPLING, Framing
from facesmith.data.quality.cleaning import NONE, STANDARD, Cleaning, parse_cleaning
from facesmith.data.sources.contract import Source
from facesmith.data.sources.opening import open_source

MIN_RESOLUTION, MAX_RESOLUTION = 4, 4096
HELD_OUT = 0.1


@dataclass(frozen=True)
class Preparation:
    """How photos should become a dataset; the arguments of `prepare` in one object."""

    resolution: int
    """Side of the square training images in pixels, 4 to 4096."""
    crop: Crop | str = "center"
    """Which square of a photo is kept; text is read by `parse_crop`."""
    channels: int = 3
    """3 for colour, 1 for grey."""
    held_out: float | None = None
    """Share of images kept away from training, 0 to 0.5; None keeps the split of the source's authors,
    or holds out a tenth where there is none."""
    resampling: str = "lanczos"
    """`lanczos` for photos, `nearest` for pixel art."""
    clean: Cleaning | str | None = None
    """What is rejected though it can be decoded; text is read by `parse_cleaning`. None cleans photos,
    and leaves published sets and drawings as they are."""
    limit: int | None = None
    """Use at most so many photos, the first by name."""
    labels: str | Path | None = None
    """A file of labels, or a folder of such files; `none` for none. By default well-known files beside the
    photos are found."""
    detector_model: str | Path | None = None
    """The YuNet model that finds faces, where the crop looks for them; None for the downloaded one."""

    def plan(self, source: str | Path) -> Plan:
        """Check everything and list the photos.

        Args:
            source: Whatever `open_source` takes.

        Returns:
            The plan.

        Raises:
            DataError: The source is missing, empty or damaged.
            UsageError: A setting is out of range, or the source is a prepared dataset.
        """
        if is_dataset(Path(source)):  # its sheets of rejected images would become photos
            raise UsageError(
                f"{source} is a prepared dataset.",
                needed="photos",
                todo=f"train with --data {source}, or pass the photos that it was made of",
            )
        framing = self.framing()
        cleaning = parse_cleaning(self.clean) if isinstance(self.clean, str) else self.clean
        listed = open_source(
            source, resolution=self.resolution, limit=self.limit, labels=self.labels
        )
        if cleaning is None:
            cleaning = NONE if listed.curated else STANDARD
        held_out = self.held_out
        if held_out is None and not listed.own_split:
            held_out = HELD_OUT
        return Plan(listed, framing, held_out, cleaning)

    def framing(self) -> Framing:
        """Check the settings and say how one photo becomes an image.

        Returns:
            The framing.

        Raises:
            DataError: The face detector's model is missing or is no YuNet.
            MissingExtraError: Faces are to be found, and OpenCV is missing, broken, or too new.
            UsageError: A setting is out of range.
        """
        if not MIN_RESOLUTION <= self.resolution <= MAX_RESOLUTION:
            raise UsageError(
                f"A resolution of {self.resolution} cannot be prepared.",
                needed=f"a side of {MIN_RESOLUTION} to {MAX_RESOLUTION} pixels",
                todo="choose 64 to begin with",
            )
        if self.channels not in (1, 3):
            raise UsageError(
                f"Images of {self.channels} channels cannot be prepared.",
                needed="3 for colour or 1 for grey",
                todo="choose 3",
            )
        if self.resampling not in RESAMPLING:
            raise UsageError(
                f"There is no resampling called {self.resampling!r}.",
                needed=f"one of {', '.join(RESAMPLING)}",
                todo="choose lanczos for photos",
            )
        if self.held_out is not None and not 0 <= self.held_out <= 0.5:
            raise UsageError(
                f"A held-out share of {self.held_out} is not possible.",
                needed="0 to 0.5",
                todo="choose 0.1",
            )
        check_count("limit", self.limit)
        crop = parse_crop(self.crop) if isinstance(self.crop, str) else self.crop
        if isinstance(crop, FaceCrop):
            model = crop.model if self.detector_model is None else Path(self.detector_model)
            crop = replace(crop, model=model).resolved()
        elif self.detector_model is not None:
            raise UsageError(
                f"A face detector's model was given for the crop {crop}, which looks for no face.",
                needed="a crop that does",
                todo="add --crop face, or leave the model away",
            )
        return Framing(self.resolution, crop, self.channels, self.resampling)


@dataclass(frozen=True)
class Plan:
    """Photos that are listed, and what shall become of them; nothing is open to choice any more."""

    source: Source
    """Its reader must be picklable for worker processes."""
    framing: Framing
    held_out: float | None = HELD_OUT
    """Share of images kept away from training; None for the split of the source's authors."""
    cleaning: Cleaning = NONE

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What decides the dataset's bytes, as JSON can hold it; equal settings make equal datasets."""
        framing = self.framing
        return {
            "fingerprint": self.source.fingerprint(),
            "resolution": framing.resolution,
            "crop": str(framing.crop),
            "channels": framing.channels,
            "resampling": framing.resampling,
            "held_out": "as its authors did" if self.held_out is None else self.held_out,
            "clean": str(self.cleaning),
        }


def check_count(name: str, number: int | None) -> None:
    """Refuse a number below one.

    Args:
        name: Of the option, for the message.
        number: Its value; None passes.

    Raises:
        UsageError: It is 0 or less.
    """
    if number is not None and number < 1:
        raise UsageError(
            f"{name} was given {number}.", needed="1 or more", todo=f"leave {name} away"
        )


def refuse_inside(source: str | Path, out: Path) -> None:
    """Refuse to write among the photos that are read.

    Args:
        source: Any source.
        out: The dataset folder, or the picture of a preview.

    Raises:
        UsageError: It would lie there.
    """
    photos, folder = Path(source).resolve(), out.resolve()
    if not photos.is_dir() or not folder.is_relative_to(photos):
        return
    hidden = any(part.startswith(".") for part in folder.relative_to(photos).parts)
    if not hidden:  # what is hidden is never taken for photos, such as ~/.cache
        raise UsageError(
            f"{out} would lie inside the photos {source}.",
            needed="a place beside the photos, or it would be taken for photos at the next run",
            todo=f"write to {photos.with_name(f'{photos.name}-{folder.name}')}",
        )
