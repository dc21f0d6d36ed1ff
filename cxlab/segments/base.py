"""How many customers are there, and how many came this cycle?"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query
from cxlab.errors import Withheld
from cxlab.report import words
from cxlab.report.finding import Result, interval_row
from cxlab.segments.rows import counted

__all__ = ["CustomerBase", "base"]

HISTORY = 8  # cycles in the picture


@dataclass(frozen=True, kw_only=True, eq=False)
class CustomerBase(Result):
    """Customers known at the cutoff, and those first seen in the cycle.

    Attributes
    ----------
    cycle_name, previous_name : str
        The cycle, and the one that the change is taken against.
    """

    cycle_name: str
    previous_name: str
    # The base is another group than who is new in it; a change withheld for the cycle
    # before says nothing of this one.
    apart = ("metric",)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw new customers by cycle."""
        from cxlab.report import charts

        history = self.estimates[self.estimates["cycle"].notna()].reset_index(drop=True)
        return charts.columns(
            history, x="cycle", unit="count", low="conf_low", high="conf_high", ax=ax
        )

    def sentence(self) -> str:
        """Say how many are known and how many are new, with the change."""
        now = self.estimates[self.estimates["cycle"].isna()].set_index("metric")
        known, new = now["estimate"]["customers.count"], now["estimate"]["customers.new"]
        if pd.isna(known):
            return "There are too few customers to show."
        said = f"{words.plural(known, 'customer')} known at the end of {self.cycle_name}"
        if pd.isna(new):
            return f"{said}."
        said = f"{said}, {words.number(new)} of them first seen in it"
        if "customers.new_change" not in now.index:
            return f"{said}; there is no earlier cycle to compare with."
        row = now.loc["customers.new_change"]
        if pd.isna(row["estimate"]):
            return f"{said}."
        change = words.change(row["estimate"], row["conf_low"], row["conf_high"], "count")
        return f"{said}; new customers {change} against {self.previous_name}."


def base(customers: TableLike, *, cycle: Cycle, complete_from: date | None = None) -> CustomerBase:
    """Count the customers known at the cutoff and those first seen in the cycle.

    Parameters
    ----------
    customers : table
        `customer_id`, `first_seen_at`. Without a moment a customer counts as known from
        the beginning.
    cycle : Cycle
        Customers of its cutoff or later are not looked at.
    complete_from : datetime.date, optional
        First day for which the data are complete; no earlier cycle is shown or compared.

    Returns
    -------
    CustomerBase
        The base as a complete count; new customers with an exact Poisson interval, by
        cycle for up to eight cycles; and their change against the cycle before, where
        that cycle has any.

    Raises
    ------
    Withheld
        If nobody is known at the cutoff.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> people = pd.DataFrame({"customer_id": ["a", "b"],
    ...                        "first_seen_at": pd.to_datetime(["2017-12-05", "2018-02-01"])})
    >>> base(people, cycle=parse_cycle("2018Q1")).sentence()[:83]
    '2 customers known at the end of 2018Q1, 1 of them first seen in it; new customers 0'
    """
    (table,) = in_one_engine(customers)
    table.need("customer_id", "first_seen_at")
    known = query(
        """
        select count(distinct customer_id) as n from c
        where first_seen_at is null or cast(first_seen_at as timestamp) < $cutoff
        """,
        c=table,
        cutoff=cycle.cutoff,
    )["n"][0]
    if not known:
        raise Withheld(f"No customer is known before the end of {cycle.name}.")
    return CustomerBase(
        estimates=_estimates(float(known), _new_by_cycle(table, cycle, complete_from), cycle),
        subtitle=f"Customers first seen in each cycle up to {cycle.name}.",
        note="The base is a complete count. New customers are taken as a Poisson count.",
        cycle_name=cycle.name,
        previous_name=cycle.previous.name,
    )


def _new_by_cycle(table: Table, cycle: Cycle, complete_from: date | None) -> dict[str, float]:
    """Count who was first seen in each of the last cycles that the table reaches back to."""
    windows = [cycle]
    while len(windows) < HISTORY and windows[0].previous.first_day >= (complete_from or date.min):
        windows.insert(0, windows[0].previous)
    found = query(
        """
        select w.cycle, count(distinct c.customer_id) as n
        from c join w on cast(c.first_seen_at as timestamp) >= w.start
            and cast(c.first_seen_at as timestamp) < w.cutoff
        group by w.cycle order by w.cycle
        """,
        c=table,
        w=pd.DataFrame(
            {
                "cycle": [w.name for w in windows],
                "start": [w.start for w in windows],
                "cutoff": [w.cutoff for w in windows],
            }
        ),
    ).set_index("cycle")["n"]
    counts = {w.name: float(found.get(w.name, 0)) for w in windows}
    while len(counts) > 1 and not counts[next(iter(counts))]:
        del counts[next(iter(counts))]  # the table does not reach back so far
    return counts


def _estimates(known: float, new: dict[str, float], cycle: Cycle) -> pd.DataFrame:
    from cxlab.stats.counts import poisson_count
    from cxlab.stats.differences import mover_difference

    now = poisson_count(new[cycle.name])
    rows = [
        counted("customers.count", known, n=known, cycle=None),
        interval_row("customers.new", now, unit="count", count=now.estimate, cycle=None),
    ]
    if before := new.get(cycle.previous.name):
        change = mover_difference(now, poisson_count(before))
        # With either count withheld, the difference would give it away.
        least = min(now.estimate, before)
        rows.append(
            interval_row("customers.new_change", change, unit="count", count=least, cycle=None)
        )
    for name, count in new.items():
        rows.append(
            interval_row(
                "customers.new", poisson_count(count), unit="count", count=count, cycle=name
            )
        )
    return pd.DataFrame(rows)
