"""How sure are we of one number: a share or a mean.

Every function takes sufficient statistics (counts and sums) as plain numbers and
returns an `Interval`. Where customers answer more than once, `n_eff` carries the
number of independent answers that would be worth as much (see `clusters`).
"""

import math
from dataclasses import dataclass, replace
from typing import Self

from scipy.special import betaincinv, ndtri, stdtrit

from cxlab.errors import DataError

__all__ = [
    "Interval",
    "centred",
    "clopper_pearson",
    "constant_mean",
    "sample_variance",
    "share_stands",
    "t_mean",
    "t_quantile",
    "wilson",
    "z_quantile",
]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate that does not travel alone.

    Attributes
    ----------
    estimate, low, high : float
        The number and the ends of its interval, in the same unit.
    n : float
        Observations it rests on.
    method : str
        How the interval was made, in words.
    level : float
        Confidence level, 0 to 1.
    se : float
        Standard error, where the method has one; else not a number.
    """

    estimate: float
    low: float
    high: float
    n: float
    method: str
    level: float = 0.95
    se: float = math.nan

    def clip(self, low: float, high: float) -> Self:
        """Keep the ends inside the range that the measure can take."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))


def wilson(
    successes: float, n: float, *, n_eff: float | None = None, level: float = 0.95
) -> Interval:
    """Score interval of a share (Wilson).

    Parameters
    ----------
    successes, n : float
        Cases that count, of all cases with a valid answer.
    n_eff : float, optional
        Independent cases that the `n` are worth. Default: all of them.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Share and ends, 0 to 1.

    Raises
    ------
    DataError
        If `n` is not positive or `successes` lies outside 0 to `n`.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212;
    Newcombe (1998), Statistics in Medicine 17, 857-872, method 3.

    Examples
    --------
    >>> found = wilson(81, 263)
    >>> round(found.low, 4), round(found.high, 4)
    (0.2553, 0.3662)
    """
    share_stands(successes, n)
    share, size = successes / n, n if n_eff is None else n_eff
    z = z_quantile(level)
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    spread = share * (1 - share) / size + (z / (2 * size)) ** 2
    half = z * math.sqrt(spread) / (1 + z**2 / size)
    # At 0 and n an end is the share itself; rounding must not move it.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    method = "Wilson interval" if n_eff is None else "Wilson interval on the effective n"
    return Interval(estimate=share, low=low, high=high, n=n, method=method, level=level)


def clopper_pearson(successes: float, n: float, *, level: float = 0.95) -> Interval:
    """Exact binomial interval of a share; never too short, often too long.

    Parameters
    ----------
    successes, n : float
        Cases that count, of all cases with a valid answer.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Share and ends, 0 to 1.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26, 404-413.

    Examples
    --------
    >>> found = clopper_pearson(1, 29)
    >>> round(found.low, 6), round(found.high, 6)
    (0.000873, 0.177644)
    """
    share_stands(successes, n)
    tail, fails = (1 - level) / 2, n - successes
    low = float(betaincinv(successes, fails + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, fails, 1 - tail)) if fails else 1.0
    method = "Clopper-Pearson interval"
    return Interval(estimate=successes / n, low=low, high=high, n=n, method=method, level=level)


def t_mean(n: float, total: float, squares: float, *, level: float = 0.95) -> Interval:
    """Mean with Student's t interval, from n, the sum and the sum of squares.

    Parameters
    ----------
    n, total, squares : float
        Observations, their sum and their sum of squares.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Mean and ends, in the unit of the observations.

    Raises
    ------
    DataError
        If there are fewer than 2 observations.

    Examples
    --------
    >>> found = t_mean(4, 14, 54)
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (3.5, 1.446, 5.554)
    """
    if n < 2:
        raise DataError(
            f"a mean needs at least 2 observations for its interval, but has {n:g}. "
            "Widen the period or the group."
        )
    se = math.sqrt(sample_variance(n, total, squares) / n)
    return centred(total / n, se, df=n - 1, n=n, method="t interval", level=level)


def constant_mean(
    n: float, value: float, *, scale_min: float, scale_max: float, level: float = 0.95
) -> Interval:
    """Mean of answers that are all equal: how far the unseen ones could pull it.

    A t interval would have no width. Seen none of `n` elsewhere, Wilson's upper limit
    bounds the share of other answers, and the scale bounds how far off they are.

    Parameters
    ----------
    n : float
        Independent answers.
    value : float
        What each of them was.
    scale_min, scale_max : float
        What it could have been.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        The value, and how far the mean of all may lie from it.

    Examples
    --------
    >>> found = constant_mean(20, 5.0, scale_min=1, scale_max=5)
    >>> round(found.low, 3), found.high
    (4.355, 5.0)
    """
    other = wilson(0, n, level=level).high
    return Interval(
        estimate=value,
        low=value - other * (value - scale_min),
        high=value + other * (scale_max - value),
        n=n,
        method="all answers equal: bounds of the scale at Wilson's limit for none of n",
        level=level,
    )


def z_quantile(level: float) -> float:
    """Normal quantile of a two-sided interval: 1.96 at 0.95."""
    return float(ndtri((1 + level) / 2))


def t_quantile(level: float, df: float) -> float:
    """Quantile (Student's) of a two-sided interval."""
    return float(stdtrit(df, (1 + level) / 2))


def sample_variance(n: float, total: float, squares: float) -> float:
    """Variance of a sample from its sums; never below zero through rounding."""
    return max(0.0, squares - total**2 / n) / (n - 1)


def centred(
    estimate: float, se: float, *, df: float, n: float, method: str, level: float
) -> Interval:
    """Interval (Student's) around an estimate with a known standard error."""
    half = t_quantile(level, df) * se
    return Interval(
        estimate=estimate, low=estimate - half, high=estimate + half, n=n,
        method=method, level=level, se=se,
    )  # fmt: skip


def share_stands(successes: float, n: float) -> None:
    """Refuse a numerator that no share of n can have."""
    if not n > 0:
        raise DataError(f"a share needs at least one case, but n is {n:g}. Check the query.")
    if not 0 <= successes <= n:
        raise DataError(
            f"a share's numerator must lie between 0 and n = {n:g}, but is {successes:g}. "
            "Check the query."
        )
