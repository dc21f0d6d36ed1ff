"""Differences and ratios of two estimates."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.counts import poisson_count, poisson_total
from cxlab.stats.differences import (
    mover_difference,
    mover_ratio,
    newcombe,
    nps_difference,
    relative_change,
    welch,
)
from cxlab.stats.intervals import Interval, clopper_pearson, wilson

cases = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [  # Newcombe (1998b), table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_newcombe_gives_the_published_intervals(now, before, low, high):
    found = newcombe(*now, *before)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)  # as printed


@given(cases, cases)
def test_a_difference_of_shares_stays_on_the_scale_and_turns_round(now, before):
    found, turned = newcombe(*now, *before), newcombe(*before, *now)
    assert -1 - 1e-12 <= found.low <= found.estimate <= found.high <= 1 + 1e-12
    assert found.low == pytest.approx(-turned.high, abs=1e-12)


@given(cases, cases, st.floats(0.01, 1))
def test_customers_who_answer_twice_alike_make_a_difference_surer(now, before, correlation):
    now_, before_ = wilson(*now), wilson(*before)
    apart = mover_difference(now_, before_)
    linked = mover_difference(now_, before_, correlation=correlation)
    assert linked.high - linked.low <= apart.high - apart.low + 1e-12


def test_intervals_of_two_levels_are_not_mixed():
    with pytest.raises(DataError, match="one level"):
        mover_difference(wilson(5, 10), wilson(5, 10, level=0.9))


def test_welch_gives_the_published_statistic():
    # R: t.test(extra ~ group, data = sleep): t -1.8608135, df 17.776474
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    sums = [(len(x), sum(x), sum(v * v for v in x)) for x in (first, second)]
    found = welch(*sums)
    assert found.estimate / found.se == pytest.approx(-1.8608135, abs=5e-8)  # as printed
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)


def test_welch_of_two_constants_has_no_width_but_stands():
    found = welch((3, 15, 75), (4, 12, 36))
    assert (found.estimate, found.low, found.high) == (2, 2, 2)


def test_a_mean_of_one_answer_cannot_be_compared():
    with pytest.raises(DataError, match="at least 2 observations, but they have 1 and 5"):
        welch((1, 3, 9), (5, 15, 50))


def test_a_change_of_scores_does_not_collapse_where_all_agree():
    found = nps_difference((20, 0, 0), (20, 0, 0))
    assert found.low < 0 < found.high


def test_a_ratio_of_counts_has_an_interval_close_to_the_exact_one():
    # Given their sum, the first of two equal counts is binomial with a half.
    exact = clopper_pearson(120, 220)
    odds = [end / (1 - end) for end in (exact.low, exact.high)]
    found = mover_ratio(poisson_count(120), poisson_count(100))
    assert found.estimate == pytest.approx(1.2, rel=1e-12)
    # Two methods for one thing: they agree to half a percent at counts of a hundred.
    assert (found.low, found.high) == pytest.approx(odds, rel=0.005)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_relative_change_holds_its_estimate_and_never_falls_below_minus_one(now, before):
    found = relative_change(poisson_count(now), poisson_count(before))
    assert -1 <= found.low <= found.estimate <= found.high
    assert found.estimate == pytest.approx(now / before - 1, abs=1e-12)


def test_a_change_of_totals_does_not_depend_on_the_currency():
    def change(rate):
        return relative_change(
            poisson_total(600 * rate, 9_000 * rate**2, n=50),
            poisson_total(500 * rate, 8_000 * rate**2, n=40),
        )

    here, there = change(1.0), change(15_000.0)
    assert (here.low, here.high) == pytest.approx((there.low, there.high), rel=1e-9)


def test_nothing_before_leaves_no_ratio():
    with pytest.raises(DataError, match="Report the difference instead"):
        relative_change(poisson_count(5), poisson_count(0))


def test_a_total_that_may_be_negative_leaves_no_ratio():
    refunds = poisson_total(-5, 100, n=4)
    with pytest.raises(DataError, match="Report the difference instead"):
        mover_ratio(refunds, poisson_total(50, 100, n=4))


def test_a_denominator_that_may_be_zero_leaves_no_upper_end():
    now, before = poisson_count(3), Interval(estimate=2, low=0, high=7, n=2, method="m")
    found = mover_ratio(now, before)
    assert found.high == math.inf
    assert 0 <= found.low <= found.estimate


def test_a_correlated_ratio_ends_where_the_correlated_difference_touches_zero():
    now, before = poisson_total(600, 7_000, n=60), poisson_total(500, 6_000, n=55)
    tied = mover_ratio(now, before, correlation=0.6)
    for end in (tied.low, tied.high):
        scaled = replace(
            before, estimate=end * before.estimate, low=end * before.low, high=end * before.high
        )
        gap = mover_difference(now, scaled, correlation=0.6)
        # One of the two ends of the difference is zero at each end of the ratio.
        assert min(abs(gap.low), abs(gap.high)) == pytest.approx(0, abs=1e-9)
    free = mover_ratio(now, before)
    assert free.low < tied.low < tied.estimate < tied.high < free.high
