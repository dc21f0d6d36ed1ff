"""Value adds up, groups to all and residual to total, and its models are held to what they say."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.errors import Withheld
from cxlab.loyalty import LifetimeValue, lifetime_value
from tests.loyalty.test_repeat_buying import ORDERS

CYCLE = parse_cycle("2018Q4")
BY = pd.DataFrame({"customer_id": [f"c{i}" for i in range(1500)]})
BY["plan"] = np.where(BY.index % 3 == 0, "small", "large")


@pytest.fixture(scope="module")
def found() -> LifetimeValue:
    return lifetime_value(ORDERS, cycle=CYCLE, by=BY, currency="EUR")


def _per(found: LifetimeValue, measure: str, plan: str | None = None) -> pd.Series:
    rows = found.estimates
    rows = rows[(rows["metric"] == "value.per_customer_amount") & (rows["measure"] == measure)]
    if "plan" in rows:
        rows = rows[rows["plan"].isna() if plan is None else rows["plan"] == plan]
    return rows.iloc[0]


def test_what_was_brought_so_far_is_counted(found):
    known = ORDERS[ORDERS["placed_at"] < "2019-01-01"]
    brought = known["net_amount"].sum() / known["customer_id"].nunique()
    assert _per(found, "so far")["estimate"] == pytest.approx(brought)


def test_total_is_what_was_brought_and_what_is_to_come(found):
    for plan in (None, "small", "large"):
        past, left, total = (_per(found, m, plan) for m in ("so far", "residual", "total"))
        assert past["estimate"] + left["estimate"] == pytest.approx(total["estimate"])
        assert left["conf_low"] < left["estimate"] < left["conf_high"]


def test_groups_add_up_to_all(found):
    rows = found.estimates[found.estimates["metric"] == "value.residual_amount"]
    parts = rows[rows["plan"].notna()]["estimate"].sum()
    assert parts == pytest.approx(rows[rows["plan"].isna()]["estimate"].iloc[0])


def test_a_margin_scales_and_a_discount_lessens(found):
    half = lifetime_value(ORDERS, cycle=CYCLE, currency="EUR", margin=0.5)
    assert _per(half, "total")["estimate"] == pytest.approx(_per(found, "total")["estimate"] / 2)
    dear = lifetime_value(ORDERS, cycle=CYCLE, currency="EUR", discount_rate=0.5)
    assert _per(dear, "residual")["estimate"] < _per(found, "residual")["estimate"]


def test_the_error_of_the_last_forecast_and_the_test_of_spend_stand_beside(found):
    rows = found.estimates.set_index("metric")
    assert np.isfinite(rows.loc["value.holdout_error", "estimate"])
    assert rows.loc["value.p_independence", "estimate"] > 0.01  # spend was made without a relation
    assert (
        rows.loc["value.holdout_error", "conf_low"] < rows.loc["value.holdout_error", "conf_high"]
    )
    assert "spend for 2018Q4 (" in found.sentence()
    assert "no clear relation" in found.note


def test_many_groups_are_put_together():
    many = BY.assign(plan=[f"p{i % 20:02d}" for i in range(len(BY))])
    rows = lifetime_value(ORDERS, cycle=CYCLE, by=many, currency="EUR").estimates
    sums = rows[rows["metric"] == "value.residual_amount"].set_index("plan")["estimate"]
    assert len(sums) == 13  # all, eleven of their own, and the others
    assert sums.drop(index=[None]).sum() == pytest.approx(sums.loc[[None]].iloc[0])


def test_it_draws_and_says_why_there_is_nothing(found):
    safe = found.protect(10)
    safe.plot()
    assert safe.sentence().startswith("By plan, customers are still expected to bring from EUR ")
    with pytest.raises(Withheld):
        lifetime_value(ORDERS.head(30), cycle=CYCLE)


def test_what_serving_a_group_costs_is_taken_off_each_purchase_to_come(found, engine):
    who = BY["customer_id"].repeat(2).reset_index(drop=True)
    contacts = pd.DataFrame(
        {
            "customer_id": who,
            "started_at": [pd.Timestamp("2018-06-01"), pd.Timestamp("2019-06-01")] * len(BY),
            "cost_amount": np.where(BY["plan"].repeat(2) == "small", 12.0, 0.5),
        }
    )
    contacts.loc[4, "cost_amount"] = np.nan  # nobody knows what it cost
    made = lifetime_value(
        engine.table(ORDERS), cycle=CYCLE, by=BY, currency="EUR", contacts=engine.table(contacts)
    )
    known = ORDERS[ORDERS["placed_at"] < "2019-01-01"].merge(BY, on="customer_id")
    known = known.assign(day=known["placed_at"].dt.date).drop_duplicates(["customer_id", "day"])
    known = known[known["plan"] == "small"]
    paid = contacts[contacts["customer_id"].isin(known["customer_id"])].iloc[::2]
    per_purchase = paid["cost_amount"].sum() / len(known)
    cost = made.estimates[made.estimates["metric"] == "value.service_amount"].set_index("plan")
    assert cost.loc["small", "estimate"] == pytest.approx(per_purchase)
    assert cost.loc["small", "n"] == len(known)
    before, after = (_per(x, "residual", "small")["estimate"] for x in (found, made))
    less = (
        _per(found, "residual", "large")["estimate"] - _per(made, "residual", "large")["estimate"]
    )
    assert before - after > 5 * less > 0
    so_far = _per(found, "so far", "small")["estimate"] - _per(made, "so far", "small")["estimate"]
    assert so_far == pytest.approx(paid["cost_amount"].sum() / known["customer_id"].nunique())
    assert "after the cost of contacts" in made.subtitle


def test_the_error_of_spend_is_what_was_foretold_over_what_was_spent(found, engine):
    """Dearer purchases of the cycle were not foretold, and purchases were."""
    row = found.estimates.set_index("metric").loc["value.holdout_spend_error"]
    assert row["conf_low"] < 0 < row["conf_high"]  # the models are those that made the orders
    inside = (ORDERS["placed_at"] >= "2018-10-01") & (ORDERS["placed_at"] < "2019-01-01")
    dear = ORDERS.assign(net_amount=ORDERS["net_amount"].where(~inside, 2 * ORDERS["net_amount"]))
    made = lifetime_value(engine.table(dear), cycle=CYCLE, currency="EUR")
    twice = made.estimates.set_index("metric")
    # Half of what was spent, to the cent.
    for end in ("estimate", "conf_low", "conf_high"):
        expected = (1 + row[end]) / 2 - 1
        assert twice.loc["value.holdout_spend_error", end] == pytest.approx(expected)
    same = found.estimates.set_index("metric").loc["value.holdout_error", "estimate"]
    assert twice.loc["value.holdout_error", "estimate"] == pytest.approx(same)
    assert "too little spend for 2018Q4" in made.sentence()
