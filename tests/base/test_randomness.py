import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from facesmith.base.randomness import permutation, step_seed, stream_key, uniforms


@settings(max_examples=60)
@given(
    start=st.integers(0, 2**70),
    count=st.integers(1, 20),
    width=st.integers(1, 9),
    cut=st.integers(0, 20),
)
def test_a_batch_may_be_cut_anywhere(start, count, width, cut):
    cut = min(cut, count)
    whole = uniforms(5, "latents", start=start, count=count, width=width)
    first = uniforms(5, "latents", start=start, count=cut, width=width)
    rest = uniforms(5, "latents", start=start + cut, count=count - cut, width=width)
    assert whole.shape == (count, width)
    np.testing.assert_array_equal(whole, np.concatenate([first, rest]))


def test_no_two_samples_share_a_number():
    drawn = uniforms(0, "latents", start=0, count=500, width=7)
    assert len(np.unique(drawn)) == drawn.size


def test_far_indices_do_not_wrap_to_near_ones():
    near = uniforms(0, "latents", start=0, count=3, width=4)
    for far in (2**32, 2**63, 2**64, 2**65):
        assert not np.isin(uniforms(0, "latents", start=far, count=3, width=4), near).any()


def test_the_numbers_are_even_in_the_open_unit_interval():
    drawn = uniforms(3, "flips", start=0, count=20_000, width=2)
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert stats.kstest(drawn[:, 0], "uniform").pvalue > 1e-3
    assert stats.kstest(drawn[:, 1], "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    "one, other",
    [
        ((0, "latents"), (1, "latents")),
        ((0, "latents"), (0, "flips")),
        ((1, "1/a"), (11, "/a")),
        ((0, "latents"), (-1, "latents")),
    ],
)
def test_streams_and_seeds_are_uncorrelated(one, other):
    a = uniforms(*one, start=0, count=20_000, width=1)[:, 0]
    b = uniforms(*other, start=0, count=20_000, width=1)[:, 0]
    # The correlation of 20,000 independent pairs has a standard deviation of 0.007.
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03
    assert not np.isin(a, b).any()


def test_neighbouring_samples_are_uncorrelated():
    drawn = uniforms(0, "latents", start=0, count=20_001, width=1)[:, 0]
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.03


def test_the_numbers_never_change_between_versions_or_processes():
    # Pinned: a run that is resumed with a newer facesmith or numpy must go on with the same draws.
    drawn = uniforms(0, "latents", start=7, count=1, width=2)
    np.testing.assert_array_equal(drawn, [[0.33668724294915153, 0.35586026803825166]])
    assert permutation(0, "order/epoch-0", 6).tolist() == [3, 2, 4, 1, 5, 0]
    assert step_seed(0, "layers", 64) == 2237007943936127817


@given(st.integers(0, 300), st.integers(0, 5))
def test_a_permutation_holds_each_index_once(size, epoch):
    order = permutation(0, f"order/epoch-{epoch}", size)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(size))


def test_permutations_differ_by_seed_and_stream_alone():
    orders = {
        (seed, epoch): tuple(permutation(seed, f"order/epoch-{epoch}", 50))
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(set(orders.values())) == 9
    assert tuple(permutation(2, "order/epoch-1", 50)) == orders[2, 1]


def test_each_place_of_a_permutation_holds_each_item_equally_often():
    counts = np.zeros((5, 5))
    for epoch in range(2000):
        counts[np.arange(5), permutation(0, str(epoch), 5)] += 1
    assert stats.chisquare(counts, axis=None, ddof=8).pvalue > 1e-3


def test_step_seeds_fit_torch_and_differ():
    seeds = {step_seed(s, stream, i) for s in (0, 1) for stream in "ab" for i in range(250)}
    assert len(seeds) == 1000
    assert min(seeds) >= 0
    assert max(seeds) < 2**63
    assert max(seeds) > 2**62  # and use the range


def test_a_stream_key_has_128_bits():
    keys = [stream_key(seed, "latents") for seed in range(200)]
    assert 2**127 < max(keys) < 2**128
    assert len({key % 2**64 for key in keys}) == 200
