"""How each customer's revenue moved in a cycle: what was there, what came, what went.

Two tables, made alike from subscriptions and from orders: one row per customer with what
they brought when the cycle began and when it ended, and one row per movement between the two.
Amounts are exact decimals, so that opening and movements add up to closing to the cent.
"""

from dataclasses import dataclass

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, view
from cxlab.loyalty.sales import standing

__all__ = ["Moved", "from_orders", "from_subscriptions"]

_MONEY = "decimal(18, 2)"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What customers brought, and how it moved.

    Attributes
    ----------
    each : Table
        `customer_id`, `opening`, `closing`.
    parts : Table
        `customer_id`, `movement`, `amount`; of one customer they add up to closing - opening.
    """

    each: Table
    parts: Table


def from_orders(orders: TableLike, *, cycle: Cycle) -> Moved:
    """Take what each customer ordered in the cycle before for opening, and in this for closing.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and `status` where known.
    cycle : Cycle
        Orders of its cutoff or later are not looked at.

    Returns
    -------
    Moved
        Movements: new, returned (ordered before the cycle before), more, less, stopped.
    """
    table = standing(orders).need("customer_id", "placed_at", "net_amount")
    each = keep(
        view(
            f"""
            select customer_id, cast(sum(case when age = 1 then net else 0 end) as {_MONEY})
                    as opening,
                cast(sum(case when age = 0 then net else 0 end) as {_MONEY}) as closing,
                max(case when age = 0 then 1 else 0 end) as is_now,
                max(case when age = 1 then 1 else 0 end) as was_before,
                max(case when age = 2 then 1 else 0 end) as was_ever
            from (
                select customer_id, cast(net_amount as {_MONEY}) as net,
                    case when cast(placed_at as timestamp) >= $start then 0
                        when cast(placed_at as timestamp) >= $start_before then 1 else 2 end as age
                from o where cast(placed_at as timestamp) < $cutoff
            ) as placed group by customer_id
            """,
            o=table,
            start_before=cycle.previous.start,
            start=cycle.start,
            cutoff=cycle.cutoff,
        )
    )
    parts = view(
        f"""
        select customer_id, cast(closing - opening as {_MONEY}) as amount,
            case when was_before = 0 and was_ever = 0 then 'new'
                when was_before = 0 then 'returned'
                when is_now = 0 then 'stopped'
                when closing < opening then 'less' else 'more' end as movement
        from e where closing <> opening
        """,
        e=each,
    )
    return Moved(each=each, parts=parts)


def from_subscriptions(
    subscriptions: TableLike, changes: TableLike | None, *, cycle: Cycle
) -> Moved:
    """Take each customer's monthly amounts at the cycle's two ends for opening and closing.

    Parameters
    ----------
    subscriptions : table
        `subscription_id`, `customer_id`, `started_at`, `ended_at`, `monthly_amount` (at the
        start), and `end_kind` where known.
    changes : table, optional
        `subscription_id`, `changed_at`, `kind`, `monthly_amount_before`,
        `monthly_amount_after`. What is paused brings nothing.
    cycle : Cycle
        What was known at its end.

    Returns
    -------
    Moved
        Movements: new, reactivation, cross-sell (another subscription), upsell (a dearer one),
        price rise, contraction (a cheaper one, one of several less, or a pause), and churn
        (voluntary, involuntary, not known) of those who bring nothing any more. What one
        customer adds and drops is set off.
    """
    if changes is None:
        (held,) = in_one_engine(subscriptions)
        priced = view(f"select s.*, {_NO_CHANGE} from s", s=held)
    else:
        held, given = in_one_engine(subscriptions, changes)
        priced = _changed(held, given, cycle)
    held.need("subscription_id", "customer_id", "started_at", "ended_at", "monthly_amount")
    each = keep(_by_customer(priced, cycle, has_kind="end_kind" in held.columns))
    more = "closing > opening and opening > 0"
    gone = "closing = 0 and opening > 0 and last_end is not null"
    cross = "case when cross_sold > gained then gained else cross_sold end"
    price = "case when dearer > rest then rest else dearer end"
    parts = view(
        f"""
        select customer_id, movement, cast(amount as {_MONEY}) as amount from (
            select customer_id, case when was_ever = 0 then 'new' else 'reactivation' end
                as movement, closing as amount
            from e where opening = 0 and closing > 0
            union all
            select customer_id, case when {gone} then concat('churn, ', last_end)
                else 'contraction' end, closing - opening from e where closing < opening
            union all
            select customer_id, 'cross-sell', gained - rest from g
            union all
            select customer_id, 'price rise', raised from g
            union all
            select customer_id, 'upsell', rest - raised from g
        ) as m where amount <> 0
        """,
        e=each,
        g=view(
            f"""
            select customer_id, gained, rest, {price} as raised from (
                select customer_id, dearer, gained, gained - {cross} as rest from (
                    select customer_id, dearer, cross_sold, closing - opening as gained
                    from e where {more}
                ) as a
            ) as b
            """,
            e=each,
        ),
    )
    return Moved(each=each, parts=parts)


_NO_CHANGE = (
    f"cast(null as {_MONEY}) as old_after, cast(null as {_MONEY}) as new_before, "
    f"cast(null as {_MONEY}) as new_after, cast(null as bigint) as old_paused, "
    f"cast(null as bigint) as new_paused, cast(0 as {_MONEY}) as dearer"
)


def _changed(held: Table, given: Table, cycle: Cycle) -> Table:
    """Add what changes say of each subscription before the cycle (old) and in it (new)."""
    given.need(
        "subscription_id", "changed_at", "kind", "monthly_amount_before", "monthly_amount_after"
    )
    sums = view(
        f"""
        select subscription_id,
            max(case when inside = 0 and back = 1 then after_it end) as old_after,
            max(case when inside = 1 and ahead = 1 then before_it end) as new_before,
            max(case when inside = 1 and back = 1 then after_it end) as new_after,
            max(case when inside = 0 and rests = 1 and back_rest = 1 then is_pause end)
                as old_paused,
            max(case when inside = 1 and rests = 1 and back_rest = 1 then is_pause end)
                as new_paused,
            cast(sum(case when inside = 1 and kind = 'price_rise' and after_it > before_it
                then after_it - before_it else 0 end) as {_MONEY}) as dearer
        from (
            select *,
                row_number() over (
                    partition by subscription_id, inside order by changed_at desc, kind) as back,
                row_number() over (
                    partition by subscription_id, inside order by changed_at, kind) as ahead,
                row_number() over (
                    partition by subscription_id, inside, rests order by changed_at desc, kind)
                    as back_rest
            from (
                select subscription_id, kind, cast(changed_at as timestamp) as changed_at,
                    cast(monthly_amount_before as {_MONEY}) as before_it,
                    cast(monthly_amount_after as {_MONEY}) as after_it,
                    case when cast(changed_at as timestamp) >= $start then 1 else 0 end as inside,
                    case when kind in ('pause', 'resume', 'reactivate') then 1 else 0 end as rests,
                    case when kind = 'pause' then 1 else 0 end as is_pause
                from c where cast(changed_at as timestamp) < $cutoff
            ) as a
        ) as b group by subscription_id
        """,
        c=given,
        start=cycle.start,
        cutoff=cycle.cutoff,
    )
    return view(
        """
        select s.*, c.old_after, c.new_before, c.new_after, c.old_paused, c.new_paused,
            coalesce(c.dearer, 0) as dearer
        from s left join c on s.subscription_id = c.subscription_id
        """,
        s=held,
        c=sums,
    )


def _by_customer(priced: Table, cycle: Cycle, *, has_kind: bool) -> Table:
    """Add up what each customer's subscriptions bring at both ends of the cycle."""
    kind = "coalesce(cast(end_kind as varchar), 'not known')" if has_kind else "'not known'"
    return view(
        f"""
        select customer_id, cast(sum(a) as {_MONEY}) as opening,
            cast(sum(z) as {_MONEY}) as closing, max(was_ever) as was_ever,
            cast(sum(case when a = 0 then z else 0 end) as {_MONEY}) as cross_sold,
            cast(sum(case when a > 0 and z > 0 then dearer else 0 end) as {_MONEY}) as dearer,
            -- 'voluntary' sorts last: one ending by will makes it the customer's own.
            max(case when ended_here = 1 then kind end) as last_end
        from (
            select customer_id, dearer, {kind} as kind,
                case when started < $start then 1 else 0 end as was_ever,
                case when ended >= $start and ended < $cutoff then 1 else 0 end as ended_here,
                case when started < $start and (ended is null or ended >= $start)
                    and coalesce(old_paused, 0) = 0
                    then coalesce(old_after, new_before, monthly, 0) else 0 end as a,
                case when (ended is null or ended >= $cutoff)
                    and coalesce(new_paused, old_paused, 0) = 0
                    then coalesce(new_after, old_after, monthly, 0) else 0 end as z
            from (
                select *, cast(started_at as timestamp) as started,
                    cast(ended_at as timestamp) as ended,
                    cast(monthly_amount as {_MONEY}) as monthly
                from p where cast(started_at as timestamp) < $cutoff
            ) as b
        ) as c group by customer_id
        """,
        p=priced,
        start=cycle.start,
        cutoff=cycle.cutoff,
    )
