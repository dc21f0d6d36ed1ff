"""Intervals that stay within the range of what they are about."""

import math

from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["logit_interval"]


def logit_interval(
    estimate: float, se: float, *, n: float, level: float, method: str, most: float = 1.0
) -> Interval:
    """Interval with a known error, symmetric on the scale of log(x / (most - x)).

    Parameters
    ----------
    estimate, se : float
        Between 0 and `most`, and its standard error.
    n, level, method
        As of `Interval`.
    most : float
        The greatest value there can be, such as a horizon.

    Returns
    -------
    Interval
        Within 0 and `most`; at either there is no width to state, and no ends.

    Examples
    --------
    >>> found = logit_interval(0.9, 0.06, n=30, level=0.95, method="example")
    >>> round(found.low, 3), round(found.high, 3)
    (0.709, 0.971)
    """
    low = high = math.nan
    if 0 < estimate < most:
        logit = math.log(estimate / (most - estimate))
        far = z_quantile(level) * se * most / (estimate * (most - estimate))
        low, high = (most / (1 + math.exp(-x)) for x in (logit - far, logit + far))
    return Interval(estimate=estimate, low=low, high=high, n=n, method=method, level=level, se=se)
