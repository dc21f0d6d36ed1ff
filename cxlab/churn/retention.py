"""How long do subscriptions last, when most of them still run?"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd

from cxlab.churn.spells import spells
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, query, view
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy, blank, running
from cxlab.report.finding import Result, interval_row
from cxlab.stats.clusters import ClusterSums, design_effect
from cxlab.stats.intervals import Interval
from cxlab.stats.survival import SurvivalCurve, product_limit

__all__ = ["ALL_OTHERS", "Retention", "retention"]

ALL_OTHERS = "all others"
FEWEST = 10  # endings, below which there is no curve
_GROUPS = 4  # so many lines can be told apart
_WEEK = 7
_YEAR = 365


@dataclass(frozen=True, kw_only=True, eq=False)
class Retention(Result):
    """Share of subscriptions that still run after so long, by group.

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
        """Withhold small numbers, and times between which too few ended."""
        safe, least = super().protect(rules), Policy.of(rules).min_cell
        curve = self.estimates["metric"] == "churn.retained_share"
        close = pd.Series(False, index=self.estimates.index)
        groups = self.estimates[self.by].fillna("") if self.by else curve
        for _, rows in self.estimates[curve].groupby(groups[curve]):
            close[rows.index] = running(rows["count"], least)
        hidden = safe.estimates["suppressed"].to_numpy(dtype=bool) | close.to_numpy()
        return replace(safe, estimates=blank(safe.estimates, hidden))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw a falling curve per group, with its band."""
        rows = self._rows("churn.retained_share")
        shown = rows[~rows["suppressed"].astype(bool)]
        label = "group" if self.by is None else self.by
        if self.by is not None and shown[self.by].notna().any():
            lines = shown[shown[self.by].notna()]  # the curve of all stands in the table
        else:
            lines = (shown if len(shown) else rows).assign(**{label: "all"})
        names = ["after_days", "estimate", "conf_low", "conf_high"]
        whole = pd.DataFrame([[0.0, 1.0, 1.0, 1.0]], columns=names)
        frame = pd.concat(
            [
                pd.concat([whole, lot[names].astype(float)]).assign(**{label: name})
                for name, lot in lines.groupby(label, sort=False)
            ],
            ignore_index=True,
        )
        frame["months"] = frame["after_days"] * 12 / _YEAR
        return charts.curve(
            frame, x="months", unit="share", low="conf_low", high="conf_high",
            group=label if frame[label].nunique() > 1 else None, zero=True,
            axis="Share that still run, %", name="Months since the beginning", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many still run after a year, and by when half have ended."""
        rows = self._rows("churn.retained_share")
        whole = rows[rows[self.by].isna()] if self.by else rows
        known = whole[~whole["suppressed"].astype(bool)]
        if known.empty:
            return f"Too few subscriptions have ended by {self.cycle} to show how long they last."
        early = known["after_days"] <= max(_YEAR, float(known["after_days"].min()))
        at = known[early].iloc[-1]
        said = (
            f"{words.value(at['estimate'], 'share')} of subscriptions still run after "
            f"{_months(at['after_days'])} "
            f"({words.interval(at['conf_low'], at['conf_high'], 'share')})"
        )
        medians = self._rows("churn.median_days")
        median = (medians[medians[self.by].isna()] if self.by else medians).iloc[0]
        if median["suppressed"] or pd.isna(median["estimate"]):
            return f"{said}; when half have ended cannot be told yet."
        return f"{said}; half have ended after {_months(median['estimate'])}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def retention(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike | None = None,
    complete_from: date | None = None,
) -> Retention:
    """Estimate how long subscriptions last, from those that ended and those that still run.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`.
    cycle : Cycle
        All subscriptions that had begun by its end, as known then.
    by : str or table, optional
        A column of `subscriptions`, or a table of `customer_id` and one more column. It must
        be known when a subscription begins: a group that only those reach who stay long looks
        better than it is.
    complete_from : datetime.date, optional
        First day of the records. What ended before is not in them, so whoever began before
        is counted from the length that they had reached by then on. Default: records reach
        back to the first subscription.

    Returns
    -------
    Retention
        `churn.retained_share` by `after_days`, and `churn.median_days` (missing where less
        than half have ended), in all and by group.

    Raises
    ------
    Withheld
        If fewer than ten subscriptions have ended.

    Notes
    -----
    The product limit over whole weeks with a log-log band. Those still running count as long
    as they have run, those who come under observation late from then on. Where customers have
    several subscriptions, the variance carries the design effect of the share that ended.

    References
    ----------
    Kaplan & Meier (1958), Journal of the American Statistical Association 53, 457-481.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(40), "customer_id": [f"c{i}" for i in range(40)],
    ...     "started_at": pd.Timestamp("2017-01-01"),
    ...     "ended_at": [pd.Timestamp("2017-07-01")] * 10 + [pd.NaT] * 30})
    >>> retention(held, cycle=parse_cycle("2018Q1")).sentence()[:52]
    '75.0% of subscriptions still run after 6 months (58.'
    """
    held = _lengths(spells(subscriptions, cutoff=cycle.cutoff), cycle, complete_from)
    counts, people = _counted(held, "'all'")
    ended = float(counts["ended"].sum())
    if ended < FEWEST:
        raise Withheld(
            f"A curve needs at least {FEWEST} subscriptions that ended, but {words.number(ended)} "
            f"had by the end of {cycle.name}."
        )
    name: str | None = None
    rows = _rows(counts, people.iloc[0])
    if by is not None:
        held, name = grouped(held, by)
        rows = [{**row, name: None} for row in rows] + _by_group(held, name)
    late = float(people["late"].iloc[0])
    return Retention(
        estimates=pd.DataFrame(rows),
        subtitle="Share of subscriptions that still run, %, by months since their beginning; "
        "95% band",
        note=f"Base: {words.number(people['n'].iloc[0])} subscriptions of "
        f"{words.number(people['people'].iloc[0])} customers, of which {words.number(ended)} have "
        "ended. Those that still run count as long as they have run."
        + (
            f" {words.number(late)} began before records do, and count from then on only."
            if late
            else ""
        ),
        cycle=cycle.name,
        by=name,
    )


