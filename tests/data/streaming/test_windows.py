"""The order in which a source is read without a pack."""

from __future__ import annotations

import numpy as np
import pytest

from facesmith.data.streaming.windows import MIXED, Windowed


@pytest.mark.parametrize(
    ("count", "window", "mixed"), [(53, 5, 3), (60, 5, 4), (7, 32, 64), (9, 1, 2)]
)
def test_an_epoch_is_cut_into_pools_of_whole_windows(count: int, window: int, mixed: int) -> None:
    order = Windowed(count, window, mixed)
    for epoch in range(3):
        start, seen = epoch * count, []
        while start < (epoch + 1) * count:
            pool = order.pool(start, seed=1)
            assert pool.start == start
            assert len(pool.windows) <= mixed
            rows = [list(one.rows) for one in pool.windows]
            assert all(
                one == list(range(one[0], one[-1] + 1)) and len(one) <= window for one in rows
            )
            together = [row for one in rows for row in one]
            assert together == sorted(together)  # read forwards
            assert sorted(pool.rows.tolist()) == together
            samples = range(pool.start, pool.end)
            assert all(pool.holds(sample) for sample in samples)
            assert not pool.holds(pool.start - 1) and not pool.holds(pool.end)
            for sample in samples:
                assert order.pool(sample, seed=1).rows.tolist() == pool.rows.tolist()
            seen += together
            start = pool.end
        assert start == (epoch + 1) * count
        assert sorted(seen) == list(range(count))


def test_pools_are_mixed_and_differ_between_epochs() -> None:
    order = Windowed(400, 4, 10)
    first, later = order.pool(0, seed=0), order.pool(400, seed=0)
    assert first.windows != later.windows
    neighbours = np.abs(np.diff(first.rows)) == 1
    assert neighbours.mean() < 0.2
    # A window is decoded anew for each pool: it may be in two that follow each other.
    small = Windowed(8, 4, 10)
    now, then = small.pool(0, seed=0), small.pool(8, seed=0)
    assert {w.rows for w in now.windows} == {w.rows for w in then.windows}
    assert not set(now.windows) & set(then.windows)


def test_a_source_that_lies_sorted_is_mixed_as_well_as_promised() -> None:
    count = 32 * MIXED * 40
    order = Windowed(count, 32)
    shares = []
    for seed in range(10):
        start = 0
        while start < count:
            pool = order.pool(start, seed=seed)
            shares.append((pool.rows < count / 2).mean())
            start = pool.end
    # 64 windows of one kind or the other, drawn without putting back.
    assert np.mean(shares) == pytest.approx(0.5)
    assert np.std(shares) == pytest.approx((0.25 / MIXED) ** 0.5, rel=0.12)
