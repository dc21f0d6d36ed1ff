"""What money at different times is worth together: present value, rate of return, payback.

Flows are given, not estimated, so that these numbers have no interval of their own; flows drawn
at random give one answer per draw. Money that comes in is above 0, an outlay below.
"""

import math
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError, ParameterError
from cxlab.stats.only_rate import only_rate, running_sums

__all__ = [
    "FirstFlow",
    "dated_present_value",
    "dated_rate",
    "internal_rate",
    "net_present_value",
    "payback",
]

Floats: TypeAlias = NDArray[np.float64]
FirstFlow: TypeAlias = Literal["at once", "after one period"]

_DAYS = 365.0  # of a year, leap years too, as in spreadsheets


def net_present_value(flows: ArrayLike, *, rate: float, first: FirstFlow) -> float:
    """Value of one flow per period at the beginning of the first period.

    Parameters
    ----------
    flows : array_like, shape (periods,)
        Money that comes in (above 0) or goes out (below 0), in order.
    rate : float
        Discount rate per period, above -1.
    first : {"at once", "after one period"}
        When the first flow is: at once it is not discounted, as an investment of today; after
        one period it is, as the NPV of spreadsheets has it.

    Returns
    -------
    float
        In the currency of the flows.

    Raises
    ------
    DataError
        If there is no flow, or one is not a number.
    ParameterError
        If the rate is -1 or less, or `first` is unknown.

    References
    ----------
    Brealey, Myers & Allen (2020), Principles of Corporate Finance, 13th ed., chapter 2.

    Examples
    --------
    >>> round(net_present_value([-10000, 3000, 4200, 6800], rate=0.1, first="after one period"), 4)
    1188.4434
    """
    if first not in get_args(FirstFlow):
        raise ParameterError(f"first must be one of {get_args(FirstFlow)}, but is {first!r}.")
    amount = _flows(flows)
    return _worth(amount, np.arange(len(amount)) + (first == "after one period"), rate)


def dated_present_value(flows: ArrayLike, dates: ArrayLike, *, rate: float) -> float:
    """Value of dated flows on the day of the first.

    Parameters
    ----------
    flows : array_like, shape (flows,)
        Money that comes in (above 0) or goes out (below 0).
    dates : array_like, shape (flows,)
        Their days, none before the one above it; times of day are left out.
    rate : float
        Discount rate per year of 365 days, above -1.

    Returns
    -------
    float
        In the currency of the flows.

    Raises
    ------
    DataError
        If there is no flow, one is not a number, or the days are not in order.
    ParameterError
        If the rate is -1 or less.

    Examples
    --------
    >>> round(dated_present_value([-100, 110], ["2017-01-01", "2018-01-01"], rate=0.1), 9)
    0.0
    """
    amount = _flows(flows)
    return _worth(amount, _years(dates, len(amount)), rate)


def internal_rate(flows: ArrayLike) -> float:
    """Rate per period at which one flow per period is worth nothing.

    Parameters
    ----------
    flows : array_like, shape (periods,)
        Money that comes in (above 0) or goes out (below 0), in order.

    Returns
    -------
    float
        Above -1. Whether the first flow is at once or after one period does not matter to it.

    Raises
    ------
    DataError
        If there is no flow, one is not a number, the flows never change sign, no rate makes
        them worth nothing, or several may.

    Notes
    -----
    A rate is given where what is still tied up never changes sign at it, up to the last flow
    (a pure investment, or a pure loan). No other rate can then make the value 0, for the
    value is a sum of these balances with weights of one sign. Flows that change sign once are
    always like that; of others no rate is picked out of several.

    References
    ----------
    Teichroew, Robichek & Montalbano (1965), Management Science 11(3), 395-403.

    Examples
    --------
    >>> round(internal_rate([-70000, 12000, 15000, 18000, 21000, 26000]), 6)
    0.086631
    """
    amount = _flows(flows)
    return only_rate(amount, np.arange(len(amount), dtype=np.float64))


