"""Scores by ORACLES G6 to G8; segments hold every customer once."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.engine import DuckEngine, Engine, frame
from cxlab.errors import ParameterError, Withheld
from cxlab.segments import Rfm, rfm
from cxlab.segments.scores import quantile_breaks

AT = datetime(2018, 4, 1)
RECENCY_DAYS = [1, 2, 2, 3, 5, 8, 8, 8, 20, 50]
FREQUENCY = [1] * 6 + [2, 3, 5, 9]


def _orders(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of customer, day and amount; every order is placed at noon."""
    found = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])
    found["placed_at"] = pd.to_datetime(found["placed_at"]) + timedelta(hours=12)
    return found


def _customers(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ids, "first_seen_at": pd.Timestamp("2015-01-01")})


def _by_recency(days: list[int]) -> pd.DataFrame:
    day = pd.Timestamp(AT)
    return _orders(
        *((f"c{i}", f"{day - timedelta(days=d):%Y-%m-%d}", 10.0) for i, d in enumerate(days))
    )


def _scored(found: Rfm, column: str) -> list[int]:
    rows = frame(found.scored, limit=1000).sort_values("customer_id")
    return rows[column].astype(int).tolist()


CATCH_ALL = [{"name": "everybody"}]


def test_ties_in_recency_share_their_score_and_the_best_is_the_latest(engine: Engine):
    orders = engine.table(_by_recency(RECENCY_DAYS))
    found = rfm(orders, _customers(*(f"c{i}" for i in range(10))), at=AT, rules=CATCH_ALL)
    # ORACLES G6: 1 1 1 2 3 3 3 3 5 5, then reversed
    assert _scored(found, "recency_score") == [5, 5, 5, 4, 3, 3, 3, 3, 1, 1]
    assert "recency 2, 4.20, 8, 10.40;" in found.note
    assert "recency 2;" in found.note.split("since values are tied:")[1]


def test_heavy_ties_in_frequency_skip_levels_and_the_note_says_so(engine: Engine):
    rows = [
        (f"c{i}", f"2018-01-{d + 1:02d}", 10.0) for i, f in enumerate(FREQUENCY) for d in range(f)
    ]
    found = rfm(
        engine.table(_orders(*rows)), _customers("c0"), at=AT, rules=CATCH_ALL, currency="EUR"
    )
    # ORACLES G7: break points 1, 1, 1.4, 3.4
    assert _scored(found, "frequency_score") == [1] * 6 + [4, 4, 5, 5]
    assert "frequency 1, 1, 1.40, 3.40;" in found.note
    assert "frequency 2 and 3" in found.note


def test_break_points_are_type_7_quantiles(engine: Engine):
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
    table = engine.table(pd.DataFrame({"x": values}))
    (found,) = quantile_breaks(table, ["x"], scores=7)
    expected = pd.Series(values).quantile([k / 7 for k in range(1, 7)], interpolation="linear")
    # numpy interpolates in floating point, we in fractions
    assert [float(p) for p in found.points] == pytest.approx(expected.tolist(), abs=1e-12)


def test_a_day_of_returns_only_is_no_purchase_but_is_deducted_from_the_value(engine: Engine):
    orders = _orders(
        ("a", "2018-01-10", 100.0),
        ("a", "2018-01-10", -10.0),  # same day: one purchase of 90
        ("a", "2018-02-01", 60.0),
        ("a", "2018-03-01", -30.0),  # returns only
        ("b", "2018-02-05", -5.0),
        ("b", "2018-02-06", 5.0),
        ("b", "2018-02-06", -5.0),  # comes to nothing
    )
    found = rfm(engine.table(orders), _customers("a", "b"), at=AT, rules=CATCH_ALL)
    rows = frame(found.scored, limit=10).set_index("customer_id")
    assert rows.loc["a", ["recency_days", "frequency", "monetary"]].tolist() == [59, 2, 60.0]
    assert pd.isna(rows.loc["b", "frequency"])
    assert rows["segment"].to_dict() == {"a": "everybody", "b": "no purchase"}


