"""A curve of the share that is still without the event, and what can be read off it."""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval

__all__ = ["SurvivalCurve"]

_Floats = NDArray[np.float64]

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
    design_effect : float
        How many times the variance is that of independent observations.
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
    design_effect: float = 1.0
    _whole: tuple[float, ...] = field(repr=False)  # curve before the first duration
    # Times at which people enter late, ascending, and how many have in all.
    _late: tuple[_Floats, _Floats] | None = field(repr=False, default=None)

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
        return pd.DataFrame(self._read(np.atleast_1d(np.asarray(times, dtype=np.float64))))

    def share_at(self, time: float) -> Interval:
        """Share without the event after this time, with its interval.

        Parameters
        ----------
        time : float
            In the unit of the durations, within what was observed.

        Returns
        -------
        Interval
            A share, 0 to 1.

        Raises
        ------
        DataError
            If nobody was observed for so long, while some were still without the event.
        """
        self.reaches(time)
        found = self._read(np.array([time], dtype=np.float64))
        estimate, se, low, high = (float(found[name][0]) for name in self._curve())
        return Interval(
            estimate=estimate, low=low, high=high, n=self.n, method=self.method,
            level=self.level, se=se,
        )  # fmt: skip

    def reaches(self, time: float) -> None:
        """Refuse a time that the curve does not reach, or that is none."""
        if not time >= 0:
            raise DataError(f"a time must be 0 or more, but is {time:g}.")
        if time > self.time[-1] and self.survival[-1] > 0:
            raise DataError(
                f"the curve is known until {self.time[-1]:g}, but {time:g} was asked for. "
                "Ask for a shorter time, or observe for longer."
            )

    def risk_table(self, times: ArrayLike) -> pd.DataFrame:
        """Count who is under observation at each of these times, and what came of the others.

        Parameters
        ----------
        times : array_like, shape (m,)
            In the unit of the durations.

        Returns
        -------
        pandas.DataFrame
            One row per time: time, at_risk (just before), and how many had had the event
            and had been last seen until then, that time included.
        """
        asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
        upto = np.searchsorted(self.time, asked, side="right")
        return pd.DataFrame(
            {
                "time": asked,
                "at_risk": self._read(asked)["at_risk"],
                "events": np.r_[0.0, np.cumsum(self.events)][upto],
                "censored": np.r_[0.0, np.cumsum(self.censored)][upto],
            }
        )

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

    def _read(self, asked: _Floats) -> dict[str, _Floats]:
        """Read the curve and the number at risk at each time."""
        row = np.searchsorted(self.time, asked, side="right")  # 0: before the first
        reach = np.searchsorted(self.time, asked, side="left")
        at_risk = np.r_[self.at_risk, 0.0][reach]
        if self._late is not None:  # some of them enter only after the time asked for
            entry, entered = self._late[0], np.r_[0.0, self._late[1]]
            until = np.r_[self.time, self.time[-1]][reach]
            later, now = (np.searchsorted(entry, x, side="left") for x in (until, asked))
            at_risk = np.where(asked < until, at_risk - (entered[later] - entered[now]), at_risk)
        beyond = (asked > self.time[-1]) & (self.survival[-1] > 0)
        found = {"time": asked, "at_risk": at_risk}
        for (name, values), first in zip(self._curve().items(), self._whole, strict=True):
            found[name] = np.where(beyond, np.nan, np.r_[first, values][row])
        return found

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
