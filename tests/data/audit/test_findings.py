"""Each fault is planted in a healthy collection; its finding must come, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from facesmith.data.audit import Audit, Finding, audit_images, findings
from facesmith.data.audit.contents import Counts
from facesmith.data.portraits import draw_attributes, render

Images = NDArray[np.uint8]
Labels = dict[str, NDArray[Any]]
COUNTS = Counts(found=10_000, extra=0, train=9_000, held_out=1_000, rejected={}, enlarged=0)


def kinds(audit: Audit) -> dict[str, Finding]:
    return {finding.kind: finding for finding in findings(audit)}


def test_a_healthy_collection_has_no_findings(healthy: Audit) -> None:
    assert findings(healthy) == []
    assert findings(replace(healthy, counts=COUNTS, folder="faces")) == []


@pytest.mark.parametrize(
    ("kind", "changes", "severity"),
    [
        ("few images", {"train": 4_999}, "warning"),
        ("few images", {"train": 999}, "serious"),
        ("nothing held out", {"held_out": 0}, "note"),
        ("rejected", {"rejected": {"too small": 900, "not a photo": 200}}, "warning"),
        ("enlarged", {"enlarged": 4_000}, "warning"),
    ],
)
def test_counts(healthy: Audit, kind: str, changes: dict[str, Any], severity: str) -> None:
    counts = replace(COUNTS, **changes)
    found = kinds(replace(healthy, counts=counts, folder="my faces"))
    assert {name: finding.severity for name, finding in found.items()} == {kind: severity}
    if found[kind].command:
        assert "'my faces-" in found[kind].command


def test_copies_and_a_leak(healthy: Audit) -> None:
    twice = replace(healthy.copies, surplus=40, groups=20, largest=3)
    assert kinds(replace(healthy, copies=twice))["duplicates"].severity == "warning"
    leak = replace(healthy.copies, leaked=20, held_out=1000)
    assert kinds(replace(healthy, copies=leak))["leak"].severity == "warning"
    assert kinds(replace(healthy, copies=replace(leak, leaked=1))) == {}


def blurred(images: Images) -> Images:
    return np.stack(
        [np.array(Image.fromarray(i).filter(ImageFilter.GaussianBlur(2))) for i in images]
    )


def grey(images: Images) -> Images:
    mean = images.mean(3, keepdims=True).astype(np.uint8)
    return np.broadcast_to(mean, images.shape).copy()


FAULTS: dict[str, Callable[[Images], Images]] = {
    "blurred": blurred,
    "dark": lambda images: (images * 0.25).astype(np.uint8),
    "overexposed": lambda images: 255 - ((255 - images) * 0.25).astype(np.uint8),
    "flat": lambda images: 110 + (images * 0.25).astype(np.uint8),
    "grey and colour": grey,
    "duplicates": lambda images: np.broadcast_to(images[:1], images.shape).copy(),
}
SKIN, BACKGROUND = "narrow skin-tone range", "one background"
OTHER_FAULTS = {
    "overexposed": {"flat", SKIN},
    "dark": {"flat", SKIN},
    "blurred": {"flat", "duplicates"},  # drawings without their lines are alike
    "flat": {SKIN, BACKGROUND},
    "duplicates": {SKIN, BACKGROUND},
}
"""What a fault brings with it."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_flaw_in_every_fourth_picture_is_found(images: Images, fault: str) -> None:
    planted = images.copy()
    planted[::4] = FAULTS[fault](images[::4])
    found = kinds(audit_images(planted))
    assert fault in found
    assert set(found) - {fault} <= OTHER_FAULTS.get(fault, set())
    assert found[fault].severity in ("warning", "serious")
    if fault not in ("duplicates", "flat"):  # a few portraits are flat as they are
        number = int(found[fault].evidence.split()[0])
        assert 90 <= number <= 100