def dated_rate(flows: ArrayLike, dates: ArrayLike) -> float:
    """Rate per year of 365 days at which dated flows are worth nothing.

    Parameters
    ----------
    flows : array_like, shape (flows,)
        Money that comes in (above 0) or goes out (below 0).
    dates : array_like, shape (flows,)
        Their days, none before the one above it; flows of one day are taken together.

    Returns
    -------
    float
        Above -1; the XIRR of spreadsheets.

    Raises
    ------
    DataError
        As for `internal_rate`, or if the days are not in order.

    Notes
    -----
    Given where there can be no other, as for `internal_rate`.

    Examples
    --------
    >>> round(dated_rate([-100, 50, 60], ["2017-01-01", "2017-07-01", "2018-01-01"]), 4)
    0.1323
    """
    amount = _flows(flows)
    years, place = np.unique(_years(dates, len(amount)), return_inverse=True)
    return only_rate(np.bincount(place, amount).astype(np.float64), years)


def payback(flows: ArrayLike, *, rate: float = 0.0) -> float | None:
    """Periods after which an outlay has come back for good.

    Parameters
    ----------
    flows : array_like, shape (periods,)
        The outlay at once (below 0), then what comes in or goes out by the end of each period.
    rate : float
        Discount rate per period, above -1; above 0 for the discounted payback.

    Returns
    -------
    float or None
        From then on the sum of all flows so far is 0 or more, until the last; within a period
        they come evenly. None where that is never so.

    Raises
    ------
    DataError
        If there is no flow, one is not a number, or the first that is not 0 is no outlay.
    ParameterError
        If the rate is -1 or less.

    Examples
    --------
    >>> round(payback([-1000, 300, 400, 500, 200]), 6)
    2.6
    >>> payback([-1000, 300, 400, 200]) is None
    True
    """
    amount = _flows(flows)
    if amount[np.flatnonzero(amount)[0]] > 0:
        raise DataError(
            "payback needs an outlay first, but the first flow that is not 0 is "
            f"{amount[np.flatnonzero(amount)[0]]:g}. Write outlays with a minus."
        )
    each = amount * _discount(np.arange(len(amount)), rate)
    sums = running_sums(each)
    if not (sums < 0).any():
        return 0.0  # next to what comes in the outlay is nothing
    last = int(np.flatnonzero(sums < 0)[-1])
    return None if last + 1 == len(sums) else float(last - sums[last] / each[last + 1])


def _flows(flows: ArrayLike) -> Floats:
    amount = np.asarray(flows, dtype=np.float64)
    if amount.ndim != 1:
        raise DataError(f"flows must be one row of amounts, but have shape {amount.shape}.")
    wrong = np.flatnonzero(~np.isfinite(amount))
    if len(wrong):
        raise DataError(f"flows must be finite numbers, but flow {wrong[0]} is {amount[wrong[0]]}.")
    if not amount.any():
        raise DataError("there must be a flow that is not 0, but there is none.")
    return amount


def _years(dates: ArrayLike, n: int) -> Floats:
    """Years of 365 days since the first date."""
    try:
        days = np.asarray(dates, dtype="datetime64[D]")
    except ValueError as wrong:
        raise DataError(f"dates must be days such as 2018-01-31, but: {wrong}.") from wrong
    if days.shape != (n,) or np.isnat(days).any():
        raise DataError(f"dates must name one day per flow ({n}), none of them missing.")
    gaps = np.diff(days).astype(np.int64)
    if (gaps < 0).any():
        at = int(np.flatnonzero(gaps < 0)[0])
        raise DataError(
            f"dates must be in order, but flow {at + 1} is on {days[at + 1]}, before the one above "
            f"it on {days[at]}. Sort the flows by date."
        )
    return np.asarray((days - days[0]).astype(np.int64) / _DAYS, dtype=np.float64)


def _discount(time: ArrayLike, rate: float) -> Floats:
    if not (math.isfinite(rate) and rate > -1):
        raise ParameterError(f"rate must be a number above -1 (such as 0.1), but is {rate}.")
    return np.exp(-np.asarray(time, dtype=np.float64) * math.log1p(rate))


def _worth(amount: Floats, time: ArrayLike, rate: float) -> float:
    return math.fsum(amount * _discount(time, rate))
