"""From what customers brought to what they bring: where did revenue come from and go?"""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, query
from cxlab.errors import Withheld
from cxlab.loyalty.movements import Moved, from_orders, from_subscriptions
from cxlab.report import charts, words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, interval_row

__all__ = ["Bridge", "order_bridge", "recurring_bridge"]

FEWEST = 10
_SUBSCRIBED = (
    "new", "reactivation", "cross-sell", "upsell", "price rise", "contraction",
    "churn, voluntary", "churn, involuntary", "churn, not known",
)  # fmt: skip
_ORDERED = ("new", "returned", "more", "less", "stopped")
_STOCK = ("opening", "closing", "change")


@dataclass(frozen=True, kw_only=True, eq=False)
class Bridge(Result):
    """Opening, movements and closing of revenue, and how much of the opening was kept.

    Attributes
    ----------
    cycle : str
        Whose two ends are compared.
    before : str
        What stands at the opening, in words.
    per : str
        What revenue is counted by, in words; empty for a whole cycle.
    """

    cycle: str
    before: str
    per: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the way from opening to closing, a step per movement."""
        rows = self.estimates.set_index("metric")
        moves = self._rows("revenue.moved_amount")
        moves = moves[moves["movement"].notna()]
        ends = rows.loc[["revenue.opening_amount", "revenue.closing_amount"]].reset_index()
        frame = pd.concat([ends.iloc[[0]], moves, ends.iloc[[1]]], ignore_index=True)
        frame["movement"] = ["opening", *moves["movement"], "closing"]
        return charts.waterfall(
            frame, label="movement", unit=str(frame["unit"].iloc[0]), ends=("opening", "closing"),
            ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """What was kept of the opening, without and with what the same customers added."""
        rows: Any = self.estimates[self.estimates["movement"].isna()].set_index("metric")
        opening, closing = rows.loc["revenue.opening_amount"], rows.loc["revenue.closing_amount"]
        if opening["suppressed"] or closing["suppressed"]:
            return f"Too few customers stand behind the revenue of {self.cycle} to show it."
        unit, end = opening["unit"], "at the end of" if self.per else "in"
        said = (
            f"Revenue{self.per} went from {words.value(opening['estimate'], unit)} "
            f"{self.before} to {words.value(closing['estimate'], unit)} {end} {self.cycle}"
        )
        kept, net = rows.loc["revenue.gross_retained_share"], rows.loc["revenue.net_retained_share"]
        if kept["suppressed"] or net["suppressed"]:
            return f"{said}."
        return (
            f"{said}: of what customers brought, {words.value(kept['estimate'], 'share')} was kept "
            f"({words.interval(kept['conf_low'], kept['conf_high'], 'share')}), and "
            f"{words.value(net['estimate'], 'share')} with what the same customers added "
            f"({words.interval(net['conf_low'], net['conf_high'], 'share')})."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def recurring_bridge(
    subscriptions: TableLike,
    changes: TableLike | None = None,
    *,
    cycle: Cycle,
    currency: str = "amount",
) -> Bridge:
    """Follow monthly revenue from the beginning of a cycle to its end.

    Parameters
    ----------
    subscriptions : table
        `subscription_id`, `customer_id`, `started_at`, `ended_at`, `monthly_amount` (at the
        start), and `end_kind` where known.
    changes : table, optional
        `subscription_changes`: upgrades, downgrades, pauses and price rises.
    cycle : Cycle
        As known at its end.
    currency : str
        Unit of money.

    Returns
    -------
    Bridge
        `revenue.opening_amount`, `revenue.closing_amount`, `revenue.moved_amount` by
        `movement` and in all (closing minus opening), `revenue.gross_retained_share` and
        `revenue.net_retained_share`.

    Raises
    ------
    Withheld
        If fewer than ten customers brought something when the cycle began.

    Notes
    -----
    Customers decide each for themselves, so amounts are compound Poisson sums over them. The
    two shares are ratios over those who brought something at the opening: gross counts of
    each customer no more than before, net all they bring now; new customers are in neither.
    Gross is a share of as many cases as the amounts are worth (Wilson); net is that and what
    was added (MOVER). Where refunds leave a customer below zero, net counts it with its sign, may
    itself lie below zero, and has Student's ends; gross counts it as nothing kept.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(20), "customer_id": [f"c{i}" for i in range(20)],
    ...     "started_at": pd.Timestamp("2017-05-01"), "monthly_amount": 10,
    ...     "ended_at": [pd.Timestamp("2018-02-01")] * 5 + [pd.NaT] * 15})
    >>> recurring_bridge(held, cycle=parse_cycle("2018Q1"), currency="EUR").sentence()[:72]
    'Revenue a month went from EUR 200 at the beginning to EUR 150 at the end'
    """
    moved = from_subscriptions(subscriptions, changes, cycle=cycle)
    return _bridge(
        moved, _SUBSCRIBED, cycle, currency,
        before="at the beginning", per=" a month",
        note="Monthly amounts of subscriptions that run and are not paused. What one customer "
        "adds and drops is set off.",
    )  # fmt: skip


def order_bridge(orders: TableLike, *, cycle: Cycle, currency: str = "amount") -> Bridge:
    """Follow what customers ordered from the cycle before to this one.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and `status` where known.
    cycle : Cycle
        Orders of its cutoff or later are not looked at.
    currency : str
        Unit of money.

    Returns
    -------
    Bridge
        As of `recurring_bridge`; the movements are new, returned, more, less and stopped.

    Raises
    ------
    Withheld
        If fewer than ten customers ordered in the cycle before.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> orders = pd.DataFrame({
    ...     "customer_id": [f"c{i}" for i in range(20)] * 2, "net_amount": [10] * 20 + [8] * 20,
    ...     "placed_at": [pd.Timestamp("2017-11-01")] * 20 + [pd.Timestamp("2018-02-01")] * 20})
    >>> order_bridge(orders, cycle=parse_cycle("2018Q1"), currency="EUR").sentence()[:52]
    'Revenue went from EUR 200 in 2017Q4 to EUR 160 in 20'
    """
    return _bridge(
        from_orders(orders, cycle=cycle), _ORDERED, cycle, currency,
        before=f"in {cycle.previous.name}", per="",
        note="New: first order on record. Returned: ordered before, but not in "
        f"{cycle.previous.name}. Stopped: ordered then, not in {cycle.name}; without a contract, "
        "nobody knows whether for good.",
    )  # fmt: skip


def _bridge(
    moved: Moved,
    movements: tuple[str, ...],
    cycle: Cycle,
    currency: str,
    *,
    before: str,
    per: str,
    note: str,
) -> Bridge:
    sums, kept = _sums(moved)
    base = float(kept["customers"])
    if base < FEWEST:
        raise Withheld(
            f"A bridge of revenue needs at least {FEWEST} customers at its opening, but "
            f"{words.number(base)} brought something {before}."
        )
    rows = [
        _amount(f"revenue.{end}_amount", sums[end], currency, movement=None)
        for end in ("opening", "closing")
    ]
    rows += [
        _amount("revenue.moved_amount", sums[name], currency, movement=name)
        for name in movements
        if name in sums
    ]
    rows.append(_amount("revenue.moved_amount", sums["change"], currency, movement=None))
    rows += [_share(f"revenue.{which}_retained_share", kept, which) for which in ("gross", "net")]
    return Bridge(
        estimates=pd.DataFrame(rows),
        subtitle=f"Revenue{per}, {currency}, by how it moved in {cycle.name}; the axis does not "
        "begin at zero",
        note=f"Base: {words.number(base)} customers who brought something {before}. {note}",
        cycle=cycle.name,
        before=before,
        per=per,
    )


def _sums(moved: Moved) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Add up amounts by movement, and what was kept of the opening."""
    found = query(
        """
        with each as (
            select customer_id, movement, amount from p
            union all select customer_id, 'opening', opening from e where opening <> 0
            union all select customer_id, 'closing', closing from e where closing <> 0
            union all select customer_id, 'change', sum(amount) from p group by customer_id
        ),
        whole as (
            -- 19 digits, since the square of 18 outgrows DuckDB's DECIMAL, in rupiah at once.
            select customer_id, movement, cast(sum(amount) as decimal(19, 2)) as amount
            from each group by customer_id, movement
        ),
        ranked as (
            select *, row_number() over (
                partition by movement order by abs(amount) desc, customer_id) as place
            from whole
        )
        select movement, count(*) as customers, sum(amount) as total,
            sum(amount * amount) as squares, sum(abs(amount)) as gross,
            max(abs(amount)) as largest,
            sum(case when place <= 2 then abs(amount) else 0 end) as two_largest
        from ranked group by movement order by movement
        """,
        p=moved.parts,
        e=moved.each,
    ).set_index("movement")
    nothing = dict.fromkeys(
        ("customers", "total", "squares", "gross", "largest", "two_largest"), 0.0
    )
    sums = {name: dict(nothing) for name in _STOCK} | {
        str(k): {str(n): float(v) for n, v in row.items()}
        for k, row in found.to_dict("index").items()
    }
    kept = query(
        """
        select count(*) as customers, coalesce(sum(a), 0) as n, coalesce(sum(a * a), 0) as n_n,
            coalesce(sum(g), 0) as gross, coalesce(sum(a * g), 0) as n_gross,
            coalesce(sum(g * g), 0) as gross_gross,
            coalesce(sum(z - g), 0) as added, coalesce(sum(a * (z - g)), 0) as n_added,
            coalesce(sum((z - g) * (z - g)), 0) as added_added,
            coalesce(sum(z), 0) as net, coalesce(sum(a * z), 0) as n_net,
            coalesce(sum(z * z), 0) as net_net, coalesce(min(z), 0) as least,
            coalesce(max(a), 0) as largest,
            coalesce(sum(case when place <= 2 then a else 0 end), 0) as two_largest,
            coalesce(sum(case when z > 0 then 1 else 0 end), 0) as stayed
        from (
            select cast(opening as decimal(19, 2)) as a, cast(closing as decimal(19, 2)) as z,
                cast(case when closing < 0 then 0 when closing < opening then closing
                    else opening end as decimal(19, 2)) as g,
                row_number() over (order by opening desc, customer_id) as place
            from e where opening > 0
        ) as b
        """,
        e=moved.each,
    ).iloc[0]
    return sums, {str(k): float(v) for k, v in kept.items()}


