"""Every table is checked when it is read, and withheld where it breaks the study's limits."""

import pandas as pd
import pytest

from cxlab.data.lab import open_lab
from cxlab.data.quality import withheld_tables
from cxlab.data.settings import read_settings
from cxlab.errors import SettingsError, Withheld
from tests.studies import CUSTOMERS_CSV, HEAD, YAML, shop, snapshot, write_study

LINES = "select * from read_csv('{raw}/lines.csv')"
LINES_CSV = "order_id,line_no,product_id,quantity,net_amount\n1,1,p,1,5.50\n"


def orders(*days: str) -> str:
    """Orders of ada, one for each day."""
    return HEAD + "".join(f"{i},ada,{day} 10:00,5\n" for i, day in enumerate(days))


def checked(tmp_path, orders_csv, quality="{}", customers=CUSTOMERS_CSV, cycle="2018Q1", **tables):
    yaml = f"{YAML}quality: {quality}\n"
    study = shop(tmp_path, customers=customers, orders=orders_csv, yaml=yaml, **tables)
    return snapshot(study, cycle)


def one(taken, table, check, column=None) -> dict[str, object]:
    """Return the one row of a check."""
    found = taken.checks
    of = found["column"].isna() if column is None else found["column"] == column
    (row,) = found[(found["table"] == table) & (found["check"] == check) & of].to_dict("records")
    return row


QUARTERS = ("2017-01-09", "2017-04-09", "2017-07-09", "2017-10-09")  # one order in each of 2017


def test_a_table_is_fresh_within_the_days_that_the_study_allows(tmp_path):
    taken = checked(tmp_path, orders("2018-03-26"), "{freshness_days: {orders: 7}}")
    row = one(taken, "orders", "freshness")
    assert (row["state"], row["limit"]) == ("pass", 7)
    assert row["value"] == pytest.approx(5 + 14 / 24, abs=1e-3)  # rounded to a thousandth


def test_an_old_table_warns_by_the_house_and_fails_by_the_studys_own_limit(tmp_path):
    late = orders("2018-02-12")
    house = one(checked(tmp_path / "a", late), "orders", "freshness")
    assert (house["state"], house["limit"]) == ("warn", 45)
    own = one(checked(tmp_path / "b", late, "{freshness_days: {orders: 7}}"), "orders", "freshness")
    assert own["state"] == "fail"
    assert own["says"] == (
        "its last row is 47.6 days old at the end of the cycle, and the study allows 7"
    )


def test_a_failed_table_is_withheld_and_the_lab_says_why(tmp_path):
    taken = checked(tmp_path, orders("2018-02-12"), "{freshness_days: {orders: 7}}")
    lab = open_lab(tmp_path / "study", cycle=taken.cycle_name)
    with pytest.raises(Withheld, match=r"^orders is withheld: its last row is 47\.6 days old"):
        lab.orders  # noqa: B018
    assert lab.tables == ["customers"]
    assert lab.customers.columns


def test_what_needs_the_rows_of_a_failed_table_is_withheld_with_it(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "lines.csv").write_text(LINES_CSV)
    late = HEAD + "1,ada,2018-01-05 10:00,5.50\n"
    taken = checked(tmp_path, late, "{freshness_days: {orders: 7}}", order_lines=LINES)
    assert list(taken.withheld) == ["orders", "order_lines"]
    assert taken.withheld["order_lines"].startswith(
        "order_lines is withheld with orders, whose rows it needs: its last row is"
    )


def test_a_missing_column_is_a_matter_of_its_own_table():
    checks = [{"table": "customers", "check": "completeness", "state": "fail", "says": "x"}]
    assert list(withheld_tables(checks, ["customers", "orders"])) == ["customers"]
    rows = [{**checks[0], "check": "duplicates"}]
    assert list(withheld_tables(rows, ["customers", "orders"])) == ["customers", "orders"]


def test_missing_values_fail_above_the_studys_limit_only(tmp_path):
    some = HEAD.strip() + ",channel\n1,ada,2018-03-30,5,web\n2,ada,2018-03-30,5,\n"
    for at, (limit, state) in enumerate([(0.5, "pass"), (0.4, "fail")]):
        taken = checked(tmp_path / str(at), some, f"{{missing_max: {{orders.channel: {limit}}}}}")
        row = one(taken, "orders", "completeness", "channel")
        assert (row["state"], row["value"]) == (state, 0.5)


def test_a_column_that_is_empty_throughout_warns(tmp_path):
    empty = HEAD.strip() + ",channel\n1,ada,2018-03-30,5,\n"
    row = one(checked(tmp_path, empty), "orders", "completeness", "channel")
    assert row["state"] == "warn"


def test_a_limit_on_a_column_that_the_mapping_does_not_give_is_told(tmp_path):
    taken = checked(tmp_path, orders("2018-03-30"), "{missing_max: {orders.channel: 0.2}}")
    row = one(taken, "orders", "completeness", "channel")
    assert (row["state"], row["says"]) == ("not checked", "tables/orders.sql gives no channel")


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("0,ada,2018-03-29 10:00,5", "duplicates"),
        ("9,eve,2018-03-30 10:00,5", "references"),
        ("9,ada,2018-03-30 10:00,much", "range"),
        ("9,,2018-03-30 10:00,5", "completeness"),
    ],
)
def test_rows_set_aside_count_by_what_is_wrong_with_them(tmp_path, line, check):
    dirty = orders("2018-03-30", "2018-03-30", "2018-03-30") + line + "\n"
    taken = checked(tmp_path, dirty, "{set_aside_max: 1}")
    row = one(taken, "orders", check)
    assert (row["value"], row["state"]) == (0.25, "warn")  # one row of four
    others = {"duplicates", "references", "range", "completeness"} - {check}
    assert {one(taken, "orders", other)["value"] for other in others} == {0}


