"""Which attempt counts for each person or session, and which group it belongs to."""

from cxlab.data.engine import Table, TableLike, grouped, view
from cxlab.journeys.contacts import NOT_KNOWN
from cxlab.journeys.funnel_attempts import own_attempts
from cxlab.journeys.funnel_query import FunnelQuery

__all__ = ["NOT_REACHED", "funnel_units"]

NOT_REACHED = "not reached"


def funnel_units(
    events: Table, asked: FunnelQuery, *, seen_until: int, by: str | TableLike | None
) -> tuple[Table, str | None]:
    """Find how far each unit got: one row for each.

    Parameters
    ----------
    events : Table
        See `funnel_rows`.
    asked : FunnelQuery
        The funnel.
    seen_until : int
        The cutoff in microseconds since 1970.
    by : str or table, optional
        See `count_funnel`.

    Returns
    -------
    Table
        `person`, `entry`, `at_1` ... the moment of each step reached, and `grp`.
    str or None
        What the groups are.
    """
    if asked.funnel.count_by == "attempt":
        units = own_attempts(events, asked)
    else:
        chosen = _best(asked, latest_mature=seen_until - asked.window - 1)
        last = "best" if chosen else "paths"
        units = view(f"{asked.sql(chosen)} select * from {last}", events=events)
    if by is None:
        return view("select u.*, 'all' as grp from u", u=units), None
    if isinstance(by, str):
        return _by_column(units, events, asked), by
    named = view("select u.*, u.person as customer_id from u", u=units)
    joined, name = grouped(named, by)
    return view(f'select u.*, u."{name}" as grp from u', u=joined), name


def _best(asked: FunnelQuery, *, latest_mature: int) -> dict[str, str]:
    """Choose one attempt per unit: of those seen to their end, the one that got furthest.

    Among equals the earliest entry counts. Only where a unit has no attempt that is seen
    to its end, the others are looked at: an attempt that may still get on must not compete.
    """
    if asked.from_first_entry and not asked.held:
        return {}
    unit, deeper = ", ".join(asked.unit), asked.required[:0:-1]
    if asked.held:
        order = ", ".join(
            [f"case when entry <= {latest_mature} then 0 else 1 end",
             *(f"case when at_{n} is null then 1 else 0 end" for n in deeper),
             "entry", *(f"at_{n}" for n in deeper), *asked.held]
        )  # fmt: skip
        place = f"row_number() over (partition by {unit} order by {order}) as place"
        return {
            "ranked": f"select *, {place} from paths",
            "best": "select * from ranked where place = 1",
        }
    firsts = "".join(f", min(entry) filter (where at_{n} is not null) as entry_{n}" for n in deeper)
    fair = ", ".join(
        f"case when first_entry > {latest_mature} or entry_{n} <= {latest_mature} "
        f"then entry_{n} end"
        for n in deeper
    )
    same = " and ".join(f"p.{key} = f.{key}" for key in asked.unit)
    return {
        "furthest": f"select {unit}, min(entry) as first_entry{firsts} from paths group by {unit}",
        "fair": f"select {unit}, coalesce({fair}, first_entry) as entry from furthest",
        "best": f"select p.* from fair as f join paths as p on {same} and p.entry = f.entry",
    }


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
        left join e on {same} and e.at = u.said_at and ({made})
        group by {listed}, u.said_at
        """,
        u=units,
        e=events,
    )
