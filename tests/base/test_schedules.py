import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesmith.base.errors import UsageError
from facesmith.base.registry import own
from facesmith.base.schedules import (
    Constant,
    Cosine,
    Cyclic,
    Decay,
    Linear,
    Schedule,
    Switch,
    Warmup,
    schedule,
)

# Each schedule with values worked out by hand: (schedule, {images seen: value}).
TABLES = [
    (Constant(2e-4), {0: 2e-4, 10**9: 2e-4}),
    (Linear(1.0, 3.0, 200), {0: 1.0, 50: 1.5, 100: 2.0, 199: 2.99, 200: 3.0, 10**9: 3.0}),
    (Linear(1.0, 3.0, 200, begin=100), {0: 1.0, 100: 1.0, 150: 1.5, 300: 3.0, 301: 3.0}),
    (Linear(1.0, 3.0, 0, begin=100), {0: 1.0, 99: 1.0, 100: 3.0}),
    (
        Cosine(4.0, 0.0, 300),
        {0: 4.0, 50: 2 + math.sqrt(3), 100: 3.0, 150: 2.0, 200: 1.0, 300: 0.0, 999: 0.0},
    ),
    (Cosine(4.0, 0.0, 300, begin=60), {0: 4.0, 60: 4.0, 160: 3.0, 210: 2.0, 360: 0.0}),
    (Decay(8.0, 0.5, 100), {0: 8.0, 99: 8.0, 100: 4.0, 199: 4.0, 200: 2.0, 300: 1.0}),
    (Decay(8.0, 0.5, 100, floor=3.0), {0: 8.0, 100: 4.0, 200: 3.0, 10**6: 3.0}),
    (Switch(2e-4, 2e-5, 1000), {0: 2e-4, 999: 2e-4, 1000: 2e-5, 10**9: 2e-5}),
    (Cyclic(1.0, 5.0, 400), {0: 1.0, 100: 3.0, 200: 5.0, 300: 3.0, 350: 2.0, 400: 1.0, 600: 5.0}),
    (Warmup(100, Constant(8.0)), {0: 0.0, 25: 2.0, 50: 4.0, 100: 8.0, 10**6: 8.0}),
    (Warmup(100, Decay(8.0, 0.5, 50)), {0: 0.0, 25: 2.0, 50: 2.0, 75: 3.0, 100: 2.0}),
]

number = st.floats(-1e6, 1e6)
images = st.integers(1, 10**9)
schedules = st.one_of(
    st.builds(Constant, number),
    st.builds(Linear, number, number, images, images),
    st.builds(Cosine, number, number, images, images),
    st.builds(Decay, number, st.floats(0, 1), images, st.floats(0, 1)),
    st.builds(Switch, number, number, images),
    st.builds(Cyclic, number, number, images),
    st.builds(Warmup, images, st.builds(Cosine, number, number, images)),
    st.builds(Warmup, images, st.builds(Constant, number)),
)


@pytest.mark.parametrize("chosen, table", TABLES, ids=lambda v: str(v) if callable(v) else "")
def test_a_schedule_gives_the_values_worked_out_by_hand(chosen, table):
    assert {seen: chosen(seen) for seen in table} == pytest.approx(table, rel=1e-12, abs=1e-15)


def test_every_registered_schedule_has_a_table():
    assert {type(chosen) for chosen, _ in TABLES} == set(own(Schedule))


@given(schedules)
def test_a_schedule_survives_being_written_and_read(chosen):
    assert schedule(str(chosen)) == chosen


@given(schedules, st.integers(0, 10**12))
def test_a_schedule_is_finite_everywhere(chosen, seen):
    assert math.isfinite(chosen(seen))


@given(schedules, st.integers(0, 10**12))
def test_half_a_schedule_is_half_of_it_at_any_time(chosen, seen):
    # Its numbers are rounded to six digits, of which a difference of large ones keeps few.
    largest = max(abs(value) for value in chosen.bounds())
    half = chosen.scaled(0.5)(seen)
    assert half == pytest.approx(chosen(seen) / 2, abs=1e-5 * largest + 1e-12)