@pytest.mark.parametrize(
    ("attribute", "value", "kind"),
    [
        ("skin_tone", 0.1, "narrow skin-tone range"),
        ("skin_tone", 0.9, "narrow skin-tone range"),
        ("background", 0, "one background"),
    ],
)
def test_portraits_that_are_alike_in_one_thing(attribute: str, value: float, kind: str) -> None:
    attributes = draw_attributes(np.arange(300))
    if attribute == "background":
        attributes["background_colour"][:] = int(value)
        attributes["background_shade"][:] = 0
    else:
        attributes[attribute][:] = value
    found = kinds(audit_images(render(attributes, 32)))
    assert set(found) == {kind}
    if kind.startswith("narrow"):
        word = "Darker" if value < 0.5 else "Lighter"
        assert found[kind].title.startswith(word)


def test_one_pose(images: Images) -> None:
    random = np.random.default_rng(0)
    even = {"yaw": random.uniform(-60, 60, 400), "roll": random.normal(0, 5, 400)}
    assert kinds(audit_images(images, None, even)) == {}
    straight = {"yaw": random.normal(0, 4, 400)}
    assert set(kinds(audit_images(images, None, straight))) == {"one pose"}


def with_label(healthy: Audit, images: Images, name: str, values: Any) -> dict[str, Finding]:
    labelled = audit_images(images[:50], {name: np.resize(np.array(values), 50)})
    return kinds(replace(healthy, labels=labelled.labels, pairs=(), folder="faces"))


@pytest.mark.parametrize(
    ("name", "values", "severity", "said"),
    [
        ("Male", [0] * 8 + [1] * 2, "note", "Male = yes: 20 % of the images"),
        ("sex", ["f"] * 9 + ["m"], "warning", "sex = m: 10 % of the images"),
        ("race", [0] * 48 + [1] + [2], "serious", "race = 1: 2.0 % of the images"),
        ("male", [1], "serious", "male = no: 0 % of the images"),
    ],
)
def test_a_group_of_people_that_is_rare(
    healthy: Audit, images: Images, name: str, values: list[object], severity: str, said: str
) -> None:
    [finding] = with_label(healthy, images, name, values).values()
    assert (finding.kind, finding.severity) == ("under-represented group", severity)
    assert finding.title == said
    missing = len(set(values)) == 1
    assert finding.command == (
        "" if missing else f"facesmith train face --data faces --resolution 32 --balance {name}"
    )
    assert "50 labelled photos" in finding.evidence
    assert "2209.02836" in finding.effect


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("hat", [0] * 49 + [1], "rare classes"),
        ("identity", [1] * 10 + list(range(2, 42)), "one person"),
        ("person", list(range(25)), "few people"),
    ],
)
def test_other_labels(
    healthy: Audit, images: Images, name: str, values: list[object], kind: str
) -> None:
    assert set(with_label(healthy, images, name, values)) == {kind}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("male", [0, 1, 1]),
        ("race", [0, 1, 2, 3, 3]),
        ("age", np.linspace(1, 90, 50)),
        ("hat", [0] * 9 + [1]),
    ],
)
def test_labels_that_are_even_enough(
    healthy: Audit, images: Images, name: str, values: list[object]
) -> None:
    assert with_label(healthy, images, name, values) == {}


def test_an_age_that_hardly_occurs(healthy: Audit, images: Images) -> None:
    ages = [20.5] * 24 + [1.0] * 24 + [90.0] * 2
    [finding] = with_label(healthy, images, "age", ages).values()
    assert finding.title.startswith("age = ")
    assert finding.command == ""


def test_a_combination_of_people_that_hardly_occurs(healthy: Audit, images: Images) -> None:
    male = np.arange(400) % 2
    young = np.where(male == 0, 1, np.arange(400) // 2 % 2)
    labelled = audit_images(images, {"male": male, "young": young})
    found = kinds(replace(healthy, labels=labelled.labels, pairs=labelled.pairs))
    assert "male = no with young = no" in found["rare combination"].title
    clothes = audit_images(images, {"hat": male, "tie": young})
    assert clothes.pairs
    found = kinds(replace(healthy, labels=clothes.labels, pairs=clothes.pairs))
    assert "rare combination" not in found


def test_no_labels_and_the_order_of_findings(healthy: Audit) -> None:
    counts = replace(COUNTS, train=500, held_out=0)
    found = findings(replace(healthy, labels=(), counts=counts, folder="faces"))
    assert [finding.severity for finding in found] == ["serious", "note", "note"]
    assert {finding.kind for finding in found} == {"few images", "no labels", "nothing held out"}
