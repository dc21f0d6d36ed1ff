"""Days and seconds of the made-up company: moments are UTC, days are Jakarta's."""

import numpy as np
from numpy.typing import NDArray

from cxlab.data.sample.company import AHEAD_HOURS, EXPORTED_AT

__all__ = [
    "DAY",
    "EXPORTED",
    "MONTH",
    "NOT_YET",
    "WEEK",
    "Moments",
    "as_seen",
    "day_of",
    "later",
    "moment_of",
    "running",
    "seconds_between",
]

Moments = NDArray[np.datetime64]

DAY = 86_400
WEEK = 7 * DAY
MONTH = 30.4375 * DAY  # a twelfth of 365.25 days: the month of every rate and hazard
EXPORTED = np.datetime64(EXPORTED_AT, "s")
NOT_YET = np.datetime64("NaT", "s")
_AHEAD = np.timedelta64(AHEAD_HOURS, "h")


def later(moment: Moments, seconds: NDArray[np.floating] | NDArray[np.integer]) -> Moments:
    """Add seconds to moments."""
    return np.asarray(moment + np.asarray(seconds).astype("timedelta64[s]"))


def seconds_between(
    start: Moments | np.datetime64, end: Moments | np.datetime64
) -> NDArray[np.float64]:
    """Count the seconds from one moment to the other; NaN where one is missing."""
    passed = (end - start).astype("timedelta64[s]")
    return np.where(np.isnat(passed), np.nan, passed.astype(np.float64))


def day_of(moment: Moments) -> Moments:
    """Return the local day of moments, as its date (datetime64[D])."""
    return (moment + _AHEAD).astype("datetime64[D]")


def moment_of(day: Moments) -> Moments:
    """Return the moment at which a local day begins, UTC."""
    return np.asarray(day.astype("datetime64[s]") - _AHEAD)


def as_seen(moment: Moments) -> Moments:
    """Hide what had not happened yet when the systems handed over their data."""
    return np.where(moment < EXPORTED, moment, NOT_YET)


def running(owner: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number the rows of each owner from 0; equal owners stand together.

    >>> running(np.array([7, 7, 9, 9, 9])).tolist()
    [0, 1, 0, 1, 2]
    """
    place = np.arange(len(owner))
    new = np.ones(len(owner), dtype=bool)
    new[1:] = owner[1:] != owner[:-1]
    return place - np.maximum.accumulate(np.where(new, place, 0))
