"""Subscriptions as they were known at a moment: what ended later was still running then.

Many systems write a contract that is changed as one that ends and another that begins. Nobody
left then: such an end has no cause here, and the subscription counts as running until then.
"""

from datetime import datetime

from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, TableLike, in_one_engine, query, repeated, view

__all__ = ["CAUSES", "CHANGE_DAYS", "SAID", "spells"]

CAUSES = ("voluntary", "involuntary")
SAID = {"voluntary": " of their own will", "involuntary": " without their will", "any": ""}
CHANGE_DAYS = 7  # between two contracts of one customer, at most, where one follows the other
_CHANGE_US = CHANGE_DAYS * 86_400_000_000


def spells(subscriptions: TableLike, *, cutoff: datetime) -> Table:
    """Name each subscription's time under contract, as known before a moment.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at` (missing while it runs),
        and where known `end_kind` (voluntary, involuntary). `is_followed` is taken as it is.
    cutoff : datetime.datetime
        Nothing from this moment on is known yet (UTC).

    Returns
    -------
    Table
        One row per subscription that had begun: its columns, but `ended_at` missing where it
        ended later; `is_followed`, 1 where it ended within a week of the beginning of a later
        one of the same customer that outlasted it; and `cause`, missing where it had not ended
        or was followed: voluntary, involuntary, or not known. Where customers have several,
        `person`: the customer where they do, and missing where this is their only one.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    """
    (given,) = in_one_engine(subscriptions)
    given.need("subscription_id", "customer_id", "started_at", "ended_at")
    known = _marked(given, cutoff)
    kind = "end_kind" if "end_kind" in given.columns else "null"
    rest = [c for c in known.columns if c not in ("ended_at", "end_kind", "end_reason")]
    listed = ", ".join(f'"{column}"' for column in rest)
    return view(
        f"""
        select {listed}, case when ended_at < $cutoff then ended_at end as ended_at,
            case when ended_at < $cutoff and is_followed = 0
                then coalesce(cast({kind} as varchar), '{NOT_KNOWN}') end as cause
        from s where started_at < $cutoff
        """,
        s=known,
        cutoff=cutoff,
    )


def _marked(given: Table, cutoff: datetime) -> Table:
    """Add who has several subscriptions, and which of them were followed by another one."""
    told = "is_followed" in given.columns
    several = repeated(given, "customer_id")
    if not int(query("select count(*) as n from s", s=several)["n"][0]):
        return given if told else view("select g.*, 0 as is_followed from g", g=given)
    named = view(
        "select g.*, s.customer_id as person from g left join s on g.customer_id = s.customer_id",
        g=given,
        s=several,
    )
    if told:
        return named
    followed = view(
        f"""
        select distinct e.subscription_id
        from n as e join n as f on e.person = f.person
        where e.ended_at < $cutoff and f.started_at < $cutoff and f.started_at > e.started_at
            and abs(epoch_us(f.started_at) - epoch_us(e.ended_at)) <= {_CHANGE_US}
            and (f.ended_at is null or f.ended_at > e.ended_at)
        """,
        n=named,
        cutoff=cutoff,
    )
    return view(
        """
        select n.*, case when f.subscription_id is null then 0 else 1 end as is_followed
        from n left join f on n.subscription_id = f.subscription_id
        """,
        n=named,
        f=followed,
    )
