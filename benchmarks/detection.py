"""Which detector and which of its settings find faces, and how exactly do they place the eyes?

Measured on photographs that their licences keep out of this repository; they lie in a folder of research
data beside the checkout. Run: python benchmarks/detection.py [--data DIR] [--model ONNX]

A detection is right when it overlaps a hand-made box by an intersection over union of 0.4 or more, or
when the middle of each lies inside the other: the hand's boxes are tighter than any detector's. What
is in no hand box was looked at, picture by picture: `FACES_WITHOUT_BOX` are faces that the hand left
out, and count neither as right nor as wrong.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from facesmith.data.photos import yunet
from facesmith.data.photos.alignment import place
from facesmith.data.photos.colours import flatten
from facesmith.data.photos.detection import WORKING_SIDE, Detector, Face
from facesmith.data.photos.haar import HaarDetector
from facesmith.data.photos.yunet import YuNetDetector
from facesmith.training.folder import processor

DATA = Path(__file__).parents[2] / "shared/data"
MODEL = DATA / "weights/face_detection_yunet_2026may.onnx"
RESULT = Path(__file__).parent / "results" / "detection.json"
EMPTY = ("dlib_dogs.jpg", "mtcnn_no-faces.jpg", "tfjs_panda.jpg")
FACES_WITHOUT_BOX = {"dlib_2008_002079.jpg": [(423, 92), (285, 47)]}
"""Middles of faces in the dark behind the others."""
CELEBA, UTKFACE, ENLARGED = 500, 300, 100
CELEBA_EYES = np.array([[69.5, 111.5], [108.5, 111.5]])
ENLARGEMENT = 15
TURNS = (0, 10, 25)
CASCADES = ("default", "alt", "alt2")
STEPS = (1.05, 1.1, 1.2)
AGREEING = (3, 4, 6)
"""Windows; OpenCV's minNeighbors is one less."""
SCORES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9)

Box = tuple[float, float, float, float]
Pixels = NDArray[np.uint8]
Find = Callable[[Pixels], Sequence[Face]]


@dataclass(frozen=True)
class Marked:
    """A photo with what a hand marked in it."""

    name: str
    pixels: Pixels
    boxes: list[Box]
    eyes: list[NDArray[np.float64]]
    """Left and right eye of each face, (2, 2): means of the six points around each."""


def read(data: bytes) -> Pixels:
    """Decode a photo to RGB, no larger than detectors get it."""
    image = flatten(Image.open(io.BytesIO(data)), 3)
    if max(image.size) > WORKING_SIDE:
        image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(image)


def marked(photos: zipfile.ZipFile) -> list[Marked]:
    """Read the photos that have hand-made boxes and 68 landmarks a face."""
    found = []
    for name in photos.namelist():
        if not name.endswith(".xml"):
            continue
        for image in ElementTree.fromstring(photos.read(name)).iter("image"):
            file = f"dlib_{image.attrib['file']}"
            boxes, eyes = [], []
            for box in image.iter("box"):
                left, top, wide, high = (
                    int(box.attrib[k]) for k in ("left", "top", "width", "height")
                )
                boxes.append((left, top, left + wide, top + high))
                points = {int(p.attrib["name"]): (p.attrib["x"], p.attrib["y"]) for p in box}
                outline = np.array([points[i] for i in range(36, 48)], float)
                eyes.append(outline.reshape(2, 6, 2).mean(1))
            found.append(Marked(file, read(photos.read(f"photos/{file}")), boxes, eyes))
    return found


def overlap(a: Box, b: Box) -> float:
    """Give intersection over union."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(across, 0) * max(down, 0)
    return both / (sum((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)) - both)


def middle(box: Box) -> tuple[float, float]:
    """Give a box's middle."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def holds(box: Box, point: tuple[float, float]) -> bool:
    """Say whether a point lies in a box."""
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def pairs(found: Sequence[Face], boxes: Sequence[Box]) -> dict[int, int]:
    """Match detections, surest first, to boxes; each box once."""
    matched: dict[int, int] = {}
    for place_, face in sorted(enumerate(found), key=lambda item: -item[1].score):
        fits = [
            (overlap(face.box, box), number)
            for number, box in enumerate(boxes)
            if number not in matched.values()
            and (
                overlap(face.box, box) >= 0.4
                or (holds(box, middle(face.box)) and holds(face.box, middle(box)))
            )
        ]
        if fits:
            matched[place_] = max(fits)[1]
    return matched


