"""Odds ratios against R's printed output, scipy, and what must hold whatever the counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio as exact

from cxlab.errors import DataError
from cxlab.stats.odds import odds_ratio


def test_fishers_tea_tasting_is_worked_by_hand():
    # Of four cups three are named right: the counts of 0 to 4 are as 1, 16, 36, 16 and 1.
    found, p = odds_ratio(3, 1, 1, 3)
    ways = np.array([1, 16, 36, 16, 1.0])

    def chance(ratio):
        weights = ways * ratio ** np.arange(5)
        return weights / weights.sum()

    assert chance(found.estimate) @ np.arange(5) == pytest.approx(3)
    assert chance(found.low)[3:].sum() == pytest.approx(0.025)
    assert chance(found.high)[:4].sum() == pytest.approx(0.025)
    assert p == pytest.approx(34 / 70)
    # R prints 6.408309 (0.2117329 to 621.9337505): its roots are found to 1e-4 of their scale.
    assert found.estimate == pytest.approx(6.408309, rel=1e-4)
    assert (found.low, found.high) == pytest.approx((0.2117329, 621.9337505), rel=0.01)


@pytest.mark.parametrize("counts", [(1200, 7000, 1500, 9000), (4000, 1100, 1050, 2000)])
def test_large_tables_have_normal_limits_that_agree_with_the_exact_ones(counts):
    found, p = odds_ratio(*counts)
    assert "Woolf" in found.method
    table = np.array(counts).reshape(2, 2)
    ends = exact(table).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=5e-3)
    assert p == pytest.approx(fisher_exact(table).pvalue, abs=0.02)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_small_tables_agree_with_scipy(counts):
    table = np.array(counts).reshape(2, 2)
    if not (table.sum(axis=0).all() and table.sum(axis=1).all()):
        return
    found, _ = odds_ratio(*counts)
    known = exact(table)
    ends = known.confidence_interval(0.95)
    assert found.estimate == pytest.approx(known.statistic, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=1e-6)


@given(st.lists(st.integers(1, 40), min_size=4, max_size=4))
def test_to_turn_the_table_is_to_turn_the_ratio(counts):
    a, b, c, d = counts
    one, p = odds_ratio(a, b, c, d)
    other, again = odds_ratio(c, d, a, b)
    assert one.estimate * other.estimate == pytest.approx(1, rel=1e-6)
    assert one.low * other.high == pytest.approx(1, rel=1e-6)
    assert p == pytest.approx(again)
    assert one.low <= one.estimate <= one.high


@pytest.mark.parametrize(("a", "b", "c", "d"), [(0, 0, 3, 4), (-1, 2, 3, 4), (0.5, 2, 3, 4)])
def test_what_is_no_table_of_counts_is_refused(a, b, c, d):
    with pytest.raises(DataError):
        odds_ratio(a, b, c, d)
