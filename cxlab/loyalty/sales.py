"""How much was sold, and is it more than the cycle before?

Orders come from customers who decide each for themselves, so what one of them orders
is taken together: the total is a compound Poisson sum over customers.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, query, view
from cxlab.errors import Withheld
from cxlab.loyalty.both_cycles import Products, products
from cxlab.report import words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, estimate_row, interval_row

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.clusters import ClusterSums
    from cxlab.stats.intervals import Interval

__all__ = ["Sales", "purchases", "sales", "standing"]

HISTORY = 8  # cycles in the picture
Sums: TypeAlias = dict[str, float]  # of one cycle

# Where few customers spend most, an interval of 95 % for the mean order covered 89 % with 242
# buyers, 92 % with 1,200 and 95 % with 6,000 (the made-up company, benchmarks/sample_coverage.py).
_MANY = 5_000
_FEW = (
    " The mean order is less sure than its interval says: with fewer than 5,000 buyers, the few "
    "who spend most decide it."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sales(Result):
    """Orders, net revenue and mean order of a cycle, with their change.

    Attributes
    ----------
    cycle_name, previous_name : str
        The cycle, and the one that changes are taken against.
    """

    cycle_name: str
    previous_name: str = field(default="")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw net revenue by cycle."""
        from cxlab.report import charts

        history = self.estimates[self.estimates["cycle"].notna()].reset_index(drop=True)
        unit = str(history["unit"].iloc[0])
        return charts.columns(
            history, x="cycle", unit=unit, low="conf_low", high="conf_high", ax=ax
        )

    def sentence(self) -> str:
        """Say what was sold, and its change in the currency and as a share."""
        now = self.estimates[self.estimates["cycle"].isna()].set_index("metric")
        total, count = now.loc["orders.net_amount"], now.loc["orders.count"]
        if pd.isna(total["estimate"]):
            return f"Too few customers ordered in {self.cycle_name} to show their sales."
        said = (
            f"{words.plural(count['estimate'], 'order')} of {self.cycle_name} brought "
            f"{words.value(total['estimate'], total['unit'])}"
        )
        if "orders.net_amount_change" not in now.index:
            return f"{said}; there is no earlier cycle to compare with."
        gap = now.loc["orders.net_amount_change"]
        if pd.isna(gap["estimate"]):
            return f"{said}."
        change = words.change(gap["estimate"], gap["conf_low"], gap["conf_high"], gap["unit"])
        relative = now["estimate"].get("orders.net_amount_relative_change")
        share = "" if relative is None or pd.isna(relative) else _percent(float(relative)) + ", "
        if gap["conf_low"] <= 0 <= gap["conf_high"]:
            return f"{said}, no clear change from {self.previous_name}: {share}{change}."
        moved = "less" if gap["estimate"] < 0 else "more"
        return f"{said}, {moved} than in {self.previous_name}: {share}{change}."


def sales(
    orders: TableLike,
    *,
    cycle: Cycle,
    currency: str = "amount",
    complete_from: date | None = None,
) -> Sales:
    """Add up the orders placed in a cycle that were not cancelled.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and `status` where known.
    cycle : Cycle
        Orders of its cutoff or later are not looked at.
    currency : str
        Unit of money.
    complete_from : datetime.date, optional
        First day for which the data are complete; no earlier cycle is shown or compared.

    Returns
    -------
    Sales
        Number of orders, net revenue and mean order, the changes of each against the
        cycle before where that one has orders, and net revenue by cycle for up to eight.

    Raises
    ------
    Withheld
        If no order of the cycle stands.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b", "b"], "net_amount": [20.0, 30.0, 10.0],
    ...     "placed_at": pd.to_datetime(["2018-01-05", "2018-02-01", "2018-03-01"])})
    >>> sales(orders, cycle=parse_cycle("2018Q1"), currency="EUR").sentence()
    '3 orders of 2018Q1 brought EUR 60.00; there is no earlier cycle to compare with.'
    """
    sums = _sums(orders, cycle, complete_from)
    if not sums.get(cycle.name, {}).get("orders"):
        raise Withheld(f"No order was placed in {cycle.name} that was not cancelled.")
    few = sums[cycle.name]["customers"] < _MANY
    return Sales(
        estimates=_estimates(sums, products(standing(orders), cycle=cycle), cycle, currency),
        subtitle=f"Net revenue by cycle up to {cycle.name}, after discounts and refunds.",
        note="Interval of net revenue: compound Poisson, the orders of one customer taken "
        "together; so are those of both cycles in a change. Cancelled orders are left out; the "
        "table counts them." + _FEW * few,
        cycle_name=cycle.name,
        previous_name=cycle.previous.name,
    )


