"""Renewals with covariates of cohorts: against fits apart, fits together, and made-up cohorts."""

import numpy as np
import pandas as pd
import pytest

from cxlab.errors import ConvergenceError, DataError, ParameterError
from cxlab.stats.customer_base import (
    fit_cohort_renewals,
    fit_cohorts,
    fit_renewals,
    fit_retention,
)
from cxlab.stats.customer_base.maximum import slopes
from cxlab.stats.customer_base.renewal_law import log_survival, renewal_likelihood
from tests.stats.customer_base.test_retention import HIGH_END, REGULAR

WON = pd.DataFrame({"regular": [0, 1]})
MODELS = pytest.mark.parametrize("model", ["sBG", "BdW"])


def made(rng, law, size, renewals):
    """Survivors of a cohort whose renewals follow a law."""
    share = np.exp(log_survival(np.array(law), np.arange(renewals + 1.0)))
    left = [size]
    for chance in share[1:] / share[:-1]:
        left.append(int(rng.binomial(left[-1], chance)))
    return left


EVERY = pytest.mark.parametrize("model", ["sBG", "BdW", "geometric"])


@EVERY
def test_a_covariate_for_each_cohort_is_a_fit_of_each_apart(model):
    # Cohorts of 100,000, so that the third parameter of BdW has a maximum in both.
    cohorts = [100 * np.array(HIGH_END), 100 * np.array(REGULAR[:10])]
    both = fit_cohorts(cohorts, WON, model=model)
    apart = [fit_retention(cohort, model=model) for cohort in cohorts]
    assert both.log_likelihood == pytest.approx(sum(a.log_likelihood for a in apart), rel=1e-12)
    for at, alone in enumerate(apart):
        mine = both.of({"regular": at})
        assert mine.params == pytest.approx(alone.params, rel=1e-6)  # a climb ends within 1e-7
        assert mine.n == alone.n
        frame = mine.curve(15)
        # Errors are second differences of a likelihood, good to five digits.
        pd.testing.assert_frame_equal(frame, alone.curve(15), rtol=1e-5)
        ours, theirs = (f.further_renewals(3, discount_rate=0.1) for f in (mine, alone))
        assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], rel=1e-5)


@MODELS
def test_without_covariates_the_fit_is_that_of_all_together(model):
    at_risk = np.array([[1000, 869, 743, 653], [500, 315, 230, 0]])
    lost = np.array([[131, 126, 90, 60], [185, 85, 40, 0]])
    found = fit_cohort_renewals(at_risk, lost, pd.DataFrame(index=[0, 1]), model=model)
    pooled = fit_renewals(at_risk.sum(axis=0), lost.sum(axis=0), model=model)
    assert found.log_likelihood == pooled.log_likelihood  # the same search, to the last digit
    assert found.theta.tolist() == pooled.theta.tolist()
    assert found.of().params == pooled.params
    assert found.of().covariance().to_numpy() == pytest.approx(pooled.covariance().to_numpy())


@EVERY
def test_the_gradient_is_that_of_the_likelihood(model):
    law = {"sBG": [0.8, 3.0], "BdW": [0.8, 3.0, 1.2], "geometric": [0.1]}[model]
    at_risk, lost = np.array([900.0, 0.0, 600.0, 400.0]), np.array([90.0, 0.0, 70.0, 30.0])
    theta = np.log(law)
    _, gradient = renewal_likelihood(theta, at_risk, lost)
    apart = slopes(lambda u: np.atleast_1d(renewal_likelihood(u, at_risk, lost)[0]), theta)[:, 0]
    assert gradient == pytest.approx(apart, rel=1e-6, abs=1e-5)  # of a central difference


@MODELS
def test_the_search_ends_where_no_coefficient_gains(model):
    """By differences of the likelihood of each cohort at the coefficients as given."""
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"large": [0, 1, 0, 1], "year": [2015, 2015, 2016, 2018]})
    laws = [(1.0, 5.0), (1.5, 4.0), (1.2, 6.0), (1.8, 9.0)]
    cohorts = [made(rng, law, 50_000, 8 - i) for i, law in enumerate(laws)]
    fit = fit_cohorts(cohorts, table, model=model)
    x = np.column_stack([np.ones(4), table])

    def height(theta):
        logs = x @ theta.reshape(-1, 3).T
        each = zip(logs, (np.array(c, dtype=float) for c in cohorts), strict=True)
        return sum(renewal_likelihood(row, c[:-1], -np.diff(c))[0] for row, c in each)

    assert fit.converged
    assert height(fit.theta) == pytest.approx(fit.log_likelihood, abs=1e-6)
    errors = np.sqrt(np.diag(fit.covariance_log))
    for k in range(len(errors)):
        step = 0.5 * errors[k] * np.eye(len(errors))[k]
        assert max(height(fit.theta + step), height(fit.theta - step)) < fit.log_likelihood


