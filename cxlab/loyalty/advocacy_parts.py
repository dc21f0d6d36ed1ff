"""The parts of a comparison of referred and paid customers: staying, revenue and cost."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, query, view
from cxlab.data.span import moment_us
from cxlab.loyalty.sales import standing
from cxlab.report.disclosure import Money
from cxlab.report.finding import interval_row

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.intervals import Interval
    from cxlab.stats.survival.curve import SurvivalCurve

__all__ = ["FEWEST", "SIDES", "costs_rows", "first_year_rows", "kept_rows"]

FEWEST = 20  # customers on each side
SIDES = ("referred", "paid")
_WEEK = 7
_YEAR = 364  # days: whole weeks
_MONEY = "decimal(18, 2)"


def kept_rows(
    orders: TableLike, come: Table, cycle: Cycle, lapse_days: int, won: dict[str, float]
) -> list[dict[str, Any]]:
    """Days until the first long silence, within the first year."""
    from cxlab.stats.survival import compare_restricted_means, product_limit

    lapse = timedelta(days=lapse_days)
    weeks = query(
        f"""
        with gaps as (
            select f.origin, f.customer_id, f.first_at, o.placed,
                lead(o.placed) over (
                    partition by f.customer_id order by o.placed) as next_placed
            from f join (
                select customer_id, cast(placed_at as timestamp) as placed from o
                where cast(placed_at as timestamp) < $cutoff
            ) as o on f.customer_id = o.customer_id
        ),
        ends as (
            select origin, customer_id, first_at, min(placed) as last_at from gaps
            where coalesce(epoch_us(next_placed), $cutoff_us) - epoch_us(placed) > $lapse_us
            group by origin, customer_id, first_at
        ),
        lives as (
            select f.origin, case when e.last_at is null then 0 else 1 end as gone,
                coalesce(epoch_us(e.last_at) + $lapse_us, $cutoff_us) - epoch_us(f.first_at)
                    as lived
            from f left join ends as e on f.customer_id = e.customer_id
        )
        select origin, cast(floor(lived / {_WEEK * 86_400_000_000}) as bigint) + 1 as week,
            sum(gone) as gone, sum(1 - gone) as left_open
        from lives group by origin, cast(floor(lived / {_WEEK * 86_400_000_000}) as bigint) + 1
        order by origin, week
        """,
        f=come,
        o=standing(orders),
        cutoff=cycle.cutoff,
        cutoff_us=moment_us(cycle.cutoff),
        lapse_us=lapse // timedelta(microseconds=1),
    )
    curves: dict[str, SurvivalCurve] = {}
    gone: dict[str, float] = {}
    for side in SIDES:
        mine = weeks[weeks["origin"] == side]
        curves[side] = product_limit(mine["week"], mine["gone"], mine["left_open"])
        gone[side] = float(mine["gone"].sum())
    # A curve that has come down to nobody is known for good.
    ends = [
        float(mine["week"].max()) if mine["left_open"].iloc[-1] else np.inf
        for mine in (weeks[weeks["origin"] == side] for side in SIDES)
    ]
    horizon = min(float(_YEAR // _WEEK), *ends)
    if horizon * _WEEK <= lapse_days or max(gone.values()) == 0:
        return []
    found = compare_restricted_means(curves["referred"], curves["paid"], horizon)
    pairs = [("active_days", found.one, "referred"), ("active_days", found.other, "paid"),
             ("active_days_difference", found.difference, None)]  # fmt: skip
    return [
        interval_row(f"advocacy.{metric}", _times(interval, _WEEK), unit="days", origin=side,
                     count=won[side] if side else min(won[s] for s in SIDES))
        for metric, interval, side in pairs
    ]  # fmt: skip


def _times(found: "Interval", by: float) -> "Interval":
    return replace(
        found, estimate=found.estimate * by, low=found.low * by, high=found.high * by
    )  # fmt: skip


def first_year_rows(
    orders: TableLike, come: Table, cycle: Cycle, currency: str
) -> list[dict[str, Any]]:
    """Net revenue of the first year, of those whose first year is over."""
    from cxlab.stats.clusters import ClusterSums, cluster_difference, cluster_mean

    year_us = _YEAR * 86_400_000_000
    sums = query(
        f"""
        with each as (
            select f.origin, f.customer_id, cast(sum(o.net) as decimal(19, 2)) as net
            from f join (
                select customer_id, cast(placed_at as timestamp) as placed,
                    cast(net_amount as {_MONEY}) as net
                from o where cast(placed_at as timestamp) < $cutoff
            ) as o on f.customer_id = o.customer_id
            where epoch_us(o.placed) - epoch_us(f.first_at) < {year_us}
                and epoch_us(f.first_at) <= $over_us
            group by f.origin, f.customer_id
        ),
        ranked as (
            select *, row_number() over (
                partition by origin order by abs(net) desc, customer_id) as place from each
        )
        select origin, count(*) as n, sum(net) as net, sum(net * net) as net_net,
            sum(abs(net)) as gross, max(abs(net)) as largest,
            sum(case when place <= 2 then abs(net) else 0 end) as two_largest
        from ranked group by origin order by origin
        """,
        f=come,
        o=standing(orders),
        cutoff=cycle.cutoff,
        over_us=moment_us(cycle.cutoff - timedelta(days=_YEAR)),
    ).set_index("origin")
    if not set(SIDES) <= set(sums.index) or float(sums["n"].min()) < FEWEST:
        return []
    rows: list[dict[str, Any]] = []
    sides, money = {}, {}
    for side in SIDES:
        mine: Any = sums.loc[side]
        s = {str(k): float(v) for k, v in mine.items()}
        sides[side] = ClusterSums(
            customers=s["n"], n=s["n"], total=s["net"], n_n=s["n"], n_total=s["net"],
            total_total=s["net_net"],
        )  # fmt: skip
        money[side] = Money.of(s["net"], s["gross"], s["largest"], s["two_largest"])
        rows.append(
            interval_row("advocacy.first_year_amount", cluster_mean(sides[side]), unit=currency,
                         money=money[side], origin=side)
        )  # fmt: skip
    gap = cluster_difference(sides["referred"], sides["paid"])
    least = min(x.customers for x in sides.values())
    rows.append(
        interval_row("advocacy.first_year_amount_difference", gap, unit=currency, count=least,
                     money=Money.either(*money.values()), origin=None)
    )  # fmt: skip
    return rows


def costs_rows(
    referrals: TableLike | None,
    costs: TableLike | None,
    come: Table,
    begin: datetime,
    cycle: Cycle,
    won: dict[str, float],
    currency: str,
) -> list[dict[str, Any]]:
    """What a customer cost to win, where rewards and acquisition costs are on record."""
    from cxlab.stats.counts import poisson_count
    from cxlab.stats.intervals import Interval, t_mean

    rows = []
    if referrals is not None:
        table = view("select * from r", r=referrals)
        if "reward_amount" in table.columns:
            s = query(
                f"""
                select coalesce(sum(paid), 0) as total, coalesce(sum(paid * paid), 0) as squares,
                    coalesce(max(paid), 0) as largest
                from (
                    select r.referred_id, cast(sum(coalesce(cast(r.reward_amount as {_MONEY}), 0))
                        as decimal(19, 2)) as paid
                    from r join f on r.referred_id = f.customer_id
                    where f.origin = 'referred' and cast(r.referred_at as timestamp) < $cutoff
                    group by r.referred_id
                ) as p
                """,
                r=table,
                f=come,
                cutoff=cycle.cutoff,
            ).iloc[0]
            n, total = won["referred"], float(s["total"])
            mean = t_mean(n, total, float(s["squares"]))
            money = Money.of(total, total, float(s["largest"]), 2 * float(s["largest"]))
            rows.append(
                interval_row("advocacy.acquisition_amount", mean.clip(0.0, np.inf), unit=currency,
                             count=n, money=money, origin="referred")
            )  # fmt: skip
    if costs is not None:
        table = view("select * from c", c=costs).need("period_on", "activity", "amount")
        known = "units" if "units" in table.columns else "null"
        units = f"cast(sum(cast({known} as decimal(18, 2))) as double)"
        # Costs of a month stand on its first day; the records may begin within a day of it.
        sums = query(
            f"""
            select coalesce(sum(cast(amount as {_MONEY})), 0) as total, {units} as units from c
            where activity = 'acquisition' and cast(period_on as timestamp) < $cutoff
                and cast(period_on as timestamp) >= $since
            """,
            c=table,
            since=begin if begin.year == 1 else begin - timedelta(days=1),
            cutoff=cycle.cutoff,
        ).iloc[0]
        spent = float(sums["total"])
        n = won["paid"] if pd.isna(sums["units"]) or not sums["units"] else float(sums["units"])
        if spent > 0:
            many = poisson_count(n)
            found = Interval(
                estimate=spent / n, low=spent / many.high, high=spent / many.low, n=n,
                method="cost ledger per customer, whose number is a Poisson count",
            )  # fmt: skip
            rows.append(
                interval_row("advocacy.acquisition_amount", found, unit=currency, origin="paid",
                             money=Money.of(spent, spent, spent / n, 2 * spent / n))
            )  # fmt: skip
    return rows
