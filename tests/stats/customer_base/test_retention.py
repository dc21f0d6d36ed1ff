"""Shifted beta-geometric and its relatives: printed numbers, identities and simulated cohorts."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlab.errors import ConvergenceError, DataError, ParameterError
from cxlab.stats.customer_base import fit_renewals, fit_retention
from cxlab.stats.customer_base.maximum import slopes
from cxlab.stats.customer_base.renewal_law import log_survival, slopes_of_survival

# A busy machine is no fault of a property.
unhurried = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Fader & Hardie (2007): per mille surviving after 0 to 12 years.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]


def test_parameters_are_the_published_ones():
    fit = fit_retention(HIGH_END[:8])
    assert list(fit.params.values()) == pytest.approx([0.668, 3.806], abs=5e-4)  # as printed
    assert list(fit.params.values()) == pytest.approx([0.66808839, 3.80609550], rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-1611.1581474, abs=1e-6)
    assert fit.agreeing == 3


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "height"),
    [
        # Fader & Hardie's spreadsheet example of four renewals.
        (REGULAR, 0.76366503, 1.29583020, -1401.5594236),
        (HIGH_END, 1.28097621, 7.79038291, -1225.1349070),
    ],
)
def test_four_renewals_give_the_known_parameters(survivors, alpha, beta, height):
    fit = fit_retention(survivors[:5])
    assert list(fit.params.values()) == pytest.approx([alpha, beta], rel=1e-5)
    assert fit.log_likelihood == pytest.approx(height, abs=1e-6)


def test_the_forecast_is_the_published_one():
    curve = fit_retention(HIGH_END[:8]).curve(12)
    assert (100 * curve["estimate"][8:]).round(1).tolist() == [46.0, 43.6, 41.4, 39.5, 37.8]
    assert curve["observed"][:8].tolist() == pytest.approx([s / 1000 for s in HIGH_END[:8]])
    assert curve["observed"][8:].isna().all()
    # A short history misleads: 39.4 were left.
    assert 100 * fit_retention(HIGH_END[:5]).curve(12)["estimate"][12] == pytest.approx(
        30.7, abs=0.05
    )


@pytest.mark.parametrize(
    ("survivors", "churn", "height", "left"),
    [(HIGH_END, 0.10332927, -1637.0928189, 27.0), (REGULAR, 0.2260274, -1794.6208557, 4.6)],
)
def test_a_constant_chance_to_leave_loses_against_chances_of_their_own(
    survivors, churn, height, left
):
    plain, fit = (fit_retention(survivors[:8], model=m) for m in ("geometric", "sBG"))
    assert plain.params["churn"] == pytest.approx(churn, abs=6e-8)
    assert plain.log_likelihood == pytest.approx(height, abs=6e-8)
    # The model with the same chance for all is a border of the other one.
    assert fit.log_likelihood > plain.log_likelihood + 20
    forecast, ours = (100 * f.curve(12)["estimate"][12] for f in (plain, fit))
    assert forecast == pytest.approx(left, abs=0.05)
    actual = survivors[12] / 10
    assert abs(ours - actual) < abs(forecast - actual)


def test_equal_mean_churn_may_mean_very_different_curves():
    # Fader & Hardie (2007): a chance of 0.2 on average, alike or polarised.
    found = [
        10_000 * np.exp(log_survival(np.array(p), np.arange(1.0, 5.0)))
        for p in ((3.80, 15.20), (0.067, 0.267))
    ]
    assert np.round(found[0]).tolist() == [8000, 6480, 5307, 4391]
    assert np.round(found[1]).tolist() == [7994, 7593, 7375, 7226]


def test_the_discounted_residual_lifetime_is_the_published_one():
    # Fader & Hardie (2010): 7.530 at the moment before renewal 8.
    found = fit_retention(HIGH_END[:8]).further_renewals(7, discount_rate=0.1)
    assert found.estimate == pytest.approx(7.529628, abs=2e-5)  # from unrounded parameters
    assert found.low < found.estimate < found.high


def test_the_closed_form_of_the_residual_lifetime_is_the_sum():
    from scipy.special import hyp2f1

    fit = fit_retention(HIGH_END[:8])
    a, b = fit.params.values()
    for made, d in ((0, 0.1), (7, 0.1), (3, 0.5)):
        closed = (
            (b + made) / (a + b + made) * hyp2f1(1, b + made + 1, a + b + made + 1, 1 / (1 + d))
        )
        assert fit.further_renewals(made, discount_rate=d).estimate == pytest.approx(closed)


def test_a_constant_chance_gives_the_textbook_lifetime():
    fit = fit_retention([1000, 800, 640, 512], model="geometric")
    # (1 + d) / (1 + d - r), with r = .8 and d = .1.
    assert fit.lifetime(discount_rate=0.1).estimate == pytest.approx(3.666667, abs=5e-7)
    assert fit.lifetime().estimate == pytest.approx(5.0)
    assert fit.lifetime(horizon=2).estimate == pytest.approx(1 + 0.8 + 0.64)


def test_a_lifetime_is_the_discounted_sum_of_the_curve():
    fit = fit_retention(REGULAR)
    share = fit.curve(2000)["estimate"].to_numpy()
    worth = (share / 1.15 ** np.arange(2001)).sum()
    assert fit.lifetime(discount_rate=0.15).estimate == pytest.approx(worth, rel=1e-8)


def test_a_lifetime_without_a_bound_is_refused():
    with pytest.raises(ParameterError, match="discount_rate or a horizon"):
        fit_retention(HIGH_END[:8]).lifetime()  # alpha < 1
    finite = fit_retention(HIGH_END[:5])
    a, b = finite.params.values()
    assert finite.further_renewals(2).estimate == pytest.approx((b + 2) / (a - 1))


def test_weibull_times_fit_at_least_as_well_and_are_sbg_where_c_is_one():
    for survivors in (HIGH_END, REGULAR):
        simple, wider = (fit_retention(survivors, model=m) for m in ("sBG", "BdW"))
        assert wider.converged
        assert wider.log_likelihood >= simple.log_likelihood
    t = np.arange(9.0)
    assert log_survival(np.array([0.7, 3.8, 1.0]), t).tolist() == pytest.approx(
        log_survival(np.array([0.7, 3.8]), t).tolist()
    )


def test_known_parameters_are_found_again():
    truth = np.array([1.5, 6.0, 1.4])
    share = np.exp(log_survival(truth, np.arange(13.0)))
    fit = fit_retention(1e6 * share, model="BdW")
    assert list(fit.params.values()) == pytest.approx(truth.tolist(), rel=1e-3)
    # The simpler model cannot tell that a customer's own chance to leave grows at first.
    assert fit_retention(1e6 * share).log_likelihood < fit.log_likelihood - 1e4


@unhurried
@given(theta=st.lists(st.floats(-2, 3), min_size=2, max_size=2), c=st.floats(0.3, 12))
def test_slopes_of_the_curve_are_difference_quotients(theta, c):
    params, t = np.array([*np.exp(theta), c]), np.arange(8.0)
    numeric = slopes(lambda u: log_survival(np.exp(u), t), np.log(params))
    exact = slopes_of_survival(params, t) * params[:, None]
    assert exact == pytest.approx(numeric, rel=2e-5, abs=1e-6)


@unhurried
@given(
    cohorts=st.lists(
        st.lists(st.integers(1, 60), min_size=3, max_size=8), min_size=1, max_size=4
    )
)  # fmt: skip
def test_cohorts_may_come_in_any_order_and_counts_in_parts(cohorts):
    survivors = [np.cumsum(c)[::-1].astype(float) for c in cohorts]
    fit, again = fit_retention(*survivors), fit_retention(*survivors[::-1])
    assert fit.log_likelihood == pytest.approx(again.log_likelihood)
    halves = fit_retention(*(s / 2 for s in survivors), *(s / 2 for s in survivors))
    assert halves.log_likelihood == pytest.approx(fit.log_likelihood)
    assert fit.converged == halves.converged


def test_a_curve_far_out_keeps_its_digits():
    # B(1, b + k) / B(1, b) is b / (b + k).
    t = np.array([1.0, 10.0, 1e3, 1e5, 1e8])
    found = log_survival(np.array([1.0, 2.5, 2.0]), t)
    assert found == pytest.approx(np.log(2.5 / (2.5 + t**2)), rel=1e-9)


def test_the_curve_starts_at_one_falls_and_lies_in_its_band():
    curve = fit_retention(HIGH_END[:8]).curve(30)
    assert curve["estimate"][0] == 1
    assert (np.diff(curve["estimate"]) < 0).all()
    assert (curve["conf_low"] <= curve["estimate"]).all()
    assert (curve["estimate"] <= curve["conf_high"]).all()


def test_equal_chances_are_said_to_have_no_maximum():
    fit = fit_retention([1000, 800, 640, 512, 409.6])
    assert not fit.converged
    assert "without end" in fit.reason
    with pytest.raises(ConvergenceError, match="alpha grows"):
        fit.curve(5)


@pytest.mark.parametrize(
    ("cohorts", "message"),
    [
        (([200, 100, 120],), "renewal 2 of cohort 0 has 120 after 100"),
        (([100],), "at least one renewal"),
        (([100, -1, -2],), "must be counts"),
        (([100, 90],), "needs two renewals and somebody who left, but has 1 renewals"),
        (([100, 100, 100],), "0 who left"),
        ((), "at least one renewal"),
    ],
)
def test_what_cannot_be_survivors_is_refused(cohorts, message):
    with pytest.raises(DataError, match=message):
        fit_retention(*cohorts)


def test_an_unknown_model_is_refused():
    with pytest.raises(ParameterError, match="must be one of sBG"):
        fit_retention(HIGH_END, model="Weibull")
    with pytest.raises(ParameterError, match="0 or more"):
        fit_retention(HIGH_END).further_renewals(discount_rate=-0.1)
    nobody = fit_retention([100, 100, 100], model="geometric")
    assert not nobody.converged


def test_counts_at_risk_say_what_cohorts_say_and_cannot_be_fewer_than_those_who_left():
    at_risk, lost = HIGH_END[:7], -np.diff(HIGH_END[:8])
    one, other = fit_retention(HIGH_END[:8]), fit_renewals(at_risk, lost)
    assert one.params == pytest.approx(other.params)
    assert (one.n, one.log_likelihood) == (other.n, pytest.approx(other.log_likelihood))
    with pytest.raises(DataError, match="no more leave than do"):
        fit_renewals([10, 5], [3, 6])
    with pytest.raises(DataError, match="no more leave than do"):
        fit_renewals([10, 5], [3])
