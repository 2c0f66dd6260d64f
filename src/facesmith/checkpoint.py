"""Checkpoints that survive a kill: a folder of safetensors and JSON, complete or not there at all.

Written to a temporary folder beside the final one, synced, named in a manifest with SHA-256 sums,
and renamed as the last act. Neither torch nor safetensors notices a flipped bit; the manifest does.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from facesmith.base.errors import DivergedError, StorageError


class NewerFormatError(StorageError):
    """A checkpoint that a later version of facesmith wrote."""


FORMAT = 1
MANIFEST = "MANIFEST.json"
STATE = "state.json"
Tensors = Mapping[str, Mapping[str, Tensor]]


def save(folder: Path, tensors: Tensors, state: Mapping[str, Any]) -> None:
    """Write a checkpoint folder, whole or not at all.

    Args:
        folder: Its final name; must not exist. The parent must.
        tensors: For each file's stem, tensors by name.
        state: What JSON can hold.

    Raises:
        DivergedError: A tensor is not finite; nothing is written.
        StorageError: The disk is full or refuses; what was there before is untouched.
    """
    for stem, named in tensors.items():
        for name, tensor in named.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise DivergedError(
                    f"{stem}.{name} holds numbers that are not finite; it was not saved.",
                    needed="finite weights; those of the last checkpoint still are",
                    todo="begin anew in another --run DIR with half the learning rates",
                )
    temporary = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    try:
        temporary.mkdir()
        for stem, named in tensors.items():
            plain = {name: t.detach().cpu().contiguous() for name, t in named.items()}
            save_file(plain, temporary / f"{stem}.safetensors")
        _write_json(temporary / STATE, {"format": FORMAT, **state})
        files = sorted(path for path in temporary.iterdir())
        manifest = {
            path.name: {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in files
        }
        for path in files:
            _sync(path)
        _write_json(temporary / MANIFEST, {"format": FORMAT, "files": manifest})
        _sync(temporary / MANIFEST)
        _sync(temporary)
        temporary.rename(folder)
        _sync(folder.parent)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise _disk_error(folder, error) from error


def load(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Read a checkpoint folder after verifying every byte of it.

    Args:
        folder: The checkpoint.

    Returns:
        Tensors by file stem and name, on the CPU, and the state.

    Raises:
        StorageError: The folder is incomplete, damaged, or of a newer format.
    """
    verify(folder)
    stems = sorted(Path(name).stem for name in read_manifest(folder) if name != STATE)
    try:
        state = json.loads((folder / STATE).read_text())
        return {stem: load_file(folder / f"{stem}.safetensors") for stem in stems}, state
    except OSError as error:  # a run that goes on may have pruned it in the meantime
        raise _damaged(f"{folder} vanished while it was read") from error


def verify(folder: Path) -> None:
    """Check that a checkpoint is complete and unchanged.

    Args:
        folder: The checkpoint.

    Raises:
        StorageError: It is not; the message names the file and both sums.
        NewerFormatError: A later version of facesmith wrote it.
    """
    for name, entry in read_manifest(folder).items():
        path = folder / name
        expected, size = entry["sha256"], entry["bytes"]
        try:
            if Path(name).name != name or path.stat().st_size != size:
                raise _damaged(f"{path} is not {size} bytes long")
            found = _sha256(path)
        except OSError as error:
            raise _damaged(f"{path} cannot be read ({error.strerror})") from error
        if found != expected:
            raise _damaged(f"{path} has SHA-256 {found}, not {expected}")


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what a checkpoint says of its files.

    Args:
        folder: The checkpoint.

    Returns:
        For each file name its `sha256` and `bytes`.

    Raises:
        StorageError: There is no readable manifest, or it is of a newer format.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        files: dict[str, dict[str, Any]] = manifest["files"]
        complete_entries = all({"sha256", "bytes"} <= entry.keys() for entry in files.values())
        newest = int(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(f"{folder} has no readable {MANIFEST}: it was never finished") from error
    if newest > FORMAT:
        raise NewerFormatError(
            f"{folder} has checkpoint format {newest}.",
            needed=f"format {FORMAT} or older, which is what this version reads",
            todo="update facesmith: pip install --upgrade facesmith",
        )
    if not complete_entries or STATE not in files:
        raise _damaged(f"{folder / MANIFEST} does not name all files and sums")
    return files


def newest_valid(parent: Path) -> Iterator[tuple[Path, StorageError | None]]:
    """Walk through checkpoints from the newest to the oldest until one is whole.

    Args:
        parent: The folder that holds them.

    Yields:
        Each damaged checkpoint with its error, then, last, the first whole one with None.
    """
    for folder in sorted(complete(parent), reverse=True):
        try:
            verify(folder)
        except NewerFormatError:
            raise  # whole, only not for us: an older checkpoint must not take its place
        except StorageError as error:
            yield folder, error
        else:
            yield folder, None
            return


def complete(parent: Path) -> list[Path]:
    """List the checkpoints that were renamed to their final names, oldest first."""
    if not parent.is_dir():
        return []
    return sorted(p for p in parent.iterdir() if p.is_dir() and p.name.isdigit())


def set_aside(folder: Path) -> None:
    """Take a damaged checkpoint out of the row, so that its moment can be saved again.

    Args:
        folder: The checkpoint; it is kept beside, as NAME.damaged.
    """
    with contextlib.suppress(OSError):
        shutil.rmtree(folder.with_name(f"{folder.name}.damaged"), ignore_errors=True)
        folder.rename(folder.with_name(f"{folder.name}.damaged"))


def prune(parent: Path, *, keep: int) -> None:
    """Delete the oldest checkpoints and what dead processes left half written.

    Args:
        parent: The folder that holds them.
        keep: How many to keep.
    """
    for folder in complete(parent)[:-keep]:
        # Renamed first: a kill in the middle of deleting must not leave a damaged checkpoint.
        doomed = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
        with contextlib.suppress(OSError):
            folder.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
    for leftover in parent.glob("*.tmp-*"):
        pid = leftover.name.rpartition("-")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(leftover, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all.

    Args:
        path: Its final name.
        value: What JSON can hold.

    Raises:
        StorageError: The disk is full or refuses.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        _write_json(temporary, value)
        _sync(temporary)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise _disk_error(path, error) from error


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return False  # our own leftovers, of an attempt that failed
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _damaged(found: str) -> StorageError:
    return StorageError(
        f"{found}.",
        needed="a checkpoint that was written to its end and not changed since",
        todo="use an older checkpoint of the run; training does so by itself",
    )


def _disk_error(path: Path, error: Exception) -> StorageError:
    # safetensors wraps the system's error in a text without a number.
    is_full = getattr(error, "errno", None) == errno.ENOSPC or "os error 28" in str(error)
    free = _free_megabytes(path.parent)
    return StorageError(
        f"{path} could not be written: {error}.",
        needed=f"free space ({free} MB are left)" if is_full else "a folder that can be written",
        todo="free some space, or choose another folder with --run; then run the command again",
    )


def _free_megabytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free // 2**20
    except OSError:
        return 0
