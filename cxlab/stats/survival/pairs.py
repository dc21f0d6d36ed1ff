"""How many of those ahead of each lie below them: counted in n log n steps, not n squared."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["ahead"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def ahead(position: _Ints, rank: _Ints, weight: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Sum the weights of those at lower positions: of lower rank, of equal rank, of any.

    Parameters
    ----------
    position, rank : numpy.ndarray of int, shape (n,)
        Two orders; equal numbers tie. Ranks are 0 or more.
    weight : numpy.ndarray, shape (n,)
        What each counts for.

    Returns
    -------
    lower, equal, total : numpy.ndarray, shape (n,)
        For each, the weight of all at a strictly lower position.

    Notes
    -----
    Ranks are compared bit by bit from the highest on, as in a radix sort: of two in one
    group so far, the one whose bit is 0 is the lower. Each bit costs a few passes.

    Examples
    --------
    >>> lower, equal, total = ahead(np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.ones(4))
    >>> lower.tolist(), equal.tolist(), total.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 3.0])
    """
    count = len(position)
    at = np.argsort(position, kind="stable")  # within a group always by position
    places = np.arange(count)
    lower, total = np.zeros(count), np.zeros(count)
    first, run = _starts(np.zeros(count, dtype=np.int64), position[at], places)
    total[at] = _since(weight[at], run, first)
    for bit in range(int(rank.max(initial=0)).bit_length() - 1, -1, -1):
        first, run = _starts(rank[at] >> (bit + 1), position[at], places)
        high = (rank[at] >> bit) & 1 == 1
        below = _since(np.where(high, 0.0, weight[at]), run, first)
        lower[at[high]] += below[high]
        at = at[_parted(high, first)]
    first, run = _starts(rank[at], position[at], places)
    equal = np.zeros(count)
    equal[at] = _since(weight[at], run, first)
    return lower, equal, total


def _starts(group: _Ints, position: _Ints, places: _Ints) -> tuple[_Ints, _Ints]:
    """Where the group of each begins, and where those of its position begin within it."""
    new = np.r_[True, group[1:] != group[:-1]] if len(group) else np.zeros(0, dtype=bool)
    turn = new.copy()
    turn[1:] |= position[1:] != position[:-1]
    first, run = (np.maximum.accumulate(np.where(x, places, 0)) for x in (new, turn))
    return first, run


def _since(weight: _Floats, run: _Ints, first: _Ints) -> _Floats:
    """Weight from the start of the group up to those of the same position."""
    upto = np.r_[0.0, np.cumsum(weight)]
    since: _Floats = upto[run] - upto[first]
    return since


def _parted(high: NDArray[np.bool_], first: _Ints) -> _Ints:
    """Order that puts the low ones of each group before the high ones, else as they were."""
    count = len(high)
    ahead_low = np.r_[0, np.cumsum(~high)]
    starts = np.flatnonzero(first == np.arange(count))
    lows = np.diff(np.r_[ahead_low[starts], ahead_low[-1]])  # of each group
    group = np.cumsum(first == np.arange(count)) - 1
    low_place = first + ahead_low[:-1] - ahead_low[first]
    high_place = np.arange(count) + lows[group] - (ahead_low[:-1] - ahead_low[first])
    order = np.empty(count, dtype=np.int64)
    order[np.where(high, high_place, low_place)] = np.arange(count)
    return order
