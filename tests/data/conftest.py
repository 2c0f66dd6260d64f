"""Photos to test with: drawn here, or the shared ones where they exist."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"

Picture = Callable[..., Image.Image]
Encode = Callable[..., bytes]
Photos = Callable[..., Path]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared photos are not on this machine: needs ../shared/data")
    return SHARED


@pytest.fixture(scope="session")
def picture() -> Picture:
    """A smooth picture that no flip or turn leaves unchanged."""

    def make(seed: int = 0, width: int = 96, height: int = 96, mode: str = "RGB") -> Image.Image:
        coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        return smooth.convert(mode)

    return make


@pytest.fixture(scope="session")
def encode() -> Encode:
    def make(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        return stream.getvalue()

    return make


@pytest.fixture(scope="session")
def photos(picture: Picture, encode: Encode) -> Photos:
    """Write a folder of different JPEG photos."""

    def make(folder: Path, count: int, *, side: int = 40) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for seed in range(count):
            data = encode(picture(seed, side, side), "JPEG", quality=90)
            (folder / f"photo {seed:04d}.jpg").write_bytes(data)
        return folder

    return make
