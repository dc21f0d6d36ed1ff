"""Cohorts and periods: how many customers began together, and how many of them came back when."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, keep, query, view
from cxlab.errors import ParameterError
from cxlab.loyalty.sales import purchases

__all__ = ["SHOWN", "Mode", "Periods", "finished_cells"]

Mode: TypeAlias = Literal["on", "on_or_after", "bracket"]

SHOWN = 8  # cohorts, and periods of each
_DAY = 86_400_000_000  # microseconds
_MODES = ("on", "on_or_after", "bracket")


@dataclass(frozen=True, kw_only=True)
class Periods:
    """What a period is: cycles of the calendar, equal lengths, or brackets of days."""

    every_days: int
    edges: tuple[int, ...]

    @classmethod
    def of(cls, mode: str, every_days: int, brackets: tuple[int, ...]) -> "Periods":
        """Check the options."""
        if mode not in _MODES:
            raise ParameterError(f"mode must be one of {', '.join(_MODES)}, but is {mode!r}.")
        if every_days < 0 or (mode == "bracket" and every_days):
            raise ParameterError(
                f"every_days must be 0 (calendar) or more, and brackets have none, but is "
                f"{every_days}."
            )
        if mode != "bracket":
            return cls(every_days=every_days, edges=())
        edges = tuple(int(b) for b in brackets)
        falls = edges[:1] < (1,) or any(b <= a for a, b in pairwise(edges))
        if falls or not 2 <= len(edges) <= SHOWN + 1:
            raise ParameterError(
                f"brackets must be two to {SHOWN + 1} rising days from 1 on, but are {brackets}."
            )
        return cls(every_days=0, edges=edges)

    def number(self) -> str:
        """SQL of the number of an order's period; missing where it is in none."""
        passed = "epoch_us(p.placed_at) - epoch_us(m.first_at)"
        if self.edges:
            pairs = enumerate(pairwise(self.edges), start=1)
            whens = (
                f"when {passed} >= {a * _DAY} and {passed} < {b * _DAY} then {k}"
                for k, (a, b) in pairs
            )
            return f"case {' '.join(whens)} end"
        if self.every_days:
            return f"cast(floor(({passed}) / {self.every_days * _DAY}) as bigint)"
        return "w.number - m.number"

    def label(self, number: int) -> str:
        """What a period is called: its number, or its days."""
        if not self.edges:
            return str(number)
        return f"days {self.edges[number - 1]}\N{EN DASH}{self.edges[number] - 1}"

    def finished(self, cohort: int, windows: list[Cycle]) -> int:
        """How many periods all customers of a cohort have had by the end of the last window."""
        if not (self.edges or self.every_days):
            return len(windows) - 1 - cohort
        passed = (windows[-1].cutoff - windows[cohort].cutoff) / timedelta(days=1)
        if self.edges:
            return int(np.searchsorted(self.edges[1:], passed, side="right"))
        # Period 0 begins with the first order itself.
        return max(int(passed // self.every_days) - 1, 0)


def _counted(
    orders: TableLike, windows: list[Cycle], periods: Periods, *, last: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count customers by cohort, and those who came back by cohort and period."""
    cycles = pd.DataFrame(
        {
            "number": range(len(windows)),
            "start": [w.start for w in windows],
            "cutoff": [w.cutoff for w in windows],
        }
    )
    table = purchases(orders).need("customer_id", "placed_at")
    placed = view(
        "select customer_id, cast(placed_at as timestamp) as placed_at from o "
        "where cast(placed_at as timestamp) < $cutoff",
        o=table,
        cutoff=windows[-1].cutoff,
    )
    members = keep(
        view(
            """
        select f.customer_id, f.first_at, w.number from (
            select customer_id, min(placed_at) as first_at from p group by customer_id
        ) as f join w on f.first_at >= w.start and f.first_at < w.cutoff
        """,
            p=placed,
            w=cycles,
        )
    )
    sizes = query("select number, count(*) as n from m group by number order by number", m=members)
    # A customer counts once in each period, or once where they were seen last.
    pick = "max(case when period > $shown then $shown else period end)" if last else "period"
    grain = "" if last else ", period"
    calendar = not (periods.edges or periods.every_days)
    joined = "join w on p.placed_at >= w.start and p.placed_at < w.cutoff" if calendar else ""
    named: dict[str, Any] = {"w": cycles} if calendar else {}
    upto = "1 = 1" if last else "period <= $shown"
    back = query(
        f"""
        select number, period, count(*) as customers from (
            select number, customer_id, {pick} as period from (
                select m.number, m.customer_id, {periods.number()} as period
                from m join p on p.customer_id = m.customer_id and p.placed_at > m.first_at
                {joined}
            ) as x where period > 0 and {upto} group by number, customer_id{grain}
        ) as y group by number, period order by number, period
        """,
        m=members,
        p=placed,
        shown=SHOWN,
        **named,
    )
    return sizes, back


def finished_cells(
    orders: TableLike, windows: list[Cycle], periods: Periods, mode: Mode
) -> pd.DataFrame:
    """Lay out the finished cells: cohort, period, size and who came back, zero where nobody."""
    last = mode == "on_or_after"
    sizes, back = _counted(orders, windows, periods, last=last)

    def returned(number: int, k: int) -> float:
        mine = back[back["number"] == number]
        return float(mine["customers"][mine["period"] >= k if last else mine["period"] == k].sum())

    cells = [
        {"cohort": windows[int(row["number"])].name, "period": periods.label(k), "k": k,
         "n": float(row["n"]), "back": returned(row["number"], k)}
        for row in sizes.to_dict("records")
        for k in range(1, min(periods.finished(int(row["number"]), windows), SHOWN) + 1)
    ]  # fmt: skip
    return pd.DataFrame(cells, columns=["cohort", "period", "k", "n", "back"])
