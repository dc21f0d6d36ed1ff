"""Whole tables that no row could mend stop the run and leave nothing behind."""

from pathlib import Path

import pytest

from cxlab.errors import DataError
from tests.studies import (
    CUSTOMERS_CSV,
    HEAD,
    ORDERS_CSV,
    YAML,
    rows,
    shop,
    snapshot,
    state,
    used,
    write_study,
)


def assert_refused(study: Path, match: str, cycle: str = "2018Q1") -> None:
    """Expect a message, and nothing of the snapshot left behind."""
    with pytest.raises(DataError, match=match):
        snapshot(study, cycle)
    assert state(study) == []


def test_a_missing_file_is_named_with_the_nearest_one_that_is_there(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    (tmp_path / "raw" / "orders.csv").rename(tmp_path / "raw" / "order.csv")
    with pytest.raises(DataError) as refusal:
        snapshot(study)
    assert str(refusal.value) == (
        "tables/orders.sql must find its source, but 'orders.csv' is not in the raw folder. "
        "Did you mean 'order.csv'? Put the file there, or mend its name in the SQL."
    )


def test_a_missing_column_is_named_with_the_nearest_one_that_is_there(tmp_path):
    study = shop(
        tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV.replace("net_amount", "Net_Amount")
    )
    assert_refused(
        study, r"orders has no column 'net_amount', only .*Did you mean 'Net_Amount'\? Name it"
    )


def test_an_empty_table_is_refused(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=HEAD)
    assert_refused(
        study, r"orders must have rows, but tables/orders.sql gives none. Mend the source"
    )


def test_a_file_without_a_byte_is_refused(tmp_path):
    assert_refused(
        shop(tmp_path, customers=CUSTOMERS_CSV, orders=""), "orders has no column 'order_id'"
    )


@pytest.mark.parametrize(
    ("wrong", "reads"),
    [
        ("[1, 2]", "an amount of money"),
        ("timestamp '2018-01-01'", "an amount of money"),
        ("true", "an amount of money"),
        ("'free'", "an amount of money"),
    ],
)
def test_a_column_of_the_wrong_type_stops_the_run(tmp_path, wrong, reads):
    orders = f"select 1 as order_id, 'ada' as customer_id, date '2018-01-05' as placed_at, {wrong} as net_amount"  # noqa: E501
    study = write_study(
        tmp_path, tables={"customers": "select 'ada' as customer_id", "orders": orders}
    )
    assert_refused(
        study,
        "At most 5.0% of the rows of orders may be set aside, but 1 of 1 are: "
        f"1 x net_amount must read as {reads}. Mend the source",
    )


def test_moments_that_all_do_not_read_stop_the_run(tmp_path):
    orders = HEAD + "1,ada,05/31/2018 noon,5\n2,bob,06/31/2018 noon,7\n"
    assert_refused(
        shop(tmp_path, customers=CUSTOMERS_CSV, orders=orders),
        "2 of 2 are: 2 x placed_at must read as a moment",
    )


def test_a_table_has_its_own_threshold(tmp_path):
    orders = ORDERS_CSV + "3,ada,soon,1\n"
    own = YAML + "quality: {set_aside_max: 1, tables: {orders: 0.3}}\n"
    study = shop(tmp_path, yaml=own, customers=CUSTOMERS_CSV, orders=orders)
    assert_refused(study, "At most 30.0% of the rows of orders .* raise quality.tables.orders")
    (study / "study.yaml").write_text(own.replace("0.3", "0.34"))
    assert rows(snapshot(study), "orders")["set_aside"] == 1


SOURCE = "read_csv('{raw}/orders.csv', header = true, all_varchar = true)"


def mapped(base: Path, sql: str, **tables: str) -> Path:
    """Write a shop whose orders are mapped by the SQL given; {source} stands for its file."""
    study = shop(base, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    for name, text in {"orders": sql, **tables}.items():
        (study / "tables" / f"{name}.sql").write_text(text.replace("{source}", SOURCE))
    return study


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "select order_no as order_id from {source}",
            "its sources have no column 'order_no'. There are, nearest to it: 'order_id'",
        ),
        ("select o.net from {source} as o", "its sources have no column 'net'."),
        ("select * exclude (note) from {source}", "its sources have no column 'note'."),
        ("select * from {source} as a join {source} as b using (no)", "no column 'no'."),
        ("select p.net_amount from {source} as o", "its FROM has no table 'p'."),
        (
            "select strptim(placed_at, '%Y') as placed_at from {source}",
            "DuckDB has no function 'strptim'. There are, nearest to it: 'strptime'. "
            "Did you mean 'strptime'?",
        ),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(tmp_path, sql, said):
    with pytest.raises(DataError) as refusal:
        snapshot(mapped(tmp_path, sql))
    told = str(refusal.value)
    assert told.startswith("tables/orders.sql must use names that are there, but ")
    assert said in told
    assert "Mend the name in the SQL" in told
    assert not any(words in told for words in ("Error", "LINE", "Candidate"))


def test_a_column_that_a_helper_lacks_is_told_of_the_helper(tmp_path):
    study = mapped(
        tmp_path, "select * from _orders", _orders="select order_no as order_id from {source}"
    )
    assert_refused(study, r"^tables/_orders\.sql must use names .* no column 'order_no'")


@pytest.mark.parametrize(
    ("cast", "said"),
    [
        ("customer_id::integer", "'ada' in column 'customer_id' does not read as a whole number"),
        ("customer_id::double", "'ada' in column 'customer_id' does not read as a number"),
        ("customer_id::decimal(9, 2)", "'ada' in .* does not read as an amount of money"),
        ("customer_id::date", "'ada' in column 'customer_id' does not read as a day"),
        ("(customer_id || '-13')::timestamp", "'ada-13' does not read as a moment"),
        ("replace(placed_at, '-0', '-9')::timestamp", "'2018-9.*' does not read as a moment"),
        ("strptime(placed_at, '%d.%m.%Y')", "'2018-01-05 10:00' does not read as '%d.%m.%Y'"),
        ("customer_id::boolean", "'ada' in column 'customer_id' does not read as true or false"),
        ("(order_id::bigint * 1000)::tinyint", "'1000' does not read as a whole number"),
        ("(order_id::decimal(9, 2) * 1000)::decimal(4, 2)", "does not read as an amount of money"),
    ],
)
def test_a_cast_that_fails_names_the_mapping_the_value_and_the_way_out(tmp_path, cast, said):
    study = mapped(
        tmp_path, f"select order_id, customer_id, placed_at, {cast} as net_amount from {{source}}"
    )
    assert_refused(
        study,
        rf"^tables/orders\.sql must not stop at a value, but .*{said}.*give the text as it is",
    )


def test_a_cast_that_fails_in_a_helper_names_the_helper_too(tmp_path):
    study = mapped(
        tmp_path,
        "select * from _orders",
        _orders="select * replace (customer_id::integer as net_amount) from {source}",
    )
    assert_refused(study, r"^tables/orders\.sql \(or tables/_orders\.sql, which it uses\) .*'ada'")


def test_sql_that_does_not_parse_is_told_with_its_line(tmp_path):
    sql = "select order_id, customer_id, placed_at,\n  min(at) as net_amount\nfrom {source}"
    with pytest.raises(DataError) as refusal:
        snapshot(mapped(tmp_path, sql))
    assert str(refusal.value) == (
        "tables/orders.sql must run over its sources, but: Parser Error: syntax error at or near "
        "\")\" in the line 'min(at) as net_amount'."
    )


def test_other_faults_of_the_sql_are_told_without_the_list_of_functions(tmp_path):
    with pytest.raises(DataError) as refusal:
        snapshot(mapped(tmp_path, "select net_amount + 1 as net_amount from {source}"))
    told = str(refusal.value)
    assert told.startswith("tables/orders.sql must run over its sources, but: Binder Error: No fun")
    assert "Candidate" not in told


@pytest.mark.parametrize(
    "name",
    ["email", "customer_email", "e-mail", "EmailAddress", "phone", "phone_number", "Last Name",
     "name", "customer_name", "street", "address", "iban", "card_number", "nik", "password"],
)  # fmt: skip
def test_direct_identifiers_never_enter_a_table(tmp_path, name):
    study = write_study(
        tmp_path, tables={"customers": f"select 'ada' as customer_id, 'x' as \"{name}\""}
    )
    assert_refused(
        study, "customers must hold no direct identifier, but has a column .*or hash it there"
    )


@pytest.mark.parametrize("name", ["email_hash", "product_name", "plan", "nickel", "mobile_app"])
def test_columns_that_only_sound_like_identifiers_are_kept(tmp_path, name):
    study = write_study(
        tmp_path, tables={"customers": f"select 'ada' as customer_id, 'x' as \"{name}\""}
    )
    assert used(snapshot(study), "customers")[name].tolist() == ["x"]


@pytest.mark.parametrize("name", ["_rule", "file_row_number", 'a"b', "a\nb"])
def test_names_that_would_break_the_reading_are_refused(tmp_path, name):
    quoted = name.replace('"', '""')
    study = write_study(
        tmp_path, tables={"customers": f"select 'ada' as customer_id, 1 as \"{quoted}\""}
    )
    assert_refused(study, "customers: .*(reserved|must hold no quote)")


def test_a_rule_of_exclusion_must_say_why(tmp_path):
    study = write_study(
        tmp_path, tables={"customers": "select 'ada' as customer_id, false as excluded_by"}
    )
    assert_refused(study, "excluded_by must be a reason in words, .*but is BOOLEAN")


def test_a_cycle_before_all_data_is_refused(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    assert_refused(
        study, "every row became known only after 2015-03-31, the end of 2015Q1", "2015Q1"
    )


def test_a_cycle_after_all_data_is_refused(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    assert_refused(study, "the last row known by the end of 2019Q1 is from 2018-03-30", "2019Q1")


def test_a_cycle_that_the_data_reach_in_part_is_noted(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV.replace("03-30", "02-10"))
    assert any("The data end on 2018-02-10" in note for note in snapshot(study).notes)
