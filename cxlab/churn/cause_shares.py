"""How many had left of each cause by so many weeks, and how many still ran?"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.churn.lengths import FEWEST, WEEK, effect_of, people_of, seen
from cxlab.churn.spells import CAUSES
from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, query
from cxlab.report.finding import interval_row
from cxlab.stats.survival import Incidence, cumulative_incidence, product_limit

__all__ = [
    "SHARE", "STILL_RUNNING", "apart", "by_cause", "curve_rows", "incidence", "rows_at",
]  # fmt: skip

STILL_RUNNING = "still running"
SHARE = "churn.cause_share"


def by_cause(cells: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count by group and week what began, was last seen running, and ended of each cause."""
    long = query(
        """
        select grp, week, kind, sum(n) as n from (
            select grp, first_week as week, 'began' as kind, n from c
            union all
            select grp, last_week, coalesce(cause, 'open'), n from c
        ) as w group by grp, week, kind order by grp, week, kind
        """,
        c=cells,
    )
    table = long.pivot_table(index=["grp", "week"], columns="kind", values="n", fill_value=0)
    table = table.astype(float).reset_index()
    for column in ("began", "open"):
        if column not in table:
            table[column] = 0.0
    causes = [c for c in (*CAUSES, NOT_KNOWN) if c in table]
    return table.assign(ended=table[causes].sum(axis=1)), people_of(cells).set_index("grp")


def incidence(counts: pd.DataFrame, causes: list[str], effect: float) -> tuple[Incidence, Any]:
    """Share that left of each cause, and that stays, with late entry."""
    rows = seen(counts)
    at = np.searchsorted(counts["week"].to_numpy(float), rows.week)
    total = counts["ended"].to_numpy(float)[at]
    part = np.divide(rows.ended, total, out=np.zeros_like(total), where=total > 0)
    events = {cause: counts[cause].to_numpy(float)[at] * part for cause in causes}
    late: dict[str, Any] = {"entry": rows.entry} if rows.entry.any() else {}
    left = cumulative_incidence(rows.week, events, rows.open, design_effect=effect, **late)
    return left, product_limit(rows.week, rows.ended, rows.open, design_effect=effect, **late)


def curve_rows(counts: pd.DataFrame, causes: list[str], people: Any) -> list[dict[str, Any]]:
    """Rows at the times between which enough left of every cause."""
    left, stays = incidence(counts, causes, effect_of(people))
    per_end = float(people["leavers"]) / float(people["total"])
    had = np.floor(np.cumsum(left.events, axis=0) * per_end)
    weeks = np.r_[np.arange(4, 53, 4), np.arange(65, max(left.time[-1], 65) + 13, 13)]
    weeks = weeks[weeks <= left.time[-1]]
    by_then = np.vstack([np.zeros(len(causes)), had])[
        np.searchsorted(left.time, weeks, side="right")
    ]
    rows = []
    for week in weeks[apart(by_then, FEWEST)]:
        rows += rows_at(left, stays, float(week), people)
    if not rows:  # one cause is rare: one time, so that it can at least be told or withheld
        rows = rows_at(left, stays, float(left.time[-1]), people)
    return rows


def rows_at(left: Incidence, stays: Any, week: float, people: Any) -> list[dict[str, Any]]:
    """Rows of each cause and of what still runs, at one time; they add up to one."""
    per_end = float(people["leavers"]) / float(people["total"])
    until = left.events[left.time <= week].sum(axis=0)
    rows = []
    for at, cause in enumerate(left.causes):
        found = replace(left.share_at(cause, week), n=float(people["n"]))
        rows.append(_row(cause, found, week, count=math.floor(until[at] * per_end)))
    found = replace(stays.share_at(week), n=float(people["n"]))
    still = float(people["people"]) - math.floor(until.sum() * per_end)
    return [*rows, _row(STILL_RUNNING, found, week, count=still)]


def _row(cause: str, found: Any, week: float, *, count: float) -> dict[str, Any]:
    row = interval_row(SHARE, found, unit="share", count=count, cause=cause, after_days=WEEK * week)
    if math.isfinite(found.low) and math.isfinite(found.high):
        return row
    return row | {"estimate": math.nan, "conf_low": math.nan, "conf_high": math.nan,
                  "suppressed": True}  # fmt: skip


def apart(counts: Any, least: float) -> Any:
    """Choose times by which so many more of every cause had left since the last one chosen."""
    chosen, last = np.zeros(len(counts), dtype=bool), np.zeros(np.shape(counts)[1])
    for at, row in enumerate(counts):
        if (row - last >= least).all():
            chosen[at], last = True, row
    return chosen
