"""BG/BB: customers who may buy once at each of several occasions, such as a yearly campaign.

They buy at an occasion with a chance of their own, and leave before one with another. The
chances follow two beta distributions (alpha, beta) and (gamma, delta).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, psi

from cxlab.errors import DataError
from cxlab.stats.customer_base.patterns import Floats, Histories

__all__ = ["BetaGeometricBernoulli"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class BetaGeometricBernoulli:
    """The model's likelihood and expectations, at given parameters.

    Histories count occasions: `watched` are those since the first purchase, and `t_x` is the
    last of them at which somebody bought.

    References
    ----------
    Fader, Hardie & Shang (2010), "Customer-Base Analysis in a Discrete-Time Noncontractual
    Setting", Marketing Science 29(6), 1086-1108.
    """

    names = ("alpha", "beta", "gamma", "delta")
    times = np.zeros(4)  # none is a time: occasions are counted
    title = "BG/BB"

    def starts(self, base: Histories) -> list[Floats]:
        """Logarithms to start from."""
        _stands(base)
        share = float(base.customers @ base.x) / float(base.customers @ base.watched)
        mean = min(0.9, 1.5 * share)
        return [
            np.log([mean * n, (1 - mean) * n, leaves * m, (1 - leaves) * m])
            for n, m, leaves in ((2.0, 3.0, 0.2), (1.0, 1.0, 0.4), (5.0, 20.0, 0.05))
        ]

    def log_likelihood(self, theta: Floats, base: Histories) -> tuple[float, Floats]:
        """Sum over customers, and its gradient, both for logarithms of the parameters."""
        a, b, c, d = np.exp(theta)
        x, u, inside, alive = _moments(base)
        log_term = betaln(a + x, b + u - x) - betaln(a, b) - betaln(c, d)
        log_term = log_term + np.where(alive, betaln(c, d + u), betaln(c + 1, d + u))
        log_term = np.where(inside, log_term, -np.inf)
        each = np.logaddexp.reduce(log_term, axis=1)
        weight = base.customers[:, None] * np.exp(log_term - each[:, None])
        gone = np.where(alive, 0.0, 1.0)
        buys, leaves = psi(a + b + u), psi(c + gone + d + u)
        slope = (
            psi(a + x) - buys - psi(a) + psi(a + b),
            psi(b + u - x) - buys - psi(b) + psi(a + b),
            psi(c + gone) - leaves - psi(c) + psi(c + d),
            psi(d + u) - leaves - psi(d) + psi(c + d),
        )
        gradient = np.array([(weight * one).sum() for one in slope])
        return float(base.customers @ each), gradient * np.exp(theta)

    def p_alive(self, params: Floats, base: Histories) -> Floats:
        """Chance that each history is that of somebody who is there at the next occasion."""
        a, b, c, d = params
        x, u, inside, alive = _moments(base)
        log_term = betaln(a + x, b + u - x)
        log_term = log_term + np.where(alive, betaln(c, d + u), betaln(c + 1, d + u))
        gone = np.where(inside & ~alive, log_term, -np.inf)
        last = log_term[:, :1]  # alive stands first
        odds = np.logaddexp.reduce(gone, axis=1, initial=-np.inf) - last[:, 0]
        there = (d + base.watched) / (c + d + base.watched)  # to stay until the next
        return np.asarray(expit(-odds) * there, dtype=np.float64)

    def new(self, params: Floats, lengths: Floats) -> Floats:
        """Expected repeat purchases of a new customer at the first so many occasions."""
        a, b, c, d = params
        stays = np.exp(betaln(c, d + np.arange(1.0, lengths.max() + 1)) - betaln(c, d))
        sums = np.r_[0.0, np.cumsum(stays)][_whole(lengths)]
        return np.asarray(a / (a + b) * sums, dtype=np.float64)

    def future(self, params: Floats, base: Histories, lengths: Floats) -> Floats:
        """Mean purchases to come of those there at the next occasion; (lengths, histories)."""
        a, b, _, _ = params
        mean = (a + base.x) / (a + b + base.watched)
        sums = np.cumsum(self._stays(params, base, lengths), axis=0)
        return np.asarray(mean * sums[_whole(lengths) - 1], dtype=np.float64)

    def pairs(self, params: Floats, base: Histories, length: float) -> Floats:
        """Mean of Y (Y - 1) for the purchases Y to come of those there at the next occasion."""
        a, b, _, _ = params
        mean = (a + base.x) / (a + b + base.watched)
        square = mean * (a + base.x + 1) / (a + b + base.watched + 1)
        stays = self._stays(params, base, np.array([length]))
        return np.asarray(2 * square * (np.arange(len(stays)) @ stays), dtype=np.float64)

    def _stays(self, params: Floats, base: Histories, lengths: Floats) -> Floats:
        """Chance to be there at occasion 1, 2, ... to come, given the first of them."""
        _, _, c, d = params
        ahead = np.arange(1.0, _whole(lengths).max() + 1)[:, None]
        here = betaln(c, d + base.watched + 1)
        return np.asarray(np.exp(betaln(c, d + base.watched + ahead) - here), dtype=np.float64)


def _stands(base: Histories) -> None:
    """Refuse histories that do not count occasions."""
    for name, values in (("t_x", base.t_x), ("watched", base.watched)):
        if (values != np.floor(values)).any():
            raise DataError(f"BG/BB counts occasions, so {name} must be whole numbers.")
    if (base.x > base.t_x).any():
        raise DataError("BG/BB knows one purchase per occasion, but some x is above its t_x.")


def _moments(base: Histories) -> tuple[Floats, Floats, Bools, Bools]:
    """Occasions after which somebody may have left: first the case that they have not."""
    x, t_x, n = (v[:, None] for v in (base.x, base.t_x, base.watched))
    steps = np.arange(float((base.watched - base.t_x).max()))
    u = np.hstack([n, np.minimum(t_x + steps, n)])
    inside = np.hstack([np.ones_like(n, dtype=bool), t_x + steps < n])
    alive = np.zeros(u.shape, dtype=bool)
    alive[:, 0] = True
    return x, u, inside, alive


def _whole(lengths: Floats) -> NDArray[np.int64]:
    found = np.asarray(lengths).astype(np.int64)
    if (found != lengths).any() or (found < 0).any():
        raise DataError("BG/BB counts occasions, so the time to come must be a whole number.")
    return found
