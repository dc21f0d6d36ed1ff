"""BG/NBD and MBG/NBD: customers buy at a rate of their own until they drop out after a purchase.

Rates differ by a gamma distribution (r, alpha), chances to drop out by a beta distribution
(a, b). In the modified model one may also drop out right after the first purchase, so that
those who never came back are not all taken for customers.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, expit

from cxlab.stats.customer_base.patterns import Floats, Histories

__all__ = ["BetaGeometricNbd"]

_CELLS = 2_000_000  # of a table of rows by nodes that is held at once
_DROP = 40.0  # in logarithms: what lies so far below the peak is nothing


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
        some, stayed = np.ones_like(lengths), b / (a + b) if self.modified else 1.0
        found = _until_dropout(r * some, alpha * some, a, (b + self.modified) * some, lengths)
        return found[0] * stayed

    def future(
        self, params: Floats, base: Histories, length: float, *, pairs: bool = False
    ) -> tuple[Floats, Floats]:
        """Mean of purchases Y in the time to come, and of Y (Y - 1), for those who still buy."""
        r, alpha, a, b = params
        x, watched, place = base.ages
        mean, second = _until_dropout(
            r + x, alpha + watched, a, b + x + self.modified, np.full_like(x, length), pairs=pairs
        )
        return mean[place], second[place]

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


def _until_dropout(
    r: Floats, alpha: Floats, a: float, b: Floats, length: Floats, *, pairs: bool = False
) -> tuple[Floats, Floats]:
    """Mean of Y, and of Y (Y - 1), for rates gamma(r, alpha) and dropout beta(a, b).

    At a given chance p to drop out, and rate l, E[Y] = (1 - exp(-l p t)) / p and
    E[Y (Y - 1)] = 2 (1 - p) (1 - (1 + l p t) exp(-l p t)) / p^2. Over rates these are
    incomplete beta functions of p t / (alpha + p t); over p they are summed on the logit
    scale by the trapezoid rule, which converges exponentially for functions analytic in a
    strip (Trefethen & Weideman 2014, SIAM Review 56, 385-458). Everything summed is positive.
    The closed form (a + b - 1) / (a - 1) (1 - ... 2F1) loses all digits near a = 1.
    """
    mean, second = np.empty_like(r), np.full_like(r, np.nan)
    y, h = _nodes(a, b, float(((r + 1) * length / alpha).max()))
    log_p, log_stay = -np.logaddexp(0.0, -y), -np.logaddexp(0.0, y)
    p = np.exp(log_p)
    for part in np.array_split(np.arange(len(r)), 1 + len(r) * len(y) // _CELLS):
        weight = np.exp(a * log_p + b[part, None] * log_stay - _peak(a, b[part])[:, None])
        # Beyond the first and the last node only the exponential tails are left, whose
        # nodes make geometric series.
        weight[:, 0] /= -np.expm1(-a * h)
        weight[:, -1] /= -np.expm1(-b[part] * h)
        weight /= weight.sum(axis=1, keepdims=True)
        reach = p * (length[part] / alpha[part])[:, None]
        some = -np.expm1(-r[part, None] * np.log1p(reach)) / p
        mean[part] = (weight * some).sum(axis=1)
        if pairs:
            two = betainc(2.0, r[part, None], reach / (1 + reach)) * np.exp(log_stay - 2 * log_p)
            second[part] = 2 * (weight * two).sum(axis=1)
    return mean, second


def _nodes(a: float, b: Floats, reach: float) -> tuple[Floats, float]:
    """Equally spaced logits that hold the whole mass of beta(a, b) for every b."""
    least, most = float(b.min()), float(b.max())
    tail = np.log(1 + reach + most + a) + _DROP
    low = max(-tail, _edge(a, most, -1.0))
    high = min(tail, _edge(a, least, 1.0))
    h = min(0.25, 0.4 / np.sqrt(a * most / (a + most)))
    return low + h * np.arange(int((high - low) / h) + 2), h


def _edge(a: float, b: float, side: float) -> float:
    """Where the density of the logit has fallen by 40 logarithms, below or above its peak."""
    width = np.sqrt((a + b) / (a * b))
    y = np.log(a / b) + side * width * 1.2 ** np.arange(-10, 80)
    fall = _peak(a, np.array([b])) + a * np.logaddexp(0.0, -y) + b * np.logaddexp(0.0, y)
    return float(y[min(int(np.argmax(fall > _DROP)), len(y) - 1)])


def _peak(a: float, b: Floats) -> Floats:
    """Height of the log density a log p + b log(1 - p) at p = a / (a + b)."""
    return -a * np.log1p(b / a) - b * np.log1p(a / b)
