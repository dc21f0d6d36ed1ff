"""Ordering again after a delivery: only where the whole time was observed."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from cxlab.errors import ParameterError, Withheld
from cxlab.operations import repurchase_by_lateness

PLACED = datetime(2024, 2, 1)


def _orders(n, *, prefix="o", at=PLACED, status="placed"):
    """One order of each customer `c0`, `c1` ..."""
    return pd.DataFrame(
        {
            "order_id": [f"{prefix}{i}" for i in range(n)],
            "customer_id": [f"c{i}" for i in range(n)],
            "placed_at": pd.Series([at] * n).astype("datetime64[us]"),
            "status": status,
        }
    )


@pytest.fixture
def sent(shipped):
    """40 deliveries on or about 2024-03-01: 25 on time, 15 two days late."""
    return shipped([0.0] * 25 + [2.0] * 15, promised=datetime(2024, 3, 1).date())


def _counts(result):
    rows = result.estimates.set_index("days_late").loc[["late", "on time"]]
    return {name: (row["count"], row["n"]) for name, row in rows.iterrows()}


def test_orders_within_the_days_after_delivery_count_and_no_others(engine, cycle, sent):
    first = _orders(40)
    delivered = datetime(2024, 3, 1, 12)
    again = pd.concat(
        [
            _orders(4, prefix="soon", at=delivered + timedelta(days=1)),
            _orders(2, prefix="same", at=delivered + timedelta(days=9)),
            _orders(5, prefix="before", at=delivered - timedelta(days=1)),
            _orders(6, prefix="last", at=delivered + timedelta(days=60)),
            _orders(8, prefix="void", at=delivered + timedelta(days=5), status="cancelled"),
        ]
    )
    result = repurchase_by_lateness(
        engine.table(pd.concat([first, again])), engine.table(sent), cycle=cycle, within_days=60
    )
    # The order of day 60 comes at the very end of the half-open time, and is outside.
    assert _counts(result) == {"late": (0, 15), "on time": (4, 25)}


def test_the_difference_is_late_minus_on_time_with_newcombes_interval(engine, cycle, sent):
    again = _orders(40, prefix="again", at=datetime(2024, 3, 20)).iloc[[*range(10), 25, 26, 27]]
    result = repurchase_by_lateness(
        engine.table(pd.concat([_orders(40), again])), engine.table(sent), cycle=cycle
    )
    assert _counts(result) == {"late": (3, 15), "on time": (10, 25)}
    gap = result.estimates.set_index("metric").loc["delivery.repurchase_difference"]
    assert gap["estimate"] == pytest.approx(-0.2)
    assert gap["conf_low"] < -0.2 < 0 < gap["conf_high"]
    assert result.sentence().startswith(
        "After a late delivery 20.0% of customers ordered again within 90 days, after one on "
        "time 40.0%. No detectable difference"
    )


def test_deliveries_not_yet_mature_are_counted_in_sight_and_not_in_the_share(
    engine, cycle, sent, shipped
):
    young = shipped([0.0] * 30, promised=datetime(2024, 6, 20).date())
    young["order_id"] = [f"y{i}" for i in range(30)]
    orders = pd.concat([_orders(40), _orders(30, prefix="y", at=datetime(2024, 6, 1))])
    result = repurchase_by_lateness(
        engine.table(orders), engine.table(pd.concat([sent, young])), cycle=cycle
    )
    assert sum(n for _, n in _counts(result).values()) == 40
    assert "Not yet mature: 30 deliveries" in result.note


def test_cutting_the_data_at_the_cutoff_changes_nothing(cycle, sent):
    orders = pd.concat([_orders(40), _orders(9, prefix="x", at=datetime(2024, 8, 1))])
    cut = orders[orders["placed_at"] < cycle.cutoff]
    whole = repurchase_by_lateness(orders, sent, cycle=cycle)
    pd.testing.assert_frame_equal(
        whole.estimates, repurchase_by_lateness(cut, sent, cycle=cycle).estimates
    )


def test_a_customer_with_several_deliveries_counts_once_with_the_first(engine, cycle, sent):
    orders = _orders(40)
    orders.loc[5:24, "customer_id"] = "c0"  # 20 deliveries on time of one customer more
    orders.loc[39, "customer_id"] = "c0"  # and a late one, two days after
    others = _orders(12, prefix="z").assign(customer_id=lambda t: "d" + t["customer_id"])
    many = pd.concat([orders, others])
    more = sent.iloc[:12].assign(order_id=[f"z{i}" for i in range(12)])
    counts = _counts(
        repurchase_by_lateness(
            engine.table(many), engine.table(pd.concat([sent, more])), cycle=cycle
        )
    )
    assert (counts["on time"][1], counts["late"][1]) == (5 + 12, 14)


def test_a_withheld_share_takes_the_difference_with_it(cycle, sent):
    again = _orders(12, prefix="again", at=datetime(2024, 3, 20))
    result = repurchase_by_lateness(pd.concat([_orders(40), again]), sent, cycle=cycle)
    hidden = result.protect(10)
    assert hidden.estimates["suppressed"].all()
    assert hidden.sentence().startswith("Too few customers ordered again")
    assert hidden.plot() is not None


def test_too_few_late_deliveries_are_withheld(engine, cycle, shipped):
    sent = shipped([0.0] * 25 + [2.0] * 3, promised=datetime(2024, 3, 1).date())
    with pytest.raises(Withheld, match="with a delivery late, but 3 have one"):
        repurchase_by_lateness(engine.table(_orders(28)), engine.table(sent), cycle=cycle)


def test_a_time_without_a_day_is_refused(cycle, sent):
    with pytest.raises(ParameterError, match="within_days must be 1 or more, not 0"):
        repurchase_by_lateness(_orders(40), sent, cycle=cycle, within_days=0)
