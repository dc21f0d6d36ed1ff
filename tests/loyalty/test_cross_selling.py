"""Selling on top is counted by hand; pairs of products are tested as printed tables are."""

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import Withheld
from cxlab.loyalty import cross_selling, next_products

CYCLE = parse_cycle("2018Q1")

# Customer, day, category, product, kind of sale; each for ten customers.
BOUGHT = [
    ("a", "2017-10-05", "tea", "t1", "new"),
    ("a", "2018-02-01", "cups", "c1", "cross_sell"),
    ("b", "2017-10-05", "tea", "t1", "new"),
    ("b", "2018-02-01", "tea", "t2", "upsell"),
    ("c", "2017-10-05", "tea", "t1", "new"),
    ("c", "2018-02-01", "tea", "t1", "upsell"),  # the same, dearer: a price rise
    ("d", "2017-11-05", "tea", "t1", "new"),
    ("d", "2018-02-01", "cups", "c1", "bundle"),
    ("e", "2018-01-05", "tea", "t1", "new"),  # had not ordered before the cycle
    ("e", "2018-02-05", "cups", "c1", "cross_sell"),
]


def _tables(rows, times: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    each = [
        (f"{name}{i}-{k}", f"{name}{i}", day, category, product, kind)
        for k, (name, day, category, product, kind) in enumerate(rows)
        for i in range(times)
    ]
    columns = ["order_id", "customer_id", "placed_at", "category", "product_id", "sale_type"]
    frame = pd.DataFrame(each, columns=columns).assign(net_amount=5.25, status="paid")
    frame["placed_at"] = pd.to_datetime(frame["placed_at"], format="%Y-%m-%d")
    orders = frame[["order_id", "customer_id", "placed_at", "status"]]
    lines = frame[["order_id", "category", "product_id", "sale_type", "net_amount"]]
    return orders, lines.assign(cancelled_at=pd.NaT)


def _now(found, metric: str) -> dict[str, float]:
    rows = found.estimates
    rows = rows[(rows["metric"] == f"selling.{metric}") & rows["cycle"].isna()]
    return dict(zip(rows["kind"], rows["estimate"], strict=True))


def test_bundles_and_price_rises_are_neither(engine: Engine):
    orders, lines = (engine.table(t) for t in _tables(BOUGHT))
    found = cross_selling(orders, lines, cycle=CYCLE, currency="EUR")
    assert _now(found, "customer_rate") == {"cross-sell": 0.25, "upsell": 0.25}  # 10 of 40 each
    assert _now(found, "net_amount") == {"cross-sell": 52.5, "upsell": 52.5}
    assert _now(found, "lines") == {"cross-sell": 10, "upsell": 10}


def test_who_has_not_ordered_for_a_year_is_no_customer_to_sell_to():
    long_ago = [(f"z{i}", "2016-03-05", "tea", "t1", "new") for i in range(5)]
    long_ago += [
        ("y", "2016-03-05", "tea", "t1", "new"),
        ("y", "2018-02-01", "cups", "c1", "cross_sell"),
    ]
    found = cross_selling(*_tables([*BOUGHT, *long_ago]), cycle=CYCLE, currency="EUR")
    assert _now(found, "customer_rate") == {"cross-sell": 0.25, "upsell": 0.25}
    assert "40 customers who had ordered in the year before 2018Q1" in found.note


def test_cancelled_lines_do_not_count_once_that_was_known():
    orders, lines = _tables(BOUGHT)
    sold = lines["sale_type"] == "upsell"
    gone = lines.assign(cancelled_at=pd.to_datetime("2018-03-01")).where(sold, lines)
    assert _now(cross_selling(orders, gone, cycle=CYCLE), "customer_rate")["upsell"] == 0
    later = lines.assign(cancelled_at=pd.to_datetime("2018-05-01")).where(sold, lines)
    assert _now(cross_selling(orders, later, cycle=CYCLE), "customer_rate")["upsell"] == 0.25


def test_it_draws_and_says_why_there_is_nothing():
    orders, lines = _tables(BOUGHT)
    found = cross_selling(orders, lines, cycle=CYCLE, currency="EUR").protect(10)
    found.plot()
    assert "EUR 52.50" in found.sentence()
    with pytest.raises(Withheld, match="sale_type"):
        cross_selling(orders, lines.drop(columns="sale_type"), cycle=CYCLE)
    with pytest.raises(Withheld, match="at least 10 customers"):
        cross_selling(orders.head(0), lines, cycle=CYCLE)
    with pytest.raises(Withheld, match="at least 50 customers"):
        next_products(orders.head(0), lines, cycle=CYCLE)


# Of 60 who began with tea, 45 went on to cups; of 60 who began with jam, 20 did.
PAIRS = [
    *(("t", i, "tea", "cups" if i < 45 else "books") for i in range(60)),
    *(("j", i, "jam", "cups" if i < 20 else "books") for i in range(60)),
]


def _steps() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = [
        (f"{name}{i}", day, category)
        for name, i, *kinds in PAIRS
        for day, category in zip(("2017-10-05", "2018-02-01"), kinds, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "placed_at", "category"])
    frame["order_id"] = frame["customer_id"] + frame["placed_at"]
    frame["placed_at"] = pd.to_datetime(frame["placed_at"], format="%Y-%m-%d")
    lines = frame[["order_id", "category"]].assign(net_amount=1.0)
    return frame[["order_id", "customer_id", "placed_at"]], lines


def test_odds_and_p_are_those_of_fishers_exact_test(engine: Engine):
    orders, lines = (engine.table(t) for t in _steps())
    found = next_products(orders, lines, cycle=CYCLE)
    rows = found.estimates
    tea = rows[(rows["after_category"] == "tea") & (rows["category"] == "cups")]
    tea = tea.set_index("metric")
    assert tea.loc["selling.next_rate", "estimate"] == 0.75
    odds = tea.loc["selling.next_odds"]
    # The sample ratio is 45 x 40 / (15 x 20) = 6; the conditional one lies a little nearer to 1.
    assert 5.5 < odds["estimate"] < 6
    assert 2.4 < odds["conf_low"] < odds["estimate"] < odds["conf_high"] < 15
    assert tea.loc["selling.next_p_bh", "estimate"] < 0.001
    assert found.tested == 4
    assert "Customers who began with" in found.protect(10).sentence()
    found.protect(10).plot()


def test_who_has_not_gone_on_is_not_compared():
    orders, lines = _steps()
    more = pd.DataFrame({"customer_id": [f"x{i}" for i in range(500)]})
    more = more.assign(order_id=more["customer_id"], placed_at=pd.Timestamp("2018-03-01"))
    kinds = more[["order_id"]].assign(category="tea", net_amount=1.0)
    plain = next_products(orders, lines, cycle=CYCLE).estimates
    found = next_products(pd.concat([orders, more]), pd.concat([lines, kinds]), cycle=CYCLE)
    pd.testing.assert_frame_equal(found.estimates, plain)
