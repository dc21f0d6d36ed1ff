"""What are each customer's recency, frequency and monetary value, and their scores?

Three questions to the engine. The answers stay there, one row per customer; only
sums by combination of scores come out.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pandas as pd

from cxlab.data.engine import Table, query, view
from cxlab.segments.purchases import NO_PURCHASE, customer_days, known_customers
from cxlab.segments.rules import MEASURES, ScoreRule
from cxlab.segments.scores import Breaks

__all__ = ["COLUMNS", "cells", "largest", "measures", "scored"]

_AMOUNTS = ("net_amount", "monetary")
COLUMNS = dict(zip(MEASURES, ("recency_days", "frequency", "monetary"), strict=True))


def measures(orders: Table, customers: Table, *, at: datetime, day: date) -> Table:
    """One row per customer known: recency_days, frequency, net_amount, monetary."""
    days = customer_days(orders, at=at)
    return view(
        """
        with bought as (
            select customer_id, cast(sum(net_amount) as decimal(18, 2)) as net_amount,
                count(*) filter (where net_amount > 0) as frequency,
                max(placed_on) filter (where net_amount > 0) as last_on
            from days group by customer_id
        )
        select known.customer_id,
            case when b.frequency > 0 then date_diff('day', b.last_on, $day) end as recency_days,
            nullif(b.frequency, 0) as frequency,
            coalesce(b.net_amount, 0) as net_amount,
            case when b.frequency > 0
                then cast(b.net_amount / nullif(b.frequency, 0) as decimal(18, 4))
            end as monetary
        from known left join bought as b on known.customer_id = b.customer_id
        """,
        days=days,
        known=known_customers(customers, days, at=at),
        day=day,
    )


def scored(measured: Table, breaks: Mapping[str, Breaks], rules: Sequence[ScoreRule]) -> Table:
    """Add the three scores, and the segment by the first rule that fits."""
    scores = ", ".join(
        f"case when frequency > 0 then {b.sql(reverse=m == 'recency')} end as {m}_score"
        for m, b in breaks.items()
    )
    cases = " ".join(f"when {_condition(rule)} then $name_{i}" for i, rule in enumerate(rules))
    return view(
        f"""
        select s.*, case when frequency is null then $none {cases} end as segment
        from (select m.*, {scores} from m) as s
        """,
        m=measured,
        none=NO_PURCHASE,
        **{f"name_{i}": rule.name for i, rule in enumerate(rules)},
    )


def cells(scored: Table) -> pd.DataFrame:
    """Sums by segment and scores: at most a thousand rows, whatever the customers."""
    # 19 digits, since the square of 18 outgrows DuckDB's DECIMAL, in rupiah at once.
    wide = {"net_amount": "decimal(19, 2)", "monetary": "decimal(19, 4)"}
    sums = ", ".join(
        f"sum({c}) as {c}, sum(cast({c} as {kind}) * cast({c} as {kind})) as {c}_squares"
        for c, kind in {"recency_days": "bigint", "frequency": "bigint", **wide}.items()
    )
    return query(
        f"""
        select segment, recency_score, frequency_score, monetary_score,
            count(*) as customers, {sums}
        from scored group by segment, recency_score, frequency_score, monetary_score
        order by segment, recency_score, frequency_score, monetary_score
        """,
        scored=scored,
    )


def largest(scored: Table) -> pd.DataFrame:
    """What the largest customer and the two largest of each segment bring, without sign."""
    ranked = ", ".join(
        f"row_number() over (partition by segment order by abs({c}) desc, customer_id) as {c}_place"
        for c in _AMOUNTS
    )
    sums = ", ".join(
        f"sum(abs({c})) as {c}_gross, max(abs({c})) as {c}_largest, "
        f"sum(case when {c}_place <= 2 then abs({c}) else 0 end) as {c}_two_largest"
        for c in _AMOUNTS
    )
    return query(
        f"""
        with ranked as (
            select customer_id, segment, net_amount, monetary, {ranked}
            from (
                select customer_id, segment, coalesce(net_amount, 0) as net_amount,
                    coalesce(monetary, 0) as monetary
                from scored
            ) as s
        )
        select segment, {sums} from ranked group by segment order by segment
        """,
        scored=scored,
    ).set_index("segment")


def _condition(rule: ScoreRule) -> str:
    return " and ".join(
        f"{m}_score between {lo} and {hi}"
        for m, (lo, hi) in zip(MEASURES, rule.bounds, strict=True)
    )
