"""Whether customers come back after a late delivery as often as after one on time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.errors import ParameterError, Withheld
from cxlab.operations.deliveries import FEWEST, count, deliveries
from cxlab.operations.kept_share import said_change
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.differences import newcombe
from cxlab.stats.intervals import wilson

__all__ = ["Repurchase", "repurchase_by_lateness"]

LATE, ON_TIME = "late", "on time"


@dataclass(frozen=True, kw_only=True, eq=False)
class Repurchase(Result):
    """Share of customers who order again, after a late delivery and after one on time."""

    cycle: str
    within_days: int

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the two shares with their intervals."""
        rows = self._rows("delivery.repurchase_share")
        return charts.dots(
            rows, label="days_late", unit="share", axis="Customers who ordered again, %", ax=ax
        )

    def sentence(self) -> str:
        """Both shares, and whether they can be told apart."""
        shares = self._rows("delivery.repurchase_share").set_index("days_late")["estimate"]
        gap = self._rows("delivery.repurchase_difference").iloc[0]
        if gap["suppressed"] or shares.isna().any():
            return (
                f"Too few customers ordered again within {self.within_days} days of a "
                "delivery to compare late ones with those on time."
            )
        told = said_change(gap, "deliveries on time", since="after")
        return (
            f"After a late delivery {words.value(shares[LATE], 'share')} of customers ordered "
            f"again within {self.within_days} days, after one on time "
            f"{words.value(shares[ON_TIME], 'share')}. {told} Association, not cause."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def repurchase_by_lateness(
    orders: TableLike,
    shipments: TableLike,
    *,
    cycle: Cycle,
    within_days: int = 90,
) -> Repurchase:
    """Share of customers who order again after a delivery, by whether it was late.

    Parameters
    ----------
    orders : table
        With order_id, customer_id, placed_at (UTC) and, where known, status: cancelled
        orders are no repurchase.
    shipments : table
        As in `lateness`. An order has come when its last shipment has.
    cycle : Cycle
        Deliveries whose `within_days` ended in it, so that every customer counted was
        observed for the whole time; the first such delivery of each customer.
    within_days : int
        Days after the delivery in which a new order counts.

    Returns
    -------
    Repurchase
        `delivery.repurchase_share` by `days_late` (late, on time) and their
        `delivery.repurchase_difference`, late minus on time.

    Raises
    ------
    ParameterError
        If `within_days` is below 1.
    Withheld
        If fewer than ten customers had a late delivery, or one on time.

    Notes
    -----
    Wilson's and Newcombe's intervals. Time runs from the delivery, not from the
    order, so a late parcel takes none of it away; what was ordered while waiting for
    the parcel does not count for either group.
    """
    if within_days < 1:
        raise ParameterError(f"within_days must be 1 or more, not {within_days}.")
    bought, sent = in_one_engine(orders, shipments)
    arrived = view(
        """
        select o.customer_id, o.order_id, d.delivered_at, d.days_late
        from o join d on o.order_id = d.order_id where d.delivered_at is not null
        """,
        o=bought.need("order_id", "customer_id", "placed_at"),
        d=deliveries(sent, cutoff=cycle.cutoff),
    )
    length = timedelta(days=within_days)
    counts = _counts(bought, arrived, cycle, within_days)
    for group in (LATE, ON_TIME):
        if counts["n"].get(group, 0) < FEWEST:
            raise Withheld(
                f"A comparison needs at least {FEWEST} customers with a delivery {group}, but "
                f"{words.number(counts['n'].get(group, 0))} have one whose {within_days} days "
                f"ended in {cycle.name}."
            )
    immature = count(
        "select count(*) as n from a where delivered_at >= $ripe",
        a=arrived,
        ripe=cycle.cutoff - length,
    )
    return Repurchase(
        estimates=pd.DataFrame(_rows(counts)),
        subtitle=f"Share of customers who ordered again within {within_days} days of a delivery, "
        f"%, where these days ended {cycle.first_day} to {cycle.last_day}; 95% interval",
        note=f"Base: {words.number(counts['n'].sum())} customers, one delivery each, unweighted. "
        f"Not yet mature: {words.number(immature)} deliveries whose {within_days} days run "
        f"beyond {cycle.last_day}. Association, not cause.",
        cycle=cycle.name,
        within_days=within_days,
    )


def _counts(orders: Table, arrived: Table, cycle: Cycle, within_days: int) -> pd.DataFrame:
    cancelled = "and coalesce(o.status, '') <> 'cancelled'" if "status" in orders.columns else ""
    return query(
        f"""
        with ripe as (
            select customer_id, order_id, delivered_at,
                case when days_late > 0 then 'late' else 'on time' end as days_late,
                row_number() over (
                    partition by customer_id order by delivered_at, order_id
                ) as place
            from a where delivered_at >= $since and delivered_at < $until
        ), again as (
            select r.days_late, r.customer_id, count(o.order_id) as orders
            from ripe r left join o on r.customer_id = o.customer_id
                and o.placed_at > r.delivered_at
                and o.placed_at < r.delivered_at + interval '1' day * $days {cancelled}
            where r.place = 1 group by 1, 2
        )
        select days_late, count(*) as n, count(*) filter (where orders > 0) as again
        from again group by days_late order by days_late
        """,
        a=arrived,
        o=orders,
        days=within_days,
        since=cycle.start - timedelta(days=within_days),
        until=cycle.cutoff - timedelta(days=within_days),
    ).set_index("days_late")


def _rows(counts: pd.DataFrame) -> list[dict[str, Any]]:
    numbers = counts.astype(float).to_dict("index")
    late, on_time = numbers[LATE], numbers[ON_TIME]
    rows = [
        interval_row(
            "delivery.repurchase_share",
            wilson(group["again"], group["n"]),
            unit="share",
            count=group["again"],
            days_late=name,
        )
        for name, group in ((LATE, late), (ON_TIME, on_time))
    ]
    gap = newcombe(late["again"], late["n"], on_time["again"], on_time["n"])
    # With either share withheld, the difference would give it away.
    least = min(late["again"], on_time["again"])
    metric = "delivery.repurchase_difference"
    return [*rows, interval_row(metric, gap, unit="share", count=least, days_late=None)]