def test_the_truth_is_within_its_intervals_as_often_as_promised():
    """Two covariates, six cohorts of different ages; 60 times."""
    truth = np.array([[0.0, 0.5, -0.4], [1.5, -0.3, 0.6]])  # alpha, beta: constant, large, online
    table = pd.DataFrame({"large": [0, 1, 0, 1, 0, 1], "online": [0, 0, 1, 1, 0, 1]})
    laws = np.exp(np.column_stack([np.ones(6), table]) @ truth.T)
    asked = {"large": 1.0, "online": 0.0}
    left = np.exp(log_survival(np.exp(truth @ [1, 1, 0]), np.array([15.0])))[0]
    rng, held = np.random.default_rng(11), []
    for _ in range(60):
        cohorts = [made(rng, law, 1500, 9 - i) for i, law in enumerate(laws)]
        fit = fit_cohorts(cohorts, table)
        rows = fit.table()
        inside = np.exp(truth.ravel())
        each = (rows["conf_low"] <= inside) & (inside <= rows["conf_high"])
        last = fit.of(asked).curve(15).iloc[-1]
        held.append([*each, last["conf_low"] <= left <= last["conf_high"]])
    often = np.sum(held, axis=0)
    assert (often >= 50).all()  # 57 are to be expected; fewer than 50 have a chance below 0.2 %
    assert often.mean() <= 59.5


def test_the_test_finds_a_difference_and_invents_none():
    rng = np.random.default_rng(3)
    alike, unlike = [], []
    for _ in range(200):
        same = [made(rng, (1.0, 6.0), 800, 7 - i) for i in (0, 2)]
        other = [same[0], made(rng, (1.0, 4.0), 800, 5)]
        alike.append(fit_cohorts(same, WON).test().p_value)
        unlike.append(fit_cohorts(other, WON).test().p_value)
    # 10 of 200 are to be expected at 5 %; more than 21 have a chance below 0.1 %.
    assert np.sum(np.array(alike) < 0.05) <= 21
    assert np.mean(unlike) < 0.01
    found = fit_cohorts([HIGH_END[:8], REGULAR[:8]], WON).test()
    plain = fit_renewals(
        np.array(HIGH_END[:7]) + REGULAR[:7], -np.diff(HIGH_END[:8]) - np.diff(REGULAR[:8])
    )
    apart = sum(fit_retention(c[:8]).log_likelihood for c in (HIGH_END, REGULAR))
    assert found.statistic == pytest.approx(2 * (apart - plain.log_likelihood), rel=1e-9)
    assert found.df == 2


def test_covariates_are_tested_one_by_one_or_together():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"large": [0, 1, 0, 1], "noise": [0, 0, 1, 1]})
    cohorts = [made(rng, (1.0, 6.0) if i % 2 else (1.0, 3.0), 3000, 8) for i in range(4)]
    fit = fit_cohorts(cohorts, table)
    assert fit.test(["large"]).p_value < 1e-6 < 0.001 < fit.test(["noise"]).p_value
    assert fit.test().df == 4
    with pytest.raises(ParameterError, match="region"):
        fit.test(["region"])
    with pytest.raises(ParameterError, match="region"):
        fit.of({"region": 1})


def test_a_unit_of_measurement_changes_no_number_of_a_cohort():
    table = pd.DataFrame({"fee": [10.0, 20.0, 30.0]})
    rng = np.random.default_rng(6)
    cohorts = [made(rng, (a, 5.0), 4000, 8) for a in (1.0, 1.3, 1.6)]
    one = fit_cohorts(cohorts, table).of({"fee": 25.0})
    other = fit_cohorts(cohorts, 1000 * table + 5e5).of({"fee": 525_000.0})
    pd.testing.assert_frame_equal(one.curve(12), other.curve(12), rtol=1e-6)
    assert one.n == 12_000  # no cohort has just this fee


def test_what_cannot_be_told_apart_is_refused():
    three = [HIGH_END, REGULAR, REGULAR]
    with pytest.raises(DataError, match=r"'sold online' .* follows from online"):
        fit_cohorts(three, pd.DataFrame({"online": [0, 1, 1], "sold online": [0, 1, 1]}))
    with pytest.raises(DataError, match=r"'year' .* follows from a constant"):
        fit_cohorts(three, pd.DataFrame({"year": [2018, 2018, 2018]}))
    with pytest.raises(DataError, match=r"not\. Give each level"):
        fit_cohorts(three, pd.DataFrame({"plan": ["a", "b", "c"]}))
    with pytest.raises(DataError, match="missing"):
        fit_cohorts(three, pd.DataFrame({"fee": [1.0, np.nan, 2.0]}))
    with pytest.raises(DataError, match="one row per row of covariates"):
        fit_cohorts(three, WON)
    with pytest.raises(ParameterError, match="sBG, BdW, geometric"):
        fit_cohorts(three[:2], WON, model="Weibull")


def test_a_cohort_that_says_too_little_gives_a_reason_and_no_number():
    # One renewal of the second cohort cannot tell two parameters.
    fit = fit_cohorts([HIGH_END[:8], [500, 300]], WON)
    assert not fit.converged
    for ask in (fit.table, fit.test, fit.of({"regular": 1}).table):
        with pytest.raises(ConvergenceError, match="did not converge"):
            ask()
    nobody = fit_cohorts([HIGH_END[:8], [500, 500, 500]], WON, model="geometric")
    assert "churn, regular falls without end" in nobody.reason
