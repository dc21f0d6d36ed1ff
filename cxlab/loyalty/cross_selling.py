"""What do customers buy on top: another kind, or a dearer one of the same?"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.errors import Withheld
from cxlab.loyalty.sales import standing
from cxlab.report import charts, words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, interval_row

__all__ = ["CrossSelling", "cross_selling", "standing_lines"]

SHOWN = 8  # cycles in the picture
FEWEST = 10
_KINDS = ("cross-sell", "upsell")
_BOUGHT = dict(
    zip(_KINDS, ("another kind of product", "a dearer product of the same kind"), strict=True)
)
_RECENT = 365  # days; who has not ordered for longer is no customer to sell to on top
_MONEY = "decimal(18, 2)"


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossSelling(Result):
    """Customers who bought more kinds or dearer ones, of those who could, and what it brought.

    Attributes
    ----------
    cycle : str
        The cycle; rows without a `cycle` of their own are about it.
    """

    cycle: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw both rates of this cycle and of those before."""
        rows = self._rows("selling.customer_rate")
        rows = rows.assign(cycle=rows["cycle"].fillna(self.cycle)).sort_values(["cycle", "kind"])
        rows = rows.assign(what=rows["cycle"] + ", " + rows["kind"])
        return charts.dots(
            rows, label="what", unit="share", axis="Share of customers of the year before, %", ax=ax
        )

    def sentence(self) -> str:
        """How many of those who could bought on top, and what that brought."""
        now = self.estimates[self.estimates["cycle"].isna() & ~self.estimates["suppressed"]]
        rates: Any = now[now["metric"] == "selling.customer_rate"].set_index("kind")
        money: Any = now[now["metric"] == "selling.net_amount"].set_index("kind")
        said = [
            f"{words.value(float(rates.loc[k, 'estimate']), 'share')} bought {_BOUGHT[k]} "
            f"({k}; {words.interval(rates.loc[k, 'conf_low'], rates.loc[k, 'conf_high'], 'share')}"
            + (f"; {_money(money.loc[k])})" if k in money.index else ")")
            for k in _KINDS
            if k in rates.index
        ]
        if not said:
            return f"Too few customers bought on top in {self.cycle} to show their share."
        return f"Of customers of the year before, {words.listing(said)} in {self.cycle}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def _money(row: Any) -> str:
    return words.value(float(row["estimate"]), str(row["unit"]))


def standing_lines(orders: TableLike, lines: TableLike, *, cycle: Cycle) -> Table:
    """List what was ordered before a cutoff and not cancelled, line by line.

    Parameters
    ----------
    orders : table
        `order_id`, `customer_id`, `placed_at`, and `status` where known.
    lines : table
        `order_id`, `category`, `net_amount`; `product_id`, `sale_type` and `cancelled_at`
        where known.
    cycle : Cycle
        Orders of its cutoff or later are not looked at, nor later cancellations.

    Returns
    -------
    Table
        customer_id, placed_at, category, product_id, sale_type, net.
    """
    placed, given = in_one_engine(standing(orders), lines)
    placed.need("order_id", "customer_id", "placed_at")
    given.need("order_id", "category", "net_amount")
    gone = "cancelled_at" in given.columns
    known = {
        name: f"cast(l.{name} as varchar)" if name in given.columns else "cast(null as varchar)"
        for name in ("category", "product_id", "sale_type")
    }
    columns = ", ".join(f"{sql} as {name}" for name, sql in known.items())
    return keep(  # several questions follow, and the two tables are long
        view(
            f"""
            select o.customer_id, cast(o.placed_at as timestamp) as placed_at, {columns},
                cast(l.net_amount as {_MONEY}) as net
            from l join o on l.order_id = o.order_id
            where cast(o.placed_at as timestamp) < $cutoff
                and {"(l.cancelled_at is null or l.cancelled_at >= $cutoff)" if gone else "1 = 1"}
            """,
            l=given,
            o=placed,
            cutoff=cycle.cutoff,
        )
    )


