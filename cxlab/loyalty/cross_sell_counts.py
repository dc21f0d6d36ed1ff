"""Who had bought what before a cycle, and what came new in it: counts of customers and items."""

from dataclasses import dataclass, field

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.loyalty.sales import standing

__all__ = ["MOST", "Lines", "held_and_next", "lines_of", "sold", "two_cycles"]

MOST = 12  # kinds of things told apart, those with the most customers


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """The order lines that count, with their customers and moments.

    Attributes
    ----------
    table : Table
        `customer_id`, `item`, `placed_at`, `sale`, `amount`, `is_bundle`; kept in the engine.
    items : list of str
        The things told apart, those with the most customers first.
    is_told : bool
        Whether the lines say of themselves what kind of sale they are.
    """

    table: Table = field(repr=False)
    items: list[str]
    is_told: bool


def lines_of(orders: TableLike, order_lines: TableLike, *, item: str, cycle: Cycle) -> Lines:
    """Join the lines that stand with their orders; none of the cycle's end or later."""
    placed = standing(orders).need("order_id", "customer_id", "placed_at")
    lines = placed.engine.table(order_lines).need("order_id", "net_amount", item)
    is_told = "sale_type" in lines.columns
    sale = "coalesce(l.sale_type, 'other')" if is_told else "'other'"
    gone = "l.cancelled_at is null" if "cancelled_at" in lines.columns else "1 = 1"
    table = keep(
        view(
            f"""
            select o.customer_id, cast(l."{item}" as varchar) as item, o.placed_at, {sale} as sale,
                cast(l.net_amount as decimal(18, 2)) as amount,
                case when {sale} = 'bundle' then 1 else 0 end as is_bundle
            from l join o on l.order_id = o.order_id
            where {gone} and o.placed_at < $cutoff and o.customer_id is not null
                and l."{item}" is not null
            """,
            l=lines,
            o=placed,
            cutoff=cycle.cutoff,
        )
    )
    items = query(
        f"select item, count(distinct customer_id) as n from t group by item "
        f"order by n desc, item limit {MOST}",
        t=table,
    )
    return Lines(table=table, items=items["item"].tolist(), is_told=is_told)


def held_and_next(lines: Lines, cycle: Cycle) -> tuple[int, pd.DataFrame, pd.DataFrame]:
    """Count who could buy an item for the first time, and who did.

    Returns
    -------
    int
        Customers who had bought anything before the cycle.
    pandas.DataFrame
        By `item`: `holders` before the cycle, `bought` (others who first bought it in the cycle,
        and not in a bundle).
    pandas.DataFrame
        By `had` and `item`: `both` (holders of both), `bought` (of the holders of `had`).
    """
    first = keep(
        view(
            """
            select customer_id, item, min(placed_at) as first_at,
                min(case when is_bundle = 0 then placed_at end) as chosen_at
            from t where item in (select item from i) group by customer_id, item
            """,
            t=lines.table,
            i=pd.DataFrame({"item": lines.items}, dtype="object"),
        )
    )
    held = view("select customer_id, item from f where first_at < $start", f=first,
                start=cycle.start)  # fmt: skip
    came = view(
        """
        select f.customer_id, f.item from f join (select distinct customer_id from h) as k
            on f.customer_id = k.customer_id
        where f.first_at >= $start and f.chosen_at = f.first_at
        """,
        f=first,
        h=held,
        start=cycle.start,
    )
    existing = int(query("select count(distinct customer_id) as n from h", h=held)["n"][0])
    each = query(
        """
        select item, sum(holders) as holders, sum(bought) as bought from (
            select item, 1 as holders, 0 as bought from h
            union all select item, 0, 1 from c
        ) as d group by item order by item
        """,
        h=held,
        c=came,
    )
    pairs = query(
        """
        select had, item, sum(held) as held, sum(bought) as bought from (
            select a.item as had, b.item, 1 as held, 0 as bought
            from h as a join h as b on a.customer_id = b.customer_id where a.item <> b.item
            union all
            select a.item, c.item, 0, 1 from h as a join c on a.customer_id = c.customer_id
        ) as d group by had, item order by had, item
        """,
        h=held,
        c=came,
    )
    return existing, each, pairs.rename(columns={"held": "both"})


def sold(lines: Lines, cycle: Cycle, sale: str) -> pd.DataFrame:
    """Add up the lines of one kind of sale in the cycle, by item and in all.

    Returns
    -------
    pandas.DataFrame
        `item` (missing for all), `lines`, `people`, `total`, `gross`, `largest`, `two_largest` of
        a customer.
    """
    return query(
        """
        with person as (
            select item, customer_id, count(*) as n, sum(amount) as amount
            from t where sale = $sale and placed_at >= $start group by item, customer_id
            union all
            select null, customer_id, count(*), sum(amount)
            from t where sale = $sale and placed_at >= $start group by customer_id
        ),
        ranked as (
            select item, n, amount, row_number() over (
                partition by item order by abs(amount) desc, customer_id) as nth
            from person
        )
        select item, sum(n) as lines, count(*) as people, sum(amount) as total,
            sum(abs(amount)) as gross, max(abs(amount)) as largest,
            sum(case when nth <= 2 then abs(amount) else 0 end) as two_largest
        from ranked group by item order by lines desc, item
        """,
        t=lines.table,
        sale=sale,
        start=cycle.start,
    )


def two_cycles(lines: Lines, cycle: Cycle, sale: str) -> pd.Series:
    """Count who could buy more in this cycle and the one before, and who did in which.

    Returns
    -------
    pandas.Series
        `now`, `before`: customers who had bought before each; `bought_now`, `bought_before`;
        `of_before`: of those of before, who bought now; `both`: who bought in both.
    """
    return query(
        """
        with person as (
            select customer_id, min(placed_at) as first_at,
                max(case when sale = $sale and placed_at >= $start then 1 else 0 end) as x,
                max(case when sale = $sale and placed_at >= $earlier and placed_at < $start
                    then 1 else 0 end) as y
            from t group by customer_id
        )
        select count(*) as now, coalesce(sum(x), 0) as bought_now,
            coalesce(sum(case when first_at < $earlier then 1 else 0 end), 0) as before,
            coalesce(sum(case when first_at < $earlier then y else 0 end), 0) as bought_before,
            coalesce(sum(case when first_at < $earlier then x else 0 end), 0) as of_before,
            coalesce(sum(case when first_at < $earlier then x * y else 0 end), 0) as both
        from person where first_at < $start
        """,
        t=lines.table,
        sale=sale,
        start=cycle.start,
        earlier=cycle.previous.start,
    ).iloc[0]
