"""Which cycles are complete: over, and reached by the data."""

import re
from datetime import UTC, datetime

import pytest

from cxlab.cycle.schedule import complete_cycles, cycles_between
from cxlab.data.settings import read_settings
from cxlab.errors import ParameterError, SettingsError
from tests.studies import CUSTOMERS_CSV, HEAD, YAML, opened, shop, write_study


def names(tmp_path, *days: str, yaml: str = "") -> list[str]:
    orders = HEAD + "".join(f"{i},ada,{day},5\n" for i, day in enumerate(days))
    customers = "customer_id\nada\n"
    study = shop(tmp_path, yaml=YAML + yaml, customers=customers, orders=orders)
    return [cycle.name for cycle in complete_cycles(study, read_settings(study))]


@pytest.mark.parametrize(
    ("last", "complete"),
    [
        ("2018-06-30", ["2018Q1", "2018Q2"]),
        ("2018-06-24", ["2018Q1", "2018Q2"]),  # a quiet week at the end is no gap
        ("2018-06-20", ["2018Q1"]),
        ("2018-07-02", ["2018Q1", "2018Q2"]),
    ],
)
def test_a_cycle_is_complete_when_the_data_reach_its_last_week(tmp_path, last, complete):
    assert names(tmp_path, "2018-01-02", last) == complete


def test_data_that_end_years_ago_are_no_fault(tmp_path):
    assert names(tmp_path, "2016-11-01", "2017-03-31") == ["2016Q4", "2017Q1"]


def test_what_the_settings_say_is_covered_counts_where_it_is_said(tmp_path):
    yaml = "covers: {first_day: 2017-12-01, last_day: 2018-08-31}\n"
    assert names(tmp_path, "2018-01-02", yaml=yaml) == ["2018Q1", "2018Q2"]


def test_months_are_counted_where_the_study_counts_in_months(tmp_path):
    found = names(tmp_path, "2018-01-02", "2018-03-05", yaml="cycle: month\n")
    assert found == ["2018M01", "2018M02"]


def test_a_cycle_that_is_not_over_is_not_complete(tmp_path):
    yaml = "covers: {first_day: 2018-01-01, last_day: 2190-12-31}\n"
    found = names(tmp_path, "2018-01-02", yaml=yaml)
    now = datetime.now(UTC)
    assert found[0] == "2018Q1"
    assert found[-1] < f"{now.year}Q{(now.month + 2) // 3}"


def test_without_any_moment_no_cycle_is_complete(tmp_path):
    study = write_study(tmp_path, tables={"customers": "select 'ada' as customer_id"})
    settings, _ = opened(study)
    assert complete_cycles(study, settings) == []


def test_a_range_is_read(tmp_path):
    settings, _ = opened(shop(tmp_path, customers=CUSTOMERS_CSV, orders=HEAD))
    found = cycles_between(settings, "2017Q4..2018Q2")
    assert [c.name for c in found] == ["2017Q4", "2018Q1", "2018Q2"]


@pytest.mark.parametrize(
    ("text", "fault", "says"),
    [
        ("2017Q4", SettingsError, "--cycles must read FIRST..LAST, as in 2017Q1..2018Q2"),
        ("2017Q4..", ParameterError, "must read like 2018Q1, but reads ''"),
        ("2018Q2..2018Q1", ParameterError, "2018Q1 lies before 2018Q2"),
        ("2017Q4...2018Q1", ParameterError, "reads '.2018Q1'"),
    ],
)
def test_a_range_that_is_none_is_refused(tmp_path, text, fault, says):
    settings, _ = opened(shop(tmp_path, customers=CUSTOMERS_CSV, orders=HEAD))
    with pytest.raises(fault, match=re.escape(says)):
        cycles_between(settings, text)
