"""Counts of events and totals of amounts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import pdtr, pdtrc

from cxlab.errors import DataError
from cxlab.stats.counts import poisson_count, poisson_total


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0, 3.689), (1, 0.025, 5.572), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)  # Garwood (1936), as tabulated
def test_a_count_has_garwoods_interval(count, low, high):
    found = poisson_count(count)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5.1e-4)  # as printed


@given(st.integers(1, 10_000))
def test_the_ends_of_a_count_leave_a_fortieth_on_each_side(count):
    found = poisson_count(count)
    # Own form of the definition: P(X >= count | low) = P(X <= count | high) = 0.025.
    assert pdtrc(count - 1, found.low) == pytest.approx(0.025, rel=1e-6)
    assert pdtr(count, found.high) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(1, 2_000), st.floats(0.01, 1e6))
def test_a_total_of_equal_parts_is_a_scaled_count(count, part):
    total = poisson_total(count * part, count * part**2, n=count)
    plain = poisson_count(count)
    # The gamma quantile is found by iteration, to about 1e-8.
    assert (total.low, total.high) == pytest.approx((part * plain.low, part * plain.high), rel=1e-6)


def test_unequal_parts_make_a_total_less_sure():
    equal = poisson_total(1000, 100 * 10**2, n=100)
    unequal = poisson_total(1000, 99 * 1 + 901**2, n=100)
    assert unequal.high - unequal.low > equal.high - equal.low


def test_more_refunds_than_sales_still_have_an_interval():
    found = poisson_total(-50, 400, n=9)
    assert (found.low + found.high) / 2 == pytest.approx(-50, rel=1e-12)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * 20, rel=1e-6)  # 1.96 rounded


@pytest.mark.parametrize("count", [-1, math.nan])
def test_an_impossible_count_is_refused(count):
    with pytest.raises(DataError, match="must be 0 or more"):
        poisson_count(count)


@pytest.mark.parametrize(
    ("total", "squares"), [(math.nan, 1), (1, -1), (1, math.nan), (math.inf, 1)]
)
def test_an_impossible_total_is_refused(total, squares):
    with pytest.raises(DataError, match="finite sum"):
        poisson_total(total, squares, n=1)
