"""Does a model of repeat buying keep its promise: expected against counted, week by week.

A model that was fitted to the first part of the time tells how many repeat purchases to
expect in the second one, which it has not seen.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.customer_base.fit import log_ends
from cxlab.stats.customer_base.patterns import Floats, Histories
from cxlab.stats.customer_base.repeat_buying import RepeatBuying

__all__ = ["by_frequency", "track"]


def track(
    buying: RepeatBuying,
    joined: ArrayLike,
    customers: ArrayLike,
    periods: int,
    *,
    counted: ArrayLike | None = None,
) -> pd.DataFrame:
    """Expected repeat purchases of a cohort, period by period, beside those counted.

    Parameters
    ----------
    buying : RepeatBuying
        Fitted purchases.
    joined : array_like, shape (rows,)
        When customers bought for the first time: time since the start of period 1, in the
        unit of the histories.
    customers : array_like, shape (rows,)
        How many did.
    periods : int
        Periods of one unit each, such as weeks.
    counted : array_like, shape (periods,), optional
        Repeat purchases of the cohort in each period.

    Returns
    -------
    pandas.DataFrame
        One row per period: expected and counted, `incremental` in the period and `cumulative`
        to its end, the latter with an interval of the expectation.

    Raises
    ------
    DataError
        If numbers of customers or of counts do not fit.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284, figures 2 and 3.

    Examples
    --------
    >>> from cxlab.stats.customer_base import fit_repeat_buying, histories
    >>> base = histories(
    ...     [0, 1, 1, 2, 3, 5, 8], [0, 4, 20, 30, 12, 33, 36], [39] * 7,
    ...     [600, 100, 60, 80, 40, 50, 20],
    ... )
    >>> fit = fit_repeat_buying(base, model="MBG/NBD")
    >>> track(fit, [0.0], [base.n], 39)["cumulative"].iloc[-1].round()
    np.float64(844.0)
    """
    begun, many = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (joined, customers))
    if len(begun) != len(many) or not (np.isfinite(begun) & (many >= 0)).all() or periods < 1:
        raise DataError(
            "a cohort needs a time and a count, 0 or more, per row, and at least one period."
        )
    seen = np.full(periods, np.nan) if counted is None else np.asarray(counted, dtype=np.float64)
    if seen.shape != (periods,):
        raise DataError(f"counted must have one number for each of {periods} periods.")
    ends = np.arange(1, periods + 1, dtype=np.float64)
    ages = np.maximum(ends[:, None] - begun, 0.0)
    distinct, place = np.unique(ages, return_inverse=True)
    place = place.reshape(ages.shape)

    def cumulative(params: Floats) -> Floats:
        mean = np.zeros(len(distinct))
        mean[distinct > 0] = buying.model.new(params, distinct[distinct > 0])
        return np.asarray(mean[place] @ many, dtype=np.float64)

    total, se = buying.errors(cumulative)
    low, high = log_ends(total, se, buying.level)
    return pd.DataFrame(
        {"period": ends.astype(np.int64), "incremental": np.diff(total, prepend=0.0),
         "counted": seen, "cumulative": total, "conf_low": low, "conf_high": high,
         "counted_cumulative": np.cumsum(seen)}
    )  # fmt: skip


def by_frequency(
    buying: RepeatBuying,
    base: Histories,
    length: float,
    *,
    counted: ArrayLike | None = None,
    most: int = 7,
) -> pd.DataFrame:
    """Expected purchases in the time to come, by how often customers have bought so far.

    Parameters
    ----------
    buying : RepeatBuying
        Fitted purchases.
    base : Histories
        Customers at the end of the time that was fitted.
    length : float
        Time to come, in the unit of the histories.
    counted : array_like, shape (k,), optional
        Purchases that all customers of each history then made, in the order of `base`.
    most : int
        Those with so many repeat purchases and more are one class.

    Returns
    -------
    pandas.DataFrame
        One row per class: x (the last one is "or more"), customers, and per customer
        `estimate`, `conf_low`, `conf_high` (of the expectation) and `counted`.

    Raises
    ------
    DataError
        If there is not one count per history.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284, figure 4.
    """
    seen = np.full(len(base), np.nan) if counted is None else np.asarray(counted, dtype=np.float64)
    if seen.shape != (len(base),):
        raise DataError(f"counted must have one number for each of {len(base)} histories.")
    often, place = np.unique(np.minimum(base.x, most), return_inverse=True)
    customers = np.bincount(place, base.customers)

    def mean(params: Floats) -> Floats:
        each = base.customers * buying.expected(params, base, length)
        return np.bincount(place, each) / customers

    estimate, se = buying.errors(mean)
    low, high = log_ends(estimate, se, buying.level)
    return pd.DataFrame(
        {"x": often.astype(np.int64), "customers": customers, "estimate": estimate,
         "conf_low": low, "conf_high": high, "counted": np.bincount(place, seen) / customers}
    )  # fmt: skip
