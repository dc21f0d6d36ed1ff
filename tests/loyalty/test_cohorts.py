"""Cohorts are counted by hand: finished cells only, in every mode and with any kind of period."""

from datetime import date

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import ParameterError, Withheld
from cxlab.loyalty import cohorts

CYCLE = parse_cycle("2018Q2")


def _orders(rows: dict[str, list[str]], times: int = 10) -> pd.DataFrame:
    """Give each named customer's order days to so many of them."""
    found = [
        (f"{name}{i}", day, "paid") for name, days in rows.items() for i in range(times)
        for day in days
    ]  # fmt: skip
    frame = pd.DataFrame(found, columns=["customer_id", "placed_at", "status"])
    return frame.assign(placed_at=pd.to_datetime(frame["placed_at"], format="%Y-%m-%d"))


# Two cohorts: 2017Q3 (a, b) and 2018Q1 (c, d); none began in 2017Q4, one has had no period yet.
ORDERS = _orders(
    {
        "a": ["2017-07-10", "2017-11-01", "2018-05-01"],  # back in periods 1 and 3
        "b": ["2017-09-30", "2018-02-01"],  # back in period 2
        "c": ["2018-01-15", "2018-01-16", "2018-04-02"],  # back in period 1
        "d": ["2018-03-31"],
        "e": ["2018-04-05", "2018-05-05"],
    }
)


def _share(found, **dims):
    rows = found.estimates[found.estimates["metric"] == "cohorts.returned_share"]
    for name in ("cohort", "period"):
        rows = rows[rows[name] == dims[name]] if name in dims else rows[rows[name].isna()]
    assert len(rows) == 1
    return float(rows["estimate"].iloc[0])


def _cells(found):
    rows = found.estimates
    rows = rows[(rows["metric"] == "cohorts.returned_share") & rows["cohort"].notna()]
    return {(r["cohort"], r["period"]): r["estimate"] for r in rows.to_dict("records")}


def test_calendar_periods_are_counted_by_hand(engine: Engine):
    found = cohorts(engine.table(ORDERS), cycle=CYCLE)
    assert _cells(found) == {
        ("2017Q3", "1"): 0.5, ("2017Q3", "2"): 0.5, ("2017Q3", "3"): 0.5, ("2018Q1", "1"): 0.5,
    }  # fmt: skip
    assert _share(found, period="1") == 0.5  # 20 of 40, of two cohorts
    assert _share(found, period="3") == 0.5  # 10 of 20: the newer one has not finished


def test_on_or_after_counts_whoever_comes_later_and_never_rises(engine: Engine):
    found = cohorts(engine.table(ORDERS), cycle=CYCLE, mode="on_or_after")
    assert _cells(found) == {
        ("2017Q3", "1"): 1.0, ("2017Q3", "2"): 1.0, ("2017Q3", "3"): 0.5, ("2018Q1", "1"): 0.5,
    }  # fmt: skip
    assert "cohorts.newest_change" not in set(found.estimates["metric"])


def test_only_survival_retention_cannot_rise_and_every_period_counts_the_whole_cohort():
    """ORACLES.md, K7: f is back in period 2 alone, so that more are active then than in 1."""
    orders = pd.concat([ORDERS, _orders({"f": ["2017-08-01", "2018-02-03"]}, times=20)])
    for mode, expected in (("on", [0.25, 0.75, 0.25]), ("on_or_after", [1.0, 1.0, 0.25])):
        rows = cohorts(orders, cycle=CYCLE, mode=mode).estimates
        row = rows[rows["cohort"] == "2017Q3"].sort_values("period")
        assert row["estimate"].tolist() == expected
        assert row["n"].tolist() == [40, 40, 40]


def test_rolling_periods_begin_with_each_customers_own_first_order(engine: Engine):
    found = cohorts(engine.table(ORDERS), cycle=CYCLE, every_days=60)
    # The cohort of 2018Q1 ends on 31 March, 91 days before the cutoff: no period of 60 days
    # after the first 60 is over for all of it.
    assert {cohort for cohort, _ in _cells(found)} == {"2017Q3"}
    assert _cells(found)["2017Q3", "1"] == 0.5  # a after 114 days
    assert _cells(found)["2017Q3", "2"] == 0.5  # b after 124 days
    assert ("2017Q3", "4") not in _cells(found)  # 30 September and 300 days is in July


def test_brackets_count_days_since_the_first_order(engine: Engine):
    found = cohorts(engine.table(ORDERS), cycle=CYCLE, mode="bracket", brackets=(1, 30, 90))
    assert _cells(found) == {
        ("2017Q3", "days 1–29"): 0.0, ("2017Q3", "days 30–89"): 0.0,
        ("2018Q1", "days 1–29"): 0.5, ("2018Q1", "days 30–89"): 0.5,
    }  # fmt: skip


def test_the_newest_cohort_is_held_against_those_before(engine: Engine):
    again = _orders({"x": ["2017-10-02", "2018-01-05"], "y": ["2017-10-03"]}, times=20)
    found = cohorts(engine.table(pd.concat([ORDERS, again])), cycle=CYCLE)
    row = found.estimates.set_index("metric").loc["cohorts.newest_change"]
    assert row["estimate"] == pytest.approx(0.5 - 30 / 60)
    assert "no clear change" in found.sentence()


def test_cancelled_orders_and_cohorts_before_the_records_are_left_out(engine: Engine):
    gone = ORDERS.assign(status="paid")
    gone.loc[gone["placed_at"] == "2017-11-01", "status"] = "cancelled"
    assert _cells(cohorts(engine.table(gone), cycle=CYCLE))["2017Q3", "1"] == 0.0
    late = cohorts(engine.table(ORDERS), cycle=CYCLE, complete_from=date(2018, 1, 1))
    assert {cohort for cohort, _ in _cells(late)} == {"2018Q1"}


def test_a_small_step_of_a_falling_row_is_withheld():
    many = _orders({"a": ["2017-07-10", "2018-05-01"]}, times=40)
    few = _orders({"b": ["2017-07-11", "2017-11-01"]}, times=4)
    found = cohorts(pd.concat([many, few]), cycle=CYCLE, mode="on_or_after").protect(10)
    assert found.estimates["suppressed"].any()  # 44, 40, 40 of 44 would tell of the 4


def test_it_draws_at_both_sizes_and_says_why_there_is_nothing():
    found = cohorts(ORDERS, cycle=CYCLE).protect(5)
    found.plot()
    with pytest.raises(Withheld, match="at least 10 customers"):
        cohorts(ORDERS.head(1), cycle=CYCLE)
    with pytest.raises(Withheld, match="at least 10 customers"):
        cohorts(ORDERS.head(0), cycle=CYCLE)


@pytest.mark.parametrize(
    "how",
    [{"mode": "after"}, {"mode": "bracket", "every_days": 30}, {"every_days": -1},
     {"mode": "bracket", "brackets": (30, 10)}, {"mode": "bracket", "brackets": (0, 10)}],
)  # fmt: skip
def test_an_option_without_meaning_is_refused(how):
    with pytest.raises(ParameterError):
        cohorts(ORDERS, cycle=CYCLE, **how)
