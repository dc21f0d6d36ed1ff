"""How many get how far in a funnel, and how soon: counts, and nothing else leaves the engine.

One pass over the log says of each person, session or attempt how far it got; what comes
back are two small frames that rates, intervals and curves are made of.
"""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.data.funnel_settings import Funnel
from cxlab.errors import Withheld
from cxlab.journeys.contacts import contacts_left_out
from cxlab.journeys.funnels.question import FunnelQuery
from cxlab.journeys.funnels.units import Entered, entered

__all__ = ["FunnelCounts", "count_funnel", "counted", "shared_counts"]

_SECOND = 1_000_000
# Lengths of time that people count in, seconds.
_UNITS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    86_400, 172_800, 604_800, 1_209_600, 2_419_200, 7_257_600, 14_515_200,
)  # fmt: skip
_MOST_UNITS = 300
_MOST_ROWS = 100_000  # of durations: groups times units


@dataclass(frozen=True, kw_only=True, eq=False)
class FunnelCounts:
    """How many got how far, and how soon.

    Attributes
    ----------
    reached : pandas.DataFrame
        `group` if asked for, `step` (from 1), `is_mature` (the window of the entry is seen
        to its end), `n` who reached it, `persons` these are, and for clusters of persons,
        with E entries and y arrivals of one person: `n_n` (sum of E squared), `n_total`
        (of E times y), `total_total` (of y squared) and `before_total` (of y times the
        arrivals at the required step before).
    durations : pandas.DataFrame
        `group` if asked for, `span_units` (whole units of `unit_us`), `is_converted`, `n`:
        time from entry to the last step, or as far as it is seen. All who entered.
    funnel : Funnel
        What was asked.
    start, cutoff : datetime.datetime
        Entries from `start` on, and everything before `cutoff` (UTC).
    by : str or None
        What the groups are.
    unit_us : int
        Length of one unit of `span_units`, microseconds.
    left_out : dict of str to int
        Rows that are not used, by reason.
    """

    reached: pd.DataFrame
    durations: pd.DataFrame
    funnel: Funnel
    start: datetime
    cutoff: datetime
    by: str | None
    unit_us: int
    left_out: dict[str, int]


def count_funnel(
    interactions: TableLike,
    funnel: Funnel,
    *,
    start: datetime,
    cutoff: datetime,
    by: str | TableLike | None = None,
) -> FunnelCounts:
    """Count who reached each step of a funnel, and how soon.

    Parameters
    ----------
    interactions : table
        `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and the columns
        that the funnel names.
    funnel : Funnel
        Steps, window and options; docs/funnels.md says what each means.
    start, cutoff : datetime.datetime
        Entries from `start` on; nothing from `cutoff` on is seen (UTC).
    by : str or table, optional
        A column of interactions, read at the step that `funnel.attribution` names, or a
        table of `customer_id` and one more column.

    Returns
    -------
    FunnelCounts
        Two small frames.

    Raises
    ------
    MissingColumnError
        If the log lacks a column that the funnel needs.
    Withheld
        If nobody entered the funnel.

    Examples
    --------
    >>> log = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"], "activity": ["look", "buy", "look"],
    ...     "occurred_at": pd.to_datetime(["2018-01-01", "2018-01-02", "2018-01-02"]),
    ... })
    >>> found = count_funnel(log, Funnel(steps=["look", "buy"], window="7 days"),
    ...                      start=datetime(2018, 1, 1), cutoff=datetime(2018, 4, 1))
    >>> found.reached[["step", "is_mature", "n"]]
       step  is_mature  n
    0     1       True  2
    1     2       True  1
    """
    asked_once = entered(interactions, funnel, start=start, cutoff=cutoff, by=by, kept=False)
    return counted(asked_once)


def shared_counts(
    interactions: TableLike,
    funnel: Funnel,
    *,
    start: datetime,
    cutoff: datetime,
    by: str | TableLike | None = None,
) -> FunnelCounts:
    """Count the same where other parts of a chapter look at the same entries; they share them."""
    return counted(entered(interactions, funnel, start=start, cutoff=cutoff, by=by))


