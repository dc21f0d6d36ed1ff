"""Subscriptions as they were known at a moment: what ended later was still running then."""

from datetime import datetime

from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, TableLike, in_one_engine, view

__all__ = ["CAUSES", "SAID", "spells"]

CAUSES = ("voluntary", "involuntary")
SAID = {"voluntary": " of their own will", "involuntary": " without their will", "any": ""}


def spells(subscriptions: TableLike, *, cutoff: datetime) -> Table:
    """Name each subscription's time under contract, as known before a moment.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at` (missing while it runs),
        and where known `end_kind` (voluntary, involuntary).
    cutoff : datetime.datetime
        Nothing from this moment on is known yet (UTC).

    Returns
    -------
    Table
        One row per subscription that had begun: its columns, but `ended_at` missing where it
        ended later, and `cause`, missing where it had not ended: voluntary, involuntary, or
        not known.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    """
    (given,) = in_one_engine(subscriptions)
    given.need("subscription_id", "customer_id", "started_at", "ended_at")
    kind = "end_kind" if "end_kind" in given.columns else "null"
    rest = [c for c in given.columns if c not in ("ended_at", "end_kind", "end_reason")]
    listed = ", ".join(f'"{column}"' for column in rest)
    return view(
        f"""
        select {listed}, case when ended_at < $cutoff then ended_at end as ended_at,
            case when ended_at < $cutoff
                then coalesce(cast({kind} as varchar), '{NOT_KNOWN}') end as cause
        from s where started_at < $cutoff
        """,
        s=given,
        cutoff=cutoff,
    )
