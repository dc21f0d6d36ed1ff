"""Which contacts are one session: cut by pauses, or as the log itself has them."""

from collections.abc import Collection
from datetime import datetime, timedelta

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, view
from cxlab.data.span import span_us
from cxlab.errors import MissingColumnError
from cxlab.journeys.contacts import person_of

__all__ = ["session_rows", "split_sessions"]


def split_sessions(
    interactions: TableLike,
    *,
    timeout: str = "30 minutes",
    starts: Collection[str] = (),
    ends: Collection[str] = (),
) -> Table:
    """Number the sessions of every person.

    Parameters
    ----------
    interactions : table
        With `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`.
    timeout : str
        A pause longer than this begins another session; one exactly as long does not.
    starts, ends : collection of str
        Activities with which a session always begins, or after which it is over.

    Returns
    -------
    Table
        The same rows with `person_id`, `at_us` (microseconds since 1970) and `session_no`,
        from 1 within each person; rows of nobody known have none. Kept in the engine.

    Raises
    ------
    Withheld
        If the log does not say whose its contacts are.
    ParameterError
        If the timeout cannot be read.

    Notes
    -----
    Contacts at the same moment follow each other by `interaction_id`, or by activity where
    there is none.

    Examples
    --------
    >>> from cxlab.data.engine import query
    >>> log = pd.DataFrame({
    ...     "customer_id": ["a", "a", "a"], "activity": ["look", "look", "buy"],
    ...     "occurred_at": pd.to_datetime(["2018-01-01 10:00", "2018-01-01 10:30",
    ...                                    "2018-01-01 11:01"])})
    >>> rows = split_sessions(log, timeout="30 minutes")
    >>> query("select session_no from s order by occurred_at", s=rows)["session_no"].tolist()
    [1, 1, 2]
    """
    (log,) = in_one_engine(interactions)
    log.need("occurred_at", "activity")
    tie = "interaction_id" if "interaction_id" in log.columns else "activity"
    begins = f"at_us - at_before > {span_us(timeout)}"
    if starts:
        begins += " or is_start = 1"
    if ends:
        begins += " or end_before = 1"
    listed = {
        name: pd.DataFrame({"activity": sorted(set(given))}, dtype="object")
        for name, given in (("begin_with", starts), ("end_with", ends))
        if given
    }
    joins = "".join(f" left join {n} on l.activity = {n}.activity" for n in listed)
    is_start = "case when begin_with.activity is null then 0 else 1 end" if starts else "0"
    is_end = "case when end_with.activity is null then 0 else 1 end" if ends else "0"
    order = f"partition by person_id order by at_us, {tie}"
    return view(
        f"""
        with named as (
            select l.*, {person_of(log)} as person_id, epoch_us(l.occurred_at) as at_us,
                {is_start} as is_start, {is_end} as is_end
            from log as l{joins}
        ),
        ordered as (
            select *, lag(at_us) over ({order}) as at_before,
                lag(is_end) over ({order}) as end_before
            from named
        ),
        begun as (
            select *, case when at_before is null or {begins} then 1 end as begins from ordered
        )
        select {", ".join(f'"{c}"' for c in log.columns)}, person_id, at_us,
            case when person_id is not null then count(begins) over (
                {order} rows between unbounded preceding and current row
            ) end as session_no
        from begun
        """,
        log=log,
        **listed,
    )  # fmt: skip


def session_rows(
    log: Table,
    *,
    cycle: Cycle,
    timeout: str,
    starts: Collection[str] = (),
    ends: Collection[str] = (),
    given: bool = False,
) -> Table:
    """Name the contacts of the sessions that began in a cycle, without robots; kept.

    A session is told by `person_id` and `session_no`, a number, or the log's own text where
    `given`.
    """
    human = log
    if "is_bot" in log.columns:
        human = view("select * from l where not coalesce(cast(is_bot as boolean), false)", l=log)
    # A contact before the cycle matters only if a session could reach over from it.
    reach = cycle.start - timedelta(microseconds=0 if given else span_us(timeout))
    known = view(
        "select * from l where occurred_at < $cutoff"
        + ("" if given else " and occurred_at >= $start"),
        l=human, cutoff=cycle.cutoff, **({} if given else {"start": reach}),
    )  # fmt: skip
    if given:
        if "session_id" not in log.columns:
            raise MissingColumnError(
                "Sessions as given need the column session_id, but interactions have none."
            )
        numbered = view(
            f"""
            select l.*, {person_of(known)} as person_id, epoch_us(l.occurred_at) as at_us,
                cast(l.session_id as varchar) as session_no
            from l
            """,
            l=known,
        )
    else:
        numbered = split_sessions(known, timeout=timeout, starts=starts, ends=ends)
    return keep(
        view(
            """
            with first as (
                select *, min(at_us) over (partition by person_id, session_no) as started_us
                from n where person_id is not null and session_no is not null
            )
            select * from first where started_us >= $start_us
            """,
            n=numbered,
            start_us=(cycle.start - datetime(1970, 1, 1)) // timedelta(microseconds=1),
        )
    )
