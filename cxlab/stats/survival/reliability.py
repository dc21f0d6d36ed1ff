"""Of those to whom a model gave a chance of 30 %, do 30 % have the event?

Predicted chances are held against the product-limit curve of the people who were given them:
by groups of like chance, as a smooth curve, and all together.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval
from cxlab.stats.survival.brier import chances_of
from cxlab.stats.survival.counts import sums_at
from cxlab.stats.survival.kaplan_meier import product_limit
from cxlab.stats.survival.outcomes import Outcomes, horizons_of, outcomes_of

__all__ = ["Calibration", "calibration"]

_Floats = NDArray[np.float64]
_BINS = 100  # of people with like chances, from which the smooth curve is made


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Predicted chances of an event by a horizon, held against what happened.

    Attributes
    ----------
    expected : numpy.ndarray, shape (groups,)
        Mean predicted chance of each group, ascending.
    observed : list of Interval, length groups
        Share of each group that had the event by the horizon.
    ratio : Interval
        Observed over expected, of all together; 1 where the model is right on average.
    curve : pandas.DataFrame
        Smooth curve: expected, observed, n; one row per hundredth of the people.
    ici, e50, e90, e_max : float
        Distance of the smooth curve from the diagonal: mean over people (the integrated
        calibration index), median, 90 % quantile and greatest. Chance alone keeps them
        above 0.
    horizon : float
        In the unit of the durations.
    """

    expected: _Floats = field(repr=False)
    observed: list[Interval] = field(repr=False)
    ratio: Interval
    curve: pd.DataFrame = field(repr=False)
    ici: float
    e50: float
    e90: float
    e_max: float
    horizon: float

    def table(self) -> pd.DataFrame:
        """One row per group: people, mean predicted chance, and the share observed."""
        return pd.DataFrame(
            {
                "group": np.arange(1, len(self.expected) + 1),
                "n": [x.n for x in self.observed],
                "expected": self.expected,
                "observed": [x.estimate for x in self.observed],
                "conf_low": [x.low for x in self.observed],
                "conf_high": [x.high for x in self.observed],
            }
        )


def calibration(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    risk: ArrayLike,
    horizon: float,
    groups: int = 10,
    span: float = 0.5,
    level: float = 0.95,
) -> Calibration:
    """Hold predicted chances against the product-limit curve, from counts.

    Parameters
    ----------
    durations, events, censored : array_like, shape (rows,)
        As for `product_limit`, of people who were not used to make the predictions.
    risk : array_like, shape (rows,)
        Predicted chance that the event comes by the horizon, 0 to 1.
    horizon : float
        In the unit of the durations, within what was observed.
    groups : int
        Groups of as many people each as can be; people of one chance stay together.
    span : float
        Share of all people that the smooth curve looks at around each chance.
    level : float
        Confidence level of the groups' intervals.

    Returns
    -------
    Calibration
        By group, smooth, and all together.

    Raises
    ------
    DataError
        If a count, a chance or the horizon cannot be one, or nobody was watched so long.

    Notes
    -----
    The smooth curve is the product limit of people with like chances, those nearer weighing
    more (tricube). It is held against the mean chance of the same people with the same
    weights, so that a lopsided neighbourhood, as at both ends, does not pass for an error.
    A group of whom nobody was watched until the horizon has no observed share.

    References
    ----------
    Akritas (1994), Annals of Statistics 22, 1299-1327, on the smooth curve; Austin, Harrell
    & van Klaveren (2020), Statistics in Medicine 39, 2714-2742, on the indices.

    Examples
    --------
    >>> found = calibration([30, 60, 90, 30, 60, 90], [4, 2, 0, 1, 0, 0], [0, 2, 12, 0, 1, 18],
    ...                     risk=[0.3, 0.3, 0.3, 0.1, 0.1, 0.1], horizon=60, groups=2)
    >>> found.table()[["expected", "observed"]].round(3).to_numpy().tolist()
    [[0.1, 0.05], [0.3, 0.3]]
    """
    outcomes = outcomes_of(durations, events, censored)
    time = float(horizons_of(horizon, outcomes)[0])
    chance = chances_of(risk, outcomes, 1)[outcomes.row, 0].astype(np.float64)
    if not groups >= 1:
        raise DataError(f"groups must be 1 or more, but is {groups}.")
    if not 0 < span <= 1:
        raise DataError(f"span must be a share of the people, above 0 to 1, but is {span:g}.")
    expected, observed = [], []
    part = _parts(chance, outcomes.weight, groups)
    for at in range(int(part.max()) + 1):
        mine = part == at
        expected.append(float(np.average(chance[mine], weights=outcomes.weight[mine])))
        observed.append(_share(outcomes, mine, time, level))
    curve = _smooth(chance, outcomes, time, span)
    off, n = (curve["observed"] - curve["expected"]).abs().to_numpy(), curve["n"].to_numpy()
    known = np.isfinite(off)
    e50, e90, e_max = (_quantile(off[known], n[known], share) for share in (0.5, 0.9, 1.0))
    everybody = _share(outcomes, np.ones(len(chance), dtype=bool), time, level)
    mean = float(np.average(chance, weights=outcomes.weight))
    scale = 1 / mean if mean > 0 else np.nan
    ratio = replace(
        everybody, estimate=everybody.estimate * scale, low=everybody.low * scale,
        high=everybody.high * scale, se=everybody.se * scale,
        method="product-limit share over the mean predicted chance",
    )  # fmt: skip
    return Calibration(
        expected=np.array(expected), observed=observed, ratio=ratio, curve=curve,
        ici=float(np.average(off[known], weights=n[known])), e50=e50, e90=e90, e_max=e_max,
        horizon=time,
    )  # fmt: skip


