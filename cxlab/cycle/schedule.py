"""Which cycles are due: complete in the data, and missing or stale in the reports."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cxlab.data.calendar import Cycle, cycle_at, cycle_range, parse_cycle
from cxlab.data.settings import Settings
from cxlab.data.taking import take_snapshot
from cxlab.errors import SettingsError

__all__ = ["complete_cycles", "cycles_between"]

_QUIET = timedelta(days=7)  # a cycle is complete when the data reach this close to its end


def cycles_between(settings: Settings, text: str) -> list[Cycle]:
    """Read a range such as `2017Q1..2018Q2`.

    Raises
    ------
    SettingsError, ParameterError
        If an end is no cycle, or the range does not run forward.
    """
    first, dots, last = text.partition("..")
    if not dots:
        raise SettingsError(
            f"--cycles must read FIRST..LAST, as in 2017Q1..2018Q2, but is {text!r}."
        )
    return cycle_range(settings.parse_cycle(first), settings.parse_cycle(last))


def complete_cycles(study: Path, settings: Settings) -> list[Cycle]:
    """List the cycles that are over and that the data cover, the oldest first.

    The days that count are `covers` of the settings; where they are not given, the
    span of the data themselves.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    like = cycle_at(now, _any_cycle(settings))
    first_day, last_day = settings.covers.first_day, settings.covers.last_day
    if first_day is not None and last_day is not None:
        first = cycle_at(
            datetime.combine(first_day, datetime.min.time()) + timedelta(hours=36), like
        )
        last = min(like.previous, cycle_at(datetime.combine(last_day, datetime.min.time()), like))
    else:
        # Seen from today: that the newest cycle has no data yet is no fault here.
        tables = take_snapshot(study, settings, like, reached=False).tables
        if tables["last_at"].isna().all():
            return []
        first = cycle_at(tables["first_at"].min().to_pydatetime(), like)
        newest = min(tables["last_at"].max().to_pydatetime() + _QUIET, now)
        last = cycle_at(newest, like).previous
    if last < first:
        return []
    return [c for c in cycle_range(first, last) if settings.covers.whole(c) and c.cutoff <= now]


def _any_cycle(settings: Settings) -> Cycle:
    form = {"month": "2000M01", "quarter": "2000Q1", "half": "2000H1", "year": "2000"}
    return parse_cycle(
        form[settings.cycle],
        length=settings.cycle,
        fiscal_start=settings.fiscal_start,
        time_zone=settings.time_zone,
    )
