"""Exact ties against R's survival 3.5-3, and against writing every set of people down."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cxlab.errors import ConvergenceError, DataError
from cxlab.stats.cox import cox, exact_cox
from cxlab.stats.cox.exact import TiedSet, exact_likelihood, tied_sets
from cxlab.stats.survival import log_rank
from tests.stats.cox.data import aml, ovarian


def test_aml_is_that_of_r():
    """coxph(Surv(time, status) ~ x, aml, ties = "exact")."""
    fit = exact_cox(aml()[["x"]], aml()["time"], aml()["event"])
    # R stops short of the optimum by its own tolerance.
    assert (fit.coef[0], fit.se[0]) == pytest.approx((0.9217608692, 0.5162484008), rel=1e-5)
    assert (fit.loglik_null, fit.loglik) == pytest.approx((-40.64539772, -38.96354701), abs=1e-6)
    assert (fit.n, fit.events) == (23, 18)


def test_its_score_test_of_two_groups_is_the_log_rank_test():
    """Both take the events of one time for drawn from those at risk, without replacement."""
    near = cox(aml()[["x"]], aml()["time"], aml()["event"])
    _, slope, curve = exact_likelihood(tied_sets(near.risk), np.zeros(1))
    found = log_rank(aml()["time"], aml()["event"], 1 - aml()["event"], group=aml()["x"])
    assert slope[0] ** 2 / curve[0, 0] == pytest.approx(found.statistic, rel=1e-10)


def test_without_ties_it_is_efrons():
    columns = ovarian()[["age", "rx"]], ovarian()["time"], ovarian()["event"]
    one, other = exact_cox(*columns), cox(*columns)
    assert one.coef == pytest.approx(other.coef, rel=1e-9)
    pd.testing.assert_frame_equal(one.table(), other.table(), rtol=1e-8)
    assert (one.loglik_null, one.loglik) == pytest.approx((other.loglik_null, other.loglik))


people = st.lists(
    st.tuples(st.integers(-3, 3), st.floats(-2, 2), st.booleans()), min_size=2, max_size=8
)


@settings(deadline=None)
@given(people, st.floats(-2, 2), st.floats(-2, 2))
def test_the_likelihood_is_that_of_all_sets_written_down(rows, first, second):
    x = np.array([row[:2] for row in rows], dtype=float)
    had = np.array([row[2] for row in rows])
    assume(had.any())
    beta = np.array([first, second])
    sums = np.array([x[list(s)].sum(axis=0) for s in combinations(range(len(x)), had.sum())])
    share = np.exp(sums @ beta)
    share /= share.sum()
    mean = share @ sums
    value, slope, curve = exact_likelihood([TiedSet(x, had)], beta)
    expected = x[had].sum(axis=0) @ beta - np.log(np.exp(sums @ beta).sum())
    assert value == pytest.approx(expected, abs=1e-9)
    assert slope == pytest.approx(x[had].sum(axis=0) - mean, abs=1e-9)
    spread = (share[:, None] * (sums - mean)).T @ (sums - mean)
    assert curve == pytest.approx(spread, abs=1e-8)  # a difference of squares up to 24^2


def test_within_steps_it_finds_the_odds_ratio_and_efron_the_ratio_of_hazards():
    """Half leave at each renewal, or three in four: odds of e, and hazards of 1.9, to one."""
    rng = np.random.default_rng(3)
    x = np.arange(300) % 2
    leaves = rng.random((300, 5)) < 1 / (1 + np.exp(-x[:, None]))
    stop, had = np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, 5), leaves.any(axis=1)
    with pytest.raises(DataError, match=r"at most 50,000, but they come to"):
        exact_cox(x, stop, had)
    few = slice(0, 200)
    exact = exact_cox(x[few], stop[few], had[few]).table().iloc[0]
    efron = cox(x[few], stop[few], had[few]).table().iloc[0]
    hazards = np.log1p(np.e) / np.log(2)  # -log of the chance to stay
    assert exact["conf_low"] < np.e < exact["conf_high"]
    assert efron["conf_low"] < hazards < efron["conf_high"] < np.e


def test_late_entries_and_strata_are_compared_with_those_there():
    frame = aml().assign(entry=np.where(np.arange(23) % 3 == 0, 4.0, 0.0))
    whole = exact_cox(frame[["x"]], frame["time"], frame["event"])
    late = exact_cox(frame[["x"]], frame["time"], frame["event"], entry=frame["entry"])
    assert late.coef == pytest.approx(whole.coef)  # all are there before the first event at 5
    twice = pd.concat([frame.assign(s=0), frame.assign(s=1)])
    both = exact_cox(twice[["x"]], twice["time"], twice["event"], strata=twice["s"])
    assert both.coef == pytest.approx(whole.coef)
    assert both.loglik == pytest.approx(2 * whole.loglik)


def test_where_those_with_the_event_had_the_most_there_is_no_maximum():
    # 3 and 2 left before 1 and 0: more of x never lost. Efron compares 2 with 3 as well.
    rows = [3, 2, 1, 0], [1, 1, 2, 3], [1, 1, 1, 0]
    assert np.isfinite(cox(*rows).coef).all()
    with pytest.raises(ConvergenceError, match="keeps rising with the coefficient of 'x1'"):
        exact_cox(*rows)


def test_events_of_all_at_risk_tell_nothing():
    with pytest.raises(DataError, match="must vary among those at risk together"):
        exact_cox([0, 1, 2], [1, 1, 1], [1, 1, 1])