def test_what_is_placed_later_or_cancelled_is_not_looked_at(engine: Engine):
    orders = _orders(
        ("a", "2018-03-01", 10.0), ("a", "2018-04-01", 500.0), ("b", "2018-03-01", 10.0)
    ).assign(status=["paid", "paid", "cancelled"])
    customers = _customers("a", "b", "c").assign(
        first_seen_at=pd.to_datetime(["2018-01-01", "2018-01-01", "2018-04-01"])
    )
    found = rfm(engine.table(orders), customers, at=AT, rules=CATCH_ALL)
    rows = frame(found.scored, limit=10)
    assert rows["customer_id"].tolist() == ["a", "b"]
    assert rows["net_amount"].tolist() == [10.0, 0.0]


def test_two_orders_of_one_local_day_are_one_purchase(engine: Engine):
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a"],
            "placed_at": pd.to_datetime(["2018-03-31 23:30", "2018-04-01 01:00"]),
            "placed_on": [datetime(2018, 3, 31).date()] * 2,
            "net_amount": [10.0, 20.0],
        }
    )
    cutoff = datetime(2018, 4, 1, 3)  # midnight in São Paulo
    found = rfm(
        engine.table(orders),
        _customers("a"),
        at=cutoff,
        rules=CATCH_ALL,
        time_zone="America/Sao_Paulo",
    )
    row = frame(found.scored, limit=10).iloc[0]
    assert (row["recency_days"], row["frequency"], row["monetary"]) == (1, 1, 30.0)


def test_every_customer_is_in_exactly_one_segment_and_money_adds_up(engine: Engine):
    orders = _by_recency(list(range(1, 41))).assign(net_amount=[7.25 + i for i in range(40)])
    customers = _customers(*(f"c{i}" for i in range(50)))
    found = rfm(engine.table(orders), customers, at=AT, currency="EUR")
    members = frame(found.members, limit=100)
    assert sorted(members["customer_id"]) == sorted(customers["customer_id"])
    share = found.estimates[found.estimates["metric"] == "customers.rfm_share"]
    money = found.estimates[found.estimates["metric"] == "customers.rfm_net_amount"]
    assert share["estimate"].sum() == pytest.approx(1, abs=1e-12)
    assert share["count"].sum() == 50
    assert money["estimate"].sum() == pytest.approx(orders["net_amount"].sum(), abs=1e-9)
    assert set(money["unit"]) == {"EUR"}
    assert found.rules_hash in found.note


@settings(max_examples=15, deadline=None)
@given(
    amounts=st.lists(st.integers(-20, 200), min_size=1, max_size=25),
    order=st.randoms(use_true_random=False),
)
def test_order_of_rows_and_names_of_customers_change_no_segment(amounts, order):
    # ORACLES G8; several purchases per customer, returns and ties included
    days = [1 + (7 * i) % 90 for i in range(len(amounts))]
    orders = _by_recency(days).assign(
        customer_id=[f"c{i % 9}" for i in range(len(amounts))], net_amount=amounts
    )
    customers = _customers(*(f"c{i}" for i in range(9)))
    renamed = {f"c{i}": f"x{(i * 5) % 9}" for i in range(9)}
    shuffled = orders.sample(frac=1, random_state=order.randint(0, 10**6))
    other_names = shuffled.assign(customer_id=shuffled["customer_id"].map(renamed))
    try:
        here = rfm(orders, customers, at=AT)
    except Withheld:
        return
    there = rfm(other_names, _customers(*renamed.values()), at=AT)
    one = frame(here.members, limit=100).set_index("customer_id")["segment"]
    two = frame(there.members, limit=100).set_index("customer_id")["segment"]
    assert {renamed[c]: s for c, s in one.items()} == two.to_dict()


