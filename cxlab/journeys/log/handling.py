"""How long do people wait until somebody takes up what was planned, and how long does it take?

A log of work says of a contact how long it had waited when it began, and how long it took. What
has begun has waited for a known time, so that nothing has to be guessed of these; what was
planned and has not begun yet is not in the log.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.data.working_time import WorkingHours, add_working_time
from cxlab.errors import Withheld
from cxlab.journeys.contacts import contact_view
from cxlab.journeys.maps.watched import FEWEST, QUARTILES, Watched, union, watched
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.intervals import wilson

__all__ = ["Handling", "handling"]

_SECOND = 1_000_000
_MOST = 20  # groups that get rows, the most frequent ones
_WAIT, _WORK = "wait_s", "duration_s"
_WAITED, _WAITED_OPEN, _WORKED = "work.wait_hours", "work.wait_working_hours", "work.minutes"
_UNITS = {_WAITED: "hours", _WAITED_OPEN: "hours", _WORKED: "minutes"}
_SECONDS = {"hours": 3_600, "minutes": 60}


@dataclass(frozen=True, kw_only=True, eq=False)
class Handling(Result):
    """Waiting and working time by touchpoint; quartiles, each with its interval."""

    by: str
    cycle: str
    # Waiting, working and coming back are told of different people.
    apart = ("metric", "measure")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the median wait of each group, or how long it takes where nothing waits."""
        for metric, name in ((_WAITED, "wait"), (_WORKED, "time at work")):
            rows = self._medians(metric)
            if rows["estimate"].notna().sum() < 2:
                continue
            unit, scale = _readable(float(rows["estimate"].max()), _UNITS[metric])
            ends = ["estimate", "conf_low", "conf_high"]
            return charts.dots(
                rows.assign(**{c: rows[c] * scale for c in ends}), label=self.by, unit="mean",
                axis=f"Median {name}, {unit}", ax=ax,
            )  # fmt: skip
        return None

    def sentence(self) -> str:
        """Say where people wait longest, and what has to be done over again."""
        parts = [self._longest(_WAITED, "waits longest"), self._longest(_WORKED, "takes longest")]
        said = [part for part in parts if part]
        again = self._rows("work.again_share").dropna(subset="estimate")
        if not again.empty:
            top = again.sort_values("estimate", kind="stable").iloc[-1]
            said.append(
                f"{words.value(top['estimate'], 'share')} of those met at {top[self.by]} were "
                f"taken up there more than once "
                f"({words.interval(top['conf_low'], top['conf_high'], 'share')})"
            )
        if not said:
            return f"Too few people were met in {self.cycle} to time their contacts."
        return f"{words.begun('; '.join(said))}."

    def _longest(self, metric: str, what: str) -> str:
        rows = self._medians(metric).dropna(subset="estimate")
        if rows.empty:
            return ""
        top = rows.sort_values("estimate", kind="stable").iloc[-1]
        per_day = 86_400 / _SECONDS[_UNITS[metric]]
        middle, low, high = (
            words.duration(top[c] / per_day) for c in ("estimate", "conf_low", "conf_high")
        )
        said = f"{top[self.by]} {what}, half of the time {middle} or more ({low} to {high})"
        worked = self._medians(_WAITED_OPEN).set_index(self.by)["estimate"]
        if metric != _WAITED or pd.isna(worked.get(top[self.by])):
            return said
        return f"{said}, {words.duration(worked[top[self.by]] / 24)} in working hours"

    def _medians(self, metric: str) -> pd.DataFrame:
        rows = self._rows(metric)
        return rows[rows["measure"] == "median"].reset_index(drop=True)

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)


