"""Whose contacts are they, and what is each about: the log as all of this room read it."""

from datetime import datetime

from cxlab.data.engine import Table, query, view
from cxlab.errors import Withheld

__all__ = ["NOT_KNOWN", "PLACE", "contact_view", "contacts_left_out", "is_used", "person_of"]

NOT_KNOWN = "not known"
PLACE = (
    "activity",
    "stage",
    "touchpoint",
    "channel",
)  # what tells one kind of contact from another

_TRUE = "coalesce(cast(is_bot as boolean), false)"


def contact_view(
    log: Table, *, cutoff: datetime, key: str | None = None, more: tuple[str, ...] = ()
) -> Table:
    """Name the contacts that are used, one row each, and whose they are.

    Parameters
    ----------
    log : Table
        The interactions; of `customer_id`, `anonymous_id`, `stage`, `touchpoint`, `channel` and
        `is_bot` those that it has.
    cutoff : datetime
        Contacts from this moment on are not known yet (UTC).
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
    customer = "cast(customer_id as varchar)" if "customer_id" in log.columns else "null"
    return view(
        f"""
        select {case} as case_id, person_id, cast({customer} as varchar) as customer_id,
            epoch_us(occurred_at) as at_us, {words}{kept}
        from (select *, {person_of(log)} as person_id from log) as l
        where occurred_at < $cutoff and {is_used(log)} and {case} is not null
        """,
        log=log,
        cutoff=cutoff,
    )


def contacts_left_out(
    log: Table, *, cutoff: datetime, start: datetime | None = None, key: str | None = None
) -> dict[str, int]:
    """Count the contacts that `contact_view` leaves out, by reason."""
    is_bot = _TRUE if "is_bot" in log.columns else "false"
    no_key = "false" if key is None else f'"{key}" is null'
    counts = query(
        f"""
        select count(*) filter (where {is_bot}) as bots,
            count(*) filter (where not {is_bot} and person_id is null) as of_nobody,
            count(*) filter (where not {is_bot} and person_id is not null and {no_key}) as no_key
        from (select *, {person_of(log)} as person_id from log) as l
        where occurred_at < $cutoff and occurred_at >= $start
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