def _amount(metric: str, s: dict[str, float], currency: str, **dims: object) -> dict[str, Any]:
    from cxlab.stats.counts import poisson_total
    from cxlab.stats.intervals import z_quantile

    total = s["total"]
    found = poisson_total(abs(total), s["squares"], n=s["customers"])
    if s["gross"] > abs(total):  # what comes and goes has no scaled count
        half = z_quantile(found.level) * found.se
        found = replace(found, estimate=total, low=total - half, high=total + half)
    elif total < 0:  # what goes is counted as what comes, and told with its sign
        found = replace(found, estimate=total, low=-found.high, high=-found.low)
    money = Money.of(s["total"], s["gross"], s["largest"], s["two_largest"])
    return interval_row(metric, found, unit=currency, count=s["customers"], money=money, **dims)


def _share(metric: str, kept: dict[str, float], which: str) -> dict[str, Any]:
    """What was kept per opening, or what customers bring now: see `recurring_bridge`."""
    from cxlab.stats.clusters import ClusterSums, cluster_mean
    from cxlab.stats.kept import kept_share, net_share

    gross, added, net = (
        ClusterSums(
            customers=kept["customers"], n=kept["n"], n_n=kept["n_n"], total=kept[name],
            n_total=kept[f"n_{name}"], total_total=kept[f"{name}_{name}"],
        )
        for name in ("gross", "added", "net")
    )  # fmt: skip
    if which == "gross":
        found = kept_share(gross)
    elif kept["least"] < 0:
        found = replace(cluster_mean(net), n=net.customers)
    else:
        found = net_share(gross, added)
    money = Money.of(kept["n"], kept["n"], kept["largest"], kept["two_largest"])
    return interval_row(
        metric, found, unit="share", count=kept["stayed"], money=money, movement=None
    )
