"""How long each subscription was seen, counted by week: all that curves and tests of them need."""

import math
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.churn.spells import spells
from cxlab.columns import ALL_OTHERS
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, keep, query, repeated, view
from cxlab.data.span import moment_us
from cxlab.report import words
from cxlab.stats.clusters import ClusterSums, design_effect
from cxlab.stats.survival import SurvivalCurve, product_limit

__all__ = [
    "FEWEST",
    "WEEK",
    "Seen",
    "as_if",
    "begin_of",
    "cells_of",
    "counted",
    "curve_of",
    "effect_of",
    "gathered",
    "gathered_cells",
    "lengths",
    "people_of",
    "seen",
    "watched",
    "watched_days",
]

FEWEST = 10  # endings, below which there is no curve
WEEK = 7
_GROUPS = 4  # so many lines can be told apart
_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """Counts by week of life, a row each: under observation in (entry, week]."""

    week: _Floats
    ended: _Floats
    open: _Floats
    entry: _Floats


def begin_of(cycle: Cycle, complete_from: date | None) -> datetime:
    """From when on subscriptions are under observation (UTC); the earliest moment if always."""
    # Days are local: the cycle knows when one begins in UTC.
    return replace(cycle, first_day=complete_from).start if complete_from else datetime(1, 1, 1)


def watched_days(cycle: Cycle, complete_from: date | None) -> float:
    """How many days subscriptions were under observation; without an end if always."""
    if complete_from is None:
        return math.inf
    return float((cycle.cutoff - begin_of(cycle, complete_from)).days)


def as_if(watched: float) -> str:
    """Say what a curve that reaches further than anybody was watched supposes."""
    return f"If each age left as it did in the {words.number(watched)} days of the records, "


def lengths(subscriptions: TableLike, cycle: Cycle, complete_from: date | None) -> Table:
    """Add the week of its life in which each was first and last seen, and whether it ended.

    Each is as it was known at the end of the cycle (see `spells`).

    `person` is the customer where they have several subscriptions, and missing where this is
    their only one: those can be counted without asking who they are. There is no such column
    where nobody has several.
    """
    held = spells(subscriptions, cutoff=cycle.cutoff)
    several = repeated(held, "customer_id")
    person, join = "", ""
    if int(query("select count(*) as n from s", s=several)["n"][0]):
        person = ", s.customer_id as person"
        join = "left join s on h.customer_id = s.customer_id"
    week = WEEK * 86_400_000_000
    since = "epoch_us({0}) - epoch_us(started_at)"
    first_week, seen, moments = "0", "", {}
    if complete_from is not None:
        begin = begin_of(cycle, complete_from)
        first_week = f"""case when started_at < $begin
            then cast(floor(($begin_us - epoch_us(started_at)) / {week}) as bigint) else 0 end"""
        seen = "where ended_at is null or ended_at >= $begin"
        moments = {"begin": begin, "begin_us": moment_us(begin)}
    return view(
        f"""
        select h.*{person}, case when ended_at is null then 0 else 1 end as is_over,
            cast(floor(coalesce({since.format("ended_at")},
                $cutoff_us - epoch_us(started_at)) / {week}) as bigint) + 1 as last_week,
            {first_week} as first_week
        from h {join} {seen}
        """,
        h=held,
        **({"s": several} if join else {}),
        **moments,
        cutoff_us=moment_us(cycle.cutoff),
    )


def cells_of(held: Table, group: str, *more: str) -> Table:
    """Count by group, weeks first and last seen, and end, apart for those who have several.

    The rows of one customer who has several subscriptions bear their name in `person`; all
    others share rows. Sums over subscriptions and over customers both follow from these few.
    """
    has_several = "person" in held.columns
    columns = ", ".join(["first_week", "last_week", "is_over", *more, *["person"] * has_several])
    nobody = "" if has_several else "cast(null as varchar) as person, "
    by = columns if group == "'all'" else f"{group}, {columns}"
    return keep(
        view(
            f"select {group} as grp, {nobody}{columns}, count(*) as n from h group by {by}", h=held
        )
    )


def gathered_cells(held: Table, name: str, *more: str) -> tuple[Table, list[str]]:
    """Count as `cells_of` does, by the largest groups and all others together."""
    cells = cells_of(held, f'h."{name}"', *more)
    names, shown, own = _largest(cells, "c.grp")
    rest = ", ".join(f"c.{column}" for column in cells.columns if column != "grp")
    return view(f"select {shown} as grp, {rest} from c", c=cells, **own), names


