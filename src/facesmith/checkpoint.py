"""Checkpoints that survive a kill: a folder of safetensors and JSON, complete or not there at all.

Written to a temporary folder beside the final one, synced, named in a manifest with SHA-256 sums,
and renamed as the last act. Neither torch nor safetensors notices a flipped bit; the manifest does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from facesmith.base.errors import DivergedError, StorageError, is_full


class NewerFormatError(StorageError):
    """A checkpoint that a later version of facesmith wrote."""


FORMAT = 1
MANIFEST = "MANIFEST.json"
STATE = "state.json"
SUFFIX = ".safetensors"
OVERHEAD = 2**20  # bytes; headers, state and manifest take some kilobytes beside the tensors
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)
"""What reading raises where a file holds something else than it should."""
Tensors = Mapping[str, Mapping[str, Tensor]]
Content = tuple[dict[str, dict[str, Tensor]], dict[str, Any]]
"""Tensors by file stem and name, and the state."""
Read = TypeVar("Read")


def save(folder: Path, tensors: Tensors, state: Mapping[str, Any]) -> None:
    """Write a checkpoint folder, whole or not at all.

    Args:
        folder: Its final name; must not exist. The parent must.
        tensors: For each file's stem, tensors by name.
        state: What JSON can hold.

    Raises:
        DivergedError: A tensor is not finite; nothing is written.
        StorageError: The disk has not the room, or refuses; what was there before is untouched.
    """
    for stem, named in tensors.items():
        for name, tensor in named.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise DivergedError(
                    f"{stem}.{name} holds numbers that are not finite; it was not saved.",
                    needed="finite weights; those of the last checkpoint still are",
                    todo="begin anew in another --run DIR with half the learning rates",
                )
    needed = OVERHEAD + sum(t.nbytes for named in tensors.values() for t in named.values())
    if (free := _free_bytes(folder.parent)) is not None and free < needed:
        # A disk that a save has filled to the last byte stops everything else that writes there.
        raise _no_room(f"{folder} was not written", needed, free)
    temporary = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    try:
        temporary.mkdir()
        for stem, named in tensors.items():
            plain = {name: t.detach().cpu().contiguous() for name, t in named.items()}
            save_file(plain, temporary / f"{stem}{SUFFIX}")
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
        raise _disk_error(folder, error, needed) from error


def load(folder: Path, only: Sequence[str] | None = None) -> Content:
    """Read a checkpoint folder after verifying every byte that is read.

    Args:
        folder: The checkpoint.
        only: Stems of the tensor files that are wanted; all by default.

    Returns:
        Tensors by file stem and name, on the CPU, and the state.

    Raises:
        StorageError: What is wanted is missing or damaged.
        NewerFormatError: A later version of facesmith wrote it.
    """
    files = read_manifest(folder)
    tensor_files = sorted(name for name in files if name.endswith(SUFFIX))
    if only is not None:
        tensor_files = [f"{stem}{SUFFIX}" for stem in only]
        if missing := [name for name in tensor_files if name not in files]:
            raise _damaged(f"{folder} holds no {' and no '.join(missing)}")
    for name in (STATE, *tensor_files):
        _verify_file(folder, name, files[name])
    try:
        state: dict[str, Any] = dict(json.loads((folder / STATE).read_text(encoding="utf-8")))
        return {name.removesuffix(SUFFIX): load_file(folder / name) for name in tensor_files}, state
    except OSError as error:  # a run that goes on may have pruned it in the meantime
        raise _damaged(f"{folder} vanished while it was read") from error
    except (SafetensorError, *MALFORMED) as error:
        # Sums prove that a file is what its writer wrote, not that its writer was facesmith.
        raise _damaged(f"{folder} cannot be understood ({error})") from error


def verify(folder: Path) -> None:
    """Check that a checkpoint is complete and unchanged.

    Args:
        folder: The checkpoint.

    Raises:
        StorageError: It is not; the message names the file and both sums.
        NewerFormatError: A later version of facesmith wrote it.
    """
    for name, entry in read_manifest(folder).items():
        _verify_file(folder, name, entry)


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what a checkpoint says of its files.

    Args:
        folder: The checkpoint.

    Returns:
        For each file name its `sha256` and `bytes`.

    Raises:
        StorageError: There is no readable manifest.
        NewerFormatError: A later version of facesmith wrote it.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = manifest["files"]
        complete_entries = all({"sha256", "bytes"} <= entry.keys() for entry in files.values())
        number = int(manifest["format"])
    except (OSError, *MALFORMED) as error:
        raise _damaged(f"{folder} has no readable {MANIFEST}: it was never finished") from error
    if number > FORMAT:
        raise NewerFormatError(
            f"{folder} has checkpoint format {number}.",
            needed=f"format {FORMAT} or older, which is what this version reads",
            todo="update facesmith: pip install --upgrade facesmith",
        )
    if not complete_entries or STATE not in files:
        raise _damaged(f"{folder / MANIFEST} does not name all files and sums")
    return files


def newest(
    parent: Path, read: Callable[[Path], Read]
) -> tuple[Read | None, dict[Path, StorageError]]:
    """Read the newest checkpoint that is whole.

    Args:
        parent: The folder that holds them.
        read: Tells by a StorageError that a checkpoint is damaged, as `load` and `verify` do.

    Returns:
        What `read` returned, None where none is whole; and the errors of those that are newer.

    Raises:
        NewerFormatError: A later version of facesmith wrote the newest.
    """
    damaged: dict[Path, StorageError] = {}
    for folder in reversed(complete(parent)):
        try:
            return read(folder), damaged
        except NewerFormatError:
            raise  # whole, only not for us: an older checkpoint must not take its place
        except StorageError as error:
            damaged[folder] = error
    return None, damaged


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
        parent: The folder that holds them; the caller holds the run's lock, so nobody else writes.
        keep: How many to keep.
    """
    for folder in complete(parent)[:-keep]:
        with contextlib.suppress(OSError):
            remove(folder)
    for leftover in parent.glob("*.tmp-*"):
        # Whatever process has that number now: in a container, it is 1 in every sitting.
        shutil.rmtree(leftover, ignore_errors=True)


