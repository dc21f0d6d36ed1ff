"""BG/BB on the donations of Fader, Hardie & Shang (2010), and what must hold."""

from math import comb

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.customer_base import fit_repeat_buying, histories
from cxlab.stats.customer_base.beta_bernoulli import BetaGeometricBernoulli
from cxlab.stats.customer_base.maximum import maximise, slopes

# x, t_x and donors, of 11,104 with 6 opportunities each (table 1).
DONORS = [
    (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335),
    (4, 5, 284), (3, 5, 225), (2, 5, 173), (1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155),
    (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277), (1, 1, 1091),
    (0, 0, 3464),
]  # fmt: skip
X, T_X, MANY = np.array(DONORS).T
BASE = histories(X, T_X, np.full(len(X), 6), MANY)
PRINTED = np.array([1.204, 0.750, 0.657, 2.783])
MODEL = BetaGeometricBernoulli()


def test_the_likelihood_and_its_optimum_are_the_published_ones():
    assert BASE.n == 11_104
    assert MODEL.log_likelihood(np.log(PRINTED), BASE)[0] == pytest.approx(-33225.58175, abs=5e-6)
    fit = fit_repeat_buying(BASE, model="BG/BB")
    assert fit.converged
    # R's BTYD: -33225.58127 at these.
    assert fit.log_likelihood == pytest.approx(-33225.58127, abs=5e-6)
    assert list(fit.params.values()) == pytest.approx(
        [1.203522, 0.749716, 0.656718, 2.783442], rel=1e-5
    )


def test_where_nobody_leaves_it_is_the_beta_binomial_which_it_beats():
    """Chances to leave that are next to nothing (gamma) make BG/BB a beta-binomial."""
    nobody = np.log([1e-12, 1.0])  # changes the likelihood by less than its last printed digit

    def stays(theta):
        value, gradient = MODEL.log_likelihood(np.r_[theta, nobody], BASE)
        return value, gradient[:2]

    printed = np.array([0.487275, 0.826434])
    assert stays(np.log(printed))[0] == pytest.approx(-35516.1098962, abs=1e-6)
    found = maximise(stays, [start[:2] for start in MODEL.starts(BASE)], ["alpha", "beta"])
    assert not found.reason
    assert np.exp(found.theta).tolist() == pytest.approx(printed, abs=5e-7)  # as printed
    assert found.value == pytest.approx(-35516.1098962, abs=5e-8)
    assert fit_repeat_buying(BASE, model="BG/BB").log_likelihood > found.value + 2000


def test_expected_donations_and_chances_to_be_there_are_those_of_btyd():
    fit = fit_repeat_buying(BASE, model="BG/BB")
    asked = histories([0, 4, 6], [0, 5, 6], [6, 6, 6])
    assert fit.future(asked, 5)["estimate"].tolist() == pytest.approx(
        [0.0728633, 2.0300240, 3.7525442], abs=1e-5
    )
    found = fit.p_alive(asked)
    assert found["estimate"].tolist() == pytest.approx([0.1081333, 0.6968001, 0.9304336], abs=1e-5)
    assert (found["conf_high"] < 1).all()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(theta=st.lists(st.floats(-2, 3), min_size=4, max_size=4).map(np.array))
def test_the_gradient_is_a_difference_quotient(theta):
    value, gradient = MODEL.log_likelihood(theta, BASE)
    numeric = slopes(lambda u: np.array([MODEL.log_likelihood(u, BASE)[0]]), theta).ravel()
    assert gradient == pytest.approx(numeric, rel=1e-5, abs=1e-7 * abs(value))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(theta=st.lists(st.floats(-2, 3), min_size=4, max_size=4).map(np.array))
def test_all_histories_of_six_occasions_have_chance_one_together(theta):
    total = np.exp(MODEL.log_likelihood(theta, histories([0], [0], [6]))[0])
    for last in range(1, 7):
        for x in range(1, last + 1):
            one = histories([x], [last], [6])
            total += comb(last - 1, x - 1) * np.exp(MODEL.log_likelihood(theta, one)[0])
    assert total == pytest.approx(1)


def test_expectations_are_those_of_simulated_customers():
    rng, size = np.random.default_rng(4), 400_000
    a, b, c, d = 1.2, 0.75, 0.66, 2.8
    buys, leaves = rng.beta(a, b, size), rng.beta(c, d, size)
    there = rng.geometric(leaves)[:, None] > np.arange(1, 12)  # leaves before an occasion
    bought = there & (rng.random((size, 11)) < buys[:, None])
    params = np.array([a, b, c, d])
    assert MODEL.new(params, np.array([6.0]))[0] == pytest.approx(
        bought[:, :6].sum(1).mean(), abs=0.02
    )
    twice = bought[:, :6].any(axis=1) & (bought[:, :6].sum(1) == 2) & bought[:, 4]
    mine = twice & ~bought[:, 5]  # x = 2, t_x = 5
    y = bought[mine][:, 6:].sum(axis=1)
    base = histories([2], [5], [6])
    alive = MODEL.p_alive(params, base)[0]
    assert alive == pytest.approx(there[mine][:, 6].mean(), abs=0.02)
    mean = alive * MODEL.future(params, base, np.array([5.0]))[0, 0]
    pairs = alive * MODEL.pairs(params, base, 5.0)[0]
    assert mean == pytest.approx(y.mean(), abs=4 * y.std() / len(y) ** 0.5)
    assert pairs == pytest.approx((y * (y - 1.0)).mean(), rel=0.1)


def test_what_counts_no_occasions_is_refused():
    with pytest.raises(DataError, match="t_x must be whole"):
        fit_repeat_buying(histories([1], [2.5], [6]), model="BG/BB")
    with pytest.raises(DataError, match="above its t_x"):
        fit_repeat_buying(histories([3], [2], [6]), model="BG/BB")
    with pytest.raises(DataError, match="whole number"):
        fit_repeat_buying(BASE, model="BG/BB").total(BASE, 2.5)