def _parts(chance: _Floats, weight: _Floats, parts: int) -> NDArray[np.int64]:
    """Part of each, of as many people as can be, those of one chance together."""
    values, place = np.unique(chance, return_inverse=True)
    people = np.bincount(place, weight, len(values))
    middle = (np.cumsum(people) - people / 2) / people.sum()
    part = np.minimum((middle * parts).astype(np.int64), parts - 1)
    return np.unique(part, return_inverse=True)[1][place].astype(np.int64)


def _share(outcomes: Outcomes, mine: NDArray[np.bool_], time: float, level: float) -> Interval:
    """Share that had the event by the horizon; none where nobody was watched so long."""
    weight, had = outcomes.weight[mine], outcomes.had[mine]
    curve = product_limit(outcomes.time[mine], weight * had, weight * ~had, level=level)
    if time > curve.time[-1] and curve.survival[-1] > 0:
        nothing = np.nan
        return Interval(
            estimate=nothing, low=nothing, high=nothing, n=curve.n, method=curve.method, level=level
        )
    kept = curve.share_at(time)
    return replace(kept, estimate=1 - kept.estimate, low=1 - kept.high, high=1 - kept.low)


def _smooth(chance: _Floats, outcomes: Outcomes, time: float, span: float) -> pd.DataFrame:
    """Smooth calibration curve; a bin of like chances is the smallest thing it knows."""
    bins = _parts(chance, outcomes.weight, _BINS)
    size = int(bins.max()) + 1
    people = np.bincount(bins, outcomes.weight, size)
    mean = np.bincount(bins, outcomes.weight * chance, size) / people
    middle = (np.cumsum(people) - people / 2) / people.sum()
    away = np.abs(middle[:, np.newaxis] - middle) / (span / 2)
    near = np.clip(1 - away**3, 0.0, None) ** 3
    survival = _survival(near, bins, outcomes, time)
    local = near @ (people * mean) / (near @ people)
    observed = np.clip(mean + (1 - survival) - local, 0.0, 1.0)
    return pd.DataFrame({"expected": mean, "observed": observed, "n": people})


def _survival(near: _Floats, bins: NDArray[np.int64], outcomes: Outcomes, time: float) -> _Floats:
    """Product limit at the horizon of each bin's neighbourhood; unknown where it ends before."""
    size, had = len(near), outcomes.had & (outcomes.time <= time)
    moments = np.unique(outcomes.time[had])
    width = len(moments) + 1
    # How many of the moments with events each lives to see, the last one's own among them.
    cell = bins * width + np.searchsorted(moments, outcomes.time, side="right")
    leaving = sums_at(cell, outcomes.weight, size * width).reshape(size, width)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1][:, 1:]
    events = sums_at(cell[had], outcomes.weight[had], size * width).reshape(size, width)[:, 1:]
    n, d = near @ at_risk, near @ events
    kept = np.divide(n - d, n, out=np.ones_like(n), where=n > 1e-12)
    survival = np.prod(kept, axis=1)
    beyond = near @ sums_at(bins, outcomes.weight * (outcomes.time >= time), size)
    return np.where((beyond > 0) | (survival <= 0), survival, np.nan)


def _quantile(values: _Floats, weight: _Floats, share: float) -> float:
    """Smallest value that at least such a share of the people do not exceed."""
    order = np.argsort(values)
    upto = np.cumsum(weight[order]) / weight.sum()
    at = np.searchsorted(upto, share - 1e-12)
    return float(values[order][min(int(at), len(values) - 1)])
