"""Do customers whom others brought cost less, stay longer and bring more than those paid for?"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.errors import Withheld
from cxlab.loyalty.advocacy_parts import (
    FEWEST,
    SIDES,
    costs_rows,
    first_year_rows,
    kept_rows,
)
from cxlab.loyalty.sales import standing
from cxlab.report import charts, words
from cxlab.report.finding import Result

__all__ = ["Advocacy", "advocacy", "origins"]

UNPAID = ("recommendation", "referral", "organic", "direct")


@dataclass(frozen=True, kw_only=True, eq=False)
class Advocacy(Result):
    """Cost, staying and first year's revenue of referred and of paid customers.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    """

    cycle: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw what the first year brought, of both."""
        rows = self._rows("advocacy.first_year_amount")
        if rows.empty:
            return None
        unit = str(rows["unit"].iloc[0])
        name = f"{unit} per customer in the first year"
        return charts.dots(rows, label="origin", unit=unit, axis=name, ax=ax)

    def sentence(self) -> str:
        """Whether those whom others brought stay longer, bring more and cost less."""
        said = [
            self._gap("advocacy.active_days_difference", "stay active", "longer", "shorter"),
            self._gap("advocacy.first_year_amount_difference", "bring", "more", "less"),
        ]
        costs: Any = self._rows("advocacy.acquisition_amount").set_index("origin")
        costs = costs[~costs["suppressed"].astype(bool)]
        if set(SIDES) <= set(costs.index):
            pair = [
                words.value(costs.loc[s, "estimate"], costs.loc[s, "unit"]) for s in SIDES
            ]  # fmt: skip
            said.append(f"cost {pair[0]} to win against {pair[1]}")
        known = [s for s in said if s]
        if not known:
            return f"Too few customers were referred by {self.cycle} to compare them."
        return f"Referred customers, against paid ones, {words.listing(known)}."

    def _gap(self, metric: str, verb: str, up: str, down: str) -> str:
        rows = self._rows(metric)
        rows = rows[~rows["suppressed"].astype(bool)]
        if rows.empty:
            return ""
        row = rows.iloc[0]
        low, high = float(row["conf_low"]), float(row["conf_high"])
        moved = words.change(row["estimate"], low, high, row["unit"])
        if low <= 0 <= high:
            return f"{verb} neither clearly {up} nor {down}, {moved}"
        return f"{verb} {up if low > 0 else down}, {moved}"

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def origins(customers: TableLike, referrals: TableLike | None, *, cycle: Cycle) -> Table:
    """Tell of each customer whether others brought them.

    Parameters
    ----------
    customers : table
        `customer_id`, and `referred_by` and `acquisition_channel` where known.
    referrals : table, optional
        `referred_id`, `referred_at`.
    cycle : Cycle
        Referrals of its cutoff or later are not looked at.

    Returns
    -------
    Table
        `customer_id` and `origin`: referred, paid (through a channel that costs money), or
        other, of whom neither is on record.
    """
    (given,) = in_one_engine(customers)
    by = "c.referred_by is not null" if "referred_by" in given.columns else "1 = 0"
    channel = "c.acquisition_channel" if "acquisition_channel" in given.columns else "null"
    unpaid = ", ".join(f"'{name}'" for name in UNPAID)
    told = pd.DataFrame({"customer_id": pd.Series(dtype=str)})
    if referrals is not None:
        table = view("select * from r", r=referrals).need("referred_id", "referred_at")
        brought = view(
            "select distinct referred_id as customer_id from r where referred_id is not null "
            "and cast(referred_at as timestamp) < $cutoff",
            r=table,
            cutoff=cycle.cutoff,
        )
    else:
        brought = given.engine.table(told)
    return view(
        f"""
        select c.customer_id, case when {by} or b.customer_id is not null then 'referred'
            when {channel} is not null and lower({channel}) not in ({unpaid}) then 'paid'
            else 'other' end as origin
        from c left join b on c.customer_id = b.customer_id
        """,
        c=given,
        b=brought,
    )


def advocacy(
    customers: TableLike,
    orders: TableLike,
    referrals: TableLike | None = None,
    costs: TableLike | None = None,
    *,
    cycle: Cycle,
    lapse_days: int = 90,
    currency: str = "amount",
    complete_from: date | None = None,
) -> Advocacy:
    """Hold customers whom others brought against those who came through paid channels.

    Parameters
    ----------
    customers, referrals : table
        As of `origins`; `reward_amount` of referrals where known.
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and `status` where known.
    costs : table, optional
        `period_on`, `activity`, `amount`; those of the activity 'acquisition' are counted.
    cycle : Cycle
        As known at its end.
    lapse_days : int
        After how many days of silence a customer has stopped.
    currency : str
        Unit of money.
    complete_from : datetime.date, optional
        First day of the records: customers who first ordered before are not compared.

    Returns
    -------
    Advocacy
        By `origin` (referred, paid): `advocacy.acquisition_amount` per customer won,
        `advocacy.active_days` within the first year until the first silence of `lapse_days`,
        `advocacy.first_year_amount` of those whose first year is over; and the differences of
        the latter two, referred minus paid.

    Raises
    ------
    Withheld
        If fewer than twenty customers of either origin have ordered.

    Notes
    -----
    Days are restricted means under product-limit curves in whole weeks; who has not been
    silent for so long yet is censored, never counted as gone. Revenue by Welch's interval.
    Costs are those since the records began, per customer won since: rewards per referred
    customer, and the cost ledger's acquisition over its units, or over the paid customers
    where it has none: a Poisson count either way.

    References
    ----------
    Schmitt, Skiera & Van den Bulte (2011), Journal of Marketing 75(1), 46-59.
    """
    begin = replace(cycle, first_day=complete_from).start if complete_from else datetime(1, 1, 1)
    come = _come(orders, origins(customers, referrals, cycle=cycle), begin, cycle)
    sizes = query("select origin, count(*) as n from f group by origin order by origin", f=come)
    won = {str(r["origin"]): float(r["n"]) for r in sizes.to_dict("records")}
    few = min(won.get(side, 0.0) for side in SIDES)
    if few < FEWEST:
        found = words.listing([f"{words.number(won.get(s, 0.0))} {s}" for s in SIDES])
        raise Withheld(
            f"Referred and paid customers are compared from {FEWEST} of each on, but {found} "
            f"customers ordered first in the records up to {cycle.name}."
        )
    rows = [
        *kept_rows(orders, come, cycle, lapse_days, won),
        *first_year_rows(orders, come, cycle, currency),
        *costs_rows(referrals, costs, come, begin, cycle, won, currency),
    ]
    return Advocacy(
        estimates=pd.DataFrame(rows),
        subtitle=f"Referred and paid customers in their first year: {currency} per customer, and "
        f"days until silent for {lapse_days} days; 95% interval",
        note=f"Base: {words.number(won['referred'])} referred and {words.number(won['paid'])} "
        "paid customers whose first order is in the records. Who recommends chooses whom: the "
        "groups may differ in more than in how they came. Costs of acquisition are "
        "per customer won, as the cost ledger counts them where it does.",
        cycle=cycle.name,
    )


def _come(orders: TableLike, origin: Table, begin: datetime, cycle: Cycle) -> Table:
    """List referred and paid customers with their first order within the records."""
    table = standing(orders).need("customer_id", "placed_at", "net_amount")
    return keep(
        view(
            """
            select f.customer_id, f.first_at, g.origin from (
                select customer_id, min(cast(placed_at as timestamp)) as first_at from o
                where cast(placed_at as timestamp) < $cutoff group by customer_id
            ) as f join g on f.customer_id = g.customer_id
            where f.first_at >= $begin and g.origin <> 'other'
            """,
            o=table,
            g=origin,
            begin=begin,
            cutoff=cycle.cutoff,
        )
    )
