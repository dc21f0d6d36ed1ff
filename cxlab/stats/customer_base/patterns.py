"""What a customer base has bought so far, as counts of distinct histories.

A history is how often somebody bought again, when last, and for how long they were watched.
The models of this package need nothing else, so ten million customers are a small table.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError

__all__ = ["Histories", "histories"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Histories:
    """Distinct histories of buying, in one order whatever the order of the rows.

    Attributes
    ----------
    x : numpy.ndarray, shape (k,)
        Repeat purchases: all but the first.
    t_x : numpy.ndarray, shape (k,)
        Time from the first purchase to the last one; 0 where there was one only.
    watched : numpy.ndarray, shape (k,)
        Time from the first purchase to the end of observation, the T of the papers.
    customers : numpy.ndarray, shape (k,)
        How many have this history.
    spend : numpy.ndarray, shape (k,)
        What they spent per repeat purchase, the mean over them; missing where not given.
    """

    x: Floats = field(repr=False)
    t_x: Floats = field(repr=False)
    watched: Floats = field(repr=False)
    customers: Floats = field(repr=False)
    spend: Floats = field(repr=False)

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def n(self) -> float:
        """Customers in all."""
        return float(self.customers.sum())

    @cached_property
    def more_than(self) -> Floats:
        """How many bought again more than 0, 1, 2, ... times."""
        # Sums of log gamma(r + x) - log gamma(r) are sums of log(r + i) with these weights:
        # no difference of large numbers, whatever the size of r.
        by_x = np.bincount(self.x.astype(np.int64), self.customers)
        return np.asarray(np.cumsum(by_x[::-1])[::-1][1:], dtype=np.float64)

    @cached_property
    def ages(self) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Distinct (x, watched), and which of them each history has."""
        x, first = np.unique(self.x, return_inverse=True)
        watched, second = np.unique(self.watched, return_inverse=True)
        pairs, place = np.unique(first * len(watched) + second, return_inverse=True)
        return x[pairs // len(watched)], watched[pairs % len(watched)], place.astype(np.int64)

    def in_units_of(self, length: float) -> Self:
        """Tell times in another unit, such as 7 for weeks where they are days."""
        return replace(self, t_x=self.t_x / length, watched=self.watched / length)


def histories(
    x: ArrayLike,
    t_x: ArrayLike,
    watched: ArrayLike,
    customers: ArrayLike | None = None,
    *,
    spend: ArrayLike | None = None,
) -> Histories:
    """Gather customers, or counts of customers, by their history of buying.

    Parameters
    ----------
    x : array_like, shape (rows,)
        Repeat purchases, whole numbers.
    t_x, watched : array_like, shape (rows,)
        Time from the first purchase to the last one and to the end of observation, both in
        one unit such as weeks.
    customers : array_like, shape (rows,), optional
        How many have this history. Default: a row is a customer.
    spend : array_like, shape (rows,), optional
        What these customers spent per repeat purchase, the mean over them; not looked at
        where nobody bought again. Models of spend are linear in it, so a mean is enough.

    Returns
    -------
    Histories
        One entry per distinct history, sorted.

    Raises
    ------
    DataError
        If a number cannot be what it should, or there is nobody.

    Examples
    --------
    >>> base = histories([0, 2, 0], [0, 30.4, 0], [38.9, 38.9, 38.9])
    >>> base.x.tolist(), base.customers.tolist()
    ([0.0, 2.0], [2.0, 1.0])
    """
    counts = np.ones(np.shape(x)) if customers is None else customers
    money = np.full(np.shape(x), np.nan) if spend is None else spend
    rows = [np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (x, t_x, watched, counts)]
    paid = np.atleast_1d(np.asarray(money, dtype=np.float64))
    _stand(*rows)
    if spend is not None:
        if len(paid) != len(rows[0]):
            raise DataError("spend must have one number per row, as x has.")
        _refuse((rows[0] > 0) & ~(paid >= 0), "spend must be 0 or more", paid)
    often, last, end, many, paid = (v[rows[3] > 0] for v in (*rows, paid))
    order = np.lexsort((end, last, often))
    often, last, end, many, paid = (v[order] for v in (often, last, end, many, paid))
    new = np.r_[True, (np.diff(often) != 0) | (np.diff(last) != 0) | (np.diff(end) != 0)]
    place = np.cumsum(new) - 1
    total = np.bincount(place, many).astype(np.float64)
    mean = np.bincount(place, many * np.where(often > 0, paid, 0.0)) / total
    return Histories(
        x=often[new], t_x=last[new], watched=end[new], customers=total,
        spend=np.where(often[new] > 0, mean, np.nan),
    )  # fmt: skip


def _stand(x: Floats, t_x: Floats, watched: Floats, customers: Floats) -> None:
    """Refuse what cannot be histories."""
    if not len(x) == len(t_x) == len(watched) == len(customers):
        raise DataError("x, t_x, watched and customers must have one number per row each.")
    named = {"x": x, "t_x": t_x, "watched": watched, "customers": customers}
    for name, values in named.items():
        _refuse(~(np.isfinite(values) & (values >= 0)), f"{name} must be 0 or more", values)
    _refuse(x != np.floor(x), "x counts purchases, so it must be a whole number", x)
    _refuse(t_x > watched, "t_x must not lie after the end of observation", t_x)
    _refuse((x == 0) & (t_x > 0), "t_x must be 0 where nobody bought again", t_x)
    if not customers.sum() > 0:
        raise DataError("a customer base needs at least one customer, but nobody was counted.")


def _refuse(wrong: NDArray[np.bool_], rule: str, values: Floats) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{rule}, but row {at} has {values[at]:g}.")
