"""Cross-sell counted by hand, and against a loop over the customers."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.errors import Withheld
from cxlab.loyalty import cross_sell
from cxlab.stats.intervals import wilson
from cxlab.stats.odds import odds_ratio

CYCLE = parse_cycle("2018Q2")


def shop_of(rows):
    """Build orders and lines of (customer, day, item, kind of sale, amount)."""
    names = ["customer_id", "day", "category", "sale_type", "net_amount"]
    frame = pd.DataFrame(rows, columns=names)
    frame["order_id"] = [f"o{i}" for i in range(len(frame))]
    orders = frame[["order_id", "customer_id"]].assign(placed_at=pd.to_datetime(frame["day"]))
    return orders, frame[["order_id", "category", "sale_type", "net_amount"]]


def random_shop(seed=1, people=400):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(people):
        for _ in range(rng.integers(1, 6)):
            day = pd.Timestamp("2018-01-01") + pd.Timedelta(days=int(rng.integers(0, 181)))
            kind = rng.choice(["repeat", "cross_sell", "upsell", "bundle"], p=[0.5, 0.3, 0.1, 0.1])
            rows.append((f"c{i}", day, rng.choice(["tea", "cake", "cup"]), kind, 10.0))
    return shop_of(rows)


def number(result, metric, **dims):
    rows = result.estimates[result.estimates["metric"] == metric]
    for name, value in dims.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_rates_lines_and_money_are_those_of_existing_customers(engine):
    orders, lines = random_shop()
    found = cross_sell(engine.table(orders), engine.table(lines), cycle=CYCLE, currency="EUR")
    whole = orders.merge(lines, on="order_id")
    first = whole.groupby("customer_id")["placed_at"].min()
    now = whole[whole["placed_at"] >= CYCLE.start]
    for sale, name in (("cross_sell", "cross-sell"), ("upsell", "upsell")):
        mine = now[now["sale_type"] == sale]
        existing = first[first < CYCLE.start].index
        buyers = mine.loc[mine["customer_id"].isin(existing), "customer_id"].nunique()
        row = number(found, "cross_sell.buyers_rate", sale=name)
        hand = wilson(buyers, len(existing))
        assert (row["estimate"], row["conf_low"]) == pytest.approx((hand.estimate, hand.low))
        assert number(found, "cross_sell.lines", sale=name, item=None)["estimate"] == len(mine)
        tea = number(found, "cross_sell.net_amount", sale=name, item="tea")
        assert tea["estimate"] == mine.loc[mine["category"] == "tea", "net_amount"].sum()


def test_what_goes_with_what_is_counted_customer_by_customer(engine):
    orders, lines = random_shop(2)
    found = cross_sell(engine.table(orders), engine.table(lines), cycle=CYCLE)
    whole = orders.merge(lines, on="order_id")
    table = np.zeros((2, 2))
    for _, mine in whole.groupby("customer_id"):
        held = set(mine.loc[mine["placed_at"] < CYCLE.start, "category"])
        cups = mine[mine["category"] == "cup"]
        if not held or "cup" in held:
            continue
        chosen = cups.loc[cups["sale_type"] != "bundle", "placed_at"].min()
        bought = len(cups) > 0 and chosen == cups["placed_at"].min()
        table[int("tea" not in held), int(not bought)] += 1
    ratio, _ = odds_ratio(*table.ravel())
    row = number(found, "cross_sell.odds_ratio", item="cup", against="tea")
    assert (row["estimate"], row["conf_low"], row["conf_high"]) == pytest.approx(
        (ratio.estimate, ratio.low, ratio.high)
    )
    rate = number(found, "cross_sell.next_rate", item="cup", against="tea")
    assert (rate["estimate"], rate["n"]) == (table[0, 0] / table[0].sum(), table[0].sum())


def test_a_bundle_is_no_choice_and_still_fills_the_shelf():
    # Twenty hold tea; ten get their first cake in a bundle, ten choose it; none does again.
    rows = [(f"c{i}", "2018-02-01", "tea", "new", 5.0) for i in range(40)]
    rows += [(f"c{i}", "2018-05-01", "cake", "bundle", 5.0) for i in range(10)]
    rows += [(f"c{i}", "2018-05-02", "cake", "cross_sell", 5.0) for i in range(20)]
    rows += [(f"d{i}", "2018-02-01", "cup", "new", 5.0) for i in range(30)]
    rows += [(f"d{i}", "2018-05-01", "cake", "cross_sell", 5.0) for i in range(3)]
    found = cross_sell(*shop_of(rows), cycle=CYCLE)
    rate = number(found, "cross_sell.next_rate", item="cake", against="tea")
    assert (rate["estimate"], rate["n"]) == (0.25, 40)


def test_the_change_counts_those_who_could_buy_in_both_cycles_together():
    rng = np.random.default_rng(4)
    rows = []
    for i in range(600):
        rows.append((f"c{i}", "2017-11-01", "tea", "new", 5.0))
        keen = rng.random() < 0.3  # the same people buy more in both
        for day in ("2018-02-01", "2018-05-01"):
            if rng.random() < (0.9 if keen else 0.02):
                rows.append((f"c{i}", day, "cup", "cross_sell", 5.0))
    found = cross_sell(*shop_of(rows), cycle=CYCLE)
    row = number(found, "cross_sell.change")
    rate = number(found, "cross_sell.buyers_rate")
    alone = np.sqrt(2) * (rate["conf_high"] - rate["conf_low"])
    assert row["conf_high"] - row["conf_low"] < 0.6 * alone  # correlation 0.8: sqrt(0.2) = 0.45
    assert row["conf_low"] <= 0 <= row["conf_high"]


def test_where_nothing_goes_together_few_pairs_are_called_clear():
    clear = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = []
        for i in range(500):
            held = rng.choice(["tea", "cake", "cup", "pot"])
            rows.append((f"c{i}", "2018-02-01", held, "new", 5.0))
            if rng.random() < 0.2:
                other = rng.choice([x for x in ("tea", "cake", "cup", "pot") if x != held])
                rows.append((f"c{i}", "2018-05-01", other, "cross_sell", 5.0))
        found = cross_sell(*shop_of(rows), cycle=CYCLE)
        clear += len(found._pairs())
    assert clear <= 3  # 5 % of twenty shops would have one at least; three have a chance of 8 %


def test_without_kinds_of_sale_next_purchases_are_told_alone():
    orders, lines = random_shop(3)
    found = cross_sell(orders, lines.drop(columns="sale_type"), cycle=CYCLE)
    assert set(found.estimates["metric"]) == {
        "cross_sell.next_rate", "cross_sell.odds_ratio", "cross_sell.p_bh",
    }  # fmt: skip
    assert "do not say what kind of sale" in found.note


def test_too_few_existing_customers_are_withheld():
    rows = [(f"c{i}", "2018-05-01", "tea", "new", 5.0) for i in range(40)]
    with pytest.raises(Withheld, match="had bought before 2018Q2"):
        cross_sell(*shop_of(rows), cycle=CYCLE)