def test_declared_cuts_score_by_how_many_lie_strictly_below(engine: Engine):
    found = rfm(
        engine.table(_by_recency([10, 30, 31, 400])),
        _customers("c0"),
        at=AT,
        scores=2,
        cuts={"recency": [30, 365]},
        rules=[{"name": "fresh", "recency": [3, 3]}, {"name": "rest"}],
    )
    assert _scored(found, "recency_score") == [3, 3, 2, 1]
    members = frame(found.members, limit=10)["segment"].tolist()
    assert members == ["fresh", "fresh", "rest", "rest"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rules": [{"name": "top", "recency": [5, 5]}]}, "none fits 1-1-1, 1-1-2, .* 95 more"),
        ({"rules": [{"name": "top", "recency": [5, 6]}]}, r"from 1 to 5, but has \[5, 6\]"),
        ({"rules": [{"name": "top", "recent": [1, 5]}]}, "Did you mean 'recency'"),
        ({"rules": [{"name": "no purchase"}]}, "kept for customers who have bought nothing"),
        ({"scores": 4}, "default rules are made for five scores"),
        ({"scores": 11}, "scores must be 2 to 10"),
        ({"cuts": {"recency": [9, 9]}, "rules": CATCH_ALL}, "rising numbers"),
        ({"cuts": {"value": [9]}}, "cuts may name"),
    ],
)
def test_a_rule_table_that_cannot_work_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        rfm(_by_recency([1, 2]), _customers("c0"), at=AT, **options)


def test_rules_with_another_wording_have_another_hash_and_the_same_rules_the_same():
    orders, customers = _by_recency([1, 2]), _customers("c0")
    one = rfm(orders, customers, at=AT, rules=[{"name": "all", "recency": [1, 5]}])
    two = rfm(orders, customers, at=AT, rules=[{"recency": [1, 5], "name": "all"}])
    three = rfm(orders, customers, at=AT, rules=[{"recency": [1, 5], "name": "everybody"}])
    assert one.rules_hash == two.rules_hash != three.rules_hash
    assert len(one.rules_hash) == 8


@pytest.mark.parametrize("orders", [_orders(), _by_recency([1]).iloc[:0]])
def test_without_a_purchase_there_is_a_reason_instead_of_numbers(engine: Engine, orders):
    with pytest.raises(Withheld, match="of 1 customers known before 2018-04-01 none has"):
        rfm(engine.table(orders), _customers("a"), at=AT)


def test_a_withheld_segment_is_drawn_and_left_out_of_the_sentence():
    orders = _by_recency([*([5] * 30), *range(40, 71), 100, 101])
    found = rfm(orders, _customers(*(f"c{i}" for i in range(80))), at=AT, currency="EUR")
    safe = found.protect(10)
    assert safe.estimates["suppressed"].any()
    safe.plot()
    hidden = set(safe.estimates.loc[safe.estimates["suppressed"], "segment"])
    assert not any(name in safe.sentence() for name in hidden)


def test_money_of_a_segment_tells_how_much_the_largest_customers_brought(engine: Engine):
    orders = _orders(
        ("a", "2018-03-01", 50.0), ("a", "2018-03-02", 30.0),
        ("b", "2018-03-01", 15.0), ("c", "2018-03-01", 5.0),
    )  # fmt: skip
    found = rfm(engine.table(orders), _customers("a", "d"), at=AT, currency="EUR", rules=CATCH_ALL)
    rows = found.estimates[found.estimates["segment"] == "everybody"].set_index("metric")
    tops = rows[["_top1", "_top2"]].round(3)
    assert tops.loc["customers.rfm_net_amount"].tolist() == [0.8, 0.95]
    # A purchase day of a brings 40, one of b 15, one of c 5.
    assert tops.loc["customers.rfm_monetary_mean"].tolist() == [0.667, 0.917]
    assert tops.loc["customers.rfm_share"].isna().all()
    assert not any(c.startswith("_") for c in found.table().columns)


def test_the_table_has_one_row_per_segment_and_withholds_all_of_a_small_one():
    orders = _by_recency([*([5] * 30), *range(40, 71), 100, 101])
    table = rfm(orders, _customers("c0"), at=AT).protect(10).table()
    assert table["segment"].is_unique
    hidden = table[table["suppressed"]].drop(columns=["segment", "unit", "suppressed"])
    assert len(hidden)
    assert hidden.isna().all(axis=None)


def test_only_sums_leave_the_engine():
    engine = DuckEngine()
    orders = _by_recency([1 + i % 300 for i in range(5000)])
    rfm(engine.table(orders), _customers("c0"), at=AT)
    assert engine.longest_answer <= 126  # combinations of scores, and no purchase
