"""Curves of the share that had each of several events first, and what can be read off them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError, did_you_mean
from cxlab.stats.intervals import Interval
from cxlab.stats.survival.scales import logit_interval

__all__ = ["Incidence", "spread_of"]

_Floats = NDArray[np.float64]
_COLUMNS = ("estimate", "se", "conf_low", "conf_high")


@dataclass(frozen=True, kw_only=True, eq=False)
class Incidence:
    """Share that had each event first, by duration: step functions that rise.

    Attributes
    ----------
    causes : list of str
        The events, in the order given.
    time, at_risk, censored : numpy.ndarray, shape (k,)
        Distinct durations, and those under observation just before and last seen then.
    events, incidence, se, low, high : numpy.ndarray, shape (k, causes)
        Events of each cause, the share that had it by then, its standard error, and the
        ends of its pointwise interval.
    survival : numpy.ndarray, shape (k,)
        Share without any event; with the incidences it adds up to 1.
    n : float
        The most that were under observation at once.
    method : str
        How the interval was made, in words.
    level : float
        Confidence level.
    """

    causes: list[str]
    time: _Floats = field(repr=False)
    at_risk: _Floats = field(repr=False)
    censored: _Floats = field(repr=False)
    events: _Floats = field(repr=False)
    incidence: _Floats = field(repr=False)
    se: _Floats = field(repr=False)
    low: _Floats = field(repr=False)
    high: _Floats = field(repr=False)
    survival: _Floats = field(repr=False)
    n: float
    method: str
    level: float = 0.95
    _spread: _Floats = field(repr=False)  # shape (causes, 3, k), see spread_of
    _none: float = field(repr=False)  # upper end before the first duration

    def table(self) -> pd.DataFrame:
        """One row per cause and distinct duration, the counts and the incidence."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "cause": cause,
                        "time": self.time,
                        "at_risk": self.at_risk,
                        "events": self.events[:, at],
                        **self._curve(at),
                    }
                )
                for at, cause in enumerate(self.causes)
            ],
            ignore_index=True,
        )

    def at(self, cause: str, times: ArrayLike) -> pd.DataFrame:
        """Share that had this event first by each of these times.

        Parameters
        ----------
        cause : str
            One of the events.
        times : array_like, shape (m,)
            In the unit of the durations.

        Returns
        -------
        pandas.DataFrame
            One row per time: time, estimate, se, conf_low, conf_high. Missing beyond the
            last duration, unless all had some event by then.
        """
        asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
        row = np.searchsorted(self.time, asked, side="right")  # 0: before the first
        beyond = (asked > self.time[-1]) & (self.survival[-1] > 0)
        found = pd.DataFrame({"time": asked})
        first = dict(zip(_COLUMNS, (0.0, 0.0, 0.0, self._none), strict=True))
        for name, values in self._curve(self._place(cause)).items():
            found[name] = np.where(beyond, np.nan, np.r_[first[name], values][row])
        return found

    def share_at(self, cause: str, time: float) -> Interval:
        """Share that had this event first by this time, with its interval.

        Parameters
        ----------
        cause : str
            One of the events.
        time : float
            In the unit of the durations, within what was observed.

        Returns
        -------
        Interval
            A share, 0 to 1.

        Raises
        ------
        DataError
            If there is no such cause, or nobody was observed for so long.
        """
        self._reaches(time)
        row = self.at(cause, time).iloc[0]
        estimate, se, low, high = (float(row[name]) for name in _COLUMNS)
        return Interval(
            estimate=estimate, low=low, high=high, n=self.n, method=self.method,
            level=self.level, se=se,
        )  # fmt: skip

    def mean_lost(self, cause: str, horizon: float) -> Interval:
        """Mean time lost to this event within a horizon: the area under its incidence.

        Parameters
        ----------
        cause : str
            One of the events.
        horizon : float
            In the unit of the durations, within what was observed.

        Returns
        -------
        Interval
            In the unit of the durations, 0 to the horizon. With the times lost to the other
            causes and the mean time without any, it adds up to the horizon. The interval
            is symmetric on the scale of logits of its share of the horizon; without any
            event yet it has no error, and reaches up to what Wilson's limit allows.

        Raises
        ------
        DataError
            If there is no such cause, or the horizon is not above 0 or not reached.

        References
        ----------
        Andersen (2013), Statistics in Medicine 32, 5278-5285.
        """
        at = self._place(cause)
        if not horizon > 0:
            raise DataError(f"a horizon must be above 0, but is {horizon:g}.")
        self._reaches(horizon)
        within = self.time <= horizon
        time, had = self.time[within], self.incidence[within, at]
        area = np.diff(np.r_[time, horizon]) * had
        after = np.cumsum(area[::-1])[::-1]  # from each duration to the horizon
        own = self._before()[within] * (horizon - time)
        lost = after - (horizon - time) * had
        variance = spread_of(self._spread[at][:, within], own, lost * self._kept()[within]).sum()
        mean, se = float(after[:1].sum()), float(np.sqrt(max(0.0, variance)))
        method = "area under the Aalen-Johansen incidence"
        if mean > 0:
            return logit_interval(mean, se, n=self.n, level=self.level, method=method, most=horizon)
        high = horizon * self.share_at(cause, horizon).high
        return Interval(estimate=0.0, low=0.0, high=high, n=self.n, level=self.level, method=method)

    def _curve(self, at: int) -> dict[str, _Floats]:
        each = (self.incidence, self.se, self.low, self.high)
        return {name: values[:, at] for name, values in zip(_COLUMNS, each, strict=True)}

    def _before(self) -> _Floats:
        before: _Floats = np.r_[1.0, self.survival[:-1]]
        return before

    def _kept(self) -> _Floats:
        """How much a loss just now took from all that comes after, by its own share."""
        now = self.survival
        kept: _Floats = np.divide(self._before(), now, out=np.zeros_like(now), where=now > 0)
        return kept

    def _place(self, cause: str) -> int:
        if cause not in self.causes:
            raise DataError(
                f"there is no cause {cause!r}, only {self.causes}."
                + did_you_mean(str(cause), map(str, self.causes))
            )
        return self.causes.index(cause)

    def _reaches(self, time: float) -> None:
        if not time >= 0:
            raise DataError(f"a time must be 0 or more, but is {time:g}.")
        if time > self.time[-1] and self.survival[-1] > 0:
            raise DataError(
                f"the incidence is known until {self.time[-1]:g}, but {time:g} was asked for. "
                "Ask for a shorter time, or observe for longer."
            )


def spread_of(spread: _Floats, own: _Floats, loss: _Floats) -> _Floats:
    """Variance from each duration, where one cause's hazard counts for more than the others'.

    Parameters
    ----------
    spread : numpy.ndarray, shape (3, k)
        Variance of the hazard of one cause, its covariance with that of all others
        together, and the variance of theirs.
    own, loss : numpy.ndarray, shape (k,)
        A unit of the one hazard counts own - loss, one of the others' counts -loss.

    Returns
    -------
    numpy.ndarray, shape (k,)
        To be added up.
    """
    variance: _Floats = (
        own**2 * spread[0]
        - 2 * own * loss * (spread[0] + spread[1])
        + loss**2 * (spread[0] + 2 * spread[1] + spread[2])
    )
    return variance
