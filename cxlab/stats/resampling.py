"""How sure are we of a change when the same customers answered both times.

Customers are drawn again with replacement, each with all their answers before and
now, so that what one person says twice is not counted as two opinions. Equal
customers are drawn together: a table of patterns with their counts is enough,
however many customers there are.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, t_quantile

__all__ = ["PATTERN", "bootstrap_change"]

# One kind of customer: answers and their sum in each period, and how many are alike.
PATTERN = ("n_now", "total_now", "n_before", "total_before", "customers")

_CELLS = 2_000_000  # of draws held in memory at once


def bootstrap_change(
    patterns: pd.DataFrame, *, seed: int, draws: int = 4_000, level: float = 0.95
) -> Interval:
    """Change of a mean or share between two periods, customers as clusters.

    Parameters
    ----------
    patterns : pandas.DataFrame
        One row per kind of customer, with the columns of `PATTERN`. A share is a mean
        of zeros and ones, a Net Promoter Score one of -100, 0 and 100.
    seed : int
        Feeds `numpy.random.default_rng`; the order of the rows does not matter.
    draws : int
        Bootstrap samples.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Mean now minus mean before. Percentiles are taken a little further out, as
        Student's quantile is from the normal one, because few customers vary less
        among themselves than the population they stand for.

    Raises
    ------
    DataError
        If one of the periods has answers of fewer than two customers.

    References
    ----------
    Field & Welsh (2007), "Bootstrapping clustered data", Journal of the Royal
    Statistical Society B 69, 369-390; Hesterberg (2015), The American Statistician
    69(4), 371-386, section 5.2, for the expanded percentiles.

    Examples
    --------
    >>> alike = pd.DataFrame({
    ...     "n_now": [1, 1, 1], "total_now": [1, 0, 1], "n_before": [1, 1, 1],
    ...     "total_before": [1, 0, 0], "customers": [60, 30, 10]})
    >>> change = bootstrap_change(alike, seed=1)
    >>> round(change.estimate, 3), round(change.low, 2), round(change.high, 2)
    (0.1, 0.05, 0.16)
    """
    # One order for equal tables, so that one seed gives one answer.
    table = patterns.groupby(list(PATTERN[:4]), sort=True)["customers"].sum().reset_index()
    values = table.to_numpy(dtype=np.float64)
    customers = values[:, 4]
    answered = [float(customers[values[:, column] > 0].sum()) for column in (0, 2)]
    if min(answered) < 2:
        raise DataError(
            f"a change needs answers of at least 2 customers in each period, but "
            f"{answered[0]:g} answered now and {answered[1]:g} before."
        )
    changes = _resampled(values[:, :4], customers, np.random.default_rng(seed), draws)
    tail = _expanded_tail(min(answered), level)
    low, high = np.nanquantile(changes, [tail, 1 - tail])
    estimate = _change(customers[np.newaxis, :] @ values[:, :4])[0]
    return Interval(
        estimate=float(estimate),
        low=float(low),
        high=float(high),
        n=float(customers @ (values[:, 0] + values[:, 2])),
        method=f"cluster bootstrap on customers, {draws:,} draws",
        level=level,
        se=float(np.nanstd(changes)),
    )


def _resampled(
    values: NDArray[np.float64],
    customers: NDArray[np.float64],
    rng: np.random.Generator,
    draws: int,
) -> NDArray[np.float64]:
    size = int(customers.sum())
    batch = max(1, _CELLS // len(customers))
    parts = []
    for done in range(0, draws, batch):
        counts = rng.multinomial(size, customers / size, size=min(batch, draws - done))
        parts.append(_change(counts @ values))
    return np.concatenate(parts)


def _change(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean now minus mean before; missing where a draw left a period empty."""
    n_now, total_now, n_before, total_before = sums.T
    missing = np.full(len(sums), np.nan)
    now = np.divide(total_now, n_now, out=missing.copy(), where=n_now > 0)
    before = np.divide(total_before, n_before, out=missing, where=n_before > 0)
    difference: NDArray[np.float64] = now - before
    return difference


def _expanded_tail(customers: float, level: float) -> float:
    further = math.sqrt(customers / (customers - 1)) * t_quantile(level, customers - 1)
    return float(ndtr(-further))