def remove(folder: Path) -> None:
    """Delete a checkpoint; it is whole, or it is gone.

    Args:
        folder: The checkpoint.

    Raises:
        OSError: It cannot be moved, and is still there.
    """
    # Renamed first: a kill in the middle of deleting must not leave a damaged checkpoint.
    doomed = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


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
        raise _disk_error(path, error, OVERHEAD) from error


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _verify_file(folder: Path, name: str, entry: dict[str, Any]) -> None:
    path = folder / name
    expected, size = entry["sha256"], entry["bytes"]
    try:
        if Path(name).name != name:
            raise _damaged(f"{folder} names the file {name}, which lies outside of it")
        if (actual := path.stat().st_size) != size:
            raise _damaged(f"{path} is {actual:,} bytes long, not {size:,}")
        found = _sha256(path)
    except (OSError, ValueError) as error:  # a name may hold what no path can
        said = getattr(error, "strerror", None) or error
        raise _damaged(f"{path} cannot be read ({said})") from error
    if found != expected:
        raise _damaged(f"{path} has SHA-256 {found}, not {expected}")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(found: str) -> StorageError:
    return StorageError(
        f"{found}.",
        needed="a checkpoint that was written to its end and not changed since",
        todo="use an older checkpoint of the run; training does so by itself",
    )


def _disk_error(path: Path, error: Exception, needed: int) -> StorageError:
    if is_full(error):
        return _no_room(f"{path} could not be written: {error}", needed, _free_bytes(path.parent))
    return StorageError(
        f"{path} could not be written: {error}.",
        needed="a folder that can be written",
        todo="choose another folder with --run, or change its permissions",
    )


def _no_room(given: str, needed: int, free: int | None) -> StorageError:
    left = "" if free is None else f"; the disk has {free / 1e6:,.1f} MB free"
    return StorageError(
        f"{given}.",
        needed=f"room for {needed / 1e6:,.1f} MB{left}",
        todo="free some space, or raise the limit of your files; then run the command again",
    )


def _free_bytes(folder: Path) -> int | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free if usage.total else None  # some network disks do not tell
