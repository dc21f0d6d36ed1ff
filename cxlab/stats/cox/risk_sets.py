"""Who is at risk when: counted rows laid out by pattern and by time of an event.

A row is at risk at the event times in (entry, stop] of its stratum. How many of a pattern are
at risk is a running count over time, so each time needs only what changes there.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cxlab.errors import DataError
from cxlab.stats.cox.ties import Floats

__all__ = ["Ints", "RiskSets", "Rows", "risk_sets", "whole"]

Ints = NDArray[np.int64]

# Below this share of what was taken away, a risk set is summed anew rather than by difference.
_CANCELLED = 1e-8


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Counted rows, checked: one entry per row.

    Attributes
    ----------
    x : numpy.ndarray, shape (rows, k)
        Covariates.
    entry, stop : numpy.ndarray, shape (rows,)
        Under observation in (entry, stop]; entry is minus infinity where it is the start.
    event : numpy.ndarray of bool, shape (rows,)
        Whether the row ends with the event.
    stratum : numpy.ndarray of int, shape (rows,)
        Position of the row's stratum.
    frequency : numpy.ndarray, shape (rows,)
        How many such rows there are.
    """

    x: Floats
    entry: Floats
    stop: Floats
    event: NDArray[np.bool_]
    stratum: Ints
    frequency: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskSets:
    """Patterns, event times ("slots", by stratum and time), and counts by both.

    Attributes
    ----------
    x : numpy.ndarray, shape (patterns, k)
        Covariates of each pattern, centred and scaled; 0 where it is never at risk at an event,
        so that it can neither say anything nor overflow.
    stratum, time : numpy.ndarray, shape (slots,)
        What each slot is.
    events : numpy.ndarray, shape (slots,)
        Events at each slot.
    begin : numpy.ndarray, shape (strata + 1,)
        First slot of each stratum.
    pattern, first, last : numpy.ndarray, shape (rows,)
        Pattern of each row, and the slots first <= slot < last at which it is at risk.
    frequency, entry, stop : numpy.ndarray, shape (rows,)
        How many such rows there are, and from when until when.
    had : numpy.ndarray of bool, shape (rows,)
        Whether the row's event is at slot last - 1.
    """

    x: Floats
    stratum: Ints
    time: Floats
    events: Floats
    begin: Ints
    pattern: Ints
    first: Ints
    last: Ints
    frequency: Floats
    entry: Floats
    stop: Floats
    had: NDArray[np.bool_]
    _change: csr_array  # (slots, patterns): at risk here, less at risk at the slot after
    _had: csr_array  # (slots, patterns): events
    _late: bool

    def at_risk(self, values: Floats) -> Floats:
        """Sum values of patterns over those at risk at each slot: (slots, columns)."""
        found = self._backward(self._change @ values)
        return self._summed_anew(found, values) if self._late else found

    def with_event(self, values: Floats) -> Floats:
        """Sum values of patterns over those with the event at each slot: (slots, columns)."""
        summed: Floats = self._had @ values
        return summed

    def while_at_risk(self, values: Floats) -> Floats:
        """Sum values of slots over the people and times at risk of each pattern."""
        summed: Floats = self._change.T @ self.forward(values)
        return summed

    def at_event(self, values: Floats) -> Floats:
        """Sum values of slots over the events of each pattern."""
        summed: Floats = self._had.T @ values
        return summed

    def between(self, values: Floats) -> Floats:
        """Sum values of slots over those at which each row is at risk: (rows, columns)."""
        until = self.forward(values)
        inside = self.first < self.last
        found = np.zeros((len(self.first), values.shape[1]))
        first, last = self.first[inside], self.last[inside]
        found[inside] = until[last - 1] - (until - values)[first]
        return found

    def forward(self, values: Floats) -> Floats:
        """Running sum over the slots of each stratum, from its first."""
        return np.concatenate([np.cumsum(values[s], axis=0) for s in self._strata()])

    def _backward(self, values: Floats) -> Floats:
        parts = [np.cumsum(values[s][::-1], axis=0)[::-1] for s in self._strata()]
        return np.concatenate(parts)

    def _strata(self) -> list[slice]:
        return [slice(a, b) for a, b in zip(self.begin[:-1], self.begin[1:], strict=True)]

    def _summed_anew(self, found: Floats, values: Floats) -> Floats:
        """Mend sums whose digits the late entries took away; the first column is positive."""
        taken = self._backward(abs(self._change) @ values[:, :1])[:, 0]
        for slot in np.flatnonzero(~(found[:, 0] > _CANCELLED * taken)):
            there = (self.first <= slot) & (slot < self.last)
            found[slot] = self.frequency[there] @ values[self.pattern[there]]
        return found


