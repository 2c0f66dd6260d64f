from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from facesmith.data.plan import Preparation
from facesmith.data.preview import GAP, TILE, look, picture

Photos = Callable[..., Path]


def test_photos_stand_beside_what_would_be_made_of_them(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 9)
    (source / "photo 0004.jpg").write_bytes(b"<html>")
    looks = look(Preparation(16, clean="none").plan(source), 3)
    assert [one.name for one in looks] == ["photo 0000.jpg", "photo 0004.jpg", "photo 0008.jpg"]
    assert [len(one.images) for one in looks] == [1, 0, 1]
    assert looks[0].images[0].shape == (16, 16, 3)
    assert looks[1].reasons[0].startswith("web page")
    assert looks[1].photo is None

    drawn = picture(looks, lambda images: np.full_like(images, 200))
    left, right = (
        drawn[GAP : GAP + TILE, GAP : GAP + TILE],
        drawn[GAP : GAP + TILE, TILE + 2 * GAP :],
    )
    assert (right[:, :TILE] == 200).all()  # what the networks see, not what was given to them
    assert (left != 200).any()


def test_a_preview_writes_nothing(tmp_path: Path, photos: Photos) -> None:
    source = photos(tmp_path / "photos", 3)
    before = sorted(tmp_path.rglob("*"))
    picture(look(Preparation(16).plan(source), 24), lambda images: images)
    picture(look(Preparation(16, channels=1).plan("portraits:5"), 24), lambda images: images)
    assert sorted(tmp_path.rglob("*")) == before
