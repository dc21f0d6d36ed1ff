"""BG/NBD, MBG/NBD and Pareto/NBD: published numbers, R's BTYD 2.4.3, and what must hold."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlab.errors import ConvergenceError, DataError, ParameterError
from cxlab.stats.customer_base import fit_repeat_buying, histories
from cxlab.stats.customer_base.beta_geometric import BetaGeometricNbd
from cxlab.stats.customer_base.maximum import slopes
from cxlab.stats.customer_base.pareto import ParetoNbd

# A busy machine is no fault of a property.
unhurried = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

BG, MBG, PARETO = BetaGeometricNbd(modified=False), BetaGeometricNbd(modified=True), ParetoNbd()
MODELS = {"BG/NBD": BG, "MBG/NBD": MBG, "Pareto/NBD": PARETO}
# As printed: Fader, Hardie & Lee (2005) for BG/NBD and for Pareto/NBD on CDNOW.
BG_PRINTED = np.array([0.243, 4.414, 0.793, 2.426])
PARETO_PRINTED = np.array([0.553, 10.578, 0.606, 11.669])
# The optima of BTYD on its file with weeks of two decimals.
BG_ROUNDED = np.array([0.242593, 4.413532, 0.792886, 2.425753])
PARETO_ROUNDED = np.array([0.553277, 10.577683, 0.606240, 11.668734])
MBG_BTYD = np.array([0.524838, 6.182992, 0.891356, 1.613999])

THREE = histories([0, 2, 7], [0, 30.43, 29.43], [38.86] * 3)
SMALL = {
    "x": [0, 0, 1, 1, 2, 3, 5, 8],
    "t_x": [0, 0, 4, 20, 30, 12, 33, 36],
    "watched": [30, 39, 39, 30, 39, 39, 39, 39],
    "customers": [200, 400, 100, 60, 80, 40, 50, 20],
}

rows = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 40), st.integers(0, 40), st.integers(1, 5)),
    min_size=1, max_size=8,
)  # fmt: skip
logs = st.lists(st.floats(-2.5, 3.5), min_size=4, max_size=4).map(np.array)


def base_of(drawn):
    x, first, second, customers = np.array(drawn, dtype=float).T
    t_x, watched = np.minimum(first, second), np.maximum(first, second)
    return histories(x, np.where(x > 0, t_x, 0), watched, customers)


def future(model, params, base, length):
    return model.p_alive(params, base) * model.future(params, base, np.array([length]))[0]


# Published numbers


def test_the_sample_is_that_of_the_papers(cdnow):
    assert len(cdnow) == 2357
    assert cdnow[["x", "later"]].sum().tolist() == [2457, 1882]
    assert cdnow[["t_x", "watched"]].sum().tolist() == pytest.approx(
        [16135.571, 77111.286], abs=5e-4
    )


@pytest.mark.parametrize(
    ("model", "params", "expected"),
    [(BG, BG_PRINTED, -9582.430478), (PARETO, PARETO_PRINTED, -9594.976259)],
)
def test_log_likelihoods_at_printed_parameters_are_those_of_btyd(
    cdnow_base, model, params, expected
):
    found, _ = model.log_likelihood(np.log(params), cdnow_base)
    assert found == pytest.approx(expected, abs=6e-7)  # as printed


@pytest.mark.parametrize(
    ("model", "expected", "height"),
    [
        # Fader, Hardie & Lee (2005) print .243 4.414 .793 2.426 and .553 10.578 .606 11.669;
        # more digits from BTYD on exact days.
        ("BG/NBD", [0.242595, 4.413602, 0.792922, 2.425907], -9582.429207),
        ("Pareto/NBD", [0.553277, 10.577683, 0.606240, 11.668734], -9594.976179),
    ],
)
def test_optima_on_cdnow_are_those_of_btyd(cdnow_base, model, expected, height):
    fit = fit_repeat_buying(cdnow_base, model=model)
    assert fit.converged
    assert fit.agreeing == fit.starts == 3
    assert fit.log_likelihood == pytest.approx(height, abs=1e-6)
    assert list(fit.params.values()) == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(
    ("model", "params", "at_printed", "height"),
    [
        ("BG/NBD", BG_PRINTED, -9582.426831, -9582.425561),
        ("Pareto/NBD", PARETO_PRINTED, -9594.974010, -9594.973931),
    ],
)
def test_weeks_of_two_decimals_give_what_lifetimes_gives(cdnow, model, params, at_printed, height):
    """lifetimes 0.11.3 and R's BTYD read a file with rounded weeks."""
    t_x, watched = (np.round(cdnow[name] + 1e-9, 2) for name in ("t_x", "watched"))
    assert (t_x.sum(), watched.sum()) == pytest.approx((16135.52, 77111.21))  # those of its file
    base = histories(cdnow["x"], t_x, watched)
    found, _ = MODELS[model].log_likelihood(np.log(params), base)
    assert found == pytest.approx(at_printed, abs=6e-7)  # as printed
    # Their searches stop up to a millionth below the top.
    assert fit_repeat_buying(base, model=model).log_likelihood == pytest.approx(height, abs=5e-6)


