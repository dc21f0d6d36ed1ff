"""Counts by duration: who had the event, who was last seen, who was under observation.

All estimators of this folder start from these; however many people there are, there is one
row per distinct duration.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError

__all__ = ["Durations", "Rows", "as_floats", "groups_of", "layers_of", "rows_of", "sums_at"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Rows of counts that can stand; those that count nobody are gone.

    Attributes
    ----------
    stop : numpy.ndarray, shape (rows,)
        Durations.
    events : numpy.ndarray, shape (rows, causes)
        How many had each event.
    censored : numpy.ndarray, shape (rows,)
        How many were last seen without any.
    entry : numpy.ndarray, shape (rows,), or None
        Duration from which they were under observation.
    kept : numpy.ndarray, shape (rows given,)
        Which of the rows given count somebody.
    """

    stop: _Floats
    events: _Floats
    censored: _Floats
    entry: _Floats | None
    kept: NDArray[np.bool_]

    @property
    def people(self) -> _Floats:
        """How many each row counts."""
        people: _Floats = self.events.sum(axis=1) + self.censored
        return people

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return only the rows chosen."""
        return type(self)(
            stop=self.stop[chosen], events=self.events[chosen], censored=self.censored[chosen],
            entry=None if self.entry is None else self.entry[chosen], kept=self.kept,
        )  # fmt: skip

    def by_duration(self, time: _Floats | None = None) -> "Durations":
        """Count by distinct duration, or by those given, which must hold all of the rows'."""
        if time is None:
            time = np.unique(self.stop)
        place, k = np.searchsorted(time, self.stop), len(time)
        events = np.column_stack([sums_at(place, x, k) for x in self.events.T])
        censored = sums_at(place, self.censored, k)
        people = events.sum(axis=1) + censored
        # From the end, so that the last at risk are exactly those who leave last.
        at_risk = np.cumsum(people[::-1])[::-1]
        begun, late = float(at_risk[0]), None
        if self.entry is not None:
            start, place = np.unique(self.entry, return_inverse=True)
            entering = sums_at(place, self.people, len(start))
            ahead = np.r_[np.cumsum(entering[::-1])[::-1], 0.0]
            # Those who leave at this duration or later, less those who enter at it or later.
            at_risk = at_risk - ahead[np.searchsorted(start, time, side="left")]
            begun, late = float(entering[:1].sum()), (start, np.cumsum(entering))
        return Durations(
            time=time, at_risk=at_risk, events=events, censored=censored, begun=begun, late=late
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Durations:
    """Counts by distinct duration.

    Attributes
    ----------
    time : numpy.ndarray, shape (k,)
        Ascending.
    at_risk : numpy.ndarray, shape (k,)
        Under observation just before.
    events : numpy.ndarray, shape (k, causes)
        Having each event then.
    censored : numpy.ndarray, shape (k,)
        Last seen then.
    begun : float
        Under observation from the earliest entry on.
    late : tuple of two numpy.ndarray, or None
        Distinct entries, ascending, and how many had entered by then; None where all are
        there from the start.
    """

    time: _Floats
    at_risk: _Floats
    events: _Floats
    censored: _Floats
    begun: float
    late: tuple[_Floats, _Floats] | None = None


def rows_of(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> Rows:
    """Read rows of counts, and refuse what cannot be durations and counts.

    Parameters
    ----------
    durations : array_like, shape (rows,)
        0 or more, in any order; several rows may share one.
    events : array_like, shape (rows,) or (rows, causes)
        How many had the event, or each of several that exclude one another.
    censored : array_like, shape (rows,), optional
        How many were last seen without any. Default: none.
    entry : array_like, shape (rows,), optional
        Duration from which they were under observation. Default: from the start.

    Returns
    -------
    Rows
        In the order given, less those that count nobody.

    Raises
    ------
    DataError
        If a duration or a count cannot be one, or there is nobody.
    """
    stop, had = as_floats(durations), as_floats(events)
    had = had[:, np.newaxis] if had.ndim == 1 else had
    last = np.zeros(len(had)) if censored is None else as_floats(censored)
    start = None if entry is None else as_floats(entry)
    if not len(stop) == len(had) == len(last) or (start is not None and len(start) != len(stop)):
        raise DataError("durations, events, censored and entry must have one number per row each.")
    for name, values in (("durations", stop), ("events", had), ("censored", last)):
        wrong = ~(np.isfinite(values) & (values >= 0))
        if wrong.any():
            at, value = int(np.argwhere(wrong)[0][0]), values[wrong][0]
            raise DataError(f"{name} must be 0 or more, but row {at} has {value:g}.")
    kept = had.sum(axis=1) + last > 0
    if not kept.any():
        raise DataError("a survival curve needs at least one person, but nobody was counted.")
    if start is not None and not (start < stop).all():
        at = int(np.flatnonzero(~(start < stop))[0])
        raise DataError(
            f"entry must come before the end of its row, but row {at} has {start[at]:g} "
            f"against {stop[at]:g}. Count from one unit earlier."
        )
    return Rows(
        stop=stop[kept], events=had[kept], censored=last[kept],
        entry=None if start is None else start[kept], kept=kept,
    )  # fmt: skip


def groups_of(
    labels: ArrayLike, rows: Rows, *, name: str = "group"
) -> tuple[list[object], NDArray[np.int64]]:
    """Return the distinct groups, sorted, and the place of each row's among them.

    Parameters
    ----------
    labels : array_like, shape (rows given,)
        Group of each row.
    rows : Rows
        What was counted.
    name : str
        What to call them in a message.

    Returns
    -------
    groups : list
        Those that count somebody.
    place : numpy.ndarray, shape (rows,)
        For the rows that count somebody.

    Raises
    ------
    DataError
        If there is not one group per row, or one is missing.
    """
    given = np.atleast_1d(np.asarray(labels, dtype=object))
    if len(given) != len(rows.kept):
        raise DataError(
            f"{name} must have one entry per row, but has {len(given)} for {len(rows.kept)} rows."
        )
    missing = [x is None or x != x for x in given]  # noqa: PLR0124  (nan)
    if any(missing):
        raise DataError(
            f"{name} must be known for every row, but row {missing.index(True)} has none. "
            "Leave such rows out, or name their group."
        )
    kept = given[rows.kept].tolist()
    try:
        found = sorted(set(kept))
    except TypeError:  # of several kinds, such as numbers and words
        found = sorted(set(kept), key=str)
    places = {label: at for at, label in enumerate(found)}
    return found, np.array([places[label] for label in kept], dtype=np.int64)


def layers_of(strata: ArrayLike | None, rows: Rows) -> NDArray[np.int64]:
    """Return the stratum of each row that counts somebody; one for all where none are given."""
    if strata is None:
        return np.zeros(len(rows.stop), dtype=np.int64)
    return groups_of(strata, rows, name="strata")[1]


def sums_at(place: NDArray[np.integer[Any]], values: _Floats, places: int) -> _Floats:
    """Return the sum of the values at each place, 0 where there is none."""
    return np.bincount(place, values, places).astype(np.float64)


def as_floats(values: ArrayLike) -> _Floats:
    """Return numbers as an array of at least one dimension."""
    return np.atleast_1d(np.asarray(values, dtype=np.float64))
