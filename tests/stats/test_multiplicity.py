"""p-values that were one of many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.multiplicity import benjamini_hochberg, clear_changes, holm

# Benjamini & Hochberg (1995), the fifteen p-values of their example.
PRINTED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
    0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
families = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_the_published_family_has_four_rejections_by_bh_and_three_by_holm():
    assert (benjamini_hochberg(PRINTED) <= 0.05).sum() == 4
    assert (holm(PRINTED) <= 0.05).sum() == 3


def test_bh_gives_the_published_adjusted_values():
    printed = [0.0015, 0.0030, 0.0095, 0.035625, 0.0603, 0.0638571429, 0.0638571429, 0.0645, 0.0765]
    assert benjamini_hochberg(PRINTED)[:9] == pytest.approx(printed, abs=5e-11)  # as printed


@given(families, st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    for adjust in (holm, benjamini_hochberg):
        shuffled = adjust([p[i] for i in order])
        assert shuffled.tolist() == adjust(p)[order].tolist()


@given(families)
def test_adjusted_values_lie_between_the_plain_ones_and_bonferronis(p):
    plain, worst = np.array(p), np.minimum(1, len(p) * np.array(p))
    by_holm, by_bh = holm(p), benjamini_hochberg(p)
    slack = 1e-12  # a product and a quotient by the same number
    assert (plain <= by_bh + slack).all()
    assert (by_bh <= by_holm + slack).all()
    assert (by_holm <= worst + slack).all()


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_value_that_is_no_p_value_is_refused_and_its_place_named(wrong):
    with pytest.raises(DataError, match="test 1 has"):
        holm([0.5, wrong])


def test_no_tests_have_no_adjusted_values():
    assert holm([]).shape == benjamini_hochberg([]).shape == (0,)


@settings(deadline=None)  # the first call imports scipy
@given(estimate=st.floats(-1, 1), below=st.floats(0.01, 1), above=st.floats(0.01, 1))
def test_one_difference_is_clear_when_its_interval_leaves_out_zero(estimate, below, above):
    low, high = estimate - below, estimate + above
    expected = low > 0 or high < 0
    if min(abs(low), abs(high)) > 1e-9:  # on the line itself rounding decides
        assert clear_changes([(estimate, low, high)]) == [expected]
