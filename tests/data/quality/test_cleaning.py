from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facesmith.base.errors import UsageError
from facesmith.data.quality.cleaning import NONE, STANDARD, Cleaning, judge, parse_cleaning
from facesmith.data.quality.measures import measure
from facesmith.data.quality.signatures import sign

Pixels = NDArray[np.uint8]
NAMES = [field.name for field in fields(Cleaning)]
GOOD = {
    "brightness": 0.5,
    "contrast": 0.2,
    "detail": 0.7,
    "colour": 0.2,
    "clipped": 0.0,
    "side": 64.0,
    "faces": 1.0,
    "quality": 0.8,
}


def look(
    images: Sequence[Mapping[str, float]], cleaning: Cleaning = STANDARD, **settings: int
) -> list[str]:
    """Judge images by numbers alone; none is a copy."""
    count = len(images)
    return judge(
        [f"{place}.jpg" for place in range(count)],
        [str(place) for place in range(count)],
        {name: np.array([(GOOD | dict(i))[name] for i in images], np.float32) for name in GOOD},
        np.zeros((count, 32), np.uint64),
        replace(cleaning, near=0),
        **{"resolution": 64, "channels": 3} | settings,
    )


# rule, an image just beyond its bound, one just within, and the reason
BOUNDS: list[tuple[str, dict[str, float], dict[str, float], str]] = [
    (
        "dark",
        {"brightness": 0.07, "contrast": 0.0645},
        {"brightness": 0.07, "contrast": 0.0655},
        "dark: lightest parts 0.199, below 0.2",
    ),
    ("bright", {"brightness": 0.901}, {"brightness": 0.899}, "bright: mean 0.901, above 0.9"),
    ("flat", {"contrast": 0.039}, {"contrast": 0.041}, "flat: contrast 0.039, below 0.04"),
    ("tiny", {"side": 21}, {"side": 22}, "tiny: enlarged 3.0 times, above 3"),
    ("blurred", {"detail": 0.449}, {"detail": 0.451}, "blurred: detail 0.449, below 0.45"),
    ("grey", {"colour": 0.019}, {"colour": 0.021}, "grey: colour 0.019, below 0.02"),
    ("people", {"faces": 3}, {"faces": 2}, "many people: 3 faces, above 2"),
    ("quality", {"quality": 0.29}, {"quality": 0.31}, "low quality: quality 0.290, below 0.3"),
]
STRICT = replace(STANDARD, people=2, quality=0.3)


@pytest.mark.parametrize(("rule", "beyond", "within", "reason"), BOUNDS, ids=[b[0] for b in BOUNDS])
def test_each_bound_holds_on_both_sides_and_is_turned_off_by_zero(
    rule: str, beyond: dict[str, float], within: dict[str, float], reason: str
) -> None:
    images = [beyond, within, {}, {}]
    assert look(images, STRICT) == [reason, "", "", ""]
    assert look(images, replace(STRICT, **{rule: 0})) == [""] * 4
    assert look(images, NONE) == [""] * 4


@pytest.mark.parametrize(("rule", "beyond"), [b[:2] for b in BOUNDS], ids=[b[0] for b in BOUNDS])
def test_what_most_images_are_is_no_fault_unless_the_bound_is_the_users(
    rule: str, beyond: dict[str, float]
) -> None:
    kind = {"people": "many people", "quality": "low quality"}.get(rule, rule)

    def found(bad: int, good: int, cleaning: Cleaning) -> int:
        reasons = look([beyond] * bad + [{}] * good, cleaning)
        return sum(reason.startswith(f"{kind}:") for reason in reasons)

    assert found(3, 3, STRICT) == 3
    own = rule in ("people", "quality")
    assert found(4, 3, STRICT) == (4 if own else 0)
    mine = replace(STRICT, **{rule: getattr(STRICT, rule) * 1.0001})
    assert found(4, 3, mine) == (0 if rule == "grey" else 4)


def test_grey_images_have_no_colour_to_lack() -> None:
    images = [{"colour": 0.0}, {}, {}]
    assert look(images)[0].startswith("grey")
    assert look(images, channels=1) == [""] * 3


