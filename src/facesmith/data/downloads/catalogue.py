"""Data sets that others publish, by name: what they are, their terms, where their files are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from facesmith.base.errors import UsageError
from facesmith.base.registry import did_you_mean

HUB = "hf:"
"""Before the `owner/name` of a dataset of Hugging Face."""
REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*")
REVISION = re.compile(r"[\w./-]+")


@dataclass(frozen=True)
class File:
    """One file and all that is known of it before it is there."""

    name: str
    """On the disk."""
    urls: tuple[str, ...]
    """Places of the same bytes, the best first."""
    bytes: int | None = None
    checksum: str | None = None
    """As its authors publish it, `md5:…` or `sha256:…`; None where they do not."""
    page: str = ""
    """Where a person finds it in a browser, if not at the first address."""


@dataclass(frozen=True)
class Published:
    """A data set that others publish."""

    name: str
    title: str
    what: str
    """How many pictures of what, in which size."""
    licence: str
    """Licence and terms, in one line."""
    homepage: str
    files: tuple[File, ...] = ()
    repository: str = ""
    """Of Hugging Face, `owner/name`, for sets whose files are listed there."""
    revision: str = "main"
    """Branch, tag or commit of the repository."""
    approximate_bytes: int = field(default=0, repr=False)
    """Of a repository, whose files are known only once it is asked."""
    photos: str = ""
    """The file that holds the photos, where others lie beside it."""
    instead: str = ""
    """What to take where this one cannot be had."""

    @property
    def bytes(self) -> int:
        """Of all files together; 0 where nobody knows yet."""
        return sum(file.bytes or 0 for file in self.files) or self.approximate_bytes

    @property
    def folder(self) -> str:
        """The name, as one that a folder can have."""
        # Repositories have no "--" in their names, so that no two meet.
        return self.name.replace("/", "--").replace(":", "-")


def find_by_name(text: str) -> Published:
    """Look a data set up.

    Args:
        text: A name of the catalogue, or `hf:owner/name` for a dataset of Hugging Face, with
            `@revision` behind it for a certain state.

    Returns:
        What is known of it; nothing is asked of any server.

    Raises:
        UsageError: There is none of that name.
    """
    if text in CATALOGUE:
        return CATALOGUE[text]
    repository, at, revision = text.removeprefix(HUB).partition("@")
    whole = REPOSITORY.fullmatch(repository) and (not at or REVISION.fullmatch(revision))
    if not text.startswith(HUB) or not whole:
        raise UsageError(
            f"There is no data set {text!r}{meant(text)}.",
            needed=f"one of {', '.join(CATALOGUE)}, or hf:owner/name of Hugging Face",
            todo="see what they are: facesmith download",
        )
    homepage = f"https://huggingface.co/datasets/{repository}"
    return Published(
        name=text,
        title=f"{repository} of Hugging Face",
        what="a dataset of Hugging Face with parquet files",
        licence=f"its own, see {homepage}",
        homepage=homepage,
        repository=repository,
        revision=revision or "main",
    )


def is_name(text: str) -> bool:
    """Say whether a text means a data set of the catalogue or of Hugging Face.

    Args:
        text: What was given in place of photos.

    Returns:
        True for a name of the catalogue and for all that begins with `hf:`.
    """
    return text in CATALOGUE or text.startswith(HUB)


def meant(text: str) -> str:
    """Suggest which data set a text was to name.

    Args:
        text: No name of one.

    Returns:
        Text to append to a sentence, empty when nothing is near.
    """
    if REPOSITORY.fullmatch(text):
        return f" (a dataset of Hugging Face is written hf:{text})"
    return did_you_mean(text.removeprefix(HUB), list(CATALOGUE))


def _drive(identity: str, name: str, size: int, md5: str) -> File:
    """Describe a file of Google Drive; `confirm` answers that it is too large for a virus scan."""
    host = "https://drive.usercontent.google.com"
    return File(
        name,
        (f"{host}/download?id={identity}&export=download&confirm=t",),
        size,
        f"md5:{md5}",
        page=f"https://drive.google.com/file/d/{identity}/view",
    )


def _idx(hosts: tuple[str, ...], *files: tuple[str, int, str]) -> tuple[File, ...]:
    return tuple(
        File(name, tuple(f"{host}/{name}" for host in hosts), size, f"md5:{md5}")
        for name, size, md5 in files
    )


CELEBA = Published(
    name="celeba",
    title="CelebA, aligned and cropped",
    what="202,599 faces of 10,177 celebrities, JPEG of 178x218, with 40 attributes",
    licence="non-commercial research only; no redistribution; the photos belong to their owners",
    homepage="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    files=(
        _drive(
            "0B7EVK8r0v71pZjFTYXZWM3FlRnM",
            "img_align_celeba.zip",
            1_443_490_838,
            "00d2c5bc6d35e252742224ab0c1e8fcb",
        ),
        _drive(
            "0B7EVK8r0v71pblRyaVFSWGxPY0U",
            "list_attr_celeba.txt",
            26_721_026,
            "75e246fa4810816ffd6ee81facbd244c",
        ),
        _drive(
            "1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS",
            "identity_CelebA.txt",
            3_424_458,
            "32bd1bd63d3c78cd57e08160ec5ed1e2",
        ),
        _drive(
            "0B7EVK8r0v71pY0NSMzRuSXJEVkk",
            "list_eval_partition.txt",
            2_836_386,
            "d32c9cbf5e040fd4025c592c306e6668",
        ),
        _drive(
            "0B7EVK8r0v71pd0FJY3Blby1HUTQ",
            "list_landmarks_align_celeba.txt",
            12_156_055,
            "cc24ecafdb5b50baae59b03474781f8c",
        ),
    ),
    photos="img_align_celeba.zip",
    instead="take celeba-hf, the same photos without attributes",
)

CELEBA_HF = Published(
    name="celeba-hf",
    title="CelebA, a copy at Hugging Face",
    what="the photos of celeba without attributes; with them: hf:flwrlabs/celeba, 10 GB",
    licence=CELEBA.licence,
    homepage="https://huggingface.co/datasets/nielsr/CelebA-faces",
    repository="nielsr/CelebA-faces",
    approximate_bytes=1_390_000_000,
)

FFHQ = Published(
    name="ffhq",
    title="Flickr-Faces-HQ, a copy in 256x256",
    what="70,000 aligned faces, 256x256; as published, in 128 and 1024 pixels, at Google Drive only",
    licence="CC BY-NC-SA 4.0, non-commercial; each photo keeps the licence of its owner",
    homepage="https://github.com/NVlabs/ffhq-dataset",
    repository="merkol/ffhq-256",
    approximate_bytes=7_410_000_000,
    instead="get thumbnails128x128 from https://github.com/NVlabs/ffhq-dataset in a browser, "
    "and use its folder or zip as photos",
)

LFW = Published(
    name="lfw",
    title="Labeled Faces in the Wild",
    what="13,233 faces of 5,749 people from the news, JPEG of 250x250",
    licence="none is stated; made for research; the photos belong to their owners",
    homepage="https://scikit-learn.org/stable/datasets/real_world.html",  # the authors' is gone
    files=(
        File(
            "lfw.tgz",
            (
                "https://ndownloader.figshare.com/files/5976018",
                "https://api.figshare.com/v2/file/download/5976018",
            ),
            180_566_744,
            "sha256:055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
        ),
    ),
    photos="lfw.tgz",
    instead="take hf:bitmind/lfw",
)

MNIST = Published(
    name="mnist",
    title="MNIST",
    what="70,000 handwritten digits, grey, 28x28, with labels",
    licence="CC BY-SA 3.0",
    homepage="https://huggingface.co/datasets/ylecun/mnist",
    files=_idx(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        ("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
)

FASHION_MNIST = Published(
    name="fashion-mnist",
    title="Fashion-MNIST",
    what="70,000 pieces of clothing, grey, 28x28, with labels",
    licence="MIT",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    files=_idx(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        ),
        ("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ),
)

CATALOGUE = {
    published.name: published for published in (CELEBA, CELEBA_HF, LFW, FFHQ, MNIST, FASHION_MNIST)
}

DETECTOR = File(
    "face_detection_yunet_2023mar.onnx",
    (
        "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
        "face_detection_yunet/face_detection_yunet_2023mar.onnx",
    ),
    232_589,
    "sha256:8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    page="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
)
"""YuNet, the face detector of OpenCV's model zoo, MIT."""
