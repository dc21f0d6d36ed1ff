"""How many are still without the event after so much time, when not all were watched to its end.

The product-limit estimate (Kaplan & Meier 1958) from counts by duration: it needs one row
per distinct duration, however many people there are.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["Band", "SurvivalCurve", "product_limit"]

Band: TypeAlias = Literal["log-log", "plain", "log"]
_Floats: TypeAlias = NDArray[np.float64]

# In floating point a product that should be one half may miss it in the last digits; R
# takes the same distance for equal.
_SAME = math.sqrt(np.finfo(float).eps)


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalCurve:
    """Share without the event by duration: a step function, one entry per distinct duration.

    Attributes
    ----------
    time : numpy.ndarray, shape (k,)
        Distinct durations, ascending, in the unit given.
    at_risk, events, censored : numpy.ndarray, shape (k,)
        Under observation just before, having the event, and last seen at each duration.
    survival, se : numpy.ndarray, shape (k,)
        Share without the event from this duration on, and its standard error (Greenwood);
        the error is missing where the share is 0.
    low, high : numpy.ndarray, shape (k,)
        Ends of the pointwise interval.
    n : float
        The most that were under observation at once.
    method : str
        How the interval was made, in words.
    level : float
        Confidence level.
    """

    time: _Floats = field(repr=False)
    at_risk: _Floats = field(repr=False)
    events: _Floats = field(repr=False)
    censored: _Floats = field(repr=False)
    survival: _Floats = field(repr=False)
    se: _Floats = field(repr=False)
    low: _Floats = field(repr=False)
    high: _Floats = field(repr=False)
    n: float
    method: str
    level: float = 0.95
    _whole: tuple[float, ...] = field(repr=False)  # curve before the first duration

    def table(self) -> pd.DataFrame:
        """Return one row per distinct duration, the counts and the curve."""
        return pd.DataFrame(
            {
                "time": self.time,
                "at_risk": self.at_risk,
                "events": self.events,
                "censored": self.censored,
                **self._curve(),
            }
        )

    def at(self, times: ArrayLike) -> pd.DataFrame:
        """Share without the event after each of these times.

        Parameters
        ----------
        times : array_like, shape (m,)
            In the unit of the durations.

        Returns
        -------
        pandas.DataFrame
            One row per time: time, at_risk (just before), estimate, se, conf_low,
            conf_high. Missing beyond the last duration, unless all had the event by then.
        """
        asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
        row = np.searchsorted(self.time, asked, side="right")  # 0: before the first
        reach = np.searchsorted(self.time, asked, side="left")
        at_risk = np.r_[self.at_risk, 0.0][reach]
        found = pd.DataFrame({"time": asked, "at_risk": at_risk})
        first = dict(zip(("estimate", "se", "conf_low", "conf_high"), self._whole, strict=True))
        beyond = (asked > self.time[-1]) & (self.survival[-1] > 0)
        for name, values in self._curve().items():
            found[name] = np.where(beyond, np.nan, np.r_[first[name], values][row])
        return found

    def incidence(self, times: ArrayLike) -> pd.DataFrame:
        """Share that had the event by each of these times: 1 minus `at`, in the same columns."""
        found = self.at(times)
        low, high = 1 - found["conf_high"], 1 - found["conf_low"]
        return found.assign(estimate=1 - found["estimate"], conf_low=low, conf_high=high)

    def quantile(self, share: float = 0.5) -> Interval:
        """Time by which a share of all had the event; the median by default.

        Parameters
        ----------
        share : float
            Between 0 and 1.

        Returns
        -------
        Interval
            In the unit of the durations, infinite where it is not reached. Its ends are
            where the ends of the band cross the share (Brookmeyer & Crowley 1982,
            Biometrics 38, 29-41). Where the curve runs exactly at the share, the middle
            of that stretch.

        Raises
        ------
        DataError
            If the share is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise DataError(f"a quantile needs a share between 0 and 1, but has {share:g}.")
        time, low, high = (
            self._crossing(y, 1 - share) for y in (self.survival, self.low, self.high)
        )
        return Interval(
            estimate=time, low=low, high=high, n=self.n, level=self.level,
            method=f"where the curve and its band cross ({self.method})",
        )  # fmt: skip

    def _curve(self) -> dict[str, _Floats]:
        return {
            "estimate": self.survival,
            "se": self.se,
            "conf_low": self.low,
            "conf_high": self.high,
        }

    def _crossing(self, y: _Floats, height: float) -> float:
        """First time at which a falling step function is at or below a height."""
        known = (self.events > 0) & np.isfinite(y)
        time, steps = self.time[known], y[known]
        below = np.flatnonzero(steps <= height + _SAME)
        if not len(below):
            return math.inf
        at = int(below[0])
        if steps[at] < height - _SAME:
            return float(time[at])
        after = np.flatnonzero(steps < height - _SAME)
        end = time[after[0]] if len(after) else self.time[-1]
        return float((time[at] + end) / 2)


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
    time, begun, at_risk, d, c = _counts(durations, events, censored, entry)
    # Where a late entry has nobody before it, the curve stands still.
    kept = np.divide(at_risk - d, at_risk, out=np.ones_like(d), where=at_risk > 0)
    survival = np.cumprod(kept).astype(np.float64)
    left = at_risk - d
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(d > 0, d / (at_risk * left), 0.0)  # infinite where all had it
    hazard_se = np.sqrt(design_effect * np.cumsum(part))
    gone = survival <= 0
    se = np.where(gone, np.nan, survival * np.where(gone, 0.0, hazard_se))
    low, high = _band(survival, np.where(gone, np.nan, hazard_se), band, level)
    none_yet = np.cumsum(d) == 0
    floor = _none_of(at_risk / design_effect, level)
    method = f"product limit, {band} interval" + ", design effect" * (design_effect != 1)
    return SurvivalCurve(
        time=time, at_risk=at_risk, events=d, censored=c, survival=survival, se=se,
        low=np.where(none_yet, floor, low), high=np.where(none_yet, 1.0, high),
        n=float(at_risk.max()), level=level, method=method,
        _whole=(1.0, 0.0, float(_none_of(np.array([begun / design_effect]), level)[0]), 1.0),
    )  # fmt: skip


