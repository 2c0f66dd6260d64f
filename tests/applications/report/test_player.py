from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.player import SIDE, encode, player, spread
from facesmith.base.images import write_png


def opened(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_sheets_are_spread_over_the_run_with_both_ends() -> None:
    sheets = [(at, Path(str(at))) for at in range(100)]
    chosen = [at for at, _ in spread(sheets, 24)]
    assert len(chosen) == 24 and (chosen[0], chosen[-1]) == (0, 99)
    assert set(np.diff(chosen)) <= {4, 5}
    assert spread(sheets[:3], 24) == sheets[:3]


def test_pictures_keep_their_looks_and_say_where_they_come_from(tmp_path: Path) -> None:
    colour = np.zeros((40, 60, 3), np.uint8) + np.array([200, 90, 30], np.uint8)
    write_png(tmp_path / "a.png", colour, text={"Source": "made by a network"})
    write_png(tmp_path / "b.png", np.full((1200, 600, 1), 70, np.uint8))
    found = encode([tmp_path / "a.png", tmp_path / "b.png", tmp_path / "missing.png"])
    small, large = opened(found[tmp_path / "a.png"]), opened(found[tmp_path / "b.png"])
    assert small.size == (60, 40) and large.size == (SIDE // 2, SIDE)
    assert np.abs(np.asarray(small, int) - colour).max() <= 4
    assert small.info["comment"] == b"made by a network"
    assert len(found) == 2


def test_many_pictures_stay_within_the_budget(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        write_png(path, noise.integers(0, 256, (100, 100, 3), np.uint8))
    full = sum(map(len, encode(paths).values()))
    assert sum(map(len, encode(paths, budget=int(full * 0.4)).values())) * 3 / 4 <= full * 0.4


def test_the_newest_sheet_is_shown_and_the_slider_reaches_all(
    run_folder: Callable[..., Path], reader: Any
) -> None:
    read = reader(player(Attempt.read(run_folder())))
    shown = [("hidden" in a, a.get("data-seen"), a.get("data-share")) for a in read.of("img")]
    assert shown == [
        (True, "0 images", "0.00"),
        (True, "1,000 images", "50.00"),
        (False, "2,000 images", "100.00"),
        (False, None, None),
    ]
    assert (read.of("input")[0]["min"], read.of("input")[0]["max"]) == ("0", "2")


def test_one_sheet_needs_no_slider(run_folder: Callable[..., Path], reader: Any) -> None:
    folder = run_folder()
    for path in sorted((folder / "samples").iterdir())[1:]:
        path.unlink()
    read = reader(player(Attempt.read(folder)))
    assert read.of("input") == [] and len(read.of("img")) == 2
