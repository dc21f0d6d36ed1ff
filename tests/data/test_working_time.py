"""Working time, held against a counter of minutes that knows nothing of the calendar table."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from pydantic import ValidationError

from cxlab.data.engine import DuckEngine, query
from cxlab.data.working_time import WorkingHours, add_working_time, working_days

DESK = WorkingHours(**{"from": "09:00", "to": "17:00", "holidays": ["2026-03-30"]})
US = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(text: str, zone: str = "UTC") -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) - EPOCH) // US


def counted(hours: WorkingHours, zone: str, start: int, end: int) -> int:
    """Count the minutes of UTC whose local clock is within the hours."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    minutes = 0
    for at in range(start, end, 60_000_000):
        local = (EPOCH + at * US).astimezone(ZoneInfo(zone))
        open_ = names[local.weekday()] in hours.days and local.date() not in hours.holidays
        minutes += open_ and hours.from_ <= f"{local:%H:%M}" < hours.to
    return minutes


STAYS = {
    # Clocks go forward in Berlin on 29 March 2026, a Sunday; the Monday is a holiday here.
    "Europe/Berlin": [
        ("2026-03-27T16:30", "2026-03-31T09:10"),
        ("2026-03-28T12:00", "2026-03-29T20:00"),
        ("2026-10-23T08:00", "2026-10-26T10:00"),
        ("2026-03-27T10:00", "2026-03-27T10:00"),
    ],
    "Asia/Jakarta": [("2026-08-03T23:59", "2026-08-10T09:01")],
    # A working day of Auckland lies in two days of UTC, and ten hours apart after April.
    "Pacific/Auckland": [("2026-04-02T16:00", "2026-04-07T09:30")],
    "America/Sao_Paulo": [("2018-11-02T16:59", "2018-11-06T09:02")],
}


@pytest.mark.parametrize("hours", [
    DESK,
    WorkingHours(days=["sat", "sun", "mon"], **{"from": "00:00"}, to="24:00"),
    WorkingHours(days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from_="01:30", to="23:00"),
])  # fmt: skip
@pytest.mark.parametrize("zone", list(STAYS))
def test_working_time_is_that_of_a_minute_counter(zone, hours):
    assert_counted(DuckEngine(), zone, hours)


def test_other_engines_count_the_same_minutes(engine):
    assert_counted(engine, "Europe/Berlin", DESK)


def assert_counted(engine, zone, hours):
    rows = [(us(a, zone), us(b, zone)) for a, b in STAYS[zone]]
    stays = engine.table(pd.DataFrame(rows, columns=["start_us", "end_us"]))
    timed = add_working_time(
        stays, hours, time_zone=zone, start="start_us", end="end_us", name="worked_us"
    )
    found = query("select start_us, end_us, worked_us from t order by start_us, end_us", t=timed)
    expected = [counted(hours, zone, a, b) for a, b in sorted(rows)]
    assert (found["worked_us"] // 60_000_000).tolist() == expected


def test_a_day_of_the_clock_change_has_an_hour_less_at_night_and_none_less_at_the_desk():
    def worked(hours):
        days = working_days(
            hours, time_zone="Europe/Berlin", first=date(2026, 3, 28), last=date(2026, 3, 30)
        )
        return (days["close_1"] - days["open_1"] + days["close_2"] - days["open_2"]).sum() / 3.6e9

    every = ["sat", "sun"]
    assert worked(WorkingHours(days=every, from_="00:00", to="24:00")) == 23 + 23
    assert worked(WorkingHours(days=every)) == 16


def test_a_row_without_an_end_has_no_working_time():
    rows = pd.DataFrame({"a": [us("2026-08-03T00:00")] * 2, "b": [us("2026-08-04T00:00"), None]})
    stays = DuckEngine().table(rows.astype("Int64"))
    timed = add_working_time(stays, DESK, time_zone="UTC", start="a", end="b", name="w")
    found = query("select b, w from t order by b", t=timed)
    assert found["w"].isna().tolist() == [False, True]


@pytest.mark.parametrize(("wrong", "said"), [
    ({"from": "17:00", "to": "09:00"}, "from must lie before to"),
    ({"from": "9", "to": "17:00"}, "should match pattern"),
    ({"days": []}, "one day at least"),
    ({"days": ["someday"]}, "mon"),
])  # fmt: skip
def test_hours_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(ValidationError, match=said):
        WorkingHours(**wrong)
