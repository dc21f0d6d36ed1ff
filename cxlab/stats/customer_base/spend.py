"""What a customer spends per purchase, from the mean of few purchases.

The gamma-gamma model: purchases of a customer vary around a mean of their own, and these
means vary between customers, whatever their frequency. A mean of few purchases is drawn
towards that of everybody.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln, psi, stdtr

from cxlab.errors import DataError, ParameterError
from cxlab.stats.customer_base.fit import LikelihoodFit, log_ends, positive
from cxlab.stats.customer_base.maximum import Floats, maximise
from cxlab.stats.intervals import Interval, centred

__all__ = ["Independence", "Spend", "expected_spend", "fit_spend", "spend_independence"]

_NAMES = ("p", "q", "gamma")


@dataclass(frozen=True, kw_only=True, eq=False)
class Spend(LikelihoodFit):
    """A fitted gamma-gamma model of spend per purchase."""

    def population(self) -> Interval:
        """Mean spend per purchase over all customers, those who have not bought again included.

        Returns
        -------
        Interval
            In the unit of the spend.

        Raises
        ------
        ParameterError
            If the fitted distribution has no mean (q of 1 or less).
        """
        mean, se = self.errors(lambda p: expected_spend(p, np.zeros(1), np.zeros(1)))
        _has_mean(mean)
        return positive(float(mean[0]), float(se[0]), n=self.n, level=self.level)

    def of_customers(self, x: ArrayLike, spend: ArrayLike) -> pd.DataFrame:
        """Expected spend per purchase given the number of purchases and their mean, row by row.

        The interval is for a customer's expected spend, not for a single purchase of theirs.
        """
        often, paid = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (x, spend))
        mean, se = self.errors(lambda p: expected_spend(p, often, paid))
        _has_mean(mean)
        low, high = log_ends(mean, se, self.level)
        return pd.DataFrame(
            {"x": often, "spend": paid, "estimate": mean, "conf_low": low, "conf_high": high}
        )


def fit_spend(
    x: ArrayLike, spend: ArrayLike, customers: ArrayLike | None = None, *, level: float = 0.95
) -> Spend:
    """Fit the gamma-gamma model by maximum likelihood.

    Parameters
    ----------
    x : array_like, shape (rows,)
        Purchases that the mean is of: the repeat purchases, 1 or more.
    spend : array_like, shape (rows,)
        Mean spend of these purchases, above 0.
    customers : array_like, shape (rows,), optional
        How many have this number and this mean. Default: a row is a customer.
    level : float
        Confidence level of all intervals.

    Returns
    -------
    Spend
        With `converged` and the `reason` if not; then it gives no numbers.

    Raises
    ------
    DataError
        If a number cannot be what it should.

    References
    ----------
    Fader, Hardie & Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4), 415-430;
    Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value".

    Examples
    --------
    >>> x, mean = [1, 1, 2, 2, 3, 5, 8], [8.0, 45.0, 18.0, 90.0, 25.0, 33.0, 70.0]
    >>> fit = fit_spend(x, mean, [40, 20, 30, 9, 25, 20, 10])
    >>> fit.converged, round(fit.population().estimate)
    (True, 33)
    """
    often, paid, many = _sorted(x, spend, customers)
    unit = float(many @ paid) / float(many.sum())
    relative = paid / unit

    def objective(theta: Floats) -> tuple[float, Floats]:
        return log_likelihood(theta, often, relative, many)

    starts = [np.log([p, q, q / p]) for p, q in ((2.0, 3.0), (6.0, 4.0), (1.0, 10.0))]
    found = maximise(objective, starts, _NAMES)
    return Spend(
        names=_NAMES, n=float(many.sum()), level=level, reason=found.reason, starts=found.starts,
        agreeing=found.agreeing, theta=found.theta + np.array([0.0, 0.0, np.log(unit)]),
        covariance_log=found.covariance,
        log_likelihood=found.value - float(many.sum()) * float(np.log(unit)),
    )  # fmt: skip


def log_likelihood(
    theta: Floats, x: Floats, spend: Floats, customers: Floats
) -> tuple[float, Floats]:
    """Sum over customers, and its gradient, both for logarithms of p, q and gamma."""
    p, q, gamma = np.exp(theta)
    shape, total = p * x, spend * x
    more, less = np.log1p(total / gamma), np.log1p(gamma / total)
    each = gammaln(shape + q) - gammaln(shape) - gammaln(q) - q * more - shape * less
    together = psi(shape + q)
    gradient = (
        customers @ (x * (together - psi(shape) - less)),
        customers @ (together - psi(q) - more),
        customers @ ((q * total / gamma - shape) / (gamma + total)),
    )
    return float(customers @ (each - np.log(spend))), np.array(gradient) * np.exp(theta)


def expected_spend(params: Floats, x: Floats, spend: Floats) -> Floats:
    """Expected spend per purchase given a mean of x of them; infinite where there is none."""
    p, q, gamma = params
    paid = np.where(x > 0, spend * x, 0.0)
    left = p * x + q - 1
    return np.where(left > 0, p * (gamma + paid) / np.where(left > 0, left, 1.0), np.inf)


def squared_spend(params: Floats, x: Floats, spend: Floats) -> tuple[Floats, Floats]:
    """Expected squares of a customer's own mean and of one purchase's deviation from it.

    As `expected_spend`, given a mean of x purchases; infinite where spend has no variance.
    """
    p, q, gamma = params
    paid = np.where(x > 0, spend * x, 0.0)
    left = p * x + q - 2
    squared = np.where(
        left > 0, (p * (gamma + paid)) ** 2 / np.where(left > 0, left * (left + 1), 1.0), np.inf
    )
    return squared, squared / p


@dataclass(frozen=True, kw_only=True)
class Independence:
    """Whether those who buy more often spend more, or less, per purchase.

    Attributes
    ----------
    correlation : float
        Of frequency and mean spend (Pearson).
    by_doubling : Interval
        How much more is spent per purchase where the frequency is twice as high.
    p_value : float
        How often chance alone would show at least as much.
    """

    correlation: float
    by_doubling: Interval
    p_value: float


def spend_independence(
    x: ArrayLike, spend: ArrayLike, customers: ArrayLike | None = None, *, level: float = 0.95
) -> Independence:
    """Test what the gamma-gamma model assumes: that frequency says nothing of spend.

    Parameters
    ----------
    x, spend, customers : array_like, shape (rows,)
        As for `fit_spend`.
    level : float
        Confidence level.

    Returns
    -------
    Independence
        Its p-value says whether there is a relation, `by_doubling` whether it matters.

    Raises
    ------
    DataError
        If a number cannot be what it should, or all bought equally often.

    Notes
    -----
    A regression of mean spend on the logarithm of frequency, with errors that do not suppose
    equal variances (White 1980, Econometrica 48, 817-838): the mean of a customer's mean is
    free of their frequency under independence, but its spread is not. Nor is the shape, for
    which reason ranks or logarithms of spend would show a relation where there is none.

    Examples
    --------
    >>> found = spend_independence([1, 1, 2, 4, 8], [10, 30, 20, 22, 19], [30, 30, 40, 20, 10])
    >>> found.p_value > 0.05
    True
    """
    often, paid, many = _sorted(x, spend, customers)
    n = float(many.sum())
    doublings = np.log2(often)
    centre = doublings - many @ doublings / n
    square = float(many @ centre**2)
    if not square > 0 or n < 3:
        raise DataError(
            "a relation with frequency needs customers who bought differently often, but all "
            f"{n:g} made {often[0]:g} repeat purchases."
        )
    slope = float(many @ (centre * paid)) / square
    rest = paid - many @ paid / n - slope * centre
    se = float(np.sqrt(many @ (centre * rest) ** 2 * n / (n - 2))) / square
    found = centred(slope, se, df=n - 2, n=n, method="regression, White's errors", level=level)
    p_value = 2 * float(stdtr(n - 2, -abs(slope) / se)) if se > 0 else float(slope == 0)
    x_rest, paid_rest = often - many @ often / n, paid - many @ paid / n
    spread = np.sqrt((many @ x_rest**2) * (many @ paid_rest**2))
    correlation = float(many @ (x_rest * paid_rest) / spread) if spread > 0 else 0.0
    return Independence(correlation=correlation, by_doubling=found, p_value=p_value)


def _sorted(
    x: ArrayLike, spend: ArrayLike, customers: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Distinct pairs of frequency and mean spend, in one order, with their counts."""
    counts = np.ones(np.shape(x)) if customers is None else customers
    often, paid, many = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (x, spend, counts))
    if not len(often) == len(paid) == len(many):
        raise DataError("x, spend and customers must have one number per row each.")
    rules = (
        ("x counts repeat purchases, so it must be 1 or more", often, often >= 1),
        ("spend must be above 0: leave out who paid nothing", paid, paid > 0),
        ("customers must be 0 or more", many, many >= 0),
    )
    for rule, values, holds in rules:
        wrong = np.flatnonzero(~(np.isfinite(values) & holds))
        if len(wrong):
            raise DataError(f"{rule}, but row {wrong[0]} has {values[wrong[0]]:g}.")
    if not many.sum() > 0:
        raise DataError("a model of spend needs customers who bought again, but has none.")
    often, paid, many = (v[many > 0] for v in (often, paid, many))
    order = np.lexsort((paid, often))
    often, paid, many = often[order], paid[order], many[order]
    new = np.r_[True, (np.diff(often) != 0) | (np.diff(paid) != 0)]
    return often[new], paid[new], np.bincount(np.cumsum(new) - 1, many).astype(np.float64)


def _has_mean(mean: Floats) -> None:
    if not np.isfinite(mean).all():
        raise ParameterError(
            "the fitted distribution of spend has no mean for customers who bought so rarely "
            "(q is 1 or less). Leave out extreme amounts, or tell medians."
        )
