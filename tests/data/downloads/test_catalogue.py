from __future__ import annotations

import re

import pytest

from facesmith.base.errors import UsageError
from facesmith.data.downloads.catalogue import CATALOGUE, DETECTOR, find_by_name, is_name


def test_the_names_are_these() -> None:
    assert list(CATALOGUE) == ["celeba", "celeba-hf", "lfw", "ffhq", "mnist", "fashion-mnist"]
    assert all(find_by_name(name).name == name for name in CATALOGUE)
    assert all(is_name(name) for name in CATALOGUE)


def test_each_file_has_a_checksum_of_the_right_form_and_a_size() -> None:
    digits = {"md5": 32, "sha256": 64}
    for file in [DETECTOR, *(f for published in CATALOGUE.values() for f in published.files)]:
        kind, _, value = str(file.checksum).partition(":")
        assert re.fullmatch(f"[0-9a-f]{{{digits[kind]}}}", value)
        assert file.bytes
        assert file.urls[0].startswith("https://")


def test_each_set_says_what_it_is_its_terms_and_where_its_photos_are() -> None:
    for published in CATALOGUE.values():
        assert published.what
        assert published.licence
        assert published.homepage.startswith("https://")
        assert bool(published.files) != bool(published.repository)
        assert published.bytes > 10**7
        names = [file.name for file in published.files]
        assert published.photos in ("", *names)
        assert len(set(names)) == len(names)


def test_celeba_is_its_photos_and_four_lists() -> None:
    celeba = find_by_name("celeba")
    assert celeba.photos == "img_align_celeba.zip"
    assert celeba.bytes == 1_443_490_838 + 26_721_026 + 3_424_458 + 2_836_386 + 12_156_055
    assert [file.name for file in celeba.files[1:]] == [
        "list_attr_celeba.txt",
        "identity_CelebA.txt",
        "list_eval_partition.txt",
        "list_landmarks_align_celeba.txt",
    ]
    for file in celeba.files:
        assert "export=download&confirm=t" in file.urls[0]
        assert re.search(r"id=([\w-]+)&", file.urls[0])[1] in file.page  # type: ignore[index]
    # A row of the official split is `000001.jpg 0` and two characters that end the line.
    assert celeba.files[3].bytes == 202_599 * 14


@pytest.mark.parametrize(
    ("text", "repository", "revision", "folder"),
    [
        ("hf:nielsr/CelebA-faces", "nielsr/CelebA-faces", "main", "hf-nielsr--CelebA-faces"),
        ("hf:a/b.c@refs/pr/1", "a/b.c", "refs/pr/1", "hf-a--b.c@refs--pr--1"),
    ],
)
def test_any_dataset_of_hugging_face_has_a_name(
    text: str, repository: str, revision: str, folder: str
) -> None:
    published = find_by_name(text)
    assert (published.repository, published.revision) == (repository, revision)
    assert published.folder == folder
    assert published.homepage == f"https://huggingface.co/datasets/{repository}"
    assert is_name(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("celebA2", "did you mean 'celeba'?"),
        ("nielsr/CelebA-faces", "a dataset of Hugging Face is written hf:nielsr/CelebA-faces"),
        ("hf:celeba", "did you mean 'celeba'?"),
        ("hf:../..", "There is no data set"),
        ("hf:a/b/c", "There is no data set"),
        ("hf:a/b@", "There is no data set"),
        ("hf:a/b@x?y", "There is no data set"),
        ("", "There is no data set"),
    ],
)
def test_other_names_are_refused_with_a_hint(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_by_name(text)
    assert said in caught.value.given
    assert "facesmith download" in caught.value.todo


def test_a_path_is_no_name() -> None:
    assert not any(map(is_name, ("photos", "nielsr/CelebA-faces", "celeba/", "./celeba", "")))