def test_expected_purchases_of_a_new_customer_are_those_of_the_closed_forms():
    # Own evaluation of the closed forms in high precision.
    assert BG.new(BG_PRINTED, np.array([39.0, 52.0, 78.0])).tolist() == pytest.approx(
        [1.1967231933, 1.4460505954, 1.8605190579], abs=6e-11
    )
    # BTYD at the parameters where its own search ends; at the optimum it is 1.473434.
    ended = np.array([0.5533971, 10.5801985, 0.6060625, 11.6562237])
    assert PARETO.new(ended, np.array([52.0]))[0] == pytest.approx(1.473112689, abs=1e-6)


def test_expected_purchases_given_a_history_are_those_of_the_paper():
    # Fader, Hardie & Lee (2005) print 1.226 for the second.
    assert future(BG, BG_PRINTED, THREE, 39.0).tolist() == pytest.approx(
        [0.1950980520, 1.2260281748, 3.3370532749], abs=6e-11
    )
    assert future(PARETO, PARETO_ROUNDED, THREE, 39.0)[:2].tolist() == pytest.approx(
        [0.1070598, 1.455115], abs=1e-4
    )


def test_chances_to_be_active_are_those_of_btyd():
    one, two, seven = BG.p_alive(BG_ROUNDED, THREE)
    assert one == 1  # a property of the model, which no result may tell
    assert (two, seven) == pytest.approx((0.72660914, 0.64180064), abs=1e-6)
    assert PARETO.p_alive(PARETO_ROUNDED, THREE)[:2].tolist() == pytest.approx(
        [0.2950929, 0.8691186], abs=1e-4
    )
    assert MBG.p_alive(MBG_BTYD, THREE)[:2].tolist() == pytest.approx(
        [0.3897164, 0.7061263], abs=1e-6
    )


def test_without_dropout_purchases_go_on_at_the_expected_rate():
    x, watched = THREE.x, THREE.watched
    steady = (0.243 + x) / (4.414 + watched) * 20
    for model, params in (
        (BG, [0.243, 4.414, 1e-11, 2.4]), (PARETO, [0.243, 4.414, 1e-11, 11.0])
    ):  # fmt: skip
        assert future(model, np.array(params), THREE, 20.0) == pytest.approx(steady, rel=1e-8)


# What must hold


@pytest.mark.parametrize("name", MODELS)
@unhurried
@given(drawn=rows, theta=logs)
def test_gradients_are_difference_quotients(name, drawn, theta):
    model, base = MODELS[name], base_of(drawn)
    value, gradient = model.log_likelihood(theta, base)
    numeric = slopes(lambda u: np.array([model.log_likelihood(u, base)[0]]), theta).ravel()
    # Quotients over 1e-4 keep about 12 digits of the sum they difference, less 4.
    assert gradient == pytest.approx(numeric, rel=1e-5, abs=1e-6 * (1 + abs(value)))


