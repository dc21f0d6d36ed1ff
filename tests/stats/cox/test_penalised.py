"""Penalised Cox regressions against lifelines, the plain fit, limits, and the next customers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.cox import absolute_risk, cox, penalised_cox, predicted_survival
from cxlab.stats.cox.likelihood import log_likelihood, moments, score
from tests.stats.cox.data import ROSSI, rossi

STOP, EVENT = "week", "arrest"


def fitted(frame, **how):
    return penalised_cox(frame[ROSSI], frame[STOP], frame[EVENT], **how)


@pytest.mark.parametrize("strength", [5.0, 50.0, 500.0])
def test_a_ridge_is_that_of_lifelines_on_single_rows(strength):
    """Its penalty is per row, and its standard deviation that of a sample (n - 1)."""
    from lifelines import CoxPHFitter

    n = len(rossi())
    other = CoxPHFitter(penalizer=strength / n * (n - 1) / n, l1_ratio=0.0)
    other.fit(rossi()[[*ROSSI, STOP, EVENT]], STOP, EVENT, fit_options={"precision": 1e-9})
    found = fitted(rossi(), strength=strength)
    assert found.coef == pytest.approx(other.params_.to_numpy(), rel=1e-6, abs=1e-8)
    assert found.loglik == pytest.approx(_loglik(found.coef), rel=1e-12)


def _loglik(coef):
    """Log-likelihood of one score alone, with the coefficient 1: that of the plain fit."""
    score = rossi()[ROSSI].to_numpy() @ coef
    fit = cox(score, rossi()[STOP], rossi()[EVENT])
    one = np.array([1.0]) * fit.scale
    return log_likelihood(fit.risk, one, moments(fit.risk, one, ties="efron"))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_counts_are_rows_with_entries_and_strata(ties):
    rng = np.random.default_rng(3)
    short = pd.DataFrame(
        {"a": rng.integers(0, 3, 60), "b": rng.normal(size=60).round(1),
         "entry": rng.integers(0, 4, 60), "more": rng.integers(1, 6, 60),
         "event": rng.integers(0, 2, 60), "group": rng.integers(0, 2, 60),
         "n": rng.integers(1, 5, 60)}
    )  # fmt: skip
    long = short.loc[short.index.repeat(short["n"])]
    one, two = (
        penalised_cox(
            rows[["a", "b"]], rows["entry"] + rows["more"], rows["event"], entry=rows["entry"],
            strata=rows["group"], frequency=f, ties=ties,
        )
        for rows, f in ((short, short["n"]), (long, None))
    )  # fmt: skip
    assert one.coef == pytest.approx(two.coef, rel=1e-10)
    assert (one.strength, one.effective) == pytest.approx((two.strength, two.effective), rel=1e-10)
    pd.testing.assert_frame_equal(one.path, two.path, rtol=1e-10)


def test_without_strength_it_is_the_plain_fit_and_with_all_of_it_nothing_is_left():
    plain, none, all_ = cox(rossi()[ROSSI], rossi()[STOP], rossi()[EVENT]), *(
        fitted(rossi(), strength=s) for s in (0.0, 1e12)
    )  # fmt: skip
    assert none.coef == pytest.approx(plain.coef, rel=1e-8)
    assert none.effective == len(ROSSI)
    assert all_.coef == pytest.approx(np.zeros(len(ROSSI)), abs=1e-8)
    assert all_.effective == pytest.approx(0, abs=1e-6)
    assert all_.loglik == pytest.approx(plain.loglik_null, abs=1e-6)


@given(unit=st.floats(1e-3, 1e3), zero=st.floats(-100, 100))
@settings(max_examples=15, deadline=None)
def test_units_do_not_matter(unit, zero):
    other = rossi().assign(age=rossi()["age"] * unit + zero)
    one, two = fitted(rossi(), strength=40.0), fitted(other, strength=40.0)
    scale = np.where(np.array(ROSSI) == "age", unit, 1.0)
    assert two.coef * scale == pytest.approx(one.coef, rel=1e-6)


def test_what_is_free_is_not_held_back():
    held = fitted(rossi(), strength=1e12, free=["age"])
    alone = cox(rossi()[["age"]], rossi()[STOP], rossi()[EVENT])
    assert held.coef[1] == pytest.approx(alone.coef[0], rel=1e-6)
    assert np.delete(held.coef, 1) == pytest.approx(np.zeros(len(ROSSI) - 1), abs=1e-8)
    assert held.effective == pytest.approx(1, abs=1e-6)


def test_the_strength_chosen_has_the_lowest_aic_and_the_effective_degrees_are_a_trace():
    found = fitted(rossi())
    path = found.path
    assert found.strength == path["strength"][path["aic"].idxmin()]
    assert path["aic"].to_numpy() == pytest.approx(2 * path["effective"] - 2 * path["loglik"])
    assert path["effective"].is_monotonic_increasing
    assert path["loglik"].is_monotonic_increasing
    again = fitted(rossi(), strength=found.strength)
    assert again.coef == pytest.approx(found.coef, rel=1e-8)
    # The trace of I (I + P)^-1, the information by differences of the slope of the likelihood.
    risk, beta = found.risk, found.climbed.beta
    steps = 1e-5 * np.eye(len(beta))
    told = np.array(
        [score(risk, moments(risk, beta - s, ties="efron"))
         - score(risk, moments(risk, beta + s, ties="efron")) for s in steps]
    ) / 2e-5  # fmt: skip
    trace = np.trace(told @ np.linalg.inv(told + found.strength * np.eye(len(beta))))
    assert found.effective == pytest.approx(trace, rel=1e-6)


def test_aic_chooses_about_what_leaving_out_each_in_turn_chooses():
    """Cross-validated partial likelihood (Verweij & van Houwelingen 1993), one left out."""
    frame = rossi().iloc[:150]
    found = fitted(frame)
    tried = found.path.iloc[6:17:2]
    left_out = np.zeros(len(tried))
    for at, strength in enumerate(tried["strength"]):
        for i in range(0, len(frame), 3):
            some = frame.drop(index=frame.index[i])
            fit = fitted(some, strength=strength)
            left_out[at] += _partial(frame, fit.coef) - _partial(some, fit.coef)
    aic = -tried["aic"].to_numpy() / 2
    best = int(np.argmax(left_out))
    # What the other would choose is not far below the best: half a unit of log-likelihood.
    assert aic.max() - aic[best] < 0.5


def _partial(frame, coef):
    hazard = np.exp(frame[ROSSI].to_numpy() @ coef)
    total = 0.0
    for week in frame.loc[frame[EVENT] == 1, STOP].unique():
        tied = ((frame[STOP] == week) & (frame[EVENT] == 1)).to_numpy()
        left, d = hazard[(frame[STOP] >= week).to_numpy()].sum(), int(tied.sum())
        total += np.log(hazard[tied]).sum()
        total -= np.log(left - np.arange(d) / d * hazard[tied].sum()).sum()
    return total


def test_with_much_noise_the_next_customers_are_foretold_better():
    """Two covariates of thirty tell something: log-likelihood of fresh customers, 12 times."""
    rng, won, gained = np.random.default_rng(5), 0, 0.0
    for _ in range(12):
        x = rng.normal(size=(2200, 30))
        time = np.ceil(rng.exponential(40 / np.exp(0.5 * x[:, 0] - 0.4 * x[:, 1])))
        stop, event = np.minimum(time, 26), (time <= 26).astype(int)
        seen, fresh = slice(0, 200), slice(200, None)
        later = pd.DataFrame({"stop": stop[fresh], "event": event[fresh]})
        fits = [f(x[seen], stop[seen], event[seen]) for f in (cox, penalised_cox)]
        one, two = (_told(fit, x[fresh], later) for fit in fits)
        won, gained = won + (two < one), gained + (one - two)
    assert won >= 10
    assert gained > 0


def _told(fit, x, later):
    """Mean of the squared error of the chance to have had the event by week 13."""
    chance = 1 - predicted_survival(fit, x, [13])["estimate"].to_numpy()
    had = (later["stop"] <= 13) & (later["event"] == 1)  # all were watched for longer
    return float(((chance - had) ** 2).mean())


def test_no_error_is_claimed_and_no_test_is_made():
    found = fitted(rossi())
    table = found.table()
    assert table[["conf_low", "conf_high", "se", "p_value"]].isna().all(axis=None)
    assert table["estimate"].notna().all()
    told = predicted_survival(found, rossi()[ROSSI].iloc[:2], [10, 50])
    assert told["estimate"].between(0, 1).all()
    assert told[["se", "conf_low", "conf_high"]].isna().all(axis=None)
    shares = absolute_risk({"arrest": found}, rossi()[ROSSI].iloc[:2], [10, 50])
    assert shares["estimate"].notna().all()
    assert shares[["se", "conf_low", "conf_high"]].isna().all(axis=None)
    with pytest.raises(DataError, match="a penalised fit has no tests"):
        found.tests()
    assert "no interval" in found.method


def test_covariates_that_separate_or_follow_from_others_are_held_too():
    """Nobody with x1 had the event, and x3 is x2: without a penalty neither could be fitted."""
    x = np.array([[0, 1, 1], [0, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1]], dtype=float)
    found = penalised_cox(x, [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 0], frequency=[9] * 6)
    assert np.isfinite(found.coef).all()
    assert found.coef[0] < 0
    assert found.coef[1] == pytest.approx(found.coef[2], rel=1e-6)


def test_what_is_no_strength_or_no_name_is_refused():
    with pytest.raises(DataError, match="strength must be 0 or more, but is -1"):
        fitted(rossi(), strength=-1)
    with pytest.raises(DataError, match=r"free must name covariates of \['fin'"):
        fitted(rossi(), free=["wage"])
    with pytest.raises(DataError, match="all are free"):
        fitted(rossi(), free=ROSSI)
