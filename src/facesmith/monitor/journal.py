"""The folder of a loop that is not ours, of the same form as that of a run."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facesmith import checkpoint
from facesmith.base import images, records
from facesmith.base.errors import StorageError, UsageError, is_full
from facesmith.base.records import Record
from facesmith.health import facts
from facesmith.health.facts import RunFacts
from facesmith.measuring.pictures import Pictures
from facesmith.snapshot import GENERATED

log = logging.getLogger(__name__)
REALS = "reals.png"
PHOTOS = "training images"
SHEET = 48


class Journal:
    """Writes what is measured; a disk that refuses is no reason to stop somebody's training.

    Args:
        path: The folder; made if it does not exist.
        images_seen: Where the loop goes on from; later records of an earlier sitting are forgotten.
    """

    def __init__(self, path: Path, images_seen: int) -> None:
        self.path, self.metrics = path, path / "metrics.jsonl"
        self._warned = False
        try:
            (path / "samples").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder {path} cannot be written: {error.strerror}.",
                needed="free space" if is_full(error) else "a folder that this user may write",
                todo="give HealthMonitor another folder",
            ) from error
        if (path / "checkpoints").exists():
            raise UsageError(
                f"{path} is a run of facesmith's own.",
                needed="a folder for this loop alone",
                todo="give HealthMonitor another folder",
            )
        self._try(lambda: records.forget_after(self.metrics, images_seen))

    def earlier(self) -> list[Record]:
        """Give the records of earlier sittings."""
        return list(records.read(self.metrics)) if self.metrics.exists() else []

    def facts(self) -> RunFacts:
        """Give what an earlier sitting wrote, nothing where there was none."""
        return facts.read(self.path) if self.metrics.exists() else RunFacts()

    def describe(self, known: RunFacts, optimizers: dict[str, torch.optim.Optimizer]) -> None:
        """Write run.json.

        Args:
            known: What is known beside the records.
            optimizers: By player.
        """
        tree = {
            "recipe": {},
            "run": {"folder": str(self.path), "images": known.planned},
            "facts": {
                "networks": known.networks,
                "optimizers": {
                    player: _settings(optimizer) for player, optimizer in optimizers.items()
                },
                "loss": known.loss,
                "data": known.data,
                "batch": known.batch,
                "low": known.low,
                "high": known.high,
            },
        }
        self._try(lambda: checkpoint.write_json(self.path / "run.json", tree))

    def record(self, record: Record) -> None:
        """Add a line to metrics.jsonl."""
        self._try(lambda: records.append(self.metrics, record))

    def event(self, name: str, /, **details: Any) -> None:
        """Add a line to events.jsonl: what happened, and when.

        Args:
            name: Such as `started`, `finding`.
            **details: What JSON can hold.
        """
        line = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "event": name, **details})

        def append() -> None:
            with (self.path / "events.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")

        self._try(append)

    def sheet(self, name: str, pictures: Pictures, source: str = GENERATED) -> None:
        """Write a sheet of pictures.

        Args:
            name: Within the folder.
            pictures: Shape (N, H, W, C), from 0 to 1; of 1 or 3 channels, else nothing is written.
            source: What they are.
        """
        if pictures.shape[3] not in (1, 3):
            return
        pixels = (np.nan_to_num(pictures[:SHEET]).clip(0, 1) * 255).round().astype(np.uint8)
        text = {"Software": "facesmith", "Source": source}
        self._try(lambda: images.write_png(self.path / name, images.sheet(pixels), text=text))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, StorageError) as error:
            if not self._warned:
                log.warning("%s is not being written: %s", self.path, error)
            self._warned = True


def sheet_name(images_seen: int) -> str:
    """Name the sheet of a moment as a run of facesmith does."""
    return f"samples/fakes-{images_seen:012d}.png"


def _settings(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    plain = {
        name: value
        for name, value in optimizer.param_groups[0].items()
        if isinstance(value, int | float | str | tuple)
    }
    return {"kind": type(optimizer).__name__, **plain}
