"""A preview is a picture, and never becomes a photo."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from facesmith.base.errors import UsageError
from facesmith.cli import prepare


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.linear_gradient("L").save(folder / "one.png")
    return folder


def test_the_picture_is_written_and_nothing_else(photos: Path, tmp_path: Path) -> None:
    picture = tmp_path / "look.png"
    assert prepare.run([str(photos), "--preview", str(picture)]) == 0
    with Image.open(picture) as image:
        assert image.format == "PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["look.png", "photos"]


@pytest.mark.parametrize(
    ("place", "reason"), [("", "the folder"), ("photos/look.png", "inside the photos")]
)
def test_it_is_refused_where_it_cannot_lie(
    place: str, reason: str, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=reason):
        prepare.run([str(photos), "--preview", str(tmp_path / place)])
    assert [path.name for path in photos.iterdir()] == ["one.png"]
