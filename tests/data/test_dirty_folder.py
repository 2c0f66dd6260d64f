"""A folder with every kind of dirt becomes a dataset, and each file's fate can be looked up."""

from __future__ import annotations

import csv
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from facesmith.data import prepare
from facesmith.data.portraits import portraits

CLEAN = 60


def jpeg(image: Image.Image, quality: int = 92, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, **options)
    return stream.getvalue()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG of 66 bytes that promises 900 million pixels."""
    parts = (
        b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0),
        b"IDAT" + zlib.compress(b"\0"),
    )
    chunks = (
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def dirt(faces: list[Image.Image]) -> dict[str, tuple[bytes, str]]:
    """Each kind of dirt: name -> content and the kind of reason; "" for what must be used."""
    face = iter(faces)
    exif = Image.Exif()
    exif[0x0112] = 6
    grey16 = Image.fromarray(np.asarray(next(face).convert("L")).astype(np.uint16) * 257)
    dark = Image.fromarray((np.asarray(next(face)) * 0.06).astype(np.uint8))
    bright = Image.fromarray((255 - (255 - np.asarray(next(face)).astype(int)) * 0.03).astype("u1"))
    copied = jpeg(next(face))
    near = next(face)
    tiny = next(face).resize((12, 12))
    return {
        # what can be understood
        "turned by its tag.jpg": (jpeg(next(face).rotate(90), exif=exif), ""),
        "four inks.jpg": (jpeg(next(face).convert("CMYK")), ""),
        "sixteen bits.png": (encoded(grey16, "PNG"), "grey"),
        "transparent.png": (encoded(next(face).convert("RGBA"), "PNG"), ""),
        "palette.gif": (encoded(next(face), "GIF"), ""),
        "web.webp": (encoded(next(face), "WEBP", quality=95), ""),
        "album/été 2019/ñandú 笑顔.jpg": (jpeg(next(face)), ""),
        "no ending": (jpeg(next(face)), ""),
        # what is no photo
        "zero.jpg": (b"", "empty file"),
        "quota.jpg": (b"<!DOCTYPE html><title>Quota exceeded</title>", "web page"),
        "notes.txt": (b"shot in may", "text"),
        "drawing.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        "scan.pdf": (b"%PDF-1.7\n", "PDF document"),
        "more.zip": (b"PK\x03\x04rest", "archive"),
        "phone.heic": (b"\0\0\0\x18ftypheic" + bytes(40), "unknown format"),
        "noise.jpg": (np.random.default_rng(0).bytes(500), "unknown format"),
        # what is damaged
        "cut in half.jpg": (jpeg(next(face))[:1500], "damaged"),
        "ten bytes short.jpg": (jpeg(next(face))[:-10], "damaged"),
        "cut.png": (encoded(next(face), "PNG")[:3000], "damaged"),
        "bomb.png": (bomb(), "too large"),
        "speck.png": (encoded(next(face).resize((5, 5)), "PNG"), "too small"),
        # what a generator should not learn
        "copy a.jpg": (copied, ""),
        "copy b.jpg": (copied, "duplicate"),
        "near a.png": (encoded(near, "PNG"), ""),
        "near b.jpg": (jpeg(near.resize((80, 80)), 60), "near duplicate"),
        "blurred.jpg": (jpeg(next(face).filter(ImageFilter.GaussianBlur(6))), "blurred"),
        "dark.png": (encoded(dark, "PNG"), "dark"),
        "overexposed.png": (encoded(bright, "PNG"), "bright"),
        "blank.png": (encoded(Image.new("RGB", (96, 96), (90, 120, 90)), "PNG"), "flat"),
        "grey.jpg": (jpeg(next(face).convert("L")), "grey"),
        "tiny.png": (encoded(tiny, "PNG"), "tiny"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    root = tmp_path_factory.mktemp("dirty") / "photos"
    images, _ = portraits(range(CLEAN + 40), 96, seed=3)
    faces = [Image.fromarray(image) for image in images]
    expected = {}
    for index, face in enumerate(faces[:CLEAN]):
        name = f"clean/{index:03d}.jpg"
        expected[name] = ""
        write(root / name, jpeg(face))
    for name, (content, kind) in dirt(faces[CLEAN:]).items():
        write(root / name, content)
        expected[name] = kind
    write(root / "Thumbs.db", b"system")
    write(root / ".hidden/photo.jpg", jpeg(faces[0]))
    if hasattr(os, "mkfifo"):
        os.mkfifo(root / "a pipe")  # reading it would wait for ever
        (root / "round and round").symlink_to(root, target_is_directory=True)
        (root / "to nowhere.jpg").symlink_to(root / "nothing")
        expected["to nowhere.jpg"] = "unreadable"
    return root, expected


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_each_file_is_used_or_listed_with_its_reason(
    folder: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, expected = folder
    dataset = prepare(root, tmp_path / "out", resolution=64, workers=1, keep_rejects=True)
    with (tmp_path / "out/files.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    found = {name: row["reason"].partition(":")[0] for name, row in rows.items()}
    wrong = {
        name: (found.get(name), kind) for name, kind in expected.items() if found.get(name) != kind
    }
    assert wrong == {}
    assert set(found) == set(expected)
    summary = dataset.summary
    assert summary.found == len(expected)
    assert summary.found + summary.extra == summary.used + sum(summary.rejected.values())
    assert summary.used == sum(kind == "" for kind in expected.values())
    assert sum(summary.rejected.values()) == sum(kind != "" for kind in expected.values())
    # Each reason that has pictures has a sheet, and each picture was kept.
    sheets = {path.stem for path in (tmp_path / "out/rejected").glob("*.png")}
    assert sheets >= {"blurred", "dark", "duplicate", "near-duplicate", "tiny", "grey", "flat"}
    assert len(list((tmp_path / "out/rejected/grey").iterdir())) == 2


def test_without_cleaning_only_what_cannot_be_decoded_is_rejected(
    folder: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, expected = folder
    dataset = prepare(root, tmp_path / "out", resolution=64, clean="none", workers=1)
    cleaned = {"duplicate", "near duplicate", "blurred", "dark", "bright", "flat", "grey", "tiny"}
    assert not cleaned & set(dataset.summary.rejected)
    assert dataset.summary.used == sum(kind in ("", *cleaned) for kind in expected.values())
