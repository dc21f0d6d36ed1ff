"""How sure are we of a difference or a ratio of two estimates.

Most of these recover the variance from the intervals of the two estimates (MOVER):
each interval keeps its own lopsidedness, which plain standard errors would lose.
"""

import math

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, centred, sample_variance, wilson
from cxlab.stats.promoters import nps_adjusted_wald, nps_variance

__all__ = [
    "mover_difference",
    "mover_ratio",
    "newcombe",
    "nps_difference",
    "relative_change",
    "welch",
    "welch_df",
]


def mover_difference(
    now: Interval, before: Interval, *, correlation: float = 0.0, method: str | None = None
) -> Interval:
    """Difference ``now - before`` of two estimates, from their own intervals.

    Parameters
    ----------
    now, before : Interval
        Two estimates in one unit and at one level.
    correlation : float
        Between the two estimates, -1 to 1; above 0 where the same customers answer.
    method : str, optional
        Words for the method. Default: "MOVER of" the two methods.

    Returns
    -------
    Interval
        The difference; `n` is that of both together.

    Raises
    ------
    DataError
        If the levels differ.

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702; with correlation, Zou
    (2008), Statistics in Medicine 27, 5080-5089.
    """
    if now.level != before.level:
        raise DataError(
            f"both intervals must have one level, but have {now.level} and {before.level}. "
            "Make them again with the same level."
        )
    below, above = now.estimate - now.low, now.high - now.estimate
    below_then, above_then = before.estimate - before.low, before.high - before.estimate
    gap = now.estimate - before.estimate
    words = f"MOVER difference ({now.method}; {before.method})"
    if now.method == before.method:
        words = f"MOVER difference ({now.method})"
    return Interval(
        estimate=gap,
        low=gap - _together(below, above_then, correlation),
        high=gap + _together(above, below_then, correlation),
        n=now.n + before.n,
        method=method or words,
        level=now.level,
    )


def newcombe(
    successes: float, n: float, successes_before: float, n_before: float, *, level: float = 0.95
) -> Interval:
    """Difference of two independent shares, from their Wilson intervals.

    Parameters
    ----------
    successes, n : float
        Cases that count, of all, in the first sample.
    successes_before, n_before : float
        The same in the second, which is subtracted.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Difference of the shares, -1 to 1.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> found = newcombe(56, 70, 48, 80)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0524, 0.3339)
    """
    now = wilson(successes, n, level=level)
    before = wilson(successes_before, n_before, level=level)
    return mover_difference(now, before, method="Newcombe hybrid score interval")


def welch(
    now: tuple[float, float, float], before: tuple[float, float, float], *, level: float = 0.95
) -> Interval:
    """Difference of two independent means whose variances may differ.

    Parameters
    ----------
    now, before : tuple of three floats
        Observations, their sum and their sum of squares; `before` is subtracted.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Difference of the means, in their unit, with its standard error.

    Raises
    ------
    DataError
        If a sample has fewer than 2 observations.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.

    Examples
    --------
    >>> found = welch((3, 12, 50), (3, 6, 14))
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (2.0, -0.267, 4.267)
    """
    (n, total, _), (n_before, total_before, _) = now, before
    if min(n, n_before) < 2:
        raise DataError(
            f"each mean needs at least 2 observations, but they have {n:g} and "
            f"{n_before:g}. Widen the period or the group."
        )
    part, part_before = sample_variance(*now) / n, sample_variance(*before) / n_before
    return centred(
        total / n - total_before / n_before,
        math.sqrt(part + part_before),
        df=welch_df(part, n - 1, part_before, n_before - 1),
        n=n + n_before,
        method="Welch t interval",
        level=level,
    )


def welch_df(part: float, df: float, part_before: float, df_before: float) -> float:
    """Approximate the degrees of freedom of two variances together (Satterthwaite)."""
    if part + part_before == 0:
        return df + df_before
    return (part + part_before) ** 2 / (part**2 / df + part_before**2 / df_before)


