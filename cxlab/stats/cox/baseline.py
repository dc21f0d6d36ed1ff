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

__all__ = ["cumulative_hazard", "predicted_survival"]


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
    found = []
    for label, z in _standing(fit, patterns):
        hazard, se = _hazards(fit, z, np.arange(len(fit.risk.time)))
        names = [fit.strata[s] for s in fit.risk.stratum]
        columns = {"stratum": names, "time": fit.risk.time, "estimate": hazard, "se": se}
        found.append(pd.DataFrame({"pattern": label, **columns}))
    return pd.concat(found, ignore_index=True)


def predicted_survival(
    fit: CoxFit,
    patterns: pd.DataFrame | ArrayLike,
    times: ArrayLike,
    *,
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
    s = _stratum(fit, stratum)
    begin, end = fit.risk.begin[s : s + 2]
    slot = begin + np.searchsorted(fit.risk.time[begin:end], asked, side="right") - 1
    found = []
    for label, z in _standing(fit, patterns):
        hazard, se = _hazards(fit, z, np.maximum(slot, begin))
        shares = _shares(fit, np.where(slot < begin, 0.0, hazard), se, band)
        shares[asked > fit.until[s]] = np.nan
        found.append(shares.assign(pattern=label, time=asked)[["pattern", "time", *shares]])
    return pd.concat(found, ignore_index=True)


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


def _hazards(fit: CoxFit, z: Floats, slots: Ints) -> tuple[Floats, Floats]:
    """Cumulative hazard of a pattern (centred and scaled) at slots, and its error."""
    risk, at = fit.risk, fit.climbed.at
    times = np.exp(z @ fit.climbed.beta)
    hazard = risk.forward(at.sums.a0)[slots]
    slope = hazard[:, None] * z - risk.forward(at.mean_hazard)[slots]  # by the coefficients
    if fit.clusters is None:
        own = risk.forward(at.sums.b0)[slots]
        spread = own + ((slope @ fit.climbed.inverse) * slope).sum(axis=1)
    else:
        spread = _by_cluster(fit, fit.clusters, slots, slope)
    return times * hazard, times * np.sqrt(np.maximum(spread, 0.0))


def _by_cluster(fit: CoxFit, clusters: Clusters, slots: Ints, slope: Floats) -> Floats:
    """Sum of squares of what each cluster adds to the cumulative hazard at each slot."""
    if clusters.count < FEW:
        return np.full(len(slots), np.nan)
    risk, at = fit.risk, fit.climbed.at
    moved = score_residuals(risk, at) @ fit.climbed.inverse  # the coefficients, by one of a row
    hazard = at.hazard[risk.pattern]
    until = risk.forward(at.sums.b0)
    last = np.maximum(risk.last - 1, 0)
    event = risk.had * (at.sums.a0[last] / risk.events[last] + hazard * at.sums.b1[last])
    spread = np.zeros(len(slots))
    for i, slot in enumerate(slots):
        begin = risk.begin[risk.stratum[slot]]
        there = (begin <= risk.first) & (risk.first <= slot) & (risk.first < risk.last)
        upper = until[np.minimum(last, slot)]
        lower = np.where(risk.first > begin, until[risk.first - 1], 0.0)
        adds = np.where(there, -hazard * (upper - lower) + np.where(last <= slot, event, 0.0), 0.0)
        sums = clusters.by_cluster((adds + moved @ slope[i])[:, None])[:, 0]
        spread[i] = clusters.alike @ sums**2
    return spread


def _standing(fit: CoxFit, patterns: pd.DataFrame | ArrayLike) -> list[tuple[Any, Floats]]:
    """Label and centred, scaled covariates of each pattern."""
    if isinstance(patterns, pd.DataFrame):
        missing = [name for name in fit.names if name not in patterns.columns]
        if missing:
            raise DataError(f"patterns must have the covariates {fit.names}, but lack {missing}.")
        patterns = patterns[fit.names]
    names, x = names_of(patterns)
    if len(names) != len(fit.names) or not np.isfinite(x).all():
        raise DataError(f"patterns must have one finite number for each of {fit.names}.")
    labels = list(patterns.index) if isinstance(patterns, pd.DataFrame) else list(range(len(x)))
    return list(zip(labels, (x - fit.mean) / fit.scale, strict=True))


def _stratum(fit: CoxFit, name: Any) -> int:
    if name is None and len(fit.strata) == 1:
        return 0
    if name not in fit.strata:
        raise DataError(f"stratum must be one of {fit.strata}, but is {name!r}.")
    at = fit.strata.index(name)
    if fit.risk.begin[at] == fit.risk.begin[at + 1]:
        raise DataError(f"stratum {name!r} has no event, so that its baseline is unknown.")
    return at
