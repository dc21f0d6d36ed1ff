"""When each shipment and each order arrived, against the day first promised.

Days are calendar days in the study's time zone: a parcel that comes on the evening
of the promised day is on time. What arrived at the cutoff or later has, as far as
this cycle knows, not arrived.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cxlab.data.engine import Table, TableLike, in_one_engine, query, view

__all__ = [
    "AS_INDEPENDENT",
    "BANDS",
    "FEWEST",
    "NOT_YET",
    "arrivals",
    "band_of",
    "count",
    "deliveries",
]

FEWEST = 10  # below, a share or a mean says nothing that its interval would not take back

# Shipments know their order, not their customer.
AS_INDEPENDENT = (
    "One customer's orders are taken as independent, so the interval is somewhat too narrow "
    "where customers order often."
)

NOT_YET = "not delivered yet"
BANDS: tuple[tuple[str, float, float], ...] = (
    ("a week or more early", -math.inf, -7),
    ("1 to 6 days early", -6, -1),
    ("on the day", 0, 0),
    ("1 to 3 days late", 1, 3),
    ("4 to 7 days late", 4, 7),
    ("8 to 14 days late", 8, 14),
    ("15 or more days late", 15, math.inf),
)


def band_of(days: float) -> str:
    """Name the band of a number of days late; early is negative.

    >>> band_of(-3), band_of(0), band_of(20), band_of(float("nan"))
    ('1 to 6 days early', 'on the day', '15 or more days late', 'not delivered yet')
    """
    return next((name for name, low, high in BANDS if low <= days <= high), NOT_YET)


def arrivals(shipments: TableLike, *, cutoff: datetime, keep: Sequence[str] = ()) -> Table:
    """Add to each shipment its days late, as known at the cutoff.

    Parameters
    ----------
    shipments : table
        With order_id, promised_on (DATE, the first promise) and delivered_at (UTC).
        The day of delivery is `delivered_on` (DATE, local) where the table has it,
        else the UTC day of `delivered_at`.
    cutoff : datetime.datetime
        Later deliveries are not known.
    keep : sequence of str
        Further columns to keep.

    Returns
    -------
    Table
        order_id, promised_on, delivered_at, days_late; the last two are missing
        where nothing has arrived.
    """
    (table,) = in_one_engine(shipments)
    rows = table.need("order_id", "promised_on", "delivered_at")
    day = "delivered_on" if "delivered_on" in rows.columns else "cast(delivered_at as date)"
    also = "".join(f'"{column}", ' for column in keep)
    known = "delivered_at < $cutoff"
    return view(
        f"""
        select {also}order_id, promised_on,
            case when {known} then delivered_at end as delivered_at,
            case when {known} then date_diff('day', promised_on, {day}) end as days_late
        from s where promised_on is not null
        """,
        s=rows,
        cutoff=cutoff,
    )


def deliveries(shipments: TableLike, *, cutoff: datetime) -> Table:
    """One row per order: it has arrived when its last shipment has.

    Returns
    -------
    Table
        order_id, promised_on (for the last of its shipments), delivered_at and days_late
        (of the worst); the last two are missing while any shipment is on its way.
    """
    return view(
        """
        select order_id, max(promised_on) as promised_on,
            case when count(*) = count(delivered_at) then max(delivered_at) end as delivered_at,
            case when count(*) = count(delivered_at) then max(days_late) end as days_late
        from s group by order_id
        """,
        s=arrivals(shipments, cutoff=cutoff),
    )


def count(sql: str, /, **names: Any) -> int:
    """Answer a question whose answer is one whole number."""
    return int(query(sql, **names).to_numpy()[0, 0])
