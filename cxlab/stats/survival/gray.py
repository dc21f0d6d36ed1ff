"""Do groups differ in how many have one event first, when other events may come before it?

Gray's test compares incidences, not hazards: whoever had another event first stays among those
who could have had this one, as they do in the incidence itself. Without other events it asks
what the log-rank test asks.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError, did_you_mean
from cxlab.stats.survival.aalen_johansen import causes_of
from cxlab.stats.survival.counts import Durations, groups_of, layers_of, rows_of
from cxlab.stats.survival.log_rank import LogRank, tested

__all__ = ["compare_incidence"]

_Floats = NDArray[np.float64]


def compare_incidence(
    durations: ArrayLike,
    events: Mapping[str, ArrayLike] | pd.DataFrame,
    censored: ArrayLike | None = None,
    *,
    cause: str,
    group: ArrayLike,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Test whether groups share one incidence of an event, from counts (Gray's test).

    Parameters
    ----------
    durations, events, censored : array_like, shape (rows,)
        As for `cumulative_incidence`.
    cause : str
        The event that is compared; all others compete with it.
    group : array_like, shape (rows,)
        Group of each row; at least two.
    strata : array_like, shape (rows,), optional
        Groups are compared within each stratum only, and the comparisons added up.
    rho : float
        Power of 1 less the pooled incidence that weighs the durations; 0 or more.

    Returns
    -------
    LogRank
        Events observed and expected, their covariance and the test.

    Raises
    ------
    DataError
        If a count cannot be one, there is no such cause, or one group only.

    Notes
    -----
    A group expects events in proportion to R = Y (1 - F) / S just before: those at risk,
    and with them those that had another event and would still be under observation.

    References
    ----------
    Gray (1988), Annals of Statistics 16, 1141-1154.

    Examples
    --------
    >>> found = compare_incidence(
    ...     [2, 4, 6, 2, 4, 6], {"left": [3, 2, 1, 1, 0, 1], "moved": [0, 1, 0, 2, 2, 0]},
    ...     [0, 0, 3, 0, 1, 4], cause="left", group=["a", "a", "a", "b", "b", "b"])
    >>> round(found.statistic, 3), round(found.p_value, 3)
    (3.777, 0.052)
    """
    causes, counts = causes_of(events)
    if cause not in causes:
        raise DataError(
            f"there is no cause {cause!r}, only {causes}." + did_you_mean(cause, causes)
        )
    if not rho >= 0:
        raise DataError(f"rho must be 0 or more, but is {rho:g}.")
    at = causes.index(cause)
    both = np.column_stack([counts[:, at], np.delete(counts, at, axis=1).sum(axis=1)])
    rows = rows_of(durations, both, censored)
    groups, place = groups_of(group, rows)
    method = "Gray's test" + f", rho {rho:g}" * (rho != 0)
    layers = layers_of(strata, rows)
    return tested(rows, groups, place, layers, lambda each: _stratum(each, rho), method)


def _stratum(each: list[Durations], rho: float) -> tuple[_Floats, _Floats, _Floats]:
    """Weighted events of each group, those expected, and their covariance."""
    n = np.array([x.at_risk for x in each])
    own, others = (np.array([x.events[:, cause] for x in each]) for cause in (0, 1))
    hazard = _divided(own, n)
    survival = np.cumprod(1 - hazard - _divided(others, n), axis=1).clip(0.0)
    before = np.c_[np.ones(len(each)), survival[:, :-1]]
    incidence = np.cumsum(before * hazard, axis=1)
    incidence_before = np.c_[np.zeros(len(each)), incidence[:, :-1]]
    watched = _divided(n, before)  # as if nobody had had any event
    pooled_step = _divided(own.sum(axis=0), watched.sum(axis=0))
    pooled = np.cumsum(pooled_step)
    weight = np.maximum(1 - pooled + pooled_step, 0.0) ** rho
    could = watched * (1 - incidence_before)
    due = could * _divided(own.sum(axis=0), could.sum(axis=0))
    variance = _covariance(n, own, others, survival, before, weight)
    return own @ weight, due @ weight, variance


def _covariance(
    n: _Floats, own: _Floats, others: _Floats, survival: _Floats, before: _Floats, weight: _Floats
) -> _Floats:
    """Covariance of the scores where all groups share the pooled incidence (Gray 1988, 3).

    With events that tie, those of one cause have the hypergeometric distribution's variance.
    """
    watched = _divided(n, before)
    all_watched, d = watched.sum(axis=0), own.sum(axis=0)
    step = _divided(d, all_watched)
    pooled = np.cumsum(step)
    share = _divided(watched, all_watched)
    variance = np.zeros((len(n), len(n)))
    for k in range(len(n)):
        mine = np.arange(len(n)) == k
        told = weight * (mine[:, np.newaxis] - share) * watched[k]
        along = np.cumsum(told * _divided(step, 1 - pooled + step), axis=1)
        later = along[:, -1:] - along
        lasting = _divided(1 - pooled, survival[k])
        of_own, of_others = told + (1 - lasting) * later, lasting * later
        spread = _spare(d, all_watched * before[k]) * _divided(step, watched[k])
        variance += (of_own * spread) @ of_own.T
        spread = _spare(others[k], n[k]) * _divided(before[k] ** 2 * others[k], n[k] ** 2)
        variance += (of_others * spread) @ of_others.T
    return variance


def _spare(d: _Floats, n: _Floats) -> _Floats:
    """How much smaller the variance of d events among n is than Poisson's."""
    out = np.divide(n - d, n - 1, out=np.ones_like(n), where=(d > 1) & (n > 1))
    return np.maximum(out, 0.0)


def _divided(above: _Floats, below: _Floats) -> _Floats:
    """Quotient, 0 where nobody is left to divide by."""
    out = np.zeros(np.broadcast_shapes(above.shape, below.shape))
    # What rounding leaves of nobody is nobody.
    return np.divide(above, below, out=out, where=below > 1e-12)