def test_tiny_is_a_matter_of_the_resolution() -> None:
    images = [{"side": 30}, {"side": 200}]
    assert look(images, resolution=64) == ["", ""]
    assert look(images, resolution=128)[0].startswith("tiny: enlarged 4.3 times")


def test_unknown_numbers_break_no_bound() -> None:
    nothing = dict.fromkeys(GOOD, float("nan"))
    assert look([nothing, {}, {}], STRICT) == [""] * 3
    without = judge(
        ["a", "b"],
        ["1", "2"],
        {},
        np.zeros((2, 32), np.uint64),
        replace(STRICT, near=0),
        resolution=64,
        channels=3,
    )
    assert without == ["", ""]


def test_the_reason_that_explains_most_comes_first() -> None:
    black = {"brightness": 0.0, "contrast": 0.0, "detail": 0.0, "colour": 0.0}
    one_colour = {"contrast": 0.0, "detail": 0.0}
    enlarged = {"side": 8.0, "detail": 0.3}
    reasons = look([black, one_colour, enlarged, *[{}] * 6])
    assert [reason.partition(":")[0] for reason in reasons[:3]] == ["dark", "flat", "tiny"]


# ---- copies


def judged(
    images: Pixels,
    cleaning: Cleaning = STANDARD,
    *,
    names: Sequence[str] | None = None,
    digests: Sequence[str] | None = None,
    **columns: Sequence[float],
) -> dict[str, str]:
    names = names or [chr(ord("a") + place) for place in range(len(images))]
    known: dict[str, Any] = measure(images) | {"side": np.full(len(images), 64.0)}
    known |= {name: np.array(values, np.float32) for name, values in columns.items()}
    reasons = judge(
        names, digests or names, known, sign(images), cleaning, resolution=64, channels=3
    )
    return dict(zip(names, reasons, strict=True))


@pytest.fixture(scope="module")
def small(scenes: Pixels) -> Pixels:
    return scenes[:, 40:104, 40:104]


def test_of_equal_files_the_first_by_name_is_kept(small: Pixels) -> None:
    images = small[[0, 0, 1, 0, 2, 3, 4]]
    names, digests = ["c", "a", "d", "b", "e", "f", "g"], ["1", "1", "2", "1", "3", "4", "5"]
    reasons = judged(images, names=names, digests=digests)
    assert reasons["b"] == reasons["c"] == "duplicate: of a"
    assert not any(reasons[name] for name in "adefg")
    lenient = judged(images, replace(NONE, near=0.04), names=names, digests=digests)
    assert lenient["b"] == lenient["c"] == "near duplicate: of a, 0.000 apart"
    assert not any(judged(images, NONE, names=names, digests=digests).values())


