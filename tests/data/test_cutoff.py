"""What a cycle knows: nothing that came after its last local midnight."""

from datetime import datetime

import pandas as pd
import pytest

from tests.studies import HEAD, YAML, shop, snapshot, used, write_study


def test_what_comes_later_is_hidden_until_it_has_come(tmp_path):
    study = write_study(
        tmp_path,
        tables={
            "customers": "select 'ada' as customer_id",
            "orders": """
                select * from (values
                    ('1', 'ada', timestamp '2018-02-01', 5, 'fulfilled', timestamp '2018-02-09'),
                    ('2', 'ada', timestamp '2018-03-01', 5, 'returned', timestamp '2018-04-02'),
                    ('3', 'ada', timestamp '2018-05-01', 5, 'placed', null))
                as v(order_id, customer_id, placed_at, net_amount, status, status_at)
            """,
            "subscriptions": """
                select 's' as subscription_id, 'ada' as customer_id,
                    date '2018-01-01' as started_at, timestamp '2018-04-01' as ended_at,
                    'voluntary' as end_kind, 'price' as end_reason
            """,
        },
    )
    taken = snapshot(study)
    orders = used(taken, "orders").set_index("order_id")
    assert orders["status"].to_dict() == {"1": "fulfilled", "2": "placed"}
    assert orders["status_at"].isna().to_dict() == {"1": False, "2": True}
    assert (
        used(taken, "subscriptions")[["ended_at", "end_kind", "end_reason"]].isna().all(axis=None)
    )
    after = snapshot(study, "2018Q2")
    assert used(after, "orders").set_index("order_id")["status"]["2"] == "returned"
    assert used(after, "subscriptions")["end_kind"].tolist() == ["voluntary"]


PROMISES = {
    # due, resolved, kept in the source: kept as known at the end of March 2018
    "kept in time": ("2018-02-01", "2018-01-31", True, True),
    "broken and resolved": ("2018-02-01", "2018-02-09", False, False),
    "due but open": ("2018-02-01", "2018-05-01", True, False),
    "not due yet": ("2018-05-01", "2018-04-30", True, None),
    "kept, nobody wrote when": ("2018-02-01", None, True, True),
    "due, nothing known": ("2018-02-01", None, None, False),
    "without any moment": (None, None, True, True),
}


@pytest.mark.parametrize("case", PROMISES)
def test_a_promise_is_kept_as_known_at_the_cutoff(tmp_path, case):
    due, resolved, kept, expected = PROMISES[case]
    words = {None: "null", True: "true", False: "false"}

    def moment(text):
        return f"timestamp '{text}'" if text else "null::timestamp"

    study = write_study(
        tmp_path,
        tables={
            "customers": "select 'ada' as customer_id",
            "promises": f"""
                select 'p' as promise_id, 'ada' as customer_id, 'price' as kind,
                    'x' as promised_value, timestamp '2018-01-02' as promised_at,
                    {moment(due)} as due_at, {moment(resolved)} as resolved_at,
                    {words[kept]}::boolean as kept
            """,
        },
    )
    found = used(snapshot(study), "promises")["kept"].iloc[0]
    assert (None if pd.isna(found) else bool(found)) is expected


def test_a_promise_without_a_due_day_is_not_told_before_it_is_resolved(tmp_path):
    study = write_study(
        tmp_path,
        tables={
            "customers": """
                select * from (values ('ada', date '2018-01-01'), ('bob', date '2018-05-05'))
                as v(customer_id, first_seen_at)
            """,
            "promises": """
                select 'p' as promise_id, 'ada' as customer_id, 'price' as kind,
                    'x' as promised_value, timestamp '2018-01-02' as promised_at,
                    timestamp '2018-06-01' as resolved_at, true as kept
            """,
        },
    )
    assert used(snapshot(study), "promises")["kept"].isna().all()
    assert used(snapshot(study, "2018Q2"), "promises")["kept"].tolist() == [True]


@pytest.mark.parametrize(
    ("given_as", "utc"),
    [
        ("2018-01-05 10:00", "2018-01-05 12:00"),  # local, UTC-2 in summer
        ("2018-03-05 10:00", "2018-03-05 13:00"),  # local, UTC-3 in winter
        ("2018-01-05T10:00:00Z", "2018-01-05 10:00"),
        ("2018-01-05 10:00:00+07:00", "2018-01-05 03:00"),
        ("2018-01-05", "2018-01-05 02:00"),  # a day starts at local midnight
        ("2017-10-15", "2017-10-15 03:00"),  # which the clock skipped here
        ("2017-10-15 00:30", "2017-10-15 03:30"),
        ("2018-02-17 22:30", "2018-02-18 00:30"),
        ("2018-02-18 00:30", "2018-02-18 03:30"),
    ],
)
def test_local_moments_become_utc(tmp_path, given_as, utc):
    study = shop(
        tmp_path,
        yaml=YAML + "time_zone: America/Sao_Paulo\n",
        customers="customer_id\nada\n",
        orders=HEAD + f"1,ada,{given_as},5\n2,ada,2018-01-05,1\n",
    )
    found = used(snapshot(study), "orders").set_index("order_id")["placed_at"]["1"]
    assert found == datetime.fromisoformat(utc)


def test_the_doubled_hour_is_read_as_one_of_its_two_moments_always_the_same(tmp_path):
    orders = HEAD + "1,ada,2018-02-17 23:30,5\n"
    study = shop(
        tmp_path, yaml=YAML + "time_zone: America/Sao_Paulo\n", customers="customer_id\nada\n",
        orders=orders,
    )  # fmt: skip
    first = used(snapshot(study), "orders")["placed_at"][0]
    assert first in (datetime(2018, 2, 18, 1, 30), datetime(2018, 2, 18, 2, 30))
    again = shop(
        tmp_path / "b", yaml=YAML + "time_zone: America/Sao_Paulo\n", orders=orders,
        customers="customer_id\nada\n",
    )  # fmt: skip
    assert used(snapshot(again), "orders")["placed_at"][0] == first


def test_a_cycle_ends_at_local_midnight_and_the_days_are_local(tmp_path):
    study = shop(
        tmp_path,
        yaml=YAML + "time_zone: America/Sao_Paulo\n",
        customers="customer_id\nada\n",
        orders=HEAD + "1,ada,2018-03-31 23:59:59.999999,5\n2,ada,2018-04-01 00:00:00,5\n",
    )
    orders = used(snapshot(study), "orders")
    assert orders["order_id"].tolist() == ["1"]
    assert str(orders["placed_on"][0])[:10] == "2018-03-31"  # already April in UTC


def test_a_leap_day_is_a_day(tmp_path):
    study = shop(
        tmp_path, customers="customer_id\nada\n", orders=HEAD + "1,ada,2016-02-29 23:00,5\n"
    )
    assert str(used(snapshot(study, "2016Q1"), "orders")["placed_on"][0])[:10] == "2016-02-29"