def judged(find: Find, photos: Sequence[Marked], empty: Sequence[Pixels]) -> dict[str, Any]:
    """Count what is right, wrong and missed on the marked and on the empty photos."""
    right = wrong = unmarked = 0
    started = time.process_time()
    for photo in photos:
        found = find(photo.pixels)
        matched = pairs(found, photo.boxes)
        right += len(matched)
        for number, face in enumerate(found):
            if number not in matched:
                known = FACES_WITHOUT_BOX.get(photo.name, [])
                if any(holds(face.box, point) for point in known):
                    unmarked += 1
                else:
                    wrong += 1
    seconds = time.process_time() - started
    faces = sum(len(photo.boxes) for photo in photos)
    pixels = sum(photo.pixels.shape[0] * photo.pixels.shape[1] for photo in photos)
    return {
        "found": right,
        "faces": faces,
        "recall": round(right / faces, 3),
        "wrong": wrong,
        "faces_that_the_hand_left_out": unmarked,
        "precision": round(right / max(right + wrong, 1), 3),
        "wrong_in_3_photos_without_people": sum(len(find(pixels)) for pixels in empty),
        "ms_a_photo": round(1000 * seconds / len(photos), 1),
        "ms_a_megapixel": round(1e9 * seconds / pixels),
    }


def cascade(name: str, step: float, agreeing: int) -> Find:
    """Make a bare Haar cascade a function."""
    faces = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_{name}.xml")

    def find(pixels: Pixels) -> list[Face]:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        boxes, counts = faces.detectMultiScale2(grey, step, agreeing - 1, minSize=(24, 24))
        return [
            Face((x, y, x + w, y + h), n / (n + 4))
            for (x, y, w, h), n in zip(np.reshape(boxes, (-1, 4)), np.ravel(counts), strict=True)
        ]

    return find


def at_score(detector: Detector, score: float) -> Find:
    """Make a detector a function that keeps what is sure enough."""
    return lambda pixels: [face for face in detector.find(pixels) if face.score >= score]


def recall_in_the_middle(find: Find, images: Sequence[Pixels], width: float = 0) -> int:
    """Count the images of whose middle a face is found, of at least this share of the width."""
    hits = 0
    for pixels in images:
        high, wide = pixels.shape[:2]
        hits += any(
            holds(face.box, (wide / 2, high / 2)) and face.box[2] - face.box[0] >= width * wide
            for face in find(pixels)
        )
    return hits


def eye_errors(
    detector: Detector, photos: Sequence[tuple[Pixels, list[Box], list[NDArray[np.float64]]]]
) -> dict[str, Any]:
    """Compare eyes with those that were marked: per cent of their distance; degrees of roll."""
    close, guessed, first = [], [], []
    first_rolls, rolls = [], []
    for pixels, boxes, eyes in photos:
        found = [face for face in detector.find(pixels) if face.score >= detector.min_score]
        for number, true in ((n, eyes[m]) for n, m in pairs(found, boxes).items()):
            apart = np.hypot(*(true[1] - true[0]))
            across, down = true[1] - true[0]
            roll = np.degrees(np.arctan2(down, across))
            if found[number].eyes is not None:
                first_rolls.append(found[number].roll - roll)
                at_first = np.array(found[number].eyes)
                first.append(100 * np.hypot(*(at_first - true).T).mean() / apart)
            face = detector.look_closer(pixels, found[number])
            if face.eyes is None:
                # A preset's square tells where the eyes were guessed to be.
                square = place(face, "celeba")
                inside = np.array([[69.5, 91.5, 1], [108.5, 91.5, 1]])
                guess = (square.matrix(178) @ inside.T).T
                guessed.append(100 * np.hypot(*(guess - true).T).mean() / apart)
                continue
            close.append(100 * np.hypot(*(np.array(face.eyes) - true).T).mean() / apart)
            rolls.append(face.roll - roll)

    def typical(degrees: list[float]) -> float | None:
        """Give the root of the mean square."""
        return round(float(np.sqrt(np.mean(np.square(degrees)))), 1) if degrees else None

    def told(errors: list[float]) -> dict[str, float]:
        if not errors:
            return {"eyes": 0}
        high = np.percentile(errors, 95)
        return {
            "eyes": len(errors),
            "mean_percent": round(float(np.mean(errors)), 1),
            "median_percent": round(float(np.median(errors)), 1),
            "p95_percent": round(float(high), 1),
        }

    return {
        "at_first_sight": told(first),
        "closer": told(close),
        "guessed": told(guessed),
        "roll_error_degrees": {"at_first_sight": typical(first_rolls), "closer": typical(rolls)},
    }


