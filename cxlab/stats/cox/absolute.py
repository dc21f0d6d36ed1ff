"""From a Cox regression per cause to the share of a pattern that has each event first.

A hazard of one cause says nothing of how many will have that event, for whoever has another one
first can no longer have it: all causes' hazards are needed at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.cox.baseline import one_each, standing, stratum_of
from cxlab.stats.cox.result import CoxFit
from cxlab.stats.cox.risk_sets import Ints
from cxlab.stats.cox.robust import score_residuals
from cxlab.stats.cox.ties import Floats
from cxlab.stats.intervals import z_quantile
from cxlab.stats.survival.kaplan_meier import band_of

__all__ = ["NO_EVENT", "absolute_risk"]

NO_EVENT = "none"
_CELLS = 2_000_000  # patterns times event times that are held at once


def absolute_risk(
    fits: Mapping[str, CoxFit],
    patterns: pd.DataFrame | ArrayLike,
    times: ArrayLike,
    *,
    after: ArrayLike | None = None,
    stratum: Any = None,
) -> pd.DataFrame:
    """Share of each pattern that has each of several events first, and that has none.

    Parameters
    ----------
    fits : mapping of str to CoxFit
        By cause, a fit for which the other causes end observation.
    patterns : pandas.DataFrame or array_like, shape (m, k)
        Covariates, those of all fits.
    times : array_like, shape (t,)
        In the unit of the fits' times.
    after : array_like, shape () or (m,), optional
        Time until which each pattern is known to be without any event; `times` then count from
        there. Default: from the start.
    stratum : object, optional
        Whose baselines; needed where the fits have several.

    Returns
    -------
    pandas.DataFrame
        One row per pattern, cause and time: pattern (its index), cause ("none" last), time,
        estimate, se, conf_low, conf_high. Over the causes of a pattern and time the estimates
        add up to 1. Missing beyond the last time that was seen for every cause.

    Raises
    ------
    DataError
        If there is no fit, their levels or clusters differ, or as for `predicted_survival`.

    Notes
    -----
    The product-integral over event times t: S(t) = S(t-) (1 - sum_j q_j), and F_k grows by
    S(t-) q_k, with q_j = 1 - exp(-dH_j) what `predicted_survival` takes off for the cause alone;
    with one cause the two agree. Without effects of covariates it is the Aalen-Johansen
    estimate as counts grow, however many events share a time (under Efron's ties). Chances that
    add up to more than 1 at one time are scaled down to 1.

    Intervals by the delta method, symmetric on the log-log scale of 1 less the share: the
    errors of the baselines and of the coefficients, which are independent between causes; with
    clusters, what each cluster adds to all causes together (the infinitesimal jackknife).
    Missing where a fit has no errors.

    References
    ----------
    Benichou & Gail (1990), Biometrics 46, 813-826; Cheng, Fine & Wei (1998), Biometrics 54,
    219-228; Ozenne et al. (2017), The R Journal 9(2), 440-460.

    Examples
    --------
    >>> from cxlab.stats.cox import cox
    >>> x, week, n = [0, 1, 0, 1, 0, 1], [1, 1, 2, 2, 9, 9], [10, 20, 10, 15, 80, 65]
    >>> fits = {"by choice": cox(x, week, [1, 1, 0, 0, 0, 0], frequency=n),
    ...         "other": cox(x, week, [0, 0, 1, 1, 0, 0], frequency=n)}
    >>> absolute_risk(fits, [[1]], [2])["estimate"].round(3).tolist()
    [0.199, 0.15, 0.651]
    """
    if not fits or NO_EVENT in fits:
        raise DataError(f"fits must have one or more causes, none called {NO_EVENT!r}.")
    if len({fit.level for fit in fits.values()}) > 1 or not _same_clusters(list(fits.values())):
        raise DataError("fits must have one level and the same clusters, but theirs differ.")
    asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
    causes = [_cause(fit, patterns, stratum) for fit in fits.values()]
    labels = standing(causes[0].fit, patterns)[0]
    known = (
        np.full(len(labels), -np.inf) if after is None else one_each("after", after, len(labels))
    )
    until = asked + np.where(np.isinf(known), 0.0, known)[:, None]
    grid = np.unique(np.concatenate([cause.time for cause in causes]))
    share = np.empty((len(labels), len(causes) + 1, len(asked)))
    se = np.full_like(share, np.nan)
    each = max(1, _CELLS // len(grid))
    for begin in range(0, len(labels), each):
        part = slice(begin, begin + each)
        share[part], se[part] = _shares(causes, part, grid, known[part], until[part])
    last = min(fit.until[stratum_of(fit, stratum)] for fit in fits.values())
    share[np.broadcast_to((until > last)[:, None, :], share.shape)] = np.nan
    ends = _ends(share, se, causes[0].fit)
    names = [*fits, NO_EVENT]
    return pd.DataFrame(
        {
            "pattern": np.repeat(np.asarray(labels, dtype=object), len(names) * len(asked)),
            "cause": np.tile(np.repeat(np.asarray(names, dtype=object), len(asked)), len(labels)),
            "time": np.tile(asked, len(names) * len(labels)),
            "estimate": share.ravel(),
            **{name: values.ravel() for name, values in ends.items()},
        }
    )


@dataclass(frozen=True, eq=False)
class _Cause:
    """One fit and the patterns as it sees them; its slots in one stratum and their times."""

    fit: CoxFit
    z: Floats  # (m, k)
    slot: Ints
    time: Floats

    @property
    def has_errors(self) -> bool:
        return bool(np.isfinite(self.fit.reach))

    @cached_property
    def moved(self) -> Floats:
        """How much the rows of a cluster move the coefficients: (rows, k)."""
        fit = self.fit
        residuals: Floats = score_residuals(fit.risk, fit.climbed.at) @ fit.climbed.inverse
        return residuals

    def step(self, grid: Floats) -> Floats:
        """Growth of the baseline's hazard at the times of a grid: (grid,)."""
        grown = np.zeros(len(grid))
        grown[np.searchsorted(grid, self.time)] = self.fit.climbed.at.sums.a0[self.slot]
        return grown


def _cause(fit: CoxFit, patterns: pd.DataFrame | ArrayLike, stratum: Any) -> _Cause:
    begin, end = fit.risk.begin[stratum_of(fit, stratum) :][:2]
    return _Cause(fit, standing(fit, patterns)[1], np.arange(begin, end), fit.risk.time[begin:end])


def _same_clusters(fits: list[CoxFit]) -> bool:
    first = fits[0].clusters
    if first is None:
        return all(fit.clusters is None for fit in fits)
    return all(
        fit.clusters is not None and np.array_equal(fit.clusters.code, first.code) for fit in fits
    )


def _shares(
    causes: list[_Cause], part: slice, grid: Floats, known: Floats, until: Floats
) -> tuple[Floats, Floats]:
    """Shares and their errors for some patterns: (m, causes + 1, times) each."""
    within = grid > known[:, None]
    times = [np.exp(c.z[part] @ c.fit.climbed.beta)[:, None] for c in causes]
    alone = [-np.expm1(-t * c.step(grid)) * within for c, t in zip(causes, times, strict=True)]
    over = np.maximum(sum(alone), 1.0)
    q = np.stack([one / over for one in alone], axis=1)  # (m, causes, grid)
    kept = 1 - q.sum(axis=1)
    whole = np.concatenate([np.ones((len(kept), 1)), np.cumprod(kept, axis=1)], axis=1)
    had = np.cumsum(whole[:, None, :-1] * q, axis=2)
    had = np.concatenate([np.zeros((*had.shape[:2], 1)), had], axis=2)
    place = np.searchsorted(grid, until, side="right")
    at = np.broadcast_to(place[:, None, :], (len(kept), len(causes), until.shape[1]))
    share = np.concatenate(
        [np.take_along_axis(had, at, axis=2), np.take_along_axis(whole, place, axis=1)[:, None]],
        axis=1,
    )
    se = np.full_like(share, np.nan)
    if not all(cause.has_errors for cause in causes):
        return share, se
    for row, k, t in np.ndindex(*share.shape):
        upto = slice(0, place[row, t])
        gone = np.divide(1.0, kept[row, upto], out=np.zeros(upto.stop), where=kept[row, upto] > 0)
        total = share[row, k, t]
        later = total if k == len(causes) else total - had[row, k, 1:][upto]
        slopes = []  # of the share by the growth of each cause's hazard
        for j, cause in enumerate(causes):
            by_chance = whole[row, :-1][upto] * (j == k) - later * gone
            slope = by_chance * (1 - q[row, j, upto]) * within[row, upto] * times[j][row]
            spots = np.searchsorted(grid[upto], cause.time[cause.time <= grid[upto.stop - 1]])
            slopes.append(slope[spots] if upto.stop else np.zeros(0))
        se[row, k, t] = np.sqrt(_variance(causes, part.start + row, slopes))
    return share, se


def _variance(causes: list[_Cause], row: int, slopes: list[Floats]) -> float:
    """Variance of a share that moves by these slopes with the hazards at the first slots."""
    total, added = 0.0, []
    for cause, slope in zip(causes, slopes, strict=True):
        fit, at, slot = cause.fit, cause.fit.climbed.at, cause.slot[: len(slope)]
        by_coef = cause.z[row] * (slope @ at.sums.a0[slot]) - slope @ at.mean_hazard[slot]
        if fit.clusters is None:
            inverse = fit.climbed.inverse
            total += float(slope**2 @ at.sums.b0[slot] + by_coef @ inverse @ by_coef)
            continue
        weight = np.zeros(len(fit.risk.time))
        weight[slot] = slope
        last = np.maximum(fit.risk.last - 1, 0)
        hazard = at.hazard[fit.risk.pattern]
        event = at.sums.a0[last] / fit.risk.events[last] + hazard * at.sums.b1[last]
        each = fit.risk.had * weight[last] * event
        each = each - hazard * fit.risk.between((weight * at.sums.b0)[:, None])[:, 0]
        each = each + cause.moved @ by_coef
        added.append(fit.clusters.by_cluster(each[:, None])[:, 0])
    if (clusters := causes[0].fit.clusters) is not None:
        total = float(clusters.alike @ np.sum(added, axis=0) ** 2)
    return max(total, 0.0)


def _ends(share: Floats, se: Floats, fit: CoxFit) -> dict[str, Floats]:
    """Ends of intervals, from the scale of those left without; none before any event."""
    left = share.copy()
    left[:, :-1] = 1 - share[:, :-1]
    some = (left > 0) & (left < 1)
    relative = np.divide(se, left, out=np.full_like(se, np.nan), where=some)
    low, high = band_of(left, relative * fit.reach / z_quantile(fit.level), "log-log", fit.level)
    conf_low, conf_high = low.copy(), high.copy()
    conf_low[:, :-1], conf_high[:, :-1] = 1 - high[:, :-1], 1 - low[:, :-1]
    return {"se": np.where(some, se, np.nan), "conf_low": conf_low, "conf_high": conf_high}
