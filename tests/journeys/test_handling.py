"""How long contacts waited and took, counted again by hand."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.data.working_time import WorkingHours
from cxlab.errors import Withheld
from cxlab.journeys import handling

CYCLE = parse_cycle("2018Q1")
HOUR = 3600.0


def log_of(rows: list[tuple[str, datetime, str, float | None, float | None]]) -> pd.DataFrame:
    """Build a log of (customer, begun, touchpoint, seconds waited, seconds taken)."""
    names = ["customer_id", "occurred_at", "touchpoint", "wait_s", "duration_s"]
    return pd.DataFrame(rows, columns=names).assign(activity="work")


# On Monday 5 February at 11:00 each of 20 is called 1 to 20 hours after the plan, for 2 minutes.
# Five are called again, of which no plan is known; 20 others are checked, by no plan at all.
MONDAY = datetime(2018, 2, 5, 11)
CALLS = [(f"c{i}", MONDAY, "call", (i + 1) * HOUR, 120.0) for i in range(20)]
AGAIN = [(f"c{i}", MONDAY + timedelta(days=1), "call", None, 120.0) for i in range(5)]
CHECKS = [(f"k{i}", MONDAY, "check", None, 600.0) for i in range(20)]


def test_quartiles_of_wait_and_work_are_those_of_the_rows(engine: Engine) -> None:
    found = handling(engine.table(log_of([*CALLS, *AGAIN, *CHECKS])), cycle=CYCLE)
    by = found.estimates.set_index(["metric", "touchpoint", "measure"]).sort_index()
    wait = by.loc[("work.wait_hours", "call")]
    # Midway between the two that a quarter, half and three quarters lie between.
    quartiles = {"lower quartile": 5.5, "median": 10.5, "upper quartile": 15.5}
    assert wait["estimate"].to_dict() == quartiles
    assert set(wait["n"]) == {20}
    assert ("work.wait_hours", "check") not in by.index.droplevel("measure")
    assert by.loc[("work.minutes", "call", "median")]["estimate"] == 2
    assert by.loc[("work.minutes", "call", "median")]["n"] == 25
    assert by.loc[("work.minutes", "check", "median")]["estimate"] == 10
    low, high = wait.loc["median", ["conf_low", "conf_high"]]
    assert low < 10.5 < high


def test_who_is_met_again_is_counted_where_work_waits() -> None:
    found = handling(log_of([*CALLS, *AGAIN, *CHECKS]), cycle=CYCLE).estimates
    again = found[found["metric"] == "work.again_share"]
    assert again[["touchpoint", "estimate", "n", "count"]].values.tolist() == [
        ["call", 0.25, 20, 5]
    ]


def test_waits_count_working_hours_only_where_the_study_names_them() -> None:
    # Planned on Friday at 16:00, begun on Monday at 11:00: one hour and two of work.
    rows = [(f"c{i}", MONDAY, "call", 67 * HOUR, None) for i in range(12)]
    found = handling(log_of(rows), cycle=CYCLE, hours=WorkingHours())
    median = found.estimates.set_index(["metric", "measure"])["estimate"]
    assert median["work.wait_working_hours", "median"] == 3
    assert median["work.wait_hours", "median"] == 67
    assert "Working hours: mon to fri, 09:00 to 17:00." in found.note


def test_the_sentence_names_the_longest_wait_and_the_longest_work() -> None:
    said = handling(log_of([*CALLS, *AGAIN, *CHECKS]), cycle=CYCLE).sentence()
    assert said.startswith("Call waits longest, half of the time 10 hours or more (")
    assert "check takes longest, half of the time 10 minutes or more" in said
    assert "25.0% of those met at call were taken up there more than once (" in said


def test_a_log_that_times_nothing_says_which_columns_to_map() -> None:
    log = log_of(CALLS).drop(columns=["wait_s", "duration_s"])
    with pytest.raises(Withheld, match="map the columns `wait_s` and `duration_s`"):
        handling(log, cycle=CYCLE)
    with pytest.raises(Withheld, match="Map the column `touchpoint` of interactions"):
        handling(log_of(CALLS[:5]), cycle=CYCLE)


def test_contacts_of_another_cycle_are_not_timed() -> None:
    early = [(f"e{i}", datetime(2017, 12, 1), "call", 900 * HOUR, 1.0) for i in range(20)]
    found, alone = (handling(log_of(rows), cycle=CYCLE) for rows in ([*CALLS, *early], CALLS))
    pd.testing.assert_frame_equal(found.estimates, alone.estimates)
