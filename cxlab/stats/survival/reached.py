"""When do those come who ever come, where most of the others never will?"""

import math

import numpy as np

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, z_quantile
from cxlab.stats.survival.curve import SurvivalCurve

__all__ = ["quantile_of_reached"]

# As for a curve's own quantile: equal in floating point.
_SAME = math.sqrt(np.finfo(float).eps)


def quantile_of_reached(curve: SurvivalCurve, share: float = 0.5) -> Interval:
    """Time by which a share of those who have the event by the curve's end had it.

    Parameters
    ----------
    curve : SurvivalCurve
        Of all, also of those who never have the event: they count as without it for as long
        as they were watched.
    share : float
        Between 0 and 1; the median by default.

    Returns
    -------
    Interval
        In the unit of the durations. Where the curve comes down to 0 it is the curve's own
        quantile.

    Raises
    ------
    DataError
        If the share is not between 0 and 1, or nobody had the event.

    Notes
    -----
    With F = 1 - S and e the curve's end, the time is where F(t) = q F(e). Its ends are where
    the difference of the two is as far from 0 as z standard errors; both sides are read off
    one curve, for which Cov(F(t), F(e)) = S(t) S(e) g(t), with g of Greenwood's sum.

    References
    ----------
    Brookmeyer & Crowley (1982), Biometrics 38, 29-41, for a share of all.

    Examples
    --------
    >>> from cxlab.stats.survival.kaplan_meier import product_limit
    >>> curve = product_limit([1, 2, 3, 4, 9], [5, 5, 5, 5, 0], [0, 0, 0, 0, 80])
    >>> found = quantile_of_reached(curve)
    >>> found.estimate, found.low, found.high
    (2.0, 2.0, 3.0)
    """
    if not 0 < share < 1:
        raise DataError(f"a quantile needs a share between 0 and 1, but has {share:g}.")
    at = curve.events > 0
    if not at.any():
        raise DataError("those who had the event have a median, but nobody had it.")
    if not curve.survival[-1] > 0:
        return curve.quantile(share)
    time, survival, se = curve.time[at], curve.survival[at], curve.se[at]
    left, spread = survival[-1], se**2
    gap = (1 - survival) - share * (1 - left)
    variance = spread + share**2 * spread[-1] - 2 * share * (left / survival) * spread
    far = z_quantile(curve.level) * np.sqrt(np.maximum(variance, 0.0))
    estimate, low, high = (_first(time, gap + shift) for shift in (0.0, far, -far))
    return Interval(
        estimate=estimate, low=min(low, estimate), high=max(high, estimate), n=curve.n,
        level=curve.level, method=f"of those who come to it ({curve.method})",
    )  # fmt: skip


def _first(time: np.ndarray[tuple[int], np.dtype[np.float64]], above: object) -> float:
    """First time at which a difference is 0 or more; the last where it never is."""
    reached = np.flatnonzero(np.asarray(above, dtype=np.float64) >= -_SAME)
    return float(time[reached[0]] if len(reached) else time[-1])