def _lengths(held: Table, cycle: Cycle, complete_from: date | None) -> Table:
    """Add the week of its life in which each was first and last seen, and whether it ended."""
    # Days are local: the cycle knows when one begins in UTC.
    begin = replace(cycle, first_day=complete_from).start if complete_from else datetime(1, 1, 1)
    week = _WEEK * 86_400_000_000
    since = "epoch_us({0}) - epoch_us(started_at)"
    epoch = (datetime(1970, 1, 1), timedelta(microseconds=1))
    return view(
        f"""
        select *, case when ended_at is null then 0 else 1 end as is_over,
            cast(floor(coalesce({since.format("ended_at")},
                $cutoff_us - epoch_us(started_at)) / {week}) as bigint) + 1 as last_week,
            case when started_at < $begin
                then cast(floor(($begin_us - epoch_us(started_at)) / {week}) as bigint)
                else 0 end as first_week
        from h where ended_at is null or ended_at >= $begin
        """,
        h=held,
        begin=begin,
        begin_us=(begin - epoch[0]) // epoch[1],
        cutoff_us=(cycle.cutoff - epoch[0]) // epoch[1],
    )


def _counted(held: Table, group: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count beginnings and ends of watching by week of life, and sum over customers."""
    weeks = query(
        f"""
        select grp, week, sum(began) as began, sum(ended) as ended, sum(open) as open from (
            select {group} as grp, first_week as week, 1 as began, 0 as ended, 0 as open from h
            union all
            select {group}, last_week, 0, is_over, 1 - is_over from h
        ) as w group by grp, week order by grp, week
        """,
        h=held,
    )
    people = query(
        f"""
        select grp, count(*) as people, sum(n) as n, sum(n * n) as n_n, sum(y) as total,
            sum(n * y) as n_total, sum(y * y) as total_total, sum(late) as late,
            sum(case when y > 0 then 1 else 0 end) as leavers
        from (
            select {group} as grp, customer_id, count(*) as n, sum(is_over) as y,
                sum(case when first_week > 0 then 1 else 0 end) as late
            from h group by {group}, customer_id
        ) as p group by grp order by grp
        """,
        h=held,
    )
    return weeks, people


def _by_group(held: Table, name: str) -> list[dict[str, Any]]:
    """Rows of the largest groups, and of all others together."""
    _, people = _counted(held, f'h."{name}"')
    sizes = people.sort_values(["n", "grp"], ascending=[False, True])["grp"].tolist()
    own = sizes if len(sizes) <= _GROUPS else sizes[: _GROUPS - 1]
    named = pd.DataFrame({"known": own}, dtype="string")
    gathered = view(
        f"""
        select h.*, case when o.known is null then '{ALL_OTHERS}' else o.known end as shown
        from h left join o on h."{name}" = o.known
        """,
        h=held,
        o=named,
    )
    counts, people = _counted(gathered, "h.shown")
    rows = []
    for group in [*own, *([ALL_OTHERS] if len(own) < len(sizes) else [])]:
        mine = counts[counts["grp"] == group]
        if mine["ended"].sum() < FEWEST:
            continue
        found = _rows(mine, people[people["grp"] == group].iloc[0])
        rows += [{**row, name: group} for row in found]
    return rows


def _rows(counts: pd.DataFrame, people: Any) -> list[dict[str, Any]]:
    """Rows of one curve and of its median."""
    curve = _curve(counts, people)
    per_end = float(people["leavers"]) / float(people["total"])
    ended = np.cumsum(curve.events)
    rows = []
    for at, had in _shown(curve.time, ended):
        point = curve.at([at]).iloc[0]
        share = Interval(
            estimate=point["estimate"], low=point["conf_low"], high=point["conf_high"],
            n=float(people["n"]), method=curve.method, level=curve.level,
        )  # fmt: skip
        rows.append(
            interval_row("churn.retained_share", share, unit="share",
                         count=np.floor(had * per_end), after_days=_WEEK * at)
        )  # fmt: skip
    median = curve.quantile()
    ends = [_WEEK * x if np.isfinite(x) else np.nan for x in
            (median.estimate, median.low, median.high)]  # fmt: skip
    row = interval_row(
        "churn.median_days",
        replace(median, estimate=ends[0], low=ends[1], high=ends[2], n=float(people["n"])),
        unit="days", count=float(people["leavers"]), after_days=None,
    )  # fmt: skip
    # An end that no data reach is no interval, and a number without one does not travel.
    known = np.isfinite(ends).all()
    hidden = {"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "suppressed": True}
    return [*rows, row if known else row | hidden]


def _curve(counts: pd.DataFrame, people: Any) -> SurvivalCurve:
    """Estimate the curve from how many came under observation, ended and went on by week.

    Only how many were watched in each week matters, not who: the first to come are taken for
    the first to go, so that each pair begins before it ends, as it did.
    """
    sums = ClusterSums(
        customers=float(people["people"]),
        **{k: float(people[k]) for k in ("n", "n_n", "total", "n_total", "total_total")},
    )
    effect = design_effect(sums)
    weeks, came, ended, open_ = (
        counts[column].to_numpy(float) for column in ("week", "began", "ended", "open")
    )
    if not came[weeks > 0].any():
        return product_limit(weeks, ended, open_, design_effect=effect)
    begun, gone = np.cumsum(came), np.cumsum(ended + open_)
    marks = np.unique(np.r_[0.0, begun, gone])
    first, last = (np.searchsorted(upto, marks[:-1], side="right") for upto in (begun, gone))
    part = np.diff(marks) / (ended + open_)[last]
    return product_limit(
        weeks[last], ended[last] * part, open_[last] * part, entry=weeks[first],
        design_effect=effect,
    )  # fmt: skip


def _shown(times: Any, ended: Any) -> list[tuple[float, float]]:
    """Choose the weeks to show: every fourth of a year, then every quarter, each after ten ends."""
    last = float(times[-1])
    weeks = np.r_[np.arange(4, 53, 4), np.arange(65, max(last, 65) + 13, 13)]
    by_then = np.r_[0.0, ended][np.searchsorted(times, weeks, side="right")]
    near = running(by_then, FEWEST)
    pairs = zip(weeks[weeks <= last], by_then, near, strict=False)
    return [(float(week), float(had)) for week, had, is_near in pairs if not is_near]


def _months(days: float) -> str:
    return words.plural(round(days * 12 / _YEAR), "month")