def _counts(
    durations: ArrayLike, events: ArrayLike, censored: ArrayLike | None, entry: ArrayLike | None
) -> tuple[_Floats, float, _Floats, _Floats, _Floats]:
    """Gather rows by duration, and find how many were under observation at each."""
    stop, had = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (durations, events))
    last = np.zeros_like(had) if censored is None else np.asarray(censored, dtype=np.float64)
    last = np.atleast_1d(last)
    start = None if entry is None else np.atleast_1d(np.asarray(entry, dtype=np.float64))
    _stand(stop, had, last, start)
    rows = had + last > 0
    time, place = np.unique(stop[rows], return_inverse=True)
    d, c = (np.bincount(place, x[rows], len(time)).astype(np.float64) for x in (had, last))
    people = d + c
    gone = np.cumsum(people) - people  # before this duration
    if start is None:
        total = float(people.sum())
        return time, total, total - gone, d, c
    order = np.argsort(start[rows], kind="stable")
    came = np.r_[0.0, np.cumsum((had + last)[rows][order])]
    earliest = start[rows][order]
    begun = float(came[np.searchsorted(earliest, earliest[0], side="right")])
    at_risk = came[np.searchsorted(earliest, time, side="left")] - gone
    return time, begun, at_risk, d, c


def _stand(stop: _Floats, had: _Floats, last: _Floats, start: _Floats | None) -> None:
    """Refuse what cannot be durations and counts."""
    if not len(stop) == len(had) == len(last) or (start is not None and len(start) != len(stop)):
        raise DataError("durations, events, censored and entry must have one number per row each.")
    for name, values in (("durations", stop), ("events", had), ("censored", last)):
        wrong = ~(np.isfinite(values) & (values >= 0))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise DataError(f"{name} must be 0 or more, but row {at} has {values[at]:g}.")
    if not (had + last).sum() > 0:
        raise DataError("a survival curve needs at least one person, but nobody was counted.")
    if start is not None and not (start < stop).all():
        at = int(np.flatnonzero(~(start < stop))[0])
        raise DataError(
            f"entry must come before the end of its row, but row {at} has {start[at]:g} "
            f"against {stop[at]:g}. Count from one unit earlier."
        )


def _band(
    survival: _Floats, hazard_se: _Floats, band: Band, level: float
) -> tuple[_Floats, _Floats]:
    """Ends of the interval from the standard error of log S."""
    far = z_quantile(level) * hazard_se
    with np.errstate(divide="ignore", invalid="ignore"):
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


def _none_of(at_risk: _Floats, level: float) -> _Floats:
    """Lower end of the share without the event where none of these had it (Wilson)."""
    z = z_quantile(level)
    return at_risk / (at_risk + z**2)
