"""facesmith download NAME"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from facesmith import cli
from facesmith.cli import options
from facesmith.data.downloads.catalogue import CATALOGUE, Published, find_by_name
from facesmith.data.downloads.fetching import fetch, fetch_detector
from facesmith.data.sources import idx

DETECTOR = "yunet"
MB = 10**6


@dataclass(frozen=True)
class Download:
    """Fetch a known data set, checked; the same command continues.

    Without a name, list what there is.
    """

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="NAME")] = None
    """A name of the list; hf:OWNER/NAME, a dataset of Hugging Face in parquet files; or yunet, the
    face detector of OpenCV's model zoo."""
    folder: Path | None = None
    """Where its files are to lie; by default in the cache, where train and prepare find it by name."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print JSON."""


def run(arguments: list[str]) -> int:
    """Download, or list what can be downloaded.

    Args:
        arguments: A name and options.

    Returns:
        The exit code.
    """
    chosen = options.read(Download, arguments, verb="download")
    if chosen.name is None:
        _list(chosen.json)
    elif chosen.name == DETECTOR:
        path = fetch_detector(counter(DETECTOR))
        print(json.dumps({"name": DETECTOR, "path": str(path)}) if chosen.json else f"it is {path}")
    else:
        published = find_by_name(chosen.name)
        folder = fetch(published.name, chosen.folder, progress=counter(published.name))
        _tell(published, folder, chosen)
    return 0


def counter(name: str) -> Callable[[int, int], None]:
    """Make a counter of bytes that redraws one line of a terminal and is silent elsewhere.

    Args:
        name: Of what is downloaded.

    Returns:
        A function of bytes done and bytes in all.
    """
    shown = ""

    def show(done: int, total: int) -> None:
        nonlocal shown
        line = f"downloading {name}: {done // MB:,}" + (f" / {total // MB:,}" if total else "")
        if sys.stderr.isatty() and line != shown:
            shown = line
            # The cursor goes back at once, so that what is logged in between begins a line.
            end = "\n" if done == total else "\r"
            print(f"{line} MB", end=end, file=sys.stderr, flush=True)

    return show


def _tell(published: Published, folder: Path, chosen: Download) -> None:
    photos = folder / published.photos
    if chosen.json:
        facts = {"name": published.name, "folder": str(folder), "photos": str(photos)}
        print(json.dumps(facts | {"licence": published.licence}, indent=2))
        return
    print(f"{published.title} is in {folder}; download.json there says what was checked")
    data = shlex.quote(str(photos)) if chosen.folder else published.name
    grey = any(idx.IMAGES.fullmatch(file.name) for file in published.files)
    print(f"next: {cli.command()} train {'mlp' if grey else 'face'} --data {data}")


def _list(as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "name": published.name,
                "title": published.title,
                "what": published.what,
                "bytes": published.bytes,
                "licence": published.licence,
                "homepage": published.homepage,
            }
            for published in CATALOGUE.values()
        ]
        print(json.dumps(rows, indent=2))
        return
    table = Table(show_lines=True)
    for heading in ("name", "MB", "what it is", "terms"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "MB" else "left")
    for published in CATALOGUE.values():
        size = f"{published.bytes / MB:,.0f}"
        table.add_row(published.name, size, published.what, published.licence)
    console = Console()
    with console.capture() as shown:  # rich's own way to print takes a closed pipe for a failure
        console.print(table)
    print(shown.get(), end="")
    print("also: hf:OWNER/NAME, any dataset of Hugging Face with photos in parquet files")
    print(f"also: {DETECTOR}, the face detector of OpenCV's model zoo")
    print(f"next: {cli.command()} download lfw")