def counted(cells: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count beginnings and ends of watching by week of life, and sum over customers."""
    weeks = query(
        """
        select grp, week, sum(began) as began, sum(ended) as ended, sum(open) as open from (
            select grp, first_week as week, n as began, 0 as ended, 0 as open from c
            union all
            select grp, last_week, 0, n * is_over, n * (1 - is_over) from c
        ) as w group by grp, week order by grp, week
        """,
        c=cells,
    )
    return weeks, people_of(cells)


def people_of(cells: Table) -> pd.DataFrame:
    """Sum over customers, by group: what errors need where they have several subscriptions."""
    return query(
        """
        select grp, sum(people) as people, sum(n) as n, sum(n_n) as n_n, sum(total) as total,
            sum(n_total) as n_total, sum(total_total) as total_total, sum(late) as late,
            sum(leavers) as leavers
        from (
            select grp, n as people, n, n as n_n, n * is_over as total, n * is_over as n_total,
                n * is_over as total_total, case when first_week > 0 then n else 0 end as late,
                n * is_over as leavers
            from c where person is null
            union all
            select grp, 1, n, n * n, y, n * y, y * y, late, case when y > 0 then 1 else 0 end
            from (
                select grp, person, sum(n) as n, sum(n * is_over) as y,
                    sum(case when first_week > 0 then n else 0 end) as late
                from c where person is not null group by grp, person
            ) as p
        ) as e group by grp order by grp
        """,
        c=cells,
    )


def gathered(held: Table, name: str) -> tuple[Table, list[str]]:
    """Name the largest groups in a column `shown`, and all others together."""
    names, shown, own = _largest(cells_of(held, f'h."{name}"'), f'h."{name}"')
    return view(f"select h.*, {shown} as shown from h", h=held, **own), names


def _largest(cells: Table, column: str) -> tuple[list[str], str, dict[str, str]]:
    """Choose the largest groups; their names, and how SQL tells a row's, with its values."""
    sizes = query(
        "select grp, sum(n) as n from c group by grp order by n desc, grp", c=cells
    )["grp"].tolist()  # fmt: skip
    own = sizes if len(sizes) <= _GROUPS else sizes[: _GROUPS - 1]
    values = {f"own_{i}": group for i, group in enumerate(own)}
    listed = ", ".join(f"${key}" for key in values)
    shown = f"case when {column} in ({listed}) then {column} else '{ALL_OTHERS}' end"
    return [*own, *([ALL_OTHERS] if len(own) < len(sizes) else [])], shown, values


def effect_of(people: Any) -> float:
    """How many times the variance is that of strangers, where customers have several."""
    sums = ClusterSums(
        customers=float(people["people"]),
        **{k: float(people[k]) for k in ("n", "n_n", "total", "n_total", "total_total")},
    )
    return design_effect(sums)


def seen(counts: pd.DataFrame) -> Seen:
    """Give from counts of beginnings and ends, by week, rows that curves and tests take.

    Only how many were watched in each week matters, not who: the first to come are taken for
    the first to go, so that each pair begins before it ends, as it did.
    """
    weeks, came, ended, open_ = (
        counts[column].to_numpy(float) for column in ("week", "began", "ended", "open")
    )
    begun, gone = np.cumsum(came), np.cumsum(ended + open_)
    marks = np.unique(np.r_[0.0, begun, gone])
    first, last = (np.searchsorted(upto, marks[:-1], side="right") for upto in (begun, gone))
    part = np.diff(marks) / (ended + open_)[last]
    return Seen(weeks[last], ended[last] * part, open_[last] * part, weeks[first])


def curve_of(counts: pd.DataFrame, people: Any) -> SurvivalCurve:
    """Estimate the curve from how many came under observation, ended and went on by week."""
    rows, effect = seen(counts), effect_of(people)
    if not rows.entry.any():
        return product_limit(rows.week, rows.ended, rows.open, design_effect=effect)
    return product_limit(
        rows.week, rows.ended, rows.open, entry=rows.entry, design_effect=effect
    )  # fmt: skip


def watched(curve: SurvivalCurve) -> int:
    """Time until which ten were watched, or all had ended; 0 where it never was."""
    enough = curve.time[curve.at_risk >= FEWEST]
    return int(enough[-1]) if len(enough) else 0