def every(archive: Path, count: int) -> Iterator[Pixels]:
    """Read images spread over an archive."""
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        for place_ in np.linspace(0, len(names) - 1, count).round().astype(int):
            yield read(file.read(names[place_]))


def enlarged(image: Pixels) -> Pixels:
    """Make a photo that a face fills, as a phone at arm's length does."""
    face = Image.fromarray(image).crop((30, 50, 148, 178))
    size = face.width * ENLARGEMENT, face.height * ENLARGEMENT
    large = face.resize(size, Image.Resampling.BICUBIC)
    large.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(large)


def turned(image: Pixels, degrees: float) -> tuple[Pixels, list[Box], list[NDArray[np.float64]]]:
    """Turn an aligned photo clockwise, and say where its face and its eyes are then."""
    large = Image.fromarray(image).rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    old = np.array([image.shape[1], image.shape[0]]) / 2
    new = np.array(large.size) / 2
    x, y = turn @ (np.array([89, 122]) - old) + new
    return (
        np.asarray(large),
        [(x - 42, y - 42, x + 42, y + 42)],
        [(CELEBA_EYES - old) @ turn.T + new],
    )


def main() -> None:
    """Measure everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", type=Path, default=MODEL)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with zipfile.ZipFile(given.data / "photos_people.zip") as photos:
        hand = marked(photos)
        empty = [read(photos.read(f"photos/{name}")) for name in EMPTY]
    celeba = list(every(given.data / "celeba_20000.zip", CELEBA))
    utkface = list(every(given.data / "utkface_1500.zip", UTKFACE))
    large = [enlarged(image) for image in celeba[:: CELEBA // ENLARGED]]

    result: dict[str, Any] = {
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": 1,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
        "numpy": np.__version__,
        "model": given.model.name,
        "marked": {"photos": len(hand), "faces": sum(len(photo.boxes) for photo in hand)},
        "settings": {},
        "aligned": {},
        "eyes": {},
    }

    def note(kind: str, name: str, figures: dict[str, Any]) -> None:
        result[kind][name] = figures
        print(f"{kind}: {name}: {figures}", flush=True)

    for name in CASCADES:
        for step in STEPS:
            for agreeing in AGREEING:
                found = judged(cascade(name, step, agreeing), hand, empty)
                note("settings", f"haar {name}, step {step}, {agreeing} windows", found)
    detectors: dict[str, Detector] = {"haar": HaarDetector(), "yunet": YuNetDetector(given.model)}
    for score in SCORES:
        note(
            "settings", f"yunet, {score}", judged(at_score(detectors["yunet"], score), hand, empty)
        )

    finders = {name: at_score(each, each.min_score) for name, each in detectors.items()}
    finders |= {f"haar {name}, step 1.1, 4 windows": cascade(name, 1.1, 4) for name in CASCADES}
    finders |= {f"yunet, {score}": at_score(detectors["yunet"], score) for score in (0.7, 0.9)}
    for name, find in finders.items():
        figures = {
            f"of {CELEBA} CelebA": recall_in_the_middle(find, celeba),
            f"of {UTKFACE} UTKFace": recall_in_the_middle(find, utkface),
            f"of {ENLARGED} that fill the photo": recall_in_the_middle(find, large, 0.5),
        }
        note("aligned", name, figures)
    coarse, yunet.COARSE_FROM = yunet.COARSE_FROM, 10**9
    only_once = recall_in_the_middle(finders["yunet"], large, 0.5)
    note("aligned", "yunet without the quarter", {f"of {ENLARGED} that fill the photo": only_once})
    yunet.COARSE_FROM = coarse

    for name, each in detectors.items():
        by_hand = [(photo.pixels, photo.boxes, photo.eyes) for photo in hand]
        note(
            "eyes", f"{name}, {result['marked']['faces']} faces by hand", eye_errors(each, by_hand)
        )
        for degrees in TURNS:
            aligned = [
                turned(image, degrees if number % 2 else -degrees)
                for number, image in enumerate(celeba)
            ]
            title = f"{name}, {CELEBA} CelebA turned by {degrees} degrees"
            note("eyes", title, eye_errors(each, aligned))
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
