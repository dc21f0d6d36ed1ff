"""Which rows of the log can be a step of a funnel, or end an attempt at it?"""

from datetime import datetime

from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, view
from cxlab.data.funnel_settings import Exclusion, Step
from cxlab.data.row_condition import row_condition
from cxlab.journeys.contacts import is_used, person_of
from cxlab.journeys.funnels.question import FunnelQuery

__all__ = ["funnel_rows"]


def funnel_rows(
    log: Table, asked: FunnelQuery, *, start: datetime, cutoff: datetime, by: str | None = None
) -> Table:
    """Name the rows that matter to a funnel, each with what it can be.

    Parameters
    ----------
    log : Table
        The interactions.
    asked : FunnelQuery
        The funnel.
    start, cutoff : datetime.datetime
        Rows from `start` on and before `cutoff` (UTC).
    by : str, optional
        A column whose value goes along as `grp`.

    Returns
    -------
    Table
        `person`, `session` and `held_0` ... where the funnel asks for them, `at_us` in
        microseconds, `is_1` ... one flag per step, and one per barrier.

    Raises
    ------
    MissingColumnError
        If the log lacks a column that the funnel needs.
    ParameterError
        If a condition names a column that is not there.
    """
    funnel = asked.funnel
    sessions = ["session_id"] if "session" in asked.unit else []
    needed = [*sessions, *funnel.hold]
    log.need("occurred_at", "activity", *needed, *([by] if by else []))
    values: dict[str, str] = {}
    flags = _flags(log, asked, values)
    keys = [
        "person_id as person",
        *(f'cast("{c}" as varchar) as {name}'
          for c, name in zip(needed, asked.thread[1:], strict=True)),
        *([f"coalesce(cast(\"{by}\" as varchar), '{NOT_KNOWN}') as grp"] if by else []),
    ]  # fmt: skip
    known = " and ".join([is_used(log), *(f'"{column}" is not null' for column in needed)])
    return view(
        f"""
        select {", ".join(keys)}, epoch_us(occurred_at) as at_us,
            {", ".join(f"{sql} as {name}" for name, sql in flags.items())}
        from (select *, {person_of(log)} as person_id from log) as l
        where occurred_at >= $start and occurred_at < $cutoff and {known}
        """,
        log=log,
        start=start,
        cutoff=cutoff,
        **values,
    )


def _flags(log: Table, asked: FunnelQuery, values: dict[str, str]) -> dict[str, str]:
    """Write what makes a row a step or a barrier; activities go into `values`."""
    funnel = asked.funnel
    flags = {
        f"is_{n}": _meant(step, log, f"step_{n}", f"step {step.name!r}", values)
        for n, step in enumerate(funnel.steps, 1)
    }
    for i, out in enumerate(funnel.exclude):
        flags[f"ends_{i}"] = _meant(out, log, f"out_{i}", f"exclusion {i + 1}", values)
    if funnel.order == "strict":
        for a, b in asked.gaps:
            # What repeats the step, or makes an optional one before the next, does not stray.
            near = [f"coalesce({flags[f'is_{n}']}, false)" for n in range(a, b)]
            flags[f"strays_{a}"] = f"not ({' or '.join(near)})"
    return flags


def _meant(
    meant: Step | Exclusion, log: Table, name: str, where: str, values: dict[str, str]
) -> str:
    conditions = []
    if meant.activity:
        names = [f"{name}_{i}" for i in range(len(meant.activity))]
        values |= dict(zip(names, meant.activity, strict=True))
        listed = ", ".join(f"${n}" for n in names)
        conditions.append(f"activity in ({listed})" if len(names) > 1 else f"activity = {listed}")
    if meant.where is not None:
        conditions.append(
            row_condition(meant.where, where=where, columns=log.columns, of="interactions")
        )
    return f"({' and '.join(conditions)})"
