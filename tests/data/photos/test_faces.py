from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facesmith.base.errors import MissingExtraError
from facesmith.data import prepare
from facesmith.data.photos import faces
from facesmith.data.photos.crops import PhotoError
from facesmith.data.photos.decoding import decode, frame_pixels
from facesmith.data.photos.detection import Face, detector
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.photos.framing import Cut, Framing

from .conftest import DARK_GLASSES, SITTERS, Placed

Paint = Callable[..., Any]
Encode = Callable[..., bytes]
Pixels = NDArray[np.uint8]

CROP = FaceCrop("celeba", detector="haar")
SIDE = 48
PLAIN = Framing(SIDE, CROP)
FACTS = ("faces", "score", "yaw", "roll", "eyes", "quality")


def unit(cuts: Sequence[Cut]) -> Cut:
    assert len(cuts) == 1
    return cuts[0]


def difference(first: Cut, second: Cut) -> float:
    assert first.pixels is not None and second.pixels is not None
    return float(np.abs(first.pixels.astype(float) - second.pixels).mean())


class Finder:
    """Finds what it was told, as shares of the picture, and counts closer looks."""

    min_score = 0.5

    def __init__(self, *found: Face) -> None:
        self.found = found
        self.sizes: list[tuple[int, int]] = []
        self.closer = 0

    def find(self, pixels: Pixels) -> list[Face]:
        height, width = pixels.shape[:2]
        self.sizes.append((width, height))
        return [face.scaled(width, height) for face in self.found]

    def look_closer(self, pixels: Pixels, face: Face) -> Face:
        self.closer += 1
        return face


def at(x: float, y: float, apart: float, *, score: float = 0.9, aspect: float = 1.0) -> Face:
    """Place a face by the middle of its eyes and their distance, as shares of the picture."""
    half, down = apart / 2, apart * aspect
    eyes = (x - half, y), (x + half, y)
    mouth = (x - half * 0.8, y + down * 1.03), (x + half * 0.8, y + down * 1.03)
    box = (x - apart, y - down, x + apart, y + 1.5 * down)
    return Face(box, score, eyes, (x, y + down * 0.6), mouth)


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Finder]:
    def make(*found: Face) -> Finder:
        finder = Finder(*found)
        monkeypatch.setattr(faces, "detector", lambda *_: finder)
        return finder

    return make


# ---- with a real detector


def test_each_person_becomes_an_image_from_left_to_right_with_level_eyes(
    paint: Paint, encode: Encode
) -> None:
    turns = (6.0, -5.0, 0.0)
    people = [
        Placed(sitter, 150 + 260 * n, 150 - 10 * n, 170 + 30 * n, turn)
        for n, (sitter, turn) in enumerate(zip(SITTERS, turns, strict=False))
    ]
    scene = paint(860, 300, people[::-1])
    cuts = decode(encode(scene.image), PLAIN)
    assert [cut.reason for cut in cuts] == [""] * 3
    for cut, eyes in zip(cuts, scene.eyes[::-1], strict=True):
        assert cut.pixels is not None and cut.pixels.shape == (SIDE, SIDE, 3)
        apart = np.hypot(*(eyes[1] - eyes[0]))
        assert cut.side == pytest.approx(apart * 178 / 39, rel=0.15)
        across, down = eyes[1] - eyes[0]
        assert cut.facts["roll"] == pytest.approx(math.degrees(math.atan2(down, across)), abs=6)
        assert (cut.facts["faces"], cut.facts["eyes"]) == (3, 1)
        assert math.isnan(cut.facts["yaw"])
        assert 0.5 < cut.facts["score"] < 1 and 0.5 < cut.facts["quality"] < 1
        assert tuple(cut.facts) == FACTS


def test_an_aligned_celeba_square_comes_out_as_it_was(shared_data: Any) -> None:
    import io
    import zipfile

    model = shared_data / "weights/face_detection_yunet_2026may.onnx"
    framing = Framing(64, FaceCrop("celeba", model=model))
    sides = []
    with zipfile.ZipFile(shared_data / "celeba_20000.zip") as photos:
        names = sorted(name for name in photos.namelist() if name.endswith(".jpg"))[::1000]
        for name in names:
            large = Image.open(io.BytesIO(photos.read(name)))
            wide = Image.new("RGB", (378, 418), "grey")
            wide.paste(large, (100, 100))
            cuts = frame_pixels(np.asarray(wide), framing)
            sides += [cut.side for cut in cuts if cut.side > 100]
    assert len(sides) >= len(names)
    assert np.mean(sides) == pytest.approx(178, rel=0.04)