def standing(orders: TableLike) -> Table:
    """Return the orders that were not cancelled; all of them where no status is known.

    >>> orders = pd.DataFrame({"order_id": ["x", "y"], "status": ["paid", "cancelled"]})
    >>> query("select order_id from o order by order_id", o=standing(orders))["order_id"].tolist()
    ['x']
    """
    table = view("select * from o", o=orders)
    if "status" not in table.columns:
        return table
    return view("select * from o where coalesce(status, '') <> 'cancelled'", o=table)


def purchases(orders: TableLike) -> Table:
    """Return the orders that bought something: standing, and not below zero where it is known.

    >>> orders = pd.DataFrame({"order_id": ["x", "y"], "net_amount": [5, -5]})
    >>> query("select order_id from o order by order_id", o=purchases(orders))["order_id"].tolist()
    ['x']
    """
    table = standing(orders)
    if "net_amount" not in table.columns:
        return table
    return view("select * from o where coalesce(net_amount, 0) >= 0", o=table)


def _sums(orders: TableLike, cycle: Cycle, complete_from: date | None) -> dict[str, Sums]:
    """Sums by cycle, oldest first, for the last cycles that the table knows."""
    windows = [cycle]
    while len(windows) < HISTORY and windows[0].previous.first_day >= (complete_from or date.min):
        windows.insert(0, windows[0].previous)
    table = view("select * from o", o=orders).need("customer_id", "placed_at", "net_amount")
    gone = "coalesce(status, '') = 'cancelled'" if "status" in table.columns else "1 = 0"
    found = query(
        f"""
        with placed as (
            select w.cycle, o.customer_id, cast(o.net_amount as decimal(18, 2)) as net,
                case when {gone} then 1 else 0 end as is_gone
            from o join w on cast(o.placed_at as timestamp) >= w.start
                and cast(o.placed_at as timestamp) < w.cutoff
        ),
        by_customer as (
            select cycle, customer_id, sum(is_gone) as cancelled,
                count(*) filter (where is_gone = 0) as orders,
                -- 19 digits, since the square of 18 outgrows DuckDB's DECIMAL, in rupiah at once.
                cast(coalesce(sum(net) filter (where is_gone = 0), 0) as decimal(19, 2)) as net
            from placed group by cycle, customer_id
        ),
        ranked as (
            select b.*, row_number() over (
                partition by cycle order by abs(net) desc, customer_id
            ) as place
            from by_customer as b
        )
        select cycle, count(*) filter (where orders > 0) as customers, sum(orders) as orders,
            sum(cancelled) as cancelled, sum(net) as net, sum(net * net) as net_net,
            sum(orders * orders) as orders_orders, sum(orders * net) as orders_net,
            sum(abs(net)) as gross, max(abs(net)) as largest,
            sum(case when place <= 2 then abs(net) else 0 end) as two_largest
        from ranked group by cycle order by cycle
        """,
        o=table,
        w=pd.DataFrame(
            {
                "cycle": [w.name for w in windows],
                "start": [w.start for w in windows],
                "cutoff": [w.cutoff for w in windows],
            }
        ),
    ).set_index("cycle")
    rows = found.astype(float).to_dict("index")
    return {w.name: {str(k): v for k, v in rows[w.name].items()} for w in windows if w.name in rows}


