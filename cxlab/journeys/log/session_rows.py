"""Which contacts are one session: cut by pauses, or as the log itself has them."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, view
from cxlab.data.span import moment_us, span_us
from cxlab.errors import MissingColumnError
from cxlab.journeys.contacts import person_of

__all__ = ["session_rows", "split_sessions"]

_IS_BOT = "coalesce(cast(is_bot as boolean), false)"
_USED = (
    "interaction_id", "activity", "channel", "outcome", "object_type", "object_id", "duration_s",
)  # fmt: skip


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
    cut = _cut(log, log.columns, timeout=timeout, starts=starts, ends=ends)
    return cut[[*log.columns, "person_id", "at_us", "session_no"]]


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
    `given`; `contact_no` numbers the contacts of a person in their order.
    """
    log.need("occurred_at", "activity")
    # Sorting is what takes time, so nothing is carried along that nobody asks for.
    columns = [c for c in _USED if c in log.columns]
    human = f"not {_IS_BOT}" if "is_bot" in log.columns else "true"
    # A contact before the cycle matters only if a session could reach over from it.
    reach = timedelta(days=36_500) if given else timedelta(microseconds=span_us(timeout))
    known = view(
        f"select * from l where {human} and occurred_at < $cutoff and occurred_at >= $since",
        l=log,
        cutoff=cycle.cutoff,
        since=cycle.start - reach,
    )
    if given:
        if "session_id" not in log.columns:
            raise MissingColumnError(
                "Sessions as given need the column session_id, but interactions have none."
            )
        cut = _as_given(known, columns)
    else:
        cut = _cut(known, columns, timeout=timeout, starts=starts, ends=ends)
    return keep(
        view(
            "select * from n where person_id is not null and session_no is not null "
            "and started_us >= $start_us",
            n=cut,
            start_us=moment_us(cycle.start),
        )
    )


def _cut(
    log: Table,
    columns: Sequence[str],
    *,
    timeout: str,
    starts: Collection[str] = (),
    ends: Collection[str] = (),
) -> Table:
    """Number sessions by pauses, and say when each began: the columns and `started_us`."""
    log.need("occurred_at", "activity")
    tie = "interaction_id" if "interaction_id" in log.columns else "activity"
    begins = f"at_us - at_before > {span_us(timeout)}"
    if starts:
        begins += " or is_start = 1"
    if ends:
        begins += " or end_before = 1"
    listed = {
        name: pd.DataFrame({"activity": sorted(set(named))}, dtype="object")
        for name, named in (("begin_with", starts), ("end_with", ends))
        if named
    }
    joins = "".join(f" left join {n} on l.activity = {n}.activity" for n in listed)
    is_start = "case when begin_with.activity is null then 0 else 1 end" if starts else "0"
    is_end = "case when end_with.activity is null then 0 else 1 end" if ends else "0"
    own = ", ".join(f'"{c}"' for c in columns)
    carried = ", ".join(f'l."{c}"' for c in dict.fromkeys([*columns, tie]))
    order = f"partition by person_id order by at_us, {tie}"
    so_far = (
        "partition by person_id order by contact_no "
        "rows between unbounded preceding and current row"
    )
    return view(
        f"""
        with named as (
            select {carried}, {person_of(log)} as person_id, epoch_us(l.occurred_at) as at_us,
                {is_start} as is_start, {is_end} as is_end
            from log as l{joins}
        ),
        ordered as (
            select *, lag(at_us) over ({order}) as at_before,
                lag(is_end) over ({order}) as end_before, row_number() over ({order}) as contact_no
            from named
        ),
        begun as (
            select *, case when at_before is null or {begins} then at_us end as begins_us
            from ordered
        )
        select {own}, person_id, at_us, contact_no,
            case when person_id is not null then count(begins_us) over ({so_far}) end
                as session_no,
            max(begins_us) over ({so_far}) as started_us
        from begun
        """,
        log=log,
        **listed,
    )


def _as_given(log: Table, columns: Sequence[str]) -> Table:
    """Take the log's own sessions, apart for each person: the same columns as `_cut`."""
    own = ", ".join(f'"{c}"' for c in columns)
    tie = "interaction_id" if "interaction_id" in log.columns else "activity"
    return view(
        f"""
        select {own}, person_id, at_us, session_no,
            row_number() over (partition by person_id order by at_us, {tie}) as contact_no,
            min(at_us) over (partition by person_id, session_no) as started_us
        from (
            select l.*, {person_of(log)} as person_id, epoch_us(l.occurred_at) as at_us,
                cast(l.session_id as varchar) as session_no
            from log as l
        ) as n
        """,
        log=log,
    )
