"""Who left in which cycle, and had they said anything before?"""

from typing import Any

import pandas as pd

from cxlab.churn.spells import spells
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.data.lab import Lab
from cxlab.errors import Withheld

__all__ = ["CHANGE_DAYS", "changers", "counted", "leavers", "voices"]

CHANGE_DAYS = 7  # between two contracts of one customer, at most, where one follows the other
_DAY_US = 86_400_000_000
_VOICES = {
    "tickets": "opened_at",
    "contacts": "started_at",
    "answers": "answered_at",
    "comments": "written_at",
}


def voices(lab: Lab) -> Table:
    """Gather when customers said something: tickets, contacts, answers and comments.

    Parameters
    ----------
    lab : Lab
        A study, opened at a cycle.

    Returns
    -------
    Table
        customer_id, occurred_at (UTC).

    Raises
    ------
    Withheld
        If the study has none of these tables: then everybody would look silent.
    """
    found = {name: lab.maybe(name) for name in _VOICES}
    tables: dict[str, Any] = {name: table for name, table in found.items() if table is not None}
    if not tables:
        raise Withheld("No table tells whether customers said something before they left.")
    union = " union all ".join(
        f"select customer_id, {_VOICES[name]} as occurred_at from {name}" for name in tables
    )
    return view(
        f"select customer_id, occurred_at from ({union}) as u where customer_id is not null",
        **tables,
    )


def counted(gone: Table) -> pd.DataFrame:
    """Customers who left in each cycle, by whether they were silent, and sums over them."""
    return query(
        """
        with each as (
            select l.*, cast(l.fee as decimal(18, 2)) as paid,
                row_number() over (partition by l.cycle, l.silent order by l.fee desc) as place
            from l
        )
        select cycle, silent, count(*) as n, count(paid) as paying, sum(paid) as paid,
            sum(cast(paid as decimal(19, 2)) * paid) as paid_2, max(paid) as largest,
            sum(case when place <= 2 then paid else 0 end) as two_largest,
            sum(days) as days, sum(days * days) as days_2
        from each group by cycle, silent order by cycle, silent
        """,
        l=gone,
    )


def changers(known: Table, cycle: Cycle) -> float:
    """Count customers of whom a subscription ended in a cycle that ran before, and who stay.

    Parameters
    ----------
    known : Table
        From `spells`.
    cycle : Cycle
        The cycle.

    Returns
    -------
    float
        Customers who kept another subscription, or began one within a week.
    """
    ended = view(
        """
        select $cycle as cycle, customer_id, max(ended_at) as ended_at from h
        where started_at < $start and ended_at >= $start and ended_at < $cutoff
        group by customer_id
        """,
        h=known, cycle=cycle.name, start=cycle.start, cutoff=cycle.cutoff,
    )  # fmt: skip
    window = pd.DataFrame({"cycle": [cycle.name], "until": [cycle.cutoff]})
    changed = _changed(known, ended, window)
    return float(query("select count(*) as n from c", c=changed)["n"][0])


def _changed(known: Table, ended: Table, windows: pd.DataFrame) -> Table:
    """Name those who kept another subscription at the last end, or began one within a week."""
    return view(
        f"""
        select distinct l.cycle, l.customer_id
        from l join w on l.cycle = w.cycle join h on l.customer_id = h.customer_id
        where (h.ended_at is null or h.ended_at > l.ended_at) and h.started_at < w.until
            and epoch_us(h.started_at) <= epoch_us(l.ended_at) + {CHANGE_DAYS * _DAY_US}
        """,
        l=ended, w=windows, h=known,
    )  # fmt: skip


def leavers(
    subscriptions: TableLike, said: TableLike, cycles: list[Cycle], days: int, by: str | None
) -> Table:
    """Name each customer of whom a subscription ended in each cycle, and whether they left.

    Fee, days under contract and whether silent; `stays` is 1 of those who kept another
    subscription, or began one within a week, as known at the end of the cycle: a contract was
    changed, and nobody left.
    """
    known = spells(subscriptions, cutoff=cycles[0].cutoff)
    known, spoken = in_one_engine(known, said)
    group = "" if by is None else f', max(cast(h."{by}" as varchar)) as grp'
    known.need(*([] if by is None else [by]))
    windows = pd.DataFrame(
        {
            "cycle": [c.name for c in cycles],
            "since": [c.start for c in cycles],
            "until": [c.cutoff for c in cycles],
        }
    )
    fee = "h.monthly_amount" if "monthly_amount" in known.columns else "null"
    leavers = keep(
        view(
            f"""
            select w.cycle, h.customer_id, max(h.ended_at) as ended_at,
                cast(floor((max(epoch_us(h.ended_at)) - min(epoch_us(h.started_at))) / {_DAY_US})
                    as bigint) as days,
                sum(cast({fee} as decimal(18, 2))) as fee{group}
            from h join w on h.ended_at >= w.since and h.ended_at < w.until
            group by w.cycle, h.customer_id
            """,
            h=known, w=windows,
        )
    )  # fmt: skip
    others = _changed(known, leavers, windows)
    heard = view(
        f"""
        select distinct l.cycle, l.customer_id from l join s on l.customer_id = s.customer_id
        where s.occurred_at < l.ended_at
            and epoch_us(s.occurred_at) >= epoch_us(l.ended_at) - {days * _DAY_US}
        """,
        l=leavers, s=spoken,
    )  # fmt: skip
    return keep(
        view(
            """
            select l.*, case when v.customer_id is null then 1 else 0 end as silent,
                case when o.customer_id is null then 0 else 1 end as stays
            from l left join v on l.cycle = v.cycle and l.customer_id = v.customer_id
            left join o on l.cycle = o.cycle and l.customer_id = o.customer_id
            """,
            l=leavers, v=heard, o=others,
        )
    )  # fmt: skip