@pytest.mark.parametrize("name", MODELS)
@unhurried
@given(drawn=rows, theta=logs)
def test_counts_are_as_good_as_rows_in_any_order(name, drawn, theta):
    model = MODELS[name]
    one_by_one = [(*row[:3], 1) for row in drawn for _ in range(row[3])]
    found = model.log_likelihood(theta, base_of(drawn))
    again = model.log_likelihood(theta, base_of(one_by_one[::-1]))
    assert found[0] == again[0]
    assert found[1].tolist() == again[1].tolist()


@pytest.mark.parametrize("name", MODELS)
@unhurried
@given(theta=logs, x=st.integers(0, 20), t_x=st.integers(1, 30), silence=st.floats(0.5, 60))
def test_a_chance_to_be_active_is_below_one_and_falls_with_silence(name, theta, x, t_x, silence):
    model, params = MODELS[name], np.exp(theta)
    last = t_x if x else 0
    base = histories([x] * 3, [last] * 3, [last + silence, last + 2 * silence, 300])
    now, later, end = model.p_alive(params, base)
    if name == "BG/NBD" and x == 0:
        assert now == later == end == 1
    else:
        assert 1 > now >= later >= end >= 0


@pytest.mark.parametrize("name", MODELS)
@unhurried
@given(theta=logs, x=st.integers(0, 20))
def test_expected_purchases_grow_with_time_but_slower_and_slower(name, theta, x):
    model, params = MODELS[name], np.exp(theta)
    base = histories([x], [20 if x else 0], [40])
    found = np.array([0, *(future(model, params, base, t)[0] for t in (10.0, 20.0, 30.0))])
    steps = np.diff(found)
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12 * (1 + found[-1])).all()
    new = model.new(params, np.array([10.0, 20.0, 30.0]))
    assert 0 < new[0] <= new[1] <= new[2]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("length", [1 / 7, 365.25])
