"""A linear regression on counts by pattern: as many rows as there are patterns, not cases.

The outcome and all regressors are 0 or 1. Coefficients are differences of shares, which
always exist, whatever a signal goes with; their errors take the cases of one person together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, centred

__all__ = ["GroupedFit", "fit_shares", "with_errors"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupedFit:
    """Coefficients and what their errors need.

    Attributes
    ----------
    beta : numpy.ndarray, shape (k,)
        Differences of the share of ones.
    bread : numpy.ndarray, shape (k, k)
        Inverse of X'X.
    fitted : numpy.ndarray, shape (patterns,)
        Share that the model gives to each pattern.
    n : float
        Cases.
    """

    beta: Floats
    bread: Floats
    fitted: Floats
    n: float


def fit_shares(patterns: Floats, cases: Floats, ones: Floats) -> GroupedFit:
    """Fit shares by least squares (the linear probability model).

    Parameters
    ----------
    patterns : numpy.ndarray, shape (patterns, k)
        Regressors of each pattern, a constant among them.
    cases, ones : array_like, shape (patterns,)
        Cases of each pattern, and those of them whose outcome is 1.

    Returns
    -------
    GroupedFit
        Give its `fitted` back to the cases, sum x (y - fitted) by person, and hand the sums
        of products of these to `with_errors`.

    Raises
    ------
    DataError
        If a regressor is a sum of others.

    Examples
    --------
    >>> fit = fit_shares(np.array([[1.0, 0.0], [1.0, 1.0]]), [100, 50], [20, 20])
    >>> fit.beta.round(3).tolist()
    [0.2, 0.2]
    """
    weights, hits = np.asarray(cases, dtype=np.float64), np.asarray(ones, dtype=np.float64)
    inner = patterns.T @ (patterns * weights[:, None])
    if np.linalg.matrix_rank(inner) < inner.shape[0]:
        raise DataError("Each regressor must say something that the others do not.")
    bread: Floats = np.linalg.inv(inner).astype(np.float64)
    beta = bread @ (patterns.T @ hits)
    return GroupedFit(beta=beta, bread=bread, fitted=patterns @ beta, n=float(weights.sum()))


def with_errors(
    fit: GroupedFit,
    scores: Floats,
    *,
    people: float,
    weights: Floats,
    n: float,
    level: float = 0.95,
) -> Interval:
    """Give a weighted sum of coefficients its interval, people as clusters.

    Parameters
    ----------
    fit : GroupedFit
        As `fit_shares` gives it.
    scores : numpy.ndarray, shape (k, k)
        Sums over people of products of their sums of x (y - fitted).
    people : float
        How many people there are.
    weights : numpy.ndarray, shape (k,)
        What each coefficient counts; one 1 and else 0 for a single one.
    n : float
        Cases that the number rests on.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        With Student's quantile on people - 1 (CR1).

    References
    ----------
    Cameron & Miller (2015), Journal of Human Resources 50, 317-372, section II.
    """
    k = len(fit.beta)
    small = people / (people - 1) * (fit.n - 1) / max(fit.n - k, 1.0)
    variance = float(weights @ (fit.bread @ scores @ fit.bread) @ weights) * small
    return centred(
        float(weights @ fit.beta), float(np.sqrt(max(variance, 0.0))), df=people - 1, n=n,
        method="linear regression, people as clusters (CR1)", level=level,
    )  # fmt: skip
