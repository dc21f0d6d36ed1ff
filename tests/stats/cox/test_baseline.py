"""Predicted shares against R's survival 3.5-3, their errors against first principles."""

import numpy as np
import pandas as pd
import pytest

from cxlab.errors import DataError
from cxlab.stats.cox import cox, cumulative_hazard, log_hazard, predicted_survival
from cxlab.stats.survival import product_limit
from tests.stats.cox.data import aml, lung, rossi

COVARIATES = ["age", "sex", "ph.ecog"]
SOMEBODY = pd.DataFrame([[60, 1, 1]], columns=COVARIATES, index=["him"])


def lung_fit(**how):
    return cox(lung()[COVARIATES], lung()["time"], lung()["status"], **how)


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ("efron", [0.8509388, 0.6859430, 0.3358634, 0.0673577]),
        ("breslow", [0.8512059, 0.6864894, 0.3365368, 0.0676246]),
    ],
)
def test_predicted_shares_of_lung_are_those_of_r(ties, expected):
    found = predicted_survival(lung_fit(ties=ties), SOMEBODY, [100, 180, 365, 730])
    assert found["estimate"].to_numpy() == pytest.approx(expected, abs=6e-8)  # as printed
    assert found["pattern"].unique().tolist() == ["him"]
    assert (found["conf_low"] < found["estimate"]).all()
    assert (found["estimate"] < found["conf_high"]).all()


def hazard_at(frame, beta, x0, until, *, strata=None):
    """Cumulative hazard with Efron ties, one event after the other; and the sum of squares."""
    x, time, event = frame[COVARIATES].to_numpy(), frame["time"], frame["status"]
    hazard = np.exp((x - x0) @ beta)
    steps = []
    for t in np.unique(time[(event == 1) & (time <= until)]):
        tied = ((time == t) & (event == 1)).to_numpy()
        d = int(tied.sum())
        steps += [1 / (hazard @ ((time >= t) - left / d * tied)) for left in range(d)]
    return sum(steps), sum(step**2 for step in steps)


@pytest.mark.parametrize("until", [100, 365, 730])
def test_the_variance_is_that_of_the_events_and_that_of_the_coefficients(until):
    fit, x0 = lung_fit(), SOMEBODY.to_numpy()[0]
    hazard, own = hazard_at(lung(), fit.coef, x0, until)
    slope = np.array(
        [(hazard_at(lung(), fit.coef + step, x0, until)[0]
          - hazard_at(lung(), fit.coef - step, x0, until)[0]) / 2e-5
         for step in 1e-5 * np.eye(3)]
    )  # fmt: skip
    se = np.sqrt(own + slope @ fit.covariance @ slope)
    found = predicted_survival(fit, SOMEBODY, [until], band="log").loc[0]
    assert found["estimate"] == pytest.approx(np.exp(-hazard), rel=1e-9)
    assert found["se"] == pytest.approx(np.exp(-hazard) * se, rel=1e-7)
    z = 1.959963984540054
    assert found["conf_low"] == pytest.approx(np.exp(-hazard - z * se), rel=1e-7)


def test_bands_agree_on_the_share_and_stay_within_0_and_1():
    at = [5, 100, 365, 883]
    found = {b: predicted_survival(lung_fit(), SOMEBODY, at, band=b)
             for b in ("log-log", "plain", "log")}  # fmt: skip
    for one in found.values():
        assert one["estimate"].tolist() == found["log"]["estimate"].tolist()
        assert ((one["conf_low"] >= 0) & (one["conf_high"] <= 1)).all()
    wide = found["log-log"].loc[2]
    ends = np.log(-np.log(wide[["conf_low", "estimate", "conf_high"]].to_numpy(dtype=float)))
    assert ends[0] - ends[1] == pytest.approx(ends[1] - ends[2])


def test_before_the_first_event_and_beyond_the_last_time_no_interval_is_claimed():
    found = predicted_survival(lung_fit(), SOMEBODY, [1, 1022, 1023])
    assert found["estimate"][0] == 1
    assert found.loc[0, ["se", "conf_low", "conf_high"]].isna().all()
    assert found.loc[1].notna().all()
    assert found.loc[2, ["estimate", "se", "conf_low", "conf_high"]].isna().all()


def test_a_covariate_without_effect_leaves_the_product_limit_of_hazards():
    """One covariate that is balanced at every time: exp(-H) with H the sum of d / n."""
    time, event = [1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 0, 0]
    fit = cox([0, 1, 0, 1, 0, 1], time, event, ties="breslow", frequency=[5] * 6)
    assert fit.coef[0] == pytest.approx(0, abs=1e-12)
    found = predicted_survival(fit, [[0.5]], [1, 2])
    assert found["estimate"].tolist() == pytest.approx([np.exp(-1 / 3), np.exp(-1 / 3 - 1 / 2)])
    # Not the product of 1 - d/n, which is lower.
    assert (product_limit(time, event).at([1, 2])["estimate"] < found["estimate"]).all()


