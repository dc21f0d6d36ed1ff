"""Cycles: which moments belong to 2018Q1.

A cycle is a half-open window `start <= moment < cutoff`. Its ends are midnights in
the study's time zone, given in UTC, since every moment of the tables is UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal, Self
from zoneinfo import ZoneInfo

from cxlab.errors import ParameterError

__all__ = ["Cycle", "Length", "cycle_at", "cycle_range", "parse_cycle", "steady_since"]

Length = Literal["month", "quarter", "half", "year"]

_MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_LETTER = {"month": "M", "quarter": "Q", "half": "H", "year": ""}
_EXAMPLE = {"month": "2018M03", "quarter": "2018Q1", "half": "2018H1", "year": "2018"}
_FORM = {
    "month": re.compile(r"([0-9]{4})M(0[1-9]|1[0-2])"),
    "quarter": re.compile(r"([0-9]{4})Q([1-4])"),
    "half": re.compile(r"([0-9]{4})H([12])"),
    "year": re.compile(r"([0-9]{4})()"),
}


@dataclass(frozen=True, order=True)
class Cycle:
    """One improvement cycle of a study.

    Attributes
    ----------
    first_day : datetime.date
        Its first calendar day, in the study's time zone.
    length : str
        month, quarter, half or year.
    fiscal_start : int
        Month in which the fiscal year starts, 1 to 12. A fiscal year is named
        after the calendar year in which it starts.
    time_zone : str
        IANA name of the study's time zone.
    """

    first_day: date
    length: Length = "quarter"
    fiscal_start: int = 1
    time_zone: str = "UTC"

    @property
    def name(self) -> str:
        """Write it as people do: 2018Q1, 2018M03, 2018H2, 2018."""
        months = (self.first_day.month - self.fiscal_start) % 12
        year = self.first_day.year - (self.first_day.month < self.fiscal_start)
        part = months // _MONTHS[self.length] + 1
        if self.length == "year":
            return str(year)
        return f"{year}{_LETTER[self.length]}{part:0{2 if self.length == 'month' else 1}d}"

    @property
    def start(self) -> datetime:
        """First moment, UTC without a zone."""
        return _midnight(self.first_day, self.time_zone)

    @property
    def cutoff(self) -> datetime:
        """First moment that is no longer part of it, UTC without a zone."""
        return self.next.start

    @property
    def last_day(self) -> date:
        """Last calendar day, in the study's time zone."""
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> Self:
        """The cycle after it."""
        return self._shift(1)

    @property
    def previous(self) -> Self:
        """The cycle before it."""
        return self._shift(-1)

    def _shift(self, by: int) -> Self:
        month = self.first_day.year * 12 + self.first_day.month - 1 + by * _MONTHS[self.length]
        first = date(month // 12, month % 12 + 1, 1)
        return type(self)(first, self.length, self.fiscal_start, self.time_zone)


def parse_cycle(
    name: str, *, length: Length = "quarter", fiscal_start: int = 1, time_zone: str = "UTC"
) -> Cycle:
    """Read a cycle's name.

    Raises
    ------
    ParameterError
        If the name is not of the form that the length asks for.

    Examples
    --------
    >>> cycle = parse_cycle("2018Q1", time_zone="America/Sao_Paulo")
    >>> cycle.start.isoformat(), cycle.last_day.isoformat(), cycle.previous.name
    ('2018-01-01T02:00:00', '2018-03-31', '2017Q4')
    """
    match = _FORM[length].fullmatch(name.strip().upper().replace("-", ""))
    if match is None or not 1900 < int(match[1]) < 2200:
        raise ParameterError(
            f"A cycle of one {length} must read like {_EXAMPLE[length]}, but reads {name!r}."
        )
    steps = (int(match[2] or 1) - 1) * _MONTHS[length]
    month = int(match[1]) * 12 + fiscal_start - 1 + steps
    return Cycle(date(month // 12, month % 12 + 1, 1), length, fiscal_start, time_zone)


def cycle_range(first: Cycle, last: Cycle) -> list[Cycle]:
    """List the cycles from the first to the last, both included.

    Raises
    ------
    ParameterError
        If the last lies before the first.
    """
    if last < first:
        raise ParameterError(
            f"A range of cycles must run forward, but {last.name} lies before {first.name}."
        )
    cycles = [first]
    while cycles[-1] < last:
        cycles.append(cycles[-1].next)
    return cycles


def cycle_at(moment: datetime, like: Cycle) -> Cycle:
    """Return the cycle, of the same kind as `like`, that a UTC moment falls into."""
    day = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(like.time_zone)).date()
    steps = (day.month - like.fiscal_start) % 12 % _MONTHS[like.length]
    month = day.year * 12 + day.month - 1 - steps
    return Cycle(
        date(month // 12, month % 12 + 1, 1), like.length, like.fiscal_start, like.time_zone
    )


@cache
def steady_since(zone: str) -> tuple[datetime, int] | None:
    """Tell since when a zone's clocks are no longer changed.

    Returns
    -------
    datetime
        A local moment after the last change.
    int
        Seconds that local time is ahead of UTC from then on. None instead of both
        where clocks still change.

    Examples
    --------
    >>> since, ahead = steady_since("Asia/Jakarta")
    >>> since.year < 1970, ahead
    (True, 25200)
    >>> steady_since("Europe/Berlin") is None
    True
    """
    step, last = timedelta(days=14), datetime(2060, 1, 1, tzinfo=UTC)
    ahead = last.astimezone(ZoneInfo(zone)).utcoffset()
    moment = last
    while moment.year > 1900 and moment.astimezone(ZoneInfo(zone)).utcoffset() == ahead:
        moment -= step
    if ahead is None or moment.year > 2030:
        return None
    # Two steps after the last moment that was different, the change is over in any clock.
    since = (moment + 2 * step).replace(tzinfo=None)
    return since, int(ahead.total_seconds())


def _midnight(day: date, zone: str) -> datetime:
    """Return the first moment of a local day in UTC, also where the clock skips midnight."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).replace(tzinfo=None)
