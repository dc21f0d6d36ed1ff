"""Cycles tile time without gap or overlap, in any zone and fiscal year."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.data.calendar import Cycle, cycle_at, cycle_range, parse_cycle, steady_since
from cxlab.errors import ParameterError

LENGTHS = ("month", "quarter", "half", "year")
ZONES = ("UTC", "America/Sao_Paulo", "Asia/Jakarta", "Pacific/Apia", "America/New_York",
         "Asia/Beirut", "Australia/Lord_Howe", "Africa/Cairo")  # fmt: skip
KINDS = st.tuples(st.sampled_from(LENGTHS), st.integers(1, 12), st.sampled_from(ZONES))
MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2037, 12, 31))


def cycle_of(moment: datetime, kind: tuple[str, int, str]) -> Cycle:
    length, start, zone = kind
    form = {"month": "2000M01", "quarter": "2000Q1", "half": "2000H1", "year": "2000"}[length]
    like = parse_cycle(form, length=length, fiscal_start=start, time_zone=zone)
    return cycle_at(moment, like)


@given(MOMENTS, KINDS)
def test_every_moment_lies_in_the_one_cycle_that_it_is_given(moment, kind):
    cycle = cycle_of(moment, kind)
    assert cycle.start <= moment < cycle.cutoff


@given(MOMENTS, KINDS)
def test_cycles_follow_each_other_without_gap_or_overlap(moment, kind):
    cycle = cycle_of(moment, kind)
    assert cycle.cutoff == cycle.next.start > cycle.start
    assert cycle.next.previous == cycle == cycle.previous.next
    assert cycle.last_day + timedelta(days=1) == cycle.next.first_day


@given(MOMENTS, KINDS)
def test_a_name_reads_back_as_the_same_cycle(moment, kind):
    cycle = cycle_of(moment, kind)
    length, start, zone = kind
    assert parse_cycle(cycle.name, length=length, fiscal_start=start, time_zone=zone) == cycle


@given(MOMENTS, KINDS)
def test_a_cycle_starts_with_its_first_local_day(moment, kind):
    cycle = cycle_of(moment, kind)
    zone = ZoneInfo(kind[2])
    first = cycle.start.replace(tzinfo=UTC)
    assert first.astimezone(zone).date() >= cycle.first_day
    # where the clock skips midnight, the day starts an hour late, never early
    assert (first - timedelta(seconds=1)).astimezone(zone).date() < cycle.first_day


@pytest.mark.parametrize(
    ("name", "options", "first", "last"),
    [
        ("2018Q1", {}, "2018-01-01", "2018-03-31"),
        ("2018M02", {"length": "month"}, "2018-02-01", "2018-02-28"),
        ("2016M02", {"length": "month"}, "2016-02-01", "2016-02-29"),
        ("2018H2", {"length": "half"}, "2018-07-01", "2018-12-31"),
        ("2018", {"length": "year"}, "2018-01-01", "2018-12-31"),
        ("2018Q1", {"fiscal_start": 4}, "2018-04-01", "2018-06-30"),
        ("2018Q4", {"fiscal_start": 4}, "2019-01-01", "2019-03-31"),
        ("2018M12", {"length": "month", "fiscal_start": 7}, "2019-06-01", "2019-06-30"),
        ("2018H1", {"length": "half", "fiscal_start": 11}, "2018-11-01", "2019-04-30"),
        ("2018", {"length": "year", "fiscal_start": 2}, "2018-02-01", "2019-01-31"),
    ],
)
def test_a_cycle_has_these_days(name, options, first, last):
    cycle = parse_cycle(name, **options)
    assert (str(cycle.first_day), str(cycle.last_day), cycle.name) == (first, last, name)


@pytest.mark.parametrize(("typed", "name"), [(" 2018q1 ", "2018Q1"), ("2018-Q1", "2018Q1")])
def test_a_name_may_be_typed_loosely(typed, name):
    assert parse_cycle(typed).name == name


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("America/Sao_Paulo", date(2018, 1, 1), "2018-01-01 02:00"),
        ("America/Sao_Paulo", date(2018, 4, 1), "2018-04-01 03:00"),
        ("America/Sao_Paulo", date(2017, 10, 15), "2017-10-15 03:00"),  # 00:00 was skipped
        ("Asia/Beirut", date(2018, 3, 25), "2018-03-24 22:00"),  # 00:00 was skipped
        ("Asia/Jakarta", date(2018, 1, 1), "2017-12-31 17:00"),
    ],
)
def test_a_local_day_starts_at_this_moment_of_utc(zone, day, start):
    assert Cycle(day, "month", 1, zone).start == datetime.fromisoformat(start)


@pytest.mark.parametrize(
    ("name", "length"),
    [("2018Q5", "quarter"), ("2018Q0", "quarter"), ("2018", "quarter"), ("Q1 2018", "quarter"),
     ("2018M13", "month"), ("2018M1", "month"), ("2018Q1", "month"), ("2018H3", "half"),
     ("18", "year"), ("1800", "year"), ("9999", "year"), ("", "year"), ("2018Q1x", "quarter"),
     ("٢٠١٨Q1", "quarter")],
)  # fmt: skip
def test_a_name_of_another_form_is_refused_with_an_example(name, length):
    with pytest.raises(ParameterError, match=rf"must read like 2018\w*, but reads '{name}'"):
        parse_cycle(name, length=length)


def test_a_range_has_both_ends():
    first, last = parse_cycle("2017Q3"), parse_cycle("2018Q2")
    assert [c.name for c in cycle_range(first, last)] == ["2017Q3", "2017Q4", "2018Q1", "2018Q2"]
    assert cycle_range(first, first) == [first]


def test_a_range_that_runs_backward_is_refused():
    with pytest.raises(ParameterError, match="must run forward, but 2017Q3 lies before 2018Q2"):
        cycle_range(parse_cycle("2018Q2"), parse_cycle("2017Q3"))


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "America/Sao_Paulo", "Asia/Kolkata", "UTC"])
def test_where_clocks_no_longer_change_a_subtraction_gives_utc(zone: str) -> None:
    steady = steady_since(zone)
    assert steady is not None
    since, ahead = steady
    for days in range(0, 30_000, 37):
        local = since + timedelta(days=days, hours=days % 24, minutes=30)
        if local.year >= 2060:
            break
        expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
        assert local - timedelta(seconds=ahead) == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
def test_where_clocks_still_change_nothing_is_steady(zone: str) -> None:
    assert steady_since(zone) is None
