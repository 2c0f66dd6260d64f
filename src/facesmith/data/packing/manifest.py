"""What a finished dataset says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facesmith.base.errors import DataError, StorageError
from facesmith.data.packing.files import JOURNAL, MANIFEST, ROWS

FORMAT = 1
"""Version of the dataset folder; a newer one is refused."""


def is_dataset(folder: Path) -> bool:
    """Say whether a folder was finished by `prepare`, even if it was damaged since.

    Other programs have a `dataset.json` too: StyleGAN2's lies among its photos.

    Args:
        folder: Any path.

    Returns:
        Whether `Dataset.open` should take it, or say what is wrong with it.
    """
    try:
        return _is_ours(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except ValueError:  # damaged; the rows beside it tell whose it was
        return (folder / ROWS["train"]).is_file()
    except OSError:
        return False


def _is_ours(manifest: Any) -> bool:
    if not isinstance(manifest, dict) or "format" not in manifest:
        return False
    files = manifest.get("files")
    return isinstance(files, dict) and ROWS["train"] in files


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what `prepare` wrote last.

    Args:
        folder: A dataset.

    Returns:
        The content of its `dataset.json`.

    Raises:
        DataError: There is no finished dataset, or it is of a newer format.
        StorageError: The file is damaged.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        begun = (folder / JOURNAL).exists()
        raise DataError(
            f"{folder} {'is an unfinished dataset' if begun else 'holds no dataset'}.",
            needed=f"a folder with {MANIFEST}, as `facesmith prepare` leaves it",
            todo="run the same prepare command again: it continues"
            if begun
            else "run facesmith prepare PHOTOS --out DATASET first",
        ) from error
    except ValueError as error:
        raise StorageError(
            f"{folder / MANIFEST} is damaged: {error}.",
            needed="the file as it was written",
            todo="delete the dataset folder and prepare it again",
        ) from error
    if not _is_ours(manifest):
        raise DataError(
            f"{folder} holds no dataset: its {MANIFEST} is another program's.",
            needed="a folder as `facesmith prepare` leaves it",
            todo="run facesmith prepare PHOTOS --out DATASET first",
        )
    if manifest["format"] != FORMAT:
        raise DataError(
            f"{folder} is a dataset of format {manifest['format']}.",
            needed=f"format {FORMAT}, the one this version reads",
            todo="install the facesmith that made it, or prepare the photos again",
        )
    return dict(manifest)