def handling(
    interactions: TableLike,
    *,
    cycle: Cycle,
    by: Literal["touchpoint", "channel", "stage", "activity"] = "touchpoint",
    hours: WorkingHours | None = None,
) -> Handling:
    """Time how long the contacts of a cycle had waited when they began, and how long they took.

    Parameters
    ----------
    interactions : table
        With `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, `by`, and of
        `wait_s` (seconds from when it was planned) and `duration_s` (seconds until it was
        done) those that the log has.
    cycle : Cycle
        Contacts that began in it.
    by : {"touchpoint", "channel", "stage", "activity"}
        What contacts are told apart by.
    hours : WorkingHours, optional
        The study's `working_hours`: waits are then timed in these as well.

    Returns
    -------
    Handling
        Quartiles (`measure`) of `work.wait_hours`, `work.wait_working_hours` and `work.minutes`
        of each group; and of those that wait for it `work.again_share`: of the people met
        there in the cycle, those met there more than once.

    Raises
    ------
    Withheld
        If the log times no contact, or fewer than ten in every group.

    Notes
    -----
    Persons are the units of all intervals (see `watched`). Below ten minutes times are rounded
    down to five seconds, below six hours to a minute.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> log = pd.DataFrame({"customer_id": [f"c{i}" for i in range(20)], "activity": "call",
    ...                     "occurred_at": pd.Timestamp("2018-02-01"), "touchpoint": "call",
    ...                     "wait_s": 7200.0, "duration_s": 300.0})
    >>> handling(log, cycle=parse_cycle("2018Q1")).sentence()[:60]
    'Call waits longest, half of the time 2 hours or more (2 hour'
    """
    (log,) = in_one_engine(interactions)
    timed = [c for c in (_WAIT, _WORK) if c in log.columns]
    if not timed:
        raise Withheld(
            "Waiting and work are timed where the log says how long each contact had waited when "
            f"it began, and how long it took: map the columns `{_WAIT}` and `{_WORK}` of "
            "interactions, in seconds."
        )
    rows = keep(_timed_rows(log, cycle, by, timed))
    groups = _groups(rows, by)
    spans, metrics = _spans(rows, groups, by, timed, hours, cycle)
    found = sorted(watched(spans).items())
    estimates = [
        row
        for at, group in found
        if group.seen >= FEWEST and group.people >= 2
        for row in _quartiles(group, metrics[at % len(metrics)],
                              {by: groups["name"].iloc[at // len(metrics)]})
    ]  # fmt: skip
    if not estimates:
        raise Withheld(
            f"Fewer than {FEWEST} contacts of a {by} that has a name say in {cycle.name} how long "
            f"they waited or took. Map the column `{by}` of interactions, or ask by another one."
        )
    if _WAIT in timed:
        estimates += _again(rows, by)
    return Handling(
        estimates=pd.DataFrame(estimates),
        subtitle=f"Quartiles of the time from planned to begun, and from begun to done, of the "
        f"contacts that began in {cycle.name}, by {by}; 95% interval, people as clusters",
        noted=lambda least: _note(rows, timed, hours, cycle, least) + _left_out(rows, by),
        by=by,
        cycle=cycle.name,
    )


def _timed_rows(log: Table, cycle: Cycle, by: str, timed: list[str]) -> Table:
    """Name the contacts of a cycle that say how long they waited or took, in microseconds."""
    contacts = contact_view(log, start=cycle.start, cutoff=cycle.cutoff, more=tuple(timed))
    lengths = ", ".join(
        f"cast(floor(cast({c} as double) * {_SECOND}) as bigint) as {c[:-2]}_us" if c in timed
        else f"cast(null as bigint) as {c[:-2]}_us"
        for c in (_WAIT, _WORK)
    )  # fmt: skip
    some = " or ".join(f"{c} is not null" for c in timed)
    return view(
        f"select person_id, {by}, at_us, {lengths} from c where {by} <> $unknown and ({some})",
        c=contacts,
        unknown=NOT_KNOWN,
    )


def _groups(rows: Table, by: str) -> pd.DataFrame:
    return query(
        f"select {by} as name, count(*) as n from r group by {by} order by n desc, name "
        f"limit {_MOST}",
        r=rows,
    ).assign(group_no=lambda f: range(len(f)))


def _spans(
    rows: Table,
    groups: pd.DataFrame,
    by: str,
    timed: list[str],
    hours: WorkingHours | None,
    cycle: Cycle,
) -> tuple[Table, list[str]]:
    """Lay out one length per contact and metric, numbered by group."""
    lengths = {metric: c for metric, c in ((_WAITED, "wait_us"), (_WORKED, "duration_us"))
               if c.replace("_us", "_s") in timed}  # fmt: skip
    if hours is not None and _WAIT in timed:
        waits = view("select r.*, at_us - wait_us as planned_us from r", r=rows)
        rows = keep(
            add_working_time(waits, hours, time_zone=cycle.time_zone, start="planned_us",
                             end="at_us", name="open_us")
        )  # fmt: skip
        lengths[_WAITED_OPEN] = "open_us"
    metrics = list(lengths)
    spans = view(
        union(
            f"select cast(g.group_no * {len(metrics)} + {k} as bigint) as grp, r.person_id, "
            f"{column} as length_us, {column} as watched_us from r join g on r.{by} = g.name "
            f"where {column} is not null"
            for k, column in enumerate(lengths.values())
        ),
        r=rows,
        g=groups[["name", "group_no"]],
    )
    return spans, metrics


def _quartiles(group: Watched, metric: str, dims: dict[str, Any]) -> list[dict[str, Any]]:
    unit = _UNITS[metric]
    scale = _SECOND * _SECONDS[unit]
    rows = []
    for measure in QUARTILES:
        found = group.quartile(measure, of_reached=False)
        row = estimate_row(
            metric, found.estimate / scale, found.low / scale, found.high / scale, n=group.n,
            count=group.people, unit=unit, method=found.method, measure=measure, **dims,
        )  # fmt: skip
        # A number whose interval has no end does not travel.
        if np.isfinite([found.estimate, found.low, found.high]).all():
            rows.append(row)
    return rows


def _again(rows: Table, by: str) -> list[dict[str, Any]]:
    """Count, where work waits, who was met there at all and who more than once."""
    found = query(
        f"""
        select name, count(*) as n, sum(case when met > 1 then 1 else 0 end) as again
        from (
            select {by} as name, person_id, count(*) as met, max(wait_us) as wait_us
            from r group by {by}, person_id
        ) as p
        group by name having count(wait_us) >= {FEWEST} order by n desc, name limit {_MOST}
        """,
        r=rows,
    )
    return [
        interval_row(
            "work.again_share", wilson(float(row["again"]), float(row["n"])), unit="share",
            count=float(row["again"]), measure=None, **{by: row["name"]},
        )
        for row in found.to_dict("records")
    ]  # fmt: skip


def _note(
    rows: Table, timed: list[str], hours: WorkingHours | None, cycle: Cycle, least: int
) -> str:
    n = query("select count(*) as n, count(distinct person_id) as people from r", r=rows).iloc[0]
    said = [
        f"Base: {words.plural(float(n['n']), 'contact')} of "
        f"{words.plural_from(least, float(n['people']), 'customer')} in {cycle.name} that say how "
        "long they waited or took."
    ]
    if _WAIT in timed:
        said.append(
            "What was planned and has not begun is not counted, and a contact of which no plan "
            "is known has no wait."
        )
    else:
        said.append(f"The log has no column `{_WAIT}`, so that no wait is known.")
    if _WORK not in timed:
        said.append(f"The log has no column `{_WORK}`, so that no time at work is known.")
    if hours is not None and _WAIT in timed:
        said.append(f"Working hours: {hours.said()}.")
    return " ".join(said)


def _left_out(rows: Table, by: str) -> str:
    kinds = query(f"select count(distinct {by}) as n from r", r=rows)["n"][0] - _MOST
    return f" {words.plural(kinds, 'rarer kind')} not timed." if kinds > 0 else ""


def _readable(most: float, unit: str) -> tuple[str, float]:
    """Choose the unit in which lengths can be read off a chart, and what to multiply by."""
    seconds = _SECONDS[unit]
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if most * seconds / size >= 2:
            return name, seconds / size
    return "minutes", seconds / 60
