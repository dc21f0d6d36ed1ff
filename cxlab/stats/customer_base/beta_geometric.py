"""BG/NBD and MBG/NBD: customers buy at a rate of their own until they drop out after a purchase.

Rates differ by a gamma distribution (r, alpha), chances to drop out by a beta distribution
(a, b). In the modified model one may also drop out right after the first purchase, so that
those who never came back are not all taken for customers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, expit

from cxlab.stats.customer_base.few_ages import at_few_ages
from cxlab.stats.customer_base.patterns import Floats, Histories

__all__ = ["BetaGeometricNbd"]

_CELLS = 200_000  # of a table of rows by nodes at a time: as much as a processor keeps near
_DROP = 33.0  # in logarithms: what lies so far below the peak is nothing


@dataclass(frozen=True)
class BetaGeometricNbd:
    """The model's likelihood and expectations, at given parameters.

    Attributes
    ----------
    modified : bool
        Whether customers may drop out after the first purchase.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science
    24(2), 275-284; Batislam, Denizel & Filiztekin (2007), International Journal of Research
    in Marketing 24(3), 201-209.
    """

    modified: bool

    names = ("r", "alpha", "a", "b")
    times = np.array([0.0, 1.0, 0.0, 0.0])  # alpha is a time

    @property
    def title(self) -> str:
        """How the field calls it."""
        return "MBG/NBD" if self.modified else "BG/NBD"

    def starts(self, base: Histories) -> list[Floats]:
        """Logarithms to start from, for times in units of the mean time watched."""
        rate = float(base.customers @ base.x) / float(base.customers @ base.watched)
        shapes = ((0.5, 0.5, 2.0), (1.0, 1.0, 1.0), (3.0, 0.2, 3.0))
        return [np.log([r, r / (2 * rate), a, b]) for r, a, b in shapes]

    def log_likelihood(self, theta: Floats, base: Histories) -> tuple[float, Floats]:
        """Sum over customers, and its gradient, both for logarithms of the parameters."""
        r, alpha, a, b = np.exp(theta)
        x, many, end = base.x, base.customers, base.watched
        odds, since, earlier = self._odds_gone(np.exp(theta), base)
        gone = many * expit(odds)
        i, more = np.arange(len(base.more_than)), base.more_than
        stays = np.r_[base.n, more] if self.modified else more
        j = np.arange(len(stays))
        value = (
            more @ np.log(r + i)
            - many @ (r * np.log1p(end / alpha) + x * np.log(alpha + end))
            - stays @ np.log1p(a / (b + j))
            + many @ np.logaddexp(0.0, odds)
        )
        gradient = (
            more @ (1 / (r + i)) - many @ np.log1p(end / alpha) + gone @ since,
            many @ ((r * end / alpha - x) / (alpha + end))
            - gone @ ((r + x) * (end - base.t_x) / ((alpha + end) * (alpha + base.t_x))),
            -(stays @ (1 / (a + b + j))) + gone.sum() / a,
            stays @ (a / ((b + j) * (a + b + j))) - gone @ (1 / earlier),
        )
        return float(value), np.array(gradient) * np.exp(theta)

    def p_alive(self, params: Floats, base: Histories) -> Floats:
        """Chance that each history is that of somebody who still buys.

        Under BG/NBD it is exactly 1 for those who never came back: the model lets nobody go
        before a second purchase.
        """
        return np.asarray(expit(-self._odds_gone(params, base)[0]), dtype=np.float64)

    def new(self, params: Floats, lengths: Floats) -> Floats:
        """Expected repeat purchases of a new customer within each of these lengths of time."""
        r, alpha, a, b = params
        one, stayed = np.ones(1), b / (a + b) if self.modified else 1.0
        rest = _UntilDropout(r * one, alpha * one, a, (b + self.modified) * one)
        return rest.mean(lengths)[:, 0] * stayed

    def future(self, params: Floats, base: Histories, lengths: Floats) -> Floats:
        """Mean purchases in times to come of those who still buy; shape (lengths, histories)."""
        return self._rest(params, base, lambda rest: rest.mean(lengths))

    def pairs(self, params: Floats, base: Histories, length: float) -> Floats:
        """Mean of Y (Y - 1) for the purchases Y in the time to come of those who still buy."""
        return self._rest(params, base, lambda rest: rest.pairs(length))

    def _rest(
        self, params: Floats, base: Histories, asked: Callable[["_UntilDropout"], Floats]
    ) -> Floats:
        r, alpha, a, b = params
        x, watched, place = base.ages

        def of(x: Floats, age: Floats) -> Floats:
            return asked(_UntilDropout(r + x, age, a, b + x + self.modified))

        return at_few_ages(x, alpha + watched, of)[..., place]

    def _odds_gone(self, params: Floats, base: Histories) -> tuple[Floats, Floats, Floats]:
        """Log odds of having dropped out, log((alpha + T) / (alpha + t_x)), and b + x - 1."""
        r, alpha, a, b = params
        since = np.log1p((base.watched - base.t_x) / (alpha + base.t_x))
        # Who may not have dropped out yet gets any positive number.
        could = np.ones(len(base), dtype=bool) if self.modified else base.x > 0
        earlier = np.where(could, b + base.x - (not self.modified), np.inf)
        with np.errstate(divide="ignore"):
            odds = np.log(a / earlier) + (r + base.x) * since
        return odds, since, earlier


@dataclass(frozen=True)
class _UntilDropout:
    """Purchases Y from now on, for rates gamma(r, alpha) and chances to drop out beta(a, b).

    At a given chance p and rate l, E[Y] = (1 - exp(-l p t)) / p and
    E[Y (Y - 1)] = 2 (1 - p) (1 - (1 + l p t) exp(-l p t)) / p^2. Over rates these are
    incomplete beta functions of p t / (alpha + p t); over p they are summed on the logit
    scale by the trapezoid rule, which converges exponentially for functions analytic in a
    strip (Trefethen & Weideman 2014, SIAM Review 56, 385-458). Everything summed is positive.
    The closed form (a + b - 1) / (a - 1) (1 - ... 2F1) loses all digits near a = 1.
    """

    r: Floats
    alpha: Floats
    a: float
    b: Floats

    def mean(self, lengths: Floats) -> Floats:
        """E[Y] within each length of time, shape (lengths, rows)."""
        found = np.empty((len(lengths), len(self.r)))
        for part, weight, log_p, _ in self._parts(float(lengths.max())):
            per_p = weight / np.exp(log_p)
            by_time = np.exp(log_p) / self.alpha[part, None]
            for row, length in enumerate(lengths):
                some = -np.expm1(-self.r[part, None] * np.log1p(by_time * length))
                found[row, part] = np.einsum("ij,ij->i", per_p, some)
        return found

    def pairs(self, length: float) -> Floats:
        """E[Y (Y - 1)] within a length of time."""
        found = np.empty_like(self.r)
        for part, weight, log_p, log_stay in self._parts(length):
            reach = np.exp(log_p) * length / self.alpha[part, None]
            two = betainc(2.0, self.r[part, None], reach / (1 + reach))
            found[part] = 2 * (weight * two * np.exp(log_stay - 2 * log_p)).sum(axis=1)
        return found

    def _parts(self, length: float) -> Iterator[tuple[slice, Floats, Floats, Floats]]:
        """Rows that fit in memory: weights of the nodes, log p and log(1 - p) at them."""
        y, h = _nodes(self.a, self.b, float(((self.r + 1) * length / self.alpha).max()))
        log_p, log_stay = -np.logaddexp(0.0, -y), -np.logaddexp(0.0, y)
        step = max(1, _CELLS // len(y))
        for start in range(0, len(self.r), step):
            part = slice(start, start + step)
            b = self.b[part, None]
            weight = np.exp(self.a * log_p + b * log_stay - _peak(self.a, b))
            # Beyond the first and the last node only the exponential tails are left, whose
            # nodes make geometric series.
            weight[:, 0] /= -np.expm1(-self.a * h)
            weight[:, -1] /= -np.expm1(-b[:, 0] * h)
            weight /= weight.sum(axis=1, keepdims=True)
            yield part, weight, log_p, log_stay


def _nodes(a: float, b: Floats, reach: float) -> tuple[Floats, float]:
    """Equally spaced logits that hold the whole mass of beta(a, b) for every b."""
    least, most = float(b.min()), float(b.max())
    tail = np.log(1 + reach + most + a) + _DROP
    low = max(-tail, _edge(a, most, -1.0))
    high = min(tail, _edge(a, least, 1.0))
    h = min(0.35, 0.4 / np.sqrt(a * most / (a + most)))
    return low + h * np.arange(int((high - low) / h) + 2), h


def _edge(a: float, b: float, side: float) -> float:
    """Where the density of the logit has fallen by 33 logarithms, below or above its peak."""
    width = np.sqrt((a + b) / (a * b))
    y = np.log(a / b) + side * width * 1.2 ** np.arange(-10, 80)
    fall = _peak(a, np.array([b])) + a * np.logaddexp(0.0, -y) + b * np.logaddexp(0.0, y)
    return float(y[min(int(np.argmax(fall > _DROP)), len(y) - 1)])


def _peak(a: float, b: Floats) -> Floats:
    """Height of the log density a log p + b log(1 - p) at p = a / (a + b)."""
    return -a * np.log1p(b / a) - b * np.log1p(a / b)
