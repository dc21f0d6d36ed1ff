"""Every row is used, set aside with its reason, or excluded by a rule."""

import json
import re

import numpy as np
import pytest

from tests.studies import (
    CUSTOMERS_CSV,
    HEAD,
    LENIENT,
    ORDERS_CSV,
    aside,
    rows,
    shop,
    snapshot,
    used,
    write_raw,
)


def test_rows_in_are_rows_used_set_aside_and_excluded(tmp_path):
    study = shop(
        tmp_path,
        yaml=LENIENT,
        customers=CUSTOMERS_CSV,
        orders=HEAD.strip()
        + ",excluded_by\n1,ada,2018-01-05,5,\n2,ada,soon,5,\n3,bob,2018-01-05,5,a test | by QA\n",
    )
    taken = snapshot(study)
    assert rows(taken, "orders") == {"in": 3, "used": 1, "set_aside": 1, "excluded": 1}
    reasons = taken.reasons.set_index("table").loc["orders"]
    assert sorted(reasons["reason"]) == ["a test | by QA", "placed_at must read as a moment"]


def test_a_bad_row_is_kept_as_it_came_with_its_place_rule_and_reason(tmp_path):
    bad = '2,"bob, ""the\nbuilder""",2018-01-05,five\n'
    study = shop(
        tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=HEAD + "1,ada,2018-01-05,5\n" + bad
    )
    row = aside(snapshot(study), "orders").iloc[0]
    assert (row["row"], row["rule"]) == (2, "unreadable")
    assert row["reason"] == "net_amount must read as an amount of money"
    assert json.loads(row["record"]) == {
        "order_id": "2",
        "customer_id": 'bob, "the\nbuilder"',
        "placed_at": "2018-01-05",
        "net_amount": "five",
    }


@pytest.mark.parametrize(
    ("row", "rule", "reason"),
    [
        ("9,ada,yesterday,5", "unreadable", "placed_at must read as a moment"),
        ("9,ada,2018-02-29,5", "unreadable", "placed_at must read as a moment"),
        ("9,ada,2018-13-01,5", "unreadable", "placed_at must read as a moment"),
        ("9,ada,infinity,5", "implausible", "placed_at must lie between 1900 and 2200"),
        ("9,ada,0001-01-01,5", "implausible", "placed_at must lie between 1900 and 2200"),
        ("9,ada,,5", "missing", "placed_at must not be empty"),
        (",ada,2018-01-05,5", "missing", "order_id must not be empty"),
        ("9,ada,2018-01-05,inf", "unreadable", "net_amount must read as an amount of money"),
        ("9,ada,2018-01-05,nan", "unreadable", "net_amount must read as an amount of money"),
        ('9,ada,2018-01-05,"1,200"', "unreadable", "net_amount must read as an amount of money"),
        (f"9,ada,2018-01-05,{10**17}", "unreadable", "net_amount must read as an amount of money"),
        ("9,nobody,2018-01-05,5", "orphan key", "customer_id names no row of customers"),
    ],
)
def test_a_broken_row_is_set_aside_and_its_rule_named(tmp_path, row, rule, reason):
    study = shop(tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=ORDERS_CSV + row + "\n")
    taken = snapshot(study)
    (found,) = aside(taken, "orders").to_dict("records")
    # An infinite moment is not the future that the next cycle brings.
    assert (found["row"], found["rule"], found["reason"]) == (3, rule, reason)
    assert rows(taken, "orders") == {"in": 3, "used": 2, "set_aside": 1, "excluded": 0}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,0,p,-1,5", "quantity must not be negative"),
        ("1,-1,p,1,5", "line_no must not be negative"),
        ("1,1.5,p,1,5", "line_no must read as a whole number"),
        ("1,1e30,p,1,5", "line_no must read as a whole number"),
        ("1,1,p,nan,5", "quantity must be finite"),
        ("1,1,p,-inf,5", "quantity must be finite"),
        ("1,1,,1,5", "product_id must not be empty"),
    ],
)
def test_numbers_that_no_order_can_have_are_set_aside(tmp_path, line, reason):
    study = shop(
        tmp_path,
        yaml=LENIENT,
        customers=CUSTOMERS_CSV,
        orders=ORDERS_CSV,
        order_lines="select * from read_csv('{raw}/lines.csv', all_varchar = true)",
    )
    write_raw(tmp_path, "lines.csv", "order_id,line_no,product_id,quantity,net_amount\n"
              "1,9223372036854775807,p,2.5,5\n" + line + "\n")  # fmt: skip
    taken = snapshot(study)
    assert aside(taken, "order_lines")["reason"].tolist() == [reason]
    assert used(taken, "order_lines")["line_no"].tolist() == [9223372036854775807]  # no digit lost


