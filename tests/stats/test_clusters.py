"""Answers of one customer resemble each other, and are worth less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.clusters import (
    ClusterSums,
    cluster_difference,
    cluster_mean,
    covariance,
    effective_n,
)
from cxlab.stats.intervals import t_mean

people = st.lists(
    st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=2, max_size=30
)  # the answers of each customer


def sums_of(answers):
    n = np.array([len(a) for a in answers], dtype=float)
    y = np.array([sum(a) for a in answers], dtype=float)
    return ClusterSums(
        customers=len(n), n=n.sum(), total=y.sum(), n_n=n @ n, n_total=n @ y, total_total=y @ y
    )


@given(st.lists(st.integers(1, 5), min_size=2, max_size=50))
def test_customers_who_answer_once_give_the_plain_t_interval(values):
    found = cluster_mean(sums_of([[v] for v in values]))
    plain = t_mean(len(values), sum(values), sum(v * v for v in values))
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (plain.estimate, plain.low, plain.high),
        abs=1e-6,  # root of a rounded zero variance
    )
    assert found.method == plain.method == "t interval"


@given(people)
def test_the_variance_is_the_one_computed_customer_by_customer(answers):
    sums = sums_of(answers)
    residuals = np.array([sum(a) - sums.mean * len(a) for a in answers])
    by_hand = (residuals**2).sum() / sums.n**2 * len(answers) / (len(answers) - 1)
    assert sums.variance == pytest.approx(by_hand, abs=1e-12)  # sums of squares cancel


def test_saying_everything_twice_adds_nothing():
    once = [[5], [3], [4], [1], [5]]
    twice = [a + a for a in once]
    assert cluster_mean(sums_of(twice)).se == pytest.approx(cluster_mean(sums_of(once)).se)
    assert "clusters" in cluster_mean(sums_of(twice)).method


@given(people)
def test_the_effective_n_never_exceeds_the_answers(answers):
    sums, single = sums_of(answers), np.concatenate(answers)
    size = effective_n(sums, float(single.var()))
    assert 0 < size <= sums.n
    if not sums.repeated:
        assert size == sums.n


def test_the_covariance_of_a_period_with_itself_is_its_variance():
    answers = [[5, 4], [3], [4, 4, 2], [1], [5]]
    sums = sums_of(answers)
    found = covariance(
        sums, sums, customers=5, n_n=sums.n_n, n_total=sums.n_total,
        total_n=sums.n_total, total_total=sums.total_total,
    )  # fmt: skip
    assert found == pytest.approx(sums.variance, rel=1e-12)


def test_what_two_means_share_narrows_their_difference():
    now, before = sums_of([[5, 4], [3], [4, 4, 2]]), sums_of([[5], [2], [3, 4]])
    apart = cluster_difference(now, before)
    shared = 0.5 * now.variance
    tied = cluster_difference(now, before, shared=shared)
    assert tied.estimate == apart.estimate
    assert tied.se**2 == pytest.approx(apart.se**2 - 2 * shared)
    # A period against itself cannot have changed.
    assert cluster_difference(now, now, shared=now.variance).se == 0


def test_one_customer_has_no_interval():
    with pytest.raises(DataError, match="at least 2 customers"):
        cluster_mean(sums_of([[5, 5, 4]]))
