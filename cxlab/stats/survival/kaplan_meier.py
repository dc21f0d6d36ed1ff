"""How many are still without the event after so much time, when not all were watched to its end.

The product-limit estimate (Kaplan & Meier 1958) from counts by duration: it needs one row
per distinct duration, however many people there are.
"""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import z_quantile
from cxlab.stats.survival.counts import rows_of
from cxlab.stats.survival.curve import SurvivalCurve

__all__ = ["Band", "band_of", "none_of", "product_limit"]

Band: TypeAlias = Literal["log-log", "plain", "log"]
_Floats: TypeAlias = NDArray[np.float64]


def product_limit(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    entry: ArrayLike | None = None,
    band: Band = "log-log",
    level: float = 0.95,
    design_effect: float = 1.0,
) -> SurvivalCurve:
    """Estimate the share without the event by duration, from counts.

    Parameters
    ----------
    durations : array_like, shape (rows,)
        0 or more, in any order; several rows may share one.
    events, censored : array_like, shape (rows,)
        How many had the event after this duration, and how many were last seen then
        without it. Those censored count as under observation at that duration.
    entry : array_like, shape (rows,), optional
        Duration from which the people of a row were under observation, such as the age of
        a contract when records begin. Default: from the start.
    band : {"log-log", "plain", "log"}
        Scale on which the interval is symmetric. The default keeps its promise best with
        few people; R's own is "log".
    level : float
        Confidence level of the pointwise intervals.
    design_effect : float
        How many times the variance is that of independent observations, where the same
        people are behind several of them.

    Returns
    -------
    SurvivalCurve
        The curve with its band and the numbers at risk.

    Raises
    ------
    DataError
        If a duration or a count cannot be one, or there is nobody.

    Notes
    -----
    Where nobody had the event yet, the band would have no width; its lower end is then
    Wilson's limit for none of those at risk. Where all had it, there is no error to state
    and the interval is missing, as in R.

    References
    ----------
    Kaplan & Meier (1958), Journal of the American Statistical Association 53, 457-481;
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 1.4.

    Examples
    --------
    >>> curve = product_limit([5, 8, 12, 23], [2, 2, 1, 1], [0, 0, 1, 0])
    >>> curve.survival.round(3).tolist()
    [0.714, 0.429, 0.286, 0.0]
    >>> curve.quantile().estimate
    8.0
    """
    rows = rows_of(durations, events, censored, entry)
    if rows.events.shape[1] != 1:
        raise DataError(
            "a survival curve has one event, but events has a column for each of "
            f"{rows.events.shape[1]}. Use cumulative_incidence, or add them up."
        )
    counted = rows.by_duration()
    time, at_risk, d, c = counted.time, counted.at_risk, counted.events[:, 0], counted.censored
    # Where a late entry has nobody before it, the curve stands still.
    kept = np.divide(at_risk - d, at_risk, out=np.ones_like(d), where=at_risk > 0)
    survival = np.cumprod(kept).astype(np.float64)
    left = at_risk - d
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(d > 0, d / (at_risk * left), 0.0)  # infinite where all had it
    hazard_se = np.sqrt(design_effect * np.cumsum(part))
    gone = survival <= 0
    se = np.where(gone, np.nan, survival * np.where(gone, 0.0, hazard_se))
    low, high = band_of(survival, np.where(gone, np.nan, hazard_se), band, level)
    none_yet = np.cumsum(d) == 0
    floor = none_of(at_risk / design_effect, level)
    method = f"product limit, {band} interval" + ", design effect" * (design_effect != 1)
    return SurvivalCurve(
        time=time, at_risk=at_risk, events=d, censored=c, survival=survival, se=se,
        low=np.where(none_yet, floor, low), high=np.where(none_yet, 1.0, high),
        n=float(at_risk.max()), level=level, method=method,
        design_effect=design_effect, _late=counted.late,
        _whole=(1.0, 0.0, float(none_of(counted.begun / design_effect, level)), 1.0),
    )  # fmt: skip


def band_of(
    survival: _Floats, hazard_se: _Floats, band: Band, level: float
) -> tuple[_Floats, _Floats]:
    """Ends of the interval from the standard error of log S.

    Parameters
    ----------
    survival, hazard_se : numpy.ndarray, shape (k,)
        Share without the event, and the standard error of its logarithm.
    band : {"log-log", "plain", "log"}
        Scale on which the interval is symmetric.
    level : float
        Confidence level.

    Returns
    -------
    low, high : numpy.ndarray, shape (k,)
        Within 0 to 1.

    Raises
    ------
    DataError
        If there is no such band.
    """
    far = z_quantile(level) * hazard_se
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if band == "plain":
            low, high = survival * (1 - far), survival * (1 + far)
        elif band == "log":
            low, high = survival * np.exp(-far), survival * np.exp(far)
        elif band == "log-log":
            wide = far / np.abs(np.log(survival))
            low, high = survival ** np.exp(wide), survival ** np.exp(-wide)
        else:
            raise DataError(f"band must be log-log, plain or log, but is {band!r}.")
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def none_of(at_risk: ArrayLike, level: float) -> _Floats:
    """Lower end of the share without the event where none of these had it (Wilson)."""
    size = np.asarray(at_risk, dtype=np.float64)
    return size / (size + z_quantile(level) ** 2)