def test_a_subscription_that_ends_before_it_begins_is_set_aside(tmp_path):
    held = "select * from read_csv('{raw}/subscriptions.csv', header = true, all_varchar = true)"
    study = shop(
        tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=ORDERS_CSV, subscriptions=held
    )
    lines = [
        "subscription_id,customer_id,started_at,ended_at",
        "s1,ada,2018-01-05 10:00,2018-01-05",  # on its first day, of which the hour is not told
        "s2,ada,2018-01-05 10:00,2018-01-04",
        "s3,ada,2018-01-05 10:00,",
    ]
    write_raw(tmp_path, "subscriptions.csv", "\n".join(lines) + "\n")
    taken = snapshot(study)
    (found,) = aside(taken, "subscriptions").to_dict("records")
    assert (found["row"], found["rule"]) == (2, "out of order")
    assert found["reason"] == "ended_at must not lie before started_at"


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "America/Sao_Paulo"])
def test_the_day_of_an_end_is_a_local_one(tmp_path, zone):
    held = "select * from read_csv('{raw}/subscriptions.csv', header = true, all_varchar = true)"
    yaml = f"{LENIENT}\ntime_zone: {zone}\n" if "time_zone" not in LENIENT else re.sub(
        "time_zone: .*", f"time_zone: {zone}", LENIENT
    )  # fmt: skip
    study = shop(
        tmp_path, yaml=yaml, customers=CUSTOMERS_CSV, orders=ORDERS_CSV, subscriptions=held
    )
    lines = [
        "subscription_id,customer_id,started_at,ended_at",
        "s1,ada,2018-01-05 09:00,2018-01-05",  # the day before, in UTC, where the zone is ahead
        "s2,ada,2018-01-05 22:00,2018-01-05",  # the day after begins, in UTC, where it is behind
        "s3,ada,2018-01-05 10:00,2018-01-04",
    ]
    write_raw(tmp_path, "subscriptions.csv", "\n".join(lines) + "\n")
    assert aside(snapshot(study), "subscriptions")["row"].tolist() == [3]


ANSWERS = "select * from read_csv('{raw}/answers.csv', header = true, all_varchar = true)"
COMMENTS = ANSWERS.replace("answers", "comments")


def test_an_answer_beyond_its_scale_is_set_aside(tmp_path):
    study = shop(
        tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=ORDERS_CSV, answers=ANSWERS
    )
    head = "response_id,question,customer_id,survey,answered_at,construct,value,scale_min,scale_max"
    lines = [
        f"{i},q,ada,s,2018-01-05,{asked}"
        for i, asked in enumerate(["csat,1,1,5", "csat,5,1,5", "nps,0,0,10", "csat,9,1,5",
                                   "csat,0.5,1,5", "nps,99,0,10"], start=1)
    ]  # fmt: skip
    write_raw(tmp_path, "answers.csv", "\n".join([head, *lines]) + "\n")
    taken = snapshot(study)
    found = aside(taken, "answers")
    assert found["row"].tolist() == [4, 5, 6]
    assert set(found["rule"]) == {"out of range"}
    assert set(found["reason"]) == {"value must lie on its scale"}
    assert used(taken, "answers")["value"].tolist() == [1, 5, 0]


@pytest.mark.parametrize(
    ("head", "ratings", "beyond"),
    [
        ("rating,scale_min,scale_max", ["5,1,5", "6,1,5", "0,1,5", ",1,5", "6,,", "6,1,"], [2, 3]),
        ("rating,scale_max", ["0,5", "6,5"], [2]),  # where only one end is known
        ("rating", ["6"], []),
        ("scale_min,scale_max", ["1,5"], []),
    ],
)
def test_a_rating_is_held_to_its_scale_where_one_is_given(tmp_path, head, ratings, beyond):
    study = shop(
        tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=ORDERS_CSV, comments=COMMENTS
    )
    lines = [f"{i},2018-01-05,fine,{rating}" for i, rating in enumerate(ratings)]
    write_raw(
        tmp_path, "comments.csv", "\n".join([f"comment_id,written_at,text,{head}", *lines]) + "\n"
    )
    found = aside(snapshot(study), "comments")
    assert found["row"].tolist() == beyond
    assert set(found["reason"]) <= {"rating must lie on its scale"}


