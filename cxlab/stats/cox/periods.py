"""Where a hazard ratio changes with time: one ratio before a cut, another after it.

A row that lasts across a cut becomes two, (entry, cut] without the event and (cut, stop]; a
covariate whose ratio may change gets a column per period. This is exact, grouped or not.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.cox.checked import names_of, numbers, starts
from cxlab.stats.cox.fit import cox
from cxlab.stats.cox.result import CoxFit
from cxlab.stats.cox.risk_sets import Ints
from cxlab.stats.cox.ties import Floats, Ties

__all__ = ["cox_by_period", "period_name"]


def cox_by_period(
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    cuts: Sequence[float],
    changing: Sequence[str] | None = None,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    alike: ArrayLike | None = None,
    ties: Ties = "efron",
    level: float = 0.95,
) -> CoxFit:
    """Fit a Cox regression whose hazard ratios may differ between periods.

    Parameters
    ----------
    covariates : pandas.DataFrame or array_like, shape (rows, k)
        As for `cox`.
    stop, event : array_like, shape (rows,)
        As for `cox`.
    cuts : sequence of float
        Ends of periods, ascending, in the unit of time; an event at a cut is before it. Choose
        them before looking at the data, or the p-values are too small.
    changing : sequence of str, optional
        Covariates whose ratio may change. Default: all.
    entry, strata, frequency, cluster, alike : array_like, shape (rows,), optional
        As for `cox`.
    ties : {"efron", "breslow"}
        As for `cox`.
    level : float
        Confidence level.

    Returns
    -------
    CoxFit
        With a coefficient per changing covariate and period, see `period_name`. Its `contrast`
        compares two periods.

    Raises
    ------
    DataError
        If a cut is not inside the times, or a name is unknown.
    ConvergenceError
        As for `cox`; also where a period has no event for a level.

    References
    ----------
    Therneau & Grambsch (2000), Modeling Survival Data, 6.5.

    Examples
    --------
    >>> fit = cox_by_period([0, 1] * 4, [1, 1, 2, 2, 3, 3, 4, 4], [1, 1, 1, 1, 1, 1, 0, 0],
    ...                     frequency=[10, 30, 10, 20, 10, 5, 70, 45], cuts=[2])
    >>> fit.table()[["covariate", "estimate"]].round(2).values.tolist()
    [['x1 until 2', 3.11], ['x1 after 2', 0.79]]
    """
    names, x = names_of(covariates)
    n = len(x)
    end, had = numbers("stop", stop, n), numbers("event", event, n)
    start = starts(entry, n)
    bounds = _bounds(cuts, start, end)
    moving = list(names) if changing is None else list(changing)
    unknown = [name for name in moving if name not in names]
    if unknown:
        raise DataError(f"changing must name covariates of {names}, but has {unknown}.")

    row, period = _pieces(start, end, bounds)
    low, high = np.maximum(start[row], bounds[period]), np.minimum(end[row], bounds[period + 1])
    columns: dict[str, Floats] = {}
    for j, name in enumerate(names):
        if name not in moving:
            columns[name] = x[row, j]
            continue
        for p in range(len(bounds) - 1):
            columns[period_name(name, cuts, p)] = x[row, j] * (period == p)

    def of_pieces(values: ArrayLike | None) -> ArrayLike | None:
        return None if values is None else pd.Series(values).to_numpy()[row]

    fit = cox(
        pd.DataFrame(columns), high, had[row] * (high == end[row]),
        entry=low, strata=of_pieces(strata),
        frequency=of_pieces(frequency), cluster=of_pieces(cluster), alike=of_pieces(alike),
        ties=ties, level=level,
    )  # fmt: skip
    people = np.ones(n)
    for count in (frequency, alike):
        people = people if count is None else people * numbers("frequency", count, n)
    return replace(fit, n=float(people.sum()))  # people, not pieces


def period_name(covariate: str, cuts: Sequence[float], period: int) -> str:
    """Name the coefficient of a covariate in a period, counted from 0."""
    if period == 0:
        return f"{covariate} until {cuts[0]:g}"
    if period == len(cuts):
        return f"{covariate} after {cuts[-1]:g}"
    return f"{covariate} {cuts[period - 1]:g} to {cuts[period]:g}"


def _bounds(cuts: Sequence[float], start: Floats, end: Floats) -> Floats:
    """Ends of all periods, the first and the last open."""
    given = np.asarray(cuts, dtype=np.float64)
    if given.ndim != 1 or not len(given) or not (np.diff(given) > 0).all():
        raise DataError(f"cuts must be one or more ascending times, but are {list(cuts)}.")
    inside = (given > start.min()) & (given < end.max())
    if not inside.all():
        raise DataError(
            f"cuts must lie inside the times observed (up to {end.max():g}), but are {list(cuts)}."
        )
    return np.concatenate([[-np.inf], given, [np.inf]])


def _pieces(start: Floats, end: Floats, bounds: Floats) -> tuple[Ints, Ints]:
    """Row and period of each piece: the periods that (start, end] meets."""
    first = np.searchsorted(bounds, start, side="right") - 1
    last = np.searchsorted(bounds, end, side="left") - 1
    first = np.where(np.isinf(start), 0, first)
    many = last - first + 1
    row = np.repeat(np.arange(len(start)), many)
    place = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    return row, (first[row] + place).astype(np.int64)
