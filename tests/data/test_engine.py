"""One question, two engines, equal answers; tables come as they are, answers stay short."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxlab.data.engine import (
    DuckEngine,
    Table,
    frame,
    grouped,
    keep,
    query,
    repeated,
    view,
)
from cxlab.errors import DataError, ParameterError

ROWS = [
    # order, customer, placed, units, net amount, weight, flag, channel
    ("1", "ada", datetime(2018, 1, 31, 23, 59, 59), 3, Decimal("10.10"), 0.5, True, "web"),
    ("2", "ada", datetime(2018, 2, 1), -2, Decimal("20.20"), 1.25, False, "store"),
    ("3", "bob", datetime(2016, 2, 29, 12), 7, Decimal("0.05"), -3.5, None, 'it\'s "quoted"'),
    ("4", "Zoë 🙂", datetime(2018, 3, 25, 2, 30), None, None, None, True, None),
    ("5", "bob", None, 0, Decimal("99999999.99"), 2.0, False, "back\\slash"),
    ("6", None, datetime(2017, 12, 31), 7, Decimal("5.00"), 1e-9, True, "WEB"),
]
ORDERS = pa.table(
    [list(column) for column in zip(*ROWS, strict=True)],
    schema=pa.schema([
        ("order_id", pa.string()), ("customer_id", pa.string()), ("placed_at", pa.timestamp("us")),
        ("units", pa.int64()), ("net_amount", pa.decimal128(18, 2)), ("weight", pa.float64()),
        ("flag", pa.bool_()), ("channel", pa.string()),
    ]),
)  # fmt: skip
PEOPLE = pa.table({
    "customer_id": ["ada", "bob", "eve"], "birth_on": [date(1990, 1, 1), None, date(2000, 2, 29)],
})  # fmt: skip

TEXT = Path(__file__).with_name("shapes.sql").read_text(encoding="utf-8")
SHAPES = dict(re.findall(r"^-- (.+)\n(select[^;]+|with[^;]+);", TEXT, re.MULTILINE))


def ask(engine, sql: str) -> pd.DataFrame:
    known = {"o": ORDERS, "p": PEOPLE}
    used = {k: t for k, t in known.items() if re.search(rf"(from|join) {k}\b", sql)}
    named = {name: engine.table(table) for name, table in used.items()}
    return query(sql, **named)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_engines_give_the_same_answer(engine, shape):
    here, there = ask(DuckEngine(), SHAPES[shape]), ask(engine, SHAPES[shape])
    # floor() is a double here and a whole number there; sums of floats end differently.
    pd.testing.assert_frame_equal(there, here, check_dtype=False, rtol=1e-12)


def test_amounts_add_up_to_the_cent(engine):
    assert ask(engine, SHAPES["decimals add up"])["total"][0] == 100000035.34


@pytest.mark.parametrize(
    "said",
    [
        "it's",
        'a "b"',
        "'; drop table o; --",
        "x' or '1'='1",
        "\\",
        "\\'",
        "%",
        "🙂\u202e",
        "$p",
        "a\nb",
    ],
)
def test_a_value_is_compared_as_text_and_never_run(engine, said):
    words = engine.table(pd.DataFrame({"said": [said, "other"]}))
    found = query("select said from w where said = $p order by said", w=words, p=said)
    assert found["said"].tolist() == [said]


def test_pandas_arrow_and_own_tables_are_the_same_table(engine):
    data = pd.DataFrame({"customer_id": ["a", "b", None], "x": [1, 2, 3]})
    forms = [data, pa.Table.from_pandas(data), engine.table(data)]
    sql = "select customer_id, x from t order by x"
    answers = [query(sql, t=engine.table(form)) for form in forms]
    for answer in answers:
        pd.testing.assert_frame_equal(answer, answers[0])
    assert list(data.columns) == ["customer_id", "x"]  # and what went in is as it was


def test_odd_columns_of_pandas_are_read(engine):
    data = pd.DataFrame({
        "category": pd.Categorical(["b", "a"]), "none": [None, None], "moment": pd.to_datetime(
            ["2018-01-01 00:00", "2018-01-02 12:30"]).as_unit("ns"),
        "whole": pd.array([1, None], "Int64"),
    })  # fmt: skip
    found = query("select * from t order by category", t=engine.table(data))
    assert found["category"].tolist() == ["a", "b"]
    assert found["moment"].tolist() == [datetime(2018, 1, 2, 12, 30), datetime(2018, 1, 1)]
    assert found["none"].isna().all()


def test_a_column_of_mixed_types_is_refused():
    with pytest.raises(DataError, match="A column must hold one type"):
        query("select x from t order by x", t=pd.DataFrame({"x": [1, "a"]}))


def test_tables_of_two_engines_do_not_meet():
    one, other = (DuckEngine().table(pd.DataFrame({"x": [1]})) for _ in range(2))
    for ask_both in (
        lambda: query("select t.x from t join u on t.x = u.x order by 1", t=one, u=other),
        lambda: other.engine.table(one),
        lambda: grouped(one, other, key="x"),
    ):
        with pytest.raises(ParameterError, match="must lie in one engine"):
            ask_both()


def test_two_engines_of_one_session_do_not_take_each_others_names(engine):
    one = engine.table(pd.DataFrame({"x": [1]}))
    other = type(engine)() if engine.dialect == "duckdb" else type(engine)(engine._session)
    two = other.table(pd.DataFrame({"x": [2]}))
    assert [query("select x from t order by x", t=t)["x"][0] for t in (one, two)] == [1, 2]


def test_an_answer_that_is_too_long_is_refused_not_cut(engine):
    long = engine.table(pd.DataFrame({"x": np.arange(12)}))
    sql = "select x from t order by x"
    assert len(query(sql, t=long, limit=12)) == 12
    with pytest.raises(DataError, match="An answer must have at most 11 rows"):
        query(sql, t=long, limit=11)
    with pytest.raises(DataError, match="at most 10,000 rows"):
        query(sql, t=pd.DataFrame({"x": np.arange(10_001)}))


def test_the_longest_answer_is_remembered():
    table = DuckEngine().table(pd.DataFrame({"x": [1, 2, 3]}))
    query("select x from t order by x", t=table)
    query("select count(*) as n from t", t=table)
    assert table.engine.longest_answer == 3


def own_table(data) -> Table:
    return DuckEngine().table(pd.DataFrame(data))


@pytest.mark.parametrize("form", [pd.DataFrame, pa.Table.from_pydict, own_table])
def test_rows_leave_by_one_door_with_a_limit(form):
    table = form({"x": [3, 1, 2]})
    assert sorted(frame(table, limit=3)["x"]) == [1, 2, 3]
    with pytest.raises(DataError, match="at most 2 rows"):
        frame(table, limit=2)


def test_a_view_keeps_rows_in_the_engine_and_names_its_columns(engine):
    orders = engine.table(ORDERS)
    web = view("select order_id, units as u from o where channel = $c", o=orders, c="web")
    assert web.columns == ("order_id", "u")
    assert query("select count(*) as n from t", t=web)["n"][0] == 1


def test_columns_are_chosen_as_in_pandas(engine):
    assert engine.table(ORDERS)[["units", "order_id"]].columns == ("units", "order_id")
    with pytest.raises(DataError, match=r"has no column 'unitz'.*Did you mean 'units'\?"):
        engine.table(ORDERS)[["unitz"]]


# Groups


def test_groups_may_be_a_column(engine):
    rows, name = grouped(engine.table(ORDERS), "channel")
    assert name == "channel"
    found = query("select channel, count(*) as n from t group by channel order by channel", t=rows)
    assert dict(found.to_numpy())["not known"] == 1
    assert found["n"].sum() == len(ROWS)


def test_groups_may_be_a_table_and_who_is_in_none_is_not_known(engine):
    groups = engine.table(pd.DataFrame({"customer_id": ["ada", "eve"], "segment": ["gold", "tin"]}))
    rows, name = grouped(engine.table(ORDERS), groups)
    found = query("select segment, count(*) as n from t group by segment order by segment", t=rows)
    assert name == "segment"
    assert dict(found.to_numpy()) == {"gold": 2, "not known": 4}


def test_a_group_table_takes_the_place_of_a_column_of_the_same_name(engine):
    orders = engine.table(pd.DataFrame({"customer_id": ["a"], "region": ["old"]}))
    rows, _ = grouped(orders, engine.table(pd.DataFrame({"customer_id": ["a"], "region": ["new"]})))
    assert query("select region from t order by region", t=rows)["region"].tolist() == ["new"]


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("chanel", r"has no column 'chanel'.*Did you mean 'channel'"),
        (pd.DataFrame({"customer_id": ["ada", "ada"], "s": ["x", "y"]}), "in one group, but 1"),
        (pd.DataFrame({"customer_id": ["ada"], "s": [1], "t": [2]}), "and one more column"),
        (pd.DataFrame({"customer_id": ["ada"]}), "and one more column, but has"),
        (pd.DataFrame({"person": ["ada"], "s": ["x"]}), "has no column 'customer_id'"),
    ],
)  # fmt: skip
def test_groups_that_leave_open_who_is_where_are_refused(by, says):
    with pytest.raises(DataError, match=says):
        grouped(ORDERS, by)


def test_the_same_question_is_asked_once_and_a_caller_may_change_its_answer(engine, monkeypatch):
    orders, few = engine.table(ORDERS), pd.DataFrame({"channel": ["web", "store"]})

    def ask() -> pd.DataFrame:
        rows = keep(view("select o.* from o join f on o.channel = f.channel", o=orders, f=few))
        return query("select count(*) as n from r", r=rows)

    first = ask()
    first["n"] = 0
    done: list[str] = []
    for name in ("_answer", "_keep", "_create_view", "_register"):
        monkeypatch.setattr(engine, name, lambda *_, name=name: done.append(name))
    assert ask()["n"].tolist() == [2] and not done
    monkeypatch.undo()
    engine.forget()
    real = engine._answer
    monkeypatch.setattr(engine, "_answer", lambda sql: [done.append("_answer"), real(sql)][1])
    assert ask()["n"].tolist() == [2] and done


def test_values_of_several_rows_are_named_once(engine):
    found = repeated(engine.table(ORDERS), "customer_id")
    assert sorted(frame(found, limit=10)["customer_id"]) == ["ada", "bob"]  # nobody is no value


def test_what_is_asked_again_gets_the_name_that_it_has(engine):
    data = pd.DataFrame({"x": [3, 1, 2]})
    t = engine.table(data)
    big = view("select x from t where x > $least", t=t, least=1)
    assert view("select x  from t where x > $least", t=engine.table(data.copy()), least=1) == big
    assert keep(big) == keep(big) != big
    assert view("select x from t where x > $least", t=t, least=2) != big
    data.loc[0, "x"] = 1  # a frame that has changed is another, and changes no name
    assert engine.table(data) != t
    assert query("select sum(x) as s from b", b=big)["s"][0] == 5
    assert query("select sum(x) as s from b", b=keep(big))["s"][0] == 5
