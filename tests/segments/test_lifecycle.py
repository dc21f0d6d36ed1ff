"""Each state by its rule, and opening + in - out = closing."""

from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, frame
from cxlab.errors import DataError, ParameterError, Withheld
from cxlab.segments import LifecycleStates, states

CYCLE = parse_cycle("2018Q1")
CUTOFF = pd.Timestamp("2018-04-01")
RULE = {"cycle": CYCLE, "cooling_days": 30, "lapse_days": 90}


def _orders(**days_before_cutoff: list[int]) -> pd.DataFrame:
    """Build one order of 10 for each number of days before the cutoff."""
    rows = [(c, CUTOFF - timedelta(days=d)) for c, days in days_before_cutoff.items() for d in days]
    found = pd.DataFrame(rows, columns=["customer_id", "placed_at"])
    return found.assign(net_amount=10.0)


def _customers(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ids})


def _states(found: LifecycleStates) -> dict[str, str]:
    return frame(found.members, limit=1000).set_index("customer_id")["state"].to_dict()


def test_each_state_follows_from_the_days_since_the_purchases(engine: Engine):
    # 2018Q1 starts 90 days before its cutoff
    orders = _orders(
        new=[60],
        active=[30, 100],
        cooling=[31, 100],
        edge=[90, 91],
        lapsed=[91, 120],
        returned=[5, 96],
        stayed=[5, 95],
    )
    found = states(engine.table(orders), _customers("never"), **RULE)
    assert _states(found) == {
        "new": "new",
        "active": "active",
        "cooling": "cooling",
        "edge": "cooling",  # the last purchase is exactly lapse_days ago
        "lapsed": "lapsed",
        "returned": "returned",  # a gap of 91 days before the last purchase
        "stayed": "active",  # a gap of 90
        "never": "no purchase yet",
    }


def test_the_closing_states_of_a_cycle_are_the_opening_ones_of_the_next(engine: Engine):
    orders = engine.table(_orders(a=[200, 40], b=[95], c=[300], d=[10], e=[150, 92]))
    earlier = states(orders, _customers("f"), **(RULE | {"cycle": CYCLE.previous}))
    now = states(orders, _customers("f"), **RULE)
    closed = earlier.table().set_index("state")["closing"]
    opened = now.table().set_index("state")["opening"]
    assert closed.to_dict() == opened.to_dict()


@settings(max_examples=20, deadline=None)
@given(
    days=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 400)), min_size=1, max_size=40),
    cooling=st.integers(1, 50),
    lapse=st.integers(51, 200),
)
def test_counts_reconcile_whatever_the_purchases(days, cooling, lapse):
    orders = pd.DataFrame(
        {
            "customer_id": [f"c{c}" for c, _ in days],
            "placed_at": [CUTOFF - timedelta(days=d + 1) for _, d in days],
            "net_amount": 1.0,
        }
    )
    found = states(orders, _customers("c99"), cycle=CYCLE, cooling_days=cooling, lapse_days=lapse)
    table = found.table().set_index("state")
    flows = found.flows.estimates
    for state in table.index:
        came = flows.loc[(flows["to_state"] == state) & (flows["from_state"] != state), "estimate"]
        went = flows.loc[(flows["from_state"] == state) & (flows["to_state"] != state), "estimate"]
        total = table.loc[state, "opening"] + came.sum() - went.sum()
        assert total == table.loc[state, "closing"]
    assert table["closing"].sum() == orders["customer_id"].nunique() + 1


def test_a_longer_rule_of_one_product_line_keeps_its_customers(engine: Engine):
    orders = _orders(fridge=[100], bread=[100], both=[100, 5]).assign(
        category=["fridges", "bread", "fridges", "bread"]
    )
    rules = {"fridges": {"cooling_days": 400, "lapse_days": 900}}
    found = states(engine.table(orders), _customers(), **RULE, rules=rules, line="category")
    assert _states(found) == {"fridge": "active", "bread": "lapsed", "both": "active"}
    assert "own rules for fridges" in found.note


def test_orders_after_the_cutoff_cancelled_ones_and_returns_change_nothing(engine: Engine):
    orders = _orders(a=[100, -1], b=[100, 3], c=[100, 2]).assign(
        status=["paid", "paid", "paid", "cancelled", "paid", "paid"],
        net_amount=[10, 10, 10, 10, 10, -10],
    )
    assert set(_states(states(engine.table(orders), _customers(), **RULE)).values()) == {"lapsed"}


def test_customers_without_an_id_stop_the_count():
    orders = pd.concat([_orders(a=[100]), _orders(b=[95]).assign(customer_id=None)])
    with pytest.raises(DataError, match=r"Opening \+ in - out must be closing.*customer_id"):
        states(orders, _customers("a"), **RULE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cooling_days": 90}, "all lines has 90 and 90"),
        ({"rules": {"a": {"cooling_days": 1, "lapse_days": 2}}}, "go together"),
        ({"rules": {"a": {"lapse_days": 2}}, "line": "category"}, "needs cooling_days"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        states(_orders(a=[1]), _customers("a"), **(RULE | options))


def test_without_a_purchase_there_is_a_reason(engine: Engine):
    with pytest.raises(Withheld, match="none lies before"):
        states(engine.table(_orders(a=[-5])), _customers("a"), **RULE)


def test_small_states_are_withheld_in_picture_and_sentence():
    many = {f"l{i}": [100 + i] for i in range(40)} | {f"n{i}": [i + 1] for i in range(30)}
    found = states(_orders(**many, odd=[5, 100]), _customers("x"), **RULE).protect(10)
    hidden = found.table().set_index("state")["suppressed"]
    assert hidden["returned"]
    assert "returned" not in found.sentence()
    found.plot()
    flows = found.flows.protect(10)
    flows.plot()
    assert flows.sentence()


def test_the_matrix_of_flows_has_its_columns_in_the_order_of_its_rows():
    orders = _orders(**{f"{i}{days}": [days, 100] for i in "ab" for days in (5, 40, 95)}, new=[60])
    ax = states(orders, _customers("never"), **RULE).flows.plot()
    said = " ".join(text.get_text() for text in ax.texts)  # a long head takes two lines
    assert "by column no purchase yet new active cooling lapsed returned not yet" in said
