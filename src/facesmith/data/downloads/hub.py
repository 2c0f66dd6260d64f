"""Datasets of Hugging Face: which parquet files they have, in one state that stays as it is."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from facesmith.base.errors import DataError, DownloadError, UsageError
from facesmith.data.downloads.catalogue import File, Published
from facesmith.data.downloads.transport import PATIENT, Patience, RefusedError, read_json

ENDPOINT = "https://huggingface.co"
CONVERTED = "refs/convert/parquet"
"""The branch where Hugging Face itself puts datasets of other forms as parquet."""
SHA256 = re.compile(r"[0-9a-f]{64}")
TRUE = {"1", "on", "yes", "true"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """The files of a dataset in one state."""

    revision: str
    """The commit."""
    licence: str
    """As its card names it; empty where it does not."""
    files: tuple[File, ...]


def listing(published: Published, patience: Patience = PATIENT) -> Listing:
    """Ask for the parquet files of a dataset.

    `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean to Hugging Face's own tools.

    Args:
        published: The dataset, with its repository and revision.
        patience: How much of a bad server is borne.

    Returns:
        The files of the commit that the revision names now, with their SHA-256.

    Raises:
        DataError: The dataset has no parquet files, nor has Hugging Face converted it.
        DownloadError: The dataset is not there or not shown, or the network is not to be used.
        UsageError: `HF_ENDPOINT` is no address.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in TRUE:
        raise DownloadError(
            f"{published.name} is not on this machine, and HF_HUB_OFFLINE forbids to ask for it.",
            needed="the network, or a folder of the dataset's parquet files",
            todo="unset HF_HUB_OFFLINE, or pass such a folder instead of the name",
        )
    try:
        commit, licence = _commit(published.repository, published.revision, patience)
        paths = _files(published.repository, commit, patience)
    except RefusedError as refused:
        raise DownloadError(
            f"Hugging Face does not show the dataset {published.repository}: {refused}.",
            needed="a public dataset, or a token that may read it",
            todo=f"look at {published.homepage}; where it asks for it, accept its terms and set "
            "HF_TOKEN; or save its parquet files from a browser and pass their folder",
        ) from refused
    chosen = _parquet(paths)
    if not chosen:
        try:
            commit, _ = _commit(published.repository, CONVERTED, patience)
            chosen = _parquet(_files(published.repository, commit, patience))
        except RefusedError:
            pass
    if not chosen:
        kinds = Counter(PurePosixPath(path["path"]).suffix or path["path"] for path in paths)
        held = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5)) or "nothing"
        raise DataError(
            f"The dataset {published.repository} has no parquet files; it holds {held}.",
            needed="a dataset with its photos in parquet files",
            todo=f"get its files from {published.homepage} and pass their folder or zip",
        )
    if any("/partial-" in f"/{path['path']}" for path in chosen):
        log.warning("Hugging Face has converted only the beginning of %s", published.repository)
    files = tuple(_file(published.repository, commit, path) for path in chosen)
    return Listing(commit, licence, files)


def headers(url: str) -> dict[str, str]:
    """Show the user's token to Hugging Face and to nobody else.

    Args:
        url: What is asked for.

    Returns:
        Headers to send; none without a token.
    """
    token = os.environ.get("HF_TOKEN", "").strip()
    ours = urlsplit(url)[:2] == urlsplit(_endpoint())[:2]
    return {"Authorization": f"Bearer {token}"} if token and ours else {}


def _endpoint() -> str:
    endpoint = (os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
    if not endpoint.startswith(("http://", "https://")):
        raise UsageError(
            f"HF_ENDPOINT is set to {endpoint!r}.",
            needed="an address that begins with https://",
            todo=f"unset it, or set it to {ENDPOINT}",
        )
    return endpoint


def _commit(repository: str, revision: str, patience: Patience) -> tuple[str, str]:
    """Find the commit that a revision names now, and the licence of the card."""
    url = f"{_endpoint()}/api/datasets/{repository}/revision/{quote(revision, safe='')}"
    about, _ = read_json(url, headers(url), patience)
    commit = about.get("sha") if isinstance(about, dict) else None
    if not isinstance(commit, str):
        raise RefusedError("its description names no commit")
    card = about.get("cardData")
    card = card if isinstance(card, dict) else {}
    licence = card.get("license_name") or card.get("license") or ""  # "other" has a name
    return commit, ", ".join(licence) if isinstance(licence, list) else str(licence)


def _files(repository: str, commit: str, patience: Patience) -> list[dict[str, Any]]:
    url: str | None = f"{_endpoint()}/api/datasets/{repository}/tree/{commit}?recursive=true"
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    while url is not None and url not in seen:
        seen.add(url)
        page, url = read_json(url, headers(url), patience)
        if not isinstance(page, list):
            raise RefusedError("its list of files is none")
        found += [path for path in page if _is_file(path)]
    return found


def _is_file(path: Any) -> bool:
    is_file = isinstance(path, dict) and path.get("type") == "file"
    return is_file and isinstance(path.get("path"), str)


def _parquet(paths: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose the parquet files in `data/`, or all where there are none."""
    parquet = [path for path in paths if path["path"].endswith(".parquet")]
    return [path for path in parquet if path["path"].startswith("data/")] or parquet


def _file(repository: str, commit: str, path: dict[str, Any]) -> File:
    inside = path["path"]
    lfs = path["lfs"] if isinstance(path.get("lfs"), dict) else {}
    size, oid = path.get("size"), str(lfs.get("oid", ""))
    # One folder for all: a name out of a list must not choose a place on this disk.
    name = re.sub(r"[^\w.=+@-]", "-", inside.removeprefix("data/"))
    base = f"{_endpoint()}/datasets/{repository}"
    return File(
        name,
        (f"{base}/resolve/{commit}/{quote(inside)}",),
        size if isinstance(size, int) else None,
        f"sha256:{oid}" if SHA256.fullmatch(oid) else None,
        page=f"{base}/blob/{commit}/{quote(inside)}",
    )
