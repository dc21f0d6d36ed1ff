"""Whose contacts are they, and what is each about: the log as all of this room read it."""

from datetime import datetime

from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, query, view
from cxlab.errors import Withheld

__all__ = ["PLACE", "contact_view", "contacts_left_out", "is_used", "person_of"]

PLACE = (
    "activity",
    "stage",
    "touchpoint",
    "channel",
)  # what tells one kind of contact from another

_IDS = ("customer_id", "anonymous_id")
_TRUE = "coalesce(cast(is_bot as boolean), false)"


def contact_view(
    log: Table,
    *,
    cutoff: datetime,
    start: datetime | None = None,
    key: str | None = None,
    more: tuple[str, ...] = (),
) -> Table:
    """Name the contacts that are used, one row each, and whose they are.

    Parameters
    ----------
    log : Table
        The interactions; of `customer_id`, `anonymous_id`, `stage`, `touchpoint`, `channel` and
        `is_bot` those that it has.
    cutoff : datetime
        Contacts from this moment on are not known yet (UTC).
    start : datetime, optional
        Contacts from this moment on (UTC). Default: all.
    key : str, optional
        Column that says which case a row belongs to. Default: the person.
    more : tuple of str
        Further columns of the log to keep.

    Returns
    -------
    Table
        `case_id`, `person_id` (the customer, or the anonymous visitor), `customer_id`, `at_us`
        (microseconds since 1970), and the columns of `PLACE` as text.

    Raises
    ------
    Withheld
        If the log does not say whose its contacts are.
    """
    log.need("occurred_at", "activity")
    words = ", ".join(
        f"coalesce(cast({c} as varchar), '{NOT_KNOWN}') as {c}"
        if c in log.columns
        else f"'{NOT_KNOWN}' as {c}"
        for c in PLACE
    )
    case = "person_id" if key is None else f'cast("{key}" as varchar)'
    log.need(*more)
    kept = "".join(f', "{column}"' for column in more)
    # A limit on the column itself, by which parts of a file are left unread.
    from_start = "" if start is None else " and occurred_at >= $start"
    customer = "cast(customer_id as varchar)" if "customer_id" in log.columns else "null"
    return view(
        f"""
        select {case} as case_id, person_id, cast({customer} as varchar) as customer_id,
            epoch_us(occurred_at) as at_us, {words}{kept}
        from (select *, {person_of(log)} as person_id from log) as l
        where occurred_at < $cutoff{from_start} and {is_used(log)} and {case} is not null
        """,
        log=log,
        cutoff=cutoff,
        **({} if start is None else {"start": start}),
    )


def contacts_left_out(
    log: Table, *, cutoff: datetime, start: datetime | None = None, key: str | None = None
) -> dict[str, int]:
    """Count the contacts that `contact_view` leaves out, by reason."""
    is_bot = "cast(is_bot as boolean)" if "is_bot" in log.columns else "false"
    nobody = " and ".join(f"{c} is null" for c in _IDS if c in log.columns)
    no_key = "false" if key is None else f'"{key}" is null'
    known = f"not coalesce({is_bot}, false)"
    # Each count has conditions on columns alone, which Parquet can mostly answer unread.
    counts = query(
        f"""
        select max(bots) as bots, max(of_nobody) as of_nobody, max(no_key) as no_key from (
            select count(*) as bots, 0 as of_nobody, 0 as no_key from log
            where {is_bot} and occurred_at < $cutoff and occurred_at >= $start
            union all select 0, count(*), 0 from log
            where {nobody} and {known} and occurred_at < $cutoff and occurred_at >= $start
            union all select 0, 0, count(*) from log
            where {no_key} and not ({nobody}) and {known}
                and occurred_at < $cutoff and occurred_at >= $start
        ) as d
        """,
        log=log,
        cutoff=cutoff,
        start=start or datetime(1, 1, 1),
    ).iloc[0]
    reasons = {
        "by bots": counts["bots"],
        "of nobody known": counts["of_nobody"],
        f"without {key}": counts["no_key"],
    }
    return {reason: int(n) for reason, n in reasons.items() if n}


def person_of(log: Table) -> str:
    """Write who a contact is of; a visitor's number is never taken for a customer's."""
    ids = [
        sql
        for column, sql in (
            ("customer_id", "cast(customer_id as varchar)"),
            ("anonymous_id", "'anonymous ' || cast(anonymous_id as varchar)"),
        )
        if column in log.columns
    ]
    if not ids:
        raise Withheld(
            "Journeys need to know whose a contact is, but interactions have neither customer_id "
            "nor anonymous_id. Map one of them."
        )
    return f"coalesce({', '.join(ids)})" if len(ids) > 1 else ids[0]


def is_used(log: Table) -> str:
    """Write which contacts are used: those of somebody known that is no bot."""
    return "person_id is not null" + (f" and not {_TRUE}" if "is_bot" in log.columns else "")
