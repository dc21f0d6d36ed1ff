"""What customers brought, and what serving them cost: sums in all and by group."""

from typing import TypeAlias

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, in_one_engine, query, view
from cxlab.loyalty.histories import Base

__all__ = ["Sums", "added", "brought", "served"]

Sums: TypeAlias = dict[str, float]  # total, gross, largest, two_largest, n, some, purchases


def brought(base: Base, by: TableLike | None) -> dict[str | None, Sums]:
    """Add up what customers brought so far; None is all of them, the others are groups."""
    each = view("select customer_id, x + 1 as times, ever as amount from b", b=base.each)
    return _summed(each, by)


def served(
    base: Base, contacts: TableLike, cycle: Cycle, by: TableLike | None
) -> dict[str | None, Sums]:
    """Add up what contacts with these customers cost before the end of a cycle.

    Parameters
    ----------
    base : Base
        The customers.
    contacts : table
        `customer_id`, `started_at`, `cost_amount`; of contacts without a cost none is known.
    cycle : Cycle
        Contacts of its cutoff or later are not looked at.
    by : table, optional
        `customer_id` and one more column.

    Returns
    -------
    dict
        None is all customers, the others are groups.
    """
    _, given = in_one_engine(base.each, contacts)
    given.need("customer_id", "started_at", "cost_amount")
    each = view(
        """
        select b.customer_id, b.x + 1 as times, coalesce(k.cost, 0) as amount
        from b left join (
            select customer_id, sum(cast(cost_amount as decimal(18, 2))) as cost
            from c where started_at < $cutoff and cost_amount is not null group by customer_id
        ) as k on b.customer_id = k.customer_id
        """,
        b=base.each,
        c=given,
        cutoff=cycle.cutoff,
    )
    return _summed(each, by)


def _summed(each: Table, by: TableLike | None) -> dict[str | None, Sums]:
    split, name = grouped(each, by) if by is not None else (each, None)
    group = f'b."{name}"' if name else "'all'"
    ranked = view(
        f"""
        select {group} as grp, amount, times, row_number() over (
            partition by {group} order by abs(amount) desc, customer_id) as place from b
        """,
        b=split,
    )
    found = query(
        """
        select grp, sum(amount) as total, sum(abs(amount)) as gross, max(abs(amount)) as largest,
            sum(case when place <= 2 then abs(amount) else 0 end) as two_largest, count(*) as n,
            sum(case when amount <> 0 then 1 else 0 end) as some, sum(times) as purchases
        from r group by grp order by grp
        """,
        r=ranked,
    ).set_index("grp")
    rows = {str(k): {str(n): float(v) for n, v in r.items()} for k, r in found.T.to_dict().items()}
    sums: dict[str | None, Sums] = {None: added(list(rows.values()))}
    return sums | (rows if name else {})


def added(rows: list[Sums]) -> Sums:
    """Sums of groups together; the two largest of all are no more than those of the largest."""
    both = sorted((r["two_largest"] - r["largest"] for r in rows), reverse=True)
    tops = sorted([r["largest"] for r in rows] + both, reverse=True)
    plain = ("total", "gross", "n", "some", "purchases")
    return {k: sum(r[k] for r in rows) for k in plain} | {
        "largest": tops[0], "two_largest": sum(tops[:2]),
    }  # fmt: skip
