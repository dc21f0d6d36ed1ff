"""Which purchases had a contact that we can see, and which contacts come out of nowhere?"""

from typing import Any

import pandas as pd

from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.data.span import span_us
from cxlab.journeys.cases import Journeys

__all__ = ["antecedent_sums", "antecedents", "purchase_sums", "purchases"]

_SUMS = """
    select name, count(*) as persons, count(*) filter (where y > 0) as met, sum(n) as n,
        sum(y) as total, sum(n * n) as n_n, sum(n * y) as n_total, sum(y * y) as total_total
    from person group by name order by name
"""


def purchases(
    journeys: Journeys, orders: TableLike, windows: pd.DataFrame, *, window: str
) -> Table:
    """Say of each purchase whether a contact can be seen before it.

    Parameters
    ----------
    journeys : Journeys
        Contacts until and outside outcomes count; those of later stages, and the outcome
        itself, do not, and neither does what happens at the very moment of a purchase: that is
        the purchase, as another system logs it.
    orders : table
        `customer_id`, `placed_at` (UTC), and `status`, `channel` where known; cancelled ones
        are left out, and orders of one moment are one purchase.
    windows : pandas.DataFrame
        `cycle`, `start_us`, `cutoff_us`.
    window : str
        How far back a contact may lie; the purchase before ends it sooner.

    Returns
    -------
    Table
        `cycle`, `customer_id`, `channel`, `is_seen`; kept in the engine.
    """
    leads = journeys.places[~journeys.places["is_after"] & ~journeys.places["is_outcome"]]
    placed = keep(_placed(orders))
    # Numbers of those who bought: nobody else's contacts are sorted, and no text is.
    buyers = keep(
        view(
            "select customer_id, row_number() over (order by customer_id) as buyer "
            "from (select distinct customer_id from o) as d",
            o=placed,
        )
    )
    order = "partition by buyer order by at_us, 1 - is_order"
    return keep(
        view(
            f"""
            with events as (
                select m.buyer, t.at_us, 0 as is_order
                from t join p on t.place = p.place join (
                    select j.journey, b.buyer from j join b on j.customer_id = b.customer_id
                ) as m on t.journey = m.journey
                where t.at_us >= $since
                union all
                select b.buyer, o.at_us, 1 from o join b on o.customer_id = b.customer_id
            ),
            looked as (
                select buyer, at_us, is_order, max(case when is_order = 0 then at_us end) over (
                        {order} rows between unbounded preceding and current row) as contact_us,
                    max(case when is_order = 1 then at_us end) over (
                        {order} rows between unbounded preceding and 1 preceding) as order_us
                from events
            )
            select w.cycle, o.customer_id, o.channel,
                case when l.contact_us >= l.at_us - {span_us(window)}
                    and (l.order_us is null or l.contact_us > l.order_us) then 1 else 0
                    end as is_seen
            from looked as l join w on l.at_us >= w.start_us and l.at_us < w.cutoff_us
            join b on l.buyer = b.buyer
            join o on b.customer_id = o.customer_id and l.at_us = o.at_us
            where l.is_order = 1
            """,
            t=journeys.touches,
            j=journeys.journeys,
            p=leads[["place"]],
            b=buyers,
            o=placed,
            w=windows,
            since=_reach(windows, window),
        )
    )


def purchase_sums(bought: Table, *, by: str, cycle: str | None = None) -> pd.DataFrame:
    """Sum purchases and those seen over customers, by cycle or channel."""
    only = "" if cycle is None else "where cycle = $cycle"
    return query(
        f"""
        with person as (
            select coalesce({by}, 'not known') as name, customer_id, count(*) as n,
                sum(is_seen) as y
            from b {only} group by coalesce({by}, 'not known'), customer_id
        ) {_SUMS}
        """,
        b=bought,
        **_given(cycle=cycle),
    )


def antecedents(
    journeys: Journeys, orders: TableLike | None, windows: pd.DataFrame, *, window: str
) -> Table:
    """Say of each contact of a later stage whether anything can be seen that it came of.

    Returns
    -------
    Table
        `cycle`, `person` (a number), `place`, `is_unexplained`: neither a contact nor an order
        of the person in the window before it. Kept in the engine.
    """
    bought = "" if orders is None else (
        " union all select m.person, o.at_us, 0 as is_contact, null as place from o join ("
        "select distinct person, person_id from j) as m on o.customer_id = m.person_id"
    )  # fmt: skip
    names = {} if orders is None else {"o": keep(_placed(orders))}
    return keep(
        view(
            f"""
            with served as (
                select distinct j.person from t join p on t.place = p.place
                join j on t.journey = j.journey
            ),
            events as (
                select m.person, t.at_us, 1 as is_contact, t.place
                from t join (
                    select j.journey, j.person from j join served as s on j.person = s.person
                ) as m on t.journey = m.journey
                where t.at_us >= $since{bought}
            ),
            looked as (
                select person, at_us, place, lag(at_us) over (
                    partition by person order by at_us, is_contact, place
                ) as before_us
                from events
            )
            select w.cycle, l.person, l.place,
                case when l.before_us >= l.at_us - {span_us(window)} then 0 else 1
                    end as is_unexplained
            from looked as l join p on l.place = p.place
            join w on l.at_us >= w.start_us and l.at_us < w.cutoff_us
            """,
            t=journeys.touches,
            j=journeys.journeys,
            p=journeys.places.loc[journeys.places["is_after"], ["place"]],
            w=windows,
            since=_reach(windows, window),
            **names,
        )
    )


def antecedent_sums(
    contacts: Table, *, by: pd.DataFrame | None = None, cycle: str | None = None
) -> pd.DataFrame:
    """Sum contacts and the unexplained over people, by cycle or a word of the place."""
    name = "c.cycle" if by is None else "p.name"
    joined = "" if by is None else " join p on c.place = p.place"
    only = "" if cycle is None else "where c.cycle = $cycle"
    return query(
        f"""
        with person as (
            select {name} as name, c.person, count(*) as n, sum(c.is_unexplained) as y
            from c{joined} {only} group by {name}, c.person
        ) {_SUMS}
        """,
        c=contacts,
        **_given(p=by, cycle=cycle),
    )


def _reach(windows: pd.DataFrame, window: str) -> int:
    """Give the first moment that anybody looks back to, microseconds since 1970."""
    return int(windows["start_us"].min()) - span_us(window)


def _placed(orders: TableLike) -> Table:
    """Name the purchases that stand: customer_id, at_us, channel."""
    table = view("select * from o", o=orders).need("customer_id", "placed_at")
    stands = "coalesce(status, '') <> 'cancelled'" if "status" in table.columns else "1 = 1"
    channel = "min(cast(channel as varchar))" if "channel" in table.columns else "'not known'"
    return view(
        f"""
        select cast(customer_id as varchar) as customer_id, epoch_us(placed_at) as at_us,
            {channel} as channel
        from o where {stands} and customer_id is not null and placed_at is not null
        group by cast(customer_id as varchar), epoch_us(placed_at)
        """,
        o=table,
    )


def _given(**names: Any) -> dict[str, Any]:
    """Keep the names of a query that it has a use for."""
    return {name: value for name, value in names.items() if value is not None}