def cross_selling(
    orders: TableLike,
    lines: TableLike,
    *,
    cycle: Cycle,
    currency: str = "amount",
    complete_from: date | None = None,
) -> CrossSelling:
    """Count earlier customers who bought another kind, or a dearer one, and what it brought.

    Parameters
    ----------
    orders, lines : table
        As of `standing_lines`, with `sale_type`.
    cycle : Cycle
        Lines of orders in its window; cycles before it are shown beside.
    currency : str
        Unit of money.
    complete_from : datetime.date, optional
        First day for which the data are complete; no earlier cycle is counted.

    Returns
    -------
    CrossSelling
        By `kind` (cross-sell, upsell): `selling.customer_rate`, of those who had ordered
        in the year before the cycle began, and in all `selling.on_top_rate`; and of this
        cycle `selling.net_amount` and `selling.lines`.

    Raises
    ------
    Withheld
        If no kinds of sale are on record, or fewer than ten customers had ordered before.

    Notes
    -----
    Everybody who ever ordered would be a base that only grows, and a rate that only falls.
    Lines in bundles are neither: the bundle was sold, not the kind. Nor is a line marked as
    upsell whose product the customer had bought before: dearer then is the price. Rates by
    Wilson's interval, one customer counting once; amounts and lines are compound Poisson sums
    over customers.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> ids = [f"c{i}" for i in range(20)]
    >>> orders = pd.DataFrame({
    ...     "order_id": range(30), "customer_id": ids + ids[:10],
    ...     "placed_at": [pd.Timestamp("2017-10-05")] * 20 + [pd.Timestamp("2018-02-01")] * 10})
    >>> lines = pd.DataFrame({
    ...     "order_id": range(30), "category": ["tea"] * 20 + ["cups"] * 10, "net_amount": 5.0,
    ...     "sale_type": ["new"] * 20 + ["cross_sell"] * 10})
    >>> cross_selling(orders, lines, cycle=parse_cycle("2018Q1"), currency="EUR").sentence()[:40]
    'Of customers of the year before, 50.0% b'
    """
    bought = standing_lines(orders, lines, cycle=cycle)
    cycles = [cycle]
    while len(cycles) < SHOWN and cycles[-1].previous.first_day >= (complete_from or date.min):
        cycles.append(cycles[-1].previous)
    windows = pd.DataFrame(
        {
            "cycle": [c.name for c in cycles],
            "since": [c.start for c in cycles],
            "until": [c.cutoff for c in cycles],
            "recent_from": [c.start - timedelta(days=_RECENT) for c in cycles],
        }
    )
    eligible, sums = _counts(bought, windows)
    could = {str(r["cycle"]): float(r["n"]) for r in eligible.to_dict("records")}
    if could.get(cycle.name, 0.0) < FEWEST:
        raise Withheld(
            f"Selling on top needs at least {FEWEST} customers who had ordered in the year before "
            f"{cycle.name}, but {words.number(could.get(cycle.name, 0.0))} had."
        )
    if not query("select count(*) as n from b where sale_type is not null", b=bought)["n"][0]:
        raise Withheld("No line of an order says what kind of sale it was (sale_type).")
    found = {(r["cycle"], r["kind"]): r for r in sums.to_dict("records")}
    rows = [_either(found.get((cycle.name, "either")), could[cycle.name])]
    for c in cycles:
        for kind in _KINDS:
            if could.get(c.name, 0.0) >= FEWEST:
                own = None if c is cycle else c.name
                rows += _of(found.get((c.name, kind)), could[c.name], kind, own, currency)
    return CrossSelling(
        estimates=pd.DataFrame(rows),
        subtitle="Share of customers of the year before who bought another kind (cross-sell) or a "
        "dearer one (upsell) in the cycle, %; 95% interval",
        note=f"Base: {words.number(could[cycle.name])} customers who had ordered in the "
        f"year before {cycle.name} began. Bundles are neither, nor is a product that the customer "
        "had bought before, at a higher price.",
        cycle=cycle.name,
    )


