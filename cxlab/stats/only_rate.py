"""The only rate at which flows are worth nothing, or a plain refusal.

A value may be 0 at several rates, and a search gives the one it meets first. Here a rate is given
only where there can be no other.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cxlab.errors import DataError

__all__ = ["only_rate", "running_sums"]

Floats: TypeAlias = NDArray[np.float64]

_ROUNDING = 1e-12  # share of all flows below which a sum of them is nothing
_STEPS = 2000  # between the bounds of all rates, to look for several
_FARTHEST = 700.0  # of a logarithm that is still a number


def only_rate(flows: Floats, time: Floats) -> float:
    """Find the rate at which flows are worth nothing, if it is the only one.

    Parameters
    ----------
    flows : numpy.ndarray, shape (flows,)
        Finite amounts.
    time : numpy.ndarray, shape (flows,)
        When each is, ascending strictly.

    Returns
    -------
    float
        Per unit of time, above -1.

    Raises
    ------
    DataError
        If the flows never change sign, or no rate makes them worth nothing, or several may.

    Notes
    -----
    With S_k the sum of the flows up to k, discounted at the rate exp(x) - 1, their value at
    exp(x + y) - 1 is the sum over k of S_k (exp(-t_k y) - exp(-t_k+1 y)). Where all S_k
    have one sign, no root lies above x; where all sums from the last flow backwards have, none
    lies below. At a root the two are one condition: the balance never changes sign.

    Examples
    --------
    >>> round(only_rate(np.array([-100.0, 121.0]), np.array([0.0, 2.0])), 9)
    0.1
    """
    from scipy.optimize import brentq

    amount, time = flows[flows != 0], time[flows != 0]
    turns = int((np.diff(np.sign(amount)) != 0).sum())
    if not turns:
        raise DataError(
            "a rate needs flows of both signs at different times, but they never change sign. "
            "Write outlays with a minus, what comes in without."
        )
    high = _bound(amount, time)
    low = -_bound(amount[::-1], -time[::-1])
    grid = np.linspace(low, high, _STEPS)
    above = np.array([_at(amount, time, x).sum() >= 0 for x in grid])
    found = [
        float(brentq(lambda x: _at(amount, time, x).sum(), grid[i], grid[i + 1], xtol=1e-14))
        for i in np.flatnonzero(above[1:] != above[:-1])
    ]
    if len(found) == 1 and _one_sign(running_sums(_at(amount, time, found[0]))[:-1]):
        return math.expm1(found[0])
    rates = " and ".join(f"{math.expm1(x):.4%}" for x in found) or "none"
    raise DataError(
        f"the rate must be the only one that makes the flows worth 0, but they change sign {turns} "
        f"times, so that there may be none or several: found {rates}. Compare present values at a "
        "rate of your own instead."
    )


def running_sums(each: Floats) -> Floats:
    """Sum up to each flow; what is left by rounding is 0."""
    found = np.cumsum(each)
    return np.where(np.abs(found) <= _ROUNDING * np.abs(each).sum(), 0.0, found)


def _at(amount: Floats, time: Floats, x: float) -> Floats:
    """Flows discounted at the rate exp(x) - 1, in a unit in which none overflows."""
    power = -time * x
    return np.asarray(amount * np.exp(power - power.max()), dtype=np.float64)


def _one_sign(sums: Floats) -> bool:
    return bool((sums >= 0).all() or (sums <= 0).all())


def _bound(amount: Floats, time: Floats) -> float:
    """Logarithm of 1 + a rate above which no rate makes the flows worth 0."""
    bound = 1 / float(time[-1] - time[0])
    while not _one_sign(_at(amount, time, bound).cumsum()):
        bound *= 2
        if bound > _FARTHEST:
            raise DataError(
                "the rate must be a number, but it would have more than 300 digits: flows that "
                "are too close in time, or too unlike in size. Give flows of longer periods."
            )
    return bound
