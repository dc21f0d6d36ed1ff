"""How sure are we where customers answer more than once.

Answers of one person resemble each other, so ten answers of five customers are
worth less than ten. A handful of sums over customers is all that is needed: how
many answers each gave, what they add up to, and the squares and products of these.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cxlab.errors import DataError
from cxlab.stats.differences import welch_df
from cxlab.stats.intervals import Interval, centred, t_quantile, wilson, z_quantile

__all__ = [
    "ClusterSums",
    "cluster_difference",
    "cluster_mean",
    "clustered_share",
    "covariance",
    "design_effect",
    "effective_n",
]


@dataclass(frozen=True, kw_only=True)
class ClusterSums:
    """Sums over customers, of whom each gave `n_i` answers that add up to `y_i`.

    Attributes
    ----------
    customers : float
        Customers who answered.
    n, total : float
        Sums of n_i and of y_i.
    n_n, n_total, total_total : float
        Sums of n_i squared, of n_i times y_i, and of y_i squared.
    """

    customers: float
    n: float
    total: float
    n_n: float
    n_total: float
    total_total: float

    @property
    def mean(self) -> float:
        """Mean of one answer."""
        return self.total / self.n

    @property
    def repeated(self) -> bool:
        """Whether someone answered twice."""
        return self.n > self.customers

    @property
    def variance(self) -> float:
        """Variance of the mean, customers taken as the sampled units.

        The linearised variance of a ratio with one degree of freedom spent; where all
        answer once it is the usual variance of a mean.
        """
        if self.customers < 2:
            return math.nan
        mean = self.mean
        squares = self.total_total - 2 * mean * self.n_total + mean**2 * self.n_n
        return max(0.0, squares) / self.n**2 * self.customers / (self.customers - 1)


def cluster_mean(sums: ClusterSums, *, level: float = 0.95) -> Interval:
    """Mean of all answers, with Student's interval over customers.

    Parameters
    ----------
    sums : ClusterSums
        At least two customers.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Mean in the unit of the answers; `n` counts answers.

    Raises
    ------
    DataError
        If fewer than two customers answered.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 6.3 (ratio estimate, clusters of
    unequal size).

    Examples
    --------
    >>> sums = ClusterSums(customers=3, n=6, total=24, n_n=14, n_total=54, total_total=218)
    >>> round(cluster_mean(sums).estimate, 3), round(cluster_mean(sums).se, 3)
    (4.0, 0.645)
    """
    if sums.customers < 2:
        raise DataError(
            f"a mean needs answers of at least 2 customers for its interval, but has "
            f"{sums.customers:g}. Widen the period or the group."
        )
    method = "t interval, customers as clusters" if sums.repeated else "t interval"
    return centred(
        sums.mean,
        math.sqrt(sums.variance),
        df=sums.customers - 1,
        n=sums.n,
        method=method,
        level=level,
    )


def cluster_difference(
    now: ClusterSums, before: ClusterSums, *, shared: float = 0.0, level: float = 0.95
) -> Interval:
    """Difference of two means, with Welch's interval over customers.

    Parameters
    ----------
    now, before : ClusterSums
        At least two customers each.
    shared : float
        Covariance of the two means, see `covariance`; 0 where they are independent.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Mean now minus mean before; `n` counts the answers of both.

    Raises
    ------
    DataError
        If fewer than two customers answered on one side.
    """
    if min(now.customers, before.customers) < 2:
        raise DataError(
            f"each mean needs answers of at least 2 customers, but they have "
            f"{now.customers:g} and {before.customers:g}. Widen the period or the group."
        )
    repeated = now.repeated or before.repeated
    return centred(
        now.mean - before.mean,
        math.sqrt(max(0.0, now.variance + before.variance - 2 * shared)),
        df=welch_df(now.variance, now.customers - 1, before.variance, before.customers - 1),
        n=now.n + before.n,
        method="Welch t interval" + (", customers as clusters" if repeated else ""),
        level=level,
    )


def design_effect(sums: ClusterSums) -> float:
    """How many times the variance of a share is that of as many answers of strangers.

    Parameters
    ----------
    sums : ClusterSums
        Of answers 0 or 1.

    Returns
    -------
    float
        1 or more. Where all answered alike, as many as one customer gave on average: nothing
        then tells how much alike their answers are.

    Examples
    --------
    >>> design_effect(ClusterSums(customers=4, n=8, total=4, n_n=16, n_total=8, total_total=8))
    2.6666666666666665
    """
    alone = sums.mean * (1 - sums.mean) / sums.n
    if not sums.repeated:
        return 1.0
    if not alone > 0 or not sums.variance > 0:
        return sums.n / sums.customers
    return max(1.0, sums.variance / alone)


def effective_n(sums: ClusterSums, variance_of_one: float, *, level: float = 0.95) -> float:
    """Independent answers that are worth as much as these, few customers paid for.

    Parameters
    ----------
    sums : ClusterSums
        Answers scored as the share or score needs them.
    variance_of_one : float
        Variance of one answer, in the same unit squared.
    level : float
        Confidence level of the interval that it is for.

    Returns
    -------
    float
        At most `sums.n`, and exactly that where all customers answer once.

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24, 193-201.
    """
    if not sums.repeated:
        return sums.n
    variance = sums.variance
    if sums.customers < 2 or variance_of_one <= 0 or variance <= 0:
        return sums.customers  # nothing varies: count each customer once, to be safe
    few = z_quantile(level) / t_quantile(level, sums.customers - 1)
    return min(sums.n, variance_of_one / variance * few**2)


def clustered_share(sums: Mapping[str, float]) -> Interval:
    """Share of rows with Wilson's interval, those of one person taken together.

    Parameters
    ----------
    sums : mapping of str to float
        Sums over persons of whom each has n rows, y of them counted: `persons`, `n`,
        `total` (y), `n_n`, `n_total`, `total_total`.

    Returns
    -------
    Interval
        `n` counts rows.

    Examples
    --------
    >>> sums = {"persons": 3, "n": 6, "total": 3, "n_n": 12, "n_total": 6, "total_total": 5}
    >>> found = clustered_share(sums)
    >>> found.estimate, found.method
    (0.5, 'Wilson interval on the effective n')
    """
    given = {k: float(v) for k, v in sums.items() if k != "persons"}
    found = ClusterSums(customers=float(sums["persons"]), **given)
    size = effective_n(found, found.mean * (1 - found.mean))
    return wilson(found.total, found.n, n_eff=None if size == found.n else size)


def covariance(
    now: ClusterSums,
    before: ClusterSums,
    *,
    customers: float,
    n_n: float,
    n_total: float,
    total_n: float,
    total_total: float,
) -> float:
    """Covariance of two means to which the same customers contributed.

    Parameters
    ----------
    now, before : ClusterSums
        The two periods.
    customers : float
        Customers in either period.
    n_n, n_total, total_n, total_total : float
        Sums over customers of products; the first factor is from `now`, the second
        from `before`.

    Returns
    -------
    float
        In the unit of the answers, squared.
    """
    products = (
        total_total
        - now.mean * n_total
        - before.mean * total_n
        + now.mean * before.mean * n_n
    )  # fmt: skip
    return products / (now.n * before.n) * customers / (customers - 1)