def test_shares_of_those_who_stayed_so_long_are_ratios_of_shares():
    fit = lung_fit()
    two = pd.concat([SOMEBODY, SOMEBODY.assign(sex=2)])
    found = predicted_survival(fit, two, [90, 180], after=[100, 200])
    for row, (tenure, more) in enumerate([(100, 90), (100, 180), (200, 90), (200, 180)]):
        who = two.iloc[[row // 2]]
        early, late = predicted_survival(fit, who, [tenure, tenure + more])["estimate"]
        assert found["estimate"][row] == pytest.approx(late / early, rel=1e-12)
    at_birth = predicted_survival(fit, two, [90, 180], after=0)
    pd.testing.assert_frame_equal(at_birth, predicted_survival(fit, two, [90, 180]))
    assert predicted_survival(fit, SOMEBODY, [30], after=1000)["estimate"].isna().all()
    # Its error is that of the events and of the coefficients after 100 alone.
    x0 = SOMEBODY.to_numpy()[0]

    def grown(beta):
        late, early = (hazard_at(lung(), beta, x0, t) for t in (190, 100))
        return late[0] - early[0], late[1] - early[1]

    hazard, own = grown(fit.coef)
    slope = np.array([(grown(fit.coef + d)[0] - grown(fit.coef - d)[0]) / 2e-5
                      for d in 1e-5 * np.eye(3)])  # fmt: skip
    se = np.exp(-hazard) * np.sqrt(own + slope @ fit.covariance @ slope)
    assert found["se"][0] == pytest.approx(se, rel=1e-7)


def test_the_log_hazard_ranks_and_is_relative_to_the_mean():
    fit = lung_fit()
    found = log_hazard(fit, lung())
    assert found.mean() == pytest.approx(0, abs=1e-12)
    assert found[0] - found[1] == pytest.approx(
        (lung()[COVARIATES].iloc[0] - lung()[COVARIATES].iloc[1]) @ fit.coef
    )


def test_each_stratum_has_its_baseline():
    frame = lung()
    fit = cox(frame[["age", "sex"]], frame["time"], frame["status"], strata=frame["ph.ecog"])
    with pytest.raises(DataError, match=r"stratum must be one of \[0.0, 1.0, 2.0, 3.0\]"):
        predicted_survival(fit, [[60, 1]], [100])
    alone = frame[frame["ph.ecog"] == 1]
    x, beta = alone[["age", "sex"]].to_numpy() - [60, 1], fit.coef
    found = predicted_survival(fit, [[60, 1]], [365], stratum=1)["estimate"][0]
    hazard = 0.0
    for t in np.unique(alone["time"][(alone["status"] == 1) & (alone["time"] <= 365)]):
        tied = ((alone["time"] == t) & (alone["status"] == 1)).to_numpy()
        weight = np.exp(x @ beta)
        for left in range(int(tied.sum())):
            hazard += 1 / (weight @ ((alone["time"] >= t) - left / tied.sum() * tied))
    assert found == pytest.approx(np.exp(-hazard), rel=1e-9)


def test_the_baseline_at_the_mean_is_that_of_a_customer_with_mean_covariates():
    fit = lung_fit()
    base = cumulative_hazard(fit)
    mean = lung()[COVARIATES].mean().to_frame().T
    found = predicted_survival(fit, mean, base["time"])
    assert np.exp(-base["estimate"].to_numpy()) == pytest.approx(found["estimate"].to_numpy())
    assert base["time"].is_monotonic_increasing
    assert base["estimate"].is_monotonic_increasing


def test_counted_rows_predict_what_listed_rows_predict():
    frame = rossi()[["fin", "week", "arrest"]]
    short = frame.value_counts().reset_index()
    x = pd.DataFrame({"fin": [0, 1]})
    listed = cox(frame[["fin"]], frame["week"], frame["arrest"])
    counted = cox(short[["fin"]], short["week"], short["arrest"], frequency=short["count"])
    one, two = (predicted_survival(f, x, [10, 25, 52]) for f in (listed, counted))
    pd.testing.assert_frame_equal(one, two, rtol=1e-10)


def test_with_a_cluster_for_each_person_errors_are_nearly_those_of_the_model():
    rng = np.random.default_rng(11)
    n = 3000
    x = rng.integers(0, 2, n).astype(float)
    time = np.ceil(-np.log(rng.random(n)) * 10 * np.exp(-0.5 * x))
    stop, event = np.minimum(time, 12), (time <= 12).astype(int)
    one = predicted_survival(cox(x, stop, event), [[0], [1]], [3, 6, 12])
    own = cox(x, stop, event, cluster=np.arange(n))
    two = predicted_survival(own, [[0], [1]], [3, 6, 12])
    assert two["se"].to_numpy() == pytest.approx(one["se"].to_numpy(), rel=0.04)
    # Everyone twice: the same error as once, where the model takes it for half the variance.
    x2, s2, e2 = np.tile(x, 2), np.tile(stop, 2), np.tile(event, 2)
    twice = cox(x2, s2, e2, cluster=np.tile(np.arange(n), 2), ties="breslow")
    once = cox(x, stop, event, cluster=np.arange(n), ties="breslow")
    a, b = (predicted_survival(f, [[0], [1]], [3, 6], after=[0, 4]) for f in (once, twice))
    pd.testing.assert_frame_equal(a, b, rtol=1e-8)


def test_what_is_no_pattern_is_refused():
    fit = cox(aml()[["x"]], aml()["time"], aml()["event"])
    with pytest.raises(DataError, match=r"patterns must have the covariates \['x'\], but lack"):
        predicted_survival(fit, pd.DataFrame({"y": [1]}), [10])
    with pytest.raises(DataError, match="one finite number for each of"):
        predicted_survival(fit, [[1, 2]], [10])
    with pytest.raises(DataError, match="band must be"):
        predicted_survival(fit, [[1]], [10], band="wide")
