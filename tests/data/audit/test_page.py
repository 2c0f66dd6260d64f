from __future__ import annotations

import base64
import io
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facesmith.data.audit import Audit, Finding, audit_images, page
from facesmith.data.audit.contents import Counts
from facesmith.data.audit.page import _card

Images = NDArray[np.uint8]
EVIL = '<script>alert("x")</script>"\'>&'
VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Checks that tags close in order, and keeps what a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))  # SVG's own way

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def labelled(images: Images) -> Audit:
    labels: dict[str, Any] = {
        EVIL: np.arange(400) % 2,
        "race": np.array([EVIL, "b", "b", "b"] * 100),
        "identity": np.array([EVIL, "b"] * 200),
        "age": np.arange(400) / 4,
    }
    facts = {"yaw": np.linspace(-80, 80, 400), "roll": np.zeros(400)}
    audit = audit_images(images, labels, facts, title=EVIL)
    counts = Counts(480, 20, 400, 60, {EVIL: 40}, 0)
    return replace(audit, counts=counts, folder=f"/data/{EVIL}")


def test_the_page_is_whole_and_by_itself(labelled: Audit) -> None:
    html = page(labelled)
    read = Reader(html)
    assert read.open == []
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in read.tags}
    for tag, attributes in read.tags:
        assert not any(name.startswith("on") for name in attributes)
        if tag == "img":
            assert str(attributes["src"]).startswith("data:image/png;base64,")
        for name in ("src", "href"):
            value = attributes.get(name) or "#"
            assert value.startswith(("data:", "#")) or (tag, name) == ("a", "href")
    assert "url(" not in html
    assert "@import" not in html
    assert {a["href"] for t, a in read.tags if t == "a" and str(a["href"])[0] == "#"} == {
        f"#{a['id']}" for t, a in read.tags if "id" in a
    }


def test_what_strangers_wrote_is_shown_and_not_run(labelled: Audit) -> None:
    html = page(labelled)
    assert "<script" not in html.lower()
    assert Reader(html).text.count("<script>alert") >= 6


def test_every_section_says_what_it_means(labelled: Audit) -> None:
    read = Reader(page(labelled))
    titles = [
        attributes["id"] for tag, attributes in read.tags if tag == "h2" and "id" in attributes
    ]
    assert titles == [
        "know", "pixels", "state", "copies", "outliers", "skin", "pose", "background", "labels",
    ]  # fmt: skip
    for words in (
        "20 more faces in them",
        "straight ahead",
        "Monk 10",
        "plain, dark",
        "median 49.9",
        "40 ",
        "rejected",
    ):
        assert words in read.text
    colours = [str(a.get("style")) for _, a in read.tags]
    assert any("#292420" in style for style in colours)


def test_pictures_are_the_images_themselves(images: Images, labelled: Audit) -> None:
    read = Reader(page(labelled))
    shown = {}
    for tag, attributes in read.tags:
        if tag == "img":
            data = base64.b64decode(str(attributes["src"]).partition(",")[2])
            shown[attributes["alt"]] = np.array(Image.open(io.BytesIO(data)))
    rows = [name for name in shown if str(name).startswith("number ")]
    assert len(rows) > 50
    for name in rows[:20]:
        np.testing.assert_array_equal(shown[name], images[int(str(name).split()[1])])
    np.testing.assert_allclose(shown["the mean of all images"], images.mean(0), atol=0.51)


def test_what_could_not_be_measured_is_said(images: Images) -> None:
    grey = images[:, :, :, :1]
    audit = replace(audit_images(grey), folder="faces")
    text = Reader(page(audit)).text
    assert "Not measured: the images are grey." in text
    assert "facesmith prepare PHOTOS --out faces-faces --crop face" in text
    assert "nothing but pictures is known" in text


def test_a_model_is_shown_beside_its_data(healthy: Audit, images: Images) -> None:
    made = audit_images((images[:300] * 0.6).astype(np.uint8), title="runs/x")
    alone, both = page(healthy), page(healthy, made)
    assert Reader(both).open == []
    text = Reader(both).text
    assert "What the model changed" in text
    assert "Brightness is lower than in the data" in text
    assert text.count("The same from runs/x") >= 5
    assert both.count("<polyline") == 6  # five measures and the skin
    assert "<polyline" not in alone
    assert "What the model changed" not in alone
    same = Reader(page(healthy, healthy)).text
    assert "Nothing has changed by more than chance." in same


def test_links_come_from_us_alone() -> None:
    harmful = "[here](https://evil.example)"
    finding = Finding(
        "k", "note", harmful, harmful, "see [a](https://arxiv.org/abs/1)", harmful, ""
    )
    read = Reader(_card(finding))
    assert [a["href"] for tag, a in read.tags if tag == "a"] == ["https://arxiv.org/abs/1"]