def test_a_check_that_the_study_names_closes_the_gate(tmp_path):
    dirty = orders("2018-03-30", "2018-03-30") + "0,ada,2018-03-30 10:00,5\n"
    taken = checked(tmp_path, dirty, "{set_aside_max: 1, fail: [orders.duplicates]}")
    assert one(taken, "orders", "duplicates")["state"] == "fail"
    assert "1 of 3 rows stand twice" in taken.withheld["orders"]


def test_a_cycle_without_a_row_warns(tmp_path):
    customers = CUSTOMERS_CSV + "    eve,2018-04-20,1970\n"
    taken = checked(tmp_path, orders(*QUARTERS), customers=customers, cycle="2018Q2")
    assert one(taken, "orders", "volume")["state"] == "warn"
    assert one(taken, "orders", "drift")["state"] == "not checked"


@pytest.mark.parametrize(("now", "state"), [(1, "pass"), (2, "warn")])
def test_rows_are_held_against_the_median_of_earlier_cycles(tmp_path, now, state):
    days = (*QUARTERS, *(["2018-01-09"] * now))
    row = one(checked(tmp_path, orders(*days)), "orders", "drift")
    assert (row["value"], row["state"]) == (now - 1, state)


def test_two_whole_cycles_are_needed_to_know_what_is_usual(tmp_path):
    begun = orders("2017-08-20", "2017-10-09", "2018-01-09")  # the third quarter is not whole
    assert one(checked(tmp_path, begun), "orders", "drift")["state"] == "not checked"


def test_values_that_go_missing_are_seen_in_the_cycle_although_the_whole_table_looks_well(tmp_path):
    rows = [f"{i},ada,{day} 10:00,5,web" for i, day in enumerate(QUARTERS * 5)]
    rows += ["90,ada,2018-01-09 10:00,5,", "91,ada,2018-01-10 10:00,5,web"]
    taken = checked(tmp_path, "\n".join([HEAD.strip() + ",channel", *rows]) + "\n")
    row = one(taken, "orders", "drift", "channel")
    assert (row["value"], row["state"]) == (0.5, "warn")
    assert row["says"] == "50.0% of channel is missing, against 0.0% before"


def test_unknown_words_are_held_against_earlier_cycles(tmp_path):
    rows = [f"{i},ada,{day} 10:00,5,paid" for i, day in enumerate(QUARTERS)]
    rows += ["90,ada,2018-01-09 10:00,5,lost", "91,ada,2018-01-10 10:00,5,paid"]
    taken = checked(tmp_path, "\n".join([HEAD.strip() + ",status", *rows]) + "\n")
    assert one(taken, "orders", "drift", "status")["value"] == 0.5


def test_what_waits_for_its_moment_is_not_called_missing(tmp_path):
    """Newer tickets are unsolved more often: that is no fault of the source."""
    sql = "select * from read_csv('{raw}/tickets.csv', all_varchar = true)"
    rows = [f"{i},ada,{day},{day},false" for i, day in enumerate(QUARTERS)]
    rows += ["9,ada,2018-01-09,,"]
    (tmp_path / "raw").mkdir()
    head = "ticket_id,customer_id,opened_at,solved_at,reopened"
    (tmp_path / "raw" / "tickets.csv").write_text("\n".join([head, *rows]) + "\n")
    found = checked(tmp_path, orders("2018-03-30"), tickets=sql).checks
    drift = found[(found["table"] == "tickets") & (found["check"] == "drift")]
    assert drift["column"].isna().all()


def test_the_order_of_rows_says_nothing(tmp_path):
    days = [*QUARTERS, "2018-01-09", "2018-02-09"]
    one_way = checked(tmp_path / "a", orders(*days)).checks
    other = checked(tmp_path / "b", orders(*days[::-1])).checks
    pd.testing.assert_frame_equal(one_way, other)


@pytest.mark.parametrize(
    ("quality", "says"),
    [
        ("{freshness_days: {order: 7}}", "'order' must be a table whose rows have a moment. Did "),
        ("{freshness_days: {margins: 7}}", "'margins' must be a table whose rows have a moment"),
        ("{missing_max: {orders.chanel: 0.2}}", "Did you mean 'orders.channel'?"),
        ("{missing_max: {orders.order_id: 0.2}}", "must be table.column, and the column one that"),
        ("{fail: [orders.duplicate]}", "Did you mean 'orders.duplicates'?"),
        ("{drift_max: 0}", "quality.drift_max"),
    ],
)
def test_a_limit_on_what_there_is_not_is_refused(tmp_path, quality, says):
    study = write_study(tmp_path, yaml=f"{YAML}quality: {quality}\n")
    with pytest.raises(SettingsError) as refusal:
        read_settings(study)
    assert says in str(refusal.value)
