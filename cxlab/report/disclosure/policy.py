"""What may be published: how many people, and how evenly an amount comes from them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from cxlab.report.disclosure.closing import Demands

__all__ = ["AMOUNT", "TOP1", "TOP2", "Money", "Policy", "is_money", "is_move"]

# Columns whose name begins with an underscore help to withhold, and are never published.
AMOUNT, TOP1, TOP2 = "_amount", "_top1", "_top2"
_OPEN = 0.1  # least width of the range of a withheld amount, as a share of it


@dataclass(frozen=True, kw_only=True)
class Money:
    """How an amount comes about, so that nobody's own can be read off it.

    Attributes
    ----------
    total : float
        What the customers of the row brought together; missing where rows do not add up.
    top1, top2 : float
        Share of the largest customer and of the two largest, 0 to 1, of all amounts taken
        without their sign: refunds would otherwise make a share of anything.
    """

    total: float
    top1: float
    top2: float

    @classmethod
    def of(cls, total: float, gross: float, largest: float, two_largest: float) -> Self:
        """Make it of amounts: with and without sign, of the largest customer and of two."""
        if not gross > 0:
            return cls(total=float(total), top1=0.0, top2=0.0)
        top1, top2 = float(largest / gross), float(two_largest / gross)
        return cls(total=float(total), top1=top1, top2=top2)

    @classmethod
    def either(cls, *sides: Self) -> Self:
        """Join the sides of a difference, which tells of both: the more uneven one counts."""
        top1, top2 = max(s.top1 for s in sides), max(s.top2 for s in sides)
        return cls(total=float("nan"), top1=top1, top2=top2)

    def columns(self) -> dict[str, float]:
        """Return the columns that a row of estimates carries for this."""
        return {AMOUNT: self.total, TOP1: self.top1, TOP2: self.top2}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When a number is withheld.

    Attributes
    ----------
    min_cell : int
        Fewest people that a published cell may stand on.
    top1, top2 : float
        Most that the largest customer, or the two largest, may hold of an amount.
    both_sides : bool
        Whether a share is withheld as well when few people are on its other side.
    exceptions : frozenset of str
        Metrics that are never withheld; the study gives a reason for each.
    """

    min_cell: int = 10
    top1: float = 0.7
    top2: float = 0.85
    both_sides: bool = False
    exceptions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: "Policy | int") -> "Policy":
        """Take a policy, or a least number of people with all else as usual."""
        return rules if isinstance(rules, Policy) else cls(min_cell=rules)

    def is_small(self, rows: pd.DataFrame) -> "pd.Series[bool]":
        """Tell which rows stand on too few people."""
        small = rows["count"].fillna(np.inf) < self.min_cell
        if self.both_sides:
            shares = (rows["unit"] == "share") & ~rows["metric"].map(is_move)
            other = (rows["n"] * (1 - rows["estimate"])).fillna(np.inf)
            small |= shares & (other.round(6) < self.min_cell)
        return small

    def is_dominated(self, rows: pd.DataFrame) -> "pd.Series[bool]":
        """Tell which rows are amounts that one or two customers make up."""
        if TOP1 not in rows.columns:
            return pd.Series(data=False, index=rows.index)
        tops = rows[[TOP1, TOP2]].astype(float)
        return (tops[TOP1] > self.top1) | (tops[TOP2] > self.top2)

    def of_people(self, people: "pd.Series[float]", *, sparse: bool = False) -> Demands:
        """Ask that a withheld count could be one that is shown, and could be many.

        Of a sparse table ask only that no count can be told exactly.
        """
        size = np.full(len(people), 1.0 if sparse else float(self.min_cell))
        return Demands(reach=0 * size if sparse else size, width=size)

    def of_money(self, rows: pd.DataFrame) -> Demands:
        """Ask that a withheld amount could be one that nobody dominates, and be open by a tenth.

        Where the largest customer holds more than may be, the reader must reckon with so
        much more from others that the rule would be kept (Loeve 2001). A tenth is asked of
        any amount (the p-percent rule), and of nothing a tenth of what one customer brings.
        """
        amount = rows[AMOUNT].to_numpy(dtype=float)
        tops = rows[[TOP1, TOP2]].to_numpy(dtype=float) / [self.top1, self.top2]
        each = float(np.abs(amount).sum()) / max(float(rows["count"].sum()), 1.0)
        more = np.maximum(tops.max(axis=1), 1 + _OPEN) - 1
        more = np.maximum(more * np.abs(amount), _OPEN * each)
        return Demands(reach=amount + more, width=more)


def is_money(unit: object) -> bool:
    """Tell whether a unit is money: a currency of ISO 4217, or the word for any.

    >>> is_money("IDR"), is_money("amount"), is_money("share")
    (True, True, False)
    """
    return unit == "amount" or (str(unit).isupper() and len(str(unit)) == 3)


def is_move(metric: object) -> bool:
    """Tell whether a metric is a change: it tells of another cycle as well.

    >>> is_move("orders.count_change"), is_move("csat.change"), is_move("orders.count")
    (True, True, False)
    """
    return str(metric).replace(".", "_").endswith("_change")
