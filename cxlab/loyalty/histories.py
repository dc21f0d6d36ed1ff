"""What each customer has bought so far, as counts of equal histories.

A history is how often a customer came back, when last and for how long they are known. Models
of repeat buying need no more, so millions of customers are one short table.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, keep, query, view
from cxlab.errors import Withheld
from cxlab.loyalty.sales import standing

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.customer_base import Histories

__all__ = ["Base", "purchase_days", "purchase_histories", "spend_counts"]

MOST = 6_000  # distinct histories that leave the engine, unless even four weeks have more
_UNITS = (1, 7, 28)  # days
_STEPS = 40  # classes of mean spend per factor of e: each is 2.5 % wide
_MONEY = "decimal(18, 2)"


@dataclass(frozen=True, kw_only=True)
class Base:
    """Customers at the end of a cycle.

    Attributes
    ----------
    each : Table
        `customer_id`, `x` (days of purchase after the first), `t_x` (days from the first to
        the last), `watched` (days from the first to the end), `spent` on all but the
        first, and `ever` on all of them.
    cycle : Cycle
        At whose end.
    unit_days : int
        To how many days times are rounded, so that few histories differ.
    """

    each: Table
    cycle: Cycle
    unit_days: int

    def histories(self) -> "Histories":
        """Count the distinct histories."""
        found = _counted(self.each, self.unit_days, "'all'")
        if found.empty:
            raise Withheld(f"No customer had ordered anything by the end of {self.cycle.name}.")
        return _histories(found)

    def by_group(self, by: str | TableLike) -> tuple[dict[str, "Histories"], str]:
        """Count them by group, the largest group first; the name of the groups beside them."""
        split, name = grouped(self.each, by)
        found = _counted(split, self.unit_days, f'b."{name}"')
        sizes = found.groupby("grp")["customers"].sum()
        order = sorted(sizes.index, key=lambda g: (-sizes[g], str(g)))
        return {str(g): _histories(found[found["grp"] == g]) for g in order}, name


def purchase_days(orders: TableLike, *, cycle: Cycle) -> Table:
    """List the days on which each customer ordered something before the end of a cycle.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`; `placed_on`, the day in the study's time
        zone, where the table has it, else the day in UTC; `status` where known.
    cycle : Cycle
        Orders of its cutoff or later are not looked at.

    Returns
    -------
    Table
        `customer_id`, `bought_on`, `net` (exact), `is_now`: whether within the cycle. An order
        below zero brings something back: it is no purchase, and is taken off the one before.
    """
    table = standing(orders).need("customer_id", "placed_at", "net_amount")
    day = "placed_on" if "placed_on" in table.columns else "placed_at"
    days = view(
        f"""
        select customer_id, bought_on, cast(sum(net) as {_MONEY}) as net, max(is_now) as is_now,
            max(case when net >= 0 then 1 else 0 end) as bought
        from (
            select customer_id, cast({day} as date) as bought_on,
                cast(net_amount as {_MONEY}) as net,
                case when cast(placed_at as timestamp) >= $start then 1 else 0 end as is_now
            from o where cast(placed_at as timestamp) < $cutoff
        ) as p group by customer_id, bought_on
        """,
        o=table,
        start=cycle.start,
        cutoff=cycle.cutoff,
    )
    kept = keep(days)  # histories and the check of a forecast both count them
    if not query("select count(*) as n from d where bought = 0", d=kept)["n"][0]:
        return kept
    return keep(_without_returns(kept))


def _without_returns(days: Table) -> Table:
    """Take what was brought back on a day of its own off the purchase before it."""
    return view(
        f"""
        select customer_id, min(bought_on) as bought_on, cast(sum(net) as {_MONEY}) as net,
            max(case when bought = 1 then is_now else 0 end) as is_now
        from (
            select *, sum(bought) over (partition by customer_id order by bought_on) as turn
            from d
        ) as t where turn > 0 group by customer_id, turn
        """,
        d=days,
    )


def purchase_histories(orders: TableLike, *, cycle: Cycle) -> Base:
    """Gather what each customer had bought by the end of a cycle.

    Parameters
    ----------
    orders : table
        As of `purchase_days`. What one customer orders on one day is one purchase.
    cycle : Cycle
        At whose end.

    Returns
    -------
    Base
        One row per customer with an order, in the engine.
    """
    each = keep(
        view(
            f"""
            select customer_id, count(*) - 1 as x,
                date_diff('day', min(bought_on), max(bought_on)) as t_x,
                greatest(date_diff('day', min(bought_on), $last), 0) as watched,
                cast(sum(case when place > 1 and net > 0 then net else 0 end) as {_MONEY})
                    as spent,
                cast(sum(net) as {_MONEY}) as ever
            from (
                select *, row_number() over (
                    partition by customer_id order by bought_on) as place
                from d
            ) as n group by customer_id
            """,
            d=purchase_days(orders, cycle=cycle),
            last=cycle.last_day,
        )
    )
    for unit in _UNITS:
        found = query(
            f"""
            select count(*) as n from (
                select {_rounded(unit)} from b group by {_rounded(unit, names=False)}
            ) as d
            """,
            b=each,
        )
        if int(found["n"].iloc[0]) <= MOST:
            break
    return Base(each=each, cycle=cycle, unit_days=unit)


def spend_counts(base: Base) -> pd.DataFrame:
    """Count customers who came back by how often and by their mean spend.

    Returns
    -------
    pandas.DataFrame
        x, customers, and the exact mean `spend` per purchase of each narrow class; customers
        who paid nothing are left out.
    """
    return query(
        f"""
        select x, customers, cast(spent as double) / nullif(x * customers, 0) as spend from (
            select x, step, count(*) as customers, cast(sum(spent) as decimal(38, 2)) as spent
            from (
                select x, spent, cast(floor(
                        {_STEPS} * ln(cast(spent as double) / nullif(x, 0))) as bigint) as step
                from b where x > 0 and spent > 0
            ) as s group by x, step
        ) as c order by x, step
        """,
        b=base.each,
    )


def _rounded(unit: int, *, names: bool = True) -> str:
    """SQL of a history with its times rounded to so many days."""

    def near(column: str) -> str:
        number = f"cast(floor(({column} + {unit // 2}) / {unit}) as bigint) * {unit}"
        return f"{number} as {column}" if names else number

    return f"x, {near('t_x')}, {near('watched')}"


def _counted(each: Table, unit: int, group: str) -> pd.DataFrame:
    return query(
        f"""
        select {group} as grp, {_rounded(unit)}, count(*) as customers,
            -- Whole days within a class: their mean bends less than its middle would.
            sum(b.t_x) as days, sum(b.watched) as days_watched,
            cast(sum(spent) as decimal(38, 2)) as spent
        from b group by {group}, {_rounded(unit, names=False)}
        order by grp, x, t_x, watched
        """,
        b=each,
        limit=70 * MOST,
    )


def _histories(found: pd.DataFrame) -> "Histories":
    from cxlab.stats.customer_base import histories

    x, customers = found["x"].to_numpy(float), found["customers"].to_numpy(float)
    spend = found["spent"].to_numpy(float) / (x.clip(1) * customers)
    t_x, watched = (found[c].to_numpy(float) / customers for c in ("days", "days_watched"))
    return histories(x, t_x, watched, customers, spend=spend)
