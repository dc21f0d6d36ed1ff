"""How many leave of their own will, how many without it, and by when?"""

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import pandas as pd
from scipy.special import chdtrc

from cxlab.churn.cause_shares import (
    SHARE,
    STILL_RUNNING,
    apart,
    by_cause,
    curve_rows,
    incidence,
    rows_at,
)
from cxlab.churn.lengths import (
    FEWEST,
    WEEK,
    as_if,
    cells_of,
    effect_of,
    gathered_cells,
    lengths,
    watched_days,
)
from cxlab.churn.spells import CAUSES
from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, view
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy, blank
from cxlab.report.finding import Result, estimate_row
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival import compare_incidence

__all__ = ["LeavingCauses", "leaving_causes"]

_TEST = "churn.p_cause"
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
    watched : float
        Days of the records; beyond them shares are those of a period (see `Retention`).
    """

    cycle: str
    by: str | None
    watched: float = math.inf

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and times between which too few left of any cause."""
        safe, least = super().protect(rules), Policy.of(rules).min_cell
        rows = self._shares()
        counts = rows[rows["cause"] != STILL_RUNNING].pivot_table(
            index="after_days", columns="cause", values="count"
        )
        close = counts.index[~apart(counts.to_numpy(float), least)]
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
        return charts.curve(
            frame, x="after_days", unit="share", low="conf_low", high="conf_high", group="cause",
            zero=True, axis="Share that had ended, %", name="Days since the beginning", ax=ax,
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
        ended = "would have ended" if early > self.watched else "have ended"
        told = [cause for cause in _SAID if cause in at.index]
        parts = [
            f"{words.value(at.loc[cause, 'estimate'], 'share')} "
            + f"of subscriptions {ended} " * (cause == told[0])
            + f"{_SAID[cause]} "
            f"({words.interval(at.loc[cause, 'conf_low'], at.loc[cause, 'conf_high'], 'share')})"
            for cause in told
        ]
        said = f"Within {words.plural(early, 'day')} of their beginning "
        if early > self.watched:
            said = as_if(self.watched) + said[:1].lower() + said[1:]
        return f"{said}{words.listing(parts)}.{self._groups()}"

    def _groups(self) -> str:
        tests = self.estimates[self.estimates["metric"] == _TEST]
        tests = tests[~tests["suppressed"].astype(bool)]
        if self.by is None or tests.empty:
            return ""
        clear = tests[tests["estimate"] <= 1 - self.level]["cause"].tolist()
        if not clear:
            if len(tests) > 1:
                return f" Neither clearly differs by {self.by}."
            named = f"{tests['cause'].iloc[0]} leaving"
            return f" {named[:1].upper()}{named[1:]} does not clearly differ by {self.by}."
        kinds = words.listing([f"{cause} leaving" for cause in clear])
        return f" By {self.by}, {kinds} differ{'s' if len(clear) == 1 else ''}."

    def _shares(self) -> pd.DataFrame:
        """Rows of all subscriptions together."""
        rows = self.estimates[self.estimates["metric"] == SHARE]
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
    'Within 196 days of their beginning 25.0% of subscriptions have'
    """
    held = lengths(subscriptions, cycle, complete_from)
    counts, people = by_cause(cells_of(held, "'all'", "cause"))
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
    rows = curve_rows(counts, causes, whole)
    if by is not None:
        split, name = grouped(held, by)
        rows = [{**row, name: None} for row in rows]
        rows += _group_rows(split, name, causes, horizon_days)
    late = float(whole["late"])
    parts = [f"{words.number(ended[cause])} ended {_SAID[cause]}" for cause in causes]
    return LeavingCauses(
        estimates=pd.DataFrame(rows),
        subtitle="Share of subscriptions that had ended, %, by whose will and days since their "
        "beginning; 95% band",
        note=f"Base: {words.number(whole['n'])} subscriptions of {words.number(whole['people'])} "
        f"customers; {words.listing(parts)} by the end of {cycle.name}. Who left "
        "for one cause is no longer at risk of the other."
        + (f" {words.number(late)} began before records do, and count from then on." * (late > 0))
        + _base_of_test(rows),
        cycle=cycle.name,
        by=name,
        watched=watched_days(cycle, complete_from),
    )


def _base_of_test(rows: list[dict[str, Any]]) -> str:
    """Say whom the tests look at: not all that the curves do."""
    tests = [row for row in rows if row["metric"] == _TEST]
    if not tests:
        return ""
    return (
        f" {tests[0]['method'].split(',')[0]} rests on {words.number(tests[0]['n'])} subscriptions "
        "whose whole life is in the records."
    )


def _group_rows(
    held: Table, name: str, causes: list[str], horizon_days: int
) -> list[dict[str, Any]]:
    """Shares of each group at the horizon, and a test of each cause."""
    cells, names = gathered_cells(held, name, "cause")
    counts, people = by_cause(cells)
    for cause in causes:
        if cause not in counts:
            counts[cause] = 0.0
    each = {group: counts[counts["grp"] == group] for group in names}
    each = {group: x for group, x in each.items() if x["ended"].sum() >= FEWEST}
    if len(each) < 2:
        return []
    found = {group: incidence(x, causes, effect_of(people.loc[group])) for group, x in each.items()}
    ends = [left.time[left.at_risk >= FEWEST].max(initial=0) for left, _ in found.values()]
    week = float(min(horizon_days // WEEK, *ends))
    rows = []
    for group, (left, stays) in found.items():
        if week >= 1:
            rows += [{**row, name: group} for row in rows_at(left, stays, week, people.loc[group])]
    return [*rows, *_test_rows(cells, list(each), people, causes, name)]


def _test_rows(
    cells: Table, names: list[str], people: pd.DataFrame, causes: list[str], name: str
) -> list[dict[str, Any]]:
    """Test of each cause, among those whose whole life is in the records."""
    counts, known = by_cause(view("select * from c where first_week = 0", c=cells))
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
            method=f"Gray's test of {len(base)} groups, Holm over "
            f"{words.plural(len(p_values), 'cause')}",
            count=float(counts[cause].sum()), cause=cause, after_days=None, **{name: None},
        )
        for cause, p_value in zip(p_values, adjusted.tolist(), strict=True)
    ]  # fmt: skip