def test_unknown_words_of_a_closed_list_read_other_and_are_counted(tmp_path):
    study = shop(
        tmp_path,
        customers=CUSTOMERS_CSV,
        orders=HEAD.strip() + ",status\n1,ada,2018-01-05,5,paid\n2,ada,2018-01-05,5,teleported\n"
        "3,ada,2018-01-05,5,\n",
    )
    taken = snapshot(study)
    assert used(taken, "orders").sort_values("order_id")["status"].tolist() == [
        "paid", "other", None,
    ]  # fmt: skip
    said = "orders.status: 1 values are not in its closed list and read 'other'."
    assert said in taken.notes


def test_of_equal_rows_one_is_used_and_the_other_set_aside(tmp_path):
    study = shop(
        tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=ORDERS_CSV + ORDERS_CSV[len(HEAD) :]
    )
    taken = snapshot(study)
    assert rows(taken, "orders") == {"in": 4, "used": 2, "set_aside": 2, "excluded": 0}
    assert set(aside(taken, "orders")["reason"]) == {"the key order_id stands twice in equal rows"}


@pytest.mark.parametrize("seed", range(4))
def test_which_of_two_different_rows_stays_does_not_depend_on_their_order(tmp_path, seed):
    lines = ["1,ada,2018-01-05,5", "1,ada,2018-01-05,6", "1,bob,2018-01-05,5", "2,bob,2018-01-06,1"]
    np.random.default_rng(seed).shuffle(lines)
    study = shop(
        tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=HEAD + "\n".join(lines) + "\n"
    )
    taken = snapshot(study)
    first = shop(
        tmp_path / "first", yaml=LENIENT, customers=CUSTOMERS_CSV,
        orders=HEAD + "\n".join(sorted(lines)) + "\n",
    )  # fmt: skip
    assert taken.hash == snapshot(first).hash
    assert set(aside(taken, "orders")["reason"]) == {
        "the key order_id stands twice in different rows"
    }


def test_of_two_versions_the_one_loaded_last_stays(tmp_path):
    orders = HEAD.strip() + ",loaded_at\n1,ada,2018-01-05,9,2018-01-07\n1,ada,2018-01-05,5,\n" \
        "1,ada,2018-01-05,7,2018-01-06\n1,ada,2018-01-05,1,2018-06-01\n"  # fmt: skip
    study = shop(tmp_path, yaml=LENIENT, customers=CUSTOMERS_CSV, orders=orders)
    taken = snapshot(study)
    assert used(taken, "orders")["net_amount"].astype(float).tolist() == [9.0]
    assert rows(taken, "orders")["in"] == 3  # the version of June was not known in March


def test_children_share_the_fate_of_their_parents(tmp_path):
    customers = """
        customer_id,first_seen_at,birth_year,excluded_by
        good,2018-01-01,1990,
        test,2018-01-01,1990,a tester
        bad,2018-01-01,-1,
        late,2018-05-01,1990,
    """
    orders = HEAD + "".join(f"{i},{c},2018-01-05,5\n" for i, c in enumerate(
        ["good", "test", "bad", "late", "gone"]))  # fmt: skip
    taken = snapshot(shop(tmp_path, yaml=LENIENT, customers=customers, orders=orders))
    assert rows(taken, "customers") == {"in": 3, "used": 1, "set_aside": 1, "excluded": 1}
    assert rows(taken, "orders") == {"in": 4, "used": 1, "set_aside": 2, "excluded": 1}
    reasons = taken.reasons[taken.reasons["table"] == "orders"].set_index("reason")["fate"]
    assert reasons.to_dict() == {
        "a tester": "excluded by rule",
        "customer_id names a row of customers that was set aside": "set aside",
        "customer_id names no row of customers": "set aside",
    }


def test_a_child_is_counted_once_however_many_bad_rows_its_parent_has(tmp_path):
    customers = """
        customer_id,first_seen_at,birth_year,excluded_by
        ada,2018-01-01,-1,
        ada,never,1990,
        ada,2018-01-01,1990,a tester
        ada,2018-06-01,1990,
        bob,2018-01-01,1990,
    """
    taken = snapshot(shop(tmp_path, yaml=LENIENT, customers=customers, orders=ORDERS_CSV))
    assert rows(taken, "orders") == {"in": 2, "used": 1, "set_aside": 0, "excluded": 1}
