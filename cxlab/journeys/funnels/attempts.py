"""Which entries begin an attempt of their own, and which fall into one still running?

Each attempt says where the next one of its thread would begin. To walk from the first to
the last without as many questions as there are attempts, every round doubles the steps
that are taken at once (pointer jumping).
"""

from cxlab.data.engine import Table, keep, query, view
from cxlab.journeys.funnels.question import FunnelQuery, with_parts

__all__ = ["own_attempts"]


def own_attempts(events: Table, asked: FunnelQuery) -> Table:
    """Keep the attempts that begin while no earlier one of their thread runs.

    Parameters
    ----------
    events : Table
        See `funnel_rows`.
    asked : FunnelQuery
        A funnel that counts attempts.

    Returns
    -------
    Table
        One row per attempt, as in the part `paths`.

    Notes
    -----
    An attempt runs until its last step, or until its time for the next step is over. One
    that an exclusion ends, or a stray row in strict order, ends a microsecond before it: at
    that very moment another may begin.
    """
    paths = keep(view(_numbered(asked), events=events))
    links = keep(view(_links(asked), paths=paths))
    keys = ", ".join(asked.thread)
    begun = keep(view(f"select min(attempt) as attempt from paths group by {keys}", paths=paths))
    while True:
        more = view(
            "select n.next as attempt from b join n on b.attempt = n.attempt", b=begun, n=links
        )
        every = keep(view("select attempt from b union select attempt from m", b=begun, m=more))
        if _rows(every) == _rows(begun):
            break
        begun = every
        links = keep(
            view(
                "select one.attempt, other.next from n as one join n as other "
                "on one.next = other.attempt",
                n=links,
            )
        )
    return view("select p.* from p join b on p.attempt = b.attempt", p=paths, b=begun)


def _numbered(asked: FunnelQuery) -> str:
    """Write the attempts at all entries, numbered by thread and time, with their ends."""
    keys = ", ".join(f"a.{key}" for key in asked.thread)
    parts = asked.parts() | {"paths": asked.paths()}
    ends = [f"case when at_{asked.required[-1]} is not null then {asked.done} end"]
    ends += [f"s_{step}.over_at" for step in asked.required[:0:-1]]
    joins = " ".join(
        f"left join sought_{n} as s_{n} on "
        + " and ".join(f"s_{n}.{key} = a.{key}" for key in [*asked.thread, "entry"])
        for n in asked.required[1:]
    )
    return (
        f"{with_parts(parts)} select a.*, coalesce({', '.join(ends)}) as over_at, "
        f"row_number() over (order by {keys}, a.entry) as attempt from paths as a {joins}"
    )


def _links(asked: FunnelQuery) -> str:
    """Write, for each attempt, the first one of its thread that begins after its end."""
    keys = ", ".join(asked.thread)
    return (
        f"select attempt, next from (select attempt, min(starts) over (partition by {keys} "
        "order by at_us range between current row and unbounded following) as next from ("
        f"select {keys}, over_at + 1 as at_us, attempt, cast(null as bigint) as starts from paths "
        f"union all select {keys}, entry, null, attempt from paths) as u) as w "
        "where attempt is not null and next is not null"
    )


def _rows(table: Table) -> int:
    return int(query("select count(*) as n from t", t=table)["n"][0])
