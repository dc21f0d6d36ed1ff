"""What became of people for whom something was predicted, and how long they were watched.

Whoever was not watched until a time tells nothing of it, and those who were stand for them:
each counts for as many as the chance of being watched so long makes of one. That chance must
not depend on the risk.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.survival.counts import rows_of, sums_at

__all__ = ["Outcomes", "Watched", "horizons_of", "outcomes_of"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """Chance of still being watched after so much time, the curve of ends of observation.

    Attributes
    ----------
    time : numpy.ndarray, shape (k,)
        Distinct durations, ascending.
    share : numpy.ndarray, shape (k,)
        Chance of being watched beyond each.
    """

    time: _Floats = field(repr=False)
    share: _Floats = field(repr=False)

    def after(self, times: ArrayLike) -> _Floats:
        """Chance of being watched beyond each time."""
        return self._at(times, "right")

    def until(self, times: ArrayLike) -> _Floats:
        """Chance of being watched up to each time, so that an event then is seen."""
        return self._at(times, "left")

    def _at(self, times: ArrayLike, side: str) -> _Floats:
        row = np.searchsorted(
            self.time, np.asarray(times), side="left" if side == "left" else "right"
        )
        share: _Floats = np.r_[1.0, self.share][row]
        return share


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """Entries of people who ended alike: of one row, and all with the event or all without.

    Attributes
    ----------
    row : numpy.ndarray of int, shape (entries,)
        Place of each entry's row among those given.
    time, weight : numpy.ndarray, shape (entries,)
        Duration, and how many people.
    had : numpy.ndarray of bool, shape (entries,)
        Whether they had the event.
    watched : Watched
        How long people were watched.
    """

    row: NDArray[np.int64]
    time: _Floats
    weight: _Floats
    had: NDArray[np.bool_]
    watched: Watched

    @property
    def n(self) -> float:
        """People in all."""
        return float(self.weight.sum())

    def known(self, time: float) -> _Floats:
        """For how many people each one stands at a time; 0 where it is not known by then."""
        early = self.had & (self.time <= time)
        late = self.time > time
        chance = np.ones(len(self.time))
        chance[early] = self.watched.until(self.time[early])
        chance[late] = self.watched.after(time)
        if not (chance[early | late] > 0).all():
            raise DataError(f"nobody was watched beyond {time:g}. Ask for a shorter time.")
        return np.where(early | late, 1 / chance, 0.0)


def outcomes_of(
    durations: ArrayLike, events: ArrayLike, censored: ArrayLike | None = None
) -> Outcomes:
    """Read what became of people, from counts.

    Parameters
    ----------
    durations, events, censored : array_like, shape (rows,)
        As for `product_limit`.

    Returns
    -------
    Outcomes
        One entry for those of a row with the event, and one for those without.

    Raises
    ------
    DataError
        If a duration or a count cannot be one, or there is nobody.
    """
    rows = rows_of(durations, events, censored)
    if rows.events.shape[1] != 1:
        raise DataError("a prediction is of one event, but events has several columns.")
    time, place = np.unique(rows.stop, return_inverse=True)
    d, c = (sums_at(place, x, len(time)) for x in (rows.events[:, 0], rows.censored))
    at_risk = np.cumsum((d + c)[::-1])[::-1]
    # Who has the event at a duration was watched until then, so that events come first.
    left = at_risk - d
    share = np.cumprod(np.divide(left - c, left, out=np.ones_like(c), where=left > 0))
    row = np.flatnonzero(rows.kept)
    had = np.repeat([True, False], len(row))
    weight = np.r_[rows.events[:, 0], rows.censored]
    some = weight > 0
    return Outcomes(
        row=np.r_[row, row][some], time=np.r_[rows.stop, rows.stop][some], weight=weight[some],
        had=had[some], watched=Watched(time=time, share=share.astype(np.float64)),
    )  # fmt: skip


def horizons_of(times: ArrayLike, outcomes: Outcomes) -> _Floats:
    """Read the times to which predictions are held, and refuse those that nobody reached.

    Parameters
    ----------
    times : array_like, shape (m,)
        Ascending, above 0.
    outcomes : Outcomes
        Some of whom were watched beyond the last.

    Returns
    -------
    numpy.ndarray, shape (m,)
        As numbers.

    Raises
    ------
    DataError
        If they do not ascend from above 0, or nobody was watched beyond the last.
    """
    asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if not (len(asked) and (np.diff(np.r_[0.0, asked]) > 0).all() and np.isfinite(asked).all()):
        raise DataError(f"times must ascend from above 0, but are {asked.tolist()}.")
    last = float(outcomes.time.max())
    if not asked[-1] < last:
        raise DataError(
            f"times must be below {last:g}, when the last was seen, but reach {asked[-1]:g}. "
            "Ask for shorter times."
        )
    return asked
