"""What the chapter on loyalty asks of the engine, measured against one group-by of its orders.

Ratios of medians within one run, so that the machine cancels out. The fits of repeat buying
are timed apart: they rest on counted histories, and do not grow with the customers.

    python benchmarks/loyalty.py [CUSTOMERS]
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa

from cxlab.data.calendar import Cycle
from cxlab.data.engine import DuckEngine, Table, keep, query, view
from cxlab.loyalty import cohorts, cross_selling, order_bridge
from cxlab.loyalty.histories import purchase_histories
from cxlab.loyalty.repeat_buying import fit_best

CYCLE = Cycle(date(2026, 7, 1))
RUNS = 3
DAY = 86_400_000_000
# Most times the seconds of one group-by of all orders by customer.
MOST = {"cohorts": 12.0, "cohorts by days": 12.0, "bridge": 20.0, "cross-sell": 40.0,
        "histories": 20.0}  # fmt: skip


def main(customers: int = 1_000_000) -> int:
    """Print each ratio beside the most that it may be; 1 where one is missed."""
    orders, lines = made(customers, np.random.default_rng(1))
    many = query("select count(*) as n from o", o=orders)["n"][0]
    floor = _median(orders, lambda: _group_by(orders))
    print(f"{customers:,} customers, {many:,} orders: one group-by {floor:.3f} s")
    asked: dict[str, Callable[[], object]] = {
        "cohorts": lambda: cohorts(orders, cycle=CYCLE),
        "cohorts by days": lambda: cohorts(orders, cycle=CYCLE, mode="bracket"),
        "bridge": lambda: order_bridge(orders, cycle=CYCLE),
        "cross-sell": lambda: cross_selling(orders, lines, cycle=CYCLE),
        "histories": lambda: purchase_histories(orders, cycle=CYCLE).histories(),
    }
    missed = 0
    for name, ask in asked.items():
        seconds = _median(orders, ask)
        good = seconds <= MOST[name] * floor
        missed += not good
        print(
            f"  {'ok  ' if good else 'MISS'} {name}: {seconds:.3f} s, {seconds / floor:.1f} "
            f"times (at most {MOST[name]:g})"
        )
    base = purchase_histories(orders, cycle=CYCLE)
    known = base.histories()
    began = time.perf_counter()
    fit_best(known, CYCLE)
    print(
        f"  three models on {len(known):,} histories (times to {base.unit_days} days): "
        f"{time.perf_counter() - began:.1f} s"
    )
    return int(missed > 0)


def made(customers: int, rng: np.random.Generator) -> tuple[Table, Table]:
    """Make up to forty orders a customer over three years, one line each."""
    start = int(np.datetime64("2023-10-01", "us").astype(np.int64))
    first = rng.integers(0, 1090, customers)
    # Customers differ in how often they buy and when they stop, as the models suppose.
    many = np.minimum(rng.geometric(rng.beta(0.8, 2.4, customers)), 40)
    rate = rng.gamma(0.8, 1 / 30, customers)
    person = np.repeat(np.arange(customers), many)
    turn = np.arange(len(person)) - np.repeat(np.cumsum(many) - many, many)
    gap = np.where(turn > 0, rng.exponential(1 / np.maximum(rate[person], 1e-4)), 0)
    total = np.cumsum(gap)
    day = first[person] + total - np.repeat(total[np.cumsum(many) - many], many)
    inside = day < 1096
    person, day = person[inside], day[inside]
    net = pa.array(rng.integers(500, 20_000, len(person)))
    numbers = np.arange(len(person))
    orders = pa.table(
        {
            "order_id": numbers,
            "customer_id": person,
            "placed_at": pa.array((start + day * DAY).astype(np.int64)).cast(pa.timestamp("us")),
            "net_amount": net,
        }
    )
    kinds = np.array(["new", "repeat", "cross_sell", "upsell", "bundle"])
    lines = pa.table(
        {
            "order_id": numbers,
            "category": pa.array(np.array(list("abcdefgh"))[rng.integers(0, 8, len(person))]),
            "product_id": rng.integers(0, 500, len(person)),
            "sale_type": pa.array(kinds[rng.choice(5, len(person), p=[0.2, 0.6, 0.1, 0.05, 0.05])]),
            "net_amount": net,
        }
    )
    engine = DuckEngine()
    a, b = (keep(view("select * from t", t=engine.table(t))) for t in (orders, lines))
    return a, b


def _group_by(orders: Table) -> object:
    return query(
        "select count(*) as n, sum(total) as total from ("
        "select customer_id, sum(net_amount) as total from o group by customer_id) as g",
        o=orders,
    )


def _median(orders: Table, ask: Callable[[], object]) -> float:
    seconds = []
    for _ in range(RUNS):
        orders.engine.forget()
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:2])))
