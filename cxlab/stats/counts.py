"""How sure are we of a count of events, or of a total of amounts."""

import math

from scipy.special import gammaincinv

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["poisson_count", "poisson_total"]


def poisson_count(count: float, *, level: float = 0.95) -> Interval:
    """Exact interval of a count of independent events (Garwood 1936, Biometrika 28).

    Orders of one customer are not independent: give their total to `poisson_total`,
    one part per customer.

    Parameters
    ----------
    count : float
        Events counted.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Expected count; `n` is the count itself.

    Raises
    ------
    DataError
        If the count is negative or missing.

    Examples
    --------
    >>> found = poisson_count(10)
    >>> round(found.low, 4), round(found.high, 4)
    (4.7954, 18.3904)
    """
    if not count >= 0:
        raise DataError(f"a count must be 0 or more, but is {count:g}. Check the query.")
    low, high = _garwood(count, level)
    return Interval(
        estimate=count, low=low, high=high, n=count, method="exact Poisson interval",
        level=level, se=math.sqrt(count),
    )  # fmt: skip


def poisson_total(total: float, squares: float, *, n: float, level: float = 0.95) -> Interval:
    """Interval of a total whose parts are many and whose number is random too.

    The total is compound Poisson: its variance is the sum of squares of its parts. The
    interval is Garwood's for the effective count ``total**2 / squares``, scaled back
    (the gamma interval of Fay & Feuer 1997 with the average in place of the greatest
    weight). Give one part per customer, so that their repeat orders stay together.

    Parameters
    ----------
    total, squares : float
        Sum, and sum of squares, of the parts.
    n : float
        Number of parts.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Total and ends, in the unit of `total`.

    References
    ----------
    Fay & Feuer (1997), Statistics in Medicine 16, 791-801; Tiwari, Clegg & Zou (2006),
    Statistical Methods in Medical Research 15, 547-569.

    Examples
    --------
    >>> found = poisson_total(500.0, 25_000.0, n=10)  # ten parts of 50 each
    >>> round(found.low, 2), round(found.high, 2)
    (239.77, 919.52)
    """
    if not squares >= 0 or not math.isfinite(total):
        raise DataError(
            f"a total needs a finite sum and a sum of squares of 0 or more, but has "
            f"{total:g} and {squares:g}. Check the query."
        )
    se = math.sqrt(squares)
    if total > 0:
        scale = squares / total
        low, high = (scale * end for end in _garwood(total / scale, level))
    else:  # refunds outweigh sales: no scaled count has such a total
        half = z_quantile(level) * se
        low, high = total - half, total + half
    method = "compound Poisson interval"
    return Interval(estimate=total, low=low, high=high, n=n, method=method, level=level, se=se)


def _garwood(count: float, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))