def test_near_duplicates_say_of_what_and_how_near(small: Pixels) -> None:
    images = np.concatenate([small[:5], small[:1, :, ::-1] // 2 + 60])
    reasons = judged(images)
    assert reasons == dict.fromkeys("abcde", "") | {"f": reasons["f"]}
    text, apart = reasons["f"].rsplit(", ", 1)
    assert text == "near duplicate: of a"
    assert 0 <= float(apart.removesuffix(" apart")) < 0.04
    assert not any(judged(images, replace(STANDARD, near=0)).values())


@pytest.mark.parametrize(
    ("columns", "best"),
    [
        ({}, "a"),
        ({"detail": [0.7, 0.7, 0.9, 0.7]}, "c"),
        ({"detail": [0.72, 0.72, 0.78, 0.72]}, "a"),
        ({"detail": [0.7, 0.7, 0.9, 0.7], "side": [64, 90, 64, 64]}, "b"),
        ({"side": [64, 90, 64, 64], "quality": [0.5, 0.5, 0.5, 0.6]}, "d"),
        ({"side": [64, 90, 64, 64], "quality": [0.5, np.nan, 0.5, 0.5]}, "a"),
    ],
    ids=str,
)
def test_of_near_duplicates_the_best_is_kept(
    columns: dict[str, list[float]], best: str, small: Pixels
) -> None:
    copies = np.stack([small[0] // 2 + shade for shade in (60, 62, 64, 66)])
    more = {name: [*values, 0.8, 0.8] for name, values in columns.items()}
    reasons = judged(np.concatenate([copies, small[1:3]]), **more)
    assert [name for name in "abcd" if not reasons[name]] == [best]
    assert all(f"of {best}," in reasons[name] for name in "abcd" if name != best)


def test_what_is_kept_of_copies_is_never_left_out_itself(small: Pixels) -> None:
    images = small[[0, 0, 0, 1, 2, 3]]
    digests = ["1", "1", "2", "3", "4", "5"]
    # The first two are one file, of low quality; the third is a near duplicate of theirs.
    reasons = judged(
        images,
        replace(STANDARD, quality=0.3),
        digests=digests,
        quality=[0.1, 0.1, 0.2, 0.9, 0.9, 0.9],
    )
    assert all(reasons[name].startswith("low quality") for name in "abc")
    reasons = judged(
        images,
        replace(STANDARD, quality=0.15),
        digests=digests,
        quality=[0.1, 0.1, 0.2, 0.9, 0.9, 0.9],
    )
    assert reasons["c"] == ""


def test_the_order_of_images_does_not_matter(small: Pixels) -> None:
    copies = np.concatenate([small[:6], small[:3] // 2 + 60, small[:2, :, ::-1], small[:2]])
    names = [f"{place:02d}" for place in range(len(copies))]
    digests = [*names[:-2], *names[:2]]
    straight = judged(copies, names=names, digests=digests)
    kinds = sorted(reason.partition(":")[0] for reason in straight.values())
    assert kinds == [""] * 6 + ["duplicate"] * 2 + ["near duplicate"] * 5
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(names))
        shuffled = judged(
            copies[order],
            names=[names[place] for place in order],
            digests=[digests[place] for place in order],
        )
        assert shuffled == straight


def test_nothing_is_judged() -> None:
    none = np.zeros((0, 32), np.uint64)
    assert judge([], [], {}, none, STANDARD, resolution=64, channels=3) == []


# ---- text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("standard", STANDARD),
        ("none", NONE),
        ("standard()", STANDARD),
        ("standard(blurred=0.5, near=0)", replace(STANDARD, blurred=0.5, near=0)),
        (" none ( duplicates = 1 )", replace(NONE, duplicates=1)),
        ("standard(people=1,quality=3e-1)", replace(STANDARD, people=1, quality=0.3)),
    ],
)
def test_text_becomes_a_cleaning(text: str, expected: Cleaning) -> None:
    assert parse_cleaning(text) == expected


def test_the_shorter_text_is_written() -> None:
    assert str(STANDARD) == "standard"
    assert str(NONE) == "none"
    assert str(replace(STANDARD, near=0, blurred=0.5)) == "standard(near=0,blurred=0.5)"
    assert str(replace(NONE, duplicates=1)) == "none(duplicates=1)"


@given(st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6)), st.booleans())
def test_every_cleaning_survives_being_text(values: dict[str, float], standard: bool) -> None:
    cleaning = replace(STANDARD if standard else NONE, **values)
    assert parse_cleaning(str(cleaning)) == cleaning


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", "'' is not a cleaning"),
        ("strict", "'strict' is not a cleaning"),
        ("standard(near=0", "is not a cleaning"),
        ("standard(blurry=0.5)", "no cleaning called 'blurry' (did you mean 'blurred'?)"),
        ("standard(0.5)", "no cleaning called '0.5'"),
        ("standard(near)", "near was given ''"),
        ("standard(near=little)", "near was given 'little'"),
        ("standard(near=0,near=1)", "gives a number twice"),
        ("standard(near=0,)", "no cleaning called ''"),
        ("standard(near=-1)", "near was given -1.0"),
        ("standard(near=nan)", "near was given nan"),
        ("standard(near=inf)", "near was given inf"),
    ],
)
def test_other_text_is_refused_in_three_parts(text: str, given: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_cleaning(text)
    assert given in refused.value.given
    assert refused.value.needed
    assert refused.value.todo
