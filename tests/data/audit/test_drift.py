from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from facesmith.data.audit import Audit, audit_images, drift
from facesmith.data.audit.contents import Shares
from facesmith.data.audit.drift import Change, holm, two_sided
from facesmith.data.portraits import draw_attributes, portraits, render

Images = NDArray[np.uint8]


def test_the_two_proportion_test_equals_the_chi_square_test() -> None:
    for before, after in (((12, 100), (7, 200)), ((500, 1000), (540, 1000)), ((3, 9), (3, 9))):
        change = Change("x", before, after)
        table = [[a, n - a] for a, n in (before, after)]
        expected = stats.chi2_contingency(table, correction=False).pvalue
        assert change.chance == pytest.approx(expected, rel=1e-9)
    assert Change("x", (0, 10), (0, 20)).chance == 1
    assert two_sided(1.959964) == pytest.approx(0.05, abs=1e-6)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        a, b = random.binomial(800, 0.2), random.binomial(500, 0.3)
        low, high = Change("x", (a, 800), (b, 500)).interval
        covered += low <= 0.1 <= high
    assert 0.93 < covered / 1000 < 0.97


def test_many_comparisons_are_corrected_as_holm_did() -> None:
    chances = [0.001, 0.04, 0.003, 0.2]
    # 0.001 <= 0.01/4, then 0.003 <= 0.01/3, then 0.04 > 0.01/2
    assert holm(chances, 0.01) == [True, False, True, False]
    assert holm([0.004, 0.001], 0.01) == [True, True]
    assert holm([], 0.01) == []
    random = np.random.default_rng(1)
    alarms = sum(any(holm(random.uniform(size=20).tolist(), 0.05)) for _ in range(2000))
    assert 0.03 < alarms / 2000 < 0.07


def test_other_samples_of_the_same_law_do_not_drift(healthy: Audit) -> None:
    for start in (1000, 2000, 3000):
        others, _ = portraits(np.arange(start, start + 300), 32)
        assert drift(healthy, audit_images(others)) == []


def test_a_tone_that_has_become_rare_is_reported_with_its_interval(healthy: Audit) -> None:
    attributes = draw_attributes(np.arange(1000, 1300))
    attributes["skin_tone"] *= 0.5
    found = drift(healthy, audit_images(render(attributes, 32)))
    [tones] = [finding for finding in found if finding.title.startswith("Darker skin ")]
    assert tones.severity == "serious"
    assert "%, lighter skin " in tones.title
    assert "of 300 in the samples, a difference of -" in tones.evidence
    assert "--balance" in tones.command


def test_a_small_but_certain_difference_is_not_reported(healthy: Audit) -> None:
    def with_darker(share: float) -> Audit:
        number = int(share * 1_000_000)
        tones = Shares(healthy.skin.tones.names, (1_000_000 - number, 0, 0, 0, number, 0))
        return replace(healthy, skin=replace(healthy.skin, tones=tones))

    assert drift(with_darker(0.20), with_darker(0.185)) == []
    assert len(drift(with_darker(0.20), with_darker(0.17))) == 1


def test_a_generator_that_has_collapsed(healthy: Audit, images: Images) -> None:
    few = images[np.arange(300) % 3]
    titles = " ".join(finding.title for finding in drift(healthy, audit_images(few)))
    assert "Copies of each other 0 % →" in titles
    assert "Less variety" in titles


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda images: (images * 0.7).astype(np.uint8), "Brightness is lower"),
        (lambda images: images // 2 + 64, "Contrast is lower"),
        (
            lambda images: images.mean(3, keepdims=True).repeat(3, 3).astype(np.uint8),
            "grey images 0 % → 100 %",
        ),
        (lambda images: 255 - images, "without skin in the middle 0 % →"),
    ],
)
def test_pictures_that_look_otherwise(
    healthy: Audit, images: Images, made: object, said: str
) -> None:
    assert callable(made)
    found = drift(healthy, audit_images(made(images)))
    assert any(said.lower() in finding.title.lower() for finding in found)
