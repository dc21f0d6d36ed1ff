"""How sure are we of a Net Promoter Score, from the counts of its three groups."""

import math

from cxlab.stats.intervals import Interval, share_stands, z_quantile

__all__ = ["nps_adjusted_wald", "nps_variance", "nps_wald"]


def nps_variance(promoters: float, passives: float, detractors: float) -> float:
    """Variance of one answer, scored +1, 0 or -1: P + D - (P - D)^2.

    >>> round(nps_variance(15, 13, 8), 10)
    0.6010802469
    """
    n = promoters + passives + detractors
    share_stands(promoters + detractors, n)
    up, down = promoters / n, detractors / n
    return up + down - (up - down) ** 2


def nps_wald(
    promoters: float, passives: float, detractors: float, *, level: float = 0.95
) -> Interval:
    """NPS with the plain interval, in points; collapses where all answers agree."""
    n = promoters + passives + detractors
    se = 100 * math.sqrt(nps_variance(promoters, passives, detractors) / n)
    score, half = 100 * (promoters - detractors) / n, z_quantile(level) * se
    return Interval(
        estimate=score, low=score - half, high=score + half, n=n, method="Wald interval",
        level=level, se=se,
    )  # fmt: skip


def nps_adjusted_wald(
    promoters: float,
    passives: float,
    detractors: float,
    *,
    n_eff: float | None = None,
    level: float = 0.95,
) -> Interval:
    """NPS with an interval that holds for few answers too.

    Three answers are added before the interval is made: 3/4 of a promoter, 3/4 of a
    detractor and 3/2 of a passive. The score itself stays as counted. Ends may pass
    100; `Interval.clip(-100, 100)` puts them back for display.

    Parameters
    ----------
    promoters, passives, detractors : float
        Answers 9 to 10, 7 to 8, 0 to 6.
    n_eff : float, optional
        Independent answers that they are worth. Default: all of them.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Score and ends in points, -100 to 100.

    References
    ----------
    Rocks (2016), "Interval Estimation for the 'Net Promoter Score'", The American
    Statistician 70(4), 365-372.

    Examples
    --------
    >>> found = nps_adjusted_wald(15, 13, 8)
    >>> round(found.estimate, 4), round(found.low, 4), round(found.high, 4)
    (19.4444, -6.2803, 42.1777)
    """
    n = promoters + passives + detractors
    share_stands(promoters + detractors, n)
    worth = 1.0 if n_eff is None else n_eff / n
    size = n * worth + 3
    up = (promoters * worth + 0.75) / size
    down = (detractors * worth + 0.75) / size
    centre, se = up - down, math.sqrt((up + down - (up - down) ** 2) / size)
    half = z_quantile(level) * se
    method = "adjusted Wald interval" + ("" if n_eff is None else " on the effective n")
    return Interval(
        estimate=100 * (promoters - detractors) / n,
        low=100 * (centre - half),
        high=100 * (centre + half),
        n=n,
        method=method,
        level=level,
        se=100 * se,
    )
