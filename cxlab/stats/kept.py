"""How sure are we of the share of an amount that was kept, and of what was added to it.

Customers bring amounts of unlike size and few of them leave, so that the share kept lies near
one and its plain interval misses on one side. Each customer is one case; a few large ones are
worth fewer cases than they are.
"""

import math
from dataclasses import replace

from cxlab.errors import DataError
from cxlab.stats.clusters import ClusterSums
from cxlab.stats.counts import poisson_total
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval, t_quantile, wilson, z_quantile

__all__ = ["kept_share", "net_share"]

_PRIOR = 2  # of one or two who lost, the spread says little


def kept_share(kept: ClusterSums, *, level: float = 0.95) -> Interval:
    """Share of what customers brought that was kept.

    Parameters
    ----------
    kept : ClusterSums
        Over customers, of whom each brought n_i above 0 and kept 0 to n_i of it.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Wilson's on as many cases as the amounts are worth, at most all; `n` counts customers.

    Raises
    ------
    DataError
        If fewer than two customers brought something.

    Notes
    -----
    Sizes alone make customers worth (sum n)^2 / (sum n^2) cases; the spread of what was lost tells
    better, once several have lost something. The two are averaged, the sizes counting as
    two who lost.

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7, for unequal weights; Korn & Graubard (1998),
    Survey Methodology 24, 193-201, for the effective n.

    Examples
    --------
    >>> sums = ClusterSums(customers=20, n=200, n_n=2000, total=180, n_total=1800,
    ...                    total_total=1800)  # 18 of 20 kept the 10 that they had
    >>> found = kept_share(sums)
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (0.9, 0.687, 0.974)
    """
    if kept.customers < 2:
        raise DataError(
            f"a share that was kept needs at least 2 customers for its interval, but has "
            f"{kept.customers:g}. Widen the period or the group."
        )
    share = min(1.0, kept.mean)  # sums of floats
    variance = kept.variance
    cases = _cases(kept, share, t_quantile(level, kept.customers - 1) / z_quantile(level))
    found = wilson(share, 1.0, n_eff=cases, level=level)
    return replace(found, n=kept.customers, se=math.sqrt(variance))


def _cases(kept: ClusterSums, share: float, few: float) -> float:
    """Tell how many customers of one size would make us as sure, whose quantile is `few` wider."""
    by_size = kept.n_n / kept.n**2
    lost = kept.n - kept.total
    squares = kept.n_n - 2 * kept.n_total + kept.total_total
    if not 1e-12 < share < 1 - 1e-12 or squares <= 0:
        return 1 / by_size
    by_spread = max(1 / kept.customers, kept.variance * few**2 / (share * (1 - share)))
    losers = lost**2 / squares
    return (losers + _PRIOR) / (losers * by_spread + _PRIOR * by_size)


def net_share(kept: ClusterSums, added: ClusterSums, *, level: float = 0.95) -> Interval:
    """Share of what customers brought that they bring now, with what they added.

    Parameters
    ----------
    kept : ClusterSums
        As for `kept_share`.
    added : ClusterSums
        Over the same customers, of whom each added an amount of 0 or more; who added kept all.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        The two shares together, each with the ends of its own interval; `n` counts customers.

    Raises
    ------
    DataError
        If fewer than two customers brought something.

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702, and Zou (2008), the same, 5080-5089,
    where the two go together; for what was added, as a compound Poisson sum, Fay & Feuer (1997),
    Statistics in Medicine 16, 791-801.

    Examples
    --------
    >>> base = {"customers": 20, "n": 200, "n_n": 2000}
    >>> kept = ClusterSums(**base, total=180, n_total=1800, total_total=1800)
    >>> added = ClusterSums(**base, total=10, n_total=100, total_total=50)  # two added 5
    >>> found = net_share(kept, added)
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.95, 0.728, 1.107)
    """
    stayed, lost = kept_share(kept, level=level), _minus(added, level)
    spread = kept.total_total + added.total_total + 2 * added.n_total  # of both together
    both = replace(
        kept, total=kept.total + added.total, n_total=kept.n_total + added.n_total,
        total_total=spread,
    )  # fmt: skip
    apart = kept.variance * added.variance
    shared = (both.variance - kept.variance - added.variance) / 2
    # What is added is taken as `lost` with its sign turned, and so is the correlation.
    tied = -max(-1.0, min(1.0, shared / math.sqrt(apart))) if apart > 0 else 0.0
    found = mover_difference(
        stayed, lost, correlation=tied, method="MOVER of what was kept and what was added"
    )
    return replace(found, n=kept.customers, se=math.sqrt(both.variance))


def _minus(added: ClusterSums, level: float) -> Interval:
    """What was added per what was brought, below zero."""
    found = poisson_total(added.total, added.total_total, n=added.customers, level=level)
    return replace(
        found, estimate=-added.mean, low=-found.high / added.n, high=-found.low / added.n
    )
