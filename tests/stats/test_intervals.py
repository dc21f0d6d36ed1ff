"""Intervals of one share or mean, against print and against what must always hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, clopper_pearson, constant_mean, t_mean, wilson

counts = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.255289, 0.366210),  # Newcombe (1998), table I, to six digits from R
        (0, 20, 0, 0.161125),
        (1, 29, 0.006113, 0.171755),
        (180, 200, 0.850594, 0.934330),
        (15, 148, 0.062386, 0.160487),
        (29, 29, 0.883030, 1),
        (0, 10, 0, 0.277533),
        (50, 100, 0.403832, 0.596168),
    ],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    found = wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-7)  # as printed


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.252737, 0.367622), (1, 29, 0.000873, 0.177644)],  # Newcombe (1998)
)
def test_clopper_pearson_gives_the_published_intervals(successes, n, low, high):
    found = clopper_pearson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-7)  # as printed


@given(counts)
def test_an_interval_of_a_share_holds_the_share_and_stays_between_0_and_1(case):
    for method in (wilson, clopper_pearson):
        found = method(*case)
        assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(counts)
def test_the_share_of_the_others_has_the_mirrored_interval(case):
    successes, n = case
    for method in (wilson, clopper_pearson):
        found, mirrored = method(successes, n), method(n - successes, n)
        # Rounding of the incomplete beta function and of 1 - x.
        assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)


@given(counts, st.floats(0.1, 0.99))
def test_fewer_independent_answers_widen_the_interval(case, worth):
    successes, n = case
    full, part = wilson(successes, n), wilson(successes, n, n_eff=n * worth)
    assert part.high - part.low > full.high - full.low
    assert part.estimate == full.estimate
    assert "effective n" in part.method


@pytest.mark.parametrize(
    ("successes", "n"), [(3, 2), (-1, 5), (0, 0), (math.nan, 4), (1, math.nan)]
)
def test_an_impossible_share_is_refused(successes, n):
    with pytest.raises(DataError, match=r"numerator must lie|at least one case"):
        wilson(successes, n)


def test_the_mean_has_students_interval():
    # R: t.test(sleep$extra[1:10]): mean 0.75, interval -0.5297804 to 2.0297804
    extra = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    found = t_mean(len(extra), sum(extra), sum(x * x for x in extra))
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (0.75, -0.5297804, 2.0297804),
        abs=5e-8,  # as printed by R
    )


def test_a_mean_of_one_answer_is_refused():
    with pytest.raises(DataError, match="at least 2 observations"):
        t_mean(1, 5, 25)


def test_answers_that_all_agree_still_leave_room_for_doubt():
    found = constant_mean(12, 4.0, scale_min=1, scale_max=5)
    none_of_12 = wilson(0, 12).high
    assert found.low == pytest.approx(4 - 3 * none_of_12, rel=1e-12)
    assert found.high == pytest.approx(4 + none_of_12, rel=1e-12)


def test_clipping_moves_the_ends_only():
    found = Interval(estimate=100.0, low=47.5, high=106.3, n=10, method="m").clip(-100, 100)
    assert (found.estimate, found.low, found.high) == (100.0, 47.5, 100.0)
