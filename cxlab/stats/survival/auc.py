"""Does a score tell those who have the event by a time from those who do not?"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval
from cxlab.stats.survival.ordering import scores_of
from cxlab.stats.survival.outcomes import Outcomes, horizons_of, outcomes_of
from cxlab.stats.survival.scales import logit_interval

__all__ = ["auc_table", "dynamic_auc"]

_Floats = NDArray[np.float64]


def dynamic_auc(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    risk: ArrayLike,
    times: ArrayLike,
    level: float = 0.95,
) -> list[Interval]:
    """Chance that one who has the event by a time scores higher than one who does not.

    Cumulative cases against dynamic controls: whoever had the event by then, against
    whoever is known to have gone on without it.

    Parameters
    ----------
    durations, events, censored : array_like, shape (rows,)
        As for `product_limit`.
    risk : array_like, shape (rows,) or (rows, times)
        Score of each row's people, on any scale, for all times or for each; higher means
        sooner.
    times : array_like, shape (times,)
        Ascending from above 0, within what was observed.
    level : float
        Confidence level.

    Returns
    -------
    list of Interval, length times
        Symmetric on the scale of logits; ties count half. Not a number where there are
        no cases yet.

    Raises
    ------
    DataError
        If a count, a score or a time cannot be one, or nobody was watched so long.

    Notes
    -----
    Cases stand for those who were not watched so long (inverse probability of censoring
    weights). The error is the infinitesimal jackknife's over people, weights taken as known.

    References
    ----------
    Uno et al. (2007), Journal of the American Statistical Association 102, 527-537; Hung &
    Chiang (2010), Canadian Journal of Statistics 38, 8-26; Blanche, Dartigues &
    Jacqmin-Gadda (2013), Biometrical Journal 55, 687-704.

    Examples
    --------
    >>> found = dynamic_auc([2, 5, 7, 9], [1, 1, 1, 0], [0, 0, 0, 1],
    ...                     risk=[0.9, 0.4, 0.5, 0.1], times=[6])
    >>> found[0].estimate
    0.75
    """
    outcomes = outcomes_of(durations, events, censored)
    asked = horizons_of(times, outcomes)
    given = np.asarray(risk, dtype=np.float64)
    if given.ndim == 2 and given.shape[1] != len(asked):
        raise DataError(
            f"risk must have one column, or one for each of {len(asked)} times, but has "
            f"{given.shape[1]}."
        )
    columns = given.T if given.ndim == 2 else [given] * len(asked)
    found, before, rank = [], None, np.zeros(0, dtype=np.int64)
    for time, scores in zip(asked, columns, strict=True):
        if before is not scores:
            before = scores
            rank = np.unique(scores_of(scores, outcomes)[outcomes.row], return_inverse=True)[1]
        found.append(_at(float(time), rank, outcomes, level))
    return found


def auc_table(times: ArrayLike, found: list[Interval]) -> pd.DataFrame:
    """Arrange what `dynamic_auc` found: time, estimate, se, conf_low, conf_high."""
    return pd.DataFrame(
        {
            "time": np.atleast_1d(np.asarray(times, dtype=np.float64)),
            "estimate": [x.estimate for x in found],
            "se": [x.se for x in found],
            "conf_low": [x.low for x in found],
            "conf_high": [x.high for x in found],
        }
    )


def _at(time: float, rank: NDArray[np.int64], outcomes: Outcomes, level: float) -> Interval:
    worth, people = outcomes.known(time), outcomes.weight
    case = outcomes.had & (outcomes.time <= time)
    control = outcomes.time > time
    cases, controls = np.where(case, people * worth, 0.0), np.where(control, people, 0.0)
    method = "time-dependent AUC, jackknife error"
    if not cases.sum() > 0:
        return logit_interval(np.nan, np.nan, n=outcomes.n, level=level, method=method)
    above_controls = _beaten(rank, controls) / controls.sum()
    above_cases = 1 - _beaten(rank, cases) / cases.sum()
    auc = float(cases @ above_controls) / cases.sum()
    pull = np.where(case, worth * (above_controls - auc) / cases.sum(), 0.0)
    pull += np.where(control, (above_cases - auc) / controls.sum(), 0.0)
    se = float(np.sqrt(people @ pull**2))
    return logit_interval(float(auc), se, n=outcomes.n, level=level, method=method)


def _beaten(rank: NDArray[np.int64], weight: _Floats) -> _Floats:
    """Weight of those ranked below each, those of equal rank counting half."""
    each = np.bincount(rank, weight)
    beaten: _Floats = (np.cumsum(each) - each / 2)[rank]
    return beaten