def _estimates(sums: dict[str, Sums], tie: Products, cycle: Cycle, currency: str) -> pd.DataFrame:
    rows = _levels(sums[cycle.name], currency)
    before = sums.get(cycle.previous.name)
    if before and before["orders"]:
        rows += _changes(sums[cycle.name], before, tie, currency)
    # A group of its own, so that a small number of them can be withheld alone.
    gone = sums[cycle.name]["cancelled"]
    rows.append(
        estimate_row(
            "orders.cancelled", gone, gone, gone,
            n=gone, unit="count", method="complete count", cycle=None, status="cancelled",
        )
    )  # fmt: skip
    for name, s in sums.items():
        rows.append(
            _row("orders.net_amount", _total(s), currency, s["customers"], _money(s), cycle=name)
        )
    return pd.DataFrame(rows)


def _levels(now: Sums, currency: str) -> list[dict[str, Any]]:
    from cxlab.stats.clusters import cluster_mean

    people = now["customers"]
    rows = [
        _row("orders.count", _count(now), "count", people),
        _row("orders.net_amount", _total(now), currency, people, _money(now)),
    ]
    if people >= 2:
        mean = cluster_mean(_clusters(now))
        rows.append(_row("orders.mean_amount", mean, currency, people, _money(now)))
    return rows


def _changes(now: Sums, before: Sums, tie: Products, currency: str) -> list[dict[str, Any]]:
    from cxlab.stats.clusters import cluster_difference
    from cxlab.stats.differences import mover_difference, relative_change

    people = min(now["customers"], before["customers"])  # the smaller side could be found out
    both = Money.either(_money(now), _money(before))
    total, total_before = _total(now), _total(before)
    likeness = tie.of_totals(now, before)
    count = mover_difference(_count(now), _count(before), correlation=tie.of_counts(now, before))
    gap = mover_difference(total, total_before, correlation=likeness)
    rows = [
        _row("orders.count_change", count, "count", people),
        _row("orders.net_amount_change", gap, currency, people, both),
    ]
    if min(total.estimate, total_before.estimate) > 0:
        relative = relative_change(total, total_before, correlation=likeness)
        rows.append(_row("orders.net_amount_relative_change", relative, "share", people, both))
    if people >= 2:
        one, other = _clusters(now), _clusters(before)
        mean = cluster_difference(one, other, shared=tie.of_means(one, other))
        rows.append(_row("orders.mean_amount_change", mean, currency, people, both))
    return rows


def _total(s: Sums) -> "Interval":
    """Net amount, the orders of one customer taken together."""
    from cxlab.stats.counts import poisson_total

    return poisson_total(s["net"], s["net_net"], n=s["customers"])


def _count(s: Sums) -> "Interval":
    """Orders, those of one customer taken together: they do not come independently."""
    from cxlab.stats.counts import poisson_total

    return poisson_total(s["orders"], s["orders_orders"], n=s["orders"])


def _clusters(s: Sums) -> "ClusterSums":
    from cxlab.stats.clusters import ClusterSums

    return ClusterSums(
        customers=s["customers"], n=s["orders"], total=s["net"],
        n_n=s["orders_orders"], n_total=s["orders_net"], total_total=s["net_net"],
    )  # fmt: skip


def _money(s: Sums) -> Money:
    """How evenly the net amount comes from the customers."""
    return Money.of(s["net"], s["gross"], s["largest"], s["two_largest"])


def _row(
    metric: str,
    found: "Interval",
    unit: str,
    people: float,
    money: Money | None = None,
    *,
    cycle: object = None,
) -> dict[str, Any]:
    return interval_row(metric, found, unit=unit, count=people, money=money, cycle=cycle)


def _percent(share: float) -> str:
    """Write a relative change: percent of before, not points."""
    text = words.value(share, "share")
    return f"+{text}" if share > 0 else text
