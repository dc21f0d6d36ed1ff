"""What every estimator of survival must survive: nobody, one, all censored, halves, odd names."""

import numpy as np
import pandas as pd
import pytest

from cxlab.errors import DataError
from cxlab.stats import survival


def curve(time, d, c, group, risk):
    return survival.product_limit(time, d, c).table()


def hazard(time, d, c, group, risk):
    return survival.cumulative_hazard(survival.product_limit(time, d, c))


def mean(time, d, c, group, risk):
    found = survival.restricted_mean(survival.product_limit(time, d, c), 3)
    return pd.DataFrame([(found.estimate, found.low, found.high)])


def incidence(time, d, c, group, risk):
    return survival.cumulative_incidence(time, {"own": d, "none": np.zeros(len(d))}, c).table()


def ranks(time, d, c, group, risk):
    # The hypergeometric variance knows whole people only: n / (n - 1) is not that of halves.
    return survival.log_rank(time, d, c, group=group).table()


def gray(time, d, c, group, risk):
    return survival.compare_incidence(
        time, {"own": d, "none": np.zeros(len(d))}, c, cause="own", group=group
    ).table()


def order(time, d, c, group, risk):
    found = survival.concordance(time, d, c, risk=risk, weighting="uno").c
    return pd.DataFrame([(found.estimate,)])


def auc(time, d, c, group, risk):
    return survival.auc_table([3], survival.dynamic_auc(time, d, c, risk=risk, times=[3]))


def brier(time, d, c, group, risk):
    return survival.brier_scores(time, d, c, risk=risk, times=[3]).table()[["score", "null"]]


def chances(time, d, c, group, risk):
    return survival.calibration(time, d, c, risk=risk, horizon=3, groups=2).curve


ALL = [curve, hazard, mean, incidence, ranks, gray, order, auc, brier, chances]
TIME = np.array([1, 2, 2, 4, 5, 6.0])
HAD, CENSORED = np.array([2, 4, 0, 2, 0, 2.0]), np.array([0, 2, 2, 0, 4, 6.0])
GROUP = np.array(["été", "冬", "été", "冬", "été", "冬"])
RISK = np.array([0.9, 0.5, 0.4, 0.4, 0.3, 0.1])
ROWS = (TIME, HAD, CENSORED, GROUP, RISK)


@pytest.mark.parametrize("estimator", ALL)
def test_nobody_is_refused(estimator):
    with pytest.raises(DataError, match="nobody was counted"):
        estimator(*(x[:0] for x in ROWS))
    with pytest.raises(DataError, match="nobody was counted"):
        estimator(TIME, 0 * HAD, 0 * CENSORED, GROUP, RISK)


@pytest.mark.parametrize("estimator", ALL)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1])
def test_what_is_no_number_is_refused_and_its_row_named(estimator, wrong):
    for at, name in enumerate(("durations", "events", "censored")):
        rows = [x.copy() for x in ROWS]
        rows[at][3] = wrong
        with pytest.raises(DataError, match=f"{name} must be 0 or more, but row 3"):
            estimator(*rows)


@pytest.mark.parametrize("estimator", [x for x in ALL if x is not order])
def test_all_censored_is_no_error_but_a_short_answer(estimator):
    found = estimator(TIME, 0 * HAD, HAD + CENSORED, GROUP, RISK)
    assert len(found) > 0


def test_all_censored_orders_nobody_and_tells_no_groups_apart():
    with pytest.raises(DataError, match="no pair can be told"):
        order(TIME, 0 * HAD, HAD + CENSORED, GROUP, RISK)
    assert np.isnan(survival.log_rank(TIME, 0 * HAD, HAD, group=GROUP).p_value)
    assert np.isnan(survival.brier_scores(TIME, 0 * HAD, HAD, risk=RISK, times=[3]).skill)


@pytest.mark.parametrize("estimator", ALL)
def test_two_halves_are_one_and_rows_of_nobody_are_nothing(estimator):
    once = estimator(*ROWS)
    twice = estimator(TIME.repeat(2), HAD.repeat(2) / 2, CENSORED.repeat(2) / 2,
                      GROUP.repeat(2), RISK.repeat(2))  # fmt: skip
    pd.testing.assert_frame_equal(twice, once, rtol=1e-9, atol=1e-12)
    more = estimator(np.r_[TIME, 99], np.r_[HAD, 0], np.r_[CENSORED, 0], np.append(GROUP, "x"),
                     np.r_[RISK, np.nan])  # fmt: skip
    pd.testing.assert_frame_equal(more, once)


@pytest.mark.parametrize("estimator", ALL)
def test_inputs_are_left_as_they_were_and_lists_do_as_well(estimator):
    rows = [x.copy() for x in ROWS]
    once = estimator(*rows)
    assert all((x == y).all() for x, y in zip(rows, ROWS, strict=True))
    series = [pd.Series(x, index=range(10, 16)) for x in ROWS]
    pd.testing.assert_frame_equal(estimator(*series), once)


@pytest.mark.parametrize("estimator", ALL)
def test_another_unit_of_time_changes_times_only(estimator):
    if estimator in (mean, auc, brier, chances):  # they ask for a time
        return
    once, later = estimator(*ROWS), estimator(TIME * 7, *ROWS[1:])
    if "time" in once:
        assert (later["time"] == once["time"] * 7).all()
        once, later = once.drop(columns="time"), later.drop(columns="time")
    pd.testing.assert_frame_equal(later, once)


def test_one_person_is_enough_for_a_curve():
    found = survival.product_limit([5], [0], [1])
    assert found.share_at(5).low == pytest.approx(1 / (1 + 1.959964**2), rel=1e-6)
    had = survival.cumulative_incidence([5], {"a": [1], "b": [0]})
    assert had.incidence.tolist() == [[1, 0]]
