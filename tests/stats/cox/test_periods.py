"""Hazard ratios by period: each period is a Cox regression of its own."""

import numpy as np
import pandas as pd
import pytest

from cxlab.errors import ConvergenceError, DataError
from cxlab.stats.cox import cox, cox_by_period, period_name
from tests.stats.cox.data import heart, lung

NAMES = ["age", "sex"]


def of_lung(**how):
    return cox_by_period(lung()[NAMES], lung()["time"], lung()["status"], **how)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_each_period_is_a_regression_of_its_own_where_all_ratios_may_change(ties):
    """The likelihood is a product over times, so a cut takes it apart."""
    frame = lung().assign(time=np.ceil(lung()["time"] / 30))
    cuts = [6, 12]
    whole = cox_by_period(frame[NAMES], frame["time"], frame["status"], cuts=cuts, ties=ties)
    loglik = 0.0
    for p, (low, high) in enumerate([(0, 6), (6, 12), (12, 99)]):
        there = frame[frame["time"] > low]
        alone = cox(
            there[NAMES], there["time"].clip(upper=high),
            there["status"] * (there["time"] <= high), ties=ties,
        )  # fmt: skip
        places = [whole.names.index(period_name(name, cuts, p)) for name in NAMES]
        assert whole.coef[places] == pytest.approx(alone.coef, rel=1e-8)
        assert whole.se[places] == pytest.approx(alone.se, rel=1e-8)
        loglik += alone.loglik
    assert whole.loglik == pytest.approx(loglik, rel=1e-10)
    assert (whole.n, whole.events) == (227, 164)  # people, not pieces


def test_periods_have_names_that_say_when():
    fit = of_lung(cuts=[180, 365], changing=["sex"])
    assert fit.names == ["age", "sex until 180", "sex 180 to 365", "sex after 365"]


def test_no_change_allowed_is_the_plain_regression():
    fit = of_lung(cuts=[365], changing=[])
    plain = cox(lung()[NAMES], lung()["time"], lung()["status"])
    assert fit.coef == pytest.approx(plain.coef, rel=1e-9)
    assert fit.loglik == pytest.approx(plain.loglik, rel=1e-12)


def test_two_periods_are_compared_with_the_error_of_their_difference():
    fit = of_lung(cuts=[365], changing=["sex"])
    before, after = (fit.hazard_ratio(f"sex {when} 365") for when in ("until", "after"))
    change = fit.contrast({"sex after 365": 1, "sex until 365": -1})
    assert change.estimate == pytest.approx(after.estimate / before.estimate)
    # The same people twice, but different events: nearly independent.
    assert change.se == pytest.approx(np.hypot(before.se, after.se), rel=0.01)


def test_counted_rows_with_late_entries_and_clusters_say_what_listed_rows_say():
    frame = heart()[["surgery", "transplant", "start", "stop", "event", "id"]]
    frame = frame.assign(start=np.floor(frame["start"] / 30), stop=np.ceil(frame["stop"] / 30))
    twice = pd.concat([frame, frame.assign(id=frame["id"] + 1000)])
    how = {"cuts": [4], "changing": ["surgery"]}
    x = ["surgery", "transplant"]
    listed, counted = (
        cox_by_period(
            t[x], t["stop"], t["event"], entry=t["start"], cluster=t["id"], alike=alike, **how
        )
        for t, alike in ((twice, None), (frame, np.full(len(frame), 2)))
    )
    assert counted.coef == pytest.approx(listed.coef, rel=1e-9)
    assert counted.covariance == pytest.approx(listed.covariance, rel=1e-9)
    assert counted.n == listed.n == 2 * len(frame)


def test_a_period_without_events_of_a_level_is_named():
    frame = lung().assign(rare=((lung()["time"] <= 200) & (lung().index % 3 == 0)).astype(int))
    frame.loc[frame.index[frame["status"] == 0][:5], "rare"] = 1
    with pytest.raises(ConvergenceError, match=r"'rare after 200' \(down\)"):
        cox_by_period(frame[["age", "rare"]], frame["time"], frame["status"], cuts=[200])


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"cuts": []}, "one or more ascending times"),
        ({"cuts": [9, 9]}, "one or more ascending times"),
        ({"cuts": [5000]}, "inside the times observed .up to 1022."),
        ({"cuts": [100], "changing": ["weight"]}, r"changing must name covariates .* \['weight'\]"),
    ],
)
def test_cuts_that_cannot_be_are_refused(how, match):
    with pytest.raises(DataError, match=match):
        of_lung(**how)
