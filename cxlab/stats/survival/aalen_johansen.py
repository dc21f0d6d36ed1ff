"""Which of several events comes first, and how many have had each by when?

Who has one of them can no longer have another first: customers who leave by themselves cannot
be dismissed. The Aalen-Johansen estimate shares everybody out among those still without any
event and those who had each. Taking the other events for censoring would count too many.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.survival.counts import Durations, rows_of
from cxlab.stats.survival.incidence import Incidence, spread_of
from cxlab.stats.survival.kaplan_meier import Band, band_of, none_of

__all__ = ["ErrorOf", "causes_of", "cumulative_incidence"]

ErrorOf = Literal["aalen", "greenwood"]
_Floats = NDArray[np.float64]


def cumulative_incidence(
    durations: ArrayLike,
    events: Mapping[str, ArrayLike] | pd.DataFrame,
    censored: ArrayLike | None = None,
    *,
    entry: ArrayLike | None = None,
    error: ErrorOf = "aalen",
    band: Band = "log-log",
    level: float = 0.95,
    design_effect: float = 1.0,
) -> Incidence:
    """Estimate the share that had each of several events first, from counts.

    Parameters
    ----------
    durations, censored, entry : array_like, shape (rows,)
        As for `product_limit`.
    events : mapping of str to array_like, or pandas.DataFrame, shape (rows,) each
        How many had each event first after this duration. Events of several causes may
        fall on one duration: none is put before another.
    error : {"aalen", "greenwood"}
        Variance: Aalen's, as in R's cmprsk and in SAS, or that of a multinomial at each
        duration (the delta method). Without censoring the latter is that of a share
        exactly, and with one cause it is that of `product_limit`.
    band : {"log-log", "plain", "log"}
        Scale of 1 less the incidence on which the interval is symmetric.
    level : float
        Confidence level of the pointwise intervals.
    design_effect : float
        How many times the variance is that of independent observations.

    Returns
    -------
    Incidence
        The incidence of each cause with its interval.

    Raises
    ------
    DataError
        If a duration or a count cannot be one, there is nobody, or no cause.

    Notes
    -----
    With a hazard p_j of each cause j among n at risk, the incidence F_k until t changes by
    S(t_i-) [j = k] - (F_k(t) - F_k(t_i)) S(t_i-) / S(t_i) for each unit of p_j at t_i; the
    variance adds up these squared, times p_j (1 - p_j) / (n - 1) (Aalen) or with the
    covariance (p_j [j = l] - p_j p_l) / n (multinomial). Where nobody had the event yet, the
    upper end is Wilson's limit for none of those at risk.

    References
    ----------
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5, 141-150; Aalen (1978),
    Annals of Statistics 6, 534-545; Marubini & Valsecchi (1995), Analysing Survival Data
    from Clinical Trials and Observational Studies, 10.2.

    Examples
    --------
    >>> left = {"by themselves": [3, 1, 2], "dismissed": [1, 1, 0]}
    >>> found = cumulative_incidence([30, 60, 90], left, [0, 2, 10])
    >>> found.at("by themselves", [30, 60, 90])["estimate"].round(4).tolist()
    [0.15, 0.2, 0.3167]
    """
    causes, counts = causes_of(events)
    counted = rows_of(durations, counts, censored, entry).by_duration()
    d, n = counted.events, counted.at_risk
    hazards = np.divide(d, n[:, np.newaxis], out=np.zeros_like(d), where=n[:, np.newaxis] > 0)
    all_events = d.sum(axis=1)
    kept = np.divide(n - all_events, n, out=np.ones_like(n), where=n > 0)
    survival = np.cumprod(kept).astype(np.float64)
    before = np.r_[1.0, survival[:-1]]
    incidence = np.cumsum(before[:, np.newaxis] * hazards, axis=0).astype(np.float64)
    spread = np.array(
        [design_effect * _covariance(counted, at, error) for at in range(len(causes))]
    )
    se = np.column_stack(
        [_error(spread[at], before, survival, incidence[:, at]) for at in range(len(causes))]
    )
    left = 1 - incidence
    gone = left < 1e-12
    relative = np.divide(se, left, out=np.full_like(se, np.nan), where=~gone)
    low, high = band_of(np.where(gone, 0.0, left), relative, band, level)
    none_yet = np.cumsum(d, axis=0) == 0
    floor = none_of(n / design_effect, level)[:, np.newaxis]
    method = f"Aalen-Johansen, {error}'s error, {band} interval"
    return Incidence(
        causes=causes, time=counted.time, at_risk=n, censored=counted.censored, events=d,
        incidence=incidence, se=np.where(gone, np.nan, se), survival=survival,
        low=np.where(none_yet, 0.0, 1 - high), high=np.where(none_yet, 1 - floor, 1 - low),
        n=float(n.max()), method=method + ", design effect" * (design_effect != 1), level=level,
        _spread=spread, _none=1 - float(none_of(counted.begun / design_effect, level)),
    )  # fmt: skip


def causes_of(events: Mapping[str, ArrayLike] | pd.DataFrame) -> tuple[list[str], _Floats]:
    """Return the names of the causes, and their counts as columns.

    Parameters
    ----------
    events : mapping of str to array_like, or pandas.DataFrame
        Counts of each cause, of one length.

    Returns
    -------
    causes : list of str
        In the order given.
    counts : numpy.ndarray, shape (rows, causes)
        As numbers.

    Raises
    ------
    DataError
        If there is no cause, or their lengths differ.
    """
    columns = {name: np.atleast_1d(np.asarray(x, np.float64)) for name, x in events.items()}
    if not columns:
        raise DataError("events must name at least one cause, but names none.")
    lengths = {str(name): len(x) for name, x in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"events must have one count per row and cause, but have {lengths}.")
    return [str(name) for name in columns], np.column_stack(list(columns.values()))


def _covariance(counted: Durations, at: int, error: ErrorOf) -> _Floats:
    """Variance of the hazard of one cause, of it with all others', and of theirs; shape (3, k)."""
    n = counted.at_risk
    own = counted.events[:, at]
    others = counted.events.sum(axis=1) - own
    some = n > 0
    if error == "greenwood":
        parts = (own * (n - own), -own * others, others * (n - others))
        return np.array([np.divide(x, n**3, out=np.zeros_like(n), where=some) for x in parts])
    if error != "aalen":
        raise DataError(f"error must be aalen or greenwood, but is {error!r}.")
    each = counted.events
    size = n[:, np.newaxis]
    # Of one event alone, even where one is at risk, the variance is that of Poisson's law.
    spare = np.divide(size - each, size - 1, out=np.ones_like(each), where=(each > 1) & (size > 1))
    single = np.divide(each * spare, size**2, out=np.zeros_like(each), where=size > 0)
    rest = single.sum(axis=1) - single[:, at]
    return np.array([single[:, at], np.zeros_like(n), rest])


def _error(spread: _Floats, before: _Floats, survival: _Floats, had: _Floats) -> _Floats:
    """Return the standard error of an incidence at each duration.

    The squares of own - x (F(t) - F_i) are multiplied out, so that sums can run along.
    """
    x = np.divide(before, survival, out=np.zeros_like(before), where=survival > 0)
    own, shared, rest = spread
    all_causes = own + 2 * shared + rest
    level = x * had
    fixed = spread_of(spread, before, -level)
    cross = x * (before * (own + shared) + level * all_causes)
    variance = np.cumsum(fixed) - 2 * had * np.cumsum(cross) + had**2 * np.cumsum(x**2 * all_causes)
    error: _Floats = np.sqrt(np.maximum(variance, 0.0))
    return error