def test_eyes_that_are_hidden_are_guessed_and_the_list_says_so(paint: Paint) -> None:
    scene = paint(400, 320, [Placed(DARK_GLASSES, 200, 160, 180)])
    cut = unit(frame_pixels(np.asarray(scene.image), PLAIN))
    assert (cut.reason, cut.facts["eyes"]) == ("", 0)
    assert math.isnan(cut.facts["roll"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright_before_faces_are_looked_for(
    orientation: int,
    kind: str,
    finds: Callable[..., Finder],
    picture: Any,
    encode: Encode,
    as_held: Callable[[Image.Image, int], Image.Image],
) -> None:
    upright = picture(5, 320, 240)
    stored = as_held(upright, orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    finder = finds(at(0.3, 0.4, 0.08, aspect=1.4))
    got = unit(decode(encode(stored, kind, exif=exif, **options), PLAIN))
    wanted = unit(frame_pixels(np.asarray(upright), PLAIN))
    assert finder.sizes == [(320, 240)] * 2
    assert (got.reason, wanted.reason) == ("", "")
    assert difference(got, wanted) < 1.5


def test_grey_images_and_photos_of_other_modes(paint: Paint, encode: Encode) -> None:
    image = paint(320, 240, [Placed(SITTERS[1], 160, 120, 170)]).image
    colour = unit(frame_pixels(np.asarray(image), PLAIN))
    grey = unit(decode(encode(image), replace(PLAIN, channels=1)))
    assert grey.pixels is not None and grey.pixels.shape == (SIDE, SIDE, 1)
    assert colour.pixels is not None
    as_grey = np.asarray(Image.fromarray(colour.pixels).convert("L"))
    assert np.abs(grey.pixels[..., 0].astype(float) - as_grey).max() <= 1
    for mode, kind in (("RGBA", "PNG"), ("CMYK", "TIFF"), ("P", "PNG"), ("L", "PNG")):
        cut = unit(decode(encode(image.convert(mode), kind), PLAIN))
        assert cut.reason == "", mode


def test_a_photo_without_a_face_is_shown_in_its_middle(encode: Encode) -> None:
    x = np.linspace(0, 255, 300).astype(np.uint8)
    image = Image.fromarray(np.tile(x[None, :, None], (200, 1, 3)))
    cut = unit(decode(encode(image), PLAIN))
    assert cut.reason == "no face: none in 300x200 pixels"
    assert cut.side == 200 and cut.facts == {"faces": 0}
    wanted = unit(frame_pixels(np.asarray(image), Framing(SIDE)))
    assert difference(cut, wanted) < 1.5


def test_a_tiny_photo_is_too_small() -> None:
    with pytest.raises(PhotoError, match="too small: 30x7 pixels"):
        frame_pixels(np.zeros((7, 30, 3), np.uint8), PLAIN)


# ---- which faces


def test_all_largest_only(finds: Callable[..., Finder]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (400, 800, 3), dtype=np.uint8)
    # Eyes are 24, 40 and 1.6 pixels apart.
    found = [at(0.7, 0.5, 0.05, aspect=2), at(0.3, 0.5, 0.03, aspect=2), at(0.5, 0.5, 0.002)]
    finder = finds(*found)
    everyone = frame_pixels(pixels, PLAIN)
    assert [round(cut.side) for cut in everyone] == [110, 5, 183]
    assert [cut.reason.partition(":")[0] for cut in everyone] == ["", "small face", ""]
    assert all(cut.facts["faces"] == 3 for cut in everyone)
    assert finder.closer == 2  # the small one is not worth it

    largest = unit(frame_pixels(pixels, Framing(SIDE, replace(CROP, faces="largest"))))
    assert difference(largest, everyone[2]) == 0

    several = unit(frame_pixels(pixels, Framing(SIDE, replace(CROP, faces="only"))))
    assert several.reason == "several people: 2 faces"
    assert several.side == 400 and several.facts == {"faces": 3}
    finds(*found[1:])
    alone = unit(frame_pixels(pixels, Framing(SIDE, replace(CROP, faces="only"))))
    assert alone.reason == "" and difference(alone, everyone[0]) == 0


def test_small_unsure_and_cut_off_faces_are_rejected_each_with_its_reason(
    finds: Callable[..., Finder],
) -> None:
    pixels = np.zeros((400, 400, 3), np.uint8)
    finds(at(0.5, 0.5, 0.05))  # a square of 91 pixels
    assert unit(frame_pixels(pixels, PLAIN)).reason == ""
    assert unit(frame_pixels(pixels, Framing(182, CROP))).reason == ""  # twice as large
    assert unit(frame_pixels(pixels, Framing(184, CROP))).reason == "small face: 91 pixels"
    strict = Framing(SIDE, replace(CROP, min_size=100))
    assert unit(frame_pixels(pixels, strict)).reason == "small face: 91 pixels"

    finds(at(0.5, 0.5, 0.05, score=0.49))
    assert unit(frame_pixels(pixels, PLAIN)).reason.startswith("no face")
    easy = Framing(SIDE, replace(CROP, min_score=0.4))
    assert unit(frame_pixels(pixels, easy)).reason == ""

    finds(at(0.1, 0.5, 0.1))  # 182 pixels, a quarter of them beyond the left edge
    assert unit(frame_pixels(pixels, PLAIN)).reason == ""
    finds(at(0.06, 0.5, 0.1))
    cut = unit(frame_pixels(pixels, PLAIN))
    assert cut.reason == "at the edge: 38% of the square lies outside the photo"
    assert cut.pixels is not None
    finds(at(0.04, 0.5, 0.1))
    close = Framing(SIDE, replace(CROP, margin=0.4))
    assert unit(frame_pixels(pixels, close)).reason == "at the edge: an eye lies outside the photo"


def test_the_margin_shows_more(finds: Callable[..., Finder]) -> None:
    pixels = np.zeros((400, 400, 3), np.uint8)
    finds(at(0.5, 0.5, 0.1))
    sides = [
        unit(frame_pixels(pixels, Framing(SIDE, replace(CROP, margin=margin)))).side
        for margin in (0.5, 1.0, 1.5)
    ]
    assert sides == pytest.approx([91.3, 182.6, 273.8], abs=0.1)


def test_what_lies_beyond_the_edge_is_even(finds: Callable[..., Finder]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    finds(at(0.1, 0.5, 0.1))
    cut = unit(frame_pixels(pixels, PLAIN))
    assert cut.pixels is not None
    assert cut.pixels[:, :3].std() < 0.3 * cut.pixels[:, 24:].std()


# ---- large photos


def test_large_photos_are_searched_small_and_cut_as_finely_as_they_need(
    finds: Callable[..., Finder], encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facesmith.data.photos.photo import Photo

    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    image = coarse.resize((3000, 2000), Image.Resampling.BICUBIC)
    data = encode(image, "JPEG", quality=95)
    factors: list[int] = []
    decoded = Photo.decoded

    def spy(self: Photo, shrink: float) -> tuple[Image.Image, int]:
        result = decoded(self, shrink)
        factors.append(result[1])
        return result

    monkeypatch.setattr(Photo, "decoded", spy)
    finder = finds(at(0.5, 0.5, 0.1, aspect=1.5))  # 1,369 pixels
    coarse_cut = unit(decode(data, Framing(32, CROP)))
    assert finder.sizes == [(1280, 853)] and factors == [2, 2]
    factors.clear()
    fine = unit(decode(data, Framing(512, CROP)))
    assert factors == [2, 1]  # decoded again
    monkeypatch.undo()
    finds(at(0.5, 0.5, 0.1, aspect=1.5))
    for cut, resolution in ((coarse_cut, 32), (fine, 512)):
        exact = unit(frame_pixels(np.asarray(image), Framing(resolution, CROP)))
        assert difference(cut, exact) < 1.5


def test_a_rejected_face_is_not_decoded_finely(
    finds: Callable[..., Finder], encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import ImageFile

    loads: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def spy(self: ImageFile.ImageFile) -> object:
        loads.append(self.size)
        return load(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", spy)
    finds(at(0.5, 0.5, 0.001))
    data = encode(Image.new("RGB", (2600, 2600)), "JPEG")
    assert unit(decode(data, Framing(256, CROP))).reason.startswith("small face")
    assert set(loads) == {(1300, 1300)}


# ---- what stops everything


def test_a_missing_opencv_is_no_fault_of_the_photo(
    encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    detector.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError):
        decode(encode(Image.new("RGB", (99, 99))), PLAIN)


def test_the_same_photo_gives_the_same_images(paint: Paint, encode: Encode) -> None:
    data = encode(paint(320, 240, [Placed(SITTERS[2], 160, 120, 170)]).image, "JPEG")
    first = unit(decode(data, PLAIN))
    detector.cache_clear()
    second = unit(decode(data, PLAIN))
    assert difference(first, second) == 0 and first.side == second.side


def test_a_folder_of_groups_becomes_a_dataset_of_faces_whatever_the_number_of_workers(
    tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "photos"
    source.mkdir()
    for number, sitters in enumerate(([12, 14], [15], [])):
        people = [Placed(sitter, 130 + 220 * n, 130, 180) for n, sitter in enumerate(sitters)]
        paint(480, 260, people).image.save(source / f"{number}.png")
    # The package offers a function of the same name as the module.
    monkeypatch.setattr(importlib.import_module("facesmith.data.prepare"), "CHUNK_IMAGES", 1)
    made = [
        prepare(source, tmp_path / f"{workers}", resolution=32, workers=workers, held_out=0,
                crop="face-celeba(detector=haar)")
        for workers in (1, 2)
    ]  # fmt: skip
    assert [dataset.count for dataset in made] == [3, 3]
    assert made[0].summary.rejected == {"no face": 1}
    assert made[0].manifest["settings"]["crop"] == "face-celeba(detector=haar)"
    np.testing.assert_array_equal(made[0].images, made[1].images)
    assert (tmp_path / "1/files.csv").read_bytes() == (tmp_path / "2/files.csv").read_bytes()
    rows = (tmp_path / "1/files.csv").read_text(encoding="utf-8").splitlines()
    assert set(FACTS) < set(rows[0].split(","))
    assert [row.split(",")[:3] for row in rows[1:]] == [
        ["0.png", "1", "train"],
        ["0.png", "2", "train"],
        ["1.png", "", "train"],
        ["2.png", "", "rejected"],
    ]
