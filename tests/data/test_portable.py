"""What a query may say, so that every engine answers alike; what it may not is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from cxlab.data.portable import compile_query
from cxlab.errors import ParameterError

ONE = {"t": "cx_0"}


def spark(sql: str, *, tables=None, **params) -> str:
    return compile_query(sql, tables=tables or ONE, params=params, dialect="spark")


@pytest.mark.parametrize(
    "part",
    ["random()", "uuid()", "now()", "current_date", "today()", "current_time", "localtimestamp",
     "current_timestamp", "version()", "hash(a)", "median(a)", "mode(a)", "any_value(a)",
     "first(a)", "last(a)", "arg_min(a, b)", "max_by(a, b)", "string_agg(a, ',')", "list(a)",
     "list(a order by a)", "array_agg(a)", "approx_count_distinct(a)", "quantile_cont(a, 0.5)",
     "approx_quantile(a, 0.5)", "list_transform([a], x -> x)", "getenv('HOME')", "to_json(a)",
     "setseed(0.1)", "unnest([1])", "a::timestamptz", "columns('a.*')", "nextval('s')",
     "row_number() over ()", "lag(a) over (partition by b)", "first_value(a) over ()",
     "ntile(4) over (partition by b)", "(a / nullif(b, 0))::int", "cast(avg(a) as bigint)",
     "2.5::int"],
)  # fmt: skip
def test_what_depends_on_engine_order_clock_or_chance_is_refused(part):
    with pytest.raises(ParameterError, match="must stay in the subset that every engine answers"):
        spark(f"select {part} as x from t order by x")


@pytest.mark.parametrize(
    "sql",
    ["select * from read_csv('x.csv') order by 1", "select * from read_parquet('x') order by 1",
     "select * from range(3) order by 1", "select * from unnest([1]) order by 1",
     "select a from t asof join t as u using (a) order by a", "select a from t using sample 9",
     "select a from t qualify row_number() over (order by a) = 1 order by a",
     "select a from t, lateral (select t.a) order by a"],
)  # fmt: skip
def test_files_samples_and_what_only_one_engine_has_are_refused(sql):
    with pytest.raises(ParameterError, match="must stay in the subset"):
        spark(sql)


@pytest.mark.parametrize(
    "sql",
    ["", "drop table t", "select 1; select 2", "insert into t select 1", "copy t to 'x'",
     "values (1)", "pivot t on a", "describe t", "set threads = 1"],
)  # fmt: skip
def test_a_query_is_one_select(sql):
    with pytest.raises(ParameterError, match="must be one SELECT"):
        spark(sql)


@pytest.mark.parametrize("sql", ["select a into u from t", "with w as (delete from t) select 1"])
def test_a_query_does_not_write(sql):
    with pytest.raises(ParameterError):
        spark(sql)


@pytest.mark.parametrize(
    "part",
    ["a / b", "a // b", "a % b", "avg(a / b)", "sum(a / b) / nullif(c, 0)", "a / nullif(b / c, 0)",
     "a::int / b", "a / 0", "a / 0.0", "case when b > 0 then a / b end"],
)  # fmt: skip
def test_a_division_that_could_be_by_zero_is_refused_wherever_it_stands(part):
    with pytest.raises(ParameterError, match="A division must guard its divisor with nullif"):
        spark(f"select {part} as x from t order by x")


@pytest.mark.parametrize(
    ("part", "written"),
    [
        ("a / nullif(b, 0)", "CAST(a AS DOUBLE) / NULLIF(b, 0)"),
        ("a / 100", "CAST(a AS DOUBLE) / 100"),
        ("a / (nullif(b, 0))", "CAST(a AS DOUBLE) / (NULLIF(b, 0))"),
        ("a // 2", "a DIV 2"),
        ("avg(a)", "AVG(CAST(a AS DOUBLE))"),
        ("avg(a::decimal(18, 2))", "AVG(CAST(CAST(a AS DECIMAL(18, 2)) AS DOUBLE))"),
        ("avg(distinct a)", "AVG(DISTINCT CAST(a AS DOUBLE))"),
        ("avg(a / nullif(b, 0))", "AVG(CAST(CAST(a AS DOUBLE) / NULLIF(b, 0) AS DOUBLE))"),
        ("date_diff('day', a, b)", "DATEDIFF(DAY, CAST(a AS DATE), CAST(b AS DATE))"),
    ],
)
def test_what_engines_compute_differently_is_written_so_that_they_agree(part, written):
    sql = spark(f"select {part} as x from t order by x")
    assert sql == f"SELECT {written} AS x FROM cx_0 AS t ORDER BY x NULLS LAST"


@pytest.mark.parametrize("unit", ["hour", "month", "week", "second"])
def test_only_days_are_counted_between_moments(unit):
    with pytest.raises(ParameterError, match=f"date_diff must count days, but counts '{unit}'"):
        spark(f"select date_diff('{unit}', a, b) as x from t order by x")


@pytest.mark.parametrize(
    "sql",
    ["select a from t", "select a, count(*) as n from t group by a",
     "select count(*) over () from t",
     "select a from t union all select a from t", "select a from t limit 1"],
)  # fmt: skip
def test_several_rows_must_have_an_order(sql):
    with pytest.raises(ParameterError, match="must end with ORDER BY its key"):
        spark(sql)


@pytest.mark.parametrize(
    "sql", ["select count(*) as n from t", "select sum(a) + max(b) as x from t"]
)
def test_one_row_needs_no_order(sql):
    assert spark(sql)


def test_missing_values_come_last_on_every_engine():
    sql = "select row_number() over (order by a) as r from t order by a, b desc"
    assert spark(sql) == (
        "SELECT ROW_NUMBER() OVER (ORDER BY a NULLS LAST) AS r FROM cx_0 AS t "
        "ORDER BY a NULLS LAST, b DESC"
    )


@pytest.mark.parametrize(
    ("sql", "given", "says"),
    [
        (
            "select a from tt order by a",
            {},
            r"names table \['tt'\], but got \['t'\]. Did you mean 't'",
        ),
        ("select a from x.t order by a", {}, r"names table \['x.t'\]"),
        ("select a from 'x.csv' order by a", {}, r"names table \['x.csv'\]"),
        ("select 1 as a order by a", {}, r"got table \['t'\], but names only \[\]"),
        ("select a from t where a = $p order by a", {}, r"names value \['p'\], but got \[\]"),
        ("select a from t order by a", {"p": 1}, r"got value \['p'\], but names only \[\]"),
        ("select a from t where a = $cutof order by a", {"cutoff": 1}, "Did you mean 'cutoff'"),
        ("with t as (select 1 as a) select a from t order by a", {}, "A WITH name must differ"),
    ],
)
def test_names_must_fit(sql, given, says):
    with pytest.raises(ParameterError, match=says):
        spark(sql, **given)


def test_every_table_is_bound_also_in_brackets_and_subqueries():
    sql = spark(
        "select t.a from (t join u on t.a = u.a) "
        "where exists (select 1 from u as v where v.a = t.a) order by t.a",
        tables={"t": "cx_0", "u": "cx_1"},
    )
    assert "(cx_0 AS t JOIN cx_1 AS u ON t.a = u.a)" in sql
    assert "FROM cx_1 AS v" in sql


def test_a_limit_asks_for_no_more_than_may_come():
    def limited(sql):
        return compile_query(sql, tables=ONE, params={}, dialect="duckdb", limit=11)

    assert limited("select a from t order by a").endswith("LIMIT 11")
    assert limited("select a from t order by a limit 999").endswith("LIMIT 11")
    assert limited("select a from t order by a limit 5").endswith("LIMIT 5")


HOSTILE = "it's \\ '' or 1=1; drop table t; -- $p {raw} \u202e"


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        ("duckdb", "'it''s \\ '''' or 1=1; drop table t; -- $p {raw} \u202e'"),
        ("spark", "'it\\'s \\\\ \\'\\' or 1=1; drop table t; -- $p {raw} \u202e'"),
    ],
)
def test_a_value_stays_a_value(dialect, written):
    sql = "select a from t where a = $p order by a"
    compiled = compile_query(sql, tables=ONE, params={"p": HOSTILE}, dialect=dialect)
    assert written in compiled


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "1"),
        (-5, "-5"),
        (True, "TRUE"),
        (None, "NULL"),
        (0.1, "0.1"),
        (Decimal("1.10"), "1.10"),
        (np.int64(3), "3"),
        (np.bool_(False), "FALSE"),
        (np.float64(2.5), "2.5"),
        (date(2018, 1, 1), "CAST('2018-01-01' AS DATE)"),
        (datetime(2018, 1, 1, 9), "CAST('2018-01-01 09:00:00' AS TIMESTAMP)"),
        (pd.Timestamp("2018-01-01"), "CAST('2018-01-01 00:00:00' AS TIMESTAMP)"),
    ],
)
def test_values_are_written_as_syntax(value, written):
    assert f"a = {written} ORDER" in spark("select a from t where a = $p order by a", p=value)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), pd.NaT, pd.NA, [1], (1,), {"a": 1}, b"x", object(),
     datetime(2018, 1, 1, tzinfo=UTC), pd.Timedelta(days=1)],
)  # fmt: skip
def test_values_that_engines_read_differently_are_refused(value):
    with pytest.raises(ParameterError, match=r"The value \$p must be text, a finite number"):
        spark("select a from t where a = $p order by a", p=value)
