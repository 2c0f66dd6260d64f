"""The pace of a run: what is due when."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesmith.training.run import Run


@pytest.mark.parametrize(
    ("images", "record_every", "probes"),
    [
        (8_000, 1_000, 1_000),
        (64_000, 1_000, 1_000),
        (100_000, 1_000, 2_000),
        (5_000_000, 1_000, 4_000),
    ],
)
def test_each_record_of_a_short_run_is_probed_and_one_in_four_of_a_long_one(
    images: int, record_every: int, probes: int
) -> None:
    run = Run(Path("run"), images, record_every=record_every)
    assert run.probe_every == probes
    rounds = range(0, min(images, 20_000), 32)
    probed = [now + 32 for now in rounds if run.is_probed(now, now + 32)]
    assert len(probed) == min(images, 20_000) // probes
    # A probe without a record would be thrown away.
    assert all(run.has_occasion(now - 32, now) for now in probed)


def test_the_end_of_a_run_is_probed() -> None:
    assert Run(Path("run"), 5_000_000).is_probed(4_999_968, 5_000_000)
