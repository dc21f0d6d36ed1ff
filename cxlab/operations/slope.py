"""A straight line through many observations, from sums at each value of x."""

import math
from typing import Any

import numpy as np

from cxlab.errors import Withheld
from cxlab.stats.intervals import Interval, centred

__all__ = ["slope"]


def slope(x: Any, n: Any, total: Any, squares: Any, *, level: float = 0.95) -> Interval:
    """Slope by least squares with HC3 interval, from sums at each value of x.

    Parameters
    ----------
    x, n, total, squares : array_like, shape (k,)
        Values of the regressor, and how many y were seen there, their sum and their
        sum of squares. A value may occur in several rows.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Change of y per unit of x, with t on n - 2 degrees of freedom.

    Raises
    ------
    Withheld
        If all x are equal, or one observation alone would set the line.

    Examples
    --------
    >>> found = slope([0, 1, 2], [2, 2, 2], [10, 8, 6], [50.5, 32.5, 18.5])
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (-1.0, -2.19, 0.19)
    """
    x, n, total, squares = (np.asarray(a, dtype=float) for a in (x, n, total, squares))
    size = n.sum()
    away = x - (n * x).sum() / size
    spread = (n * away**2).sum()
    leverage = 1 / size + away**2 / spread if spread > 0 else np.ones_like(x)
    if size < 3 or (leverage > 1 - 1e-9).any():
        raise Withheld("A slope needs deliveries that are late by different numbers of days.")
    each = (away * total).sum() / spread
    fitted = total.sum() / size + each * away
    # Rounding must not push a sum of squared residuals below zero.
    residual = np.maximum(0.0, squares - 2 * fitted * total + n * fitted**2)
    se = math.sqrt((away**2 * residual / (1 - leverage) ** 2).sum()) / spread
    method = "least squares, HC3 t interval"
    return centred(float(each), float(se), df=size - 2, n=float(size), method=method, level=level)
