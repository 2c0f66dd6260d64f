from __future__ import annotations

import hashlib
import math
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesmith.base.errors import DataError, MissingExtraError, UsageError
from facesmith.data.photos import detection
from facesmith.data.photos.detection import Face, choose, detector
from facesmith.data.photos.haar import HaarDetector

Paint = Callable[..., Any]
BOX = (10.0, 20.0, 50.0, 70.0)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No model in the cache, and no detector of another test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    detector.cache_clear()
    yield
    detector.cache_clear()


def put_model(tmp_path: Path, content: bytes = b"some weights") -> Path:
    path = tmp_path / "cache/facesmith/models" / detection.DETECTOR.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


# ---- geometry


@pytest.mark.parametrize("roll", [-40.0, 0.0, 25.0])
@pytest.mark.parametrize("yaw", [-45.0, -10.0, 0.0, 30.0])
def test_yaw_and_roll_are_those_of_a_head_that_was_turned(yaw: float, roll: float) -> None:
    # In 3D: eyes at (-1, 0, 0) and (1, 0, 0), the nose in front of their middle and below.
    points = np.array([[-1, 0, 0], [1, 0, 0], [0, 0.8, 2 * detection.NOSE_DEPTH]])
    t, r = math.radians(yaw), math.radians(roll)
    about_neck = np.array(
        [[math.cos(t), 0, math.sin(t)], [0, 1, 0], [-math.sin(t), 0, math.cos(t)]]
    )
    in_picture = np.array([[math.cos(r), -math.sin(r)], [math.sin(r), math.cos(r)]])
    left, right, nose = (points @ about_neck.T)[:, :2] @ in_picture.T * 30 + 100
    face = Face(BOX, 1.0, ((left[0], left[1]), (right[0], right[1])), (nose[0], nose[1]))
    assert face.yaw == pytest.approx(yaw, abs=1e-6)
    assert face.roll == pytest.approx(roll, abs=1e-6)


def test_what_was_not_seen_is_not_a_number() -> None:
    assert math.isnan(Face(BOX, 1.0).roll)
    assert math.isnan(Face(BOX, 1.0).yaw)
    assert math.isnan(Face(BOX, 1.0, ((1, 2), (3, 4))).yaw)
    assert math.isnan(Face(BOX, 1.0, ((1, 2), (1, 2)), (1, 3)).yaw)


def test_a_stretched_photo_moves_every_point() -> None:
    face = Face(BOX, 0.7, ((1, 2), (3, 4)), (5, 6), ((7, 8), (9, 10)))
    assert face.scaled(2, 3) == Face(
        (20, 60, 100, 210), 0.7, ((2, 6), (6, 12)), (10, 18), ((14, 24), (18, 30))
    )
    assert Face(BOX, 0.7).scaled(1, 1) == Face(BOX, 0.7)


# ---- which detector


def test_auto_is_yunet_where_its_model_is_there(tmp_path: Path) -> None:
    assert choose("auto", None) == ("haar", None, "")
    model = put_model(tmp_path)
    digest = hashlib.sha256(b"some weights").hexdigest()[:8]
    assert choose("auto", None) == choose("yunet", None) == ("yunet", model, digest)
    assert choose("haar", None) == ("haar", None, "")


def test_a_model_that_is_named_goes_before_the_downloaded_one(tmp_path: Path) -> None:
    put_model(tmp_path)
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"other weights")
    assert choose("auto", mine)[1] == mine
    assert choose("auto", mine)[2] != choose("auto", None)[2]


def test_a_model_that_is_missing_or_misplaced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs its model") as caught:
        choose("yunet", None)
    assert "--detector-model" in caught.value.todo
    with pytest.raises(DataError, match="cannot be read"):
        choose("auto", tmp_path / "nowhere.onnx")
    with pytest.raises(UsageError, match="haar was given the model"):
        choose("haar", tmp_path / "mine.onnx")


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", bytes(1000)])
def test_a_file_that_is_no_yunet_is_refused(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = put_model(tmp_path, content)
    with pytest.raises(DataError, match="no face detector") as caught:
        detector("auto", None, "")
    assert str(model) in caught.value.given and "detector=haar" in caught.value.todo
    capfd.readouterr()  # OpenCV says it, too


def test_another_network_is_no_yunet(shared_data: Path) -> None:
    other = shared_data / "weights/ultralight_version-RFB-320.onnx"
    with pytest.raises(DataError, match="no face detector"):
        detector("yunet", other, "")


def test_the_model_must_be_the_one_that_the_crop_names(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="asks for the face detector's model 0123abcd; here is none"
    ):
        detector("auto", None, "0123abcd")
    put_model(tmp_path)
    with pytest.raises(DataError, match="asks for the face detector's model 0123abcd; here is"):
        detector("yunet", None, "0123abcd")


def test_a_process_has_one_detector() -> None:
    assert detector("haar", None, "") is detector("haar", None, "")


# ---- OpenCV


def replace_opencv(monkeypatch: pytest.MonkeyPatch, **names: object) -> None:
    module = types.ModuleType("cv2")
    module.__dict__.update(names)
    monkeypatch.setitem(sys.modules, "cv2", module)


def test_a_missing_opencv_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError) as caught:
        detector("haar", None, "")
    assert caught.value.todo == "pip install 'opencv-python-headless>=4.10,<5'"
    assert caught.value.exit_code == 6


def test_a_broken_opencv_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2.py").write_text("raise RuntimeError('built for another numpy')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    with pytest.raises(MissingExtraError, match="built for another numpy"):
        detector("haar", None, "")


def test_version_5_without_cascades_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_opencv(monkeypatch, __version__="5.0.0")
    with pytest.raises(MissingExtraError, match=r"5\.0\.0 has no CascadeClassifier"):
        HaarDetector()
    data = types.SimpleNamespace(haarcascades=str(tmp_path))
    replace_opencv(
        monkeypatch, __version__="5.0.0", CascadeClassifier=object, data=data,
        setNumThreads=lambda threads: None,
    )  # fmt: skip
    with pytest.raises(MissingExtraError, match="without haarcascade_frontalface_alt2"):
        HaarDetector()


def test_opencv_keeps_to_one_thread() -> None:
    import cv2

    cv2.setNumThreads(2)
    HaarDetector()
    assert cv2.getNumThreads() == 1