def risk_sets(rows: Rows) -> tuple[RiskSets, Floats, Floats]:
    """Lay rows out by pattern and event time.

    Parameters
    ----------
    rows : Rows
        At least one with an event.

    Returns
    -------
    RiskSets
        Rows that are never at risk at an event are kept, with first = last.
    numpy.ndarray, shape (k,)
        Mean of each covariate, which is taken off.
    numpy.ndarray, shape (k,)
        Its standard deviation, by which it is divided; 1 where it does not vary.
    """
    pattern, patterns = _patterns(rows.x)
    weight = np.bincount(pattern, rows.frequency, len(patterns))
    mean = weight @ patterns / weight.sum()
    spread = np.sqrt(weight @ (patterns - mean) ** 2 / weight.sum())
    scale = np.where(spread > 1e-12 * np.abs(patterns).max(axis=0), spread, 1.0)

    times = np.unique(rows.stop[rows.event])
    width = len(times) + 1
    ends = rows.stratum * width + np.searchsorted(times, rows.stop, side="right")
    key = np.unique(ends[rows.event])  # one per slot
    strata = int(rows.stratum.max()) + 1
    begin = np.searchsorted(key, np.arange(strata + 1) * width, side="right")
    last = np.searchsorted(key, ends, side="right")
    late = bool(np.isfinite(rows.entry).any())
    if late:
        entered = rows.stratum * width + np.searchsorted(times, rows.entry, side="right")
        first = np.minimum(np.searchsorted(key, entered, side="right"), last)
    else:
        first = begin[rows.stratum]
    shape = (len(key), len(patterns))
    inside, before = first < last, (first < last) & (first > begin[rows.stratum])
    f = rows.frequency
    had = _counted(f[rows.event], last[rows.event] - 1, pattern[rows.event], shape)
    change = _counted(f[inside], last[inside] - 1, pattern[inside], shape)
    if before.any():
        change = change - _counted(f[before], first[before] - 1, pattern[before], shape)
        change.eliminate_zeros()  # a history cut in two is one history again
    known = np.bincount(pattern[inside], minlength=len(patterns)) > 0
    x = np.where(known[:, None], (patterns - mean) / scale, 0.0)
    risk = RiskSets(
        x=x, stratum=(key - 1) // width, time=times[(key - 1) % width],
        events=np.asarray(had @ np.ones(len(patterns)), dtype=np.float64), begin=begin,
        pattern=pattern, first=first, last=last, frequency=f, had=rows.event, _change=change,
        entry=rows.entry, stop=rows.stop, _had=had, _late=late,
    )  # fmt: skip
    return risk, mean, scale


def whole(risk: RiskSets) -> None:
    """Refuse fractions of people where people leave one after the other."""
    off = np.abs(risk.events - np.rint(risk.events)) > 1e-9 * risk.events
    if off.any():
        at = int(np.flatnonzero(off)[0])
        raise DataError(
            f"under Efron the events of one time must be a whole number, but at time "
            f"{risk.time[at]:g} there are {risk.events[at]:g}. Give counts, or ties='breslow'."
        )


def _counted(f: Floats, slot: Ints, pattern: Ints, shape: tuple[int, int]) -> csr_array:
    return csr_array((f, (slot, pattern)), shape=shape)


def _patterns(x: Floats) -> tuple[Ints, Floats]:
    """Give rows with equal covariates one number: by a fingerprint, which is then checked."""
    weights = 1 + np.random.default_rng(0).random((x.shape[1],))
    fingerprint = np.zeros(len(x))
    for j, by in enumerate(weights):
        fingerprint += x[:, j] * by  # elementwise, so that equal rows round equally
    pattern, distinct = pd.factorize(fingerprint)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[pattern[::-1]] = np.arange(len(x) - 1, -1, -1)
    if all((column[first][pattern] == column).all() for column in x.T):
        return pattern.astype(np.int64), x[first]
    patterns, inverse = np.unique(x, axis=0, return_inverse=True)
    return inverse.reshape(-1), patterns
