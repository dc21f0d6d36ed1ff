"""How much more often does one thing go with another: the odds ratio of a table of four counts."""

import math
from collections.abc import Callable

import numpy as np

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["odds_ratio"]

_EXACT = 1_000  # of the smallest margin; beyond it there is nothing to tell them apart by
_FEW = 20  # a cell below which the normal limits are not trusted, whatever the margins


def odds_ratio(
    a: float, b: float, c: float, d: float, *, level: float = 0.95
) -> tuple[Interval, float]:
    """Odds ratio of a 2 by 2 table, with Fisher's interval and p-value.

    Parameters
    ----------
    a, b : float
        With the first thing: how many also have the second, and how many have not.
    c, d : float
        Without the first thing: the same.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        The conditional maximum likelihood estimate; its ends are infinite or 0 where a cell
        is empty. `n` is all four counts.
    float
        Two-sided p-value of no association.

    Raises
    ------
    DataError
        If a count is negative or no whole number, or a row or a column is empty.

    Notes
    -----
    Exact where the smallest margin has at most 1,000 or a cell fewer than 20; else the normal
    limits of the logarithm, which agree with the exact ones to three digits there.

    References
    ----------
    Fisher (1935), Journal of the Royal Statistical Society 98, 39-82; Woolf (1955), Annals of
    Human Genetics 19, 251-253.

    Examples
    --------
    >>> found, p = odds_ratio(3, 1, 1, 3)  # Fisher's tea
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 1), round(p, 4)
    (6.408, 0.212, 626.2, 0.4857)
    """
    counts = np.array([[a, b], [c, d]], dtype=np.float64)
    if (counts < 0).any() or (counts != np.rint(counts)).any():
        raise DataError(f"counts must be whole and 0 or more, but are {counts.tolist()}.")
    margins = np.r_[counts.sum(axis=0), counts.sum(axis=1)]
    if not margins.all():
        raise DataError(
            f"an odds ratio needs cases in each row and column, but has {counts.tolist()}."
        )
    if margins.min() <= _EXACT or counts.min() < _FEW:
        return _exact(counts, level)
    log = math.log(a * d / (b * c))
    se = math.sqrt((1 / counts).sum())
    far = z_quantile(level) * se
    found = Interval(
        estimate=math.exp(log), low=math.exp(log - far), high=math.exp(log + far),
        n=float(counts.sum()), level=level, method="normal limits of the log odds ratio (Woolf)",
    )  # fmt: skip
    from scipy.special import ndtr

    return found, float(2 * ndtr(-abs(log) / se))


def _exact(
    counts: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", level: float
) -> tuple[Interval, float]:
    """Fisher's limits: all ways to fill the table with its margins, at each log odds ratio.

    scipy's take forty times as long, for it makes each chance by itself.
    """
    from scipy.special import gammaln
    from scipy.stats import fisher_exact

    (a, b), (c, d) = counts
    k = np.arange(-min(a, d), min(b, c) + 1)  # more in the first cell than were found
    ways = -sum(gammaln(cell + 1) for cell in (a + k, b - k, c - k, d + k))
    tail = (1 - level) / 2
    start = math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))

    def chances(theta: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        logs = ways + k * theta
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    fewest, most = k[0] == 0, k[-1] == 0  # the first cell could not hold less, or more
    edge = 0.0 if fewest else math.inf
    interval = Interval(
        estimate=edge if fewest or most else _root(lambda t: float(chances(t) @ k), start),
        low=0.0 if fewest else _root(lambda t: chances(t)[k >= 0].sum() - tail, start),
        high=math.inf if most else _root(lambda t: tail - chances(t)[k <= 0].sum(), start),
        n=float(counts.sum()), level=level, method="conditional, Fisher's exact limits",
    )  # fmt: skip
    return interval, float(fisher_exact(counts.astype(int)).pvalue)


def _root(rising: Callable[[float], float], start: float) -> float:
    """Where a function of the log odds ratio crosses zero, as odds."""
    from scipy.optimize import brentq

    far = 1.0
    while rising(start - far) > 0 or rising(start + far) < 0:
        far *= 2
    return math.exp(float(brentq(rising, start - far, start + far, xtol=1e-10)))
