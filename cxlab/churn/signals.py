"""What happened to customers, and when: the signs that may come before a subscription ends."""

from typing import Any

import pandas as pd

from cxlab.data.engine import Table, keep, view
from cxlab.data.lab import Lab

__all__ = ["signals"]

# By sign: the columns it is read from, and the rows. What is known of each at its own moment only.
_RULES: dict[str, tuple[dict[str, tuple[str, ...]], str]] = {
    "ticket opened": (
        {"tickets": ("opened_at",)},
        "select customer_id, 'ticket opened' as signal, opened_at as occurred_at from tickets",
    ),
    "ticket solved slowly": (
        {"tickets": ("opened_at", "solved_at")},
        # It shows on the day when it is not solved in time, and not when it is at last.
        """
        select customer_id, 'ticket solved slowly' as signal,
            opened_at + interval '1' day * {slow_days} as occurred_at
        from tickets
        where solved_at is null or solved_at > opened_at + interval '1' day * {slow_days}
        """,
    ),
    "late delivery": (
        {"shipments": ("delivered_at", "promised_on"), "orders": ()},
        """
        select o.customer_id, 'late delivery' as signal, s.delivered_at as occurred_at
        from shipments as s join orders as o on s.order_id = o.order_id
        where {delivered_on} > s.promised_on
        """,
    ),
    "price rise": (
        {"subscription_changes": ("kind",), "subscriptions": ()},
        """
        select s.customer_id, 'price rise' as signal, c.changed_at as occurred_at
        from subscription_changes as c
        join subscriptions as s on c.subscription_id = s.subscription_id
        where c.kind = 'price_rise'
        """,
    ),
    "downgrade or pause": (
        {"subscription_changes": ("kind",), "subscriptions": ()},
        """
        select s.customer_id, 'downgrade or pause' as signal, c.changed_at as occurred_at
        from subscription_changes as c
        join subscriptions as s on c.subscription_id = s.subscription_id
        where c.kind in ('downgrade', 'pause')
        """,
    ),
    "goods out of stock": (
        {"order_lines": ("cancel_reason", "cancelled_at"), "orders": ()},
        """
        select o.customer_id, 'goods out of stock' as signal, l.cancelled_at as occurred_at
        from order_lines as l join orders as o on l.order_id = o.order_id
        where l.cancel_reason = 'out_of_stock'
        """,
    ),
    "return requested": (
        {"returns": (), "orders": ()},
        """
        select o.customer_id, 'return requested' as signal, r.requested_at as occurred_at
        from returns as r join orders as o on r.order_id = o.order_id
        """,
    ),
}

_NONE = {
    "customer_id": pd.Series(dtype="string"),
    "signal": pd.Series(dtype="string"),
    "occurred_at": pd.Series(dtype="datetime64[us]"),
}


def signals(lab: Lab) -> Table:
    """Gather what happened to customers from the tables that the study has.

    Parameters
    ----------
    lab : Lab
        A study, opened at a cycle; customers who do not allow its purpose are not in it.

    Returns
    -------
    Table
        customer_id, signal, occurred_at (UTC): tickets opened, tickets not solved within
        `definitions.slow_days` (when these were over), late deliveries (when they came), price
        rises, downgrades and pauses, goods out of stock, returns requested. Empty where the study
        has none of these tables; a sign is missing where a column of its is.
    """
    parts: list[str] = []
    tables: dict[str, Any] = {}
    for needed, sql in _RULES.values():
        found = {name: lab.maybe(name) for name in needed}
        if not all(table and {*needed[name]} <= {*table.columns} for name, table in found.items()):
            continue
        shipments = found.get("shipments")
        own = shipments is not None and "delivered_on" in shipments.columns
        day = "s.delivered_on" if own else "cast(s.delivered_at as date)"
        slow = str(lab.definitions.slow_days)
        parts.append(sql.replace("{delivered_on}", day).replace("{slow_days}", slow))
        tables |= found
    if not parts:
        return lab.engine.table(pd.DataFrame(_NONE))
    union = " union all ".join(parts)
    return keep(  # several measures look at them, and each comes out of a join of long tables
        view(
            f"""
            select customer_id, signal, occurred_at from ({union}) as u
            where occurred_at is not null and occurred_at < $cutoff and customer_id is not null
            """,
            cutoff=lab.cycle.cutoff,
            **tables,
        )
    )
