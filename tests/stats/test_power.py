"""How small a difference could have been seen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.power import (
    cohen_h,
    detectable_mean_difference,
    detectable_nps_difference,
    detectable_share_difference,
    power_of_means,
    power_of_shares,
    size_for_shares,
)


def test_twelve_against_ten_percent_needs_the_published_number_of_answers():  # R's pwr
    assert cohen_h(0.12, 0.10) == pytest.approx(0.0639821030, abs=5e-11)  # as printed
    assert size_for_shares(0.12, 0.10) == pytest.approx(3834.595740, abs=5e-7)


@pytest.mark.parametrize(
    ("n", "n_before", "power"),
    [(80, 80, 0.5996777), (80, 245, 0.7532924)],  # R's pwr, h = .3, one-sided at 5 %
)
def test_power_of_shares_is_the_published_one(n, n_before, power):
    # One-sided at 5 % is two-sided at 10 % but for the far tail, below 3e-4 here.
    found = power_of_shares(0.3, n, n_before, level=0.90)
    assert 0 <= found - power < 3e-4


def test_power_of_means_is_the_published_one():
    # From R for 20 answers each; it leaves out the far tail of 2e-7.
    assert power_of_means(1, 20, 20) == pytest.approx(0.8689528, abs=3e-7)
    # R's sample size for power .9, as printed.
    assert power_of_means(1, 22.02110, 22.02110) == pytest.approx(0.9, abs=1e-6)


@given(st.floats(0.01, 0.99), st.integers(10, 10**6), st.integers(10, 10**6))
def test_the_detectable_difference_is_on_the_scale_and_shrinks_with_answers(share, n, n_before):
    here = detectable_share_difference(share, n, n_before)
    more = detectable_share_difference(share, 4 * n, 4 * n_before)
    assert 0 < here <= 1
    assert more <= here


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_test_has_the_power_asked_for_at_the_detectable_difference(share):
    gap = detectable_share_difference(share, 300, 500)
    other = share + gap if share + gap <= 1 else share - gap
    reached = min(
        power_of_shares(cohen_h(p, share), 300, 500)
        for p in (share + gap, share - gap)
        if 0 <= p <= 1
    )
    assert other >= 0
    assert reached == pytest.approx(0.8, abs=1e-9)  # solved to 1e-14 in the distance


@given(
    st.floats(0.01, 100),
    st.integers(2, 10**5),
    st.integers(2, 10**5),
    st.sampled_from([0.8, 0.95, 0.99, 0.9999]),
)
def test_the_detectable_mean_difference_has_the_power_asked_for(sd, n, n_before, level):
    gap = detectable_mean_difference(sd, n, n_before, level=level)
    assert power_of_means(gap / sd, n, n_before, level=level) == pytest.approx(
        0.8, abs=1e-6
    )  # root to 1e-12


@pytest.mark.parametrize("d", [0.0, 1.0, 3.0, 10.0, 100.0])
@pytest.mark.parametrize("n", [2, 20, 1000, 10**6])
def test_power_is_a_chance_however_far_the_means_lie_apart(d, n):
    assert 0.04 < power_of_means(d, n, n) <= 1  # 0.05 of false alarms at no distance


def test_the_detectable_change_of_a_score_follows_its_standard_error():
    gap = detectable_nps_difference(0.64, 200, 200)
    assert gap == pytest.approx(
        100 * 2.8015852 * math.sqrt(0.64 * 2 / 200), rel=1e-5
    )  # 1.96 + 0.84


def test_an_empty_sample_is_refused():
    with pytest.raises(DataError, match="nothing to compare"):
        detectable_share_difference(0.5, 0, 100)
