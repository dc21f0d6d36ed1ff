"""Errors that stand where one person is behind several rows (Lin & Wei 1989).

What each row adds to the slope of the likelihood is summed by person, so rows of one person
may resemble each other as they like. People with the same rows add the same, and are counted.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.cox.checked import numbers
from cxlab.stats.cox.likelihood import Moments
from cxlab.stats.cox.risk_sets import Ints, RiskSets
from cxlab.stats.cox.ties import Floats

__all__ = ["Clusters", "clustered", "clusters_of", "score_residuals"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Clusters:
    """Who is behind which row.

    Attributes
    ----------
    code : numpy.ndarray of int, shape (rows,)
        Position of the row's cluster.
    within : numpy.ndarray, shape (rows,)
        How many such rows the cluster has.
    alike : numpy.ndarray, shape (clusters,)
        How many clusters there are with exactly these rows.
    """

    code: Ints
    within: Floats
    alike: Floats

    @property
    def count(self) -> float:
        """How many clusters there are."""
        return float(self.alike.sum())

    def by_cluster(self, each: Floats) -> Floats:
        """Sum over the rows of each cluster: (rows, columns) to (clusters, columns)."""
        columns = [np.bincount(self.code, self.within * c, len(self.alike)) for c in each.T]
        return np.column_stack(columns)

    def meat(self, each: Floats) -> Floats:
        """Sum over clusters of products of their sums."""
        sums = self.by_cluster(each)
        product: Floats = sums.T @ (self.alike[:, None] * sums)
        return product


def clusters_of(
    cluster: ArrayLike, alike: ArrayLike | None, frequency: Floats, kept: NDArray[np.bool_]
) -> Clusters:
    """Check who is behind which row.

    Parameters
    ----------
    cluster : array_like, shape (rows,)
        Name of the cluster of each row given.
    alike : array_like or None, shape (rows,)
        How many clusters there are with exactly these rows.
    frequency : numpy.ndarray, shape (rows,)
        How many such rows a cluster has.
    kept : numpy.ndarray of bool, shape (rows,)
        Rows that stand for somebody.

    Returns
    -------
    Clusters
        For the rows that are kept.
    """
    names = pd.Series(cluster).reset_index(drop=True)
    if len(names) != len(kept) or names.isna().any():
        raise DataError(f"cluster must name one cluster per row ({len(kept)}), none missing.")
    code, labels = pd.factorize(names[kept])
    many = np.ones(len(kept)) if alike is None else numbers("alike", alike, len(kept))
    of_cluster = np.zeros(len(labels))
    of_cluster[code] = many[kept]
    differ = np.flatnonzero(of_cluster[code] != many[kept])
    if len(differ):
        raise DataError(
            f"alike must be the same in all rows of a cluster, but in {labels[code[differ[0]]]!r} "
            "it is not. Group people by all of their rows."
        )
    return Clusters(code=code.astype(np.int64), within=frequency[kept], alike=of_cluster)


def score_residuals(risk: RiskSets, found: Moments) -> Floats:
    """What one of each row adds to the slope of the log-likelihood: (rows, k).

    Under Efron a tied event sees the mean of what the events of its time see, and leaves the
    risk set by shares, as in R.

    References
    ----------
    Therneau & Grambsch (2000), Modeling Survival Data, 4.2 and 7.2.
    """
    s, x, hazard = found.sums, risk.x[risk.pattern], found.hazard[risk.pattern][:, None]
    hazards = risk.between(s.a0[:, None])
    means = risk.between(found.mean_hazard)
    residual: Floats = -hazard * (x * hazards - means)
    had = np.flatnonzero(risk.had)
    slot = risk.last[had] - 1
    mean = found.mean_sum[slot] / risk.events[slot][:, None]
    spared = hazard[had] * (x[had] * s.a1[slot][:, None] - found.tied_mean_hazard[slot])
    residual[had] += x[had] - mean + spared
    return residual


def clustered(risk: RiskSets, found: Moments, inverse: Floats, clusters: Clusters) -> Floats:
    """Covariance of the coefficients with rows of one cluster taken together: (k, k)."""
    meat = clusters.meat(score_residuals(risk, found))
    sandwich: Floats = inverse @ meat @ inverse
    return sandwich
