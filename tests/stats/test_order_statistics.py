"""Ranks that enclose a quantile, against scipy, print and the rows themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from cxlab.stats.order_statistics import binomial_quantile, median_of_counts


@given(
    p=st.floats(0.001, 0.999), n=st.integers(1, 100_000), share=st.sampled_from([0.25, 0.5, 0.75])
)
def test_the_quantile_of_a_binomial_is_that_of_scipy(p, n, share):
    assert binomial_quantile(p, n, share) == binom.ppf(p, n, share)


@pytest.mark.parametrize("at", range(17))
def test_a_probability_that_a_count_reaches_exactly_gives_that_count(at):
    assert binomial_quantile(float(binom.cdf(at, 16, 0.5)), 16, 0.5) == at


@pytest.mark.parametrize(("n", "low", "high"), [(8, 1, 8), (10, 2, 9), (15, 4, 12), (25, 8, 18)])
def test_the_medians_ranks_are_those_of_the_sign_test(n, low, high):
    # Greatest rank r with P(B < r) at most 2.5 % for B binomial(n, 1/2), worked by hand.
    found = median_of_counts(range(1, n + 1), [1] * n)
    assert (found.low, found.high) == (low, high)
    assert binom.cdf(low - 1, n, 0.5) <= 0.025 < binom.cdf(low, n, 0.5)


@given(st.lists(st.integers(-60, 60), min_size=6, max_size=80))
def test_the_median_of_counts_is_that_of_the_rows_and_lies_inside(days):
    values, counts = np.unique(days, return_counts=True)
    found = median_of_counts(values, counts)
    assert found.estimate == sorted(days)[(len(days) + 1) // 2 - 1]
    assert found.low <= found.estimate <= found.high
