"""Customers known and new, counted by hand."""

from datetime import date

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import DataError, Withheld
from cxlab.segments import base

CYCLE = parse_cycle("2018Q1")


def _customers(*moments: str | None) -> pd.DataFrame:
    ids = [f"c{i}" for i in range(len(moments))]
    return pd.DataFrame({"customer_id": ids, "first_seen_at": pd.to_datetime(list(moments))})


def test_windows_are_half_open_and_the_future_is_not_counted(engine: Engine):
    people = _customers("2017-12-31", "2018-01-01", "2018-03-31", "2018-04-01", None)
    found = base(engine.table(people), cycle=CYCLE)
    now = found.estimates[found.estimates["cycle"].isna()].set_index("metric")["estimate"]
    assert now.to_dict() == {
        "customers.count": 4,  # one of them without a moment
        "customers.new": 2,
        "customers.new_change": 1,
    }


def test_new_customers_carry_the_exact_poisson_interval(engine: Engine):
    found = base(engine.table(_customers(*["2018-02-01"] * 10)), cycle=CYCLE)
    row = found.estimates.set_index("metric").loc["customers.new"].iloc[0]
    # Garwood (1936): 10 events give 4.795 to 18.39
    assert row["conf_low"] == pytest.approx(4.7954, abs=5e-5)
    assert row["conf_high"] == pytest.approx(18.3904, abs=5e-5)


def test_history_starts_where_the_table_does(engine: Engine):
    people = _customers("2017-05-01", "2017-11-01", "2018-02-01")
    found = base(engine.table(people), cycle=CYCLE)
    history = found.estimates.dropna(subset="cycle")
    assert history["cycle"].tolist() == ["2017Q2", "2017Q3", "2017Q4", "2018Q1"]
    assert history["estimate"].tolist() == [1, 0, 1, 1]
    assert "; new customers 0 (" in found.sentence()


def test_a_first_cycle_has_nothing_to_compare_with():
    found = base(_customers("2018-02-01"), cycle=CYCLE)
    assert "customers.new_change" not in set(found.estimates["metric"])
    assert found.sentence().endswith("there is no earlier cycle to compare with.")


def test_withheld_numbers_leave_the_sentence_and_keep_their_place():
    found = base(_customers(*["2016-01-01"] * 30, *["2018-02-01"] * 3), cycle=CYCLE).protect(10)
    assert found.sentence() == "33 customers known at the end of 2018Q1."
    found.plot()


@pytest.mark.parametrize(("now", "before"), [(40, 3), (3, 40)])
def test_a_change_is_withheld_with_the_smaller_of_its_counts(now: int, before: int):
    found = base(_customers(*["2017-11-01"] * before, *["2018-02-01"] * now), cycle=CYCLE)
    change = found.estimates.set_index("metric").loc["customers.new_change"]
    assert change["count"] == 3
    safe = found.protect(10).estimates
    current = safe[safe["cycle"].isna()].set_index("metric")
    assert pd.isna(current["estimate"]["customers.new_change"])
    # The number of this cycle stays where it is large itself.
    assert pd.isna(current["estimate"]["customers.new"]) == (now < 10)
    assert safe["metric"].tolist() == found.estimates["metric"].tolist()


def test_no_customers_is_a_reason_and_a_missing_column_an_error(engine: Engine):
    with pytest.raises(Withheld, match="before the end of 2018Q1"):
        base(engine.table(_customers("2018-05-01")), cycle=CYCLE)
    with pytest.raises(DataError, match="first_seen_at"):
        base(pd.DataFrame({"customer_id": ["a"]}), cycle=CYCLE)


def test_a_cycle_from_before_the_data_are_complete_is_not_compared_with():
    table = _customers("2017-11-01", "2018-02-01")
    found = base(table, cycle=CYCLE, complete_from=date(2017, 12, 1))
    assert found.estimates["cycle"].dropna().tolist() == ["2018Q1"]
    assert found.sentence().endswith("there is no earlier cycle to compare with.")
