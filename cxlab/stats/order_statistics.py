"""Quantiles of counted values, and how sure we are of them.

How many of n values lie below a quantile is binomial, whatever the values are: two of the
ordered values enclose the quantile as often as wanted.
"""

import math
from typing import Any

import numpy as np
from scipy.special import bdtr, bdtrik

from cxlab.stats.intervals import Interval

__all__ = ["binomial_quantile", "median_of_counts"]


def binomial_quantile(p: float, n: int, share: float) -> int:
    """Smallest count that n trials do not go above with probability `p` or more.

    Parameters
    ----------
    p : float
        Probability, between 0 and 1.
    n : int
        Trials, at least one.
    share : float
        Chance of success in each, 0 to 1.

    Returns
    -------
    int
        Between 0 and n.

    Examples
    --------
    >>> binomial_quantile(0.025, 16, 0.5), binomial_quantile(0.975, 16, 0.5)
    (4, 12)
    """
    found = math.ceil(bdtrik(p, n, share))
    # The continuous solution can be a hair above the whole number that already does.
    return found - 1 if found > 0 and bdtr(found - 1, n, share) >= p else found


def median_of_counts(values: Any, counts: Any, *, level: float = 0.95) -> Interval:
    """Median of counted values, with the interval between two order statistics.

    Parameters
    ----------
    values, counts : array_like, shape (k,)
        Distinct values in any order, and how often each occurs. Infinity is a value.
    level : float
        Confidence level; the interval covers at least as often.

    Returns
    -------
    Interval
        Of an even number, the lower of the two middle ones: no day between two days.

    References
    ----------
    Conover (1999), Practical Nonparametric Statistics, 3rd ed., section 3.2.

    Examples
    --------
    >>> found = median_of_counts(range(1, 17), [1] * 16)
    >>> found.estimate, found.low, found.high
    (8.0, 4.0, 13.0)
    """
    order = np.argsort(np.asarray(values, dtype=float), kind="stable")
    ordered = np.asarray(values, dtype=float)[order]
    reached = np.cumsum(np.asarray(counts, dtype=float)[order])
    n = int(reached[-1])
    # P(fewer than `rank` of n lie below the median) is at most half of what may fail.
    rank = binomial_quantile((1 - level) / 2, n, 0.5)

    def at(position: int) -> float:
        if not 1 <= position <= n:
            return math.nan
        return float(ordered[np.searchsorted(reached, position)])

    return Interval(
        estimate=at((n + 1) // 2), low=at(rank), high=at(n + 1 - rank), n=n,
        method="interval between order statistics", level=level,
    )  # fmt: skip
