"""On which days did each customer buy?

A purchase day is a calendar day in the study's time zone on which a customer's
orders, returns deducted, add up to more than nothing. Cancelled orders are none.
"""

from datetime import datetime
from typing import Any

from cxlab.data.engine import Table, view

__all__ = ["NO_PURCHASE", "customer_days", "known_customers"]

NO_PURCHASE = "no purchase"


def customer_days(
    orders: Table, *, at: datetime, start: datetime | None = None, line: str | None = None
) -> Table:
    """Add up what each customer's orders of one day came to.

    Parameters
    ----------
    orders : Table
        `customer_id`, `placed_at`, `net_amount`; `placed_on`, the day in the study's
        time zone, where the table has it, else the day in UTC; `status` likewise.
    at : datetime
        Orders placed at this moment (UTC) or later are not looked at.
    start : datetime, optional
        Nor those placed before this one.
    line : str, optional
        A column of `orders`: add up by product line as well, as column `line`.

    Returns
    -------
    Table
        customer_id, placed_on, net_amount (DECIMAL; can be 0 or less), and `line`.
    """
    orders.need("customer_id", "placed_at", "net_amount", *([line] if line else []))
    day = "placed_on" if "placed_on" in orders.columns else "placed_at"
    live = "and coalesce(o.status, '') <> 'cancelled'" if "status" in orders.columns else ""
    lines = f', cast(o."{line}" as varchar) as line' if line else ""
    by_line = ", line" if line else ""
    since = "and cast(o.placed_at as timestamp) >= $start" if start else ""
    window = {"at": at} | ({"start": start} if start else {})
    return view(
        f"""
        select customer_id, placed_on{by_line}, cast(sum(amount) as decimal(18, 2)) as net_amount
        from (
            select cast(o.customer_id as varchar) as customer_id,
                cast(o.{day} as date) as placed_on{lines},
                cast(o.net_amount as decimal(18, 2)) as amount
            from orders as o
            where cast(o.placed_at as timestamp) < $at {since} {live}
        ) as placed
        group by customer_id, placed_on{by_line}
        """,
        orders=orders,
        **window,
    )


def known_customers(customers: Table, days: Table, *, at: datetime) -> Table:
    """List who was known before a moment: first seen, or with an order, before it.

    A customer without `first_seen_at` counts as known from the beginning.
    """
    customers.need("customer_id")
    seen: dict[str, Any] = {}
    where = ""
    if "first_seen_at" in customers.columns:
        where = "where c.first_seen_at is null or cast(c.first_seen_at as timestamp) < $at"
        seen = {"at": at}
    return view(
        f"""
        select cast(c.customer_id as varchar) as customer_id from customers as c {where}
        union
        select d.customer_id from days as d
        """,
        customers=customers,
        days=days,
        **seen,
    )