@pytest.mark.parametrize("chosen, table", TABLES, ids=lambda v: str(v) if callable(v) else "")
def test_three_times_a_schedule_is_three_times_its_table(chosen, table):
    larger = {seen: chosen.scaled(3.0)(seen) for seen in table}
    assert larger == pytest.approx({seen: 3 * value for seen, value in table.items()})


@given(schedules, st.integers(0, 10**12))
def test_a_schedule_stays_between_its_own_numbers(chosen, seen):
    inner = chosen.then if isinstance(chosen, Warmup) else chosen
    ends = [value for value in vars(inner).values() if isinstance(value, float)]
    assert min(0, *ends) - 1e-9 <= chosen(seen) <= max(0, *ends) + 1e-9


@given(schedules, st.integers(0, 10**12))
def test_a_schedule_stays_within_its_bounds(chosen, seen):
    low, high = chosen.bounds()
    assert low - 1e-9 <= chosen(seen) <= high + 1e-9


@pytest.mark.parametrize(
    "chosen, bounds",
    [
        (Constant(3.0), (3, 3)),
        (Linear(1.0, -2.0, 10), (-2, 1)),
        (Cosine(1.0, 4.0, 10, begin=5), (1, 4)),
        (Decay(2.0, floor=0.5), (0.5, 2)),
        (Decay(-2.0, floor=-1.0), (-1, 0)),
        (Switch(1.0, 2.0, 5), (1, 2)),
        (Cyclic(2.0, 1.0, 4), (1, 2)),
        (Warmup(5, Linear(1.0, 2.0, 10)), (0, 2)),
    ],
)
def test_bounds_are_tight(chosen, bounds):
    assert chosen.bounds() == bounds


@pytest.mark.parametrize(
    "text, meant",
    [
        ("2e-4", Constant(2e-4)),
        (" 0.5 ", Constant(0.5)),
        ("44k", Constant(44_000.0)),
        ("cosine(4e-4, 1e-5, 500k)", Cosine(4e-4, 1e-5, 500_000)),
        ("Linear(0, 1, 2.5M, begin=1k)", Linear(0.0, 1.0, 2_500_000, 1000)),
        ("decay(2e-4)", Decay(2e-4, 0.95, 100_000, 0.0)),
        ("warmup(10k, switch(2e-4, 2e-5, 1M))", Warmup(10_000, Switch(2e-4, 2e-5, 1_000_000))),
        ("warmup(10k, 2e-4)", Warmup(10_000, Constant(2e-4))),
    ],
)
def test_a_schedule_is_read_from_text(text, meant):
    assert schedule(text) == meant


@pytest.mark.parametrize(
    "value, text", [(2e-4, "0.0002"), (44_000.0, "44000"), (1_234_567.0, "1234567.0")]
)
def test_a_constant_is_written_short_and_exact(value, text):
    assert str(Constant(value)) == text


@pytest.mark.parametrize(
    "text", ["hinge", "true", "True", "", "(1, 2)", "2e-4 and more", "cosin(1)"]
)
def test_text_that_is_no_schedule_is_refused(text):
    with pytest.raises(UsageError):
        schedule(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["start", "end"])
def test_a_number_that_is_not_finite_is_refused(field, value):
    with pytest.raises(UsageError, match=rf"Linear\.{field} was given"):
        replace(Linear(1.0, 2.0, 10), **{field: value})


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: Cyclic(0.0, 1.0, 0), "period"),
        (lambda: Decay(1.0, every=0), "every"),
        (lambda: Decay(1.0, factor=1.01), "factor"),
        (lambda: Decay(1.0, factor=-0.5), "factor"),
        (lambda: Linear(0.0, 1.0, -1), "over"),
        (lambda: Cosine(0.0, 1.0, 1, begin=-1), "begin"),
        (lambda: Switch(0.0, 1.0, -1), "at"),
        (lambda: Warmup(-1, Constant(1.0)), "over"),
    ],
)
def test_a_number_that_would_break_the_formula_is_refused(make, name):
    with pytest.raises(UsageError, match=rf"\.{name} was given"):
        make()
