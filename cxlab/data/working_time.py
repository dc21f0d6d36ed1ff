"""How long something took in the hours in which somebody was there to do it.

Working hours are local: nine o'clock moves against UTC when the clocks change. They are laid
out here once, day by day of UTC, with the working time that has gone by before each day. The
engine then joins both ends of a stay on whole numbers and takes a difference.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd
from pydantic import ConfigDict, Field, model_validator

from cxlab.data.engine import Table, query, view
from cxlab.data.strict import Strict
from cxlab.errors import DataError

__all__ = ["WorkingHours", "add_working_time", "working_days"]

_Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[_Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_US = 86_400_000_000
_MOST_DAYS = 40_000  # a century is no stay at a service desk
_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class WorkingHours(Strict):
    """When service is open, in the study's time zone.

    Attributes
    ----------
    days : list of str
        mon, tue, wed, thu, fri, sat or sun.
    from_, to : str
        Local time of opening and closing, as in 09:00 and 17:00; `from` in the settings.
    holidays : list of datetime.date
        Days on which it is closed.
    """

    model_config = ConfigDict(populate_by_name=True)

    days: list[_Day] = Field(default_factory=lambda: list[_Day](_DAYS[:5]))
    from_: _Clock = Field(default="09:00", alias="from")
    to: _Clock = "17:00"
    holidays: list[date] = Field(default_factory=list)

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.from_ >= self.to:
            raise ValueError(f"from must lie before to, but is {self.from_} against {self.to}")
        if not self.days:
            raise ValueError("days must name one day at least, such as mon")
        return self

    def said(self) -> str:
        """Write them as people do: mon to fri, 09:00 to 17:00."""
        at = [_DAYS.index(day) for day in dict.fromkeys(self.days)]
        run = at == list(range(at[0], at[0] + len(at))) and len(at) > 2
        days = f"{_DAYS[at[0]]} to {_DAYS[at[-1]]}" if run else ", ".join(_DAYS[i] for i in at)
        n = len(self.holidays)
        words = f"{n} holiday{'' if n == 1 else 's'}"
        closed = f", closed on {words}" if self.holidays else ""
        return f"{days}, {self.from_} to {self.to}{closed}"


def working_days(hours: WorkingHours, *, time_zone: str, first: date, last: date) -> pd.DataFrame:
    """Lay out working hours by day of UTC.

    Parameters
    ----------
    hours : WorkingHours
        When service is open, in local time.
    time_zone : str
        IANA name.
    first, last : datetime.date
        Days of UTC, both included.

    Returns
    -------
    pandas.DataFrame
        `day` (since 1970), `before_us` (working time gone by when it begins), and the two
        pieces of working time that a day of UTC can hold: `open_1`, `close_1`, `open_2`,
        `close_2`, in microseconds since 1970; an empty piece opens and closes at once.

    Examples
    --------
    >>> week = working_days(
    ...     WorkingHours(), time_zone="Asia/Jakarta", first=date(2026, 8, 3), last=date(2026, 8, 9))
    >>> int(week["before_us"].iloc[-1]) // 3_600_000_000
    40
    """
    zone = ZoneInfo(time_zone)
    pieces = [
        _piece(first + timedelta(days=i), hours, zone) for i in range(-1, (last - first).days + 2)
    ]
    rows, before = [], 0
    for number in range(_day(first), _day(last) + 1):
        start, end = number * _DAY_US, (number + 1) * _DAY_US
        inside = [(max(a, start), min(b, end)) for a, b in pieces if max(a, start) < min(b, end)]
        (a, b), (c, d) = [*inside, (end, end), (end, end)][:2]
        rows.append((number, before, a, b, c, d))
        before += b - a + d - c
    names = ["day", "before_us", "open_1", "close_1", "open_2", "close_2"]
    return pd.DataFrame(rows, columns=names).astype("int64")


def add_working_time(
    stays: Table, hours: WorkingHours, *, time_zone: str, start: str, end: str, name: str
) -> Table:
    """Add the working time between two moments of each row.

    Parameters
    ----------
    stays : Table
        With two moments in microseconds since 1970, UTC.
    hours : WorkingHours
        When service is open.
    time_zone : str
        The study's.
    start, end : str
        Columns of the moments; the end is not before the start. A row that lacks one gets none.
    name : str
        Column to add, in microseconds.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If moments lie more than a century apart.
    """
    span = query(
        f"select min({start}) as first, max({end}) as last from s where {end} >= {start}", s=stays
    ).iloc[0]
    if pd.isna(span["first"]):
        return view(f"select s.*, cast(null as bigint) as {name} from s", s=stays)
    first, last = (
        date(1970, 1, 1) + timedelta(days=int(span[c]) // _DAY_US) for c in ("first", "last")
    )
    if (last - first).days > _MOST_DAYS:
        raise DataError(f"Working time must lie within a century, but runs from {first} to {last}.")
    days = working_days(hours, time_zone=time_zone, first=first, last=last)
    return view(
        f"""
        select s.*, cast({_gone("b", f"s.{end}")} - {_gone("a", f"s.{start}")} as bigint) as {name}
        from s left join d as a on {_day_of(f"s.{start}")} = a.day
            left join d as b on {_day_of(f"s.{end}")} = b.day
        """,
        s=stays,
        d=stays.engine.table(days),
    )


def _piece(day: date, hours: WorkingHours, zone: ZoneInfo) -> tuple[int, int]:
    """Return the working time of one local day, in microseconds of UTC."""
    if _DAYS[day.weekday()] not in hours.days or day in hours.holidays:
        return (0, 0)
    return _moment(day, hours.from_, zone), _moment(day, hours.to, zone)


def _moment(day: date, clock: str, zone: ZoneInfo) -> int:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    # What the clock skips lies after the change, what it shows twice is meant the first time.
    local = datetime.combine(day, time.fromisoformat(clock), tzinfo=zone).astimezone(UTC)
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _day_of(moment: str) -> str:
    # Exact on whole numbers, and right before 1970, where a remainder is negative.
    return f"cast(floor({moment} / {_DAY_US}) as bigint)"


def _gone(day: str, moment: str) -> str:
    """Write the working time gone by at a moment of a day."""
    pieces = [
        f"least(greatest({moment} - {day}.open_{i}, 0), {day}.close_{i} - {day}.open_{i})"
        for i in (1, 2)
    ]
    return f"({day}.before_us + {' + '.join(pieces)})"