def test_another_unit_of_time_changes_no_number(name, length):
    base = histories(**SMALL)
    weeks = fit_repeat_buying(base, model=name)
    other = fit_repeat_buying(base.in_units_of(length), model=name)
    assert weeks.converged
    assert other.converged
    assert other.total(base.in_units_of(length), 10 / length).estimate == pytest.approx(
        weeks.total(base, 10).estimate, rel=1e-6
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_total_is_the_sum_of_its_histories(name):
    base = histories(**SMALL)
    fit = fit_repeat_buying(base, model=name)
    each = fit.future(base, 26)
    total = fit.total(base, 26)
    assert total.estimate == pytest.approx(each["customers"] @ each["estimate"], rel=1e-12)
    assert total.low < total.estimate < total.high
    # What will be counted varies more than what is to be expected of it.
    counted = fit.total(base, 26, realised=True)
    assert counted.se > total.se
    assert (each["conf_low"] <= each["estimate"]).all()
    assert (each["estimate"] <= each["conf_high"]).all()


def test_errors_are_those_of_the_information_matrix(cdnow_base):
    fit = fit_repeat_buying(cdnow_base)
    step, theta = 1e-3, np.log(list(fit.params.values()))
    moves = step * np.eye(4)

    def height(u):
        return BG.log_likelihood(u, cdnow_base)[0]

    hessian = np.array([
        [(height(theta + p + q) - height(theta + p - q) - height(theta - p + q)
          + height(theta - p - q)) / (4 * step**2) for q in moves] for p in moves
    ])  # fmt: skip
    scale = np.exp(theta)
    covariance = np.linalg.inv(-hessian) * np.outer(scale, scale)
    # Second differences of a sum near 1e4 keep about 5 digits.
    assert fit.covariance().to_numpy() == pytest.approx(covariance, rel=1e-3)
    assert fit.table()["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)


def test_nobody_is_told_to_be_active_for_certain():
    base = histories(**SMALL)
    found = fit_repeat_buying(base).p_alive(base)
    assert found["estimate"].isna().equals(found["x"] == 0)
    assert found["reason"].str.contains("never bought again").equals(found["x"] == 0)
    at_the_end = histories([2, 2], [39, 30], [39, 39])
    bought = fit_repeat_buying(base, model="Pareto/NBD").p_alive(at_the_end)
    assert bought["estimate"].isna().tolist() == [False, True]
    for name in ("MBG/NBD", "Pareto/NBD"):
        found = fit_repeat_buying(base, model=name).p_alive(base)
        assert (found["estimate"] < 1).all()
        assert (found["conf_high"] < 1).all()


def test_customers_who_still_buy_are_counted_where_the_model_can_doubt():
    base = histories(**SMALL)
    found = fit_repeat_buying(base, model="MBG/NBD")
    each = found.p_alive(base)
    active = found.active(base)
    assert active.estimate == pytest.approx(each["customers"] @ each["estimate"])
    assert 0 < active.low < active.estimate < active.high < base.n
    with pytest.raises(ParameterError, match="cannot count"):
        fit_repeat_buying(base).active(base)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("BG/NBD", [0.5, 4.4, 0.8, 2.4]), ("MBG/NBD", [0.52, 6.2, 0.9, 1.6]),
        ("Pareto/NBD", [0.55, 10.6, 0.6, 11.7]),
    ],
)  # fmt: skip
def test_known_parameters_are_found_again(calibration, name, truth):
    base, _ = calibration.made_base(np.random.default_rng(6), name, np.array(truth), 8_000)
    fit = fit_repeat_buying(base, model=name)
    away = fit.theta - np.log(truth)
    # Squared distance in standard errors: chi-squared with 4 degrees, 99.9 % below 18.5.
    assert away @ np.linalg.solve(fit.covariance_log, away) < 18.5


# Refusals


def test_a_fit_without_a_maximum_gives_a_reason_and_no_number():
    # All buy at one rate and nobody leaves: r and alpha grow without end.
    x = np.arange(12)
    poisson = 10_000 * np.exp(-3) * 3.0**x / np.array([1, *np.cumprod(x[1:].astype(float))])
    base = histories(x, np.where(x > 0, 39, 0), np.full(12, 39), poisson)
    fit = fit_repeat_buying(base)
    assert not fit.converged
    assert "without end" in fit.reason
    for number in (fit.table, fit.covariance, lambda: fit.total(base, 39), lambda: fit.params):
        with pytest.raises(ConvergenceError, match="did not converge"):
            number()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [0.5]}, "whole number, but row 0 has 0.5"),
        ({"x": [-1]}, "x must be 0 or more, but row 0 has -1"),
        ({"t_x": [40]}, "t_x must not lie after the end of observation, but row 0 has 40"),
        ({"x": [0], "t_x": [3]}, "t_x must be 0 where nobody bought again"),
        ({"watched": [np.inf]}, "watched must be 0 or more, but row 0 has inf"),
        ({"customers": [0]}, "nobody was counted"),
        ({"x": [1, 2]}, "one number per row each"),
    ],
)
def test_what_cannot_be_a_history_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        histories(**{"x": [2], "t_x": [30], "watched": [39], "customers": [1]} | change)


def test_a_base_without_repeat_purchases_or_an_unknown_model_is_refused():
    with pytest.raises(DataError, match="nobody made one"):
        fit_repeat_buying(histories([0], [0], [39], [100]))
    with pytest.raises(ParameterError, match="must be one of BG/NBD"):
        fit_repeat_buying(histories(**SMALL), model="NBD")
    with pytest.raises(ParameterError, match="longer than 0"):
        fit_repeat_buying(histories(**SMALL)).total(histories(**SMALL), 0)