def nps_difference(
    now: tuple[float, float, float], before: tuple[float, float, float], *, level: float = 0.95
) -> Interval:
    """Difference of two independent Net Promoter Scores, in points.

    Parameters
    ----------
    now, before : tuple of three floats
        Promoters, passives and detractors.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Difference and its plain standard error. The ends are made from the two
        adjusted-Wald intervals and so do not collapse where all answers agree.

    Examples
    --------
    >>> found = nps_difference((200, 100, 100), (45, 32, 23))
    >>> round(found.estimate, 1), round(found.se, 4)
    (3.0, 8.9637)
    """
    variance = sum(nps_variance(*group) / sum(group) for group in (now, before))
    hybrid = mover_difference(
        nps_adjusted_wald(*now, level=level), nps_adjusted_wald(*before, level=level)
    )
    return Interval(
        estimate=hybrid.estimate, low=hybrid.low, high=hybrid.high, n=hybrid.n,
        method=hybrid.method, level=level, se=100 * math.sqrt(variance),
    )  # fmt: skip


def mover_ratio(now: Interval, before: Interval, *, correlation: float = 0.0) -> Interval:
    """Ratio ``now / before`` of two positive estimates.

    Parameters
    ----------
    now, before : Interval
        Counts, totals or means in one unit.
    correlation : float
        Between the two estimates, -1 to 1; above 0 where the same customers stand behind both.

    Returns
    -------
    Interval
        The ratio; its upper end is infinite where `before` may be zero.

    Raises
    ------
    DataError
        If an estimate or a lower end is negative, or `before` is zero.

    References
    ----------
    Donner & Zou (2012), "Closed-form confidence intervals for functions of the normal
    mean and standard deviation", Statistical Methods in Medical Research 21, 347-359.
    """
    if before.estimate <= 0 or now.estimate < 0 or min(now.low, before.low) < 0:
        raise DataError(
            f"a ratio needs estimates above 0 with ends of 0 or more, but has "
            f"{now.estimate:g} ({now.low:g} to {now.high:g}) over {before.estimate:g} "
            f"({before.low:g} to {before.high:g}). Report the difference instead."
        )
    a, b = now.estimate, before.estimate
    tied = correlation * (a - now.low) * (before.high - b)
    low = _ratio_end(a, b, now.low, before.high, tied, sign=-1)
    # A denominator that may be zero leaves the ratio without an upper end.
    tied = correlation * (now.high - a) * (b - before.low)
    high = _ratio_end(a, b, now.high, before.low, tied, sign=1) if before.low > 0 else math.inf
    return Interval(
        estimate=a / b, low=max(0.0, low), high=high, n=now.n + before.n,
        method=f"MOVER ratio ({now.method})", level=now.level,
    )  # fmt: skip


def relative_change(now: Interval, before: Interval, *, correlation: float = 0.0) -> Interval:
    """Change ``now / before - 1`` of a count or a total, as a share of before.

    Parameters
    ----------
    now, before : Interval
        Two counts, or two totals in one currency, each with its interval.
    correlation : float
        Between the two, as in `mover_ratio`.

    Returns
    -------
    Interval
        0.1 is ten percent more than before.

    Raises
    ------
    DataError
        If an estimate or a lower end is negative, or `before` is zero.

    Examples
    --------
    >>> from cxlab.stats.counts import poisson_count
    >>> found = relative_change(poisson_count(120), poisson_count(100))
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.2, -0.085, 0.576)
    """
    ratio = mover_ratio(now, before, correlation=correlation)
    return Interval(
        estimate=ratio.estimate - 1, low=ratio.low - 1, high=ratio.high - 1, n=ratio.n,
        method=ratio.method.replace("ratio", "relative change"), level=ratio.level,
    )  # fmt: skip


def _together(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _ratio_end(
    a: float, b: float, end: float, end_before: float, tied: float, *, sign: int
) -> float:
    """Solve ``a - r b = 0`` for the ratio r at one end (Donner & Zou 2012)."""
    outer, inner = end * (2 * a - end), end_before * (2 * b - end_before)
    middle = a * b - tied
    root = math.sqrt(max(0.0, middle**2 - outer * inner))
    return (middle + sign * root) / inner
