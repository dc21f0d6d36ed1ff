"""Whatever the rows: all are accounted for, order is nothing, the future is not seen."""

import random
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.studies import HEAD, LENIENT, aside, rows, shop, snapshot, used

NAMES = st.sampled_from(["ada", "bob", "tim", "zoe", ""])
MOMENTS = st.sampled_from(
    ["2018-01-05", "2018-03-31 23:59:59", "2018-04-01", "2019-05-05", "x", ""]
)
AMOUNTS = st.sampled_from(["5", "-1.5", "", "x"])
QA = st.sampled_from(["", "qa", "fraud"])
DIRTY_CUSTOMERS = st.lists(
    st.tuples(NAMES, MOMENTS, st.sampled_from(["1990", "-5", "old", ""]), QA),
    min_size=1,
    max_size=8,
)
DIRTY_ORDERS = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", ""]), NAMES, MOMENTS, AMOUNTS, QA),
    min_size=1,
    max_size=12,
)


def dirty_study(base: Path, customers, orders) -> Path:
    # One row of each that is always good, so that no table is empty.
    people = [("eve", "2018-01-01", "1990", ""), *customers]
    bought = [("0", "eve", "2018-01-01", "1", ""), *orders]
    return shop(
        base,
        yaml=LENIENT,
        customers="customer_id,first_seen_at,birth_year,excluded_by\n"
        + "".join(",".join(r) + "\n" for r in people),
        orders=HEAD.strip() + ",excluded_by\n" + "".join(",".join(r) + "\n" for r in bought),
    )


SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SLOW
@given(customers=DIRTY_CUSTOMERS, orders=DIRTY_ORDERS)
def test_every_row_of_a_dirty_table_is_accounted_for_once(tmp_path_factory, customers, orders):
    taken = snapshot(dirty_study(tmp_path_factory.mktemp("s"), customers, orders))
    raw = {"customers": len(customers) + 1, "orders": len(orders) + 1}
    for table, total in raw.items():
        counted = rows(taken, table)
        assert (
            counted["in"] == counted["used"] + counted["set_aside"] + counted["excluded"] <= total
        )
        assert counted["used"] == len(used(taken, table))
        kept = aside(taken, table)
        assert counted["set_aside"] == len(kept) == kept["row"].nunique()
        assert kept["row"].between(1, total).all()
        reasons = taken.reasons[taken.reasons["table"] == table]
        assert reasons["rows"].sum() == counted["set_aside"] + counted["excluded"]
    assert set(used(taken, "orders")["customer_id"]) <= set(used(taken, "customers")["customer_id"])
    assert used(taken, "orders")["order_id"].is_unique


@SLOW
@given(customers=DIRTY_CUSTOMERS, orders=DIRTY_ORDERS, seed=st.integers(0, 99))
def test_the_order_of_rows_changes_no_hash(tmp_path_factory, customers, orders, seed):
    base = tmp_path_factory.mktemp("s")
    one = snapshot(dirty_study(base / "one", customers, orders))
    chance = random.Random(seed)  # noqa: S311  (shuffles test rows)
    chance.shuffle(customers)
    chance.shuffle(orders)
    assert snapshot(dirty_study(base / "other", customers, orders)).hash == one.hash


@SLOW
@given(
    orders=DIRTY_ORDERS,
    later=st.lists(
        st.tuples(st.sampled_from("1234567"), NAMES, st.sampled_from(["2018-04-01", "2019-01-01"]),
                  st.sampled_from(["5", "x"]), st.sampled_from(["", "qa"])),
        max_size=6,
    ),
)  # fmt: skip
def test_rows_of_the_future_change_nothing(tmp_path_factory, orders, later):
    base = tmp_path_factory.mktemp("s")
    people = [(n, "2018-01-01", "1990", "") for n in ("ada", "bob", "tim", "zoe")]
    today = snapshot(dirty_study(base / "today", people, orders))
    tomorrow = snapshot(dirty_study(base / "tomorrow", people, orders + later))
    assert tomorrow.hash == today.hash
    pd.testing.assert_frame_equal(*(
        used(t, "orders").sort_values("order_id", ignore_index=True) for t in (today, tomorrow)
    ))  # fmt: skip