def _counts(bought: Table, windows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count by cycle who could buy on top, and sum over customers what they did."""
    recent = keep(
        view(
            """
            select w.cycle, b.customer_id
            from b join w on b.placed_at >= w.recent_from and b.placed_at < w.since
            group by w.cycle, b.customer_id
            """,
            b=bought,
            w=windows,
        )
    )
    counts = query("select cycle, count(*) as n from f group by cycle order by cycle", f=recent)
    return counts, _summed(keep(_sold(bought, recent, windows)))


def _sold(bought: Table, recent: Table, windows: pd.DataFrame) -> Table:
    """Name what customers of the year before bought on top.

    A dearer product that a customer had bought before, at a lower price, is none.
    """
    on_top = keep(
        view(
            """
            select w.cycle, b.customer_id, b.product_id, b.placed_at, b.net,
                case b.sale_type when 'cross_sell' then 'cross-sell' else 'upsell' end as kind
            from b join w on b.placed_at >= w.since and b.placed_at < w.until
            where b.sale_type in ('cross_sell', 'upsell')
            """,
            b=bought,
            w=windows,
        )
    )
    return view(
        """
        with dearer as (
            select distinct customer_id, product_id from s
            where kind = 'upsell' and product_id is not null
        ),
        known as (
            select d.customer_id, d.product_id, min(b.placed_at) as first_at
            from b join dearer as d
                on b.customer_id = d.customer_id and b.product_id = d.product_id
            group by d.customer_id, d.product_id
        )
        select s.cycle, s.kind, s.customer_id, s.net
        from s join f on s.customer_id = f.customer_id and s.cycle = f.cycle
        left join known as k on k.customer_id = s.customer_id and k.product_id = s.product_id
        where s.kind = 'cross-sell' or k.first_at is null or k.first_at >= s.placed_at
        """,
        b=bought,
        f=recent,
        s=on_top,
    )


def _summed(sold: Table) -> pd.DataFrame:
    """Sum up by cycle and kind, and for one or the other."""
    return query(
        """
        with both as (
            select cycle, kind, customer_id, net from s
            union all select cycle, 'either', customer_id, net from s
        ),
        each as (
            select cycle, kind, customer_id, count(*) as lines,
                cast(sum(net) as decimal(19, 2)) as net
            from both group by cycle, kind, customer_id
        ),
        ranked as (
            select *, row_number() over (
                partition by cycle, kind order by abs(net) desc, customer_id) as place
            from each
        )
        select cycle, kind, count(*) as customers, sum(lines) as lines,
            sum(lines * lines) as lines_lines, sum(net) as net, sum(net * net) as net_net,
            sum(abs(net)) as gross, max(abs(net)) as largest,
            sum(case when place <= 2 then abs(net) else 0 end) as two_largest
        from ranked group by cycle, kind order by cycle, kind
        """,
        s=sold,
    )


def _either(sums: Any, could: float) -> dict[str, Any]:
    """Customers who did one or the other, each once."""
    from cxlab.stats.intervals import wilson

    people = float(sums["customers"]) if sums else 0.0
    return interval_row("selling.on_top_rate", wilson(people, could), unit="share", count=people,
                        kind=None, cycle=None)  # fmt: skip


def _of(
    sums: Any, could: float, kind: str, cycle: str | None, currency: str
) -> list[dict[str, Any]]:
    from cxlab.stats.counts import poisson_total
    from cxlab.stats.intervals import wilson

    s = {str(k): float(v) for k, v in sums.items() if k not in ("cycle", "kind")} if sums else {}
    people = s.get("customers", 0.0)
    dims: dict[str, Any] = {"kind": kind, "cycle": cycle}
    rate = wilson(people, could)
    rows = [interval_row("selling.customer_rate", rate, unit="share", count=people, **dims)]
    if cycle is None and s:
        money = Money.of(s["net"], s["gross"], s["largest"], s["two_largest"])
        total = poisson_total(s["net"], s["net_net"], n=people)
        many = poisson_total(s["lines"], s["lines_lines"], n=people)
        rows += [
            interval_row("selling.net_amount", total, unit=currency, count=people, money=money,
                         **dims),
            interval_row("selling.lines", many, unit="count", count=people, **dims),
        ]  # fmt: skip
    return rows
