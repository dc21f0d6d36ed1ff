"""Spend per purchase and residual value: published numbers, identities, and what must hold."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlab.errors import ConvergenceError, DataError, ParameterError
from cxlab.stats.customer_base import (
    fit_repeat_buying,
    fit_spend,
    histories,
    residual_value,
    spend_independence,
)
from cxlab.stats.customer_base.maximum import slopes
from cxlab.stats.customer_base.spend import expected_spend, log_likelihood
from cxlab.stats.customer_base.value import discounted_purchases

# A busy machine is no fault of a property.
unhurried = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Fader & Hardie (2013) on CDNOW.
PRINTED = np.array([6.25, 3.74, 15.44])
SPENDERS = {
    "x": [1, 1, 2, 2, 3, 5, 8],
    "spend": [8.0, 45.0, 18.0, 90.0, 25.0, 33.0, 70.0],
    "customers": [40, 20, 30, 9, 25, 20, 10],
}
BASE = histories(
    [0, 1, 1, 2, 3, 5, 8], [0, 4, 20, 30, 12, 33, 36], [39] * 7, [600, 100, 60, 80, 40, 50, 20],
    spend=[np.nan, 20, 30, 25, 40, 35, 30],
)  # fmt: skip


@pytest.fixture(scope="module")
def buyers(cdnow):
    return cdnow[cdnow["x"] > 0]


@pytest.fixture(scope="module")
def fits():
    return fit_repeat_buying(BASE, model="MBG/NBD"), fit_spend(**SPENDERS)


def residual(fits, *, length=52, discount_rate=0.1, **how):
    how = {"periods_per_year": 52.18} | how
    return residual_value(*fits, BASE, length=length, discount_rate=discount_rate, **how)


# Spend


def test_the_gamma_gamma_optimum_on_cdnow_is_that_of_btyd(buyers):
    fit = fit_spend(buyers["x"], buyers["spend"])
    assert fit.n == 946
    assert list(fit.params.values()) == pytest.approx(PRINTED.tolist(), abs=6e-3)  # as printed
    # BTYD's search ends at 6.249349 3.744256 15.444307.
    assert list(fit.params.values()) == pytest.approx([6.249349, 3.744256, 15.444307], rel=1e-4)
    assert fit.log_likelihood >= -4055.917695 - 1e-9
    assert fit.log_likelihood == pytest.approx(-4055.917695, abs=1e-6)
    assert fit.population().estimate == pytest.approx(35.1705, abs=2e-4)


def test_expected_spend_is_that_of_the_printed_parameters():
    found = expected_spend(
        PRINTED, np.array([2.0, 1, 7, 0]), np.array([22.35, 11.77, 73.74, np.nan])
    )
    # p (gamma + m x) / (p x + q - 1), to the printed digits.
    assert found[:3].tolist() == pytest.approx([24.6637, 18.9169, 71.4697], abs=5e-5)
    assert found[3] == pytest.approx(35.21897810, abs=5e-9)


@unhurried
@given(theta=st.lists(st.floats(-1.5, 3), min_size=3, max_size=3).map(np.array))
def test_the_gradient_of_spend_is_a_difference_quotient(theta):
    data = [np.array(v, dtype=float) for v in SPENDERS.values()]
    value, gradient = log_likelihood(theta, *data)
    numeric = slopes(lambda u: np.array([log_likelihood(u, *data)[0]]), theta).ravel()
    assert gradient == pytest.approx(numeric, rel=1e-5, abs=1e-7 * (1 + abs(value)))


def test_counts_of_spend_are_as_good_as_rows_in_any_order_and_any_currency():
    fit = fit_spend(**SPENDERS)
    times = SPENDERS["customers"]
    x, spend = (np.repeat(SPENDERS[name], times)[::-1] for name in ("x", "spend"))
    rows = fit_spend(x, spend)
    assert rows.params == fit.params
    assert rows.log_likelihood == fit.log_likelihood
    rupiah = fit_spend(x, spend * 16_000)
    assert rupiah.population().estimate == pytest.approx(16_000 * fit.population().estimate)


def test_expected_spend_is_drawn_towards_that_of_everybody():
    fit = fit_spend(**SPENDERS)
    everybody = fit.population().estimate
    found = fit.of_customers([1, 8, 1, 8, 0], [10.0, 10, 90, 90, np.nan])
    low, lower, high, higher, unknown = found["estimate"]
    assert 10 < lower < low < everybody < high < higher < 90
    assert unknown == pytest.approx(everybody)
    assert (found["conf_low"] < found["estimate"]).all()


def test_spend_of_one_mean_for_all_is_said_to_have_no_maximum():
    fit = fit_spend([1, 1, 2, 2, 3], [20, 40, 25, 35, 30], [50, 50, 50, 50, 50])
    assert not fit.converged
    with pytest.raises(ConvergenceError, match="q grows"):
        fit.population()


def test_the_relation_of_frequency_and_spend_on_cdnow_is_weak_but_there(buyers):
    found = spend_independence(buyers["x"], buyers["spend"])
    # Fader, Hardie & Lee (2005) print a correlation of .11.
    assert found.correlation == pytest.approx(0.11, abs=5e-3)
    assert found.correlation == pytest.approx(np.corrcoef(buyers["x"], buyers["spend"])[0, 1])
    assert found.by_doubling.low > 0
    assert found.p_value < 0.05


def test_independence_is_rejected_about_as_often_as_promised():
    rng = np.random.default_rng(5)
    rejected = 0
    for _ in range(200):
        x = 1 + rng.poisson(rng.gamma(0.6, 3.0, 400))
        mean = 15.44 * rng.gamma(6.25 * x) / (x * rng.gamma(3.74, size=400))
        rejected += spend_independence(x, mean).p_value < 0.05
    # 5 % of 200, and four standard errors more for a skewed spend.
    assert rejected <= 10 + 4 * 3.1


def test_a_relation_of_frequency_and_spend_is_seen():
    found = spend_independence([1, 2, 4, 8], [20, 24, 30, 34], [100, 100, 100, 100])
    assert found.p_value < 1e-6
    assert found.by_doubling.estimate == pytest.approx(4.8)
    with pytest.raises(DataError, match="all 30 made 2 repeat"):
        spend_independence([2, 2], [10, 20], [10, 20])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [0]}, "must be 1 or more, but row 0 has 0"),
        ({"spend": [0]}, "above 0: leave out who paid nothing, but row 0 has 0"),
        ({"spend": [np.nan]}, "row 0 has nan"),
        ({"customers": [0]}, "has none"),
        ({"x": [1, 2]}, "one number per row"),
    ],
)
def test_what_cannot_be_spend_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        fit_spend(**{"x": [2], "spend": [10.0], "customers": [3]} | change)


# Residual value


def test_value_is_purchases_times_spend_and_sums_up(fits):
    found = residual(fits, margin=0.4)
    table = found.table()
    assert table["estimate"].to_numpy() == pytest.approx(0.4 * table["purchases"] * table["spend"])
    total = found.total()
    assert total.estimate == pytest.approx(table["customers"] @ table["estimate"])
    assert total.low < total.estimate < total.high
    some = np.where(BASE.x > 1, BASE.customers, 0)
    rest = found.total(BASE.customers - some).estimate
    assert found.total(some).estimate + rest == pytest.approx(total.estimate)


def test_without_discount_value_is_the_expected_purchases_times_spend(fits):
    found = residual(fits, discount_rate=0.0)
    expected = fits[0].future(BASE, 52)["estimate"].to_numpy()
    assert found.purchases == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD", "Pareto/NBD"])
@pytest.mark.parametrize("length", [4.0, 520.0])
def test_purchases_are_discounted_from_their_moment(name, length):
    fit = fit_repeat_buying(BASE, model=name)
    params, rate = np.exp(fit.theta), np.log1p(0.2) / 52
    # Many short periods, each discounted from its middle.
    ends = np.linspace(0, length, 4001)
    mean = fit.model.future(params, BASE, ends[1:])
    steps = np.diff(np.vstack([np.zeros(len(BASE)), mean]), axis=0)
    middle = np.exp(-rate * (ends[:-1] + ends[1:]) / 2)
    expected = fit.model.p_alive(params, BASE) * (middle @ steps)
    found = discounted_purchases(fit, params, BASE, length, rate)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_constant_rate_gives_the_textbook_annuity(fits):
    fit = fits[0]
    steady = np.array([0.5, 5.0, 1e-11, 2.0])
    rate = np.log1p(0.1) / 52
    found = discounted_purchases(fit, steady, BASE, 520.0, rate)
    annuity = -np.expm1(-rate * 520) / rate
    assert found == pytest.approx((0.5 + BASE.x) / (5.0 + BASE.watched) * annuity, rel=1e-8)


def test_errors_of_a_total_are_those_of_both_fits(fits):
    buying, spend = fits
    found = residual(fits)
    rng = np.random.default_rng(8)
    thetas = rng.multivariate_normal(buying.theta, buying.covariance_log, 400)
    others = rng.multivariate_normal(spend.theta, spend.covariance_log, 400)
    rate = np.log1p(0.1) / 52.18
    drawn = [
        BASE.customers @ (
            discounted_purchases(buying, np.exp(t), BASE, 52.0, rate)
            * expected_spend(np.exp(u), BASE.x, BASE.spend)
        ) for t, u in zip(thetas, others, strict=True)
    ]  # fmt: skip
    # A standard deviation of 400 draws is known to 4 %; the rest is curvature.
    assert np.std(np.log(drawn)) == pytest.approx(
        found.total().se / found.total().estimate, rel=0.2
    )


def test_spend_is_averaged_where_histories_meet():
    one_by_one = histories([2, 2, 2, 0], [9, 9, 9, 0], [20] * 4, spend=[10, 20, 60, np.nan])
    assert one_by_one.spend.tolist()[1] == pytest.approx(30)
    assert np.isnan(one_by_one.spend[0])
    grouped = histories([2, 2], [9, 9], [20, 20], [2, 1], spend=[15, 60])
    assert grouped.spend.tolist() == pytest.approx([30])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0}, "length cannot be 0"),
        ({"discount_rate": -0.1}, "discount_rate cannot be -0.1"),
        ({"margin": 0}, "margin cannot be 0"),
        ({"periods_per_year": np.inf}, "periods_per_year cannot be inf"),
    ],
)
def test_options_without_a_meaning_are_refused(fits, change, message):
    with pytest.raises(ParameterError, match=message):
        residual(fits, **change)


def test_a_base_without_spend_is_refused(fits):
    bare = histories(BASE.x, BASE.t_x, BASE.watched, BASE.customers)
    with pytest.raises(ParameterError, match="Give them `spend`"):
        residual_value(*fits, bare, length=52, discount_rate=0.1, periods_per_year=52)
    with pytest.raises(DataError, match="spend must be 0 or more, but row 0 has nan"):
        histories([1], [3], [9], spend=[np.nan])


def test_a_cost_per_purchase_is_taken_off_each_of_them(fits):
    free, dear = residual(fits), residual(fits, cost=4.0)
    assert dear.value == pytest.approx(free.value - 4.0 * free.purchases)
    gap = free.total().estimate - dear.total().estimate
    assert gap == pytest.approx(4.0 * float(BASE.customers @ free.purchases))


def test_serving_that_costs_more_than_it_earns_makes_a_value_negative(fits):
    ruin = residual(fits, cost=500.0).total()
    assert ruin.low < ruin.estimate < ruin.high < 0
    rows = residual(fits, cost=500.0).table()
    assert (rows["conf_low"] < rows["estimate"]).all()
    assert (rows["conf_high"] > rows["estimate"]).all()
    with pytest.raises(ParameterError, match="cost cannot be -1"):
        residual(fits, cost=-1.0)


def simulated(rng, customers, length):
    """Draw customers of BG/NBD and gamma-gamma, and what each brings in the time to come."""
    r, alpha, a, b, p, q, gamma = 0.8, 40.0, 0.5, 3.0, 6.0, 3.7, 15.0
    rate, leaves = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    watched, scale = rng.uniform(60, 730, customers), 1 / rng.gamma(q, 1 / gamma, customers)
    x, t_x, paid, later = np.zeros((4, customers))
    for i in range(customers):
        at = 0.0
        while True:
            at += rng.exponential(1 / rate[i])
            if at > watched[i] + length:
                break
            amount = rng.gamma(p, scale[i])
            if at <= watched[i]:
                x[i], t_x[i], paid[i] = x[i] + 1, at, paid[i] + amount
            else:
                later[i] += amount
            if rng.random() < leaves[i]:
                break
    mean = np.divide(paid, x, out=np.zeros(customers), where=x > 0)
    return x, t_x, watched, mean, later


def test_what_a_group_will_bring_is_covered_and_not_only_what_is_expected_of_such():
    rng = np.random.default_rng(4)
    inside, expected = [], []
    for _ in range(8):
        x, t_x, watched, mean, later = simulated(rng, 1_200, 182.0)
        ones = np.ones(len(x))
        buying = fit_repeat_buying(histories(x, t_x, watched, ones, spend=mean))
        spend = fit_spend(x[x > 0], mean[x > 0], ones[x > 0])
        group = rng.integers(0, 10, len(x))
        for own in (group == g for g in range(10)):
            base = histories(x[own], t_x[own], watched[own], ones[own], spend=mean[own])
            value = residual_value(
                buying, spend, base, length=182.0, discount_rate=0.0, periods_per_year=365.25
            )
            whole = later[own].sum()
            for held, found in ((inside, value.total(realised=True)), (expected, value.total())):
                held.append(found.low <= whole <= found.high)
    # Of 80 at .95, 68 or fewer come once in a thousand; expectations alone hold a fifth or so.
    assert sum(inside) > 68
    assert sum(expected) < 40
