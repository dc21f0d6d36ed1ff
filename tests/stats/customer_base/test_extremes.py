"""Likelihoods and expectations where closed forms break, against adaptive quadrature."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, gammaln

from cxlab.stats.customer_base import histories
from cxlab.stats.customer_base.beta_geometric import BetaGeometricNbd
from cxlab.stats.customer_base.pareto import ParetoNbd

BG, PARETO = BetaGeometricNbd(modified=False), ParetoNbd()
BASES = [
    (0, 0.0, 39.0), (1, 0.5, 39.0), (3, 38.9, 39.0), (40, 20.0, 39.0), (400, 1.0, 39.0),
    (2, 1e-6, 1e3),
]  # fmt: skip


@pytest.mark.parametrize(
    "params",
    [
        (0.55, 10.6, 0.61, 11.7), (0.55, 11.0, 0.61, 11.0), (2.0, 1e-4, 0.3, 50.0),
        (2.0, 50.0, 0.3, 1e-4), (80.0, 500.0, 0.01, 0.01), (0.05, 0.5, 60.0, 900.0),
        (300.0, 0.01, 250.0, 1e4),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("x", "t_x", "watched"), BASES)
def test_the_pareto_likelihood_is_its_integral(params, x, t_x, watched):
    r, alpha, s, beta = params

    def log_f(u):
        return -(r + x) * np.log(alpha + u) - (s + 1) * np.log(beta + u) + np.log(s)

    # On the log scale of the time since the last purchase, relative to the highest point.
    grid = np.linspace(-60, np.log(watched - t_x), 4001)
    top = (log_f(t_x + np.exp(grid)) + grid).max()
    inside, _ = quad(
        lambda v: np.exp(log_f(t_x + np.exp(v)) + v - top), -60, np.log(watched - t_x),
        epsabs=0, epsrel=1e-12, limit=1000,
        points=[grid[np.argmax(log_f(t_x + np.exp(grid)) + grid)]],
    )  # fmt: skip
    alive = -(r + x) * np.log(alpha + watched) - s * np.log(beta + watched)
    expected = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        + np.logaddexp(alive, top + np.log(inside))
    )  # fmt: skip
    base = histories([x], [t_x], [watched])
    found, gradient = PARETO.log_likelihood(np.log(params), base)
    assert found == pytest.approx(expected, abs=2e-9 * (1 + abs(expected)))
    assert np.isfinite(gradient).all()
    chance = expit(alive - top - np.log(inside))
    assert PARETO.p_alive(np.array(params), base)[0] == pytest.approx(chance, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("a", [1e-3, 0.2, 1.0, 1.0 + 1e-9, 3.0, 200.0, 3e4])
@pytest.mark.parametrize("b", [0.05, 2.4, 90.0, 2e4])
@pytest.mark.parametrize(("r", "alpha", "length"), [(0.24, 4.4, 39.0), (150.0, 0.2, 1e3)])
def test_expected_purchases_of_bg_nbd_are_their_integral(a, b, r, alpha, length):
    # Over the logit of the chance to drop out, in pieces around where its density peaks.
    def log_density(y):
        return -a * np.logaddexp(0, -y) - b * np.logaddexp(0, y)

    def purchases(y):
        log_p = -np.logaddexp(0, -y)
        bought = -np.expm1(-r * np.log1p(np.exp(log_p) * length / alpha))
        some = r * length / alpha if log_p < -600 else bought / np.exp(log_p)
        return density(y) * some

    def density(y):
        return np.exp(log_density(y) - log_density(peak))

    peak, width = np.log(a / b), np.sqrt((a + b) / (a * b))
    ends = peak + width * np.array([-1e6, -1e4, -300, -30, -8, -3, 0, 3, 8, 30, 300])
    ends = np.clip(ends, -60 / a - 60, 60 / b + 60)
    sums = [0.0, 0.0]
    for low, high in pairwise(ends):
        for k, function in enumerate((purchases, density)):
            sums[k] += quad(function, low, high, epsabs=1e-13, epsrel=1e-11, limit=500)[0]
    found = BG.new(np.array([r, alpha, a, b]), np.array([length]))[0]
    assert found == pytest.approx(sums[0] / sums[1], rel=1e-8)


def test_variances_are_those_of_simulated_customers():
    rng, size, length = np.random.default_rng(20), 200_000, 26.0
    base = histories([2], [20], [39])
    # A customer who still buys: rate and chance to leave as they are after two purchases.
    rate = rng.gamma(2.5, 1 / 44.0, size)
    bg = np.array([0.5, 5.0, 0.8, 2.5])
    leaves = rng.beta(0.8, 4.5, size)
    bought = np.minimum(rng.poisson(rate * length), rng.geometric(leaves))
    pareto = np.array([0.5, 5.0, 0.7, 10.0])
    stays = np.minimum(rng.exponential(1 / rng.gamma(0.7, 1 / 49.0, size)), length)
    for model, params, y in ((BG, bg, bought), (PARETO, pareto, rng.poisson(rate * stays))):
        mean = model.future(params, base, np.array([length]))[0, 0]
        pairs = model.pairs(params, base, length)[0]
        # Four standard errors of the simulated moments.
        assert mean == pytest.approx(y.mean(), abs=4 * y.std() / size**0.5)
        twice = y * (y - 1.0)
        assert pairs == pytest.approx(twice.mean(), abs=4 * twice.std() / size**0.5)


@pytest.mark.parametrize(
    "params",
    [
        (0.94, 52.4, 0.44, 3.44),
        (0.1, 0.5, 0.3, 0.5),
        (5.0, 1000.0, 2.0, 9.0),
        (0.24, 4.4, 0.79, 2.4),
    ],
)
@pytest.mark.parametrize("modified", [False, True])
def test_what_few_ages_say_of_all_is_what_each_age_says(params, modified):
    """Thousands of ages, so that the polynomial is used; each worked out by itself beside it."""
    rng = np.random.default_rng(1)
    x = np.repeat([0.0, 1.0, 7.0, 40.0], 400)
    watched = rng.uniform(1.0, 2000.0, len(x))
    base = histories(x, np.where(x > 0, watched / 2, 0.0), watched)
    model, given = BetaGeometricNbd(modified=modified), np.array(params)
    lengths = np.array([14.0, 91.0, 1000.0])
    few = model.future(given, base, lengths), model.pairs(given, base, 91.0)
    every = np.empty((3, len(base))), np.empty(len(base))
    for start in range(0, len(base), 5):  # five at a time are fewer than a polynomial needs
        part = slice(start, start + 5)
        own = histories(base.x[part], base.t_x[part], base.watched[part])
        every[0][:, part] = model.future(given, own, lengths)
        every[1][part] = model.pairs(given, own, 91.0)
    for one, other in zip(few, every, strict=True):
        assert np.abs(one / other - 1).max() < 1e-10  # the bound of the polynomial is 4e-11
