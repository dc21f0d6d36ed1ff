"""Which attempt counts for each person or session, and which group it belongs to."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, TableLike, grouped, in_one_engine, keep, query, view
from cxlab.data.funnel_settings import Funnel
from cxlab.data.span import moment_us
from cxlab.errors import MissingColumnError, did_you_mean
from cxlab.journeys.funnels.attempts import own_attempts
from cxlab.journeys.funnels.question import FunnelQuery, with_parts
from cxlab.journeys.funnels.rows import funnel_rows

__all__ = ["NOT_REACHED", "Entered", "entered", "funnel_units"]

NOT_REACHED = "not reached"
MOST_ENTRIES = 100  # of one person, who meets each row of hers that often in a join


@dataclass(frozen=True, kw_only=True, eq=False)
class Entered:
    """Who entered a funnel in a window, and how far each got.

    Attributes
    ----------
    units : Table
        See `funnel_units`; with `grp`, the group.
    log : Table
        The interactions.
    funnel : Funnel
        What was asked.
    start, cutoff : datetime.datetime
        Entries from `start` on, and everything before `cutoff` (UTC).
    by : str or None
        What the groups are.
    """

    units: Table
    log: Table
    funnel: Funnel
    start: datetime
    cutoff: datetime
    by: str | None

    @property
    def asked(self) -> FunnelQuery:
        """What writes the questions."""
        return FunnelQuery(funnel=self.funnel)

    @property
    def seen_until(self) -> int:
        """The cutoff in microseconds since 1970."""
        return moment_us(self.cutoff)

    def ungrouped(self) -> Self:
        """Take all groups as one."""
        columns = ", ".join(column for column in self.units.columns if column != "grp")
        return replace(
            self, units=view(f"select {columns}, 'all' as grp from u", u=self.units), by=None
        )


def entered(
    interactions: TableLike,
    funnel: Funnel,
    *,
    start: datetime,
    cutoff: datetime,
    by: str | TableLike | None = None,
    kept: bool = True,
) -> Entered:
    """Find who entered; see `count_funnel` for the parameters.

    Whoever asks one question only, of a long log, need not have the units `kept`.
    """
    (log,) = in_one_engine(interactions)
    asked = FunnelQuery(funnel=funnel)
    events = funnel_rows(log, asked, start=start, cutoff=cutoff)
    latest_mature = moment_us(cutoff) - asked.window - 1
    units = funnel_units(events, asked, latest_mature=latest_mature, kept=kept)
    name: str | None = None
    if isinstance(by, str):
        if by not in log.columns:
            raise MissingColumnError(
                "The groups of a funnel are what a column of interactions says, but they have no "
                f"column {by!r}, only {list(log.columns)}.{did_you_mean(by, log.columns)} Map it "
                "in tables/interactions.sql, or name another one: `compare_by` of the chapter."
            )
        # The group is read afterwards, so that all groups of a funnel share its units.
        named = funnel_rows(log, asked, start=start, cutoff=cutoff, by=by)
        units, name = _by_column(units, named, asked), by
    elif by is None:
        units = view("select u.*, 'all' as grp from u", u=units)
    else:
        named = view("select u.*, u.person as customer_id from u", u=units)
        joined, name = grouped(named, by)
        units = view(f'select u.*, u."{name}" as grp from u', u=joined)
    if kept and by is not None:
        units = keep(units)
    return Entered(units=units, log=log, funnel=funnel, start=start, cutoff=cutoff, by=name)


def funnel_units(events: Table, asked: FunnelQuery, *, latest_mature: int, kept: bool) -> Table:
    """Find how far each unit got: one row for each.

    Parameters
    ----------
    events : Table
        See `funnel_rows`.
    asked : FunnelQuery
        The funnel.
    latest_mature : int
        The last moment of an entry whose window is seen to its end, microseconds since 1970.
    kept : bool
        Whether to compute them now, for several questions.

    Returns
    -------
    Table
        `person`, `entry`, `at_1` ... the moment of each step reached, and `weight`: rows of
        weight -1 take one of 1 away, so sum it instead of counting rows.
    """
    units = _units(events, asked, latest_mature=latest_mature)
    return keep(units) if kept else units


def _units(events: Table, asked: FunnelQuery, *, latest_mature: int) -> Table:
    """Choose one attempt per unit: of those seen to their end, the one that got furthest.

    Among equals the earliest entry counts. Only where a unit has no attempt that is seen
    to its end, the others are looked at: an attempt that may still get on must not compete.
    """
    if asked.from_first_entry:
        if asked.held:
            return _ranked(events, asked, latest_mature=latest_mature)
        return _first_attempts(events, asked)
    keys = ", ".join(asked.thread)
    firsts = keep(
        view(
            f"select {keys}, min(at_us) as entry, count(*) as n from e where is_1 group by {keys}",
            e=events,
        )
    )
    most = query("select coalesce(max(n), 0) as n from f", f=firsts)["n"][0]
    asked = replace(asked, is_crowded=bool(most > MOST_ENTRIES))
    if asked.funnel.count_by == "attempt":
        return view("select *, 1 as weight from a", a=own_attempts(events, asked))
    if asked.held or asked.required[1] > 2:
        return _ranked(events, asked, latest_mature=latest_mature)
    return _furthest(events, firsts, asked, latest_mature=latest_mature)


def _first_attempts(events: Table, asked: FunnelQuery) -> Table:
    """Take the one attempt of each unit."""
    if asked.required[1] > 2:
        # An optional step that comes second is reached by some who get no further.
        paths = asked.parts() | {"paths": asked.paths()}
        return view(with_parts(paths) + "select *, 1 as weight from paths", events=events)
    parts = asked.parts() | {"deep": asked.paths("reached_2")}
    return view(with_parts(parts) + _and_the_rest("reached_1", "reached_2", asked), events=events)


def _and_the_rest(entered: str, further: str, asked: FunnelQuery) -> str:
    """Write the units that got further, and of all that entered the others.

    Most only enter. They are all who entered less those who got further, which takes no
    join: these are added where they got to, and taken away where they began.
    """
    unit = ", ".join(asked.unit)
    none = "".join(f", null as at_{n}" for n in range(2, len(asked.funnel.steps) + 1))
    only = f"select {unit}, entry, entry as at_1{none}"
    return (
        f"select *, 1 as weight from deep union all {only}, 1 from {entered} "
        f"union all {only}, -1 from {further}"
    )


def _ranked(events: Table, asked: FunnelQuery, *, latest_mature: int) -> Table:
    """Rank the attempts of each unit; with held columns they lie in several threads."""
    deeper = asked.required[:0:-1]
    order = ", ".join(
        [f"case when entry <= {latest_mature} then 0 else 1 end",
         *(f"case when at_{n} is null then 1 else 0 end" for n in deeper),
         "entry", *(f"at_{n}" for n in deeper), *asked.held]
    )  # fmt: skip
    place = f"row_number() over (partition by {', '.join(asked.unit)} order by {order})"
    parts = asked.parts() | {"paths": asked.paths()}
    ranked = view(f"{with_parts(parts)} select *, {place} as place from paths", events=events)
    return view("select *, 1 as weight from r where place = 1", r=ranked)


def _furthest(events: Table, firsts: Table, asked: FunnelQuery, *, latest_mature: int) -> Table:
    """Find the same without looking at all attempts: most never get to the second step."""
    unit, deeper, second = ", ".join(asked.unit), asked.required[:0:-1], asked.required[1]
    parts = asked.parts()
    for n in deeper:
        parts[f"first_{n}"] = f"select {unit}, min(entry) as entry from reached_{n} group by {unit}"
    fair = ", ".join(
        f"case when f.entry > {latest_mature} or f_{n}.entry <= {latest_mature} "
        f"then f_{n}.entry end"
        for n in deeper
    )
    joins = " ".join(
        f"{'join' if n == second else 'left join'} first_{n} as f_{n} on "
        + " and ".join(f"f_{n}.{key} = f.{key}" for key in asked.unit)
        for n in asked.required[1:]
    )
    listed = ", ".join(f"f.{key}" for key in asked.unit)
    parts["fair"] = (
        f"select {listed}, f.entry as first_entry, coalesce({fair}) as entry "
        f"from firsts as f {joins} where coalesce({fair}) is not null"
    )
    parts["deep"] = asked.paths("fair")
    parts["begun"] = f"select {unit}, first_entry as entry from fair"
    rest = _and_the_rest("firsts", "begun", asked)
    return view(with_parts(parts) + rest, events=events, firsts=firsts)


def _by_column(units: Table, events: Table, asked: FunnelQuery) -> Table:
    """Read the property in the row of one step of each unit's attempt."""
    funnel = asked.funnel
    names = [step.name for step in funnel.steps]
    keys = asked.thread
    if funnel.attribution == "last":
        cases = " ".join(f"when at_{n} is not null then {n}" for n in asked.required[::-1])
        step = f"case {cases} end"
    else:
        step = "1" if funnel.attribution == "first" else str(names.index(funnel.attribution) + 1)
    at = " ".join(f"when {n} then at_{n}" for n in asked.required)
    made = " or ".join(f"(u.said_by = {n} and e.is_{n})" for n in asked.required)
    same = " and ".join(f"u.{key} = e.{key}" for key in keys)
    listed = ", ".join(f"u.{column}" for column in units.columns)
    return view(
        f"""
        with asked as (
            select *, {step} as said_by, case {step} {at} end as said_at from u
        )
        select {listed}, coalesce(min(e.grp), case when u.said_at is null then '{NOT_REACHED}'
            else '{NOT_KNOWN}' end) as grp
        from asked as u
        left join e on {same} and e.at_us = u.said_at and ({made})
        group by {listed}, u.said_at
        """,
        u=units,
        e=events,
    )