def counted(found: Entered) -> FunnelCounts:
    """Count those who entered by how far they got, and how soon; see `count_funnel`."""
    asked = found.asked
    unit_us = _unit(asked.window)
    kept = keep(_measured(found.units, asked, seen_until=found.seen_until, unit_us=unit_us))
    reached = _reached(kept, asked)
    if reached.empty:
        raise Withheld(
            f"Nobody entered the funnel: no used contact between {found.start:%Y-%m-%d} and "
            f"{found.cutoff:%Y-%m-%d} is a {found.funnel.steps[0].name!r}."
        )
    durations = query(
        "select grp, span_units, is_converted, sum(n) as n from u "
        "group by grp, span_units, is_converted order by grp, span_units, is_converted",
        u=kept,
        limit=_MOST_ROWS,
    )
    durations["is_converted"] = durations["is_converted"].astype(bool)
    return FunnelCounts(
        reached=_with_group(reached, by=found.by),
        durations=_with_group(durations, by=found.by),
        funnel=found.funnel,
        start=found.start,
        cutoff=found.cutoff,
        by=found.by,
        unit_us=unit_us,
        left_out=contacts_left_out(found.log, start=found.start, cutoff=found.cutoff),
    )


def _unit(window: int) -> int:
    """Choose the shortest length that people count in, of which the window has few."""
    fits = (s * _SECOND for s in _UNITS if s * _SECOND * _MOST_UNITS >= window)
    return next(fits)


def _measured(units: Table, asked: FunnelQuery, *, seen_until: int, unit_us: int) -> Table:
    """Reduce each unit to flags and a whole number of time, and count those alike."""
    steps = range(1, len(asked.funnel.steps) + 1)
    got = ", ".join(f"case when at_{n} is null then 0 else 1 end as got_{n}" for n in steps)
    persons = "" if asked.funnel.count_by == "person" else "person, "
    keys = (
        f"{persons}grp, is_mature, is_converted, span_units, {', '.join(f'got_{n}' for n in steps)}"
    )
    return view(
        f"""
        select {keys}, sum(weight) as n
        from (
            select {persons}grp, weight, {got},
                case when entry + {asked.window} < $seen_until then 1 else 0 end as is_mature,
                case when at_{steps[-1]} is null then 0 else 1 end as is_converted,
                cast(floor((case when at_{steps[-1]} is not null then {asked.done} - entry
                    else least({asked.window}, $seen_until - entry) end) / {unit_us}) as bigint)
                    as span_units
            from u
        ) as d
        group by {keys} having sum(weight) <> 0
        """,
        u=units,
        seen_until=seen_until,
    )


def _reached(kept: Table, asked: FunnelQuery) -> pd.DataFrame:
    """Add up arrivals over persons: one row per group and maturity, then one per step."""
    steps = range(1, len(asked.funnel.steps) + 1)
    before = {n: max((r for r in asked.required if r < n), default=1) for n in steps}
    if asked.funnel.count_by == "person":
        sums = "".join(f", got_{n} as y_{n}" for n in steps)
        each = f"select grp, is_mature, n as weight, 1 as e{sums} from u"
    else:
        sums = "".join(f", sum(got_{n} * n) as y_{n}" for n in steps)
        each = (
            f"select grp, is_mature, 1 as weight, sum(n) as e{sums} from u "
            "group by person, grp, is_mature"
        )
    columns = "".join(
        f", sum(weight * y_{n}) as n_{n}"
        f", sum(case when y_{n} > 0 then weight else 0 end) as persons_{n}"
        f", sum(weight * e * y_{n}) as n_total_{n}, sum(weight * y_{n} * y_{n}) as total_total_{n}"
        f", sum(weight * y_{before[n]} * y_{n}) as before_total_{n}"
        for n in steps
    )
    wide = query(
        f"select grp, is_mature, sum(weight * e * e) as n_n{columns} from ({each}) as d "
        "group by grp, is_mature order by grp, is_mature",
        u=kept,
    )
    names = ["n", "persons", "n_total", "total_total", "before_total"]
    found = pd.concat(
        wide[["grp", "is_mature", "n_n"]].assign(
            step=n, **{name: wide[f"{name}_{n}"] for name in names}
        )
        for n in steps
    )
    order = ["grp", "step", "is_mature"]
    found = found.sort_values(order, kind="stable", ignore_index=True)
    found["is_mature"] = found["is_mature"].astype(bool)
    return found[[*order, "n", "persons", "n_n", *names[2:]]]


def _with_group(found: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    return found.drop(columns="grp") if by is None else found.rename(columns={"grp": "group"})
