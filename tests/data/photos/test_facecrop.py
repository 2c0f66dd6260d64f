from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from facesmith.base.errors import DataError, UsageError
from facesmith.data.photos import detection
from facesmith.data.photos.crops import parse_crop
from facesmith.data.photos.facecrop import FaceCrop, parse_face_crop


@pytest.mark.parametrize(
    ("text", "crop"),
    [
        ("face", FaceCrop()),
        ("face-ffhq", FaceCrop("ffhq")),
        ("face-celeba", FaceCrop("celeba")),
        ("face()", FaceCrop()),
        ("face(margin=1.2,faces=largest,min_size=40)", FaceCrop("ffhq", 1.2, "largest", 40)),
        ("face-celeba( margin = 2, min-score=0.6 )", FaceCrop("celeba", 2.0, min_score=0.6)),
        ("face(faces=only,detector=haar)", FaceCrop(faces="only", detector="haar")),
        ("face(detector=yunet,model=01ab23cd)", FaceCrop(detector="yunet", digest="01ab23cd")),
    ],
)
def test_text_becomes_a_face_crop_and_text_again(text: str, crop: FaceCrop) -> None:
    assert parse_crop(text) == crop
    assert parse_crop(str(crop)) == crop
    assert pickle.loads(pickle.dumps(crop)) == crop


def test_the_text_names_what_is_not_usual() -> None:
    assert str(FaceCrop()) == "face-ffhq"
    assert str(FaceCrop("celeba", 1.5, "only", 32, 0.7, "yunet", "01ab23cd")) == (
        "face-celeba(margin=1.5,faces=only,min_size=32,min_score=0.7,detector=yunet,model=01ab23cd)"
    )
    assert str(FaceCrop(model=Path("somewhere.onnx"))) == "face-ffhq"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("face-imagenet", "preset 'imagenet'"),
        ("face(margin=9)", "margin 9.0"),
        ("face(margin=0.1)", "margin 0.1"),
        ("face(margin=nan)", "margin nan"),
        ("face(faces=two)", "faces 'two'"),
        ("face(min_size=0)", "min_size 0"),
        ("face(min_size=1.5)", "is no number"),
        ("face(min_score=0.1)", "min_score 0.1"),
        ("face(detector=mtcnn)", "detector 'mtcnn'"),
        ("face(margins=2)", "did you mean 'margin'"),
        ("face(margin)", "nothing that a face crop knows"),
        ("face(2)", "nothing that a face crop knows"),
    ],
)
def test_other_values_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        parse_crop(text)


def test_other_crops_are_left_to_others() -> None:
    assert parse_face_crop("center") is None
    assert parse_face_crop("faces") is None


def test_the_resolved_crop_names_the_detector_and_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    detection.detector.cache_clear()
    resolved = FaceCrop(margin=1.2).resolved()
    assert str(resolved) == "face-ffhq(margin=1.2,detector=haar)"
    assert parse_crop(str(resolved)) == resolved
    assert resolved.resolved() == resolved
    with pytest.raises(DataError, match="cannot be read"):
        FaceCrop(model=tmp_path / "nowhere.onnx").resolved()


def test_another_model_is_another_crop(shared_data: Path, tmp_path: Path) -> None:
    model = shared_data / "weights/face_detection_yunet_2026may.onnx"
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(model.read_bytes())
    resolved = FaceCrop(model=model).resolved()
    assert resolved == FaceCrop(model=copy).resolved()  # where it lies does not matter
    assert resolved != FaceCrop(detector="haar").resolved()
    assert str(resolved).startswith("face-ffhq(detector=yunet,model=")
    with pytest.raises(DataError, match="asks for the face detector's model"):
        FaceCrop(model=model, digest="00000000").resolved()
