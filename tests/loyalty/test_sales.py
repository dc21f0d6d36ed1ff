"""Orders and money of a cycle reconcile with the table; changes carry intervals."""

from datetime import date

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import DuckEngine, Engine
from cxlab.errors import Withheld
from cxlab.loyalty import Sales, sales
from cxlab.report.disclosure import Policy

CYCLE = parse_cycle("2018Q1")


def _orders(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount", "status"])
    return found.assign(placed_at=pd.to_datetime(found["placed_at"], format="%Y-%m-%d"))


ORDERS = _orders(
    ("a", "2017-10-01", 100.10, "fulfilled"),
    ("b", "2017-12-31", 50.00, "fulfilled"),
    ("a", "2018-01-01", 80.00, "fulfilled"),
    ("a", "2018-02-01", 40.00, "fulfilled"),
    ("c", "2018-03-31", 60.05, "placed"),
    ("c", "2018-03-31", 999.00, "cancelled"),
    ("d", "2018-04-01", 999.00, "fulfilled"),
)


def _now(found: Sales) -> pd.DataFrame:
    return found.estimates[found.estimates["cycle"].isna()].set_index("metric")


def test_levels_and_changes_are_counted_by_hand(engine: Engine):
    found = sales(engine.table(ORDERS), cycle=CYCLE, currency="BRL")
    assert _now(found)["estimate"].to_dict() == pytest.approx(
        {
            "orders.count": 3,
            "orders.net_amount": 180.05,
            "orders.mean_amount": 180.05 / 3,
            "orders.count_change": 1,
            "orders.net_amount_change": 29.95,
            "orders.net_amount_relative_change": 29.95 / 150.10,
            "orders.mean_amount_change": 180.05 / 3 - 150.10 / 2,
            "orders.cancelled": 1,
        },
        abs=1e-9,  # float sums of exact decimals
    )


def test_orders_of_one_customer_widen_the_interval_of_the_total(engine: Engine):
    apart = _orders(*((f"c{i}", "2018-02-01", 50.0, "paid") for i in range(20)))
    together = apart.assign(customer_id=[f"c{i // 10}" for i in range(20)])
    wide, narrow = (
        _now(sales(engine.table(t), cycle=CYCLE)).loc["orders.net_amount"]
        for t in (together, apart)
    )
    assert wide["estimate"] == narrow["estimate"] == 1000
    assert wide["conf_low"] < narrow["conf_low"] < narrow["conf_high"] < wide["conf_high"]


def test_each_order_is_a_customers_own_then_the_total_scales_the_poisson_count(engine: Engine):
    orders = _orders(*((f"c{i}", "2018-02-01", 50.0, "paid") for i in range(10)))
    row = _now(sales(engine.table(orders), cycle=CYCLE)).loc["orders.net_amount"]
    # Garwood (1936): 10 events give 4.7954 to 18.3904, times 50
    assert row["conf_low"] == pytest.approx(239.77, abs=0.005)
    assert row["conf_high"] == pytest.approx(919.52, abs=0.005)


def test_history_has_at_most_eight_cycles_and_adds_up(engine: Engine):
    days = pd.date_range("2015-01-15", "2018-03-31", freq="MS").strftime("%Y-%m-%d")
    orders = _orders(*((f"c{i}", day, 10.0, "paid") for i, day in enumerate(days)))
    history = sales(engine.table(orders), cycle=CYCLE).estimates.dropna(subset="cycle")
    assert history["cycle"].tolist()[0] == "2016Q2"
    assert history["estimate"].tolist() == [30.0] * 8


def test_the_sentence_gives_the_change_in_money_and_as_a_share():
    orders = _orders(
        *((f"c{i}", "2017-11-01", 50.0, "paid") for i in range(100)),
        *((f"c{i}", "2018-02-01", 60.0, "paid") for i in range(120)),
    )
    said = sales(orders, cycle=CYCLE, currency="EUR").sentence()
    assert said.startswith("120 orders of 2018Q1 brought EUR 7,200, more than in 2017Q4: +44.0%, ")
    assert "EUR +2,200 (+" in said


def test_the_first_cycle_of_a_table_is_compared_with_nothing(engine: Engine):
    found = sales(engine.table(ORDERS.iloc[2:]), cycle=CYCLE)
    assert not any("change" in metric for metric in found.estimates["metric"])
    assert found.sentence().endswith("there is no earlier cycle to compare with.")


def test_few_customers_are_withheld_whatever_their_orders():
    many = _orders(*(("a", f"2018-02-{d:02d}", 10.0, "paid") for d in range(1, 29)))
    safe = sales(many, cycle=CYCLE, currency="EUR").protect(10)
    assert safe.estimates["suppressed"].all()
    assert "Too few customers" in safe.sentence()
    safe.plot()


def test_few_cancelled_orders_are_withheld_alone():
    orders = _orders(
        *((f"c{i}", "2018-02-01", 10.0, "paid") for i in range(20)),
        ("c1", "2018-02-02", 10.0, "cancelled"),
    )
    safe = _now(sales(orders, cycle=CYCLE).protect(10))
    assert safe["suppressed"]["orders.cancelled"]
    assert not safe["suppressed"]["orders.count"]


def test_one_large_customer_or_two_are_told_of_in_each_row_of_money(engine: Engine):
    orders = _orders(
        ("a", "2018-02-01", 60.0, "paid"),
        ("a", "2018-02-03", 20.0, "paid"),
        ("b", "2018-02-02", -10.0, "returned"),
        ("c", "2018-02-02", 10.0, "paid"),
        ("a", "2017-11-02", 90.0, "paid"),
        ("b", "2017-11-03", 10.0, "paid"),
    )
    rows = _now(sales(engine.table(orders), cycle=CYCLE, currency="EUR"))
    tops = rows[["_amount", "_top1", "_top2"]]
    assert tops.loc["orders.net_amount"].tolist() == [80.0, 0.8, 0.9]  # of 100 without signs
    assert tops.loc["orders.mean_amount"].tolist() == [80.0, 0.8, 0.9]
    # The change is as uneven as the cycle before, in which one customer brought nine tenths.
    assert tops.loc["orders.net_amount_change", ["_top1", "_top2"]].tolist() == [0.9, 1.0]


def test_revenue_of_one_large_customer_is_withheld_with_what_tells_of_it():
    orders = _orders(
        *((f"c{i}", "2018-02-01", 10.0, "paid") for i in range(30)),
        ("bulk", "2018-02-02", 5000.0, "paid"),
    )
    found = sales(orders, cycle=CYCLE, currency="EUR")
    safe = found.protect(10)
    assert safe.estimates.drop(index=safe.estimates.query("status == 'cancelled'").index)[
        "suppressed"
    ].all()
    assert "_top1" not in safe.estimates.columns
    assert "_top1" not in found.table().columns
    assert not found.protect(Policy(top1=0.99, top2=1.0)).estimates["suppressed"].iloc[0]


def test_refunds_may_outweigh_sales(engine: Engine):
    orders = _orders(("a", "2018-02-01", 10.0, "paid"), ("b", "2018-02-02", -30.0, "returned"))
    row = _now(sales(engine.table(orders), cycle=CYCLE)).loc["orders.net_amount"]
    assert row["conf_low"] < row["estimate"] == -20 < row["conf_high"]


@pytest.mark.parametrize("orders", [ORDERS.iloc[:0], ORDERS.iloc[:2], ORDERS.iloc[5:6]])
def test_a_cycle_without_standing_orders_has_a_reason(engine: Engine, orders):
    with pytest.raises(Withheld, match="No order was placed in 2018Q1"):
        sales(engine.table(orders), cycle=CYCLE)


def test_a_table_without_status_counts_every_order(engine: Engine):
    found = sales(engine.table(ORDERS.drop(columns="status")), cycle=CYCLE)
    assert _now(found)["estimate"]["orders.count"] == 4


def test_order_of_rows_does_not_matter():
    one, two = (
        sales(t, cycle=CYCLE).estimates for t in (ORDERS, ORDERS.sample(frac=1, random_state=3))
    )
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_eight_rows_leave_the_engine():
    engine = DuckEngine()
    sales(engine.table(ORDERS), cycle=CYCLE)
    assert engine.longest_answer <= 8


def test_a_cycle_from_before_the_data_are_complete_is_not_compared_with():
    table = ORDERS
    found = sales(table, cycle=CYCLE, complete_from=date(2017, 12, 1))
    assert found.estimates["cycle"].dropna().tolist() == ["2018Q1"]
    assert found.sentence().endswith("there is no earlier cycle to compare with.")


def test_repeat_orders_of_one_customer_are_not_independent():
    once = [(f"c{i}", "2018-02-01", 10.0, "paid") for i in range(90)]
    thrice = [(f"c{i // 3}", "2018-02-01", 10.0, "paid") for i in range(90)]
    spread, bunched = (
        _now(sales(_orders(*rows), cycle=CYCLE)).loc["orders.count"] for rows in (once, thrice)
    )
    assert spread["estimate"] == bunched["estimate"] == 90
    # Three at a time: the standard error is larger by the square root of three.
    ratio = (bunched["conf_high"] - bunched["conf_low"]) / (
        spread["conf_high"] - spread["conf_low"]
    )
    assert ratio == pytest.approx(3**0.5, rel=0.05)


def test_the_same_customers_in_both_cycles_make_the_change_surer(engine: Engine):
    before = [(f"c{i}", "2017-11-01", 10.0 + i, "paid") for i in range(60)]
    stayed = [(f"c{i}", "2018-02-01", 12.0 + i, "paid") for i in range(60)]
    strangers = [(f"d{i}", "2018-02-01", 12.0 + i, "paid") for i in range(60)]
    same, other = (
        _now(sales(engine.table(_orders(*before, *now)), cycle=CYCLE))
        for now in (stayed, strangers)
    )
    assert same["estimate"].to_dict() == other["estimate"].to_dict()
    width = {name: t["conf_high"] - t["conf_low"] for name, t in (("same", same), ("other", other))}
    for change in ("count_change", "net_amount_change", "mean_amount_change"):
        assert width["same"][f"orders.{change}"] < 0.2 * width["other"][f"orders.{change}"]
    relative = "orders.net_amount_relative_change"
    assert width["same"][relative] < 0.2 * width["other"][relative]
    for level in ("count", "net_amount", "mean_amount"):
        assert width["same"][f"orders.{level}"] == width["other"][f"orders.{level}"]


def test_without_a_shared_customer_two_cycles_are_independent(engine: Engine):
    orders = _orders(
        *((f"c{i}", "2017-11-01", 50.0, "paid") for i in range(10)),
        *((f"d{i}", "2018-02-01", 50.0, "paid") for i in range(12)),
    )
    row = _now(sales(engine.table(orders), cycle=CYCLE)).loc["orders.count_change"]
    # MOVER of Garwood's intervals, 12 (6.2006 to 20.9616) and 10 (4.7954 to 18.3904)
    assert row["conf_low"] == pytest.approx(2 - (5.7994**2 + 8.3904**2) ** 0.5, abs=1e-3)
    assert row["conf_high"] == pytest.approx(2 + (8.9616**2 + 5.2046**2) ** 0.5, abs=1e-3)


def test_the_note_warns_of_the_mean_order_of_few_buyers():
    orders = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(5_000)],
            "net_amount": 10.0,
            "placed_at": pd.Timestamp("2018-02-01"),
        }
    )
    warns = "The mean order is less sure than its interval says"
    assert warns not in sales(orders, cycle=CYCLE, currency="EUR").note
    assert warns in sales(orders.iloc[1:], cycle=CYCLE, currency="EUR").note
