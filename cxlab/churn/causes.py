"""How many leave of their own will, how many without it, and by when?"""

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cxlab.churn.lengths import (
    FEWEST,
    WEEK,
    cells_of,
    effect_of,
    gathered_cells,
    lengths,
    people_of,
    seen,
)
from cxlab.churn.spells import CAUSES, spells
from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, query, view
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy, blank
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival import (
    Incidence,
    compare_incidence,
    cumulative_incidence,
    product_limit,
)

__all__ = ["STILL_RUNNING", "LeavingCauses", "leaving_causes"]

STILL_RUNNING = "still running"
_SHARE, _TEST = "churn.cause_share", "churn.p_cause"
_YEAR = 365
_SAID = {
    "voluntary": "by the customer's will",
    "involuntary": "without it",
    NOT_KNOWN: "for a reason not recorded",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class LeavingCauses(Result):
    """Share of subscriptions that ended of each cause by so long, and that still run.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    by : str or None
        What the groups are.
    """

    cycle: str
    by: str | None

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and times between which too few left of any cause."""
        safe, least = super().protect(rules), Policy.of(rules).min_cell
        rows = self._shares()
        counts = rows[rows["cause"] != STILL_RUNNING].pivot_table(
            index="after_days", columns="cause", values="count"
        )
        close = counts.index[~_apart(counts.to_numpy(float), least)]
        hidden = rows.index[rows["after_days"].isin(close)]
        flags = safe.estimates["suppressed"].astype(bool) | self.estimates.index.isin(hidden)
        return replace(safe, estimates=blank(safe.estimates, flags.to_numpy()))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how many had left of each cause, by time since the beginning."""
        rows = self._shares()
        rows = rows[rows["cause"] != STILL_RUNNING]
        shown = rows[~rows["suppressed"].astype(bool)]
        lines = shown if len(shown) else rows
        names = ["after_days", "estimate", "conf_low", "conf_high"]
        start = pd.DataFrame([[0.0] * 4], columns=names)
        frame = pd.concat(
            [
                pd.concat([start, lot[names].astype(float)]).assign(cause=cause)
                for cause, lot in lines.groupby("cause", sort=False)
            ],
            ignore_index=True,
        )
        frame["months"] = frame["after_days"] * 12 / _YEAR
        return charts.curve(
            frame, x="months", unit="share", low="conf_low", high="conf_high", group="cause",
            zero=True, axis="Share that had ended, %", name="Months since the beginning", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many had left of each cause after a year, and whether that differs by group."""
        rows = self._shares()
        known = rows[~rows["suppressed"].astype(bool)]
        if known.empty:
            return f"Too few subscriptions have ended of each cause by {self.cycle} to tell."
        days = known["after_days"].unique()
        early = days[days <= max(_YEAR, days.min())].max()
        at = known[known["after_days"] == early].set_index("cause")
        parts = [
            f"{words.value(at.loc[cause, 'estimate'], 'share')} {said} "
            f"({words.interval(at.loc[cause, 'conf_low'], at.loc[cause, 'conf_high'], 'share')})"
            for cause, said in _SAID.items()
            if cause in at.index
        ]
        months = words.plural(round(early * 12 / _YEAR), "month")
        return f"After {months} subscriptions have ended {words.listing(parts)}.{self._groups()}"

    def _groups(self) -> str:
        tests = self.estimates[self.estimates["metric"] == _TEST]
        tests = tests[~tests["suppressed"].astype(bool)]
        if self.by is None or tests.empty:
            return ""
        clear = tests[tests["estimate"] <= 1 - self.level]["cause"].tolist()
        if not clear:
            return f" Neither clearly differs by {self.by}."
        kinds = words.listing([f"{cause} leaving" for cause in clear])
        return f" By {self.by}, {kinds} differ{'s' if len(clear) == 1 else ''}."

    def _shares(self) -> pd.DataFrame:
        """Rows of all subscriptions together."""
        rows = self.estimates[self.estimates["metric"] == _SHARE]
        return rows[rows[self.by].isna()] if self.by else rows


def leaving_causes(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike | None = None,
    horizon_days: int = 364,
    complete_from: date | None = None,
) -> LeavingCauses:
    """Estimate how many subscriptions end of whose will, by time since their beginning.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`, `end_kind`.
    cycle : Cycle
        All subscriptions that had begun by its end, as known then.
    by : str or table, optional
        Groups, as for `retention`: their shares at the horizon, and a test of each cause.
    horizon_days : int
        When groups are compared, in whole weeks; earlier where not all were seen for so long.
    complete_from : datetime.date, optional
        First day of the records, as for `retention`.

    Returns
    -------
    LeavingCauses
        `churn.cause_share` by `cause` and `after_days`, which with the share that is still
        running adds up to one; with groups `churn.p_cause` by cause.

    Raises
    ------
    Withheld
        If no cause is recorded, or fewer than ten subscriptions have ended.

    Notes
    -----
    Aalen-Johansen over whole weeks, Aalen's variance, log-log intervals: whoever leaves for one
    cause can no longer leave for the other, and is not taken for still running. Tests are
    Gray's, adjusted by Holm for the causes. They take those alone whose whole life is in the
    records: his test knows no late entry. With several subscriptions a customer, errors carry
    the design effect of the share that ended, and chi-squared is divided by the largest one.

    References
    ----------
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5, 141-150; Gray (1988), Annals
    of Statistics 16, 1141-1154.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(80), "customer_id": [f"c{i}" for i in range(80)],
    ...     "started_at": pd.Timestamp("2017-01-01"),
    ...     "end_kind": ["voluntary"] * 20 + ["involuntary"] * 10 + [None] * 50,
    ...     "ended_at": [pd.Timestamp("2017-07-01")] * 30 + [pd.NaT] * 50})
    >>> leaving_causes(held, cycle=parse_cycle("2018Q1")).sentence()[:62]
    "After 6 months subscriptions have ended 25.0% by the customer'"
    """
    held = lengths(spells(subscriptions, cutoff=cycle.cutoff), cycle, complete_from)
    counts, people = _by_cause(cells_of(held, "'all'", "cause"))
    causes = [c for c in (*CAUSES, NOT_KNOWN) if c in counts.columns]
    ended = {cause: float(counts[cause].sum()) for cause in causes}
    if sum(ended.values()) < FEWEST:
        raise Withheld(
            f"Causes need at least {FEWEST} subscriptions that ended, but "
            f"{words.number(sum(ended.values()))} had by the end of {cycle.name}."
        )
    if set(causes) <= {NOT_KNOWN}:
        raise Withheld("Nobody records of whose will subscriptions end (subscriptions.end_kind).")
    name: str | None = None
    whole: Any = people.loc["all"]
    rows = _curve_rows(counts, causes, whole)
    if by is not None:
        split, name = grouped(held, by)
        rows = [{**row, name: None} for row in rows]
        rows += _group_rows(split, name, causes, horizon_days)
    late = float(whole["late"])
    parts = [f"{words.number(ended[cause])} ended {_SAID[cause]}" for cause in causes]
    return LeavingCauses(
        estimates=pd.DataFrame(rows),
        subtitle="Share of subscriptions that had ended, %, by whose will and months since their "
        "beginning; 95% band",
        note=f"Base: {words.number(whole['n'])} subscriptions of {words.number(whole['people'])} "
        f"customers; {words.listing(parts)} by the end of {cycle.name}. Who left "
        "for one cause is no longer at risk of the other."
        + (f" {words.number(late)} began before records do, and count from then on." * (late > 0)),
        cycle=cycle.name,
        by=name,
    )


def _by_cause(cells: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
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


def _incidence(counts: pd.DataFrame, causes: list[str], effect: float) -> tuple[Incidence, Any]:
    """Share that left of each cause, and that stays, with late entry."""
    rows = seen(counts)
    at = np.searchsorted(counts["week"].to_numpy(float), rows.week)
    total = counts["ended"].to_numpy(float)[at]
    part = np.divide(rows.ended, total, out=np.zeros_like(total), where=total > 0)
    events = {cause: counts[cause].to_numpy(float)[at] * part for cause in causes}
    late: dict[str, Any] = {"entry": rows.entry} if rows.entry.any() else {}
    left = cumulative_incidence(rows.week, events, rows.open, design_effect=effect, **late)
    return left, product_limit(rows.week, rows.ended, rows.open, design_effect=effect, **late)


def _curve_rows(counts: pd.DataFrame, causes: list[str], people: Any) -> list[dict[str, Any]]:
    left, stays = _incidence(counts, causes, effect_of(people))
    per_end = float(people["leavers"]) / float(people["total"])
    had = np.floor(np.cumsum(left.events, axis=0) * per_end)
    weeks = np.r_[np.arange(4, 53, 4), np.arange(65, max(left.time[-1], 65) + 13, 13)]
    weeks = weeks[weeks <= left.time[-1]]
    by_then = np.vstack([np.zeros(len(causes)), had])[
        np.searchsorted(left.time, weeks, side="right")
    ]
    rows = []
    for week in weeks[_apart(by_then, FEWEST)]:
        rows += _rows_at(left, stays, float(week), people)
    if not rows:  # one cause is rare: one time, so that it can at least be told or withheld
        rows = _rows_at(left, stays, float(left.time[-1]), people)
    return rows


def _rows_at(left: Incidence, stays: Any, week: float, people: Any) -> list[dict[str, Any]]:
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
    row = interval_row(
        _SHARE, found, unit="share", count=count, cause=cause, after_days=WEEK * week
    )
    if math.isfinite(found.low) and math.isfinite(found.high):
        return row
    return row | {"estimate": math.nan, "conf_low": math.nan, "conf_high": math.nan,
                  "suppressed": True}  # fmt: skip


def _group_rows(
    held: Table, name: str, causes: list[str], horizon_days: int
) -> list[dict[str, Any]]:
    """Shares of each group at the horizon, and a test of each cause."""
    cells, names = gathered_cells(held, name, "cause")
    counts, people = _by_cause(cells)
    for cause in causes:
        if cause not in counts:
            counts[cause] = 0.0
    each = {group: counts[counts["grp"] == group] for group in names}
    each = {group: x for group, x in each.items() if x["ended"].sum() >= FEWEST}
    if len(each) < 2:
        return []
    found = {
        group: _incidence(x, causes, effect_of(people.loc[group])) for group, x in each.items()
    }
    ends = [left.time[left.at_risk >= FEWEST].max(initial=0) for left, _ in found.values()]
    week = float(min(horizon_days // WEEK, *ends))
    rows = []
    for group, (left, stays) in found.items():
        if week >= 1:
            rows += [{**row, name: group} for row in _rows_at(left, stays, week, people.loc[group])]
    return [*rows, *_test_rows(cells, list(each), people, causes, name)]


def _test_rows(
    cells: Table, names: list[str], people: pd.DataFrame, causes: list[str], name: str
) -> list[dict[str, Any]]:
    """Test of each cause, among those whose whole life is in the records."""
    counts, known = _by_cause(view("select * from c where first_week = 0", c=cells))
    counts = counts[counts["grp"].isin(names)]
    effect = max(effect_of(people.loc[group]) for group in names)
    tested = [c for c in causes if c in counts and (counts[c] > 0).any() and c != NOT_KNOWN]
    if counts["grp"].nunique() < 2 or not tested:
        return []
    events = {c: counts[c].to_numpy(float) for c in causes if c in counts}
    p_values = {}
    for cause in tested:
        test = compare_incidence(
            counts["week"].to_numpy(float), events, counts["open"].to_numpy(float), cause=cause,
            group=counts["grp"].to_numpy(),
        )  # fmt: skip
        p_value = float(chdtrc(test.df, test.statistic / effect)) if test.df else math.nan
        if math.isfinite(p_value):
            p_values[cause] = p_value
    if not p_values:
        return []
    base, adjusted = known.loc[known.index.isin(names)], holm(list(p_values.values()))
    return [
        estimate_row(
            _TEST, p_value, math.nan, math.nan, n=float(base["n"].sum()), unit="p",
            method=f"Gray's test, Holm over {words.plural(len(p_values), 'cause')}",
            count=float(counts[cause].sum()), cause=cause, after_days=None, **{name: None},
        )
        for cause, p_value in zip(p_values, adjusted.tolist(), strict=True)
    ]  # fmt: skip


def _apart(counts: Any, least: float) -> Any:
    """Choose times by which so many more of every cause had left since the last one chosen."""
    chosen, last = np.zeros(len(counts), dtype=bool), np.zeros(np.shape(counts)[1])
    for at, row in enumerate(counts):
        if (row - last >= least).all():
            chosen[at], last = True, row
    return chosen
