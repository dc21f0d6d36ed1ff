"""Pareto/NBD: customers buy at a rate of their own, and leave at any moment unseen.

Rates to buy differ by a gamma distribution (r, alpha), rates to leave by another one
(s, beta).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cxlab.stats.customer_base.patterns import Floats, Histories

__all__ = ["ParetoNbd"]

_DROP = 36.0  # in logarithms: the integrand beyond is nothing
_CELLS = 2_000_000  # of a table of histories by nodes that is held at once
# Nodes, and up to which length of the integral on the log scale and which fall of the
# integrand (in logarithms) they are enough for 12 digits.
_RULES = ((8, 1.2, 3.0), (16, 3.0, 15.0), (40, np.inf, np.inf))


@dataclass(frozen=True)
class _Inside:
    """Integrals over the moment of leaving, between the last purchase and the end.

    `odds` is the logarithm of the odds of having left; the others are means of what their name
    says over the moments u, weighted with the chance of each.
    """

    odds: Floats
    log_alpha: Floats  # log((alpha + u) / (alpha + T))
    log_beta: Floats
    by_alpha: Floats  # 1 / (alpha + u)
    by_beta: Floats


@dataclass(frozen=True)
class ParetoNbd:
    """The model's likelihood and expectations, at given parameters.

    Notes
    -----
    The published likelihood is a difference of two hypergeometric functions, of which all
    digits may cancel. It stands for an integral over the moment of leaving u,

        s (alpha + u)^-(r + x) (beta + u)^-(s + 1)  from t_x to T,

    which is summed here by Gauss and Legendre's rule in log(min(alpha, beta) + u), together
    with its derivatives: all terms are positive, and alpha may equal beta.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1), 1-24; Fader & Hardie
    (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions".
    """

    names = ("r", "alpha", "s", "beta")
    times = np.array([0.0, 1.0, 0.0, 1.0])  # alpha and beta are times
    title = "Pareto/NBD"

    def starts(self, base: Histories) -> list[Floats]:
        """Logarithms to start from, for times in units of the mean time watched."""
        rate = float(base.customers @ base.x) / float(base.customers @ base.watched)
        shapes = ((0.5, 0.5, 0.5), (1.0, 1.0, 2.0), (2.0, 0.3, 0.3))
        return [np.log([r, r / (2 * rate), s, beta]) for r, s, beta in shapes]

    def log_likelihood(self, theta: Floats, base: Histories) -> tuple[float, Floats]:
        """Sum over customers, and its gradient, both for logarithms of the parameters."""
        r, alpha, s, beta = np.exp(theta)
        x, many, end = base.x, base.customers, base.watched
        inside = _integrals(np.exp(theta), base)
        i, more = np.arange(len(base.more_than)), base.more_than
        alive, left = expit(-inside.odds), expit(inside.odds)
        value = (
            more @ np.log(r + i)
            - many @ (r * np.log1p(end / alpha) + x * np.log(alpha + end))
            - many @ (s * np.log1p(end / beta))
            + many @ np.logaddexp(0.0, inside.odds)
        )
        by_alpha = alive / (alpha + end) + left * inside.by_alpha
        by_beta = s * alive / (beta + end) + (s + 1) * left * inside.by_beta
        gradient = (
            more @ (1 / (r + i)) - many @ (np.log1p(end / alpha) + left * inside.log_alpha),
            many @ (r / alpha - (r + x) * by_alpha),
            many @ (left / s - np.log1p(end / beta) - left * inside.log_beta),
            many @ (s / beta - by_beta),
        )
        return float(value), np.array(gradient) * np.exp(theta)

    def p_alive(self, params: Floats, base: Histories) -> Floats:
        """Chance that each history is that of somebody who still buys.

        It is 1 for whoever bought at the very end of observation.
        """
        return np.asarray(expit(-_integrals(params, base).odds), dtype=np.float64)

    def new(self, params: Floats, lengths: Floats) -> Floats:
        """Expected repeat purchases of a new customer within each of these lengths of time."""
        r, alpha, s, beta = params
        return _grown(1 - s, np.log1p(lengths / beta)) * float(r * beta / alpha)

    def future(self, params: Floats, base: Histories, lengths: Floats) -> Floats:
        """Mean purchases in times to come of those who still buy; shape (lengths, histories)."""
        r, alpha, s, beta = params
        rate, left = (r + base.x) / (alpha + base.watched), beta + base.watched
        grown = _grown(1 - s, np.log1p(lengths[:, None] / left))
        return np.asarray(rate * left * grown, dtype=np.float64)

    def pairs(self, params: Floats, base: Histories, length: float) -> Floats:
        """Mean of Y (Y - 1) for the purchases Y in the time to come of those who still buy."""
        r, alpha, s, beta = params
        square = (r + base.x) * (r + base.x + 1) / (alpha + base.watched) ** 2
        left = beta + base.watched
        span = np.log1p(length / left)
        # The rate's second moment, and twice the integral of u (left / (left + u))^s.
        second = 2 * square * left**2 * (_grown(2 - s, span) - _grown(1 - s, span))
        return np.asarray(np.maximum(second, 0.0), dtype=np.float64)


def _grown(power: float, span: Floats) -> Floats:
    """Integral of exp(power v) from 0 to a span; the span itself where the power is 0."""
    if abs(power) < 1e-12:
        return span
    return np.asarray(np.expm1(power * span) / power, dtype=np.float64)


def _integrals(params: Floats, base: Histories) -> _Inside:
    """Sum over the moment of leaving, each history with as many nodes as it needs."""
    r, alpha, s, beta = params
    least, n = min(alpha, beta), len(base)
    often = r + base.x
    # Where either power alone has fallen by 36 logarithms, nothing is left.
    with np.errstate(over="ignore"):
        reach = (alpha + base.t_x) * np.expm1(_DROP / often)
    stop = np.minimum(base.watched, base.t_x + reach)
    length = np.log1p((stop - base.t_x) / (least + base.t_x))
    if beta <= alpha:
        length = np.minimum(length, _DROP / s)
    far = (least + base.t_x) * np.expm1(length)
    fall = often * np.log1p(far / (alpha + base.t_x)) + s * np.log1p(far / (beta + base.t_x))
    out = np.zeros((5, n))
    for nodes, rows in _shared_out(length, fall):
        out[:, rows] = _summed(params, base, length, rows, nodes)
    some = out[0] > 0
    out[1:, some] /= out[0, some]
    rest = base.watched - base.t_x
    with np.errstate(divide="ignore"):
        odds = np.log(out[0]) + often * np.log1p(rest / (alpha + base.t_x))
    return _Inside(odds + s * np.log1p(rest / (beta + base.t_x)), *out[1:])


def _shared_out(length: Floats, fall: Floats) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give each history the smallest rule that is enough for it, in parts that fit in memory."""
    rest = length > 0
    for nodes, longest, steepest in _RULES:
        mine = rest & (length <= longest) & (fall <= steepest)
        rest &= ~mine
        rows = np.flatnonzero(mine)
        for part in np.array_split(rows, 1 + len(rows) * nodes // _CELLS):
            if len(part):
                yield nodes, part


@cache
def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Gauss and Legendre's rule; each fit asks for the same few ones thousands of times."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    return at, weight


def _summed(
    params: Floats, base: Histories, length: Floats, rows: NDArray[np.int64], nodes: int
) -> Floats:
    """Sums over moments, relative to the chance just after the last purchase: at most 1."""
    r, alpha, s, beta = params
    at, weight = _rule(nodes)
    often, t_x, end = (v[rows, None] for v in (r + base.x, base.t_x, base.watched))
    least = min(alpha, beta) + t_x
    v = length[rows, None] * (1 + at) / 2
    u = least * np.expm1(v)  # since the last purchase
    a, b = alpha + t_x + u, beta + t_x + u
    to_end = end - t_x - u
    log_a, log_b = -np.log1p(to_end / a), -np.log1p(to_end / b)
    # du = least exp(v) dv.
    fall = often * np.log1p(u / (alpha + t_x)) + s * np.log1p(u / (beta + t_x))
    f = np.exp(v - fall) * (s * least / b) * weight * (length[rows, None] / 2)
    return np.array(
        [f.sum(1), (f * log_a).sum(1), (f * log_b).sum(1), (f / a).sum(1), (f / b).sum(1)]
    )
