"""How far do the same customers stand behind the sales of two cycles?

Who orders much in one cycle tends to in the next, and spends alike. So a change is surer
than two cycles of strangers would make it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query

if TYPE_CHECKING:
    from cxlab.stats.clusters import ClusterSums

__all__ = ["Products", "products"]


@dataclass(frozen=True, kw_only=True)
class Products:
    """Sums over customers of products; the first factor is of this cycle, the second before.

    Attributes
    ----------
    customers : float
        Customers with an order in either cycle.
    orders_orders, orders_net, net_orders, net_net : float
        Sums of orders times orders, orders times net amount, and so on.
    """

    customers: float
    orders_orders: float
    orders_net: float
    net_orders: float
    net_net: float

    def of_counts(self, now: Mapping[str, float], before: Mapping[str, float]) -> float:
        """Correlation of the two numbers of orders, as compound Poisson sums over customers."""
        return _correlation(self.orders_orders, now["orders_orders"], before["orders_orders"])

    def of_totals(self, now: Mapping[str, float], before: Mapping[str, float]) -> float:
        """Correlation of the two net amounts."""
        return _correlation(self.net_net, now["net_net"], before["net_net"])

    def of_means(self, now: "ClusterSums", before: "ClusterSums") -> float:
        """Covariance of the two mean orders."""
        from cxlab.stats.clusters import covariance

        return covariance(
            now, before, customers=self.customers, n_n=self.orders_orders,
            n_total=self.orders_net, total_n=self.net_orders, total_total=self.net_net,
        )  # fmt: skip


def products(orders: Table, *, cycle: Cycle) -> Products:
    """Multiply what each customer ordered in a cycle with what they did before.

    Parameters
    ----------
    orders : Table
        `customer_id`, `placed_at`, `net_amount`; only orders that stand.
    cycle : Cycle
        This cycle; the other is the one before.

    Returns
    -------
    Products
        Sums over customers.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxlab.data.calendar import parse_cycle
    >>> from cxlab.data.engine import DuckEngine
    >>> orders = DuckEngine().table(pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"], "net_amount": [20.0, 30.0, 10.0],
    ...     "placed_at": pd.to_datetime(["2017-12-05", "2018-02-01", "2018-03-01"])}))
    >>> found = products(orders, cycle=parse_cycle("2018Q1"))
    >>> found.customers, found.orders_orders, found.net_net
    (2.0, 1.0, 600.0)
    """
    sums = query(
        """
        with placed as (
            select customer_id, cast(net_amount as decimal(18, 2)) as net,
                case when cast(placed_at as timestamp) >= $start then 1 else 0 end as is_now
            from o
            where cast(placed_at as timestamp) >= $start_before
                and cast(placed_at as timestamp) < $cutoff
        ),
        each as (
            select customer_id, sum(is_now) as orders, sum(1 - is_now) as orders_before,
                -- 19 digits, since the square of 18 outgrows DuckDB's DECIMAL.
                cast(sum(case when is_now = 1 then net else 0 end) as decimal(19, 2)) as net,
                cast(sum(case when is_now = 0 then net else 0 end) as decimal(19, 2))
                    as net_before
            from placed group by customer_id
        )
        select count(*) as customers, coalesce(sum(orders * orders_before), 0) as orders_orders,
            coalesce(sum(orders * net_before), 0) as orders_net,
            coalesce(sum(net * orders_before), 0) as net_orders,
            coalesce(sum(net * net_before), 0) as net_net
        from each
        """,
        o=orders,
        start_before=cycle.previous.start,
        start=cycle.start,
        cutoff=cycle.cutoff,
    )
    return Products(**{str(k): float(v) for k, v in sums.iloc[0].items()})


def _correlation(product: float, squares: float, squares_before: float) -> float:
    size = math.sqrt(squares * squares_before)
    return max(-1.0, min(1.0, product / size)) if size > 0 else 0.0
