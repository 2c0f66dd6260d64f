"""The run folder: who holds it, what is in it, and where a run goes on."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import torch

from facesmith import checkpoint
from facesmith.base import records
from facesmith.base.errors import StorageError, is_full
from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.base.version import VERSION
from facesmith.recipe import Recipe
from facesmith.training.run import Run

log = logging.getLogger(__name__)
INTERVENTIONS = "interventions.json"
WRITTEN = (
    "run.json",
    "env.json",
    INTERVENTIONS,
    "metrics.jsonl",
    "reals.png",
    "samples/fakes-*.png",
)
"""What a run writes beside its final name and renames, so that a kill may leave the beginning of it."""


class RunFolder:
    """A run's folder, held by one process at a time.

    Args:
        path: The folder; made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None
        self._log: logging.Handler | None = None
        self._level = logging.NOTSET

    def __enter__(self) -> RunFolder:
        try:
            self.samples.mkdir(parents=True, exist_ok=True)
            self.checkpoints.mkdir(exist_ok=True)
            self._lock = (self.path / ".lock").open(
                "a+", encoding="utf-8", errors="backslashreplace"
            )
            self._take()
            self._sweep()
            # Names that the system's encoding cannot hold reach Python as surrogates.
            self._log = logging.FileHandler(
                self.path / "log.txt", encoding="utf-8", errors="backslashreplace"
            )
        except OSError as error:
            if self._lock is not None:
                self._lock.close()
            raise StorageError(
                f"The run folder {self.path} cannot be written: {error.strerror}.",
                needed="free space" if is_full(error) else "a folder that this user may write",
                todo="choose another with --run DIR",
            ) from error
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger = logging.getLogger("facesmith")
        logger.addHandler(self._log)
        self._level = logger.level
        logger.setLevel(logging.DEBUG)  # the terminal's own handler takes less than the file
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()  # a refusal leaves nothing behind where nothing has begun
        if self._log is not None:
            logger = logging.getLogger("facesmith")
            logger.removeHandler(self._log)
            logger.setLevel(self._level)
            self._log.close()
        if self._lock is not None:
            self._lock.close()  # closing releases the lock; so does the death of the process

    @property
    def samples(self) -> Path:
        """Sheets of fakes through time."""
        return self.path / "samples"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints, named by images seen."""
        return self.path / "checkpoints"

    @property
    def metrics(self) -> Path:
        """Records, one a line."""
        return self.path / "metrics.jsonl"

    def checkpoint_at(self, images_seen: int) -> Path:
        """Name the checkpoint of a moment so that names sort as numbers do."""
        return self.checkpoints / f"{images_seen:012d}"

    def log_event(self, kind: str, /, **details: Any) -> None:
        """Add a line to events.jsonl: what happened, and when.

        Args:
            kind: Such as `started`, `stopped`.
            **details: What JSON can hold.
        """
        line = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "event": kind, **details})
        events = self.path / "events.jsonl"
        with contextlib.suppress(OSError), events.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def events(self) -> list[dict[str, Any]]:
        """Read events.jsonl, without a line that a crash left half written."""
        found = []
        with contextlib.suppress(OSError):
            for line in (self.path / "events.jsonl").read_bytes().splitlines():
                with contextlib.suppress(ValueError):
                    entry = json.loads(line)
                    if isinstance(entry, dict) and "event" in entry:
                        found.append(entry)
        return found

    def describe(
        self, recipe: Recipe, run: Run, data: dict[str, Any], facts: dict[str, Any]
    ) -> None:
        """Write run.json and env.json.

        Args:
            recipe: What is trained.
            run: Where and how long.
            data: What the dataset says of itself.
            facts: What a diagnosis needs to know beside these.
        """
        settings = {**asdict(run), "folder": str(run.folder)}
        tree = {"recipe": to_dict(recipe), "run": settings, "data": data, "facts": facts}
        checkpoint.write_json(self.path / "run.json", tree)
        checkpoint.write_json(self.path / "env.json", environment())

    def facts(self) -> dict[str, Any]:
        """Give the facts of a run that goes on: its first weights, which they describe, are no more.

        Returns:
            What `describe` was given when the run began; empty for a run without a checkpoint.
        """
        if not any(self.checkpoints.iterdir()):
            return {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            tree = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
            return dict(tree.get("facts", {}))
        return {}

    def discard(self) -> None:
        """Remove the folder again if it holds no more than entering it made; call it while it is held."""
        made = {self.path / name for name in (".lock", "log.txt")}
        with contextlib.suppress(OSError):
            if {entry for entry in self.path.iterdir() if not entry.is_dir()} <= made:
                # Folders that are not empty stay, and what is around them with them.
                self.samples.rmdir()
                self.checkpoints.rmdir()
                for file in made:
                    file.unlink()
                self.path.rmdir()

    def last_record(self) -> Record | None:
        """Read the newest line of metrics.jsonl, None where there is none."""
        with contextlib.suppress(OSError):
            return next(iter(deque(records.read(self.metrics), maxlen=1)), None)
        return None

    def load_checkpoint(self, only: Sequence[str] | None = None) -> checkpoint.Content | None:
        """Load the newest whole checkpoint, reporting those that are damaged.

        Args:
            only: Stems of the tensor files that are wanted; all by default.

        Returns:
            Its tensors and state; None for a run that has saved nothing yet.

        Raises:
            StorageError: There are checkpoints, and all are damaged.
        """
        checkpoint.prune(self.checkpoints, keep=2**31)
        found, damaged = checkpoint.newest(
            self.checkpoints, lambda found: checkpoint.load(found, only=only)
        )
        for folder, error in damaged.items():
            log.warning("Passing over a damaged checkpoint: %s", error.given)
            self.log_event("damaged_checkpoint", folder=folder.name, error=error.given)
        if found is None and damaged:
            raise StorageError(
                f"All checkpoints of {self.path} are damaged: {', '.join(d.name for d in damaged)}.",
                needed="one whole checkpoint to go on from",
                todo="restore one from a copy, or begin anew with another --run DIR",
            )
        for folder in damaged:
            checkpoint.set_aside(folder)
        return found

    def _sweep(self) -> None:
        # The lock is held, so who began these is dead. Only a run's own: `generate` writes here too.
        for name in WRITTEN:
            final = self.path / name
            for leftover in final.parent.glob(f".{final.name}.tmp-*"):
                with contextlib.suppress(OSError):
                    leftover.unlink()

    def _take(self) -> None:
        try:
            import fcntl
        except ImportError:  # not a POSIX system: two runs in one folder are not noticed there
            return
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "another process"
            self._lock.close()
            raise StorageError(
                f"{self.path} is in use by {holder}.",
                needed="one run in a folder at a time",
                todo="wait for it, stop it, or choose another folder with --run DIR",
            ) from error
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        self._lock.flush()


def environment() -> dict[str, Any]:
    """Describe what a run's numbers depend on beside its recipe.

    Returns:
        Versions, processor and thread count.
    """
    return {
        "facesmith": VERSION,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "processor": processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def processor() -> str:
    """Name the processor as well as the system lets us."""
    with contextlib.suppress(OSError):
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        for line in described.splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
