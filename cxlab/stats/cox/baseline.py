"""From hazard ratios to shares: how many of a pattern are still without the event by a time.

The baseline hazard adds, at each time, what the events there need of those at risk: under Efron
one event after the other. Its error holds that of the coefficients, too.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.cox.checked import names_of
from cxlab.stats.cox.result import FEW, CoxFit
from cxlab.stats.cox.risk_sets import Ints
from cxlab.stats.cox.robust import Clusters, score_residuals
from cxlab.stats.cox.ties import Floats
from cxlab.stats.survival import Band

__all__ = [
    "cumulative_hazard",
    "log_hazard",
    "one_each",
    "predicted_survival",
    "standing",
    "stratum_of",
]


def cumulative_hazard(
    fit: CoxFit, patterns: pd.DataFrame | ArrayLike | None = None
) -> pd.DataFrame:
    """Cumulative hazard of patterns at all event times, with its standard error.

    Parameters
    ----------
    fit : CoxFit
        As `cox` gives it.
    patterns : pandas.DataFrame or array_like, shape (m, k), optional
        Covariates, those of the fit. Default: one pattern, all covariates at their mean.

    Returns
    -------
    pandas.DataFrame
        One row per pattern, stratum and event time: pattern (its index), stratum, time,
        estimate, se.

    Examples
    --------
    >>> from cxlab.stats.cox import cox
    >>> fit = cox([0, 1, 0, 1], [1, 2, 3, 4], [1, 1, 1, 0])
    >>> cumulative_hazard(fit)["estimate"].round(3).tolist()
    [0.225, 0.576, 1.025]
    """
    if patterns is None:
        patterns = pd.DataFrame([fit.mean], columns=fit.names, index=["mean"])
    labels, z = standing(fit, patterns)
    slots = np.tile(np.arange(len(fit.risk.time)), (len(z), 1))
    hazard, se = _hazards(fit, z, np.full_like(slots, -1), slots)
    return pd.DataFrame(
        {
            "pattern": np.repeat(np.asarray(labels, dtype=object), slots.shape[1]),
            "stratum": [fit.strata[s] for s in fit.risk.stratum] * len(z),
            "time": np.tile(fit.risk.time, len(z)),
            "estimate": hazard.ravel(),
            "se": se.ravel(),
        }
    )


def predicted_survival(
    fit: CoxFit,
    patterns: pd.DataFrame | ArrayLike,
    times: ArrayLike,
    *,
    after: ArrayLike | None = None,
    stratum: Any = None,
    band: Band = "log-log",
) -> pd.DataFrame:
    """Share of each pattern that is without the event after each time.

    Parameters
    ----------
    fit : CoxFit
        As `cox` gives it.
    patterns : pandas.DataFrame or array_like, shape (m, k)
        Covariates, those of the fit.
    times : array_like, shape (t,)
        In the unit of the fit's times.
    after : array_like, shape () or (m,), optional
        Time until which each pattern is known to be without the event, such as the tenure of a
        customer; `times` then count from there. Default: from the start.
    stratum : object, optional
        Whose baseline; needed where the fit has several.
    band : {"log-log", "plain", "log"}
        Scale on which the interval is symmetric; R's own is "log".

    Returns
    -------
    pandas.DataFrame
        One row per pattern and time: pattern (its index), time, estimate, se, conf_low,
        conf_high. A step function, as in R; missing beyond the last time that was seen.

    Raises
    ------
    DataError
        If a covariate or the stratum is not one of the fit's.

    Notes
    -----
    exp(-H), with H the sum over events of 1 / (S - c E) (see `ties`), under Breslow d / S. The
    variance of H is that of Tsiatis (1981) with the terms of the ties; with clusters it sums
    what each cluster adds (the infinitesimal jackknife), and is missing below 20 of them.

    References
    ----------
    Tsiatis (1981), Annals of Statistics 9, 93-108; Therneau & Grambsch (2000), Modeling
    Survival Data, 10.2.

    Examples
    --------
    >>> from cxlab.stats.cox import cox
    >>> fit = cox([0, 1, 0, 1], [1, 2, 3, 4], [1, 1, 1, 0])
    >>> predicted_survival(fit, [[1]], [2, 3.5])["estimate"].round(3).tolist()
    [0.698, 0.527]
    """
    asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if band not in ("log-log", "plain", "log"):
        raise DataError(f"band must be log-log, plain or log, but is {band!r}.")
    s = stratum_of(fit, stratum)
    labels, z = standing(fit, patterns)
    known = np.full(len(z), -np.inf) if after is None else one_each("after", after, len(z))
    until = asked + np.where(np.isinf(known), 0.0, known)[:, None]
    before = np.repeat(_slots(fit, s, known)[:, None], len(asked), axis=1)
    hazard, se = _hazards(fit, z, before, _slots(fit, s, until))
    shares = _shares(fit, hazard.ravel(), se.ravel(), band)
    shares[until.ravel() > fit.until[s]] = np.nan
    shares.insert(0, "pattern", np.repeat(np.asarray(labels, dtype=object), len(asked)))
    shares.insert(1, "time", np.tile(asked, len(z)))
    return shares


def log_hazard(fit: CoxFit, patterns: pd.DataFrame | ArrayLike) -> Floats:
    """Log hazard of patterns, relative to a customer with mean covariates: what ranks them.

    Parameters
    ----------
    fit : CoxFit
        As `cox` gives it.
    patterns : pandas.DataFrame or array_like, shape (m, k)
        Covariates, those of the fit.

    Returns
    -------
    numpy.ndarray, shape (m,)
        The higher, the sooner.
    """
    predictor: Floats = standing(fit, patterns)[1] @ fit.climbed.beta
    return predictor


def _shares(fit: CoxFit, hazard: Floats, se: Floats, band: Band) -> pd.DataFrame:
    """Shares from cumulative hazards; before the first event there is no error to state."""
    share = np.exp(-hazard)
    far = np.where(hazard > 0, fit.reach * se, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if band == "plain":
            low, high = share * (1 - far), share * (1 + far)
        elif band == "log":
            low, high = np.exp(-hazard - far), np.exp(-hazard + far)
        else:
            wide = np.exp(far / hazard)
            low, high = np.exp(-hazard * wide), np.exp(-hazard / wide)
    return pd.DataFrame(
        {
            "estimate": share,
            "se": np.where(hazard > 0, share * se, np.nan),
            "conf_low": np.maximum(low, 0.0),
            "conf_high": np.minimum(high, 1.0),
        }
    )


def _slots(fit: CoxFit, stratum: int, times: Floats) -> Ints:
    """Last slot of a stratum at or before each time; -1 before its first."""
    begin, end = fit.risk.begin[stratum : stratum + 2]
    found = begin - 1 + np.searchsorted(fit.risk.time[begin:end], times, side="right")
    return np.where(found < begin, -1, found)


def _hazards(fit: CoxFit, z: Floats, before: Ints, slots: Ints) -> tuple[Floats, Floats]:
    """Hazard of each pattern (centred and scaled) after one slot up to another, and its error."""
    risk, at = fit.risk, fit.climbed.at

    def grown(values: Floats) -> Floats:
        sums = np.concatenate([risk.forward(values), np.zeros((1, *values.shape[1:]))])
        grew: Floats = sums[slots] - sums[before]  # the last, at -1, is none
        return grew

    times = np.exp(z @ fit.climbed.beta)[:, None]
    hazard = grown(at.sums.a0)
    slope = hazard[:, :, None] * z[:, None, :] - grown(at.mean_hazard)  # by the coefficients
    if fit.clusters is None:
        spread = grown(at.sums.b0) + ((slope @ fit.climbed.inverse) * slope).sum(axis=2)
    else:
        spread = _by_cluster(fit, fit.clusters, before, slots, slope)
    return times * hazard, times * np.sqrt(np.maximum(spread, 0.0))


def _by_cluster(
    fit: CoxFit, clusters: Clusters, before: Ints, slots: Ints, slope: Floats
) -> Floats:
    """Sum of squares of what each cluster adds to these hazards: one by one, in few arrays."""
    if clusters.count < FEW:
        return np.full(slots.shape, np.nan)
    risk, at = fit.risk, fit.climbed.at
    moved = clusters.by_cluster(score_residuals(risk, at) @ fit.climbed.inverse)
    hazard = at.hazard[risk.pattern]
    until = risk.forward(at.sums.b0)
    last = np.maximum(risk.last - 1, 0)
    event = risk.had * (at.sums.a0[last] / risk.events[last] + hazard * at.sums.b1[last])

    def added(slot: int) -> Floats:
        begin = risk.begin[risk.stratum[slot]]
        there = (begin <= risk.first) & (risk.first <= slot) & (risk.first < risk.last)
        upper = until[np.minimum(last, slot)]
        lower = np.where(risk.first > begin, until[risk.first - 1], 0.0)
        each = np.where(there, np.where(last <= slot, event, 0.0) - hazard * (upper - lower), 0.0)
        return clusters.by_cluster(each[:, None])[:, 0]

    by_slot = {int(s): added(int(s)) for s in np.unique([slots, before]) if s >= 0}
    by_slot[-1] = np.zeros(len(clusters.alike))
    spread = np.zeros(slots.shape)
    for at_row in np.ndindex(*slots.shape):
        sums = by_slot[int(slots[at_row])] - by_slot[int(before[at_row])] + moved @ slope[at_row]
        spread[at_row] = clusters.alike @ sums**2
    return spread


def standing(fit: CoxFit, patterns: pd.DataFrame | ArrayLike) -> tuple[list[Any], Floats]:
    """Return label and centred, scaled covariates of each pattern."""
    if isinstance(patterns, pd.DataFrame):
        missing = [name for name in fit.names if name not in patterns.columns]
        if missing:
            raise DataError(f"patterns must have the covariates {fit.names}, but lack {missing}.")
        patterns = patterns[fit.names]
    names, x = names_of(patterns)
    if len(names) != len(fit.names) or not np.isfinite(x).all():
        raise DataError(f"patterns must have one finite number for each of {fit.names}.")
    labels = list(patterns.index) if isinstance(patterns, pd.DataFrame) else list(range(len(x)))
    return labels, (x - fit.mean) / fit.scale


def one_each(name: str, values: ArrayLike, n: int) -> Floats:
    """Return one finite time for each of n patterns, or a refusal."""
    given = np.asarray(values, dtype=np.float64)
    if given.shape not in ((), (n,)) or not np.isfinite(given).all():
        raise DataError(f"{name} must be one time, or one for each of {n} patterns.")
    return np.broadcast_to(given, n)


def stratum_of(fit: CoxFit, name: Any) -> int:
    """Return the place of the stratum with this name, whose baseline is known."""
    if name is None and len(fit.strata) == 1:
        return 0
    if name not in fit.strata:
        raise DataError(f"stratum must be one of {fit.strata}, but is {name!r}.")
    at = fit.strata.index(name)
    if fit.risk.begin[at] == fit.risk.begin[at + 1]:
        raise DataError(f"stratum {name!r} has no event, so that its baseline is unknown.")
    return at
